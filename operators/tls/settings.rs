//! The `tls` sub-section: its options, what they mean, and what is wrong with them.

use crate::tls::ciphers;
use heka_settings::{Data, Level, Nested, Place, Problem, Problems, Table, settings};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{SupportedCipherSuite, SupportedProtocolVersion};

settings! {
    /// Options of a `tls` sub-section.
    pub struct TlsSettings {
        /// Client: the name to ask for and to verify; empty means the host part of the address.
        server_name: String = "",
        /// File with the certificate chain in PEM; needs `key_file`.
        cert_file: String = "",
        /// File with the private key in PEM; may be the same as `cert_file`.
        key_file: String = "",
        /// Server: whether clients show certificates: `NoClientCert`, `RequestClientCert`,
        /// `RequireAnyClientCert`, `VerifyClientCertIfGiven` or `RequireAndVerifyClientCert`.
        client_auth: String = "NoClientCert",
        /// Cipher suites, most preferred first; empty means the library's own choice.
        ciphers: Vec<String>,
        /// Client: accept any certificate and name. Only for tests.
        insecure_skip_verify: bool = false,
        /// Server: its own order of cipher suites wins. True for inputs unless given.
        prefer_server_ciphers: Option<bool>,
        /// Server: no resumption of sessions.
        session_tickets_disabled: bool = false,
        /// Server: key of session tickets, 64 hexadecimal digits, for servers that share sessions; random
        /// unless given.
        session_ticket_key: Option<String>,
        /// The original's spelling of `session_ticket_key`.
        sesion_ticket_key: Option<String>,
        /// Oldest version: `TLS12` or `TLS13`. `SSL30`, `TLS10` and `TLS11` mean `TLS12`.
        min_version: String = "",
        /// Newest version: `TLS12` or `TLS13`. `SSL30`, `TLS10` and `TLS11` mean `TLS12`.
        max_version: String = "",
        /// Server: PEM file of the authorities that client certificates must come from.
        client_cafile: String = "",
        /// Client: PEM file of the authorities that server certificates must come from; empty means the
        /// system's.
        root_cafile: String = "",
    }
}

/// Which end of the connection a plugin is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Accepts connections; must have a certificate.
    Server,
    /// Opens connections.
    Client,
}

/// What a server wants to see of its clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClientAuth {
    None,
    Request,
    RequireAny,
    VerifyIfGiven,
    RequireAndVerify,
}

/// The options, parsed.
pub(super) struct Parsed {
    pub versions: Vec<&'static SupportedProtocolVersion>,
    pub suites: Vec<SupportedCipherSuite>,
    pub client_auth: ClientAuth,
    pub ticket_key: Option<[u8; 32]>,
}

/// One thing found while parsing: the option it belongs to, and what to say.
pub(super) struct Finding {
    option: &'static str,
    level: Level,
    pub message: String,
    help: String,
}

/// The `tls` options of a plugin's `section` when `use_tls` asks for them, checked as far as that goes without
/// reading files. Without `use_tls` they are not consulted.
pub fn in_effect(
    use_tls: bool,
    tls: &Option<Nested<TlsSettings>>,
    side: Side,
    section: &Table,
    problems: &mut Problems,
) -> Option<TlsSettings> {
    if !use_tls {
        return None;
    }
    let settings = tls.as_ref().map(|nested| nested.0.clone()).unwrap_or_default();
    let written = section.get("tls");
    let fallback = written.map_or(section.place, |entry| entry.place);
    let place_of = |option: &str| -> Place {
        match written.map(|entry| &entry.value.data) {
            Some(Data::Table(table)) => table.get(option).map_or(fallback, |entry| entry.value.place),
            _ => fallback,
        }
    };
    for finding in settings.findings(side) {
        problems.push(Problem {
            level: finding.level,
            place: place_of(finding.option),
            message: finding.message,
            help: Some(finding.help),
            also: Vec::new(),
        });
    }
    Some(settings)
}

impl TlsSettings {
    /// Everything that can be said about the options without reading files.
    fn findings(&self, side: Side) -> Vec<Finding> {
        let mut findings = Vec::new();
        let _ = self.parse(&mut findings);
        let mut refuse = |option, message: &str, help: &str| {
            findings.push(Finding { option, level: Level::Error, message: message.to_owned(), help: help.to_owned() });
        };
        match (side, self.cert_file.is_empty(), self.key_file.is_empty()) {
            (_, false, false) | (Side::Client, true, true) => {}
            (Side::Server, ..) => refuse(
                if self.cert_file.is_empty() { "cert_file" } else { "key_file" },
                "TLS config requires both cert_file and key_file value.",
                "name the PEM files of the certificate and of its private key",
            ),
            (Side::Client, ..) => refuse(
                if self.cert_file.is_empty() { "key_file" } else { "cert_file" },
                "a client certificate needs both cert_file and key_file",
                "give both, or neither",
            ),
        }
        findings
    }

