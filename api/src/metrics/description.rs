//! What `/metrics` gives.

use crate::description::{Answer, Content, Operation};

pub(super) const SHOW: &[Operation] = &[Operation::new(
    "retrieveMetrics",
    "What this process has counted and measured, for Prometheus",
    &[Answer::new(
        200,
        "The metrics, in Prometheus' text format.",
        Content::Other("text/plain"),
    )],
)];
