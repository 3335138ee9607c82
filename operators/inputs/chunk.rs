//! What an input hands over: bytes of one stream, with where they come from.

use crate::inputs::Credit;
use bytes::Bytes;
use std::sync::{Arc, Mutex, PoisonError};

/// A field every message of a stream carries, beside its header.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldSeed {
    /// Name, representation, text.
    String(String, String, Vec<u8>),
    /// Name, representation, number.
    Integer(String, String, i64),
    /// Name, representation, number.
    Double(String, String, f64),
}

/// One stream of bytes within an input: a TCP connection, a log stream, a socket. Header values apply to
/// messages whose splitter delivers into the payload.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stream {
    /// Distinguishes the streams of one input; splitters keep state per stream.
    pub id: u32,
    /// What the stream is called in reports and worker names.
    pub token: String,
    /// `Logger`.
    pub logger: Vec<u8>,
    /// `Type`; unset when `None`.
    pub msg_type: Option<Vec<u8>>,
    /// `Hostname`; unset when `None`.
    pub hostname: Option<Vec<u8>>,
    /// `EnvVersion`; unset when `None`.
    pub env_version: Option<Vec<u8>>,
    /// `Severity`; unset (7) when `None`.
    pub severity: Option<i32>,
    /// `Pid`; unset when `None`.
    pub pid: Option<i32>,
    /// Fields.
    pub fields: Vec<FieldSeed>,
    /// Hash of what identifies the bytes across restarts (stream name and content of the file); 0 when the
    /// source cannot be read again, then messages get random identities.
    pub key: u64,
}

/// What follows the bytes of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChunkEnd {
    /// More bytes of the same stream: a partial record waits for them.
    More,
    /// The datagram or block ends here: a partial record is dropped, or delivered when the splitter is told to.
    Packet,
    /// The stream ends here, and its state may be forgotten.
    Stream,
}

/// Bytes of one stream.
#[derive(Debug)]
pub struct Chunk {
    /// The bytes.
    pub bytes: ChunkBuf,
    /// Where they come from.
    pub stream: Arc<Stream>,
    /// Position of the first byte in the stream, in bytes since this process opened it: what [`Commit`]s
    /// count in. Grows by the bytes delivered and never falls.
    ///
    /// [`Commit`]: crate::inputs::Commit
    pub position: u64,
    /// Position of the first byte that, with the stream's key, identifies its records across restarts: the
    /// offset in the file.
    pub offset: u64,
    /// What follows.
    pub end: ChunkEnd,
    /// Where each datagram ends in `bytes`, when a chunk that ends with [`ChunkEnd::Packet`] carries several:
    /// every one of them is then cut by itself, as if it had come in a chunk of its own. Empty means that the
    /// bytes are one packet.
    pub packets: Vec<u32>,
    /// When the bytes were read: nanoseconds since the UNIX epoch.
    pub received: i64,
    /// The share of the budget the bytes take.
    pub credit: Option<Credit>,
}

/// Bytes with room before them, so that the partial record of the chunk before can be put in front without
/// moving anything. Comes from a [`ChunkPool`] and returns to it, or shares bytes that somebody else has.
#[derive(Debug, Default)]
pub struct ChunkBuf {
    data: Vec<u8>,
    start: usize,
    end: usize,
    pool: Option<Arc<ChunkPool>>,
    /// Takes the place of `data`.
    shared: Option<Bytes>,
}

impl ChunkBuf {
    /// A buffer that holds just these bytes.
    pub fn copy_of(bytes: &[u8]) -> Self {
        ChunkBuf::of(bytes.to_vec())
    }

    fn of(data: Vec<u8>) -> Self {
        let end = data.len();
        ChunkBuf { data, start: 0, end, pool: None, shared: None }
    }

    /// A buffer of bytes that lie in memory already.
    pub fn shared(bytes: Bytes) -> Self {
        ChunkBuf { data: Vec::new(), start: 0, end: bytes.len(), pool: None, shared: Some(bytes) }
    }

    /// The room behind the bytes so far, for reading into.
    pub fn spare(&mut self) -> &mut [u8] {
        self.data.get_mut(self.end..).unwrap_or_default()
    }

