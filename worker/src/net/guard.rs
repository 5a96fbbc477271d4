//! The address guard: decides which IP addresses may be reached by what clients
//! name, webhooks and tenants' mail servers. Pure; whoever connects calls it with
//! what the resolver answered, and connects only to what it gave back, so a name
//! cannot point elsewhere a moment later.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// IPv4 ranges that are no public hosts.
const CLOSED_V4: [Ipv4Net; 18] = [
    v4([0, 0, 0, 0], 8),          // this network
    v4([10, 0, 0, 0], 8),         // private
    v4([100, 64, 0, 0], 10),      // carrier NAT, and some clouds' metadata
    v4([127, 0, 0, 0], 8),        // loopback
    v4([168, 63, 129, 16], 32),   // a cloud's host service on a public number
    v4([169, 254, 0, 0], 16),     // link-local, most clouds' metadata
    v4([172, 16, 0, 0], 12),      // private
    v4([192, 0, 0, 0], 24),       // protocol assignments
    v4([192, 0, 2, 0], 24),       // documentation
    v4([192, 88, 99, 0], 24),     // 6to4 relays
    v4([192, 168, 0, 0], 16),     // private
    v4([198, 18, 0, 0], 15),      // benchmarks
    v4([198, 51, 100, 0], 24),    // documentation
    v4([203, 0, 113, 0], 24),     // documentation
    v4([224, 0, 0, 0], 4),        // multicast
    v4([233, 252, 0, 0], 24),     // documentation
    v4([240, 0, 0, 0], 4),        // reserved
    v4([255, 255, 255, 255], 32), // broadcast
];

/// All of IPv6 that is handed out for public hosts. What lies outside (`::1`,
/// `fc00::/7`, `fe80::/10`, `fec0::/10`, `ff00::/8`, `100::/64`, `::a.b.c.d`,
/// `64:ff9b:1::/48`, `5f00::/16`) is closed without being named.
const OPEN_V6: Ipv6Net = v6([0x2000, 0, 0, 0], 3);

/// Ranges inside [`OPEN_V6`] that are no public hosts all the same. The
/// tunnels 6to4 and Teredo carry an IPv4 address within; they are long out
/// of use, so they are closed whole instead of being unpacked.
const CLOSED_V6: [Ipv6Net; 4] = [
    v6([0x2001, 0, 0, 0], 23),     // protocol assignments, Teredo, ORCHID
    v6([0x2001, 0xdb8, 0, 0], 32), // documentation
    v6([0x2002, 0, 0, 0], 16),     // 6to4
    v6([0x3fff, 0, 0, 0], 20),     // documentation
];

/// NAT64: the last 32 bits are the IPv4 address that is really reached.
const NAT64: Ipv6Net = v6([0x64, 0xff9b, 0, 0], 96);

const fn v4(octets: [u8; 4], prefix: u8) -> Ipv4Net {
    let [a, b, c, d] = octets;
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(head: [u16; 4], prefix: u8) -> Ipv6Net {
    let [a, b, c, d] = head;
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0), prefix)
}

/// Whether an address belongs to the public Internet, in whatever form it is
/// written: an IPv4 address inside an IPv6 one is judged as itself.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !CLOSED_V4.iter().any(|net| net.contains(&address))
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [_, _, _, _, marker, isatap, high, low] = address.segments();
    let [a, b] = high.to_be_bytes();
    let [c, d] = low.to_be_bytes();
    let embedded = Ipv4Addr::new(a, b, c, d);
    if NAT64.contains(&address) {
        return is_public_v4(embedded);
    }
    if isatap == 0x5efe && (marker == 0 || marker == 0x200) && !is_public_v4(embedded) {
        return false;
    }
    OPEN_V6.contains(&address) && !CLOSED_V6.iter().any(|net| net.contains(&address))
}

/// The networks that the operator exempts from the guard.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowlist(Vec<IpNet>);

impl Allowlist {
    /// Exempts these networks.
    #[must_use]
    pub fn new(nets: Vec<IpNet>) -> Self {
        Self(nets)
    }

