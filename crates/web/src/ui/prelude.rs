//! What every screen needs.

pub(crate) use reactive_graph::computed::Memo;
pub(crate) use reactive_graph::effect::Effect;
pub(crate) use reactive_graph::owner::{Owner, StoredValue, on_cleanup};
pub(crate) use reactive_graph::prelude::*;
pub(crate) use reactive_graph::signal::RwSignal;
pub(crate) use tachys::html::element::*;
pub(crate) use tachys::html::event as ev;
pub(crate) use tachys::prelude::*;
pub(crate) use tachys::reactive_graph::node_ref::NodeRef;
pub(crate) use tachys::view::any_view::AnyView;

pub(crate) use super::parts;
pub(crate) use crate::app::App;
pub(crate) use crate::model::screen::Screen;
