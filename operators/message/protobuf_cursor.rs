//! A place in protobuf bytes that strangers have sent: every length is checked against what is there, and nesting is
//! counted instead of recursed into.
//!
//! A message of a kilobyte has some fifty tags, each of which begins where the one before has ended. So where a cursor
//! is must stay in a register: what is read for every tag is inlined, and everything else takes cursors by value.

use crate::Span;
use std::ops::Range;

/// Why bytes are not a message, and where it was noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireError {
    /// Offset into the message, in bytes.
    pub offset: usize,
    /// What is wrong there.
    pub cause: WireCause,
}

/// What can be wrong with the bytes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireCause {
    /// The bytes end inside a value.
    Truncated,
    /// A number does not end after ten bytes.
    Overflow,
    /// A tag that protobuf does not allow.
    BadTag,
    /// A field of the schema is encoded as another type.
    WrongType,
    /// Group markers do not match.
    BadGroup,
}

impl std::fmt::Display for WireError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let what = match self.cause {
            WireCause::Truncated => "unexpected end",
            WireCause::Overflow => "number longer than ten bytes",
            WireCause::BadTag => "illegal tag",
            WireCause::WrongType => "wrong wire type for a known field",
            WireCause::BadGroup => "unbalanced group",
        };
        write!(f, "protobuf: {what} at byte {}", self.offset)
    }
}

impl std::error::Error for WireError {}

/// How a value is encoded: the low three bits of its tag.
pub(crate) mod wire_type {
    pub const VARINT: u8 = 0;
    pub const FIXED64: u8 = 1;
    pub const BYTES: u8 = 2;
    pub const GROUP_START: u8 = 3;
    pub const GROUP_END: u8 = 4;
    pub const FIXED32: u8 = 5;
}

/// A place in the bytes of a message; all offsets count from the message's first byte.
#[derive(Clone, Copy)]
pub(crate) struct Cursor<'a> {
    /// The message up to where what is being read ends.
    bytes: &'a [u8],
    at: usize,
    /// Where the message lies in its batch.
    place: Span,
}

impl<'a> Cursor<'a> {
    /// Begins a message that lies at `place` in its batch.
    pub fn new(bytes: &'a [u8], place: Span) -> Self {
        Cursor { bytes, at: 0, place }
    }

    /// The offset of what is read next.
    #[inline(always)]
    pub fn at(&self) -> usize {
        self.at
    }

    /// Whether all has been read.
    #[inline(always)]
    pub fn is_done(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// Something is wrong with what is read next.
    #[inline(always)]
    pub fn error(&self, cause: WireCause) -> WireError {
        WireError { offset: self.at, cause }
    }

    /// The next byte, if it is a whole number by itself.
    #[inline(always)]
    fn small(&mut self) -> Option<u8> {
        let byte = self.bytes.get(self.at).copied().filter(|byte| *byte < 0x80)?;
        self.at += 1;
        Some(byte)
    }

    #[inline(always)]
    pub fn varint(&mut self) -> Result<u64, WireError> {
        if let Some(byte) = self.small() {
            return Ok(u64::from(byte));
        }
        let value;
        (value, self.at) = longer_varint(self.bytes, self.at)?;
        Ok(value)
    }

    /// The next tag: a field's number, from 1 to 2²⁹ − 1, and in the low three bits how its value is encoded.
    #[inline(always)]
    pub fn tag(&mut self) -> Result<u32, WireError> {
        let begin = self.at;
        if let Some(tag @ 8..) = self.small() {
            return Ok(u32::from(tag));
        }
        let tag;
        (tag, self.at) = long_varint(self.bytes, begin)?;
        match u32::try_from(tag) {
            Ok(tag) if tag >> 3 != 0 => Ok(tag),
            _ => Err(WireError { offset: begin, cause: WireCause::BadTag }),
        }
    }

    /// Moves past `len` bytes.
    #[inline(always)]
    fn take(&mut self, len: u64) -> Result<Range<usize>, WireError> {
        match usize::try_from(len) {
            Ok(len) if len <= self.bytes.len() - self.at => {
                let start = self.at;
                self.at += len;
                Ok(start..self.at)
            }
            _ => Err(self.error(WireCause::Truncated)),
        }
    }

    #[inline(always)]
    fn range(&mut self) -> Result<Range<usize>, WireError> {
        match self.small() {
            Some(len) if usize::from(len) <= self.bytes.len() - self.at => {
                let start = self.at;
                self.at += usize::from(len);
                Ok(start..self.at)
            }
            Some(_) => Err(self.error(WireCause::Truncated)),
            None => {
                let len;
                (len, self.at) = longer_varint(self.bytes, self.at)?;
                self.take(len)
            }
        }
    }

    /// A value of bytes.
    #[inline(always)]
    pub fn bytes(&mut self) -> Result<&'a [u8], WireError> {
        let range = self.range()?;
        Ok(&self.bytes[range])
    }

    /// Where a value of bytes lies in the batch.
    #[inline(always)]
    pub fn span(&mut self) -> Result<Span, WireError> {
        let range = self.range()?;
        Ok(self.place.part(range))
    }

    /// The message up to where what is being read ends, what is read next, and where the message lies in its batch.
    #[inline(always)]
    pub fn into_parts(self) -> (&'a [u8], usize, Span) {
        (self.bytes, self.at, self.place)
    }

