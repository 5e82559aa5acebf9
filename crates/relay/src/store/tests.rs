//! The embedded store: the hub's suite, and what only a store on a disk can get wrong.

use super::*;
