//! Who asks: the address of a client, also behind proxies that are trusted to name it.
//!
//! Only a proxy whose address is in `--trust-proxy` is believed when it says for whom, and under which URL,
//! it asks. From anybody else, `Forwarded` and `X-Forwarded-*` are removed from the request before anything
//! reads them, so that no client can choose the links of an answer or take the place of another one.

use std::{
    future::Future,
    net::{IpAddr, Ipv6Addr},
    str::FromStr,
};

use axum::http::{HeaderMap, HeaderName, header};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// The headers with which a proxy describes the request that it got.
pub(crate) const FORWARDED: [HeaderName; 6] = [
    header::FORWARDED,
    FORWARDED_FOR,
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-proto"),
    HeaderName::from_static("x-forwarded-port"),
    HeaderName::from_static("x-forwarded-prefix"),
];

/// One client: an IPv4 address, or the network `/64` of an IPv6 address, which is what one household has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Client(IpAddr);

impl From<IpAddr> for Client {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (!0 << 64))),
            v4 @ IpAddr::V4(_) => v4,
        })
    }
}

tokio::task_local! {
    static CURRENT: Client;
}

impl Client {
    /// The client of the request that the current task answers; `None` outside of requests.
    pub(crate) fn current() -> Option<Self> {
        CURRENT.try_with(|client| *client).ok()
    }

    /// Runs `work` for `client`, so that [`Client::current`] finds it.
    pub(crate) async fn scope<T>(client: Option<Self>, work: impl Future<Output = T>) -> T {
        match client {
            Some(client) => CURRENT.scope(client, work).await,
            None => work.await,
        }
    }
}

/// A network of addresses in CIDR notation: `10.0.0.0/8`, `::1/128`, or one address.
///
/// ```
/// use citymap_server::Network;
///
/// let network: Network = "10.1.0.0/16".parse().unwrap();
/// assert!(network.contains("10.1.200.3".parse().unwrap()));
/// assert!(!network.contains("10.2.0.1".parse().unwrap()));
/// assert!("10.0.0.0/33".parse::<Network>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// A text is not a network in CIDR notation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("give an address or a network such as 127.0.0.1, 10.0.0.0/8 or fd00::/8")]
pub struct NetworkError;

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(at, prefix)| (at, Some(prefix)));
        let address: IpAddr = address.parse().map_err(|_not_an_address| NetworkError)?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(prefix) => prefix.parse().map_err(|_not_a_number| NetworkError)?,
            None => bits,
        };
        if prefix > bits { Err(NetworkError) } else { Ok(Self { address, prefix }) }
    }
}

