//! Benchmarks of the relay and client through their public doors
