//! Names to addresses, behind a trait so that tests can script DNS.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;

/// A boxed future, which keeps [`Resolve`] usable as a trait object.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Resolves names.
pub trait Resolve: Send + Sync + std::fmt::Debug {
    /// All addresses of a name, with the port filled in.
    fn resolve<'a>(
        &'a self,
        host: &'a str,
        port: u16,
    ) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>>;
}

/// The operating system's resolver.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve<'a>(
        &'a self,
        host: &'a str,
        port: u16,
    ) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })
    }
}

/// The addresses of a host as it stands in a URL: an address (IPv6 in
/// brackets) is taken as it is, everything else is asked of the resolver,
/// `localhost` too.
///
/// # Errors
/// What the resolver says, or that the name has no address.
pub async fn resolve_host(
    resolver: &dyn Resolve,
    host: &str,
    port: u16,
) -> io::Result<Vec<SocketAddr>> {
    let bare = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(host);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let addresses = resolver.resolve(bare, port).await?;
    if addresses.is_empty() {
        return Err(io::Error::new(
            io::ErrorKind::NotFound,
            "the name has no address",
        ));
    }
    Ok(addresses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Scripted(Vec<SocketAddr>);

    impl Resolve for Scripted {
        fn resolve<'a>(
            &'a self,
            _host: &'a str,
            _port: u16,
        ) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
            Box::pin(async move { Ok(self.0.clone()) })
        }
    }

    #[tokio::test]
    async fn addresses_are_not_asked_of_dns() {
        let nobody = Scripted(Vec::new());
        for host in ["192.0.2.7", "[2001:db8::7]", "2001:db8::7"] {
            let found = resolve_host(&nobody, host, 80).await.unwrap();
            assert_eq!(found.len(), 1, "{host}");
        }
    }

    #[tokio::test]
    async fn localhost_is_a_name_like_any_other() {
        let elsewhere: SocketAddr = "198.51.100.1:80".parse().unwrap();
        let found = resolve_host(&Scripted(vec![elsewhere]), "localhost", 80).await;
        assert_eq!(found.unwrap(), [elsewhere]);
    }

    #[tokio::test]
    async fn a_name_without_addresses_is_an_error() {
        let error = resolve_host(&Scripted(Vec::new()), "nobody.example", 80).await;
        assert_eq!(error.unwrap_err().to_string(), "the name has no address");
    }
}
