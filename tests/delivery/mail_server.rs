//! A mail server (aiosmtpd) and what it has taken.

use crate::support::peer::{self, Running};
use crate::support::{Site, connect, free_address};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

pub struct MailServer {
    pub address: String,
    taken: std::path::PathBuf,
    _running: Running,
}

impl MailServer {
    /// Starts one with these options; `None` on a machine without aiosmtpd.
    pub fn start(site: &Site, options: &Value) -> Option<MailServer> {
        let python = peer::find("aiosmtpd")?.with_file_name("python");
        let address = free_address();
        let taken = site.path("mails");
        let mut command = Command::new(if python.is_file() { python } else { "python3".into() });
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/delivery/mail_server.py"));
        command.arg(address.rsplit_once(':').unwrap().1).arg(&taken).arg(options.to_string());
        let running = Running::start(&mut command, &site.path("mail_server"));
        drop(connect(&address));
        Some(MailServer { address, taken, _running: running })
    }

    /// The mails taken so far.
    pub fn mails(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.taken).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }
}

/// Makes an authority and the certificate of a server on this machine: `ca.pem`, `server.pem`, `server.key`.
pub fn certificates(site: &Site) {
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let ca = params.self_signed(&key).unwrap();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let names = ["localhost", "127.0.0.1"].map(str::to_owned).to_vec();
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
    for (name, text) in [("ca.pem", ca.pem()), ("server.pem", certificate.pem()), ("server.key", key.serialize_pem())] {
        std::fs::write(site.path(name), text).unwrap();
    }
}
