//! The face: what the models say, as elements.
//!
//! Elements are built by functions (`div().class("x").child(…)`): the macro `view!` would set `innerHTML` for what never
//! changes, and Trusted Types forbid that.

pub(crate) mod composer;
pub(crate) mod help;
pub(crate) mod keys;
pub(crate) mod landing;
pub(crate) mod message;
pub(crate) mod moving;
pub(crate) mod over;
pub(crate) mod parts;
pub(crate) mod people;
pub(crate) mod prelude;
pub(crate) mod room;
pub(crate) mod room_settings;
pub(crate) mod settings;
pub(crate) mod shell;
pub(crate) mod side;
pub(crate) mod stages;
pub(crate) mod timeline;