    /// Counts `n` bytes of the spare room as read; no more than there is room for.
    pub fn advance(&mut self, n: usize) {
        self.end += n.min(self.spare().len());
    }

    /// How many bytes.
    pub fn len(&self) -> usize {
        self.end - self.start
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Bytes of memory behind it.
    pub fn capacity(&self) -> usize {
        self.shared.as_ref().map_or(self.data.len(), Bytes::len)
    }

    /// Puts `bytes` in front: into the room left for that, or, when they do not fit, into a larger buffer.
    pub fn prepend(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        match self.start.checked_sub(bytes.len()) {
            Some(start) if self.shared.is_none() => {
                self.data[start..self.start].copy_from_slice(bytes);
                self.start = start;
            }
            _ => {
                *self = ChunkBuf::of([bytes, self.as_ref()].concat());
            }
        }
    }

    /// Gives the buffer to the dataflow: from now on it is shared and does not change. When the last holder
    /// lets go it returns to its pool.
    pub fn freeze(mut self) -> Bytes {
        match self.shared.take() {
            Some(bytes) => bytes.slice(self.start..self.end),
            None => Bytes::from_owner(self),
        }
    }
}

impl AsRef<[u8]> for ChunkBuf {
    fn as_ref(&self) -> &[u8] {
        &self.shared.as_deref().unwrap_or(&self.data)[self.start..self.end]
    }
}

impl Drop for ChunkBuf {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.take() {
            pool.put(std::mem::take(&mut self.data));
        }
    }
}

/// Buffers of one size, used again and again: a reader that makes new ones pays for every page.
#[derive(Debug)]
pub struct ChunkPool {
    size: usize,
    headroom: usize,
    keep: usize,
    free: Mutex<Vec<Vec<u8>>>,
}

impl ChunkPool {
    /// A pool of buffers for `size` bytes, with `headroom` bytes before them, of which at most `keep` idle
    /// ones are kept.
    pub fn new(size: usize, headroom: usize, keep: usize) -> Arc<Self> {
        Arc::new(ChunkPool { size, headroom, keep, free: Mutex::new(Vec::new()) })
    }

    /// An empty buffer.
    pub fn take(self: &Arc<Self>) -> ChunkBuf {
        // The lock only guards a list of idle buffers, which a panic cannot leave half changed.
        let idle = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let data = idle.unwrap_or_else(|| vec![0; self.headroom + self.size]);
        ChunkBuf { data, start: self.headroom, end: self.headroom, pool: Some(self.clone()), shared: None }
    }

    /// Bytes one buffer can read.
    pub fn size(&self) -> usize {
        self.size
    }

    fn put(&self, data: Vec<u8>) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < self.keep && data.len() == self.headroom + self.size {
            free.push(data);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_carried_over_goes_in_front() {
        let pool = ChunkPool::new(16, 4, 1);
        let mut buf = pool.take();
        buf.spare()[..3].copy_from_slice(b"def");
        buf.advance(3);
        buf.prepend(b"abc");
        assert_eq!(buf.as_ref(), b"abcdef");
        buf.prepend(b"0123456789");
        assert_eq!(buf.as_ref(), b"0123456789abcdef");
        drop(buf);
        let buf = pool.take();
        drop(buf.freeze());
        assert_eq!(pool.free.lock().unwrap().len(), 1);
    }

    #[test]
    fn shared_bytes_stay_where_they_are_unless_something_goes_in_front() {
        let bytes = Bytes::from(b"def".to_vec());
        let place = bytes.as_ptr();
        let mut buf = ChunkBuf::shared(bytes.clone());
        assert!(buf.spare().is_empty() && buf.len() == 3 && buf.capacity() == 3);
        buf.advance(1);
        buf.prepend(b"");
        assert_eq!(buf.as_ref(), b"def");
        assert_eq!(buf.freeze().as_ptr(), place);
        let mut buf = ChunkBuf::shared(bytes);
        buf.prepend(b"abc");
        assert_eq!(buf.freeze(), b"abcdef".as_slice());
    }
}
