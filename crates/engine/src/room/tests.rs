//! Private rooms with real engines, a real hub, and no account part: the tests hand key packages and Welcomes over.

mod crashes;
mod races;
mod seam;
mod star;
mod talk;
#[expect(dead_code, reason = "other tests use the rest of it")]
#[path = "../../tests/engine/world.rs"]
mod world;
