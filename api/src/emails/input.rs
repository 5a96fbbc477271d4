//! Who is to get a mail, and everything about them that a template may name.

use std::collections::{HashMap, HashSet};

use beadle_common::db::AnyConnection;
use beadle_common::id::{ApplicationId, EmailTemplateId, TenantId, UserId};
use beadle_common::locale::Locale;
use beadle_common::model::application::Application;
use beadle_common::model::email::Mailbox;
use beadle_common::model::email_template::EmailTemplate;
use beadle_common::model::normalize;
use beadle_common::model::registration::Registration;
use beadle_common::model::tenant::Tenant;
use beadle_common::model::user::User;
use serde_json::Value;

use crate::error::ApiError;
use crate::errors::{Collector, Prefix};
use crate::extract::tenant_of;
use crate::input::{Body, Listed, Object};

/// Copies of each mail at most, of either kind.
const MOST_COPIES: usize = 20;
const MOST_LANGUAGES: usize = 20;
/// Characters of free data of all users of one request at most, that of their registrations
/// included. In memory it takes several times as much.
const MOST_DATA: i64 = 16 * 1024 * 1024;
/// Addresses that one request may mail, copies counted with each mail. They are written in one
/// transaction, for which others wait on SQLite.
const MOST_DELIVERIES: usize = 2_000;
const LONGEST_DISPLAY: usize = 255;

/// Everything that is needed to render the mails.
pub(super) struct Order {
    pub(super) template: EmailTemplate,
    pub(super) application: Option<Application>,
    pub(super) users: Vec<(User, Vec<Registration>)>,
    /// Those who are no users.
    pub(super) others: Vec<Mailbox>,
    /// What the others read.
    pub(super) languages: Vec<Locale>,
    /// Whose server mails the others; none if there are none.
    pub(super) tenant: Option<TenantId>,
    pub(super) tenants: HashMap<TenantId, Tenant>,
    pub(super) cc: Vec<Mailbox>,
    pub(super) bcc: Vec<Mailbox>,
    pub(super) request_data: Value,
}

pub(super) fn read_order(
    connection: &mut AnyConnection,
    template: EmailTemplateId,
    body: Result<Body, ApiError>,
    scope: Option<TenantId>,
) -> Result<Order, ApiError> {
    let template = EmailTemplate::find(connection, template)?.ok_or(ApiError::NotFound)?;
    let members = body?.into_members()?;
    let errors = Collector::new();
    let request = Object::root(&members, &errors);
    let users = read_users(connection, &request, scope)?;
    let application = read_application(connection, &request, scope, &users)?;
    let others = read_others(&request);
    if names_nobody(&request) {
        request.refuse(Prefix::Missing, "userIds");
    }
    let copies = |member| {
        let addresses = request.emails(member, MOST_COPIES).into_iter();
        addresses.map(mailbox).collect::<Vec<_>>()
    };
    let (cc, bcc) = (copies("ccAddresses"), copies("bccAddresses"));
    check_deliveries(&request, users.len() + others.len(), &cc, &bcc);
    let languages = request.locales("preferredLanguages", MOST_LANGUAGES);
    let request_data = match request.value("requestData") {
        Some(_) => Value::Object(request.data("requestData")),
        None => Value::Null,
    };
    errors.finish()?;
    let tenant = match others.is_empty() {
        true => None,
        false => Some(tenant_of_others(
            connection,
            scope,
            application.as_ref(),
            &users,
        )?),
    };
    Ok(Order {
        tenants: load_tenants(connection, &users, tenant)?,
        users: with_registrations(connection, users)?,
        template,
        application,
        others,
        languages,
        tenant,
        cc,
        bcc,
        request_data,
    })
}

/// Whether both lists of recipients are absent or empty. One that cannot be read is
/// reported as such.
fn names_nobody(request: &Object<'_>) -> bool {
    let is_empty = |member| match request.value(member) {
        None => true,
        Some(value) => value
            .as_array()
            .is_some_and(|list| list.iter().all(Value::is_null)),
    };
    is_empty("userIds") && is_empty("toAddresses")
}

/// Users that exist and can be mailed.
fn read_users(
    connection: &mut AnyConnection,
    request: &Object<'_>,
    scope: Option<TenantId>,
) -> Result<Vec<User>, ApiError> {
    let listed = request.ids::<UserId>("userIds");
    let ids: Vec<UserId> = listed.iter().map(|listed| listed.value).collect();
    let known = User::data_lengths(connection, &ids, scope)?;
    let (ids, lengths): (Vec<UserId>, Vec<i64>) = known.into_iter().unzip();
    let length = lengths.into_iter().sum::<i64>() + Registration::data_length(connection, &ids)?;
    if length > MOST_DATA {
        let message = "the data of the users is too large, send the mails in several requests";
        let path = request.path("userIds");
        request
            .errors()
            .refuse_because(Prefix::TooMany, &path, message);
        return Ok(Vec::new());
    }
    let found = User::load(connection, &ids)?.into_iter();
    let mut found: HashMap<UserId, User> = found.map(|user| (user.id, user)).collect();
    let mut users = Vec::new();
    for Listed { path, value } in listed {
        match found.remove(&value) {
            Some(user) if user.email.is_some() => users.push(user),
            Some(_) => request.errors().refuse_because(
                Prefix::Invalid,
                &path,
                format!("the user `{value}` has no email address"),
            ),
            None => request.errors().refuse(Prefix::Invalid, &path),
        }
    }
    Ok(users)
}