    /// Whether the operator exempted the address, in whatever form it is
    /// written: `127.0.0.0/8` covers `::ffff:127.0.0.1` too.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let canonical = address.to_canonical();
        self.0
            .iter()
            .any(|net| net.contains(&address) || net.contains(&canonical))
    }
}

/// The name resolves to an address that is neither public nor allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("address `{address}` is not public")]
pub struct Blocked {
    /// The first address that was refused.
    pub address: IpAddr,
}

/// Passes the addresses of one name, or refuses them all.
///
/// One bad address is enough: a name that answers with a public and a private
/// one is a trap or a mistake, and picking the good one would leave the rest
/// to chance.
///
/// # Errors
/// With the first address that is neither public nor allowed.
pub fn vet(addresses: Vec<SocketAddr>, allow: &Allowlist) -> Result<Vec<SocketAddr>, Blocked> {
    let refused = addresses
        .iter()
        .map(SocketAddr::ip)
        .find(|address| !is_public(*address) && !allow.contains(*address));
    match refused {
        Some(address) => Err(Blocked { address }),
        None => Ok(addresses),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use url::Url;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn socket(text: &str) -> SocketAddr {
        SocketAddr::new(ip(text), 443)
    }

    #[test]
    fn public_addresses_pass() {
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700:4700::1111",
            "2a00:1450:4001:81b::200e",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
        ] {
            assert!(is_public(ip(text)), "{text}");
        }
    }

    #[test]
    fn private_and_special_addresses_are_refused() {
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "100::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
            "2001:db8::1",
            "3fff::1",
            "5f00::1",
        ] {
            assert!(!is_public(ip(text)), "{text}");
        }
    }

    #[test]
    fn a_private_address_inside_another_form_is_refused() {
        for text in [
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "::10.0.0.1",
            "64:ff9b::127.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::8.8.8.8",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
            "2002:808:808::1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "2001:0:7f00:1::",
            "2606:4700::5efe:10.0.0.1",
            "2606:4700::200:5efe:127.0.0.1",
        ] {
            assert!(!is_public(ip(text)), "{text}");
        }
    }

    #[test]
    fn odd_spellings_of_an_address_are_normalised_before_the_guard() {
        for url in [
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://127.1/",
            "http://127.0.0.1./",
            "http://①②⑦.0.0.1/",
            "http://%31%32%37.0.0.1/",
        ] {
            let parsed = Url::parse(url).unwrap();
            assert_eq!(parsed.host_str(), Some("127.0.0.1"), "{url}");
        }
        let parsed = Url::parse("http://[::ffff:7f00:1]/").unwrap();
        assert_eq!(parsed.host_str(), Some("[::ffff:7f00:1]"));
    }

    #[test]
    fn the_operators_networks_are_exempt() {
        let allow = Allowlist::new(vec!["127.0.0.0/8".parse().unwrap()]);
        assert!(vet(vec![socket("127.0.0.1")], &allow).is_ok());
        assert!(vet(vec![socket("::ffff:127.0.0.1")], &allow).is_ok());
        assert!(vet(vec![socket("::1")], &allow).is_err());
        assert!(vet(vec![socket("10.0.0.1")], &allow).is_err());
    }

    #[test]
    fn one_bad_address_refuses_the_whole_name() {
        let addresses = vec![socket("8.8.8.8"), socket("10.0.0.7")];
        let blocked = vet(addresses, &Allowlist::default()).unwrap_err();
        assert_eq!(blocked.address, ip("10.0.0.7"));
        assert!(blocked.to_string().contains("`10.0.0.7` is not public"));
    }

    proptest! {
        #[test]
        fn an_address_is_judged_alike_in_every_ipv4_form(bits in any::<u32>()) {
            let plain = Ipv4Addr::from_bits(bits);
            let public = is_public(IpAddr::V4(plain));
            prop_assert_eq!(is_public(IpAddr::V6(plain.to_ipv6_mapped())), public);
            let nat64: IpAddr = format!("64:ff9b::{plain}").parse().unwrap();
            prop_assert_eq!(is_public(nat64), public);
            let compatible = IpAddr::V6(plain.to_ipv6_compatible());
            prop_assert!(!is_public(compatible));
        }
    }
}
