//! What is in a queue's files and what of it is consumed. Pure: it knows numbers and lengths, no files.

use super::layout::Cursor;
use std::collections::BTreeMap;

/// The books of one queue.
///
/// The head never passes the end of what is published; `waiting` is what lies between.
#[derive(Debug)]
pub struct Ledger {
    /// Published bytes of each file on disk.
    files: BTreeMap<u64, u64>,
    /// The first byte that is not consumed.
    head: Cursor,
    /// The file that is written.
    tail: u64,
    /// Bytes not consumed.
    waiting: u64,
    /// The tail is not to be appended to any more.
    tail_is_spoilt: bool,
}

/// A commit that went backwards.
#[derive(Debug, PartialEq, Eq)]
pub struct Backwards;

impl Ledger {
    /// The books of a folder found with files of these lengths and this checkpoint, with a new file to write;
    /// and what was found wrong, one line each.
    ///
    /// A checkpoint whose file is gone means the next file there is. One beyond every file is not believed:
    /// then it is better to deliver twice than not at all.
    pub fn open(mut files: BTreeMap<u64, u64>, checkpoint: Option<Cursor>) -> (Ledger, Vec<String>) {
        let mut findings = Vec::new();
        let newest = files.last_key_value().map(|(file, _)| *file);
        // No number is near the end of its range: see the layout.
        let tail = newest.max(checkpoint.map(|c| c.file)).map_or(0, |last| last + 1);
        let oldest = Cursor { file: files.first_key_value().map_or(tail, |(file, _)| *file), offset: 0 };
        let head = match checkpoint {
            None => oldest,
            Some(at) => match files.range(at.file..).next() {
                Some((file, length)) if *file == at.file && at.offset > *length => {
                    findings.push(format!("the checkpoint is {} bytes past the end of {file}.log", at.offset - length));
                    Cursor { file: *file, offset: *length }
                }
                Some((file, _)) if *file == at.file => at,
                Some((file, _)) => {
                    findings
                        .push(format!("{}.log, where the checkpoint is, is gone; going on with {file}.log", at.file));
                    Cursor { file: *file, offset: 0 }
                }
                None => {
                    findings.push(format!("the checkpoint names {}.log, which is beyond all queue files", at.file));
                    oldest
                }
            },
        };
        files.entry(tail).or_insert(0);
        let total: u64 = files.range(head.file..).map(|(_, length)| *length).sum();
        let mut ledger =
            Ledger { files, head, tail, waiting: total.saturating_sub(head.offset), tail_is_spoilt: false };
        ledger.settle();
        (ledger, findings)
    }

    /// The first byte that is not consumed.
    pub fn head(&self) -> Cursor {
        self.head
    }

    /// The file that is written.
    pub fn tail(&self) -> u64 {
        self.tail
    }

    /// How many files are on disk.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Bytes not consumed.
    pub fn waiting(&self) -> u64 {
        self.waiting
    }

    /// Published bytes of a file; `None` when there is no such file.
    pub fn length(&self, file: u64) -> Option<u64> {
        self.files.get(&file).copied()
    }

    /// The first file after `file`.
    pub fn file_after(&self, file: u64) -> Option<u64> {
        self.files.range(file + 1..).next().map(|(file, _)| *file)
    }

    /// `bytes` more have been appended to the tail, and readers may see them.
    pub fn appended(&mut self, bytes: u64) {
        *self.files.entry(self.tail).or_insert(0) += bytes;
        self.waiting += bytes;
    }

    /// Begins the next file and returns its number.
    pub fn roll(&mut self) -> u64 {
        self.tail += 1;
        self.tail_is_spoilt = false;
        self.files.entry(self.tail).or_insert(0);
        self.settle();
        self.tail
    }

    /// Makes the writer begin the next file before it appends again.
    pub fn spoil_tail(&mut self) {
        self.tail_is_spoilt = true;
    }

    /// Whether [`Ledger::spoil_tail`] was called for this tail.
    pub fn tail_is_spoilt(&self) -> bool {
        self.tail_is_spoilt
    }

    /// Everything before `to` is consumed. Returns whether the head went on to another file.
    ///
    /// # Errors
    /// When more was consumed already.
    pub fn commit(&mut self, to: Cursor) -> Result<bool, Backwards> {
        let before = self.head;
        if to < before {
            // The head may have stepped over the end of a file that `to` still names.
            let at_the_same_place = self
                .files
                .range(to.file..before.file)
                .all(|(file, length)| if *file == to.file { to.offset >= *length } else { *length == 0 })
                && before.offset == 0;
            return if at_the_same_place { Ok(false) } else { Err(Backwards) };
        }
        let length = self.length(to.file).unwrap_or(0);
        let to = Cursor { offset: to.offset.min(length), ..to };
        let crossed: u64 = self.files.range(before.file..to.file).map(|(_, length)| *length).sum();
        self.waiting = self.waiting.saturating_sub((crossed + to.offset).saturating_sub(before.offset));
        self.head = to;
        self.settle();
        Ok(self.head.file != before.file)
    }

    /// A head at the end of a file that is not written any more moves on, so that the file can go.
    fn settle(&mut self) {
        while self.head.file < self.tail && self.length(self.head.file).is_none_or(|end| self.head.offset >= end) {
            let Some(next) = self.file_after(self.head.file) else { return };
            self.head = Cursor { file: next, offset: 0 };
        }
    }

    /// Files before the head, which can be deleted.
    pub fn consumed(&self) -> Vec<u64> {
        self.files.range(..self.head.file).map(|(file, _)| *file).collect()
    }

