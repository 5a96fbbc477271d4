//! Settings of the API alone.

use std::net::SocketAddr;

use beadle_worker::settings::{Networks, parse_networks};
use clap::Args;
use secrecy::SecretString;

/// Options about the API.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "API")]
pub struct ApiSettings {
    /// Address to listen on
    #[arg(
        long,
        alias = "beadle-listen",
        env = "BEADLE_LISTEN",
        value_name = "BEADLE_LISTEN",
        default_value = "127.0.0.1:9011"
    )]
    pub listen: SocketAddr,

    /// Make sure that this API key exists, with every permission. Without it, and with
    /// no key in the database, one is generated and printed once
    #[arg(
        long,
        alias = "beadle-api-key",
        env = "BEADLE_API_KEY",
        value_name = "BEADLE_API_KEY",
        value_parser = parse_api_key,
        hide_env_values = true
    )]
    pub api_key: Option<SecretString>,

    /// Run the worker inside the API process [default: true on SQLite, false on PostgreSQL]
    #[arg(
        long,
        alias = "beadle-embedded-worker",
        env = "BEADLE_EMBEDDED_WORKER",
        value_name = "BEADLE_EMBEDDED_WORKER",
        num_args = 0..=1,
        default_missing_value = "true"
    )]
    pub embedded_worker: Option<bool>,

    /// Largest request body, such as 512KiB or 1MiB
    #[arg(
        long,
        alias = "beadle-body-limit",
        env = "BEADLE_BODY_LIMIT",
        value_name = "BEADLE_BODY_LIMIT",
        default_value = "1MiB",
        value_parser = parse_size
    )]
    pub body_limit: usize,

    /// Networks of proxies whose X-Forwarded-For is believed
    #[arg(
        long,
        alias = "beadle-trusted-proxies",
        env = "BEADLE_TRUSTED_PROXIES",
        value_name = "BEADLE_TRUSTED_PROXIES",
        default_value = "",
        value_parser = parse_networks
    )]
    pub trusted_proxies: Networks,
}

/// A key that can travel in a header.
fn parse_api_key(text: &str) -> Result<SecretString, String> {
    let visible = text.chars().all(|c| c.is_ascii_graphic());
    if text.len() < 16 || !visible {
        return Err("expected at least 16 characters of visible ASCII, without spaces".to_owned());
    }
    Ok(SecretString::from(text.to_owned()))
}

/// Bytes, with an optional unit.
fn parse_size(text: &str) -> Result<usize, String> {
    let expected =
        || format!("`{text}` is not a size; expected bytes, or a number with KiB or MiB");
    let (number, unit) = match text.strip_suffix("KiB") {
        Some(number) => (number, 1024),
        None => match text.strip_suffix("MiB") {
            Some(number) => (number, 1024 * 1024),
            None => (text, 1),
        },
    };
    let number: usize = number.trim().parse().map_err(|_| expected())?;
    number
        .checked_mul(unit)
        .filter(|size| *size > 0)
        .ok_or_else(expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units_of_1024() {
        assert_eq!(parse_size("1MiB"), Ok(1_048_576));
        assert_eq!(parse_size("2KiB"), Ok(2048));
        assert_eq!(parse_size("77"), Ok(77));
        for bad in ["", "0", "1MB", "-1", "MiB"] {
            assert!(parse_size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_api_key_is_long_and_fits_a_header() {
        assert!(parse_api_key("0123456789abcdef").is_ok());
        for bad in ["", "short", "0123456789 abcdef", "0123456789abcdéf"] {
            let error = parse_api_key(bad).err().unwrap();
            assert!(
                bad.is_empty() || !error.contains(bad),
                "a key is never repeated"
            );
        }
    }
}
