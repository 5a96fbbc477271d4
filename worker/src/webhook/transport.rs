//! From a claimed delivery to a signed request.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use beadle_common::db::AnyConnection;
use beadle_common::id::{EventId, WebhookId};
use beadle_common::model::event::EventRow;
use beadle_common::model::webhook::{Webhook, WebhookSecretRow};
use beadle_common::outbox::{Claimed, Kind, Payload};
use beadle_common::seal::Sealer;
use beadle_common::sign::{LiveKeys, MessageId, SigningKey, sign};
use beadle_common::unix_millis::UnixMillis;
use bytes::Bytes;
use diesel::QueryResult;
use secrecy::{ExposeSecret, SecretString};

use super::jwt::{Jwt, JwtKeys, Jwts};
use super::target::{KeptTargets, Target};
use super::{WebhookRequest, WebhookSender};
use crate::core::Unsendable;
use crate::core::outcome::{Exchange, Failure};
use crate::core::policy::RetrySchedule;
use crate::dispatcher::{Loaded, Transport};

/// Delivers events to webhooks.
#[derive(Debug)]
pub struct WebhookTransport {
    /// Makes the requests.
    pub sender: WebhookSender,
    /// Opens secrets.
    pub sealer: Sealer,
    /// When to try again.
    pub schedule: RetrySchedule,
    /// Webhooks that it has sent to.
    kept: KeptTargets,
}

/// One event for one webhook.
#[derive(Debug)]
pub struct Job {
    target: Arc<Target>,
    event: EventId,
    body: Bytes,
    jwt: Option<Arc<Jwt>>,
}

impl WebhookTransport {
    /// One that has sent nothing yet.
    #[must_use]
    pub fn new(sender: WebhookSender, sealer: Sealer, schedule: RetrySchedule) -> Self {
        Self {
            sender,
            sealer,
            schedule,
            kept: KeptTargets::default(),
        }
    }
}

impl Transport for WebhookTransport {
    const KIND: Kind = Kind::Webhook;
    type Job = Job;

    fn load(
        &self,
        connection: &mut AnyConnection,
        claimed: Vec<Claimed>,
        now: UnixMillis,
    ) -> QueryResult<Loaded<Job>> {
        if claimed.is_empty() {
            return Ok(Vec::new());
        }
        let mut targets: Targets = claimed
            .iter()
            .filter_map(|claimed| self.kept_target(claimed, now))
            .collect();
        let webhooks = claimed.iter().map(|claimed| claimed.destination.into());
        let unknown: Vec<WebhookId> = webhooks.filter(|id| !targets.contains_key(id)).collect();
        if !unknown.is_empty() {
            let read = self.targets(connection, unknown, now)?;
            self.keep(&claimed, &read);
            targets.extend(read);
        }
        let bodies = bodies(connection, &claimed)?;
        Ok(match_all(claimed, &targets, &bodies))
    }

    fn at_hand(&self, claimed: Vec<Claimed>, now: UnixMillis) -> Result<Loaded<Job>, Vec<Claimed>> {
        let target = |claimed: &Claimed| {
            claimed.inline_payload.as_ref()?;
            self.kept_target(claimed, now)
        };
        let Some(targets) = claimed.iter().map(target).collect::<Option<Targets>>() else {
            return Err(claimed);
        };
        let bodies = inline_bodies(&claimed);
        Ok(match_all(claimed, &targets, &bodies))
    }

    fn weight(&self, job: &Job) -> usize {
        job.body.len()
    }

    fn time_limit(&self, job: &Job) -> Duration {
        let target = &job.target;
        self.sender
            .time_limit(target.connect_timeout, target.read_timeout)
    }

    async fn send(&self, job: Job, now: UnixMillis) -> Exchange {
        match request(job, now).await {
            Ok(request) => self.sender.send(request).await,
            Err(failure) => Exchange::failed(failure),
        }
    }

    fn schedule(&self) -> &RetrySchedule {
        &self.schedule
    }
}

