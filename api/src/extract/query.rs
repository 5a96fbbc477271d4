//! Parameters behind the question mark.

use url::form_urlencoded;
use uuid::Uuid;

use crate::error::ApiError;
use crate::errors::{Collector, Prefix};
use crate::input::parse_id;

/// The parameters of a request. Empty ones are absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// From what stands behind the question mark.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let pairs = form_urlencoded::parse(text.as_bytes());
        Self(
            pairs
                .map(|(name, value)| (name.into_owned(), value.trim().to_owned()))
                .filter(|(_, value)| !value.is_empty())
                .collect(),
        )
    }

    /// Lets the request pass if no parameter contains a NUL, which no database holds.
    ///
    /// # Errors
    /// `[couldNotConvert]` for each that does.
    pub fn check(&self) -> Result<(), ApiError> {
        let errors = Collector::of_query();
        for (name, value) in &self.0 {
            if name.contains('\0') || value.contains('\0') {
                errors.refuse(Prefix::CouldNotConvert, &name.replace('\0', "\u{fffd}"));
            }
        }
        Ok(errors.finish()?)
    }

    /// All parameters, in their order.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The first value of a parameter.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find_map(|(key, value)| (key == name).then_some(value.as_str()))
    }

    /// `true` or `false`.
    ///
    /// # Errors
    /// `[couldNotConvert]` for any other word.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.text(name) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => Err(ApiError::field(Prefix::CouldNotConvert, name)),
        }
    }

    /// An Id.
    ///
    /// # Errors
    /// `[couldNotConvert]` for anything else.
    pub fn id<T: From<Uuid>>(&self, name: &str) -> Result<Option<T>, ApiError> {
        match self.text(name) {
            None => Ok(None),
            Some(text) => match parse_id(text) {
                Some(id) => Ok(Some(id)),
                None => Err(ApiError::field(Prefix::CouldNotConvert, name)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_two_words_only() {
        let query = Query::parse("a=true&b=false&c=True&d=1&e=");
        assert_eq!(query.flag("a").unwrap(), Some(true));
        assert_eq!(query.flag("b").unwrap(), Some(false));
        assert_eq!(query.flag("e").unwrap(), None);
        assert_eq!(query.flag("f").unwrap(), None);
        assert!(query.flag("c").is_err() && query.flag("d").is_err());
    }

    #[test]
    fn values_are_decoded() {
        assert_eq!(
            Query::parse("email=a%2Bb%40example.com").text("email"),
            Some("a+b@example.com")
        );
    }
}
