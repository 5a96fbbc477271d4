//! The signatures of tenants' mail: which key is whose, and the header before the message.

use std::collections::HashMap;

use beadle_common::db::AnyConnection;
use beadle_common::id::{SigningKeyId, TenantId};
use beadle_common::model::email::EmailRow;
use beadle_common::model::signing_key::SigningKeyRow;
use beadle_common::model::tenant::{DkimSetting, Tenant};
use beadle_common::seal::Sealer;
use beadle_common::sign::dkim::Dkim;
use beadle_common::sign::jws::JwsKey;
use diesel::QueryResult;

use crate::core::Unsendable;
use crate::core::outcome::{ErrorClass, Failure};

/// What signs the mail of each tenant that has its mail signed.
pub(super) struct Signers(HashMap<TenantId, Result<Dkim, Unsendable>>);

impl Signers {
    /// Nobody's mail is signed.
    #[cfg(test)]
    pub(super) fn none() -> Self {
        Self(HashMap::new())
    }

    pub(super) fn load(
        connection: &mut AnyConnection,
        sealer: &Sealer,
        tenants: &[Tenant],
    ) -> QueryResult<Self> {
        let wanted: Vec<(TenantId, DkimSetting)> = tenants
            .iter()
            .filter_map(|tenant| Some((tenant.id, tenant.dkim()?)))
            .collect();
        if wanted.is_empty() {
            return Ok(Self(HashMap::new()));
        }
        let ids: Vec<SigningKeyId> = wanted.iter().map(|(_, setting)| setting.key).collect();
        let keys = SigningKeyRow::load(connection, &ids)?;
        let signer = |(tenant, setting): (TenantId, DkimSetting)| {
            let key = keys.iter().find(|key| key.id == setting.key);
            (tenant, signer(sealer, &setting, key))
        };
        Ok(Self(wanted.into_iter().map(signer).collect()))
    }

    /// The message with its signature, if its tenant has its mail signed. Without the key
    /// it is not sent: unsigned, it would end among the spam.
    pub(super) fn sign(&self, email: &EmailRow, message: Vec<u8>) -> Result<Vec<u8>, Unsendable> {
        let Some(signer) = self.0.get(&email.tenant_id) else {
            return Ok(message);
        };
        let dkim = signer.as_ref().map_err(Clone::clone)?;
        let text = str::from_utf8(&message).map_err(|_| broken("the message is no UTF-8"))?;
        let seconds = email.insert_instant.millis() / 1000;
        let header = dkim.header(text, seconds);
        let header = header.map_err(|error| broken(&error.to_string()))?;
        Ok([header.into_bytes(), message].concat())
    }
}

fn signer(
    sealer: &Sealer,
    setting: &DkimSetting,
    key: Option<&SigningKeyRow>,
) -> Result<Dkim, Unsendable> {
    let private = key.and_then(|key| Some((key, key.private_key.as_ref()?)));
    let Some((key, private)) = private else {
        let reason = format!("there is no private key {}", setting.key);
        return Err(Unsendable::NotNow(failure(&reason)));
    };
    let stored = sealer
        .open(SigningKeyRow::key_place(key.id), private)
        .map_err(|error| Unsendable::sealed("DKIM key", &error))?;
    let jws = JwsKey::from_stored(key.algorithm, &stored);
    let jws = jws.map_err(|error| broken(&error.to_string()))?;
    Dkim::new(&setting.domain, &setting.selector, key.algorithm, jws)
        .ok_or_else(|| broken("the key is neither RS256 nor EdDSA"))
}

fn broken(reason: &str) -> Unsendable {
    Unsendable::Broken(failure(reason))
}

fn failure(reason: &str) -> Failure {
    let message = format!("the mail cannot be signed (DKIM): {reason}");
    Failure::new(ErrorClass::Render, message)
}
