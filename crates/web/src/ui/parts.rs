//! Small elements that all screens share, with the roles and names that readers of the screen need.

use tachys::view::keyed::keyed;

use super::prelude::*;

/// A button with a word in it. `class`: `primary`, `quiet`, `danger` or nothing.
pub(crate) fn act(class: &'static str, text: impl Into<String>, run: impl Fn() + 'static) -> AnyView {
    button()
        .attr("type", "button")
        .class(format!("button {class}"))
        .on(ev::click, move |_| run())
        .child(text.into())
        .into_any()
}

/// A button with a picture of our own set (a symbol in `icons.svg`) and a name that is read out.
pub(crate) fn icon_act(icon: &'static str, name: &'static str, run: impl Fn() + 'static) -> AnyView {
    button()
        .attr("type", "button")
        .class("icon-button")
        .attr("aria-label", name)
        .attr("title", name)
        .on(ev::click, move |_| run())
        .child(self::icon(icon))
        .into_any()
}

/// A picture of our own set: `<svg class="icon icon-NAME">` whose shape is the style sheet's (a mask).
pub(crate) fn icon(name: &'static str) -> AnyView {
    span().class(format!("icon icon-{name}")).attr("aria-hidden", "true").into_any()
}

/// The screen's heading; it takes the focus when the screen comes.
pub(crate) fn heading(text: impl Into<String>) -> AnyView {
    let node = NodeRef::<H1>::new();
    Effect::new(move |_| {
        if let Some(h) = node.get() {
            let _ = h.focus();
        }
    });
    h1().attr("tabindex", "-1").node_ref(node).child(text.into()).into_any()
}

/// A labelled line of text. `kind`: `text`, `password`, `url`, `number`. The hint, if any, is read out with it.
pub(crate) fn field(
    label_text: &'static str,
    kind: &'static str,
    hint: &'static str,
    value: RwSignal<String>,
) -> AnyView {
    let id = fresh_id();
    let hint_id = format!("{id}-hint");
    let described = (!hint.is_empty()).then(|| hint_id.clone());
    let hint_line = (!hint.is_empty()).then(|| p().attr("id", hint_id).class("hint").child(hint));
    div()
        .class("field")
        .child((
            label().attr("for", id.clone()).child(label_text),
            input()
                .attr("id", id)
                .attr("type", kind)
                .attr("autocomplete", "off")
                .attr("spellcheck", "false")
                .attr("dir", "auto")
                .attr("aria-describedby", described)
                .prop("value", move || value.get())
                .on_target(ev::input, move |event| value.set(event.target().value())),
            hint_line,
        ))
        .into_any()
}

/// A box to tick.
pub(crate) fn tick(label_text: &'static str, value: RwSignal<bool>) -> AnyView {
    label()
        .class("tick")
        .child((
            input()
                .attr("type", "checkbox")
                .prop("checked", move || value.get())
                .on_target(ev::change, move |event| value.set(event.target().checked())),
            span().child(label_text),
        ))
        .into_any()
}

/// A form: Enter in a field does what its primary button does.
pub(crate) fn form_of(run: impl Fn() + 'static, children: AnyView) -> AnyView {
    form()
        .class("form")
        .attr("novalidate", "")
        .on(ev::submit, move |event: web_sys::SubmitEvent| {
            event.prevent_default();
            run();
        })
        .child(children)
        .into_any()
}

/// The primary button of a form.
pub(crate) fn submit(text: &'static str, busy: RwSignal<bool>) -> AnyView {
    button().attr("type", "submit").class("button primary").prop("disabled", move || busy.get()).child(text).into_any()
}

/// What went wrong, read out at once; nothing when the text is empty.
pub(crate) fn complaint(text: RwSignal<String>) -> AnyView {
    div()
        .class("complaint")
        .attr("role", "alert")
        .child(move || Some(text.get()).filter(|t| !t.is_empty()).map(|t| p().attr("dir", "auto").child(t)))
        .into_any()
}

/// A dialog over everything while `open`: traps the focus, closes with Escape, gives the focus back.
pub(crate) fn dialog(
    open: RwSignal<bool>,
    title: &'static str,
    body: impl Fn() -> AnyView + Send + 'static,
) -> AnyView {
    (move || open.get().then(|| dialog_shown(open, title, body()))).into_any()
}

/// A dialog that is shown from now on, and says with `open` when it was closed.
pub(crate) fn dialog_shown(open: RwSignal<bool>, title: &'static str, body: AnyView) -> AnyView {
    let node = NodeRef::<Dialog>::new();
    let id = fresh_id();
    Effect::new(move |_| {
        if let Some(shown) = node.get()
            && !shown.open()
        {
            let _ = shown.show_modal();
        }
    });
    on_cleanup(move || {
        if let Some(shown) = node.get_untracked() {
            shown.close();
        }
    });
    tachys::html::element::dialog()
        .class("dialog")
        .attr("aria-labelledby", id.clone())
        .node_ref(node)
        .on(ev::close, move |_| {
            open.try_set(false);
        })
        .child((
            div()
                .class("dialog-head")
                .child((h2().attr("id", id).child(title), icon_act("close", "Close", move || open.set(false)))),
            body,
        ))
        .into_any()
}

/// A list that keeps its elements by key when it changes.
pub(crate) fn each<T, K>(
    items: impl Fn() -> Vec<T> + Send + 'static,
    key: impl Fn(&T) -> K + Send + Clone + 'static,
    view: impl Fn(T) -> AnyView + Send + Clone + 'static,
) -> AnyView
where
    T: Send + 'static,
    K: Eq + core::hash::Hash + 'static,
{
    let parent = Owner::current().unwrap_or_default();
    let child = move |_: usize, item: T| {
        let owner = parent.with(Owner::new);
        let shown = owner.with(|| view(item));
        (drop as fn(usize), tachys::reactive_graph::OwnedView::new_with_owner(shown, owner))
    };
    (move || keyed(items(), key.clone(), child.clone())).into_any()
}

/// An id that no other element of the page has.
pub(crate) fn fresh_id() -> String {
    use core::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(1);
    format!("e{}", NEXT.fetch_add(1, Ordering::Relaxed))
}
