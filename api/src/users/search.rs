//! `GET` and `POST /api/user/search`

use std::collections::HashMap;

use beadle_common::db::AnyConnection;
use beadle_common::id::UserId;
use beadle_common::model::registration::Registration;
use beadle_common::model::search::Sort;
use beadle_common::model::user::User;
use beadle_common::model::user_search::UserSearch;
use beadle_common::view::{self, Absent, View};
use serde_json::Value;

use crate::answer::Answer;
use crate::error::ApiError;
use crate::errors::Prefix;
use crate::extract::Call;
use crate::input::Object;
use crate::listing::{self, Rows};
use crate::search::{Criteria, read_order, read_window, text_criterion};

pub(super) const FIELDS: [&str; 8] = [
    "email",
    "firstName",
    "fullName",
    "id",
    "insertInstant",
    "lastName",
    "lastUpdateInstant",
    "username",
];
pub(super) const DEFAULT_ORDER: &str = "insertInstant ASC";

pub(super) async fn search_users(mut call: Call) -> Answer {
    let criteria = Criteria::with_lists(&mut call, &["ids"]).await?;
    let search = UserSearch {
        tenant: call.scope(),
        ..criteria.read(read_search)?
    };
    listing::answer(&call, "users", Users, move |connection| {
        Ok(search.run(connection)?)
    })
    .await
}

fn read_search(criteria: &Object<'_>) -> Result<UserSearch, ApiError> {
    if criteria.value("query").is_some() {
        criteria.errors().refuse_because(
            Prefix::Invalid,
            &criteria.path("query"),
            "queries of a search engine are not understood, use `queryString` or `ids`",
        );
    }
    let ids = criteria.ids::<UserId>("ids");
    Ok(UserSearch {
        tenant: None,
        ids: ids.into_iter().map(|listed| listed.value).collect(),
        text: text_criterion(criteria, "queryString"),
        order: read_sorts(criteria),
        window: read_window(criteria),
    })
}

/// `sortFields` as for a search engine, or `orderBy` as everywhere else. Fields that only
/// a search engine knows are passed over.
fn read_sorts(criteria: &Object<'_>) -> Vec<Sort> {
    if !criteria.value("sortFields").is_some_and(Value::is_array) {
        return read_order(criteria, &FIELDS, DEFAULT_ORDER);
    }
    let mut sorts: Vec<Sort> = Vec::new();
    for sort in criteria.objects("sortFields") {
        let (name, order) = (sort.text("name"), sort.text("order"));
        let known = FIELDS.iter().find(|field| Some(**field) == name.as_deref());
        let Some(field) = known.copied() else {
            continue;
        };
        if sorts.iter().any(|earlier| earlier.field == field) {
            sort.refuse(Prefix::Duplicate, "name");
            continue;
        }
        let descending = order.is_some_and(|order| order.eq_ignore_ascii_case("desc"));
        sorts.push(Sort { field, descending });
    }
    sorts
}

/// Users with their registrations.
#[derive(Clone)]
struct Users;

impl Rows for Users {
    type Id = UserId;
    type Row = (User, Vec<Registration>);

    fn load(
        &self,
        connection: &mut AnyConnection,
        ids: &[UserId],
    ) -> Result<Vec<(UserId, Self::Row)>, ApiError> {
        let mut of_users: HashMap<UserId, Vec<Registration>> = HashMap::new();
        for registration in Registration::of_users(connection, ids)? {
            let of_user = of_users.entry(registration.user_id).or_default();
            of_user.push(registration);
        }
        let users = User::load(connection, ids)?.into_iter();
        let registered = |user: User| {
            let registrations = of_users.remove(&user.id).unwrap_or_default();
            (user.id, (user, registrations))
        };
        Ok(users.map(registered).collect())
    }

    fn show(&self, (user, registrations): &Self::Row) -> Result<View, ApiError> {
        Ok(view::registered_user(user, registrations, Absent::Omit))
    }
}
