//! Where a request comes from: the address that goes into `event.info`.

use std::net::IpAddr;

use actix_web::HttpRequest;
use ipnet::IpNet;

/// The addresses that a request names.
#[derive(Debug, Clone, Default)]
pub struct Origin(Option<IpAddr>);

impl Origin {
    /// The peer, or, as long as that is one of our proxies, who it says is behind it.
    #[must_use]
    pub fn of(request: &HttpRequest, trusted: &[IpNet]) -> Self {
        let peer = request.peer_addr().map(|address| address.ip());
        let forwarded = request
            .headers()
            .get_all("X-Forwarded-For")
            .filter_map(|value| value.to_str().ok())
            .collect::<Vec<_>>()
            .join(",");
        Self(peer.map(|peer| behind(peer, &forwarded, trusted)))
    }

    /// As text.
    #[must_use]
    pub fn address(&self) -> Option<String> {
        self.0.map(|address| address.to_canonical().to_string())
    }
}

/// The last address of the chain that is not one of our proxies. Whatever stands before it
/// was written by a stranger.
fn behind(peer: IpAddr, forwarded: &str, trusted: &[IpNet]) -> IpAddr {
    let is_ours = |address: &IpAddr| {
        trusted
            .iter()
            .any(|network| network.contains(&address.to_canonical()))
    };
    let mut nearest = peer;
    for hop in forwarded
        .rsplit(',')
        .map(str::trim)
        .filter(|hop| !hop.is_empty())
    {
        if !is_ours(&nearest) {
            break;
        }
        let Ok(address) = hop.parse() else {
            break;
        };
        nearest = address;
    }
    nearest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_proxies_are_believed() {
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap()];
        for (peer, forwarded, expected) in [
            ("203.0.113.9", "", "203.0.113.9"),
            ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
            ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
            (
                "10.0.0.1",
                "192.0.2.66, 198.51.100.1, 10.0.0.2",
                "198.51.100.1",
            ),
            ("10.0.0.1", "unknown", "10.0.0.1"),
            ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ] {
            let found = behind(peer.parse().unwrap(), forwarded, &trusted);
            assert_eq!(found.to_string(), expected, "{peer} {forwarded}");
        }
    }
}
