//! The app room: TLS by rustls, <https://www.rfc-editor.org/rfc/rfc8446>. TLS 1.2 and 1.3, no older.

use crate::config::TlsFiles;
use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

/// Why certificate and key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("cannot read a PEM {what} from {}: {source}", file.display())]
    Unreadable { what: &'static str, file: PathBuf, source: rustls::pki_types::pem::Error },
    #[error("{} holds no certificate", .0.display())]
    NoCertificate(PathBuf),
    #[error("certificate and key do not fit: {0}")]
    Unfit(rustls::Error),
    #[error("TLS cannot be set up: {0}")]
    Setup(rustls::Error),
}

/// The certificate that is shown to clients; it can be read again while the gateway runs.
#[derive(Debug)]
pub struct Certificate {
    files: TlsFiles,
    provider: Arc<CryptoProvider>,
    current: RwLock<Arc<CertifiedKey>>,
}

impl Certificate {
    pub fn read(files: &TlsFiles) -> Result<Arc<Self>, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let current = RwLock::new(Arc::new(certified(files, &provider)?));
        Ok(Arc::new(Self { files: files.clone(), provider, current }))
    }

    /// Reads the files again; where they cannot be used the certificate of before stays.
    pub fn renew(&self) -> Result<(), TlsError> {
        let renewed = Arc::new(certified(&self.files, &self.provider)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = renewed;
        Ok(())
    }

    pub fn server(self: &Arc<Self>) -> Result<ServerConfig, TlsError> {
        let config = ServerConfig::builder_with_provider(self.provider.clone());
        let config = config.with_safe_default_protocol_versions().map_err(TlsError::Setup)?;
        Ok(config.with_no_client_auth().with_cert_resolver(self.clone()))
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

fn certified(files: &TlsFiles, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
    let unreadable = |what, file: &Path| {
        let file = file.to_owned();
        move |source| TlsError::Unreadable { what, file, source }
    };
    let unread = unreadable("certificate", &files.certificate);
    let chain = CertificateDer::pem_file_iter(&files.certificate).and_then(Iterator::collect).map_err(unread)?;
    let chain: Vec<CertificateDer<'static>> = chain;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate(files.certificate.clone()));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(unreadable("private key", &files.key))?;
    CertifiedKey::from_der(chain, key, provider).map_err(TlsError::Unfit)
}
