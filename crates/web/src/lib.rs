//! The page of the web client: what is seen and typed, beside a worker that keeps, seals and sends.
//!
//! [`model`] holds all that can be wrong without a browser: plain data in, plain data out, tested natively. The face
//! (modules `ui`, `app`, `port`) puts it into the DOM with Leptos's renderer. Text of peers becomes text nodes, never HTML:
//! nothing here sets `innerHTML`, and no macro that would (see the test `sources`).
#![forbid(unsafe_code)]

pub mod model;

#[cfg(any(target_arch = "wasm32", feature = "face"))]
mod app;
#[cfg(any(target_arch = "wasm32", feature = "face"))]
mod later;
#[cfg(any(target_arch = "wasm32", feature = "face"))]
mod port;
#[cfg(any(target_arch = "wasm32", feature = "face"))]
mod ui;

#[cfg(any(target_arch = "wasm32", feature = "face"))]
pub use app::start;
#[cfg(any(target_arch = "wasm32", feature = "face"))]
pub use later::later;