    /// A value of bytes, to be read by itself.
    #[inline(always)]
    pub fn nested(&mut self) -> Result<Cursor<'a>, WireError> {
        let range = self.range()?;
        Ok(Cursor { bytes: &self.bytes[..range.end], at: range.start, place: self.place })
    }

    #[inline(always)]
    pub fn double(&mut self) -> Result<f64, WireError> {
        let range = self.take(8)?;
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.bytes[range]);
        Ok(f64::from_le_bytes(bytes))
    }

    /// The place behind a value of any type, groups included.
    #[inline(never)]
    pub fn skipped(mut self, wire: u8) -> Result<Self, WireError> {
        let mut depth = 0usize;
        let mut wire = wire;
        loop {
            match wire {
                wire_type::VARINT => {
                    self.varint()?;
                }
                wire_type::FIXED64 => {
                    self.take(8)?;
                }
                wire_type::BYTES => {
                    self.range()?;
                }
                wire_type::FIXED32 => {
                    self.take(4)?;
                }
                wire_type::GROUP_START => depth += 1,
                wire_type::GROUP_END if depth > 0 => depth -= 1,
                wire_type::GROUP_END => return Err(self.error(WireCause::BadGroup)),
                _ => return Err(self.error(WireCause::BadTag)),
            }
            if depth == 0 {
                return Ok(self);
            }
            if self.is_done() {
                return Err(self.error(WireCause::BadGroup));
            }
            wire = (self.tag()? & 7) as u8;
        }
    }
}

/// The number at `at`, whose first byte is not its last, and what comes behind it.
#[inline(always)]
pub(crate) fn longer_varint(bytes: &[u8], at: usize) -> Result<(u64, usize), WireError> {
    match bytes.get(at..at.saturating_add(2)) {
        Some(&[first, last]) if first >= 0x80 && last < 0x80 => {
            Ok((u64::from(first & 0x7f) | u64::from(last) << 7, at + 2))
        }
        _ => long_varint(bytes, at),
    }
}

/// The number at `at`, and what comes behind it.
#[inline(never)]
fn long_varint(bytes: &[u8], at: usize) -> Result<(u64, usize), WireError> {
    let Some(Ok(eight)) = bytes.get(at..at.saturating_add(8)).map(<[u8; 8]>::try_from) else {
        return varint_near_end(bytes, at);
    };
    // Eight bytes at once: the first one without its top bit is the last one of the number.
    let word = u64::from_le_bytes(eight);
    let ends = !word & 0x8080_8080_8080_8080;
    match ends {
        0 => varint_of_nine(bytes, at, seven_bits_each(word)),
        _ => {
            let used = word & (ends ^ (ends - 1));
            Ok((seven_bits_each(used), at + ends.trailing_zeros() as usize / 8 + 1))
        }
    }
}

/// Puts the low seven bits of eight bytes side by side.
#[inline(always)]
fn seven_bits_each(word: u64) -> u64 {
    let word = word & 0x7f7f_7f7f_7f7f_7f7f;
    let pairs = word & 0x007f_007f_007f_007f | (word & 0x7f00_7f00_7f00_7f00) >> 1;
    let fours = pairs & 0x0000_3fff_0000_3fff | (pairs & 0x3fff_0000_3fff_0000) >> 2;
    fours & 0x0000_0000_0fff_ffff | (fours & 0x0fff_ffff_0000_0000) >> 4
}

/// Goes on with a number whose first eight bytes are `value`.
#[inline(always)]
fn varint_of_nine(bytes: &[u8], at: usize, value: u64) -> Result<(u64, usize), WireError> {
    let byte = |i: usize| bytes.get(at + i).copied().ok_or(WireError { offset: at + i, cause: WireCause::Truncated });
    let ninth = byte(8)?;
    let value = value | u64::from(ninth & 0x7f) << 56;
    if ninth < 0x80 {
        return Ok((value, at + 9));
    }
    match byte(9)? {
        // Bits past the 64th are dropped, as all implementations do.
        tenth @ ..0x80 => Ok((value | u64::from(tenth) << 63, at + 10)),
        _ => Err(WireError { offset: at + 10, cause: WireCause::Overflow }),
    }
}

/// A number with fewer than eight bytes left from its beginning on.
fn varint_near_end(bytes: &[u8], at: usize) -> Result<(u64, usize), WireError> {
    let mut value = 0;
    for (i, byte) in bytes.get(at..).unwrap_or_default().iter().enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * i);
        if *byte < 0x80 {
            return Ok((value, at + i + 1));
        }
    }
    Err(WireError { offset: bytes.len(), cause: WireCause::Truncated })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// One byte after the other, as the protocol describes it.
    fn by_bytes(bytes: &[u8], at: usize) -> Result<(u64, usize), WireError> {
        let mut value = 0u64;
        for i in 0..10 {
            let Some(&byte) = bytes.get(at + i) else {
                return Err(WireError { offset: at + i, cause: WireCause::Truncated });
            };
            value |= u64::from(byte & 0x7f) << (7 * i);
            if byte < 0x80 {
                return Ok((value, at + i + 1));
            }
        }
        Err(WireError { offset: at + 10, cause: WireCause::Overflow })
    }

    impl<'a> Cursor<'a> {
        /// One that is to read `range` of a message.
        pub(crate) fn part_of(bytes: &'a [u8], range: Range<usize>, place: Span) -> Cursor<'a> {
            Cursor { bytes: &bytes[..range.end], at: range.start, place }
        }
    }

    proptest! {
        #[test]
        fn numbers_are_what_their_bytes_say(
            long in prop::collection::vec(0x80u8..=0xff, 0..12), rest in prop::collection::vec(any::<u8>(), 0..12),
            at in 0usize..4,
        ) {
            let bytes = [long, rest].concat();
            let at = at.min(bytes.len());
            prop_assert_eq!(long_varint(&bytes, at), by_bytes(&bytes, at));
        }
    }
}
