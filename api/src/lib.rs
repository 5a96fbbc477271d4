//! The HTTP API of Beadle: routes, authentication, and the errors object.
//!
//! A folder is a noun, a file in it a verb. [`app`] lists the routes, [`extract`] says
//! who is asking, [`input`] reads what they sent, and [`error`] turns every failure into
//! HTTP. There is no SQL here: that lives in `beadle_common::model`, and what happens to
//! an action in `beadle_common::lifecycle`.

pub mod answer;
pub mod app;
pub mod background;
pub mod commands;
pub mod error;
pub mod errors;
pub mod extract;
pub mod input;
pub mod state;

mod action_logs;
mod api_keys;
mod applications;
mod audit_logs;
mod deliveries;
pub mod description;
mod email_templates;
mod emails;
mod event_logs;
mod hashing;
mod health;
mod http_metrics;
mod idempotency;
mod key_lookup;
mod listing;
mod lockout;
mod login;
mod login_failures;
mod methods;
mod metrics;
mod middleware;
mod reasons;
mod registrations;
mod resource;
mod search;
mod search_limit;
mod signing_keys;
mod suppressions;
mod tenants;
mod user_actions;
mod users;
mod webhook_logs;
mod webhooks;

#[cfg(test)]
mod concurrent_changes_tests;
#[cfg(test)]
mod hostile_json_tests;
#[cfg(test)]
mod isolation_tests;
#[cfg(test)]
mod locale_tests;
#[cfg(test)]
mod round_trip_tests;
#[cfg(test)]
mod search_tests;
#[cfg(test)]
mod size_tests;
#[cfg(test)]
mod stored_json_tests;
#[cfg(test)]
mod test_support;
