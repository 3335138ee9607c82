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
    /// The file is not there any more, under any name: a position at its end would lead nowhere.
    gone: bool,
}

/// The files that the uncommitted part of a stream came from, oldest first.
#[derive(Default)]
pub struct Trail {
    segments: VecDeque<Segment>,
    committed: u64,
    /// Nothing of the stream has ever been committed. Its journal then says so by an empty hash: a start may find
    /// the file under another name, with older ones before it.
    pub fresh: bool,
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
            gone: false,
        });
    }

    /// The current file has another name now.
    pub fn renamed(&mut self, path: PathBuf) {
        if let Some(segment) = self.segments.back_mut() {
            segment.path = path;
            segment.gone = false;
        }
    }

    /// The current file's bytes are in the file at `path` now, which goes on from `start` on, at `offset`.
    /// `before` are the bytes before, and `file` reads all of them again unless it is compressed.
    pub fn copied(&mut self, path: PathBuf, start: u64, offset: u64, before: &[u8], file: Option<Arc<File>>) {
        if let Some(segment) = self.segments.back_mut() {
            segment.path.clone_from(&path);
            if std::mem::take(&mut segment.gone) && segment.file.is_none() {
                segment.file = file;
            }
        }
        self.begin(path, start, offset, before);
    }

    /// The bytes of the current file that were read so far are gone.
    pub fn overwritten(&mut self) {
        if let Some(segment) = self.segments.back_mut() {
            segment.file = None;
            segment.history.clear();
            segment.gone = true;
        }
    }

    /// The current file has vanished; an open handle still reads it.
    pub fn vanished(&mut self) {
        if let Some(segment) = self.segments.back_mut() {
            segment.gone = true;
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
    ///
    /// Between two files this is the end of the first one, which its last bytes identify under any name. The start
    /// of the second could be any file's.
    pub fn position(&mut self) -> Option<Position> {
        let committed = self.committed;
        while let (Some(segment), Some(next)) = (self.segments.front(), self.segments.get(1)) {
            let empty = segment.offset == 0 && segment.start == next.start;
            if next.start > committed || next.start == committed && !segment.gone && !empty {
                break;
            }
            self.segments.pop_front();
        }
        let fresh = self.fresh && committed == 0;
        let segment = self.segments.front_mut()?;
        let window = segment.window(committed)?;
        Some(Position {
            seek: segment.offset + committed.saturating_sub(segment.start),
            file_name: segment.path.to_string_lossy().into_owned(),
            last_hash: if fresh { String::new() } else { hash(&window) },
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
                let (index, (start, content)) = starts
                    .iter()
                    .enumerate()
                    .rfind(|(_, (start, _))| *start < committed || committed == 0)
                    .unwrap();
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
    fn between_two_files_the_end_of_the_first_is_the_position_unless_it_is_gone() {
        let place = |trail: &mut Trail| trail.position().map(|at| (at.file_name, at.seek));
        for gone in [false, true] {
            let mut trail = Trail::default();
            trail.begin("/a".into(), 0, 0, &[]);
            trail.read(0, &[], b"one\n", Some(Arc::new(tempfile::tempfile().unwrap())));
            if gone {
                trail.vanished();
            }
            trail.begin("/b".into(), 4, 0, &[]);
            trail.commit(4);
            let expected = if gone { ("/b".to_owned(), 0) } else { ("/a".to_owned(), 4) };
            assert_eq!(place(&mut trail), Some(expected));
            trail.read(4, &[], b"two\n", Some(Arc::new(tempfile::tempfile().unwrap())));
            trail.commit(8);
            assert_eq!(place(&mut trail), Some(("/b".to_owned(), 4)));
        }
    }

    #[test]
    fn a_position_in_a_file_that_went_on_in_its_copy_is_exact() {
        for compressed in [false, true] {
            let mut trail = Trail::default();
            let content: Vec<u8> = (0..3000u32).flat_map(|i| i.to_be_bytes()).collect();
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&content).unwrap();
            let file = Arc::new(file);
            trail.begin("/a".into(), 0, 0, &[]);
            trail.read(0, &[], &content[..1000], Some(file.clone()));
            trail.overwritten();
            let handle = || (!compressed).then(|| file.clone());
            trail.copied("/a.1".into(), 1000, 1000, &content[500..1000], handle());
            trail.read(1000, &content[500..1000], &content[1000..3000], handle());
            for committed in [700, 1500, 2800] {
                trail.commit(committed as u64);
                let found = trail.position().map(|at| (at.file_name, at.seek, at.last_hash));
                let exact = Some(("/a.1".to_owned(), committed as u64, hash(&content[..committed])));
                // What was read before the file was overwritten is only to be had from a plain copy.
                assert_eq!(
                    found,
                    if compressed && committed == 700 { None } else { exact },
                    "{compressed} {committed}"
                );
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
