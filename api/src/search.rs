//! What all searches share: criteria by query or by body, order, and pages. The database
//! searches; what it finds is written by [`crate::listing`].

use actix_web::http::Method;
use serde_json::{Map, Value};

use crate::error::ApiError;
use crate::errors::{Collector, Prefix};
use crate::extract::Call;
use crate::input::Object;

pub(crate) use beadle_common::resources::search::{
    count, flag, read_order, read_window, text_criterion,
};

/// The criteria of a search, wherever they came from.
#[derive(Debug)]
pub(crate) struct Criteria {
    members: Map<String, Value>,
    /// They stand in the body, within `search`.
    wrapped: bool,
}

impl Criteria {
    /// From the query of a GET, or from the body of a POST.
    pub(crate) async fn of(call: &mut Call) -> Result<Self, ApiError> {
        Self::with_lists(call, &[]).await
    }

    /// The same with criteria that are lists: in a query, those repeat their name.
    pub(crate) async fn with_lists(call: &mut Call, lists: &[&str]) -> Result<Self, ApiError> {
        if call.request().method() != Method::GET {
            return Ok(Self {
                members: call.body().await?.into_members()?,
                wrapped: true,
            });
        }
        let mut members = Map::new();
        // What one official client writes for a criterion that was left out.
        let pairs = call.query().pairs();
        for (name, value) in pairs.filter(|(_, value)| *value != "undefined") {
            if !lists.contains(&name) {
                members.insert(name.to_owned(), Value::from(value));
            } else if let Value::Array(list) = members
                .entry(name)
                .or_insert_with(|| Value::Array(Vec::new()))
            {
                list.push(Value::from(value));
            }
        }
        Ok(Self {
            members,
            wrapped: false,
        })
    }

    /// Reads the criteria, and lets the request pass if nothing is wrong with them.
    pub(crate) fn read<T>(
        &self,
        read: impl FnOnce(&Object<'_>) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let errors = match self.wrapped {
            true => Collector::new(),
            false => Collector::of_query(),
        };
        let root = Object::root(&self.members, &errors);
        let criteria = match self.wrapped {
            true => root.required_object("search"),
            false => Some(root),
        };
        let value = criteria.map(|criteria| read(&criteria)).transpose()?;
        errors.finish()?;
        value.ok_or_else(|| ApiError::field(Prefix::Missing, "search"))
    }
}
