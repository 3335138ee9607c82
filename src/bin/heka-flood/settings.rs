//! The tests that a configuration describes, one a section.

use heka_message::Signer;
use heka_operators::net::address::{Family, HostPort};
use heka_operators::tls::{self, Side, TlsSettings};
use heka_settings::{Nested, Placed, Problem, Problems, Settings, Table, nearest, refuse_unknown, settings};
use hekad::config::sections;
use hekad::tools::{SignerSettings, peer};
use std::time::Duration;

settings! {
    /// Options of a test.
    pub struct TestSettings {
        /// Where to send, `host:port`. Required.
        ip_address: Placed<String> = Placed::nowhere(String::new()),
        /// `tcp` or `udp`, with 4 or 6 behind it for one version of the Internet Protocol only.
        sender: Placed<String> = Placed::nowhere("tcp".to_owned()),
        /// Whether to speak TLS.
        use_tls: bool = false,
        /// TLS options.
        tls: Option<Nested<TlsSettings>>,
        /// Stop after so many messages; 0: when interrupted.
        num_messages: u64 = 0u64,
        /// Pause between two messages.
        message_interval: Duration = Duration::ZERO,
        /// Random bytes in each message, unless their sizes vary.
        static_message_size: u32 = 1000u32,
        /// Send a random choice of 64 different messages instead of one.
        variable_size_messages: bool = false,
        /// Only printable random bytes.
        ascii_only: bool = false,
        /// How many of a hundred messages to damage.
        corrupt_percentage: Placed<f64> = Placed::nowhere(0.0),
        /// How many of a hundred messages to sign.
        signed_percentage: Placed<f64> = Placed::nowhere(0.0),
        /// How many of a hundred messages to make larger than allowed.
        oversized_percentage: Placed<f64> = Placed::nowhere(0.0),
        /// Who signs.
        signer: Option<Nested<SignerSettings>>,
        /// Largest message, in bytes.
        max_message_size: u32 = 65536u32,
        /// Connect again after an error, instead of ending.
        reconnect_on_error: bool = false,
        /// Seconds between two attempts to connect again.
        reconnect_interval: u64 = 5u64,
        /// Obsolete: use a profiler of the system.
        pprof_file: Option<String>,
        /// Has no effect, and never had.
        encoder: Option<String>,
    }
}

/// How messages travel.
#[derive(Clone, Debug)]
pub enum Transport {
    /// One after the other in a stream.
    Tcp {
        /// Over TLS.
        tls: Option<Box<TlsSettings>>,
    },
    /// One a datagram.
    Udp,
}

/// A test, checked.
#[derive(Clone, Debug)]
pub struct Test {
    /// Where to send.
    pub address: HostPort,
    /// Which of its addresses count.
    pub family: Family,
    /// How.
    pub transport: Transport,
    /// Who signs, if anybody does.
    pub signer: Option<Signer>,
    /// The rest.
    pub settings: TestSettings,
}

/// The test called `name`, or problems.
pub fn find(table: &Table, name: &str, problems: &mut Problems) -> Option<Test> {
    let Some((_, section)) = sections(table).find(|(section, _)| *section == name) else {
        let problem = Problem::error(table.place, format!("Configuration test: '{name}' was not found"));
        problems.push(match nearest(name, sections(table).map(|(section, _)| section)) {
            Some(near) => problem.help(format!("did you mean -test={near}?")),
            None => problem.help("name a section with -test"),
        });
        return None;
    };
    let mut own = Problems::of(name);
    refuse_unknown(section, &[TestSettings::table()], &mut own);
    let settings = TestSettings::read(section, &mut own);
    let test = check(section, settings, &mut own);
    problems.append(own);
    test
}

