//! Certificates and keys from PEM files, with errors that name the file.

use rustls_pki_types::pem::{Error, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::RootCertStore;

fn read(path: &str) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("{path}: {error}"))
}

/// All certificates of a file, in its order.
///
/// # Errors
/// Names the file and what is wrong with it.
pub(super) fn certificates(path: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let text = read(path)?;
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match all {
        Ok(list) if list.is_empty() => Err(format!("No PEM encoded certificates found in: {path}")),
        Ok(list) => Ok(list),
        Err(error) => Err(format!("{path}: {error}")),
    }
}

/// The first private key of a file.
///
/// # Errors
/// Names the file and what is wrong with it.
pub(super) fn private_key(path: &str) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_slice(&read(path)?).map_err(|error| match error {
        Error::NoItemsFound => format!("No PEM encoded private key found in: {path}"),
        error => format!("{path}: {error}"),
    })
}

/// The authorities of a file, or the system's when `path` is empty.
///
/// # Errors
/// When there is none.
pub(super) fn authorities(path: &str) -> Result<RootCertStore, String> {
    let mut store = RootCertStore::empty();
    if path.is_empty() {
        let found = rustls_native_certs::load_native_certs();
        store.add_parsable_certificates(found.certs);
        if store.is_empty() {
            let why = found.errors.first().map(|error| format!(" ({error})")).unwrap_or_default();
            return Err(format!("the system has no certificate authorities{why}"));
        }
    } else {
        for certificate in certificates(path)? {
            store.add(certificate).map_err(|error| format!("{path}: {error}"))?;
        }
    }
    Ok(store)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let plain = path("plain.pem", "no certificate here\n");
        let broken = path("broken.pem", "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n");
        assert_eq!(certificates(&plain), Err(format!("No PEM encoded certificates found in: {plain}")));
        assert_eq!(private_key(&plain).err(), Some(format!("No PEM encoded private key found in: {plain}")));
        assert!(certificates(&broken).is_err_and(|why| why.starts_with(&broken)));
        assert!(certificates("/no/such.pem").is_err_and(|why| why.starts_with("/no/such.pem: No such file")));
        assert!(authorities(&plain).is_err());
    }
}
