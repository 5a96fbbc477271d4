//! User action definitions.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::{crud, unique};
use crate::db::Json;
use crate::db::sql_type::text_enum;
use crate::id::{EmailTemplateId, TenantId, UserActionId};
use crate::locale::LocalizedText;
use crate::schema::user_actions;
use crate::unix_millis::UnixMillis;

text_enum! {
    /// How many of the webhooks must say yes before an action happens.
    TransactionType {
        /// None of them is asked.
        None = "None",
        /// At least one.
        Any = "Any",
        /// At least half.
        SimpleMajority = "SimpleMajority",
        /// At least two thirds.
        SuperMajority = "SuperMajority",
        /// All.
        AbsoluteMajority = "AbsoluteMajority",
    }
}

impl TransactionType {
    /// Whether it is enough that `agreed` of `asked` webhooks have said yes. With nobody to
    /// ask, nobody objects.
    #[must_use]
    pub fn is_satisfied(self, asked: usize, agreed: usize) -> bool {
        // Whole numbers only: half of three is more than one.
        let is_share = |numerator: usize, denominator: usize| {
            agreed.saturating_mul(denominator) >= asked.saturating_mul(numerator)
        };
        match self {
            Self::None => true,
            Self::Any => asked == 0 || agreed > 0,
            Self::SimpleMajority => is_share(1, 2),
            Self::SuperMajority => is_share(2, 3),
            Self::AbsoluteMajority => agreed >= asked,
        }
    }
}

text_enum! {
    /// Where in its life an action is.
    Phase {
        /// Applied.
        Start = "start",
        /// Changed while active.
        Modify = "modify",
        /// Taken back.
        Cancel = "cancel",
        /// Expired.
        End = "end",
    }
}

/// One of the values an actioner may choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ActionOption {
    /// What is sent in `action.option`.
    pub name: String,
    /// The name by locale.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub localized_names: Option<LocalizedText>,
}

/// A definition of what can be done to users.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = user_actions, treat_none_as_null = true)]
pub struct UserAction {
    /// Primary key.
    pub id: UserActionId,
    /// Unique ignoring case.
    pub name: String,
    /// `name`, folded.
    pub name_normalized: String,
    /// May be applied.
    pub active: bool,
    /// Time-based.
    pub temporal: bool,
    /// An active log keeps the actionee from logging in.
    pub prevent_login: bool,
    /// Raise the event of the end phase.
    pub send_end_event: bool,
    /// Put the rendered email into the event.
    pub include_email_in_event_json: bool,
    /// Emailing the user is offered.
    pub user_emailing_enabled: bool,
    /// Notifying the user is offered.
    pub user_notifications_enabled: bool,
    /// Template of phase start.
    pub start_email_template_id: Option<EmailTemplateId>,
    /// Template of phase modify.
    pub modify_email_template_id: Option<EmailTemplateId>,
    /// Template of phase cancel.
    pub cancel_email_template_id: Option<EmailTemplateId>,
    /// Template of phase end.
    pub end_email_template_id: Option<EmailTemplateId>,
    /// The name by locale.
    pub localized_names: Option<Json<LocalizedText>>,
    /// Values to choose from, in the order given.
    pub options: Json<Vec<ActionOption>>,
    /// The only tenants whose users it may be applied to; empty: all.
    pub tenant_ids: Json<Vec<TenantId>>,
    /// Overrides the tenant's.
    pub transaction_type: Option<TransactionType>,
    /// When it was made.
    pub insert_instant: UnixMillis,
    /// When it was changed last.
    pub last_update_instant: UnixMillis,
}

crud!(UserAction, user_actions, UserActionId);
unique!(
    UserAction,
    user_actions,
    UserActionId,
    /// Whose name this is, ignoring case.
    by_name: name_normalized
);

impl UserAction {
    /// The template of a phase. Phases after start are those of temporal definitions.
    #[must_use]
    pub fn template(&self, phase: Phase) -> Option<EmailTemplateId> {
        match phase {
            Phase::Start => self.start_email_template_id,
            Phase::Modify => self.modify_email_template_id,
            Phase::Cancel => self.cancel_email_template_id,
            Phase::End => self.end_email_template_id,
        }
    }

    /// The option of this name.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<&ActionOption> {
        self.options.0.iter().find(|option| option.name == name)
    }

    /// Whether it can keep somebody out for a while.
    #[must_use]
    pub fn locks(&self) -> bool {
        self.temporal && self.prevent_login
    }

    /// Whether it may be applied to users of this tenant.
    #[must_use]
    pub fn serves(&self, tenant: TenantId) -> bool {
        self.tenant_ids.0.is_empty() || self.tenant_ids.0.contains(&tenant)
    }
}

#[cfg(test)]
mod tests {
    use super::TransactionType::{AbsoluteMajority, Any, None, SimpleMajority, SuperMajority};

    /// For each number of webhooks asked, how many have to agree.
    #[test]
    fn a_majority_begins_exactly_at_its_bound() {
        for (kind, least) in [
            (None, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
            (Any, [0, 1, 1, 1, 1, 1, 1, 1, 1, 1]),
            (SimpleMajority, [0, 1, 1, 2, 2, 3, 3, 4, 4, 5]),
            (SuperMajority, [0, 1, 2, 2, 3, 4, 4, 5, 6, 6]),
            (AbsoluteMajority, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ] {
            for (asked, least) in least.into_iter().enumerate() {
                for agreed in 0..=asked {
                    assert_eq!(
                        kind.is_satisfied(asked, agreed),
                        agreed >= least,
                        "{kind:?}: {agreed} of {asked}"
                    );
                }
            }
        }
    }
}
