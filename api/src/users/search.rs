//! `GET` and `POST /api/user/search`

use std::collections::HashMap;

use beadle_common::db::AnyConnection;
use beadle_common::id::UserId;
use beadle_common::model::registration::Registration;
use beadle_common::model::search::Sort;
use beadle_common::model::user::User;
use beadle_common::model::user_search::{UserField, UserSearch};
use beadle_common::view::{self, Absent};
use serde_json::{Value, json};

use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::errors::Prefix;
use crate::extract::Call;
use crate::input::Object;
use crate::search::{Criteria, Order, Page, names, text_criterion};

/// What users can be sorted by.
const FIELDS: [(&str, UserField); 8] = [
    ("email", UserField::Email),
    ("firstName", UserField::FirstName),
    ("fullName", UserField::FullName),
    ("id", UserField::Id),
    ("insertInstant", UserField::InsertInstant),
    ("lastName", UserField::LastName),
    ("lastUpdateInstant", UserField::LastUpdateInstant),
    ("username", UserField::Username),
];

/// Their names.
pub(super) const NAMES: [&str; FIELDS.len()] = names(&FIELDS);
pub(super) const DEFAULT_ORDER: &str = "insertInstant ASC";

pub(super) async fn search_users(mut call: Call) -> Answer {
    let criteria = Criteria::with_lists(&mut call, &["ids"]).await?;
    let search = UserSearch {
        tenant: call.scope(),
        ..criteria.read(read_search)?
    };
    let (users, total) = call
        .state()
        .read(move |connection| {
            let (users, total) = search.run(connection)?;
            Ok((shown(connection, &users)?, total))
        })
        .await?;
    Ok(answer::json(&json!({"total": total, "users": users})))
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
    let page = Page::read(criteria);
    Ok(UserSearch {
        tenant: None,
        ids: ids.into_iter().map(|listed| listed.value).collect(),
        text: text_criterion(criteria, "queryString"),
        order: read_order(criteria),
        window: page.window(),
    })
}

/// `sortFields` as for a search engine, or `orderBy` as everywhere else. Fields that only
/// a search engine knows are passed over.
fn read_order(criteria: &Object<'_>) -> Vec<(UserField, bool)> {
    let field = |name: &str| {
        let named = FIELDS.iter().find(|(field, _)| *field == name);
        named.map(|(_, field)| *field)
    };
    if criteria.value("sortFields").is_some_and(Value::is_array) {
        let sorts = criteria.objects("sortFields");
        let sort = |sort: &Object<'_>| {
            let down = sort
                .text("order")
                .is_some_and(|order| order.eq_ignore_ascii_case("desc"));
            Some((field(&sort.text("name")?)?, down))
        };
        return sorts.iter().filter_map(sort).collect();
    }
    let order = Order::read(criteria, &NAMES, DEFAULT_ORDER);
    let sort = |sort: Sort| Some((field(sort.field)?, sort.descending));
    order.sorts().into_iter().filter_map(sort).collect()
}

/// Users with their registrations, which are fetched for all of them at once.
fn shown(connection: &mut AnyConnection, users: &[User]) -> Result<Vec<Value>, ApiError> {
    let ids: Vec<UserId> = users.iter().map(|user| user.id).collect();
    let mut of_users: HashMap<UserId, Vec<Registration>> = HashMap::new();
    for registration in Registration::of_users(connection, &ids)? {
        let of_user = of_users.entry(registration.user_id).or_default();
        of_user.push(registration);
    }
    let show = |user: &User| {
        let registrations = of_users.get(&user.id).map_or(&[][..], Vec::as_slice);
        view::registered_user(user, registrations, Absent::Omit)
    };
    Ok(users.iter().map(show).collect())
}