    /// The options as the library wants them.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub(super) fn parsed(&self) -> Result<Parsed, String> {
        let mut findings = Vec::new();
        let parsed = self.parse(&mut findings);
        match findings.into_iter().find(|finding| finding.level == Level::Error) {
            Some(finding) => Err(finding.message),
            None => Ok(parsed),
        }
    }

    /// Parses the options; what is wrong is noted and replaced by its default.
    fn parse(&self, findings: &mut Vec<Finding>) -> Parsed {
        let versions = self.versions(findings);
        let suites = ciphers::choose(&self.ciphers, |option_word| match option_word {
            ciphers::Word::Unknown(name) => findings.push(Finding {
                option: "ciphers",
                level: Level::Error,
                message: format!("Invalid cipher string: {name}"),
                help: "use names such as ECDHE_RSA_WITH_AES_128_GCM_SHA256".to_owned(),
            }),
            ciphers::Word::Obsolete(name, instead) => findings.push(Finding {
                option: "ciphers",
                level: Level::Warning,
                message: format!("the cipher suite {name} is obsolete and not offered; {instead} stands in"),
                help: format!("write {instead}"),
            }),
        });
        let usable: Vec<_> =
            versions.into_iter().filter(|version| suites.iter().any(|suite| suite.version() == *version)).collect();
        if usable.is_empty() {
            findings.push(Finding {
                option: "ciphers",
                level: Level::Error,
                message: "none of the cipher suites belongs to a version that is allowed".to_owned(),
                help: "remove `ciphers`, or widen `min_version` and `max_version`".to_owned(),
            });
        }
        Parsed {
            versions: usable,
            suites,
            client_auth: self.client_auth(findings),
            ticket_key: self.ticket_key(findings),
        }
    }

    fn versions(&self, findings: &mut Vec<Finding>) -> Vec<&'static SupportedProtocolVersion> {
        const NAMES: [&str; 5] = ["SSL30", "TLS10", "TLS11", "TLS12", "TLS13"];
        let mut rank = |option: &'static str, title: &str, word: &str, default: usize| {
            if word.is_empty() {
                return default;
            }
            let found = NAMES.iter().position(|name| *name == word);
            match found {
                None => findings.push(Finding {
                    option,
                    level: Level::Error,
                    message: format!("Invalid {title}: {word}"),
                    help: "use TLS12 or TLS13".to_owned(),
                }),
                Some(0..=2) => findings.push(Finding {
                    option,
                    level: Level::Warning,
                    message: format!("{word} is obsolete and not offered; TLS12 stands in"),
                    help: format!("write {option} = \"TLS12\""),
                }),
                Some(_) => {}
            }
            found.unwrap_or(default)
        };
        let min = rank("min_version", "MinVersion", &self.min_version, 0);
        let max = rank("max_version", "MaxVersion", &self.max_version, 4);
        if max < min {
            findings.push(Finding {
                option: "max_version",
                level: Level::Error,
                message: format!(
                    "MaxVersion ({}) must be newer than MinVersion ({})",
                    self.max_version, self.min_version
                ),
                help: "swap them, or remove one".to_owned(),
            });
        }
        match (min, max) {
            (_, 0..=3) => vec![&TLS12],
            (4.., _) => vec![&TLS13],
            _ => vec![&TLS13, &TLS12],
        }
    }

    fn client_auth(&self, findings: &mut Vec<Finding>) -> ClientAuth {
        match self.client_auth.as_str() {
            "NoClientCert" => ClientAuth::None,
            "RequestClientCert" => ClientAuth::Request,
            "RequireAnyClientCert" => ClientAuth::RequireAny,
            "VerifyClientCertIfGiven" => ClientAuth::VerifyIfGiven,
            "RequireAndVerifyClientCert" => ClientAuth::RequireAndVerify,
            word => {
                findings.push(Finding {
                    option: "client_auth",
                    level: Level::Error,
                    message: format!("Invalid ClientAuth value: {word}"),
                    help: "use NoClientCert, RequestClientCert, RequireAnyClientCert, VerifyClientCertIfGiven or \
                           RequireAndVerifyClientCert"
                        .to_owned(),
                });
                ClientAuth::None
            }
        }
    }

    fn ticket_key(&self, findings: &mut Vec<Finding>) -> Option<[u8; 32]> {
        let (option, text) = match (&self.session_ticket_key, &self.sesion_ticket_key) {
            (Some(text), _) => ("session_ticket_key", text),
            (None, Some(text)) => ("sesion_ticket_key", text),
            (None, None) => return None,
        };
        let mut refuse = |message: String| {
            findings.push(Finding {
                option,
                level: Level::Error,
                message,
                help: "write 64 hexadecimal digits, for example from `openssl rand -hex 32`".to_owned(),
            });
            None
        };
        let Some(bytes) = hex(text) else {
            return refuse("SessionTicketKey is not hexadecimal".to_owned());
        };
        let length = bytes.len();
        match <[u8; 32]>::try_from(bytes) {
            Ok(key) => Some(key),
            Err(_) => refuse(format!("Invalid SessionTicketKey length: {length}")),
        }
    }
}

