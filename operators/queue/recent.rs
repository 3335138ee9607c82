//! What was appended last and is still in memory: a reader that keeps up with the writer takes it from here and reads
//! no file. It is in the files all the same, and whoever comes late finds it there.

use super::layout::Cursor;
use crate::outputs::Block;
use bytes::Bytes;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes kept at most, unless one append is larger. Most of them are held anyway until they are durable.
const LIMIT: usize = 4 * 1024 * 1024;

/// The last appends of a queue, oldest first.
#[derive(Debug, Default)]
pub struct Recent(Mutex<VecDeque<Piece>>);

/// One append.
#[derive(Debug)]
struct Piece {
    at: Cursor,
    bytes: Bytes,
    /// Bytes of memory it keeps.
    weight: usize,
}

/// A part of a block.
struct Part {
    block: Arc<Block>,
    range: Range<usize>,
}

impl AsRef<[u8]> for Part {
    fn as_ref(&self) -> &[u8] {
        &self.block.bytes[self.range.clone()]
    }
}

impl Recent {
    /// A part of `block`, which holds it, has been written at a place.
    pub fn push(&self, at: Cursor, block: &Arc<Block>, range: Range<usize>) {
        let weight = block.bytes.capacity();
        let bytes = Bytes::from_owner(Part { block: block.clone(), range });
        let mut pieces = self.pieces();
        pieces.push_back(Piece { at, bytes, weight });
        let mut sum: usize = pieces.iter().map(|piece| piece.weight).sum();
        while sum > LIMIT && pieces.len() > 1 {
            sum -= pieces.pop_front().map_or(0, |piece| piece.weight);
        }
    }

    /// How many bytes [`Self::take`] would give.
    pub fn len_at(&self, at: Cursor) -> Option<usize> {
        self.pieces().iter().find(|piece| piece.at == at).map(|piece| piece.bytes.len())
    }

    /// What was written at a place; everything before it is forgotten as well.
    pub fn take(&self, at: Cursor) -> Option<Bytes> {
        let mut pieces = self.pieces();
        while pieces.front().is_some_and(|piece| piece.at < at) {
            pieces.pop_front();
        }
        pieces.pop_front_if(|piece| piece.at == at).map(|piece| piece.bytes)
    }

    /// Where, in the file of `at` and behind it, the first piece begins: how far a reader has to read the file.
    pub fn begins_behind(&self, at: Cursor) -> Option<u64> {
        let pieces = self.pieces();
        let behind = pieces.iter().find(|piece| piece.at > at)?;
        (behind.at.file == at.file).then_some(behind.at.offset)
    }

    fn pieces(&self) -> MutexGuard<'_, VecDeque<Piece>> {
        // Every change of the list is complete before anything that could panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outputs::harness::block;

    fn at(file: u64, offset: u64) -> Cursor {
        Cursor { file, offset }
    }

    #[test]
    fn a_reader_takes_what_it_has_come_to_and_what_it_has_passed_is_forgotten() {
        let recent = Recent::default();
        let records = Arc::new(block(&["aaa", "bb", "c"]));
        recent.push(at(0, 10), &records, 0..3);
        recent.push(at(0, 13), &records, 3..5);
        recent.push(at(1, 0), &records, 5..6);
        assert_eq!((recent.len_at(at(0, 11)), recent.take(at(0, 5))), (None, None));
        assert_eq!(recent.begins_behind(at(0, 5)), Some(10));
        assert_eq!(recent.begins_behind(at(0, 10)), Some(13));
        assert_eq!(recent.begins_behind(at(0, 13)), None, "the next one is in another file");
        assert_eq!(recent.len_at(at(0, 13)), Some(2));
        assert_eq!(recent.take(at(0, 13)).as_deref(), Some(b"bb".as_slice()));
        assert_eq!(recent.take(at(0, 10)), None);
        assert_eq!(recent.take(at(1, 0)).as_deref(), Some(b"c".as_slice()));
    }

    #[test]
    fn it_keeps_so_much_and_no_more() {
        let recent = Recent::default();
        for i in 0..10u64 {
            let record = vec![0; LIMIT / 4];
            let large = Arc::new(block(&[record]));
            recent.push(at(0, i * LIMIT as u64 / 4), &large, 0..LIMIT / 4);
        }
        assert!(recent.pieces().iter().map(|piece| piece.weight).sum::<usize>() <= LIMIT);
        assert_eq!(recent.len_at(at(0, 9 * LIMIT as u64 / 4)), Some(LIMIT / 4), "the last is the last to go");
    }
}