/// An application of the tenant of everybody who is mailed.
fn read_application(
    connection: &mut AnyConnection,
    request: &Object<'_>,
    scope: Option<TenantId>,
    users: &[User],
) -> Result<Option<Application>, ApiError> {
    let Some(id) = request.id::<ApplicationId>("applicationId") else {
        return Ok(None);
    };
    let is_theirs = |application: &Application| {
        let tenants = scope
            .into_iter()
            .chain(users.iter().map(|user| user.tenant_id));
        tenants
            .into_iter()
            .all(|tenant| tenant == application.tenant_id)
    };
    let application = Application::find(connection, id)?.filter(is_theirs);
    if application.is_none() {
        request.refuse(Prefix::Invalid, "applicationId");
    }
    Ok(application)
}

/// Each address once.
fn read_others(request: &Object<'_>) -> Vec<Mailbox> {
    let mut seen = HashSet::new();
    let mut others = Vec::new();
    for entry in request.objects("toAddresses") {
        let Some(address) = entry.email("address") else {
            if entry.errors().accepts(&entry.path("address")) {
                entry.refuse(Prefix::Blank, "address");
            }
            continue;
        };
        if seen.insert(normalize(&address)) {
            others.push(Mailbox {
                address,
                display: entry.short_text("display", LONGEST_DISPLAY),
            });
        }
    }
    others
}

/// Reports more deliveries than one request may make, on the member that has the most of them.
fn check_deliveries(request: &Object<'_>, mails: usize, cc: &[Mailbox], bcc: &[Mailbox]) {
    let copies = cc
        .iter()
        .chain(bcc)
        .map(|mailbox| normalize(&mailbox.address));
    let copies = copies.collect::<HashSet<_>>().len();
    let deliveries = mails.saturating_mul(1 + copies);
    if deliveries <= MOST_DELIVERIES {
        return;
    }
    let listed = |member| {
        request
            .value(member)
            .and_then(Value::as_array)
            .map_or(0, Vec::len)
    };
    let member = match listed("toAddresses") > listed("userIds") {
        true => "toAddresses",
        false => "userIds",
    };
    let message = format!(
        "{mails} mails with {copies} copies each are more than {MOST_DELIVERIES} deliveries, \
         send them in several requests"
    );
    let path = request.path(member);
    request
        .errors()
        .refuse_because(Prefix::TooMany, &path, message);
}

fn mailbox(address: String) -> Mailbox {
    Mailbox {
        address,
        display: None,
    }
}

/// Whose server mails those who are no users: the scope's or the application's, else that
/// of the users who get the same mail, else the only one there is.
fn tenant_of_others(
    connection: &mut AnyConnection,
    scope: Option<TenantId>,
    application: Option<&Application>,
    users: &[User],
) -> Result<TenantId, ApiError> {
    let of_users = users
        .first()
        .map(|user| user.tenant_id)
        .filter(|tenant| users.iter().all(|user| user.tenant_id == *tenant));
    let known = scope
        .or(application.map(|application| application.tenant_id))
        .or(of_users);
    tenant_of(connection, known)
}

fn load_tenants(
    connection: &mut AnyConnection,
    users: &[User],
    other: Option<TenantId>,
) -> Result<HashMap<TenantId, Tenant>, ApiError> {
    let ids: HashSet<TenantId> = users
        .iter()
        .map(|user| user.tenant_id)
        .chain(other)
        .collect();
    let tenants = Tenant::load(connection, &ids.into_iter().collect::<Vec<_>>())?;
    Ok(tenants
        .into_iter()
        .map(|tenant| (tenant.id, tenant))
        .collect())
}

fn with_registrations(
    connection: &mut AnyConnection,
    users: Vec<User>,
) -> Result<Vec<(User, Vec<Registration>)>, ApiError> {
    let ids: Vec<UserId> = users.iter().map(|user| user.id).collect();
    let mut registrations: HashMap<UserId, Vec<Registration>> = HashMap::new();
    for registration in Registration::of_users(connection, &ids)? {
        let of_user = registrations.entry(registration.user_id).or_default();
        of_user.push(registration);
    }
    let with = |user: User| {
        let own = registrations.remove(&user.id).unwrap_or_default();
        (user, own)
    };
    Ok(users.into_iter().map(with).collect())
}
