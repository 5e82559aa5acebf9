//! What the page knows, without a DOM.

pub mod alerts;
pub mod composer;
pub mod heights;
pub mod inert;
pub mod landing;
pub mod markdown;
pub mod notices;
pub mod people;
pub mod places;
pub mod rooms;
pub mod screen;
pub mod settings;
pub mod shown;
pub mod slash;
pub mod switcher;
pub mod talk;
pub mod time;
pub mod timeline;
pub mod window;
