//! What both binaries of Beadle share.
//!
//! Here live the ids and instants, locale choice, signing and rendering, the
//! database, and the life cycle of an action. Nothing here opens a socket other than
//! the database's, and nothing knows of actix, HTTP clients or SMTP.

pub mod bootstrap;
pub mod db;
pub mod deliveries;
pub mod erasure;
pub mod id;
pub mod kind;
pub mod lifecycle;
pub mod locale;
pub mod localized_duration;
pub mod mail;
pub mod model;
pub mod outbox;
pub mod render;
pub mod resources;
pub mod rotate_secret_key;
pub mod schema;
pub mod seal;
pub mod settings;
pub mod settlement;
pub mod sign;
#[cfg(any(test, feature = "test-support"))]
pub mod test_support;
pub mod time_zone;
pub mod unix_millis;
pub mod view;
