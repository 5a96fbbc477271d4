//! What a user's registration has: users show theirs.

use crate::description::{
    INSERT_INSTANT, Kind, LAST_UPDATE_INSTANT, Object, defaulted, optional, required, shown,
    shown_maybe,
};
use crate::input::LONGEST_NAME;

/// A registration.
pub(crate) const REGISTRATION: Object = Object::new(
    "UserRegistration",
    "That a user belongs to an application.",
    &[
        required("applicationId", Kind::Id, "The application."),
        defaulted("data", Kind::Data, "{}", "Anything."),
        shown("id", Kind::Id, "The registration."),
        INSERT_INSTANT,
        shown_maybe(
            "lastLoginInstant",
            Kind::Instant,
            "When the user logged in to it last.",
        ),
        LAST_UPDATE_INSTANT,
        defaulted(
            "preferredLanguages",
            Kind::List(&Kind::Locale),
            "[]",
            "What the user reads there: at most 20.",
        ),
        defaulted(
            "roles",
            Kind::List(&Kind::Text),
            "[]",
            "Roles of the application; absent: those that every user gets.",
        ),
        optional(
            "timezone",
            Kind::Text,
            "By its IANA name, or a fixed offset such as `UTC+2`.",
        ),
        shown("tokens", Kind::Data, "Always empty."),
        optional(
            "username",
            Kind::ShortText(LONGEST_NAME),
            "What the user is called there.",
        ),
        shown(
            "usernameStatus",
            Kind::Word(&["ACTIVE"]),
            "Always the same.",
        ),
        shown("verified", Kind::Flag, "Always true."),
    ],
);