/// The request of one attempt, signed at `now`.
async fn request(job: Job, now: UnixMillis) -> Result<WebhookRequest, Failure> {
    let Job {
        target,
        event,
        body,
        jwt,
    } = job;
    let signature_jwt = match jwt {
        Some(jwt) => Some(jwt.text().await?),
        None => None,
    };
    let timestamp = now.seconds();
    let signed_at = u64::try_from(timestamp).unwrap_or_default();
    let id = MessageId::from(event.uuid());
    Ok(WebhookRequest {
        url: target.url.clone(),
        headers: target.headers.clone(),
        basic_auth: target.basic_auth.clone(),
        signature: sign(&target.keys, &id, signed_at, &body),
        id: id.as_str().to_owned(),
        timestamp,
        signature_jwt,
        body,
        connect_timeout: target.connect_timeout,
        read_timeout: target.read_timeout,
    })
}

type Targets = HashMap<WebhookId, Result<Arc<Target>, Unsendable>>;

impl WebhookTransport {
    /// One event for each of these webhooks, for those who send outside of a dispatcher.
    pub(crate) fn address(
        &self,
        connection: &mut AnyConnection,
        webhooks: &[WebhookId],
        event: EventId,
        body: &Bytes,
        now: UnixMillis,
    ) -> QueryResult<Vec<(WebhookId, Result<Job, Unsendable>)>> {
        let targets = self.targets(connection, webhooks.to_vec(), now)?;
        let mut jwts = Jwts::default();
        let job = |webhook: &WebhookId| {
            let job = address(*webhook, event, body, &targets, &mut jwts);
            (*webhook, job)
        };
        Ok(webhooks.iter().map(job).collect())
    }

    /// The webhooks of a batch, each made ready once.
    fn targets(
        &self,
        connection: &mut AnyConnection,
        mut ids: Vec<WebhookId>,
        now: UnixMillis,
    ) -> QueryResult<Targets> {
        ids.sort_unstable();
        ids.dedup();
        let webhooks = Webhook::with_live_secrets(connection, &ids, now)?;
        let of_webhooks = webhooks.iter().map(|(webhook, _)| webhook);
        let jwt_keys = JwtKeys::load(connection, &self.sealer, of_webhooks)?;
        let target = |(webhook, secrets): (Webhook, Vec<WebhookSecretRow>)| {
            let target = self.target(&webhook, &secrets, &jwt_keys);
            (webhook.id, target.map(Arc::new))
        };
        Ok(webhooks.into_iter().map(target).collect())
    }

    /// The webhook of a delivery as it was at the claim, if it is known.
    fn kept_target(
        &self,
        claimed: &Claimed,
        now: UnixMillis,
    ) -> Option<(WebhookId, Result<Arc<Target>, Unsendable>)> {
        let id = claimed.destination.into();
        let target = self.kept.get(id, claimed.config_epoch, now)?;
        Some((id, Ok(target)))
    }

    /// What was just read, for the next time.
    fn keep(&self, claimed: &[Claimed], targets: &Targets) {
        for claimed in claimed {
            let id = claimed.destination.into();
            if let Some(Ok(target)) = targets.get(&id) {
                self.kept.keep(id, claimed.config_epoch, target);
            }
        }
    }

    fn target(
        &self,
        webhook: &Webhook,
        secrets: &[WebhookSecretRow],
        jwt_keys: &JwtKeys,
    ) -> Result<Target, Unsendable> {
        Ok(Target {
            url: webhook.url.clone(),
            headers: self.headers(webhook)?,
            basic_auth: self.basic_auth(webhook)?,
            keys: self.keys(secrets)?,
            keys_end: secrets.iter().filter_map(|s| s.expiration_instant).min(),
            jwt: jwt_keys.of(webhook)?,
            connect_timeout: millis(webhook.connect_timeout),
            read_timeout: millis(webhook.read_timeout),
        })
    }

    fn headers(&self, webhook: &Webhook) -> Result<Vec<(String, SecretString)>, Unsendable> {
        let opened = self
            .sealer
            .open(Webhook::headers_place(webhook.id), &webhook.headers)
            .map_err(|error| Unsendable::sealed("headers", &error))?;
        let headers: BTreeMap<String, String> = serde_json::from_slice(&opened).map_err(|_| {
            Unsendable::broken("the stored headers of the webhook are not readable")
        })?;
        let secret = |(name, value): (String, String)| (name, SecretString::from(value));
        Ok(headers.into_iter().map(secret).collect())
    }

