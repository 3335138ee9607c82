//! Cipher suites by the names users write.

use tokio_rustls::rustls::SupportedCipherSuite;
use tokio_rustls::rustls::crypto::ring::{DEFAULT_CIPHER_SUITES, cipher_suite as suite};
use tokio_rustls::rustls::version::TLS13;

/// A word in the list that needs a word with the user.
pub(super) enum Word<'a> {
    /// No such suite.
    Unknown(&'a str),
    /// An unsafe suite, and the name of the one that stands in.
    Obsolete(&'a str, &'static str),
}

/// Suites that are offered, by name without the leading `TLS_`.
const OFFERED: [(&str, SupportedCipherSuite); 9] = [
    ("AES_128_GCM_SHA256", suite::TLS13_AES_128_GCM_SHA256),
    ("AES_256_GCM_SHA384", suite::TLS13_AES_256_GCM_SHA384),
    ("CHACHA20_POLY1305_SHA256", suite::TLS13_CHACHA20_POLY1305_SHA256),
    ("ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
    ("ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384),
    ("ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256),
    ("ECDHE_RSA_WITH_AES_128_GCM_SHA256", suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
    ("ECDHE_RSA_WITH_AES_256_GCM_SHA384", suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384),
    ("ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256),
];

/// Suites of the original that are unsafe, each with the closest one that is not: the same kind of
/// certificate, the same length of key.
const OBSOLETE: [(&str, &str); 11] = [
    ("RSA_WITH_RC4_128_SHA", "ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
    ("RSA_WITH_3DES_EDE_CBC_SHA", "ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
    ("RSA_WITH_AES_128_CBC_SHA", "ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
    ("RSA_WITH_AES_256_CBC_SHA", "ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
    ("ECDHE_ECDSA_WITH_RC4_128_SHA", "ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
    ("ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
    ("ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),
    ("ECDHE_RSA_WITH_RC4_128_SHA", "ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
    ("ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", "ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
    ("ECDHE_RSA_WITH_AES_128_CBC_SHA", "ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
    ("ECDHE_RSA_WITH_AES_256_CBC_SHA", "ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
];

fn offered(name: &str) -> Option<SupportedCipherSuite> {
    OFFERED.iter().find(|(known, _)| *known == name).map(|(_, suite)| *suite)
}

/// The suites that `names` ask for, in that order and each once; all when there are no names. The suites of
/// TLS 1.3 stay on unless some of them are named: lists written before it existed cannot have meant to turn
/// it off, and `max_version` does that.
pub(super) fn choose<'a>(names: &'a [String], mut tell: impl FnMut(Word<'a>)) -> Vec<SupportedCipherSuite> {
    if names.is_empty() {
        return DEFAULT_CIPHER_SUITES.to_vec();
    }
    let mut chosen: Vec<SupportedCipherSuite> = Vec::new();
    for name in names {
        let bare = name.strip_prefix("TLS_").unwrap_or(name);
        let suite = offered(bare).or_else(|| {
            let (_, instead) = OBSOLETE.iter().find(|(known, _)| *known == bare)?;
            tell(Word::Obsolete(name, instead));
            offered(instead)
        });
        match suite {
            Some(suite) if !chosen.contains(&suite) => chosen.push(suite),
            Some(_) => {}
            None => tell(Word::Unknown(name)),
        }
    }
    if !chosen.iter().any(|suite| suite.version() == &TLS13) {
        let newest = DEFAULT_CIPHER_SUITES.iter().filter(|suite| suite.version() == &TLS13);
        chosen = newest.copied().chain(chosen).collect();
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_the_original_is_known() {
        let names: Vec<String> = OBSOLETE.iter().map(|(name, _)| (*name).to_owned()).collect();
        let mut obsolete = 0;
        let chosen = choose(&names, |word| match word {
            Word::Obsolete(..) => obsolete += 1,
            Word::Unknown(name) => panic!("{name}"),
        });
        assert_eq!(obsolete, OBSOLETE.len());
        // Four stand-ins of TLS 1.2, each once, behind the three suites of TLS 1.3.
        assert_eq!(chosen.len(), 7);
        assert_eq!(chosen[3], suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256);
    }

    #[test]
    fn the_order_given_is_kept_and_the_prefix_may_be_there() {
        let names = ["TLS_AES_256_GCM_SHA384", "ECDHE_RSA_WITH_AES_128_GCM_SHA256"].map(str::to_owned);
        let chosen = choose(&names, |_| panic!("both are fine"));
        assert_eq!(chosen, [suite::TLS13_AES_256_GCM_SHA384, suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]);
    }
}
