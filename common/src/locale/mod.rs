//! Languages: the tags that name them, the one rule that picks a translation for a reader, and what
//! CLDR knows about them.
//!
//! Numbers, durations and dates in a language are written elsewhere ([`crate::localized_duration`],
//! [`crate::render`]).

mod choose;
pub(crate) mod cldr;
mod tag;

pub use choose::{Match, Trail, choose, trail};
pub use tag::{Locale, LocaleError, LocalizedText};
