//! What `/api/status` and `/api/health` give.

use crate::description::{Answer, Content, Kind, Object, Operation, shown};

const STATUS: Object = Object::wrapper(&[shown("status", Kind::Word(&["up"]), "That it is.")]);

const UNAVAILABLE: Answer = Answer::new(
    503,
    "The database cannot be used right now: `[DatabaseUnavailable]`.",
    Content::Errors,
);

pub(super) const STATUS_OF_SERVER: &[Operation] = &[Operation::new(
    "retrieveStatus",
    "Whether the server is of any use",
    &[Answer::ok("The database answers.", &STATUS), UNAVAILABLE],
)];

pub(super) const HEALTH: &[Operation] = &[Operation::new(
    "retrieveHealth",
    "The same",
    &[Answer::ok("The database answers.", &STATUS), UNAVAILABLE],
)];
