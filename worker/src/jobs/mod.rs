//! What a worker does from time to time, beside delivering.

pub mod erasing;
pub mod expiry;
pub mod ordering;
pub mod pruning;
