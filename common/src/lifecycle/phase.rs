//! What every phase has in common: from a new state of a log to everything that has
//! to be written for it.

use jiff::tz::TimeZone;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

use super::Setup;
use super::mail::MailInput;
use super::reader::{Reader, Who};
use super::refusal::Refusal;
use crate::db::{AnyConnection, DbError};
use crate::id::EventId;
use crate::localized_duration::Span;
use crate::mail::QueuedEmail;
use crate::model::action_log::{ActionLog, HistoryItem};
use crate::model::event::EventRow;
use crate::model::tenant::Tenant;
use crate::model::user_action::{Phase, TransactionType};
use crate::time_zone::time_zone;
use crate::unix_millis::UnixMillis;
use crate::view::{EventView, UserActionEvent};

/// What happens to the log's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// It is new.
    Insert,
    /// It replaces the state of this revision.
    Replace {
        /// The revision that the caller has seen.
        seen_revision: i32,
        /// The state that is replaced, the last of the history, goes into the history.
        remembered: bool,
    },
}

/// A new state of a log, and how to tell of it.
#[derive(Debug)]
pub(super) struct PhaseInput {
    pub(super) phase: Phase,
    pub(super) step: Step,
    /// The new state.
    pub(super) log: ActionLog,
    /// The states before it, oldest first, the one that is replaced now included.
    pub(super) history: Vec<HistoryItem>,
    pub(super) who: Who,
    pub(super) email_user: bool,
    pub(super) notify_user: bool,
    pub(super) broadcast: bool,
    pub(super) now: UnixMillis,
    pub(super) info: Map<String, Value>,
}

/// Everything that one phase writes, ready for [`super::commit()`].
#[derive(Debug)]
pub struct Change {
    pub(super) step: Step,
    pub(super) log: ActionLog,
    pub(super) history: Vec<HistoryItem>,
    pub(super) event: Option<EventRow>,
    pub(super) mail: Option<QueuedEmail>,
    /// The event as the answer shows it.
    pub(super) answer_event: Option<Box<RawValue>>,
    /// What an operator should know: templates that failed.
    pub(super) faults: Vec<String>,
    transaction_type: TransactionType,
}

impl Change {
    /// The log in its new state.
    #[must_use]
    pub fn log(&self) -> &ActionLog {
        &self.log
    }

    /// The states that were replaced, oldest first.
    #[must_use]
    pub fn history(&self) -> &[HistoryItem] {
        &self.history
    }

    /// `action.event` of the answer.
    #[must_use]
    pub fn answer_event(&self) -> Option<&RawValue> {
        self.answer_event.as_deref()
    }

    /// Whether the commit leaves something to deliver.
    #[must_use]
    pub fn leaves_work(&self) -> bool {
        self.event.is_some() || self.mail.is_some()
    }

    /// How many webhooks have to agree before the change may be committed.
    #[must_use]
    pub fn transaction_type(&self) -> TransactionType {
        self.transaction_type
    }
}

impl PhaseInput {
    pub(super) fn build(self, reader: &mut Reader<'_>, setup: &Setup) -> Result<Change, Refusal> {
        self.build_with(reader, setup, None)
    }

    /// As [`PhaseInput::build`], but without a mail if `lost` tells why there is none.
    pub(super) fn build_with(
        mut self,
        reader: &mut Reader<'_>,
        setup: &Setup,
        lost: Option<String>,
    ) -> Result<Change, Refusal> {
        let tenant = reader
            .tenant(self.log.tenant_id)?
            .ok_or(Refusal::NotFound)?;
        let raised = self.broadcast && tenant.event_enabled(UserActionEvent::TYPE);
        if self.phase == Phase::End && raised {
            self.log.end_event_sent = Some(true);
        }
        let mut event = self.event();
        let (mail, faults) = match lost {
            Some(lost) => (None, vec![lost]),
            None => self.mail(reader.connection, setup, &tenant, raised, &mut event)?,
        };
        let row = match raised {
            true => Some(self.event_row(&event)?),
            false => None,
        };
        if !raised && let Some(mail) = &mail {
            // Nobody else gets this event; it is there to show the caller the mail.
            event.email = Some(mail.view());
        }
        let answer_event = match raised || mail.is_some() {
            true => Some(to_raw_value(&event).map_err(serialization)?),
            false => None,
        };
        Ok(Change {
            transaction_type: self.transaction_type(&tenant),
            step: self.step,
            log: self.log,
            history: self.history,
            event: row,
            mail,
            answer_event,
            faults,
        })
    }

