//! What the program `beadle-bench` and the micro-benchmarks have in common: a database of
//! their own, and deliveries to claim and to settle. What only one of them needs stands
//! with it.

pub mod owed;
mod postgres;

pub use postgres::Postgres;
