//! Phase start: a definition is applied to a user.

use std::sync::Arc;

use super::phase::{Change, PhaseInput, Step};
use super::reader::{Reader, Who};
use super::refusal::{Field, Problem, Refusal, Violations};
use super::{Call, Common, Setup};
use crate::db::{AnyConnection, Json};
use crate::id::{ActionLogId, ApplicationId, ReasonId, TenantId, UserActionId, UserId};
use crate::locale::{Locale, LocalizedText, choose};
use crate::model::action_log::ActionLog;
use crate::model::application::Application;
use crate::model::reason::Reason;
use crate::model::user::User;
use crate::model::user_action::{ActionOption, Phase, UserAction};
use crate::unix_millis::UnixMillis;

/// What a client asks for. Members that have to be given are optional here, so that
/// all that is missing can be said at once.
#[derive(Debug, Clone, Default)]
pub struct TakeRequest {
    /// Shared with the other phases.
    pub common: Common,
    /// Who is acted upon.
    pub actionee_user_id: Option<UserId>,
    /// The definition.
    pub user_action_id: Option<UserActionId>,
    /// What to limit the action to.
    pub application_ids: Vec<ApplicationId>,
    /// When it ends; temporal definitions only.
    pub expiry: Option<UnixMillis>,
    /// One of the definition's options.
    pub option: Option<String>,
    /// A reason.
    pub reason_id: Option<ReasonId>,
}

/// The same, with everything found that it names.
pub(super) struct Found {
    pub(super) actionee: Arc<User>,
    /// None: the system acts.
    pub(super) actioner: Option<Arc<User>>,
    pub(super) definition: Arc<UserAction>,
    pub(super) option: Option<ActionOption>,
    pub(super) reason: Option<Arc<Reason>>,
}

/// Validates the request and builds everything that the start writes.
///
/// # Errors
/// [`Refusal`]; nothing has been written then, nor if all went well.
pub fn prepare_take(
    connection: &mut AnyConnection,
    setup: &Setup,
    call: &Call,
    request: &TakeRequest,
) -> Result<Change, Refusal> {
    prepare_from(&mut Reader::new(connection), setup, call, request)
}

/// The same, from what may have been read before.
pub(super) fn prepare_from(
    reader: &mut Reader<'_>,
    setup: &Setup,
    call: &Call,
    request: &TakeRequest,
) -> Result<Change, Refusal> {
    let found = find(reader, call, request)?;
    start(reader, setup, call, request, found)
}

/// Builds everything that a start writes, once it is allowed.
pub(super) fn start(
    reader: &mut Reader<'_>,
    setup: &Setup,
    call: &Call,
    request: &TakeRequest,
    found: Found,
) -> Result<Change, Refusal> {
    let log = new_log(call, request, &found);
    PhaseInput {
        phase: Phase::Start,
        step: Step::Insert,
        log,
        history: Vec::new(),
        who: Who {
            actionee: found.actionee,
            actioner: found.actioner,
            definition: found.definition,
        },
        email_user: request.common.email_user,
        notify_user: request.common.notify_user,
        broadcast: call.broadcast,
        now: call.now,
        info: call.info.clone(),
    }
    .build(reader, setup)
}

fn find(reader: &mut Reader<'_>, call: &Call, request: &TakeRequest) -> Result<Found, Refusal> {
    let mut broken = Violations::default();
    let actionee = actionee(reader, call, request, &mut broken)?;
    let actioner = actioner(reader, call, &request.common, &mut broken)?;
    let tenant = actionee.as_ref().map(|user| user.tenant_id);
    let definition = definition(reader, request, tenant, &mut broken)?;
    let option = option(request, definition.as_deref(), &mut broken);
    let reason = reason(reader, request, &mut broken)?;
    applications(reader, request, tenant, &mut broken)?;
    let found = match (actionee, actioner, definition) {
        (Some(actionee), Some(actioner), Some(definition)) => Some(Found {
            actionee,
            actioner: Some(actioner),
            definition,
            option,
            reason,
        }),
        _ => None,
    };
    broken.or(found)
}

fn actionee(
    reader: &mut Reader<'_>,
    call: &Call,
    request: &TakeRequest,
    broken: &mut Violations,
) -> Result<Option<Arc<User>>, Refusal> {
    let Some(id) = request.actionee_user_id else {
        broken.add(
            Field::ActioneeUserId,
            Problem::Missing,
            "say which user is acted upon",
        );
        return Ok(None);
    };
    let user = find_user(reader, call.scope, id)?;
    if user.is_none() {
        broken.add(
            Field::ActioneeUserId,
            Problem::Invalid,
            format!("there is no user with the Id `{id}`"),
        );
    }
    Ok(user)
}

/// Finds who acts; the rules are the same in all phases.
pub(super) fn actioner(
    reader: &mut Reader<'_>,
    call: &Call,
    common: &Common,
    broken: &mut Violations,
) -> Result<Option<Arc<User>>, Refusal> {
    let Some(id) = common.actioner_user_id else {
        broken.add(
            Field::ActionerUserId,
            Problem::Missing,
            "say which user acts",
        );
        return Ok(None);
    };
    let user = find_user(reader, call.scope, id)?;
    if user.is_none() {
        broken.add(
            Field::ActionerUserId,
            Problem::Invalid,
            format!("there is no user with the Id `{id}`"),
        );
    }
    Ok(user)
}

