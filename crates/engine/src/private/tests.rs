//! Groups talking through a log that is a list of records with an epoch guard.

mod caps;
mod copies;
mod life;
mod poison;
mod races;
mod world;
