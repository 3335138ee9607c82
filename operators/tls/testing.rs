//! Certificates for tests: an authority, and what it signs, as files.

use super::TlsSettings;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use std::path::Path;
use tempfile::TempDir;

/// A directory with an authority's certificate (`ca.pem`), a server's for `localhost` and 127.0.0.1
/// (`server.pem`, `server.key`), and a client's (`client.pem`, `client.key`).
pub(crate) struct Authority {
    dir: TempDir,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let ca = params.self_signed(&key).unwrap();
        let issuer = Issuer::new(params, key);
        std::fs::write(dir.path().join("ca.pem"), ca.pem()).unwrap();
        for (name, subjects) in [("server", vec!["localhost", "127.0.0.1"]), ("client", vec!["client.test"])] {
            let key = KeyPair::generate().unwrap();
            let subjects: Vec<String> = subjects.into_iter().map(str::to_owned).collect();
            let cert = CertificateParams::new(subjects).unwrap().signed_by(&key, &issuer).unwrap();
            std::fs::write(dir.path().join(format!("{name}.pem")), cert.pem()).unwrap();
            std::fs::write(dir.path().join(format!("{name}.key")), key.serialize_pem()).unwrap();
        }
        Authority { dir }
    }

    pub(crate) fn path(&self, name: &str) -> String {
        Path::join(self.dir.path(), name).to_str().unwrap().to_owned()
    }

    /// Settings of a server that shows its certificate.
    pub(crate) fn server(&self) -> TlsSettings {
        TlsSettings { cert_file: self.path("server.pem"), key_file: self.path("server.key"), ..Default::default() }
    }

    /// Settings of a client that trusts the authority and shows no certificate.
    pub(crate) fn client(&self) -> TlsSettings {
        TlsSettings { root_cafile: self.path("ca.pem"), ..Default::default() }
    }

    /// Settings of a client that shows its certificate.
    pub(crate) fn known_client(&self) -> TlsSettings {
        TlsSettings { cert_file: self.path("client.pem"), key_file: self.path("client.key"), ..self.client() }
    }
}
