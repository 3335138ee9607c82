//! Heka's framing: how messages lie one behind the other in a stream or file.
//!
//! ```text
//! 0x1E | length of the header (1 byte) | header (protobuf) | 0x1F | body
//! ```
//!
//! The header tells the body's length and, when the frame is signed, who signed it and how. A reader that has
//! lost its place finds the next frame by its `0x1E`, and knows by the `0x1F` and the header whether it is one.

use crate::signing::Signer;
use std::fmt;
use std::ops::Range;

/// First byte of a frame.
pub const RECORD_SEPARATOR: u8 = 0x1e;
/// Last byte before the body.
pub const UNIT_SEPARATOR: u8 = 0x1f;
/// Largest header, in bytes.
pub const MAX_HEADER_SIZE: usize = 255;
/// What a frame adds to header and body: both separators and the header's length.
pub const FRAMING_OVERHEAD: usize = 3;
/// The most a frame adds to its body.
pub const MAX_FRAME_OVERHEAD: usize = FRAMING_OVERHEAD + MAX_HEADER_SIZE;

// Keys of the header's fields on the wire: field number and wire type.
const MESSAGE_LENGTH: u8 = 1 << 3;
const HMAC_HASH_FUNCTION: u8 = 3 << 3;
const HMAC_SIGNER: u8 = 4 << 3 | 2;
const HMAC_KEY_VERSION: u8 = 5 << 3;
const HMAC: u8 = 6 << 3 | 2;
/// Not known to the original, which skips it: see [`write_looped_frame`].
const LOOPS: u8 = 15 << 3;

/// Why a body cannot be framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// The body is larger than a message may be.
    MessageTooBig {
        /// Bytes of the body.
        needs: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// The signer's name does not fit into a header.
    HeaderTooBig {
        /// Bytes of the header.
        needs: usize,
    },
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FrameError::MessageTooBig { needs, max } => {
                write!(f, "Message too big, requires {needs} (MAX_MESSAGE_SIZE = {max})")
            }
            FrameError::HeaderTooBig { needs } => {
                write!(f, "Message header too big, requires {needs} (MAX_HEADER_SIZE = {MAX_HEADER_SIZE})")
            }
        }
    }
}

impl std::error::Error for FrameError {}

/// Everything before the body of an unsigned frame. At most 20 bytes, kept where it is made.
struct Prefix {
    bytes: [u8; 20],
    len: usize,
}

impl Prefix {
    fn new(body: usize, loops: u32, max: usize) -> Result<Self, FrameError> {
        if body > max {
            return Err(FrameError::MessageTooBig { needs: body, max });
        }
        let mut prefix = Prefix { bytes: [0; 20], len: 0 };
        prefix.push(RECORD_SEPARATOR);
        prefix.push(0);
        prefix.number(MESSAGE_LENGTH, body as u64);
        if loops > 0 {
            prefix.number(LOOPS, u64::from(loops));
        }
        prefix.bytes[1] = (prefix.len - 2) as u8;
        prefix.push(UNIT_SEPARATOR);
        Ok(prefix)
    }

    fn push(&mut self, byte: u8) {
        self.bytes[self.len] = byte;
        self.len += 1;
    }

