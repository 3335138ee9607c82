//! The connecting side.

use crate::tls::settings::TlsSettings;
use crate::tls::{pem, trust::AnyServer};
use rustls_pki_types::ServerName;
use std::sync::Arc;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};

/// Reads the files and makes a client's configuration.
///
/// # Errors
/// One line that names the option or the file.
pub fn client_config(settings: &TlsSettings) -> Result<Arc<ClientConfig>, String> {
    let parsed = settings.parsed()?;
    let provider = Arc::new(CryptoProvider { cipher_suites: parsed.suites, ..ring::default_provider() });
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&parsed.versions)
        .map_err(|error| error.to_string())?;
    let builder = if settings.insecure_skip_verify {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyServer(provider)))
    } else {
        builder.with_root_certificates(pem::authorities(&settings.root_cafile)?)
    };
    let config = if settings.cert_file.is_empty() || settings.key_file.is_empty() {
        builder.with_no_client_auth()
    } else {
        builder
            .with_client_auth_cert(pem::certificates(&settings.cert_file)?, pem::private_key(&settings.key_file)?)
            .map_err(|error| format!("{} and {}: {error}", settings.cert_file, settings.key_file))?
    };
    Ok(Arc::new(config))
}

/// The name a client asks for and verifies: `server_name`, else the `host` it connects to.
///
/// # Errors
/// When that is neither a name nor an address.
pub fn server_name(settings: &TlsSettings, host: &str) -> Result<ServerName<'static>, String> {
    let name = if settings.server_name.is_empty() { host } else { &settings.server_name };
    ServerName::try_from(name.to_owned()).map_err(|_| format!("`{name}` is no name a server certificate can have"))
}
