//! What builds and checks the project.

fn main() {}