    fn number(&mut self, key: u8, mut value: u64) {
        self.push(key);
        while value >= 0x80 {
            self.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.push(value as u8);
    }
}

impl AsRef<[u8]> for Prefix {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// Appends `body` in an unsigned frame. On an error nothing is appended.
///
/// # Errors
/// When the body is larger than `max_message_size`.
pub fn write_frame(body: &[u8], max_message_size: usize, out: &mut Vec<u8>) -> Result<(), FrameError> {
    write_looped_frame(body, 0, max_message_size, out)
}

/// Appends `body` in an unsigned frame that remembers how often the message has gone round a loop: for queues on
/// disk, so that a loop through one ends like any other. Readers that do not know the field skip it.
///
/// # Errors
/// When the body is larger than `max_message_size`.
pub fn write_looped_frame(
    body: &[u8],
    loops: u32,
    max_message_size: usize,
    out: &mut Vec<u8>,
) -> Result<(), FrameError> {
    let prefix = Prefix::new(body.len(), loops, max_message_size)?;
    out.reserve(prefix.len + body.len());
    out.extend_from_slice(prefix.as_ref());
    out.extend_from_slice(body);
    Ok(())
}

/// Puts an unsigned frame around what has been written to `out` from `start` on: an encoder writes straight
/// into the output's buffer, and the frame costs one short move. On an error `out` stays as it is.
///
/// # Errors
/// When the body is larger than `max_message_size`.
pub fn frame_in_place(out: &mut Vec<u8>, start: usize, max_message_size: usize) -> Result<(), FrameError> {
    let start = start.min(out.len());
    let end = out.len();
    let prefix = Prefix::new(end - start, 0, max_message_size)?;
    out.resize(end + prefix.len, 0);
    out.copy_within(start..end, start + prefix.len);
    out[start..start + prefix.len].copy_from_slice(prefix.as_ref());
    Ok(())
}

/// Frames what an encoder writes straight into an output's buffer. Before each body it leaves as much room as the last
/// prefix took, so that nothing is moved unless the next one has another length.
#[derive(Clone, Copy, Debug)]
pub struct FrameWriter {
    room: usize,
}

impl Default for FrameWriter {
    /// Room for what most messages need.
    fn default() -> Self {
        FrameWriter { room: 6 }
    }
}

impl FrameWriter {
    /// Begins a frame and returns where; the body is to be appended behind the room it leaves.
    #[inline]
    pub fn begin(self, out: &mut Vec<u8>) -> usize {
        let start = out.len();
        out.resize(start + self.room, 0);
        start
    }

    /// Ends the frame begun at `start`; see [`write_looped_frame`] for `loops`. On an error the caller cuts `out` off
    /// at `start`.
    ///
    /// # Errors
    /// When the body is larger than `max_message_size`.
    pub fn end(&mut self, out: &mut Vec<u8>, start: usize, loops: u32, max: usize) -> Result<(), FrameError> {
        let body = start + self.room;
        let prefix = Prefix::new(out.len().saturating_sub(body), loops, max)?;
        if prefix.len != self.room {
            let end = out.len();
            if prefix.len > self.room {
                out.resize(end + prefix.len - self.room, 0);
            }
            out.copy_within(body..end, start + prefix.len);
            out.truncate(end + prefix.len - self.room);
            self.room = prefix.len;
        }
        out[start..start + prefix.len].copy_from_slice(prefix.as_ref());
        Ok(())
    }
}

/// Appends `body` in a frame that `signer` vouches for. On an error nothing is appended.
///
/// # Errors
/// When the body is larger than `max_message_size`, or the signer's name too long for a header.
pub fn write_signed_frame(
    body: &[u8],
    signer: &Signer,
    max_message_size: usize,
    out: &mut Vec<u8>,
) -> Result<(), FrameError> {
    if body.len() > max_message_size {
        return Err(FrameError::MessageTooBig { needs: body.len(), max: max_message_size });
    }
    let digest = signer.key.sign(signer.hash, body);
    let mut header = Vec::with_capacity(MAX_HEADER_SIZE);
    header.push(MESSAGE_LENGTH);
    push_varint(body.len() as u64, &mut header);
    if signer.hash.code() != 0 {
        header.push(HMAC_HASH_FUNCTION);
        push_varint(signer.hash.code(), &mut header);
    }
    header.push(HMAC_SIGNER);
    push_varint(signer.name.len() as u64, &mut header);
    header.extend_from_slice(&signer.name);
    header.push(HMAC_KEY_VERSION);
    push_varint(u64::from(signer.version), &mut header);
    header.push(HMAC);
    push_varint(digest.as_ref().len() as u64, &mut header);
    header.extend_from_slice(digest.as_ref());
    let Ok(header_len) = u8::try_from(header.len()) else {
        return Err(FrameError::HeaderTooBig { needs: header.len() });
    };
    out.reserve(FRAMING_OVERHEAD + header.len() + body.len());
    out.extend_from_slice(&[RECORD_SEPARATOR, header_len]);
    out.extend_from_slice(&header);
    out.push(UNIT_SEPARATOR);
    out.extend_from_slice(body);
    Ok(())
}

fn push_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// What a frame says of its body. Nothing in it is to be believed before the signature has been checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header<'a> {
    /// Bytes of the body; 0 when the header does not tell.
    pub message_length: u64,
    /// The number of the hash function, see [`HashFunction::from_code`](crate::HashFunction::from_code).
    pub hash_code: u64,
    /// Who claims to have signed.
    pub signer: &'a [u8],
    /// Which of the signer's keys.
    pub key_version: u64,
    /// The signature; `None` when the frame is not signed, whatever it says of a signer.
    pub digest: Option<&'a [u8]>,
    /// How often the message has gone round a loop; only to be believed of our own files.
    pub loops: u64,
}

/// Why the bytes between `0x1E` and `0x1F` are no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderError {
    /// A field goes on behind the end.
    UnexpectedEnd,
    /// A number has more than 64 bits.
    LongNumber,
    /// A field has a number or a wire type that does not exist, or not there.
    BadField(u64),
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HeaderError::UnexpectedEnd => f.write_str("unexpected end of the header"),
            HeaderError::LongNumber => f.write_str("a number of more than 64 bits"),
            HeaderError::BadField(key) => write!(f, "field {} with wire type {}", key >> 3, key & 7),
        }
    }
}

