//! Frames in a file: each with its place, and what lies between them.

use heka_message::framing::{FrameStep, read_frame};
use std::io::{self, ErrorKind, Read};
use std::ops::Range;

/// Bytes read at once.
const READ: usize = 256 * 1024;

/// What comes next in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// A frame that begins at `offset`; see [`Frames::body`] and [`Frames::frame`].
    Message { offset: u64 },
    /// So many bytes that belong to no frame.
    Garbage { offset: u64, bytes: u64 },
    /// Nothing yet: the file was read on.
    Nothing,
    /// There is no more now.
    End,
}

/// The frames of a file.
pub struct Frames<R> {
    input: R,
    max_message_size: usize,
    buffer: Vec<u8>,
    /// The first byte of `buffer` that has not been looked at.
    at: usize,
    /// Where `buffer` begins in the file.
    start: u64,
    /// Bytes before `at` that belong to no frame and were not told of.
    garbage: u64,
    body: Range<usize>,
    frame: Range<usize>,
}

impl<R: Read> Frames<R> {
    /// The frames of what `input` has left; its next byte is at `offset` of the file.
    pub fn new(input: R, offset: u64, max_message_size: usize) -> Self {
        let (buffer, at, garbage, body, frame) = (Vec::new(), 0, 0, 0..0, 0..0);
        Frames { input, max_message_size, buffer, at, start: offset, garbage, body, frame }
    }

    /// The body of the frame that was found last.
    pub fn body(&self) -> &[u8] {
        &self.buffer[self.body.clone()]
    }

    /// The whole frame that was found last.
    pub fn frame(&self) -> &[u8] {
        &self.buffer[self.frame.clone()]
    }

    /// What comes next. When there are no more bytes and the file is `whole`, half a frame at its end is garbage,
    /// and what looks like frames inside it is looked at.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn next(&mut self, whole: bool) -> io::Result<Found> {
        loop {
            match read_frame(&self.buffer[self.at..], self.max_message_size) {
                FrameStep::Skip(bytes, _) => self.skip(bytes),
                FrameStep::Frame(_) if self.garbage > 0 => return Ok(self.take_garbage()),
                FrameStep::Frame(frame) => {
                    let (at, total) = (self.at, frame.total);
                    self.body = at + frame.body.start..at + frame.body.end;
                    self.frame = at..at + total;
                    self.at += total;
                    return Ok(Found::Message { offset: self.start + at as u64 });
                }
                FrameStep::Incomplete => {
                    if self.fill()? > 0 {
                        return Ok(Found::Nothing);
                    }
                    match self.buffer.len() - self.at {
                        rest if rest > 0 && whole => {
                            let next = memchr::memchr(0x1e, &self.buffer[self.at + 1..]).map_or(rest, |next| next + 1);
                            self.skip(next);
                        }
                        _ if self.garbage > 0 => return Ok(self.take_garbage()),
                        _ => return Ok(Found::End),
                    }
                }
            }
        }
    }

    fn skip(&mut self, bytes: usize) {
        self.at += bytes;
        self.garbage += bytes as u64;
    }

    fn take_garbage(&mut self) -> Found {
        let bytes = std::mem::take(&mut self.garbage);
        Found::Garbage { offset: self.start + self.at as u64 - bytes, bytes }
    }

    /// Reads on; the number of bytes read.
    fn fill(&mut self) -> io::Result<usize> {
        self.buffer.drain(..self.at);
        self.start += self.at as u64;
        self.at = 0;
        let length = self.buffer.len();
        self.buffer.resize(length + READ, 0);
        let read = loop {
            match self.input.read(&mut self.buffer[length..]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        self.buffer.truncate(length + *read.as_ref().unwrap_or(&0));
        read
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use heka_message::framing::write_frame;
    use proptest::prelude::*;

    fn framed(body: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        write_frame(body, 1 << 20, &mut out).unwrap();
        out
    }

    /// Gives a few bytes at a time.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let n = self.1.min(self.0.len()).min(out.len());
            out[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    /// Everything found: bodies with their offsets, and garbage.
    fn all(data: &[u8], step: usize, offset: u64) -> Vec<(u64, Result<Vec<u8>, u64>)> {
        let mut frames = Frames::new(Slow(data, step), offset, 1 << 20);
        let mut all = Vec::new();
        loop {
            match frames.next(true).unwrap() {
                Found::Message { offset } => all.push((offset, Ok(frames.body().to_vec()))),
                Found::Garbage { offset, bytes } => all.push((offset, Err(bytes))),
                Found::Nothing => {}
                Found::End => return all,
            }
        }
    }

    #[test]
    fn garbage_is_told_with_its_place_and_size() {
        let (a, b) = (framed(b"a"), framed(b"bb"));
        // Four bytes of noise, a frame, half a frame that holds a whole one.
        let data = [b"nois".as_slice(), &a, &framed(&[0; 50])[..7], &b].concat();
        let expected = vec![(100, Err(4)), (104, Ok(b"a".to_vec())), (110, Err(7)), (117, Ok(b"bb".to_vec()))];
        for step in [1, 3, 1000] {
            assert_eq!(all(&data, step, 100), expected, "{step}");
        }
        assert_eq!(all(b"", 1, 0), []);
        assert_eq!(all(b"xyz", 1, 0), [(0, Err(3))]);
    }

    #[test]
    fn a_file_that_grows_is_waited_for() {
        let whole = framed(b"message");
        let (first, second) = whole.split_at(5);
        let mut frames = Frames::new(Slow(first, 100), 0, 1 << 20);
        assert_eq!(frames.next(false).unwrap(), Found::Nothing);
        assert_eq!(frames.next(false).unwrap(), Found::End);
        frames.input = Slow(second, 100);
        assert_eq!(frames.next(false).unwrap(), Found::Nothing);
        assert_eq!(frames.next(false).unwrap(), Found::Message { offset: 0 });
        assert_eq!((frames.body(), frames.frame()), (&b"message"[..], &whole[..]));
    }

    proptest! {
        #[test]
        fn every_byte_is_in_a_frame_or_told_of(
            pieces in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..40)), 0..12),
            step in 1usize..50,
        ) {
            let data: Vec<u8> =
                pieces.iter().flat_map(|(frame, bytes)| if *frame { framed(bytes) } else { bytes.clone() }).collect();
            let mut at = 0;
            for (offset, found) in all(&data, step, 0) {
                prop_assert_eq!(offset, at);
                at += match found {
                    Ok(body) => framed(&body).len() as u64,
                    Err(bytes) => bytes,
                };
            }
            prop_assert!(at <= data.len() as u64);
        }
    }
}
