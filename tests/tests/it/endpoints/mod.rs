//! Every endpoint of the API: the list that other tests walk, and that `docs/api.md` shows.
//!
//! What is sent to each of them is in [`samples`], the objects that it names in [`stock`].

mod samples;
mod stock;
mod table;

pub use stock::Stock;
pub use table::ENDPOINTS;

/// One method of one path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The method.
    pub method: &'static str,
    /// The path, with `{names}` for Ids; a part in brackets may be left out.
    pub path: &'static str,
    /// What it takes to be let in.
    pub key: Key,
    /// The answers beside those that every endpoint gives.
    pub answers: &'static str,
    /// A body that is accepted, with `$names` for Ids; empty when none is read.
    pub sample: &'static str,
}

/// What an endpoint wants to see before it does anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// A key whose permissions name the endpoint.
    Needed,
    /// A key that may manage keys.
    Manager,
    /// A key, unless the application lets anybody log in.
    Usually,
    /// Nothing.
    None,
}

impl Endpoint {
    /// The path without the part that may be left out.
    pub fn short_path(&self) -> &'static str {
        self.path.split('[').next().unwrap_or(self.path)
    }

    /// The path with that part.
    pub fn long_path(&self) -> String {
        self.path.replace(['[', ']'], "")
    }

    /// Whether an Id stands in the path.
    pub fn has_id(&self) -> bool {
        self.path.contains('{')
    }
}