/// The bytes that pairs of hexadecimal digits stand for.
fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|c| c.to_digit(16).map(|d| d as u8)).collect();
    let (pairs, rest) = digits.as_deref()?.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(settings: &TlsSettings, side: Side) -> Vec<(Level, String)> {
        settings.findings(side).into_iter().map(|f| (f.level, f.message)).collect()
    }

    fn with(change: impl FnOnce(&mut TlsSettings)) -> TlsSettings {
        let mut settings =
            TlsSettings { cert_file: "c.pem".into(), key_file: "k.pem".into(), ..TlsSettings::default() };
        change(&mut settings);
        settings
    }

    #[test]
    fn wrong_words_are_refused_as_users_know_it() {
        let cases: Vec<(TlsSettings, &str)> = vec![
            (with(|s| s.min_version = "TLS9".into()), "Invalid MinVersion: TLS9"),
            (with(|s| s.max_version = "tls12".into()), "Invalid MaxVersion: tls12"),
            (
                with(|s| (s.min_version, s.max_version) = ("TLS13".into(), "TLS12".into())),
                "MaxVersion (TLS12) must be newer than MinVersion (TLS13)",
            ),
            (with(|s| s.client_auth = "Maybe".into()), "Invalid ClientAuth value: Maybe"),
            (with(|s| s.ciphers = vec!["ROT13".into()]), "Invalid cipher string: ROT13"),
            (with(|s| s.session_ticket_key = Some("00ff".into())), "Invalid SessionTicketKey length: 2"),
            (with(|s| s.sesion_ticket_key = Some("00".repeat(31))), "Invalid SessionTicketKey length: 31"),
            (with(|s| s.session_ticket_key = Some("x".repeat(64))), "SessionTicketKey is not hexadecimal"),
            (with(|s| s.key_file.clear()), "TLS config requires both cert_file and key_file value."),
            (with(|s| s.cert_file.clear()), "TLS config requires both cert_file and key_file value."),
            (
                with(|s| (s.max_version, s.ciphers) = ("TLS12".into(), vec!["AES_128_GCM_SHA256".into()])),
                "none of the cipher suites belongs to a version that is allowed",
            ),
        ];
        for (settings, message) in cases {
            assert_eq!(told(&settings, Side::Server), [(Level::Error, message.to_owned())], "{settings:?}");
        }
        assert!(told(&with(|_| {}), Side::Server).is_empty());
        assert!(told(&TlsSettings::default(), Side::Client).is_empty());
        assert_eq!(told(&with(|s| s.key_file.clear()), Side::Client).len(), 1);
    }

    #[test]
    fn obsolete_versions_warn_and_mean_the_oldest_safe_one() {
        let settings = with(|s| (s.min_version, s.max_version) = ("SSL30".into(), "TLS11".into()));
        assert!(told(&settings, Side::Server).iter().all(|(level, _)| *level == Level::Warning));
        assert_eq!(settings.parsed().map(|p| p.versions).ok(), Some(vec![&TLS12]));
        let all = TlsSettings::default().parsed().map(|p| p.versions);
        assert_eq!(all.ok(), Some(vec![&TLS13, &TLS12]));
        let newest = with(|s| s.min_version = "TLS13".into()).parsed().map(|p| p.versions);
        assert_eq!(newest.ok(), Some(vec![&TLS13]));
    }

    #[test]
    fn options_are_consulted_only_when_asked_for() {
        let mut problems = Problems::default();
        let tls = Some(Nested(with(|s| s.min_version = "nonsense".into())));
        assert_eq!(in_effect(false, &tls, Side::Server, &Table::default(), &mut problems), None);
        assert!(problems.is_empty());
        assert!(in_effect(true, &tls, Side::Server, &Table::default(), &mut problems).is_some());
        assert!(problems.has_errors());
    }

    #[test]
    fn a_ticket_key_is_read_in_either_spelling() {
        let text = "00112233445566778899aabbccddeeff".repeat(2);
        let right = with(|s| s.session_ticket_key = Some(text.clone())).parsed().map(|p| p.ticket_key);
        let misspelt = with(|s| s.sesion_ticket_key = Some(text.to_uppercase())).parsed().map(|p| p.ticket_key);
        assert_eq!(right, misspelt);
        assert_eq!(right.ok().flatten().map(|key| key[..3].to_vec()), Some(vec![0x00, 0x11, 0x22]));
    }
}
