//! Message identities: random ones, and ones derived from a position, which a message keeps when it is
//! delivered again.

/// Sixteen raw bytes.
pub type Uuid = [u8; 16];

/// David Stafford's variant 13 of the 64-bit finaliser of MurmurHash3: every input bit moves every output bit.
#[inline]
fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[inline]
fn stamp(high: u64, low: u64, version: u64) -> Uuid {
    let high = (high & !0xf000) | (version << 12);
    let low = (low & !(0b11 << 62)) | (0b10 << 62);
    let mut uuid = [0; 16];
    uuid[..8].copy_from_slice(&high.to_be_bytes());
    uuid[8..].copy_from_slice(&low.to_be_bytes());
    uuid
}

/// The identity of the record at `position` of the stream known as `key` (RFC 9562, version 8): the same
/// record has the same identity each time it is read, so a consumer that stores by Uuid sees no duplicates.
#[inline]
pub fn derive_uuid(key: u64, position: u64) -> Uuid {
    stamp(mix(key ^ mix(position)), mix(key.rotate_left(32).wrapping_add(mix(!position))), 8)
}

/// Random identities (version 4), cheap enough for one a message: seeded by the system once.
#[derive(Clone, Debug)]
pub struct UuidSource {
    high: u64,
    low: u64,
}

impl UuidSource {
    /// Seeds from the system's random source; if that fails, from the clock and an address.
    pub fn new() -> Self {
        let mut seed = [0u8; 16];
        if getrandom::fill(&mut seed).is_err() {
            let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_nanos());
            seed = (nanos ^ ((&raw const seed as usize as u128) << 64)).to_le_bytes();
        }
        let (high, low) = seed.split_at(8);
        let word = |bytes: &[u8]| bytes.iter().fold(0u64, |word, byte| (word << 8) | u64::from(*byte));
        UuidSource { high: word(high), low: word(low) }
    }

    /// The next identity.
    #[inline]
    pub fn next_uuid(&mut self) -> Uuid {
        self.low = self.low.wrapping_add(0x9e37_79b9_7f4a_7c15);
        stamp(mix(self.low ^ self.high), mix(self.low.wrapping_add(mix(self.high))), 4)
    }
}

impl Default for UuidSource {
    fn default() -> Self {
        UuidSource::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_derived_identity_repeats_and_a_random_one_does_not() {
        assert_eq!(derive_uuid(7, 100), derive_uuid(7, 100));
        assert_ne!(derive_uuid(7, 100), derive_uuid(7, 101));
        assert_ne!(derive_uuid(7, 100), derive_uuid(8, 100));
        let mut source = UuidSource::new();
        let many: std::collections::HashSet<Uuid> = (0..10_000).map(|_| source.next_uuid()).collect();
        assert_eq!(many.len(), 10_000);
        assert!(many.iter().all(|u| u[6] >> 4 == 4 && u[8] >> 6 == 0b10));
        assert_eq!(derive_uuid(7, 100)[6] >> 4, 8);
    }

    #[test]
    fn derived_identities_do_not_collide() {
        let many: std::collections::HashSet<Uuid> =
            (0..100u64).flat_map(|key| (0..1000u64).map(move |at| derive_uuid(key, at * 37))).collect();
        assert_eq!(many.len(), 100_000);
    }
}
