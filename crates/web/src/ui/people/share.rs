//! A link or a text to hand over: as a QR code, to copy, to read.

use wasm_bindgen_futures::JsFuture;

use crate::model::people::qr;
use crate::ui::prelude::*;

/// A text as a QR code; nothing if it is too long for one.
pub(crate) fn code(text: &str, name: String) -> Option<AnyView> {
    let code = qr::code(text)?;
    let view = tachys::svg::svg()
        .attr("class", "qr")
        .attr("viewBox", format!("0 0 {0} {0}", code.side))
        .attr("role", "img")
        .attr("aria-label", name)
        .attr("shape-rendering", "crispEdges")
        .child(tachys::svg::path().attr("d", code.path));
    Some(view.into_any())
}

/// A link with its QR code and a button that copies it. `about`: who may have it.
pub(crate) fn link(app: App, text: String, about: &'static str) -> AnyView {
    let copied = text.clone();
    div()
        .class("stack")
        .child((
            p().child(about),
            code(&text, String::from("The link as a QR code")),
            p().child(tachys::html::element::code().class("code").attr("dir", "ltr").child(text)),
            div().class("actions").child(parts::act("primary", "Copy the link", move || {
                copy(app, copied.clone(), "The link is in your clipboard.");
            })),
        ))
        .into_any()
}

/// Puts a text into the clipboard, and says so.
pub(crate) fn copy(app: App, text: String, done: &'static str) {
    let Some(clipboard) = web_sys::window().map(|w| w.navigator().clipboard()) else { return };
    app.spawn(async move {
        match JsFuture::from(clipboard.write_text(&text)).await {
            Ok(_) => app.tell(done),
            Err(_) => app.complain("This browser does not let the page copy. Select the text, and copy it yourself."),
        }
    });
}

/// A link as a QR code; nothing if it is too long for one.
pub(crate) fn qr(text: &str) -> AnyView {
    code(text, String::from("The link as a QR code")).into_any()
}