    fn event(&self) -> UserActionEvent {
        let log = &self.log;
        UserActionEvent {
            action: log.name.clone(),
            action_id: log.id,
            actionee_user_id: log.actionee_user_id,
            actioner_user_id: log.actioner_user_id,
            application_ids: log.application_ids.0.clone(),
            comment: log.comment.clone(),
            create_instant: self.now,
            email: None,
            emailed_user: false,
            expiry: log.expiry,
            id: EventId::sequential(),
            info: self.info.clone(),
            last_update_instant: (self.phase != Phase::Start).then_some(log.last_update_instant),
            linked_object_id: log.actionee_user_id,
            localized_action: log.localized_name.clone(),
            localized_duration: self.localized_duration(),
            localized_option: log.localized_option.clone(),
            localized_reason: log.localized_reason.clone(),
            notify_user: self.notify_user,
            option: log.option.clone(),
            phase: self.phase,
            reason: log.reason.clone(),
            reason_code: log.reason_code.clone(),
            tenant_id: log.tenant_id,
            event_type: UserActionEvent::TYPE,
        }
    }

    /// How long the action will last, if that can be said.
    fn localized_duration(&self) -> Option<String> {
        if matches!(self.phase, Phase::Cancel | Phase::End) {
            return None;
        }
        let expiry = self.log.expiry.filter(|expiry| !expiry.is_never())?;
        let actionee = &self.who.actionee;
        let zone = actionee.timezone.as_deref().and_then(time_zone);
        let span = Span::Between(self.now.millis(), expiry.millis());
        Some(span.written(
            &zone.unwrap_or(TimeZone::UTC),
            &actionee.preferred_languages.0,
        ))
    }

    /// Renders the mail of this phase if anybody wants it, and completes the event with
    /// what came of it. A template that fails costs the mail, not the action.
    fn mail(
        &self,
        connection: &mut AnyConnection,
        setup: &Setup,
        tenant: &Tenant,
        raised: bool,
        event: &mut UserActionEvent,
    ) -> Result<(Option<QueuedEmail>, Vec<String>), Refusal> {
        let definition = &self.who.definition;
        let send = self.email_user
            && definition.user_emailing_enabled
            && self.who.actionee.email.is_some();
        let include = raised && definition.include_email_in_event_json;
        let Some(template) = definition.template(self.phase).filter(|_| send || include) else {
            return Ok((None, Vec::new()));
        };
        event.emailed_user = send;
        let input = MailInput {
            setup,
            tenant,
            who: &self.who,
            log: &self.log,
            history: &self.history,
            event,
            now: self.now,
        };
        match input.render(connection, template)? {
            Ok((mail, fault)) => {
                event.email = include.then(|| mail.view());
                Ok((send.then_some(mail), fault.into_iter().collect()))
            }
            Err(fault) => {
                event.emailed_user = false;
                Ok((None, vec![fault]))
            }
        }
    }

    /// The definition's own type, else the tenant's, else none. Nobody can object to what
    /// time or the system does by itself.
    fn transaction_type(&self, tenant: &Tenant) -> TransactionType {
        if self.phase == Phase::End || self.who.actioner.is_none() {
            return TransactionType::None;
        }
        self.who.definition.transaction_type.unwrap_or_else(|| {
            tenant
                .transaction_type(UserActionEvent::TYPE)
                .and_then(|text| text.parse().ok())
                .unwrap_or(TransactionType::None)
        })
    }

    fn event_row(&self, event: &UserActionEvent) -> Result<EventRow, Refusal> {
        let body = serde_json::to_string(&EventView { event }).map_err(serialization)?;
        Ok(EventRow {
            id: event.id,
            event_type: UserActionEvent::TYPE.to_owned(),
            tenant_id: self.log.tenant_id,
            action_log_id: Some(self.log.id),
            linked_object_id: Some(self.log.actionee_user_id),
            body,
            insert_instant: self.now,
        })
    }
}

fn serialization(error: serde_json::Error) -> Refusal {
    Refusal::Database(DbError::Query(diesel::result::Error::SerializationError(
        Box::new(error),
    )))
}
