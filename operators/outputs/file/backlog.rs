//! What a file has taken and not yet made durable. Positions count bytes from the output's start, so that one
//! comparison says what is written, what is synced, and which blocks are done.

use crate::outputs::Block;
use std::collections::VecDeque;
use std::io::IoSlice;
use std::sync::Arc;

/// Most pieces handed to the kernel in one call.
const SLICES: usize = 64;

/// The blocks between the last sync and the newest. It holds no copy: the feed keeps blocks that are not
/// acknowledged anyway.
///
/// `synced ≤ written ≤ taken` and `synced ≤ wanted ≤ taken` hold always.
#[derive(Debug, Default)]
pub struct Backlog {
    /// Blocks with the position of their first byte.
    blocks: VecDeque<(u64, Arc<Block>)>,
    synced: u64,
    written: u64,
    wanted: u64,
    taken: u64,
}

impl Backlog {
    /// Takes a block.
    pub fn push(&mut self, block: Arc<Block>) {
        let start = self.taken;
        self.taken += block.bytes.len() as u64;
        self.blocks.push_back((start, block));
    }

    /// Asks for durability of the newest block's first `records` records and of everything before them.
    pub fn want(&mut self, records: u64) {
        let Some((start, block)) = self.blocks.back() else { return };
        let last = usize::try_from(records).ok().and_then(|n| block.ends.get(n.checked_sub(1)?));
        self.wanted = self.wanted.max(last.map_or(self.wanted, |end| start + u64::from(*end)));
    }

    /// Asks for durability of everything.
    pub fn want_all(&mut self) {
        self.wanted = self.taken;
    }

    /// Bytes not yet written.
    pub fn unwritten(&self) -> u64 {
        self.taken - self.written
    }

    /// Bytes not yet durable.
    pub fn unsynced(&self) -> u64 {
        self.taken - self.synced
    }

    /// Bytes written and not yet durable.
    pub fn unsure(&self) -> u64 {
        self.written - self.synced
    }

    /// Whether something that must become durable is not yet written.
    pub fn wants_write(&self) -> bool {
        self.wanted > self.written
    }

    /// Whether everything that must become durable is written but not synced.
    pub fn wants_sync(&self) -> bool {
        self.wanted > self.synced && !self.wants_write()
    }

