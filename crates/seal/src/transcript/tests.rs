//! The transcript, tried through its public doors with rooms of honest and less honest members.

mod accounts;
mod beats;
mod judging;
mod memory;
mod missing;
mod order;
mod speed;
mod world;
