//! The `signer` sub-section of the tools: who vouches for what they send.

use heka_message::{HashFunction, Key, Signer};
use heka_settings::{Problem, Problems, Table, settings};

settings! {
    /// Options of a `signer` sub-section.
    pub struct SignerSettings {
        /// The name the receiver knows the key by.
        name: String = "",
        /// `md5`, `sha1` or `sha256`.
        hmac_hash: String = "md5",
        /// The shared key.
        hmac_key: String = "",
        /// Which of the signer's keys.
        version: u32 = 0u32,
    }
}

impl SignerSettings {
    /// The signer, or a problem at the place of `section`.
    pub fn signer(&self, section: &Table, problems: &mut Problems) -> Option<Signer> {
        let Some(hash) = HashFunction::from_name(&self.hmac_hash) else {
            let place = section.get("signer").map_or(section.place, |entry| entry.place);
            let why = format!("`{}` is no hash function for signatures", self.hmac_hash);
            problems.push(Problem::error(place, why).help("use md5, sha1 or sha256 as hmac_hash"));
            return None;
        };
        let (name, key) = (self.name.as_bytes().to_vec(), Key::new(self.hmac_key.as_bytes()));
        Some(Signer { name, version: self.version, hash, key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signer_is_made_of_its_section() {
        let mut problems = Problems::default();
        let settings =
            SignerSettings { name: "ops".into(), hmac_hash: "sha1".into(), version: 2, ..Default::default() };
        let signer = settings.signer(&Table::default(), &mut problems).unwrap();
        assert_eq!((signer.name.as_slice(), signer.version, signer.hash), (&b"ops"[..], 2, HashFunction::Sha1));
        let settings = SignerSettings { hmac_hash: "crc".into(), ..Default::default() };
        assert!(settings.signer(&Table::default(), &mut problems).is_none() && problems.has_errors());
    }
}
