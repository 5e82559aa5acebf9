//! Reading a QR code: from a picture, or from the camera.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use estoile_port::{Ask, Reply};
use tachys::html::element::{canvas, video};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    CanvasRenderingContext2d, HtmlCanvasElement, HtmlInputElement, HtmlVideoElement, MediaStream,
    MediaStreamConstraints,
};

use crate::ui::prelude::*;

/// Pictures are made so small before they are read: a code that fills a tenth of a screenshot is still sharp.
const MAX_SIDE: u32 = 1_600;
/// Between two looks through the camera, in milliseconds: a third of a second feels immediate and leaves the battery alone.
const PAUSE: i32 = 300;

/// The two ways of scanning; `found` gets the code's text.
pub(super) fn scanner(app: App, found: impl Fn(String) + Clone + Send + Sync + 'static) -> AnyView {
    let looking = RwSignal::new(false);
    let node = NodeRef::<tachys::html::element::Canvas>::new();
    let from_file = found.clone();
    let camera = move || looking.get().then(|| looking_view(app, looking, found.clone()));
    div()
        .class("stack")
        .child((
            div().class("actions").child((
                parts::act("", "Use the camera", move || looking.set(true)),
                label().class("button pick").child((
                    parts::icon("image"),
                    span().child("Choose a picture"),
                    input().attr("type", "file").attr("accept", "image/*").on_target(ev::change, move |event| {
                        let found = from_file.clone();
                        if let Some(canvas) = node.get_untracked() {
                            picture(app, event.target(), canvas, found);
                        }
                    }),
                )),
            )),
            canvas().attr("hidden", "").node_ref(node),
            camera,
        ))
        .into_any()
}

fn picture(app: App, input: HtmlInputElement, canvas: HtmlCanvasElement, found: impl Fn(String) + 'static) {
    let Some(file) = input.files().and_then(|files| files.get(0)) else { return };
    input.set_value("");
    app.spawn(async move {
        match read_file(app, &file, &canvas).await {
            Ok(Some(text)) => {
                app.tell("The code is read.");
                found(text);
            }
            Ok(None) => app.complain(
                "There is no QR code to be read in this picture. Take one that shows the whole code, sharp and large.",
            ),
            Err(why) => app.complain(why),
        }
    });
}

async fn read_file(app: App, file: &web_sys::File, canvas: &HtmlCanvasElement) -> Result<Option<String>, String> {
    let unreadable = |_: JsValue| String::from("This file is no picture that the browser can show. Choose another.");
    let window = web_sys::window().ok_or_else(String::new)?;
    let promise = window.create_image_bitmap_with_blob(file).map_err(unreadable)?;
    let image: web_sys::ImageBitmap = JsFuture::from(promise).await.map_err(unreadable)?.unchecked_into();
    let (width, height) = fitted(image.width(), image.height());
    let context = prepared(canvas, width, height).ok_or_else(String::new)?;
    context
        .draw_image_with_image_bitmap_and_dw_and_dh(&image, 0.0, 0.0, f64::from(width), f64::from(height))
        .map_err(unreadable)?;
    read_canvas(app, &context, width, height).await
}

fn fitted(width: u32, height: u32) -> (u32, u32) {
    let longer = width.max(height).max(1);
    if longer <= MAX_SIDE {
        return (width.max(1), height.max(1));
    }
    let scale =
        |side: u32| u32::try_from(u64::from(side) * u64::from(MAX_SIDE) / u64::from(longer)).unwrap_or(1).max(1);
    (scale(width), scale(height))
}

fn prepared(canvas: &HtmlCanvasElement, width: u32, height: u32) -> Option<CanvasRenderingContext2d> {
    canvas.set_width(width);
    canvas.set_height(height);
    canvas.get_context("2d").ok()??.dyn_into().ok()
}

