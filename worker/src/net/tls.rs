//! Whom TLS trusts: the system's authorities, the Mozilla list that is
//! compiled in (a bare container has no others), and the operator's own.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

/// The authorities could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The operator's file is not PEM.
    #[error("cannot read the CA file as PEM: {0}")]
    Pem(rustls::pki_types::pem::Error),
    /// The operator's file holds no certificate.
    #[error("the CA file holds no certificate")]
    Empty,
    /// A certificate in the operator's file cannot be an authority.
    #[error("the CA file holds a certificate that cannot be used")]
    Certificate(#[source] rustls::Error),
    /// The TLS library refused its own settings.
    #[error("cannot set up TLS")]
    Setup(#[source] rustls::Error),
}

/// Trusted authorities, ready for use. Cheap to clone.
#[derive(Clone)]
pub struct Trust {
    client: Arc<ClientConfig>,
    /// How many of them the system or the operator named.
    named: usize,
}

impl std::fmt::Debug for Trust {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trust")
            .field("named", &self.named)
            .finish_non_exhaustive()
    }
}

impl Trust {
    /// Gathers the authorities; `ca_pem` is the content of the operator's file.
    /// What is wrong with the system's own store is passed over: it is not
    /// ours, and the compiled-in list is there.
    ///
    /// # Errors
    /// If the operator's file is unusable.
    pub fn new(ca_pem: Option<&[u8]>) -> Result<Self, TrustError> {
        let mut roots = RootCertStore::empty();
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        let mut named = 0;
        for certificate in rustls_native_certs::load_native_certs().certs {
            if roots.add(certificate).is_ok() {
                named += 1;
            }
        }
        for certificate in ca_pem.map(read_pem).transpose()?.unwrap_or_default() {
            roots.add(certificate).map_err(TrustError::Certificate)?;
            named += 1;
        }
        Ok(Self {
            client: Arc::new(client_config(roots)?),
            named,
        })
    }

    /// Settings for a TLS client.
    #[must_use]
    pub fn client(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.client)
    }
}

fn read_pem(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TrustError> {
    let certificates = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(TrustError::Pem)?;
    if certificates.is_empty() {
        return Err(TrustError::Empty);
    }
    Ok(certificates)
}

fn client_config(roots: RootCertStore) -> Result<ClientConfig, TrustError> {
    // Named outright: with two providers compiled in by feature union, the
    // process default would be a panic at run time.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TrustError::Setup)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trust_without_an_own_file_works() {
        assert!(Trust::new(None).is_ok());
    }

    #[test]
    fn a_ca_file_without_certificates_is_refused() {
        let error = Trust::new(Some(b"hello")).unwrap_err();
        assert_eq!(error.to_string(), "the CA file holds no certificate");
    }

    #[test]
    fn an_own_authority_is_added() {
        let own = rcgen::generate_simple_self_signed(vec!["a.example".to_owned()]).unwrap();
        let plain = Trust::new(None).unwrap();
        let more = Trust::new(Some(own.cert.pem().as_bytes())).unwrap();
        assert_eq!(more.named, plain.named + 1);
    }
}