fn check(section: &Table, settings: TestSettings, problems: &mut Problems) -> Option<Test> {
    let address = peer(&settings.ip_address.value)
        .map_err(|why| problems.push(Problem::error(section.place, why).help("write ip_address = \"host:port\"")));
    let sender = settings.sender.value.as_str();
    let (tcp, udp) = (Family::of(sender, "tcp"), Family::of(sender, "udp"));
    let tls = tls::in_effect(settings.use_tls, &settings.tls, Side::Client, section, problems);
    let transport = match (tcp, udp) {
        (Some(family), _) => Some((family, Transport::Tcp { tls: tls.map(Box::new) })),
        (None, Some(family)) => Some((family, Transport::Udp)),
        (None, None) => {
            let why = format!("Error creating sender: unknown network {sender}");
            problems.push(Problem::error(settings.sender.place, why).help("use tcp or udp"));
            None
        }
    };
    for share in [&settings.corrupt_percentage, &settings.signed_percentage, &settings.oversized_percentage] {
        if !(0.0..=100.0).contains(&share.value) {
            problems.push(Problem::error(share.place, format!("{} is no percentage", share.value)).help("0 to 100"));
        }
    }
    if settings.pprof_file.is_some() {
        let why = "`pprof_file` has no effect any more: use a profiler of the system, such as perf";
        problems.push(Problem::warning(section.place, why));
    }
    let signer = settings.signer.as_ref().and_then(|signer| signer.0.signer(section, problems));
    if signer.is_none() && settings.signed_percentage.value > 0.0 && !problems.has_errors() {
        let why = "`signed_percentage` needs a signer";
        let problem = Problem::error(settings.signed_percentage.place, why);
        problems.push(problem.help("add a sub-section `signer` with name, hmac_key and version"));
    }
    let (family, transport) = transport?;
    Some(Test { address: address.ok()?, family, transport, signer, settings })
}

#[cfg(test)]
pub fn test_of(text: &str) -> Result<Test, Vec<String>> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("flood.toml");
    std::fs::write(&path, text).unwrap();
    let (_, table) = hekad::config::load_table(&path, &|_| None).ok().unwrap();
    let mut problems = Problems::default();
    let test = find(&table, "default", &mut problems);
    let errors: Vec<_> = problems.iter().map(|problem| problem.message.clone()).collect();
    test.filter(|_| !problems.has_errors()).ok_or(errors)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_is_read_with_the_originals_defaults() {
        let test = test_of("[default]\nip_address = \"127.0.0.1:5565\"\n").unwrap();
        assert!(matches!(test.transport, Transport::Tcp { tls: None }));
        let settings = &test.settings;
        assert_eq!((settings.num_messages, settings.static_message_size, settings.max_message_size), (0, 1000, 65536));
        assert_eq!((settings.reconnect_interval, settings.message_interval), (5, Duration::ZERO));
        let test = test_of(
            "[default]\nip_address = \":1\"\nsender = \"udp4\"\nmessage_interval = \"10ms\"\nsigned_percentage = 50\n\
             encoder = \"protobuf\"\n[default.signer]\nname = \"ops\"\nhmac_hash = \"sha1\"\nversion = 2\n",
        )
        .unwrap();
        assert!(matches!((test.transport, test.family), (Transport::Udp, Family::V4)));
        assert_eq!(test.signer.unwrap().version, 2);
    }

    #[test]
    fn what_cannot_be_run_is_refused() {
        let cases = [
            ("[other]\n", "Configuration test: 'default' was not found"),
            ("[default]\n", "Error creating sender: missing port in address ``"),
            ("sender = \"pigeon\"", "Error creating sender: unknown network pigeon"),
            ("corrupt_percentage = 101.0", "101 is no percentage"),
            ("signed_percentage = 1.0", "`signed_percentage` needs a signer"),
            ("num_mesages = 1", "unknown config setting for 'default': num_mesages"),
            ("message_interval = \"soon\"", ""),
        ];
        for (text, message) in cases {
            let whole = match text.starts_with('[') {
                true => text.to_owned(),
                false => format!("[default]\nip_address = \"127.0.0.1:1\"\n{text}\n"),
            };
            let errors = test_of(&whole).unwrap_err();
            assert!(errors[0].starts_with(message), "{text}: {errors:?}");
        }
    }
}