    /// Whether there are such files.
    pub fn has_consumed(&self) -> bool {
        self.files.first_key_value().is_some_and(|(file, _)| *file < self.head.file)
    }

    /// A consumed file has been deleted.
    pub fn deleted(&mut self, file: u64) {
        if file < self.head.file {
            self.files.remove(&file);
        }
    }

    /// A file turned out to hold no more than `length` bytes: somebody cut or removed it. Returns how many
    /// published bytes are lost.
    pub fn shrunk(&mut self, file: u64, length: u64) -> u64 {
        let consumed = if self.head.file == file { self.head.offset } else { 0 };
        let Some(published) = self.files.get_mut(&file) else { return 0 };
        let length = length.max(consumed);
        let lost = published.saturating_sub(length);
        *published -= lost;
        self.waiting = self.waiting.saturating_sub(lost);
        if file == self.tail {
            self.tail_is_spoilt = true;
        }
        self.settle();
        lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(file: u64, offset: u64) -> Cursor {
        Cursor { file, offset }
    }

    fn files(list: &[(u64, u64)]) -> BTreeMap<u64, u64> {
        list.iter().copied().collect()
    }

    #[test]
    fn where_reading_starts() {
        /// Files, checkpoint; head, tail, bytes waiting, whether something is found wrong.
        type Case = (&'static [(u64, u64)], Option<Cursor>, Cursor, u64, u64, bool);
        let cases: [Case; 11] = [
            (&[], None, at(0, 0), 0, 0, false),
            (&[(0, 100)], None, at(0, 0), 1, 100, false),
            (&[(0, 100)], Some(at(0, 40)), at(0, 40), 1, 60, false),
            (&[(0, 100)], Some(at(0, 100)), at(1, 0), 1, 0, false),
            (&[(3, 100), (4, 50)], Some(at(3, 10)), at(3, 10), 5, 140, false),
            // Files before the checkpoint are consumed.
            (&[(3, 100), (4, 50)], Some(at(4, 10)), at(4, 10), 5, 40, false),
            // The checkpoint's file is gone.
            (&[(5, 100)], Some(at(3, 10)), at(5, 0), 6, 100, true),
            // Cut short in a crash.
            (&[(5, 100)], Some(at(5, 110)), at(6, 0), 6, 0, true),
            // Nothing is as far as the checkpoint says: everything is read again.
            (&[(1, 10), (2, 20)], Some(at(7, 5)), at(1, 0), 8, 30, true),
            (&[], Some(at(7, 5)), at(8, 0), 8, 0, true),
            // Empty files of runs that wrote nothing.
            (&[(1, 0), (2, 0), (3, 5)], Some(at(1, 0)), at(3, 0), 4, 5, false),
        ];
        for (list, checkpoint, head, tail, waiting, wrong) in cases {
            let (ledger, findings) = Ledger::open(files(list), checkpoint);
            assert_eq!((ledger.head(), ledger.tail(), ledger.waiting()), (head, tail, waiting), "{list:?}");
            assert_eq!(!findings.is_empty(), wrong, "{findings:?}");
        }
    }

    #[test]
    fn consumed_bytes_do_not_count_and_consumed_files_go() {
        let mut ledger = Ledger::open(BTreeMap::new(), None).0;
        ledger.appended(100);
        assert_eq!(ledger.roll(), 1);
        ledger.appended(50);
        assert_eq!(ledger.commit(at(0, 60)), Ok(false));
        assert_eq!((ledger.waiting(), ledger.consumed()), (90, vec![]));
        assert_eq!(ledger.commit(at(0, 30)), Err(Backwards));
        assert_eq!(ledger.commit(at(0, 100)), Ok(true), "the file is at its end");
        assert_eq!((ledger.head(), ledger.consumed()), (at(1, 0), vec![0]));
        assert_eq!(ledger.commit(at(0, 100)), Ok(false), "the same place under its old name");
        ledger.deleted(0);
        ledger.deleted(1);
        assert_eq!(ledger.len(), 1, "what is not consumed stays");
        assert_eq!(ledger.commit(at(1, 50)), Ok(false));
        assert_eq!((ledger.waiting(), ledger.head()), (0, at(1, 50)));
        assert_eq!(ledger.roll(), 2);
        assert_eq!((ledger.head(), ledger.consumed()), (at(2, 0), vec![1]));
    }

    #[test]
    fn a_commit_past_what_is_published_is_cut() {
        let mut ledger = Ledger::open(files(&[(0, 10)]), None).0;
        assert_eq!(ledger.commit(at(0, 99)), Ok(true));
        assert_eq!((ledger.waiting(), ledger.head()), (0, at(1, 0)));
    }

    #[test]
    fn what_somebody_took_away_is_accounted_for() {
        let mut ledger = Ledger::open(files(&[(0, 10), (1, 20)]), Some(at(0, 4))).0;
        assert_eq!(ledger.shrunk(0, 0), 6);
        assert_eq!((ledger.head(), ledger.waiting()), (at(1, 0), 20));
        assert_eq!(ledger.shrunk(1, 15), 5);
        assert_eq!(ledger.waiting(), 15);
        ledger.appended(7);
        assert_eq!(ledger.shrunk(2, 0), 7);
        assert!(ledger.tail_is_spoilt());
        ledger.roll();
        assert!(!ledger.tail_is_spoilt());
        assert_eq!(ledger.waiting(), 15);
    }
}