    /// Shows `consume` what comes next: all bytes up to those wanted, or with `early` all there are, as far
    /// as one call to the kernel takes them.
    pub fn next_bytes<T>(&self, early: bool, consume: impl FnOnce(&[IoSlice<'_>]) -> T) -> T {
        let end = if early { self.taken } else { self.wanted };
        let mut slices = [IoSlice::new(&[]); SLICES];
        let mut filled = 0;
        let first = self.blocks.partition_point(|(start, block)| start + block.bytes.len() as u64 <= self.written);
        for ((start, block), slice) in self.blocks.range(first..).zip(&mut slices) {
            if *start >= end {
                break;
            }
            // Both lie within the block, so they fit.
            let from = self.written.saturating_sub(*start) as usize;
            let to = end.saturating_sub(*start).min(block.bytes.len() as u64) as usize;
            match block.bytes.get(from..to) {
                Some(bytes) => *slice = IoSlice::new(bytes),
                None => break,
            }
            filled += 1;
        }
        consume(slices.get(..filled).unwrap_or_default())
    }

    /// The next `n` bytes are written.
    pub fn wrote(&mut self, n: u64) {
        self.written = (self.written + n).min(self.taken);
    }

    /// How many bytes of a record are written whose rest is not.
    pub fn torn(&self) -> u64 {
        let after = self.blocks.partition_point(|(start, _)| *start < self.written);
        let Some((start, block)) = after.checked_sub(1).and_then(|i| self.blocks.get(i)) else { return 0 };
        let offset = self.written - start;
        let whole = block.ends.partition_point(|end| u64::from(*end) <= offset);
        let record = whole.checked_sub(1).and_then(|i| block.ends.get(i)).copied().map_or(0, u64::from);
        offset - record
    }

    /// The last `n` bytes written are to be written again.
    pub fn unwrite(&mut self, n: u64) {
        self.written = self.written.saturating_sub(n).max(self.synced);
    }

    /// Everything written is durable; a torn record counts once it is whole.
    pub fn sync_succeeded(&mut self) {
        self.synced = self.written - self.torn();
        self.wanted = self.wanted.max(self.synced);
    }

    /// Lets go of blocks that are durable to the last byte, and returns the last one's ticket.
    pub fn settle(&mut self) -> Option<u64> {
        let done = self.blocks.partition_point(|(start, block)| start + block.bytes.len() as u64 <= self.synced);
        self.blocks.drain(..done).next_back().map(|(_, block)| block.ticket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outputs::harness::block;

    fn next(backlog: &Backlog, early: bool) -> String {
        backlog.next_bytes(early, |slices| slices.iter().map(|s| String::from_utf8_lossy(s).into_owned()).collect())
    }

    fn backlog(blocks: &[&[&str]]) -> Backlog {
        let mut backlog = Backlog::default();
        for (i, records) in blocks.iter().enumerate() {
            let mut block = block(records);
            block.ticket = i as u64 + 1;
            backlog.push(Arc::new(block));
        }
        backlog
    }

    #[test]
    fn a_flush_may_end_within_a_block() {
        let mut backlog = backlog(&[&["ab", "c"], &["de", "fg", "h"]]);
        assert!(!backlog.wants_write() && !backlog.wants_sync());
        backlog.want(2);
        assert_eq!(next(&backlog, false), "abcdefg");
        backlog.wrote(7);
        assert!(backlog.wants_sync());
        backlog.sync_succeeded();
        assert_eq!(backlog.settle(), Some(1));
        assert_eq!(backlog.settle(), None);
        assert_eq!((next(&backlog, false).as_str(), next(&backlog, true).as_str()), ("", "h"));
        backlog.want_all();
        backlog.wrote(1);
        backlog.sync_succeeded();
        assert_eq!((backlog.settle(), backlog.unsynced()), (Some(2), 0));
    }

    #[test]
    fn a_torn_record_is_known() {
        let mut backlog = backlog(&[&["abc", "def"], &["ghi"]]);
        for (written, torn) in [(0, 0), (1, 1), (2, 2), (3, 0), (4, 1), (6, 0), (8, 2), (9, 0)] {
            backlog.unwrite(9);
            backlog.wrote(written);
            assert_eq!(backlog.torn(), torn, "{written}");
        }
        backlog.unwrite(1);
        assert_eq!(next(&backlog, true), "i");
        backlog.unwrite(backlog.torn());
        assert_eq!(next(&backlog, true), "ghi");
    }

    #[test]
    fn what_is_synced_is_never_written_again() {
        let mut backlog = backlog(&[&["abc"], &["def"]]);
        backlog.wrote(3);
        backlog.sync_succeeded();
        backlog.wrote(2);
        assert_eq!(backlog.unsure(), 2);
        backlog.unwrite(100);
        assert_eq!(next(&backlog, true), "def");
    }

    #[test]
    fn an_empty_block_is_done_with_the_one_before() {
        let mut backlog = backlog(&[&[]]);
        assert_eq!(backlog.settle(), Some(1));
    }

    #[test]
    fn more_blocks_than_one_call_takes_follow_in_order() {
        let texts: Vec<String> = (0..SLICES * 2 + 3).map(|i| format!("{i};")).collect();
        let records: Vec<Vec<&str>> = texts.iter().map(|t| vec![t.as_str()]).collect();
        let mut backlog = backlog(&records.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let mut all = String::new();
        while backlog.unwritten() > 0 {
            let text = next(&backlog, true);
            // The kernel may stop anywhere.
            let taken = &text[..text.len().div_ceil(2)];
            all.push_str(taken);
            backlog.wrote(taken.len() as u64);
        }
        assert_eq!(all, texts.concat());
    }
}
