//! Beadle end to end: the real binaries against a real SQLite file and a real PostgreSQL.
//!
//! One binary, so that it links once. To run a part: `script/test story`.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

// The main job: an action becomes a signed webhook and an email in the user's language.
mod story;
// Many workers on one database: the work is shared, and a crash loses nothing.
mod workers;
// Each user's events in their order, for webhooks that ask for it.
mod order;
// Mail whose sender dies, and mail servers that hang.
mod mail;
// Its signatures, verified by a library of others.
mod dkim;
// What Prometheus is told.
mod metrics;
// Webhooks that have a say in what happens.
mod transactions;
// Processes that are killed at random, and a database server that dies: nothing is lost.
mod chaos;
// A write happens as a whole or not at all.
mod atomicity;
// What must not be readable in a stolen database.
mod secrets;
// Public keys for receivers, and another key for what is secret.
mod signing;
// The official clients of other languages, run for real.
mod clients;
// Documented requests are honoured as they stand.
mod contract;
// What the endpoints answer, word for word.
mod answers;
// The table in the documentation, the list behind it, and the server agree.
mod api_reference;
// The OpenAPI document, the JSON Schema of events, and the page to read them on.
mod description;
// Large rows do not fill the memory.
mod memory;
// Malformed input is refused, whatever it is.
mod hostile_input;
// Whatever the description permits or not is answered as it says.
mod schemathesis;
// Nothing that one caller sends stops, deceives or sees the others.
mod hostile_tenant;
// The command line: what it prints, and how it ends.
mod commands;

// Every endpoint of the API, with what it takes.
mod endpoints;
// Requests whose bytes come one by one.
mod by_hand;
// What the tests above say in a line each: definitions, users and webhooks to play with.
mod scene;
