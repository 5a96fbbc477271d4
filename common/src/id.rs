//! Typed identifiers: a user's Id cannot be passed where a webhook's is wanted.
//!
//! Things that clients name get random (v4) Ids. Rows of high volume get
//! time-ordered (v7) ones, so that an index on them grows at its end.

use std::fmt;
use std::str::FromStr;

use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::db::SqlUuid;
use crate::db::sql_type::uuid_sql;
use crate::unix_millis::UnixMillis;

/// The smallest time-ordered Id (UUID v7) of that instant: a range of time is a range of
/// such Ids.
#[must_use]
pub fn min_id_at<T: From<Uuid>>(instant: UnixMillis) -> T {
    let millis = u64::try_from(instant.millis()).unwrap_or(0);
    // More does not fit into an Id, nor into this world.
    let millis = millis.min((1 << 48) - 1);
    uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10])
        .into_uuid()
        .into()
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash,
            Serialize, Deserialize, AsExpression, FromSqlRow,
        )]
        #[diesel(sql_type = SqlUuid)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new random Id (UUID v4), for what clients name.
            #[must_use]
            pub fn random() -> Self {
                Self(Uuid::new_v4())
            }

            /// A new time-ordered Id (UUID v7), for rows of high volume.
            #[must_use]
            pub fn sequential() -> Self {
                Self(Uuid::now_v7())
            }

            /// The bare UUID.
            #[must_use]
            pub fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::from_str(text).map(Self)
            }
        }

        uuid_sql!($name);
    )*};
}

ids! {
    /// A tenant.
    TenantId;
    /// What is being erased: the Id that a user or a tenant had.
    ErasureId;
    /// An application of a tenant.
    ApplicationId;
    /// A user: actioner or actionee.
    UserId;
    /// A user's registration for an application.
    RegistrationId;
    /// One wrong password.
    FailedLoginId;
    /// A user action definition.
    UserActionId;
    /// A user action reason.
    ReasonId;
    /// An action log: one definition applied to one user.
    ActionLogId;
    /// An email template.
    EmailTemplateId;
    /// A webhook registration.
    WebhookId;
    /// One signing secret of a webhook.
    WebhookSecretId;
    /// A key pair or secret for signing.
    SigningKeyId;
    /// An API key.
    ApiKeyId;
    /// An event: what goes out as `webhook-id`, stable over retries.
    EventId;
    /// A rendered email.
    EmailId;
    /// A delivery: one event to one webhook, or one email to one recipient.
    DeliveryId;
    /// What a delivery queues behind: a webhook, or a tenant's mail.
    DestinationId;
    /// A request with an `Idempotency-Key`, by a hash of whose and which key it is.
    IdempotencyKeyId;
    /// Proof of one reservation of such a request.
    ReservationToken;
    /// A row with something sealed in it, whatever it is.
    SealedRowId;
    /// Proof of one claim of one delivery; whoever holds an older one cannot settle.
    LeaseToken;
}

impl From<WebhookId> for DestinationId {
    fn from(webhook: WebhookId) -> Self {
        Self(webhook.0)
    }
}

impl From<DestinationId> for WebhookId {
    fn from(destination: DestinationId) -> Self {
        Self(destination.0)
    }
}
/// Where the version stands in an Id.
const VERSION: u128 = 0xf << 76;

/// The version that stands for Ids of one's own making.
const CUSTOM: u128 = 0x8 << 76;

/// The destination of a tenant's mail, whatever server it goes to: what waits goes to the server that
/// the tenant names by then. It is the tenant's Id with another version, since a webhook's destination
/// is the webhook's Id, and a client may give both the same.
#[must_use]
pub fn mail_destination(tenant: TenantId) -> DestinationId {
    let id = tenant.uuid().as_u128();
    Uuid::from_u128(id & !VERSION | CUSTOM).into()
}