impl<'a> Header<'a> {
    /// Reads a header; fields it does not know are skipped.
    ///
    /// # Errors
    /// When the bytes are no such protobuf message.
    #[inline]
    pub fn read(bytes: &'a [u8]) -> Result<Self, HeaderError> {
        // Most headers hold a length of up to three bytes and nothing else.
        let low = |byte: u8| u64::from(byte & 0x7f);
        let message_length = match *bytes {
            [MESSAGE_LENGTH, a] if a < 0x80 => low(a),
            [MESSAGE_LENGTH, a, b] if a >= 0x80 && b < 0x80 => low(a) | low(b) << 7,
            [MESSAGE_LENGTH, a, b, c] if a >= 0x80 && b >= 0x80 && c < 0x80 => low(a) | low(b) << 7 | low(c) << 14,
            _ => return Header::read_any(bytes),
        };
        Ok(Header { message_length, ..Header::default() })
    }

    #[inline(never)]
    fn read_any(mut bytes: &'a [u8]) -> Result<Self, HeaderError> {
        let mut header = Header::default();
        while !bytes.is_empty() {
            let key = take_varint(&mut bytes)?;
            const LENGTH: u64 = MESSAGE_LENGTH as u64;
            const HASH: u64 = HMAC_HASH_FUNCTION as u64;
            const SIGNER: u64 = HMAC_SIGNER as u64;
            const VERSION: u64 = HMAC_KEY_VERSION as u64;
            const DIGEST: u64 = HMAC as u64;
            const ROUND: u64 = LOOPS as u64;
            match key {
                LENGTH => header.message_length = take_varint(&mut bytes)?,
                HASH => header.hash_code = take_varint(&mut bytes)?,
                SIGNER => header.signer = take_bytes(&mut bytes)?,
                VERSION => header.key_version = take_varint(&mut bytes)?,
                DIGEST => header.digest = Some(take_bytes(&mut bytes)?),
                ROUND => header.loops = take_varint(&mut bytes)?,
                _ if matches!(key >> 3, 0 | 1 | 3..=6) => return Err(HeaderError::BadField(key)),
                _ => skip_value(key, &mut bytes)?,
            }
        }
        Ok(header)
    }
}

fn take<'a>(bytes: &mut &'a [u8], n: u64) -> Result<&'a [u8], HeaderError> {
    let n = usize::try_from(n).map_err(|_| HeaderError::UnexpectedEnd)?;
    let (taken, rest) = bytes.split_at_checked(n).ok_or(HeaderError::UnexpectedEnd)?;
    *bytes = rest;
    Ok(taken)
}

