//! Signatures of frames: an HMAC over the body with a key that both sides know.
//!
//! The original signs with MD5 or SHA1. SHA256 (code 2 on the wire) is an extension: peers that do not know it
//! refuse such a frame, as they refuse any signature they cannot check.

use hmac::{Hmac, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::Sha256;

/// The hash inside the HMAC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HashFunction {
    /// 16 bytes; the default, and left out of the header.
    #[default]
    Md5,
    /// 20 bytes.
    Sha1,
    /// 32 bytes; not known to the original.
    Sha256,
}

impl HashFunction {
    /// All of them.
    pub const ALL: [HashFunction; 3] = [HashFunction::Md5, HashFunction::Sha1, HashFunction::Sha256];

    /// The number that stands for it in a header.
    pub fn code(self) -> u64 {
        match self {
            HashFunction::Md5 => 0,
            HashFunction::Sha1 => 1,
            HashFunction::Sha256 => 2,
        }
    }

    /// The hash a number in a header stands for.
    pub fn from_code(code: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|hash| hash.code() == code)
    }

    /// The word for it in configurations: `md5`, `sha1` or `sha256`.
    pub fn name(self) -> &'static str {
        match self {
            HashFunction::Md5 => "md5",
            HashFunction::Sha1 => "sha1",
            HashFunction::Sha256 => "sha256",
        }
    }

    /// The hash a configuration calls `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hash| hash.name() == name)
    }
}

/// A shared key, prepared for every hash, so that signing and checking start right at the body.
#[derive(Clone)]
pub struct Key {
    md5: Hmac<Md5>,
    sha1: Hmac<Sha1>,
    sha256: Hmac<Sha256>,
}

fn keyed<M: Mac + hmac::digest::KeyInit>(key: &[u8]) -> M {
    // An HMAC key may have any length (RFC 2104, section 2), so the only error this can report never occurs.
    <M as Mac>::new_from_slice(key).unwrap_or_else(|_| unreachable!("an HMAC takes keys of any length"))
}

fn finish<M: Mac + Clone>(keyed: &M, body: &[u8]) -> Digest {
    let code = keyed.clone().chain_update(body).finalize().into_bytes();
    let mut digest = Digest { bytes: [0; 32], len: code.len().min(32) };
    digest.bytes[..digest.len].copy_from_slice(&code[..digest.len]);
    digest
}

impl Key {
    /// Prepares a key of any length.
    pub fn new(key: &[u8]) -> Self {
        Key { md5: keyed(key), sha1: keyed(key), sha256: keyed(key) }
    }

    /// The signature of `body`.
    pub fn sign(&self, hash: HashFunction, body: &[u8]) -> Digest {
        match hash {
            HashFunction::Md5 => finish(&self.md5, body),
            HashFunction::Sha1 => finish(&self.sha1, body),
            HashFunction::Sha256 => finish(&self.sha256, body),
        }
    }

    /// Whether `digest` is the signature of `body`. Takes the same time wherever the two differ, so that
    /// nobody can guess a signature byte by byte.
    pub fn verify(&self, hash: HashFunction, body: &[u8], digest: &[u8]) -> bool {
        match hash {
            HashFunction::Md5 => self.md5.clone().chain_update(body).verify_slice(digest).is_ok(),
            HashFunction::Sha1 => self.sha1.clone().chain_update(body).verify_slice(digest).is_ok(),
            HashFunction::Sha256 => self.sha256.clone().chain_update(body).verify_slice(digest).is_ok(),
        }
    }
}

/// Keys stay out of logs.
impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

/// A signature: 16, 20 or 32 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest {
    bytes: [u8; 32],
    len: usize,
}

impl AsRef<[u8]> for Digest {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// Who signs outgoing frames, and with what.
#[derive(Clone, Debug)]
pub struct Signer {
    /// The name the receiver looks its key up by, together with `version`.
    pub name: Vec<u8>,
    /// The key's version; several may be valid at once while keys are exchanged.
    pub version: u32,
    /// The hash to use.
    pub hash: HashFunction,
    /// The shared key.
    pub key: Key,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|b| format!("{b:02x}")).collect()
    }

    #[test]
    fn signatures_are_those_of_the_standards() {
        // RFC 2202 (MD5, SHA1) and RFC 4231 (SHA256), case 2 of each.
        let key = Key::new(b"Jefe");
        let cases = [
            (HashFunction::Md5, "750c783e6ab0b503eaa86e310a5db738"),
            (HashFunction::Sha1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
            (HashFunction::Sha256, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        ];
        for (hash, expected) in cases {
            let digest = key.sign(hash, b"what do ya want for nothing?");
            assert_eq!(hex(digest.as_ref()), expected, "{hash:?}");
            assert!(key.verify(hash, b"what do ya want for nothing?", digest.as_ref()), "{hash:?}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        let key = Key::new(b"secret");
        for hash in HashFunction::ALL {
            let digest = key.sign(hash, b"body");
            let mut forged = digest.as_ref().to_vec();
            forged[0] ^= 1;
            assert!(!key.verify(hash, b"body", &forged), "{hash:?}: one bit off");
            assert!(!key.verify(hash, b"body", &digest.as_ref()[1..]), "{hash:?}: cut short");
            assert!(!key.verify(hash, b"body", b""), "{hash:?}: empty");
            assert!(!key.verify(hash, b"bodY", digest.as_ref()), "{hash:?}: another body");
            assert!(!Key::new(b"Secret").verify(hash, b"body", digest.as_ref()), "{hash:?}: another key");
        }
    }

    #[test]
    fn codes_and_names_lead_back() {
        for hash in HashFunction::ALL {
            assert_eq!(HashFunction::from_code(hash.code()), Some(hash));
            assert_eq!(HashFunction::from_name(hash.name()), Some(hash));
        }
        assert_eq!(HashFunction::from_code(3), None);
        assert_eq!(HashFunction::from_name("MD5"), None);
    }

    #[test]
    fn a_key_is_not_printed() {
        assert_eq!(format!("{:?}", Key::new(b"secret")), "Key(…)");
    }
}
