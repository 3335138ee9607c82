//! Session tickets under a key that the user gives, so that several servers can resume each other's sessions.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use tokio_rustls::rustls::server::ProducesTickets;

/// Seals tickets with AES-256-GCM. A ticket is a random nonce, then the sealed state.
pub(super) struct SharedTickets {
    key: LessSafeKey,
    random: SystemRandom,
}

impl SharedTickets {
    /// # Errors
    /// When the library refuses the key.
    pub(super) fn new(key: &[u8; 32]) -> Result<Self, String> {
        let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| "the session ticket key is refused".to_owned())?;
        Ok(SharedTickets { key: LessSafeKey::new(key), random: SystemRandom::new() })
    }
}

impl std::fmt::Debug for SharedTickets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The key is a secret.
        f.write_str("SharedTickets")
    }
}

impl ProducesTickets for SharedTickets {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        12 * 3600
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce).ok()?;
        let mut sealed = plain.to_vec();
        self.key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut sealed).ok()?;
        Some([&nonce[..], &sealed].concat())
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = cipher.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut opened = sealed.to_vec();
        let length = self.key.open_in_place(nonce, Aad::empty(), &mut opened).ok()?.len();
        opened.truncate(length);
        Some(opened)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_opens_only_under_its_key_and_untouched() {
        let here = SharedTickets::new(&[1; 32]).unwrap();
        let there = SharedTickets::new(&[1; 32]).unwrap();
        let other = SharedTickets::new(&[2; 32]).unwrap();
        let ticket = here.encrypt(b"state").unwrap();
        assert_eq!(there.decrypt(&ticket).as_deref(), Some(&b"state"[..]));
        assert_eq!(other.decrypt(&ticket), None);
        for bad in [&ticket[..5], &ticket[..ticket.len() - 1], b""] {
            assert_eq!(there.decrypt(bad), None);
        }
    }
}
