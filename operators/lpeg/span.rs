//! Comparing and scanning bytes of the subject.

const ONES: u64 = u64::from_ne_bytes([1; 8]);
const HIGHS: u64 = u64::from_ne_bytes([0x80; 8]);

/// Bytes scanned a word at a time before a longer search is worth its start.
const NEAR: usize = 32;

/// Whether the `left` bytes at `s` begin with the `length` bytes in `packed`, at most four.
///
/// # Safety
/// `left` bytes can be read at `s`.
#[inline(always)]
pub unsafe fn starts_with_short(s: *const u8, left: usize, packed: u32, length: u8) -> bool {
    unsafe {
        if left >= 4 {
            let next = u32::from_le_bytes(s.cast::<[u8; 4]>().read_unaligned());
            return (next ^ packed) << (32 - 8 * u32::from(length)) == 0;
        }
        left >= usize::from(length) && same(s, packed.to_le_bytes().as_ptr(), usize::from(length))
    }
}

/// Whether `length` bytes at both places are the same.
///
/// # Safety
/// They can be read.
#[inline(always)]
pub unsafe fn same(a: *const u8, b: *const u8, length: usize) -> bool {
    unsafe { std::slice::from_raw_parts(a, length) == std::slice::from_raw_parts(b, length) }
}

/// As `same`, for at least eight bytes that are not many more.
///
/// # Safety
/// They can be read.
#[inline(always)]
pub unsafe fn same_short(a: *const u8, b: *const u8, length: usize) -> bool {
    unsafe {
        let differs = |at: usize| {
            let [a, b] = [a, b].map(|from| u64::from_ne_bytes(from.add(at).cast::<[u8; 8]>().read_unaligned()));
            a != b
        };
        let mut at = 0;
        while at + 8 < length {
            if differs(at) {
                return false;
            }
            at += 8;
        }
        // The last eight, some of them once more.
        !differs(length - 8)
    }
}

/// How many of the `left` bytes at `s` come before the next of the `count` bytes in `packed`, at most three.
///
/// # Safety
/// `left` bytes can be read at `s`.
#[inline(always)]
pub unsafe fn until(s: *const u8, left: usize, packed: u32, count: u16) -> usize {
    let [a, b, c, _] = packed.to_le_bytes();
    unsafe {
        match count {
            0 => left,
            1 => scan(s, left, |word| zeros(word ^ spread(a)), |rest| memchr::memchr(a, rest)),
            2 => scan(
                s,
                left,
                |word| zeros(word ^ spread(a)) | zeros(word ^ spread(b)),
                |rest| memchr::memchr2(a, b, rest),
            ),
            _ => scan(
                s,
                left,
                |word| zeros(word ^ spread(a)) | zeros(word ^ spread(b)) | zeros(word ^ spread(c)),
                |rest| memchr::memchr3(a, b, c, rest),
            ),
        }
    }
}

fn spread(byte: u8) -> u64 {
    ONES * u64::from(byte)
}

/// A word whose lowest bit set tells the first zero byte; higher bits tell nothing.
fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGHS
}

#[inline(always)]
unsafe fn scan(s: *const u8, left: usize, hits: impl Fn(u64) -> u64, find: impl Fn(&[u8]) -> Option<usize>) -> usize {
    let mut at = 0;
    unsafe {
        while at < NEAR {
            if left - at < 8 {
                // The last bytes of the subject: fewer than a word.
                let mut tail = [0; 8];
                std::ptr::copy_nonoverlapping(s.add(at), tail.as_mut_ptr(), left - at);
                let hit = hits(u64::from_le_bytes(tail)).trailing_zeros() as usize / 8;
                return at + hit.min(left - at);
            }
            let word = u64::from_le_bytes(s.add(at).cast::<[u8; 8]>().read_unaligned());
            let hit = hits(word);
            if hit != 0 {
                return at + hit.trailing_zeros() as usize / 8;
            }
            at += 8;
        }
        at + find(std::slice::from_raw_parts(s.add(at), left - at)).unwrap_or(left - at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scanning_stops_at_the_first_of_the_bytes_wherever_it_is() {
        for length in 0..80 {
            for at in 0..=length {
                let mut text = vec![b'x'; length];
                if at < length {
                    text[at] = b'!';
                }
                for (packed, count) in [(*b"!...", 1), (*b"?!..", 2), (*b"?+!.", 3)] {
                    let found = unsafe { until(text.as_ptr(), length, u32::from_le_bytes(packed), count) };
                    assert_eq!(found, at, "{count} bytes, {at} of {length}");
                }
            }
        }
        assert_eq!(unsafe { until(b"ab\0\x01\x80\xffc".as_ptr(), 7, u32::from_le_bytes(*b"c..."), 1) }, 6);
    }

    #[test]
    fn texts_of_eight_bytes_and_more_are_compared_up_to_the_last_one() {
        let text: Vec<u8> = (0..40).collect();
        for length in 8..40 {
            assert!(unsafe { same_short(text.as_ptr(), text.clone().as_ptr(), length) });
            for at in 0..40 {
                let mut other = text.clone();
                other[at] = 99;
                let same = unsafe { same_short(text.as_ptr(), other.as_ptr(), length) };
                assert_eq!(same, at >= length, "{length} bytes, another one at {at}");
            }
        }
    }

    #[test]
    fn short_strings_are_compared_up_to_the_last_byte() {
        let starts = |text: &[u8], with: &[u8; 4], length| unsafe {
            let packed = u32::from_le_bytes(*with);
            starts_with_short(text.as_ptr(), text.len(), packed, length)
        };
        assert!(starts(b"GETx", b"GET\0", 3) && starts(b"GET", b"GET\0", 3) && starts(b"POST", b"POST", 4));
        assert!(!starts(b"GE", b"GET\0", 3) && !starts(b"GExx", b"GET\0", 3) && !starts(b"", b"G\0\0\0", 1));
    }
}