async fn read_canvas(
    app: App,
    context: &CanvasRenderingContext2d,
    width: u32,
    height: u32,
) -> Result<Option<String>, String> {
    let data = context
        .get_image_data(0.0, 0.0, f64::from(width), f64::from(height))
        .map_err(|_| String::from("This browser does not let the page look at the picture. Paste the text instead."))?
        .data();
    let bright = |p: &[u8]| match p {
        [r, g, b, ..] => {
            u8::try_from((u32::from(*r) * 77 + u32::from(*g) * 151 + u32::from(*b) * 28) >> 8).unwrap_or(u8::MAX)
        }
        _ => 0,
    };
    let luma: Vec<u8> = data.chunks_exact(4).map(bright).collect();
    match app.ask(Ask::Scan { width, height, luma: STANDARD.encode(luma) }).await? {
        Reply::Codes(codes) => Ok(codes.into_iter().next()),
        _ => Ok(None),
    }
}

fn looking_view(app: App, looking: RwSignal<bool>, found: impl Fn(String) + Clone + 'static) -> AnyView {
    let shown = NodeRef::<tachys::html::element::Video>::new();
    let drawn = NodeRef::<tachys::html::element::Canvas>::new();
    let stream = StoredValue::new_local(None::<MediaStream>);
    on_cleanup(move || {
        let _ = stream.try_with_value(|stream| stream.as_ref().map(stop));
    });
    Effect::new(move |_| {
        let (Some(video), Some(canvas)) = (shown.get(), drawn.get()) else { return };
        let found = found.clone();
        app.spawn(async move {
            let Ok(camera) = open_camera().await else {
                looking.try_set(false);
                app.complain(
                    "The camera is not there, or not allowed. Allow it for this page, or choose a picture of the code.",
                );
                return;
            };
            // Closed meanwhile: nobody looks any more.
            if stream.try_set_value(Some(camera.clone())).is_some() {
                return stop(&camera);
            }
            video.set_src_object(Some(&camera));
            if let Ok(playing) = video.play() {
                // A video that can't be played gives no picture, and nothing is found.
                let _ = JsFuture::from(playing).await;
            }
            if let Some(text) = watch(app, &video, &canvas, looking).await {
                looking.try_set(false);
                app.tell("The code is read.");
                found(text);
            }
        });
    });
    div()
        .class("stack")
        .child((
            video()
                .attr("class", "video")
                .attr("playsinline", "")
                .prop("muted", true)
                .attr("aria-label", "What the camera sees")
                .node_ref(shown),
            canvas().attr("hidden", "").node_ref(drawn),
            p().class("hint")
                .attr("role", "status")
                .child("Hold the code before the camera. Nothing of the picture leaves this page."),
            div().class("actions").child(parts::act("", "Stop the camera", move || looking.set(false))),
        ))
        .into_any()
}

async fn open_camera() -> Result<MediaStream, JsValue> {
    let devices = web_sys::window().ok_or(JsValue::NULL)?.navigator().media_devices()?;
    let wanted = js_sys::Object::new();
    js_sys::Reflect::set(&wanted, &"facingMode".into(), &"environment".into())?;
    let constraints = MediaStreamConstraints::new();
    constraints.set_video(&wanted);
    JsFuture::from(devices.get_user_media_with_constraints(&constraints)?).await?.dyn_into()
}

fn stop(stream: &MediaStream) {
    for track in stream.get_tracks() {
        track.unchecked_into::<web_sys::MediaStreamTrack>().stop();
    }
}

async fn watch(
    app: App,
    video: &HtmlVideoElement,
    canvas: &HtmlCanvasElement,
    looking: RwSignal<bool>,
) -> Option<String> {
    while looking.try_get_untracked() == Some(true) {
        let (width, height) = fitted(video.video_width(), video.video_height());
        if video.video_width() > 0
            && let Some(context) = prepared(canvas, width, height)
            && context
                .draw_image_with_html_video_element_and_dw_and_dh(video, 0.0, 0.0, f64::from(width), f64::from(height))
                .is_ok()
            && let Ok(Some(text)) = read_canvas(app, &context, width, height).await
        {
            return Some(text);
        }
        let pause = js_sys::Promise::new(&mut |done, _| {
            if let Some(window) = web_sys::window() {
                // Without a timer there is no next look.
                let _ = window.set_timeout_with_callback_and_timeout_and_arguments_0(&done, PAUSE);
            }
        });
        JsFuture::from(pause).await.ok()?;
    }
    None
}
