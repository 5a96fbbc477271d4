//! Settings of the worker, for its own binary and for the API that runs it inside.

use std::path::PathBuf;
use std::time::Duration;

use beadle_common::settings::{Durations, format_duration, parse_duration, parse_durations};
use clap::Args;
use ipnet::IpNet;

use crate::core::policy::RetrySchedule;
use crate::email::MailTarget;
use crate::net::{Allowlist, Trust, TrustError};

/// By how much a lease has to outlast the longest exchange: time to settle.
const LEASE_MARGIN: Duration = Duration::from_secs(10);

/// Networks, separated by commas; maybe none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(pub Vec<IpNet>);

/// Options about delivery.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Delivery")]
pub struct WorkerSettings {
    /// Where mail goes when a tenant has no SMTP host of its own: `dir://PATH` (one
    /// .eml file each), `smtp://HOST`, `smtp://HOST?tls=required` or `smtps://HOST`
    #[arg(
        long,
        alias = "beadle-mail",
        env = "BEADLE_MAIL",
        value_name = "BEADLE_MAIL",
        default_value = "dir://mail",
        value_parser = MailTarget::parse,
        hide_env_values = true
    )]
    pub mail: MailTarget,

    /// Networks that webhooks may reach although they are private, such as
    /// `127.0.0.0/8,::1/128`
    #[arg(
        long,
        alias = "beadle-webhook-allow",
        env = "BEADLE_WEBHOOK_ALLOW",
        value_name = "BEADLE_WEBHOOK_ALLOW",
        default_value = "",
        value_parser = parse_networks
    )]
    pub webhook_allow: Networks,

    /// Networks where mail servers of tenants may be although they are private, such as
    /// `10.0.0.25/32`. `BEADLE_MAIL` may be anywhere
    #[arg(
        long,
        alias = "beadle-mail-allow",
        env = "BEADLE_MAIL_ALLOW",
        value_name = "BEADLE_MAIL_ALLOW",
        default_value = "",
        value_parser = parse_networks
    )]
    pub mail_allow: Networks,

    /// Delay before each attempt of a webhook; its length is the number of attempts
    #[arg(
        long,
        alias = "beadle-retry-schedule",
        env = "BEADLE_RETRY_SCHEDULE",
        value_name = "BEADLE_RETRY_SCHEDULE",
        default_value = "0s,5s,5m,30m,2h,5h,10h,14h,20h,24h",
        value_parser = parse_schedule
    )]
    pub retry_schedule: RetrySchedule,

    /// The same for mail
    #[arg(
        long,
        alias = "beadle-mail-retry-schedule",
        env = "BEADLE_MAIL_RETRY_SCHEDULE",
        value_name = "BEADLE_MAIL_RETRY_SCHEDULE",
        default_value = "0s,1m,5m,15m,1h,4h,8h,12h",
        value_parser = parse_schedule
    )]
    pub mail_retry_schedule: RetrySchedule,

    /// Deliveries in flight per worker. Too few, and slow receivers fill them; too many,
    /// and memory and sockets run out
    #[arg(
        long,
        alias = "beadle-concurrency",
        env = "BEADLE_CONCURRENCY",
        value_name = "BEADLE_CONCURRENCY",
        default_value_t = 256,
        value_parser = clap::value_parser!(u32).range(1..=65_536)
    )]
    pub concurrency: u32,

    /// In flight per webhook per worker
    #[arg(
        long,
        alias = "beadle-webhook-concurrency",
        env = "BEADLE_WEBHOOK_CONCURRENCY",
        value_name = "BEADLE_WEBHOOK_CONCURRENCY",
        default_value_t = 32,
        value_parser = clap::value_parser!(u32).range(1..=65_536)
    )]
    pub webhook_concurrency: u32,

    /// Mails in flight of one tenant, and to one mail server, per worker. Many servers refuse
    /// more than ten connections
    #[arg(
        long,
        alias = "beadle-mail-concurrency",
        env = "BEADLE_MAIL_CONCURRENCY",
        value_name = "BEADLE_MAIL_CONCURRENCY",
        default_value_t = 8,
        value_parser = clap::value_parser!(u32).range(1..=65_536)
    )]
    pub mail_concurrency: u32,

    /// How long an address is left alone that a mail server has refused for good; `0s`:
    /// it is tried again with the next mail
    #[arg(
        long,
        alias = "beadle-mail-suppression",
        env = "BEADLE_MAIL_SUPPRESSION",
        value_name = "BEADLE_MAIL_SUPPRESSION",
        default_value = "30d",
        value_parser = parse_duration
    )]
    pub mail_suppression: Duration,

    /// Longest exchange with a webhook, in all
    #[arg(
        long,
        alias = "beadle-request-deadline",
        env = "BEADLE_REQUEST_DEADLINE",
        value_name = "BEADLE_REQUEST_DEADLINE",
        default_value = "20s",
        value_parser = parse_interval
    )]
    pub request_deadline: Duration,

    /// Longest conversation with a mail server, in all
    #[arg(
        long,
        alias = "beadle-mail-deadline",
        env = "BEADLE_MAIL_DEADLINE",
        value_name = "BEADLE_MAIL_DEADLINE",
        default_value = "30s",
        value_parser = parse_interval
    )]
    pub mail_deadline: Duration,

    /// How long a claimed delivery is a worker's own. After a crash it is tried again
    /// only when this has passed
    #[arg(
        long,
        alias = "beadle-lease",
        env = "BEADLE_LEASE",
        value_name = "BEADLE_LEASE",
        default_value = "60s",
        value_parser = parse_duration
    )]
    pub lease: Duration,

    /// A webhook with nothing but failures for this long is disabled: what is owed to it
    /// is held until somebody enables it
    #[arg(
        long,
        alias = "beadle-disable-after",
        env = "BEADLE_DISABLE_AFTER",
        value_name = "BEADLE_DISABLE_AFTER",
        default_value = "5d",
        value_parser = parse_interval
    )]
    pub disable_after: Duration,

    /// How often expired actions are looked for
    #[arg(
        long,
        alias = "beadle-expiry-interval",
        env = "BEADLE_EXPIRY_INTERVAL",
        value_name = "BEADLE_EXPIRY_INTERVAL",
        default_value = "1s",
        value_parser = parse_interval
    )]
    pub expiry_interval: Duration,

    /// Age at which what was delivered is forgotten: events, emails and attempts. Too
    /// short, and nobody can tell what was sent; too long, and the database grows
    #[arg(
        long,
        alias = "beadle-retention",
        env = "BEADLE_RETENTION",
        value_name = "BEADLE_RETENTION",
        default_value = "30d",
        value_parser = parse_duration
    )]
    pub retention: Duration,

    /// Further certificate authorities (PEM) for webhooks and mail servers
    #[arg(
        long,
        alias = "beadle-ca-file",
        env = "BEADLE_CA_FILE",
        value_name = "BEADLE_CA_FILE"
    )]
    pub ca_file: Option<PathBuf>,

    /// How long what is in flight may take to finish when the process is asked to stop
    #[arg(
        long,
        alias = "beadle-shutdown-grace",
        env = "BEADLE_SHUTDOWN_GRACE",
        value_name = "BEADLE_SHUTDOWN_GRACE",
        default_value = "20s",
        value_parser = parse_duration
    )]
    pub shutdown_grace: Duration,
}

