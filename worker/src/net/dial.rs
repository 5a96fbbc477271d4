//! Opens a TCP connection to the first of several addresses that answers.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

/// Why none of the addresses answered.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The last address refused or is unreachable.
    #[error("cannot connect to {address}")]
    Refused {
        /// The address tried last.
        address: SocketAddr,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// The time ran out before an address answered.
    #[error("no connection to {address} in time")]
    Late {
        /// The address tried last.
        address: SocketAddr,
    },
    /// There was nothing to try.
    #[error("there is no address to connect to")]
    Nowhere,
}

/// Connects to the addresses in turn until one answers, by `deadline`.
///
/// Each gets an even share of what is left of the time, so that a silent
/// first address (IPv6 without a route, say) cannot starve the others.
///
/// # Errors
/// What befell the last address.
pub async fn dial(addresses: &[SocketAddr], deadline: Instant) -> Result<TcpStream, DialError> {
    let mut last = DialError::Nowhere;
    for (position, address) in addresses.iter().copied().enumerate() {
        let waiting = u32::try_from(addresses.len() - position).unwrap_or(u32::MAX);
        let now = Instant::now();
        let share = deadline.saturating_duration_since(now) / waiting.max(1);
        last = match connect(address, now + share).await {
            Ok(stream) => return Ok(stream),
            Err(error) => error,
        };
    }
    Err(last)
}

async fn connect(address: SocketAddr, until: Instant) -> Result<TcpStream, DialError> {
    match timeout_at(until, TcpStream::connect(address)).await {
        Err(_) => Err(DialError::Late { address }),
        Ok(Err(source)) if source.kind() == io::ErrorKind::TimedOut => {
            Err(DialError::Late { address })
        }
        Ok(Err(source)) => Err(DialError::Refused { address, source }),
        Ok(Ok(stream)) => {
            // Requests are small and written at once: waiting to fill a packet
            // only costs time. A socket that refuses the option still works.
            let _ = stream.set_nodelay(true);
            Ok(stream)
        }
    }
}

/// The instant `within` from now.
#[must_use]
pub fn deadline_in(within: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(within).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn the_next_address_is_tried_when_one_refuses() {
        let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let refusing = gone.local_addr().unwrap();
        drop(gone);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let open = listener.local_addr().unwrap();
        let deadline = deadline_in(Duration::from_secs(5));

        let stream = dial(&[refusing, open], deadline).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), open);
        assert!(stream.nodelay().unwrap());

        let error = dial(&[refusing], deadline).await.unwrap_err();
        assert!(matches!(error, DialError::Refused { .. }));
        let error = dial(&[], deadline).await.unwrap_err();
        assert!(matches!(error, DialError::Nowhere));
    }
}
