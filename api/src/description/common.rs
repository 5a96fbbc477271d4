//! Members and parameters that many endpoints have.

use beadle_common::resources::field::{Field, Kind, given, shown};

pub(crate) use beadle_common::resources::field::{INSERT_INSTANT, LAST_UPDATE_INSTANT};
pub(crate) use beadle_common::resources::search::text;

/// Beside a page of results.
pub(crate) const TOTAL: Field = shown(
    "total",
    Kind::Integer(0, i64::MAX),
    "How many there are on all pages.",
);

/// Of a PUT.
pub(crate) const REACTIVATE: Field = given(
    "reactivate",
    Kind::Flag,
    "Only makes it active again; no body is read.",
);

/// Of a DELETE that deactivates.
pub(crate) const HARD_DELETE: Field = given(
    "hardDelete",
    Kind::Flag,
    "Removes it for good, with what depends on it.",
);

/// Of a list.
pub(crate) const INACTIVE: Field = given("inactive", Kind::Flag, "Only those that are inactive.");

/// Of a search in time.
pub(crate) const START: Field = given("start", Kind::Instant, "From this instant on.");

/// Of a search in time.
pub(crate) const END: Field = given("end", Kind::Instant, "Up to this instant.");
