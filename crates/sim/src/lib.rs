//! Simulated worlds: engines against a hub in virtual time, with faults by seed