    fn basic_auth(&self, webhook: &Webhook) -> Result<Option<(String, SecretString)>, Unsendable> {
        let (Some(user), Some(password)) = (
            &webhook.http_authentication_username,
            &webhook.http_authentication_password,
        ) else {
            return Ok(None);
        };
        let password = self
            .sealer
            .open_text(Webhook::password_place(webhook.id), password)
            .map_err(|error| Unsendable::sealed("password", &error))?;
        Ok(Some((user.clone(), password)))
    }

    fn keys(&self, secrets: &[WebhookSecretRow]) -> Result<LiveKeys, Unsendable> {
        let mut keys = Vec::with_capacity(secrets.len());
        // The newest. One more than allowed must not cost the webhook all its deliveries.
        for row in secrets.iter().take(LiveKeys::MOST) {
            let text = self
                .sealer
                .open_text(WebhookSecretRow::place(row.id), &row.secret)
                .map_err(|error| Unsendable::sealed("signing secret", &error))?;
            let key = SigningKey::parse(text.expose_secret())
                .map_err(|error| Unsendable::broken(&format!("signing secret: {error}")))?;
            keys.push(key);
        }
        LiveKeys::new(keys).map_err(|error| Unsendable::broken(&format!("cannot sign: {error}")))
    }
}

type Bodies = HashMap<EventId, Bytes>;

fn bodies(connection: &mut AnyConnection, claimed: &[Claimed]) -> QueryResult<Bodies> {
    let mut bodies = inline_bodies(claimed);
    let missing = claimed.iter().filter_map(event_of);
    let mut missing: Vec<EventId> = missing.filter(|id| !bodies.contains_key(id)).collect();
    if missing.is_empty() {
        return Ok(bodies);
    }
    missing.sort_unstable();
    missing.dedup();
    let rows = EventRow::bodies(connection, &missing)?;
    // One copy of the body, whoever it goes to.
    bodies.extend(rows.into_iter().map(|(id, body)| (id, Bytes::from(body))));
    Ok(bodies)
}

fn inline_bodies(claimed: &[Claimed]) -> Bodies {
    let mut bodies = Bodies::new();
    for claimed in claimed {
        if let (Some(event), Some(body)) = (event_of(claimed), &claimed.inline_payload) {
            let body = || Bytes::copy_from_slice(body.as_bytes());
            bodies.entry(event).or_insert_with(body);
        }
    }
    bodies
}

fn event_of(claimed: &Claimed) -> Option<EventId> {
    match claimed.payload {
        Payload::Webhook(event) => Some(event),
        Payload::Email(..) => None,
    }
}

fn match_all(claimed: Vec<Claimed>, targets: &Targets, bodies: &Bodies) -> Loaded<Job> {
    let mut jwts = Jwts::default();
    let job = |mut claimed: Claimed| {
        let job = match_up(&claimed, targets, bodies, &mut jwts);
        // It has its copy, for as long as it takes to be sent.
        claimed.inline_payload = None;
        (claimed, job)
    };
    claimed.into_iter().map(job).collect()
}

fn match_up(
    claimed: &Claimed,
    targets: &Targets,
    bodies: &Bodies,
    jwts: &mut Jwts,
) -> Result<Job, Unsendable> {
    let event = event_of(claimed).ok_or(Unsendable::Gone)?;
    let body = bodies.get(&event).ok_or(Unsendable::Gone)?;
    address(claimed.destination.into(), event, body, targets, jwts)
}

/// One event for one webhook.
fn address(
    webhook: WebhookId,
    event: EventId,
    body: &Bytes,
    targets: &Targets,
    jwts: &mut Jwts,
) -> Result<Job, Unsendable> {
    let target = targets.get(&webhook).ok_or(Unsendable::Gone)?;
    let target = target.as_ref().map_err(Clone::clone)?;
    let jwt = target.jwt.as_ref();
    Ok(Job {
        target: Arc::clone(target),
        event,
        jwt: jwt.map(|key| jwts.of(key, event, body)),
        body: body.clone(),
    })
}

fn millis(timeout: i32) -> Duration {
    Duration::from_millis(u64::try_from(timeout).unwrap_or_default())
}

#[cfg(test)]
mod tests;