impl Network {
    /// Whether an address is in the network. IPv4 addresses that are mapped into IPv6 count as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let apart = own.to_bits() ^ other.to_bits();
                apart.checked_shr(32 - u32::from(self.prefix)).unwrap_or(0) == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let apart = own.to_bits() ^ other.to_bits();
                apart.checked_shr(128 - u32::from(self.prefix)).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

/// True if `peer` is a proxy that is believed.
pub(crate) fn is_trusted(trusted: &[Network], peer: IpAddr) -> bool {
    trusted.iter().any(|network| network.contains(peer))
}

/// The client of a request that came from `peer`. Headers of proxies are removed unless `peer` is trusted.
///
/// Of a chain of proxies the last address that is not trusted itself is the client: what stands before it may
/// be invented.
pub(crate) fn identify(peer: IpAddr, trusted: &[Network], headers: &mut HeaderMap) -> Client {
    if !is_trusted(trusted, peer) {
        for name in &FORWARDED {
            headers.remove(name);
        }
        return peer.into();
    }
    let chain = if headers.contains_key(header::FORWARDED) {
        members(headers, &header::FORWARDED, |element| forwarded_member(element, "for").and_then(node))
    } else {
        members(headers, &FORWARDED_FOR, |element| node(element.to_owned()))
    };
    let mut client = peer;
    for address in chain.into_iter().rev() {
        // A name or `unknown` hides who is before it.
        let Some(address) = address else { break };
        client = address;
        if !is_trusted(trusted, address) {
            break;
        }
    }
    client.into()
}

/// What `read` makes of each element of a list header, in order.
fn members<T>(headers: &HeaderMap, name: &HeaderName, read: impl Fn(&str) -> T) -> Vec<T> {
    let lines = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(|element| read(element.trim())).collect()
}

/// The value of a parameter of one element of `Forwarded` (RFC 7239), without quotes.
pub(crate) fn forwarded_member(element: &str, name: &str) -> Option<String> {
    element.split(';').find_map(|pair| {
        let (own, value) = pair.split_once('=')?;
        own.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"').to_owned())
    })
}

/// The address of a node: `192.0.2.1`, `192.0.2.1:80`, `[2001:db8::1]`, `[2001:db8::1]:80`, `2001:db8::1`.
#[expect(clippy::needless_pass_by_value, reason = "used as a function of what `forwarded_member` gives")]
fn node(text: String) -> Option<IpAddr> {
    if let Some(rest) = text.strip_prefix('[') {
        return rest.split(']').next()?.parse().ok();
    }
    let host = match text.split_once(':') {
        Some((host, port)) if !port.contains(':') => host,
        _ => &text,
    };
    host.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, pairs: &[(&'static str, &str)]) -> (Client, HeaderMap) {
        let trusted = ["127.0.0.0/8", "10.0.0.0/8", "fd00::/8"].map(|text| text.parse().unwrap());
        let mut headers: HeaderMap = pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
            .collect();
        (identify(peer.parse().unwrap(), &trusted, &mut headers), headers)
    }

    fn of(address: &str) -> Client {
        address.parse::<IpAddr>().unwrap().into()
    }

    #[test]
    fn only_a_trusted_proxy_names_its_client() {
        let claims = [("x-forwarded-for", "198.51.100.7"), ("x-forwarded-host", "evil.example")];
        let (found, headers) = client("203.0.113.5", &claims);
        assert_eq!(found, of("203.0.113.5"));
        assert!(headers.is_empty(), "{headers:?}");
        let (found, headers) = client("127.0.0.1", &claims);
        assert_eq!((found, headers.len()), (of("198.51.100.7"), 2));
    }

    #[test]
    fn the_last_address_that_is_not_a_proxy_is_the_client() {
        let chain = [("x-forwarded-for", "1.2.3.4, 198.51.100.7:4711, 10.0.0.9")];
        assert_eq!(client("127.0.0.1", &chain).0, of("198.51.100.7"));
        let chain = [("forwarded", "for=1.2.3.4, For=\"[2001:db8::17]:4711\";proto=https, for=10.0.0.9")];
        assert_eq!(client("127.0.0.1", &chain).0, of("2001:db8::17"));
        // The nearest proxy that is known, where what is before it is not an address.
        let chain = [("forwarded", "for=1.2.3.4, for=unknown, for=10.0.0.9")];
        assert_eq!(client("127.0.0.1", &chain).0, of("10.0.0.9"));
        assert_eq!(client("127.0.0.1", &[]).0, of("127.0.0.1"));
    }

    #[test]
    fn neighbours_in_one_network_of_ipv6_are_one_client() {
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::2"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }

    #[test]
    fn networks_hold_their_addresses() {
        let holds = |network: &str, address: &str| {
            network.parse::<Network>().unwrap().contains(address.parse().unwrap())
        };
        assert!(holds("0.0.0.0/0", "203.0.113.5") && holds("::/0", "2001:db8::1"));
        assert!(holds("192.0.2.1", "192.0.2.1") && !holds("192.0.2.1", "192.0.2.2"));
        assert!(holds("127.0.0.0/8", "::ffff:127.0.0.1") && !holds("::1", "127.0.0.1"));
        for wrong in ["", "10.0.0.0/33", "::/129", "host", "10.0.0.0/", "10.0.0.0/-1"] {
            assert_eq!(wrong.parse::<Network>(), Err(NetworkError), "{wrong}");
        }
    }
}
