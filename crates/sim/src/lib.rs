//! Simulated worlds: real engines with vaults in memory against a real hub, in one process and in virtual time.
//!
//! A [`World`] comes from a seed: clocks, latencies, what is said and everything that goes wrong follow from it alone, so a
//! failure is its seed. Engines die before and after any commit and between any two effects, commits fail, connections are
//! cut with what they carry, the relay dies between any two of its commits, readers are slow. When the trouble is over,
//! `World::check` holds the world to its promises. A [`PrivateWorld`] is the same with accounts, devices and a private room. In a
//! [`HostileWorld`] the relay cheats meanwhile.
//!
//! This layer knows engines and hub by their public doors only, and no secret but the room's, which it looks for where it
//! must not be.
#![forbid(unsafe_code)]

mod cheat;
mod check;
mod client;
mod disk;
mod face;
mod hostile;
mod net;
mod plan;
mod private;
mod story;
mod world;

pub use hostile::{HostileWorld, Withstood};
pub use plan::Plan;
pub use private::{DEVICES, Lived, PrivateWorld};
pub use world::{Failure, World};