/// A user of another tenant than the scope behaves as absent.
fn find_user(
    reader: &mut Reader<'_>,
    scope: Option<TenantId>,
    id: UserId,
) -> Result<Option<Arc<User>>, Refusal> {
    let user = reader.user(id)?;
    Ok(user.filter(|user| scope.is_none_or(|tenant| tenant == user.tenant_id)))
}

fn definition(
    reader: &mut Reader<'_>,
    request: &TakeRequest,
    tenant: Option<TenantId>,
    broken: &mut Violations,
) -> Result<Option<Arc<UserAction>>, Refusal> {
    let Some(id) = request.user_action_id else {
        broken.add(
            Field::UserActionId,
            Problem::Missing,
            "say which user action is taken",
        );
        return Ok(None);
    };
    let Some(definition) = reader.definition(id)? else {
        broken.add(
            Field::UserActionId,
            Problem::Invalid,
            format!("there is no user action with the Id `{id}`"),
        );
        return Ok(None);
    };
    if !definition.active {
        broken.add(
            Field::UserActionId,
            Problem::Inactive,
            format!(
                "the user action `{}` is inactive, reactivate it first",
                definition.name
            ),
        );
    }
    if tenant.is_some_and(|tenant| !definition.serves(tenant)) {
        broken.add(
            Field::UserActionId,
            Problem::Invalid,
            format!(
                "the user action `{}` is not offered to the actionee's tenant",
                definition.name
            ),
        );
    }
    if definition.temporal && request.expiry.is_none() {
        broken.add(
            Field::Expiry,
            Problem::Missing,
            "a time-based action needs an expiry",
        );
    }
    Ok(Some(definition))
}

fn option(
    request: &TakeRequest,
    definition: Option<&UserAction>,
    broken: &mut Violations,
) -> Option<ActionOption> {
    let (name, definition) = (request.option.as_deref()?, definition?);
    let option = definition.option(name).cloned();
    if option.is_none() {
        broken.add(
            Field::Option,
            Problem::Invalid,
            format!(
                "the user action `{}` has no option `{name}`",
                definition.name
            ),
        );
    }
    option
}

fn reason(
    reader: &mut Reader<'_>,
    request: &TakeRequest,
    broken: &mut Violations,
) -> Result<Option<Arc<Reason>>, Refusal> {
    let Some(id) = request.reason_id else {
        return Ok(None);
    };
    let reason = reader.reason(id)?;
    if reason.is_none() {
        broken.add(
            Field::ReasonId,
            Problem::Invalid,
            format!("there is no user action reason with the Id `{id}`"),
        );
    }
    Ok(reason)
}

fn applications(
    reader: &mut Reader<'_>,
    request: &TakeRequest,
    tenant: Option<TenantId>,
    broken: &mut Violations,
) -> Result<(), Refusal> {
    let wanted = &request.application_ids;
    let Some(tenant) = tenant.filter(|_| !wanted.is_empty()) else {
        return Ok(());
    };
    let existing = Application::existing_in(reader.connection, tenant, wanted)?;
    for (position, id) in wanted.iter().enumerate() {
        if !existing.contains(id) {
            broken.add(
                Field::ApplicationId(position),
                Problem::Invalid,
                format!("the actionee's tenant has no application with the Id `{id}`"),
            );
        }
    }
    Ok(())
}

fn new_log(call: &Call, request: &TakeRequest, found: &Found) -> ActionLog {
    let definition = &found.definition;
    let languages = &found.actionee.preferred_languages.0;
    let temporal = definition.temporal;
    let expiry = request.expiry.filter(|_| temporal);
    let option = found.option.as_ref();
    let reason = found.reason.as_ref();
    let mut application_ids = request.application_ids.clone();
    application_ids.sort_unstable();
    application_ids.dedup();
    ActionLog {
        id: ActionLogId::sequential(),
        tenant_id: found.actionee.tenant_id,
        actionee_user_id: found.actionee.id,
        actioner_user_id: found.actioner.as_ref().map(|user| user.id),
        user_action_id: definition.id,
        application_ids: Json(application_ids),
        comment: request.common.comment.clone(),
        email_user_on_end: temporal && request.common.email_user,
        notify_user_on_end: request.common.notify_user,
        end_event_sent: temporal.then_some(false),
        expiry,
        end_due: expiry.filter(|expiry| !expiry.is_never()),
        canceled: false,
        prevent_login: definition.prevent_login,
        name: definition.name.clone(),
        localized_name: localized(
            languages,
            definition.localized_names.as_ref().map(|json| &json.0),
            &definition.name,
        ),
        option: option.map(|option| option.name.clone()),
        localized_option: option
            .map(|option| localized(languages, option.localized_names.as_ref(), &option.name)),
        reason: reason.map(|reason| reason.text.clone()),
        localized_reason: reason.map(|reason| {
            let texts = reason.localized_texts.as_ref().map(|json| &json.0);
            localized(languages, texts, &reason.text)
        }),
        reason_code: reason.map(|reason| reason.code.clone()),
        revision: 1,
        insert_instant: call.now,
        last_update_instant: call.now,
    }
}

/// The text in the reader's language, or the plain one.
fn localized(languages: &[Locale], texts: Option<&LocalizedText>, plain: &str) -> String {
    texts
        .and_then(|texts| choose(languages, texts))
        .map_or_else(|| plain.to_owned(), |(_, text)| text.clone())
}
