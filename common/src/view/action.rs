//! An action log, and the event that tells of one of its phases.
//!
//! These are typed rather than collected, because one of each is written for every
//! action. The fields stand in the order in which they are sent.

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::id::{ActionLogId, ApplicationId, EventId, TenantId, UserActionId, UserId};
use crate::model::action_log::{ActionLog, HistoryItem};
use crate::model::email::Mailbox;
use crate::model::user_action::Phase;
use crate::unix_millis::UnixMillis;

/// `action` of the API.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ActionView<'a> {
    actionee_user_id: UserId,
    #[serde(skip_serializing_if = "Option::is_none")]
    actioner_user_id: Option<UserId>,
    application_ids: &'a [ApplicationId],
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<&'a str>,
    create_instant: UnixMillis,
    email_user_on_end: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_event_sent: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry: Option<UnixMillis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<HistoryView<'a>>,
    id: ActionLogId,
    insert_instant: UnixMillis,
    last_update_instant: UnixMillis,
    localized_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    localized_option: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    localized_reason: Option<&'a str>,
    name: &'a str,
    notify_user_on_end: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    option: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason_code: Option<&'a str>,
    user_action_id: UserActionId,
}

/// `action.history`
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryView<'a> {
    history_items: Vec<HistoryItemView<'a>>,
}

/// One state that was replaced.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryItemView<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    actioner_user_id: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<&'a str>,
    create_instant: UnixMillis,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry: Option<UnixMillis>,
}

impl<'a> ActionView<'a> {
    /// The log with its history, and the event of the call if there is one.
    #[must_use]
    pub fn new(
        log: &'a ActionLog,
        history: &'a [HistoryItem],
        event: Option<&'a RawValue>,
    ) -> Self {
        Self {
            actionee_user_id: log.actionee_user_id,
            actioner_user_id: log.actioner_user_id,
            application_ids: &log.application_ids.0,
            comment: log.comment.as_deref(),
            create_instant: log.insert_instant,
            email_user_on_end: log.email_user_on_end,
            end_event_sent: log.end_event_sent,
            event,
            expiry: log.expiry,
            history: HistoryView::new(history),
            id: log.id,
            insert_instant: log.insert_instant,
            last_update_instant: log.last_update_instant,
            localized_name: &log.localized_name,
            localized_option: log.localized_option.as_deref(),
            localized_reason: log.localized_reason.as_deref(),
            name: &log.name,
            notify_user_on_end: log.notify_user_on_end,
            option: log.option.as_deref(),
            reason: log.reason.as_deref(),
            reason_code: log.reason_code.as_deref(),
            user_action_id: log.user_action_id,
        }
    }

    /// Members that a log may lack: null in templates.
    pub const OPTIONAL: &'static [&'static str] = &[
        "actionerUserId",
        "comment",
        "endEventSent",
        "expiry",
        "history",
        "localizedOption",
        "localizedReason",
        "option",
        "reason",
        "reasonCode",
    ];
}

impl<'a> HistoryView<'a> {
    fn new(items: &'a [HistoryItem]) -> Option<Self> {
        if items.is_empty() {
            return None;
        }
        let view = |item: &'a HistoryItem| HistoryItemView {
            actioner_user_id: item.actioner_user_id,
            comment: item.comment.as_deref(),
            create_instant: item.create_instant,
            expiry: item.expiry,
        };
        Some(Self {
            history_items: items.iter().map(view).collect(),
        })
    }
}

/// The body of a webhook: `{"event": {…}}`.
#[derive(Debug, Serialize)]
pub struct EventView<'a> {
    /// The event.
    pub event: &'a UserActionEvent,
}

/// The `user.action` event.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UserActionEvent {
    /// Name of the definition.
    pub action: String,
    /// Id of the log.
    pub action_id: ActionLogId,
    /// Who is acted upon.
    pub actionee_user_id: UserId,
    /// Who acts; none: the system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actioner_user_id: Option<UserId>,
    /// What the action is limited to.
    pub application_ids: Vec<ApplicationId>,
    /// The log's comment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// When the event was made.
    pub create_instant: UnixMillis,
    /// The rendered mail, if the definition wants it here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<MailView>,
    /// Whether Beadle mails the user for this phase.
    pub emailed_user: bool,
    /// Temporal actions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiry: Option<UnixMillis>,
    /// The same on every delivery and retry.
    pub id: EventId,
    /// Who called, and from where.
    pub info: Map<String, Value>,
    /// When the log changed; not at start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_update_instant: Option<UnixMillis>,
    /// The actionee.
    pub linked_object_id: UserId,
    /// The name in the actionee's language.
    pub localized_action: String,
    /// How long until the expiry, in the actionee's language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub localized_duration: Option<String>,
    /// The option in the actionee's language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub localized_option: Option<String>,
    /// The reason in the actionee's language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub localized_reason: Option<String>,
    /// Passed on for others to act upon.
    pub notify_user: bool,
    /// The option.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub option: Option<String>,
    /// The phase.
    pub phase: Phase,
    /// The reason's text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The reason's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason_code: Option<String>,
    /// The actionee's tenant.
    pub tenant_id: TenantId,
    /// `user.action`
    #[serde(rename = "type")]
    pub event_type: &'static str,
}

impl UserActionEvent {
    /// The type of these events.
    pub const TYPE: &'static str = "user.action";

    /// Members that `info` may lack: null in templates.
    pub const INFO: &'static [&'static str] = &[
        "data",
        "deviceDescription",
        "deviceName",
        "deviceType",
        "ipAddress",
        "location",
        "os",
        "userAgent",
    ];

    /// Members that an event may lack: null in templates.
    pub const OPTIONAL: &'static [&'static str] = &[
        "actionerUserId",
        "comment",
        "email",
        "expiry",
        "lastUpdateInstant",
        "localizedDuration",
        "localizedOption",
        "localizedReason",
        "option",
        "reason",
        "reasonCode",
    ];
}

/// `event.email`: exactly what is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MailView {
    /// Always empty.
    pub attachments: Vec<Value>,
    /// Blind copies.
    pub bcc: Vec<Mailbox>,
    /// Copies.
    pub cc: Vec<Mailbox>,
    /// Sender.
    pub from: Mailbox,
    /// HTML part.
    pub html: String,
    /// Where answers go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Mailbox>,
    /// Subject.
    pub subject: String,
    /// Text part.
    pub text: String,
    /// Recipients.
    pub to: Vec<Mailbox>,
}
