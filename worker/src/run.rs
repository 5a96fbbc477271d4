//! A whole worker: both dispatchers, the expiry, and the ear for wake-ups.

use std::sync::Arc;

use beadle_common::db::{Db, Wake};
use beadle_common::lifecycle::Setup;
use beadle_common::seal::Sealer;
use beadle_common::settlement::DestinationPolicy;
use beadle_common::unix_millis::UnixMillis;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::core::{Clock, Jitter};
use crate::dispatcher::{Dispatcher, Environment, Limits};
use crate::email::{MailTransport, Mailer, MailerConfig, RefusalLog};
use crate::jobs::erasing::Erasing;
use crate::jobs::expiry::Expiry;
use crate::jobs::ordering::Ordering;
use crate::jobs::pruning::Pruning;
use crate::metrics::Metrics;
use crate::settings::{SettingsError, WorkerSettings};
use crate::webhook::consent::ConsentClient;
use crate::webhook::{SenderConfig, WebhookSender, WebhookTransport};

/// A worker that has not begun.
#[derive(Debug)]
pub struct Worker {
    webhooks: Dispatcher<WebhookTransport>,
    mails: Dispatcher<MailTransport>,
    expiry: Expiry,
    pruning: Pruning,
    ordering: Ordering,
    erasing: Erasing,
    around: Environment,
}

impl Worker {
    /// A worker on this database.
    ///
    /// # Errors
    /// [`SettingsError`] if the settings do not fit together.
    pub fn new(
        settings: &WorkerSettings,
        setup: Setup,
        db: Db,
        sealer: Sealer,
        wake: &Wake,
        metrics: Metrics,
    ) -> Result<Self, SettingsError> {
        settings.check()?;
        let clock: Clock = Arc::new(UnixMillis::now);
        let around = Environment {
            db: db.clone(),
            wake: wake.source(),
            clock: clock.clone(),
            jitter: jitter(),
            owner: owner(),
            policy: destination_policy(settings, setup.clone()),
            metrics,
        };
        Ok(Self {
            webhooks: webhooks(settings, &around, sealer.clone())?,
            mails: mails(settings, &around, sealer)?,
            ordering: Ordering {
                db: db.clone(),
                clock: clock.clone(),
                wake: wake.clone(),
            },
            erasing: Erasing {
                db: db.clone(),
                clock: clock.clone(),
            },
            pruning: Pruning {
                db: db.clone(),
                clock: clock.clone(),
                retention: settings.retention,
            },
            expiry: Expiry {
                db,
                setup,
                wake: wake.clone(),
                clock,
                interval: settings.expiry_interval,
            },
            around,
        })
    }

    /// Works until `stop`, then lets what is in flight finish. If a part of it fails, it
    /// cancels `stop` and ends: half a worker would look alive and deliver nothing.
    pub async fn run(self, stop: CancellationToken) {
        let Self {
            webhooks,
            mails,
            expiry,
            pruning,
            ordering,
            erasing,
            around,
        } = self;
        tracing::info!(worker = %around.owner, "the worker has started");
        let mut parts = JoinSet::new();
        parts.spawn(webhooks.run(stop.clone()));
        parts.spawn(mails.run(stop.clone()));
        parts.spawn(expiry.run(stop.clone()));
        parts.spawn(pruning.run(stop.clone()));
        parts.spawn(ordering.run(stop.clone()));
        parts.spawn(erasing.run(stop.clone()));
        let (wake, url, listening) = (around.wake, around.db.url().clone(), stop.clone());
        parts.spawn(async move {
            wake.listen(&url, listening.clone()).await;
            // On SQLite there is nothing to listen to.
            listening.cancelled().await;
        });
        while let Some(ended) = parts.join_next().await {
            if let Err(error) = ended {
                tracing::error!("a part of the worker failed: {error}");
            } else if !stop.is_cancelled() {
                tracing::error!("a part of the worker ended by itself");
            }
            stop.cancel();
        }
        tracing::info!(worker = %around.owner, "the worker has stopped");
    }
}

fn webhooks(
    settings: &WorkerSettings,
    around: &Environment,
    sealer: Sealer,
) -> Result<Dispatcher<WebhookTransport>, SettingsError> {
    let limits = limits(settings, count(settings.webhook_concurrency));
    let transport = webhook_transport(settings, sealer)?;
    Ok(Dispatcher::new(Arc::new(transport), around.clone(), limits))
}

/// When destinations are given up, and who says so.
fn destination_policy(settings: &WorkerSettings, setup: Setup) -> DestinationPolicy {
    DestinationPolicy {
        disable_after: Some(settings.disable_after),
        mail: setup,
    }
}

/// What sends to webhooks, for the dispatcher and for those who ask before an action happens.
fn webhook_transport(
    settings: &WorkerSettings,
    sealer: Sealer,
) -> Result<WebhookTransport, SettingsError> {
    let config = SenderConfig {
        allow: settings.webhook_allowlist(),
        deadline: settings.request_deadline,
        // Several webhooks may be of one host.
        idle_per_host: count(settings.concurrency),
        ..SenderConfig::new(settings.trust()?)
    };
    Ok(WebhookTransport::new(
        WebhookSender::new(config),
        sealer,
        settings.retry_schedule.clone(),
    ))
}

fn mails(
    settings: &WorkerSettings,
    around: &Environment,
    sealer: Sealer,
) -> Result<Dispatcher<MailTransport>, SettingsError> {
    let config = MailerConfig {
        allow: settings.mail_allowlist(),
        deadline: settings.mail_deadline,
        ..MailerConfig::new(settings.trust()?)
    };
    let transport = MailTransport {
        mailer: Mailer::new(config),
        default_target: Arc::new(settings.mail.clone()),
        sealer,
        schedule: settings.mail_retry_schedule.clone(),
        notes: RefusalLog::new(around.db.clone(), settings.mail_suppression),
    };
    let limits = limits(settings, count(settings.mail_concurrency));
    let mut around = around.clone();
    // Nobody could enable a mail server again.
    around.policy.disable_after = None;
    Ok(Dispatcher::new(Arc::new(transport), around, limits))
}

impl ConsentClient {
    /// One that sends as the worker does.
    ///
    /// # Errors
    /// [`SettingsError`] if the certificate authorities cannot be used.
    pub fn new(
        settings: &WorkerSettings,
        setup: Setup,
        sealer: Sealer,
        metrics: Metrics,
    ) -> Result<Self, SettingsError> {
        Ok(Self {
            transport: Arc::new(webhook_transport(settings, sealer)?),
            clock: Arc::new(UnixMillis::now),
            jitter: jitter(),
            policy: destination_policy(settings, setup),
            metrics,
        })
    }
}

fn limits(settings: &WorkerSettings, per_destination: usize) -> Limits {
    Limits {
        slots: count(settings.concurrency),
        per_destination,
        lease: settings.lease,
        grace: settings.shutdown_grace,
    }
}

fn count(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Uniform from 0 to 1. A failure of the system's randomness costs only the jitter.
fn jitter() -> Jitter {
    Arc::new(|| f64::from(getrandom::u32().unwrap_or_default()) / f64::from(u32::MAX))
}

/// A name that tells processes apart, and lets an operator find this one.
fn owner() -> String {
    let random = Uuid::new_v4().simple().to_string();
    let short: String = random.chars().take(8).collect();
    format!("worker-{}-{short}", std::process::id())
}
