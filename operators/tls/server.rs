//! The accepting side.

use crate::tls::settings::{ClientAuth, Parsed, TlsSettings};
use crate::tls::{pem, tickets::SharedTickets, trust::AnyClient};
use std::sync::Arc;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::server::danger::ClientCertVerifier;
use tokio_rustls::rustls::server::{NoClientAuth, NoServerSessionStorage, WebPkiClientVerifier};

/// Reads the files and makes a server's configuration.
///
/// # Errors
/// One line that names the option or the file.
pub fn server_config(settings: &TlsSettings) -> Result<Arc<ServerConfig>, String> {
    let parsed = settings.parsed()?;
    if settings.cert_file.is_empty() || settings.key_file.is_empty() {
        return Err("TLS config requires both cert_file and key_file value.".to_owned());
    }
    let provider = Arc::new(CryptoProvider { cipher_suites: parsed.suites.clone(), ..ring::default_provider() });
    let mut config = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&parsed.versions)
        .map_err(|error| error.to_string())?
        .with_client_cert_verifier(verifier(settings, &parsed, provider)?)
        .with_single_cert(pem::certificates(&settings.cert_file)?, pem::private_key(&settings.key_file)?)
        .map_err(|error| format!("{} and {}: {error}", settings.cert_file, settings.key_file))?;
    config.ignore_client_order = settings.prefer_server_ciphers.unwrap_or(true);
    if settings.session_tickets_disabled {
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    } else {
        config.ticketer = match &parsed.ticket_key {
            Some(key) => Arc::new(SharedTickets::new(key)?),
            None => ring::Ticketer::new().map_err(|error| error.to_string())?,
        };
    }
    Ok(Arc::new(config))
}

fn verifier(
    settings: &TlsSettings,
    parsed: &Parsed,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, String> {
    let chain = |required: bool| {
        let authorities = Arc::new(pem::authorities(&settings.client_cafile)?);
        let builder = WebPkiClientVerifier::builder_with_provider(authorities, provider.clone());
        let builder = if required { builder } else { builder.allow_unauthenticated() };
        let verifier: Arc<dyn ClientCertVerifier> =
            builder.build().map_err(|error| format!("{}: {error}", settings.client_cafile))?;
        Ok(verifier)
    };
    match parsed.client_auth {
        ClientAuth::None => Ok(Arc::new(NoClientAuth)),
        ClientAuth::Request => Ok(Arc::new(AnyClient { provider, required: false })),
        ClientAuth::RequireAny => Ok(Arc::new(AnyClient { provider, required: true })),
        ClientAuth::VerifyIfGiven => chain(false),
        ClientAuth::RequireAndVerify => chain(true),
    }
}
