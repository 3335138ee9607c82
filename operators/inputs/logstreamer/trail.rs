//! Leads from a position in the stream back to a place in a file. Commits come long after the bytes were
//! handed over, when the file may be renamed, truncated or gone; what is needed for the journal is kept here
//! until then.

use super::journal::{Position, WINDOW, hash};
use super::reader::{push_window, read_window};
use std::collections::VecDeque;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

/// The bytes before a position that is likely to be committed.
struct Mark {
    position: u64,
    window: Vec<u8>,
}

/// The part of a stream that came from one file.
struct Segment {
    path: PathBuf,
    /// Position of the first byte.
    start: u64,
    /// Its offset in the file.
    offset: u64,
    /// The bytes before `start`.
    before: Vec<u8>,
    /// The file, for reading the bytes before a position again; `None` when they are gone or compressed.
    file: Option<Arc<File>>,
    marks: VecDeque<Mark>,
    /// The bytes of a compressed file that are not committed yet, and the window before them.
    history: Vec<u8>,
}

/// The files that the uncommitted part of a stream came from, oldest first.
#[derive(Default)]
pub struct Trail {
    segments: VecDeque<Segment>,
    committed: u64,
}

impl Trail {
    /// From `start` on, bytes come from the file at `path`, from `offset` on. `before` are the bytes before.
    pub fn begin(&mut self, path: PathBuf, start: u64, offset: u64, before: &[u8]) {
        self.segments.push_back(Segment {
            path,
            start,
            offset,
            before: before.to_vec(),
            file: None,
            marks: VecDeque::new(),
            history: before.to_vec(),
        });
    }

    /// The current file has another name now.
    pub fn renamed(&mut self, path: PathBuf) {
        if let Some(segment) = self.segments.back_mut() {
            segment.path = path;
        }
    }

    /// The bytes of the current file that were read so far are gone.
    pub fn overwritten(&mut self) {
        if let Some(segment) = self.segments.back_mut() {
            segment.file = None;
            segment.history.clear();
        }
    }

    /// Notes what was read from the current file: `bytes` behind the window `before`, from `position` on.
    /// `file` reads them again; a compressed file has none.
    pub fn read(&mut self, position: u64, before: &[u8], bytes: &[u8], file: Option<Arc<File>>) {
        let Some(segment) = self.segments.back_mut() else { return };
        if file.is_none() {
            segment.history.extend_from_slice(bytes);
        }
        segment.file = file;
        if let Some(newline) = memchr::memrchr(b'\n', bytes) {
            let mut window = before.to_vec();
            push_window(&mut window, &bytes[..=newline]);
            segment.marks.push_back(Mark { position: position + newline as u64 + 1, window });
        }
    }

    /// Everything up to `position` is done.
    pub fn commit(&mut self, position: u64) {
        self.committed = self.committed.max(position);
    }

    /// The committed position as a place in a file; forgets what lies before. `None` when nothing was opened,
    /// or when the bytes that identify the place are gone.
    pub fn position(&mut self) -> Option<Position> {
        let committed = self.committed;
        while self.segments.get(1).is_some_and(|next| next.start <= committed) {
            self.segments.pop_front();
        }
        let segment = self.segments.front_mut()?;
        let window = segment.window(committed)?;
        Some(Position {
            seek: segment.offset + committed.saturating_sub(segment.start),
            file_name: segment.path.to_string_lossy().into_owned(),
            last_hash: hash(&window),
        })
    }
}

impl Segment {
    /// The bytes before a position in this segment.
    fn window(&mut self, position: u64) -> Option<Vec<u8>> {
        if position <= self.start {
            return Some(self.before.clone());
        }
        while self.marks.front().is_some_and(|mark| mark.position < position) {
            self.marks.pop_front();
        }
        let length = (self.offset + position - self.start).min(WINDOW as u64) as usize;
        let window = match (self.marks.front(), &self.file) {
            (Some(mark), _) if mark.position == position => mark.window.clone(),
            (_, Some(file)) => read_window(file, self.offset + position - self.start).ok()?,
            (_, None) => {
                // `history` begins with `before`, until it is trimmed below.
                let end = self.before.len() + (position - self.start) as usize;
                self.history.get(end.saturating_sub(WINDOW)..end)?.to_vec()
            }
        };
        if window.len() != length {
            return None;
        }
        // What lies before the position is not asked for again.
        if !self.history.is_empty() {
            let end = self.before.len() + (position - self.start) as usize;
            self.history.drain(..end.min(self.history.len()));
            self.history.splice(0..0, window.iter().copied());
        }
        self.offset += position - self.start;
        self.start = position;
        self.before.clone_from(&window);
        Some(window)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Write;

    /// Pieces of one file, and whether it can be read again.
    fn files() -> impl Strategy<Value = Vec<(bool, Vec<String>)>> {
        let piece = proptest::string::string_regex("([a-z]{0,300}\n?){1,6}").unwrap();
        proptest::collection::vec((any::<bool>(), proptest::collection::vec(piece, 1..5)), 1..4)
    }

    proptest! {
        #[test]
        fn every_committed_position_leads_back_to_its_file(files in files(), steps in proptest::collection::vec(1..200u64, 1..60)) {
            let mut trail = Trail::default();
            let mut position = 0;
            let mut starts = Vec::new();
            for (index, (plain, pieces)) in files.iter().enumerate() {
                starts.push((position, pieces.concat()));
                trail.begin(format!("/{index}").into(), position, 0, &[]);
                let mut handle = tempfile::tempfile().unwrap();
                handle.write_all(pieces.concat().as_bytes()).unwrap();
                let handle = Arc::new(handle);
                let mut before = Vec::new();
                for piece in pieces {
                    trail.read(position, &before, piece.as_bytes(), plain.then(|| handle.clone()));
                    push_window(&mut before, piece.as_bytes());
                    position += piece.len() as u64;
                }
            }
            let mut committed = 0;
            for step in steps {
                committed = (committed + step).min(position);
                trail.commit(committed);
                let (index, (start, content)) =
                    starts.iter().enumerate().rfind(|(_, (start, _))| *start <= committed).unwrap();
                let seek = (committed - start) as usize;
                let wanted = Position {
                    seek: seek as u64,
                    file_name: format!("/{index}"),
                    last_hash: hash(&content.as_bytes()[..seek]),
                };
                prop_assert_eq!(trail.position(), Some(wanted));
            }
        }
    }

    #[test]
    fn bytes_that_are_gone_leave_the_journal_as_it_is() {
        let mut trail = Trail::default();
        trail.begin("/a".into(), 0, 0, &[]);
        trail.read(0, &[], b"one\ntwo\n", Some(Arc::new(tempfile::tempfile().unwrap())));
        trail.commit(4);
        trail.overwritten();
        assert_eq!(trail.position(), None, "the middle of a chunk cannot be read again");
        trail.commit(8);
        assert_eq!(trail.position().map(|position| position.seek), Some(8), "its last line end was kept");
    }
}