/// Settings that do not fit together, or that name something unusable.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A lease that ends in the middle of an exchange makes duplicates.
    #[error(
        "BEADLE_LEASE: {lease} is too short; expected more than {least}, the longer of BEADLE_REQUEST_DEADLINE and BEADLE_MAIL_DEADLINE plus 10s",
        lease = format_duration(*lease), least = format_duration(*least)
    )]
    ShortLease {
        /// What was given.
        lease: Duration,
        /// What it has to be above.
        least: Duration,
    },
    /// The file of certificate authorities cannot be read.
    #[error("BEADLE_CA_FILE: `{path}` cannot be read: {source}")]
    CaFile {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file of certificate authorities holds none.
    #[error("BEADLE_CA_FILE: {0}")]
    Trust(#[from] TrustError),
}

impl WorkerSettings {
    /// Checks what one setting alone cannot tell.
    ///
    /// # Errors
    /// [`SettingsError::ShortLease`].
    pub fn check(&self) -> Result<(), SettingsError> {
        let longest = self.request_deadline.max(self.mail_deadline);
        let least = longest.saturating_add(LEASE_MARGIN);
        if self.lease > least {
            return Ok(());
        }
        Err(SettingsError::ShortLease {
            lease: self.lease,
            least,
        })
    }

    /// Whom TLS trusts.
    ///
    /// # Errors
    /// [`SettingsError::CaFile`] or [`SettingsError::Trust`].
    pub fn trust(&self) -> Result<Trust, SettingsError> {
        let Some(path) = &self.ca_file else {
            return Ok(Trust::new(None)?);
        };
        let pem = std::fs::read(path).map_err(|source| SettingsError::CaFile {
            path: path.clone(),
            source,
        })?;
        Ok(Trust::new(Some(&pem))?)
    }

    /// The networks that webhooks may reach beside public addresses.
    #[must_use]
    pub fn webhook_allowlist(&self) -> Allowlist {
        Allowlist::new(self.webhook_allow.0.clone())
    }

    /// The same for mail servers of tenants.
    #[must_use]
    pub fn mail_allowlist(&self) -> Allowlist {
        Allowlist::new(self.mail_allow.0.clone())
    }
}

/// Reads a list of networks.
///
/// # Errors
/// A sentence that says what was expected.
pub fn parse_networks(text: &str) -> Result<Networks, String> {
    let network = |part: &str| {
        part.parse::<IpNet>().map_err(|_| {
            format!("`{part}` is not a network; expected CIDRs such as 127.0.0.0/8,::1/128")
        })
    };
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(network)
        .collect::<Result<_, _>>()
        .map(Networks)
}

fn parse_schedule(text: &str) -> Result<RetrySchedule, String> {
    let Durations(delays) = parse_durations(text).map_err(|error| error.to_string())?;
    RetrySchedule::new(delays).map_err(|error| error.to_string())
}

/// A duration that is not zero: a loop without a pause would take a core, and an
/// exchange without time would always fail.
fn parse_interval(text: &str) -> Result<Duration, String> {
    let interval = parse_duration(text).map_err(|error| error.to_string())?;
    if interval < Duration::from_millis(10) {
        return Err(format!("`{text}` is too short; expected at least 10ms"));
    }
    Ok(interval)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        settings: WorkerSettings,
    }

    fn parse(arguments: &[&str]) -> Result<WorkerSettings, String> {
        let arguments = std::iter::once("test").chain(arguments.iter().copied());
        Command::try_parse_from(arguments)
            .map(|command| command.settings)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_defaults_hold_together() {
        let settings = parse(&[]).unwrap();
        settings.check().unwrap();
        assert_eq!(settings.retry_schedule, RetrySchedule::webhook());
        assert_eq!(settings.mail_retry_schedule, RetrySchedule::mail());
        assert!(settings.webhook_allow.0.is_empty() && settings.mail_allow.0.is_empty());
    }

    #[test]
    fn a_lease_that_may_end_in_the_middle_of_an_exchange_is_refused() {
        let settings = parse(&["--lease", "40s"]).unwrap();
        let error = settings.check().unwrap_err().to_string();
        assert!(
            error.starts_with("BEADLE_LEASE: 40s is too short"),
            "{error}"
        );
        parse(&["--lease", "41s"]).unwrap().check().unwrap();
    }

    #[test]
    fn a_bad_value_names_the_variable_the_value_and_what_was_expected() {
        for (flag, value, variable, expected) in [
            ("--lease", "soon", "BEADLE_LEASE", "such as 250ms"),
            (
                "--webhook-allow",
                "localhost",
                "BEADLE_WEBHOOK_ALLOW",
                "CIDRs",
            ),
            ("--mail-allow", "relay", "BEADLE_MAIL_ALLOW", "CIDRs"),
            (
                "--retry-schedule",
                "0s,,5s",
                "BEADLE_RETRY_SCHEDULE",
                "such as 250ms",
            ),
            ("--concurrency", "0", "BEADLE_CONCURRENCY", "1..=65536"),
            ("--mail", "mailto:x", "BEADLE_MAIL", "smtp://"),
        ] {
            let error = parse(&[flag, value]).unwrap_err();
            assert!(error.contains(variable), "{error}");
            assert!(
                error.contains(value) || variable == "BEADLE_MAIL",
                "{error}"
            );
            assert!(error.contains(expected), "{error}");
        }
    }
}
