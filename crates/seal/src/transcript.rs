//! The hash graph of one room.