fn take_bytes<'a>(bytes: &mut &'a [u8]) -> Result<&'a [u8], HeaderError> {
    let n = take_varint(bytes)?;
    take(bytes, n)
}

fn take_varint(bytes: &mut &[u8]) -> Result<u64, HeaderError> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first().ok_or(HeaderError::UnexpectedEnd)?;
        *bytes = rest;
        if shift == 63 && byte > 1 {
            return Err(HeaderError::LongNumber);
        }
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err(HeaderError::LongNumber)
}

fn skip_value(key: u64, bytes: &mut &[u8]) -> Result<(), HeaderError> {
    match key & 7 {
        0 => take_varint(bytes).map(drop),
        1 => take(bytes, 8).map(drop),
        2 => take_bytes(bytes).map(drop),
        5 => take(bytes, 4).map(drop),
        _ => Err(HeaderError::BadField(key)),
    }
}

/// Why bytes are no frame. Displays as the original's log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkipReason {
    /// No frame begins here, or what looked like one has no `0x1F` behind its header. Not worth a log line.
    Garbage,
    /// The header cannot be read.
    BadHeader(HeaderError),
    /// The body would be larger than a message may be.
    TooLong {
        /// Bytes the header announces.
        len: u64,
        /// Bytes allowed.
        max: usize,
    },
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SkipReason::Garbage => f.write_str("no frame begins here"),
            SkipReason::BadHeader(error) => write!(f, "error unmarshaling header: {error}"),
            SkipReason::TooLong { len, max } => {
                write!(f, "message exceeds the maximum length [{max} bytes] len: {len}")
            }
        }
    }
}

/// One frame found at the start of some bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Its header.
    pub header: Header<'a>,
    /// Where its body lies.
    pub body: Range<usize>,
    /// Bytes of the whole frame.
    pub total: usize,
}

/// What lies at the start of some bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FrameStep<'a> {
    /// Nothing, or a frame that goes on behind them.
    Incomplete,
    /// So many bytes (at least one) that are no frame.
    Skip(usize, SkipReason),
    /// A whole frame.
    Frame(Frame<'a>),
}

/// Looks at the start of `data`. A reader that skips what it is told to skip, and takes each frame it is given,
/// finds every good frame again after any garbage: a bogus frame is left by its first byte only, so that good
/// frames inside it are found.
///
/// A frame whose length field was changed to another allowed value swallows what follows, until that many
/// bytes have come; no reader can know better.
pub fn read_frame(data: &[u8], max_message_size: usize) -> FrameStep<'_> {
    match data {
        [] => return FrameStep::Incomplete,
        [RECORD_SEPARATOR, ..] => {}
        _ => return FrameStep::Skip(next_separator(data), SkipReason::Garbage),
    }
    let Some(&header_len) = data.get(1) else { return FrameStep::Incomplete };
    let header_end = 2 + usize::from(header_len);
    let Some(&separator) = data.get(header_end) else { return FrameStep::Incomplete };
    // The first byte is no frame's start after all; the next candidate comes behind it.
    let resync = |why| FrameStep::Skip(1 + next_separator(&data[1..]), why);
    if separator != UNIT_SEPARATOR {
        return resync(SkipReason::Garbage);
    }
    let header = match Header::read(&data[2..header_end]) {
        Ok(header) => header,
        Err(error) => return resync(SkipReason::BadHeader(error)),
    };
    if header.message_length > max_message_size as u64 {
        return resync(SkipReason::TooLong { len: header.message_length, max: max_message_size });
    }
    let start = header_end + 1;
    let total = start + header.message_length as usize;
    if data.len() < total {
        return FrameStep::Incomplete;
    }
    FrameStep::Frame(Frame { header, body: start..total, total })
}

/// Bytes before the next `0x1E`; all of them when there is none.
fn next_separator(data: &[u8]) -> usize {
    memchr::memchr(RECORD_SEPARATOR, data).unwrap_or(data.len())
}

#[cfg(test)]
#[path = "framing_tests.rs"]
mod tests;
