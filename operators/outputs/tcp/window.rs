//! What TcpOutput has taken and may have to write, or to write again: a queue of blocks, oldest first.
//!
//! ```text
//!   acknowledged, kept for replay │ written, not acknowledged │ to be written
//!   ──────────────────────────────┴───────────────────────────┼──────────────
//!                                                      (next, offset)
//! ```
//!
//! Losing a connection moves `next` back to the front. No input or output happens here.

use crate::outputs::Block;
use std::collections::VecDeque;
use std::io::IoSlice;
use std::sync::Arc;

struct Entry {
    block: Arc<Block>,
    /// Bytes at the front that the peer's program is known to have read; only the oldest entry has any.
    read: usize,
    /// Most bytes that were ever written to some connection.
    offered: usize,
    /// Where it ends in the bytes of the present connection, once it is written.
    end: Option<u64>,
    acknowledged: bool,
    /// Was written again because a peer closed in order.
    repeated: bool,
}

/// The queue.
pub(super) struct Window {
    entries: VecDeque<Entry>,
    /// The entry that is written next, and how many of its bytes are done with.
    next: usize,
    offset: usize,
    /// Bytes not yet written to the present connection.
    unsent: usize,
    /// Bytes of acknowledged entries, and how many of them must be kept.
    kept: usize,
    limit: usize,
    /// Where the last write to the present connection ended.
    position: u64,
}

/// What a write did.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Written {
    /// Records completed.
    pub records: u64,
    /// How many of them had been completed on an earlier connection.
    pub replayed: usize,
}

/// What an acknowledgement did.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Acknowledged {
    /// The last block done.
    pub ticket: u64,
    /// Records done.
    pub records: usize,
}

/// How many records end at or before `offset`.
fn records_until(block: &Block, offset: usize) -> usize {
    block.ends.partition_point(|end| *end as usize <= offset)
}

impl Window {
    /// An empty queue that keeps the last `limit` bytes of acknowledged blocks, and the rest of the block they begin in.
    pub(super) fn new(limit: usize) -> Self {
        Window { entries: VecDeque::new(), next: 0, offset: 0, unsent: 0, kept: 0, limit, position: 0 }
    }

    /// Takes a block to be written.
    pub(super) fn push(&mut self, block: Arc<Block>) {
        self.unsent += block.bytes.len();
        let (end, acknowledged, repeated) = (None, false, false);
        self.entries.push_back(Entry { block, read: 0, offered: 0, end, acknowledged, repeated });
        self.pass_complete();
    }

    /// Bytes to be written.
    pub(super) fn unsent(&self) -> usize {
        self.unsent
    }

    /// Whether some block is not acknowledged.
    pub(super) fn has_unacknowledged(&self) -> bool {
        // Blocks are acknowledged in order.
        self.entries.back().is_some_and(|entry| !entry.acknowledged)
    }

    /// How many records are in blocks that are not acknowledged.
    pub(super) fn unacknowledged_records(&self) -> usize {
        self.entries.iter().filter(|entry| !entry.acknowledged).map(|entry| entry.block.len()).sum()
    }

    /// Whether a block is written and not acknowledged.
    pub(super) fn awaits_acknowledgement(&self) -> bool {
        let last_written = self.next.checked_sub(1).and_then(|last| self.entries.get(last));
        last_written.is_some_and(|entry| !entry.acknowledged)
    }

    /// Fills `slices` with what is to be written next, up to the end of the record that is number `records`,
    /// and returns how many slices were filled.
    pub(super) fn gather<'a>(&'a self, slices: &mut [IoSlice<'a>], mut records: u64) -> usize {
        let mut filled = 0;
        let mut offset = self.offset;
        for entry in self.entries.iter().skip(self.next) {
            let Some(slice) = slices.get_mut(filled).filter(|_| records > 0) else { break };
            let done = records_until(&entry.block, offset);
            let left = (entry.block.len() - done) as u64;
            let last = done + left.min(records) as usize;
            records -= left.min(records);
            let until = last.checked_sub(1).and_then(|last| entry.block.ends.get(last)).map_or(offset, |e| *e as usize);
            if let Some(bytes) = entry.block.bytes.get(offset..until).filter(|bytes| !bytes.is_empty()) {
                *slice = IoSlice::new(bytes);
                filled += 1;
            }
            offset = 0;
        }
        filled
    }

    /// `n` more bytes are written; on the present connection they end at `position`. Encryption may make them
    /// longer, never shorter, so what lies `k` bytes before their end is at least as far from `position`.
    pub(super) fn wrote(&mut self, mut n: usize, position: u64) -> Written {
        self.unsent = self.unsent.saturating_sub(n);
        let mut written = Written::default();
        while n > 0 {
            let Some(entry) = self.entries.get_mut(self.next) else { break };
            let until = entry.block.bytes.len().min(self.offset + n);
            n -= until - self.offset;
            let before = records_until(&entry.block, self.offset);
            let after = records_until(&entry.block, until);
            written.records += (after - before) as u64;
            written.replayed += records_until(&entry.block, until.min(entry.offered)).saturating_sub(before);
            entry.offered = entry.offered.max(until);
            self.offset = until;
            self.position = position.saturating_sub(n as u64);
            self.pass_complete();
        }
        written
    }

    /// Moves past entries that are wholly written.
    fn pass_complete(&mut self) {
        while let Some(entry) = self.entries.get_mut(self.next)
            && self.offset >= entry.block.bytes.len()
        {
            entry.end = Some(self.position);
            self.next += 1;
            self.offset = 0;
        }
    }

    /// Everything written up to `position` of the present connection is in the peer's hands.
    pub(super) fn acknowledge(&mut self, position: u64) -> Option<Acknowledged> {
        let mut done: Option<Acknowledged> = None;
        let first = self.entries.partition_point(|entry| entry.acknowledged);
        for entry in self.entries.range_mut(first.min(self.next)..self.next) {
            if entry.acknowledged {
                continue;
            }
            if entry.end.is_none_or(|end| end > position) {
                break;
            }
            entry.acknowledged = true;
            self.kept += entry.block.bytes.len();
            let records = done.map_or(0, |done| done.records) + entry.block.len();
            done = Some(Acknowledged { ticket: entry.block.ticket, records });
        }
        // What is left must still be as much as the limit: one large block may be most of it.
        let is_spare = |window: &Window| {
            let oldest = window.entries.front().filter(|entry| entry.acknowledged && window.next > 0);
            oldest.is_some_and(|entry| window.kept - entry.block.bytes.len().min(window.kept) >= window.limit)
        };
        while is_spare(self) {
            self.pop();
        }
        done
    }

    /// The peer's program has read everything that was written: none of it is kept any longer.
    pub(super) fn confirm(&mut self) -> Option<Acknowledged> {
        let done = self.acknowledge(u64::MAX);
        while self.next > 0 {
            self.pop();
        }
        if let Some(entry) = self.entries.front_mut() {
            entry.read = self.offset;
        }
        done
    }

    /// Forgets the oldest entry, which is written and acknowledged.
    fn pop(&mut self) {
        if let Some(entry) = self.entries.pop_front() {
            self.kept = self.kept.saturating_sub(entry.block.bytes.len());
            self.next -= 1;
        }
    }

    /// The connection broke, and nobody knows what its peer has read: all of it is to be written again.
    pub(super) fn restart(&mut self) {
        self.rewind();
    }

    /// The peer closed in order after its kernel had acknowledged everything written: it is to be written once
    /// more, unless that has been done for the same reason before.
    pub(super) fn restart_once(&mut self) {
        while self.next > 0 && self.entries.front().is_some_and(|entry| entry.acknowledged && entry.repeated) {
            self.pop();
        }
        for entry in self.entries.iter_mut().filter(|entry| entry.acknowledged) {
            entry.repeated = true;
        }
        self.rewind();
    }

    fn rewind(&mut self) {
        self.position = 0;
        self.next = 0;
        self.offset = self.entries.front().map_or(0, |entry| entry.read);
        let all: usize = self.entries.iter().map(|entry| entry.block.bytes.len()).sum();
        self.unsent = all - self.offset;
        for entry in &mut self.entries {
            entry.end = None;
        }
        self.pass_complete();
    }

    /// A new connection goes on where the last one, which its peer took over in full, was closed.
    pub(super) fn go_on(&mut self) {
        self.position = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn block(ticket: u64, records: &[&[u8]]) -> Arc<Block> {
        let mut block = Block::default();
        block.ticket = ticket;
        for record in records {
            block.bytes.extend_from_slice(record);
            block.ends.push(block.bytes.len() as u32);
        }
        Arc::new(block)
    }

    fn next_bytes(window: &Window, records: u64) -> Vec<u8> {
        let mut slices = [IoSlice::new(b""); 4];
        let filled = window.gather(&mut slices, records);
        slices[..filled].iter().flat_map(|slice| slice.to_vec()).collect()
    }

    fn three() -> Window {
        let mut window = Window::new(8);
        window.push(block(1, &[b"aa", b"bb"]));
        window.push(block(2, &[b"cc"]));
        window.push(block(3, &[b"dd", b"ee", b"ff"]));
        window
    }

    #[test]
    fn writes_may_stop_anywhere_and_records_are_counted() {
        let mut window = three();
        assert_eq!(next_bytes(&window, u64::MAX), b"aabbccddeeff");
        assert_eq!(next_bytes(&window, 4), b"aabbccdd");
        assert_eq!(next_bytes(&window, 0), b"");
        assert_eq!(window.wrote(3, 3), Written { records: 1, replayed: 0 });
        assert_eq!(next_bytes(&window, 1), b"b");
        assert_eq!(next_bytes(&window, 3), b"bccdd");
        assert_eq!(window.wrote(5, 8), Written { records: 3, replayed: 0 });
        assert_eq!(window.unsent(), 4);
    }

    #[test]
    fn whole_blocks_are_acknowledged_and_the_newest_are_kept() {
        let mut window = three();
        assert_eq!(window.acknowledge(u64::MAX), None);
        window.wrote(5, 5);
        assert_eq!(window.acknowledge(3), None);
        assert_eq!(window.acknowledge(4), Some(Acknowledged { ticket: 1, records: 2 }));
        assert!(!window.awaits_acknowledgement() && window.has_unacknowledged());
        window.wrote(7, 12);
        assert!(window.awaits_acknowledgement());
        assert_eq!(window.unacknowledged_records(), 4);
        assert_eq!(window.acknowledge(12), Some(Acknowledged { ticket: 3, records: 4 }));
        window.restart();
        // Eight bytes may be kept: the first block had to go.
        assert_eq!(next_bytes(&window, u64::MAX), b"ccddeeff");
        assert_eq!(window.wrote(8, 8), Written { records: 4, replayed: 4 });
        assert_eq!(window.acknowledge(8), None);
    }

    #[test]
    fn as_much_is_kept_as_the_limit_says_however_large_blocks_are() {
        let mut window = Window::new(8);
        window.push(block(1, &[b"aaaaaaaa", b"bbbbbbbb"]));
        window.push(block(2, &[b"cc"]));
        window.wrote(18, 18);
        assert_eq!(window.acknowledge(18), Some(Acknowledged { ticket: 2, records: 3 }));
        window.restart();
        assert_eq!(next_bytes(&window, u64::MAX), b"aaaaaaaabbbbbbbbcc");
        window.push(block(3, &[b"dddddd"]));
        window.wrote(24, 24);
        window.acknowledge(24);
        window.restart();
        assert_eq!(next_bytes(&window, u64::MAX), b"ccdddddd");
    }

    #[test]
    fn a_broken_connection_writes_again_what_came_before_anything_new() {
        let mut window = three();
        window.wrote(7, 7);
        window.acknowledge(4);
        window.restart();
        window.push(block(4, &[b"gg"]));
        assert_eq!(next_bytes(&window, u64::MAX), b"aabbccddeeffgg");
        assert_eq!(window.wrote(14, 14), Written { records: 7, replayed: 3 });
        assert_eq!(window.acknowledge(14), Some(Acknowledged { ticket: 4, records: 5 }));
    }

    #[test]
    fn after_an_orderly_close_records_come_once_more_and_not_a_third_time() {
        let mut window = Window::new(1 << 20);
        window.push(block(1, &[b"aa"]));
        window.wrote(2, 2);
        window.acknowledge(2);
        window.restart_once();
        window.push(block(2, &[b"bb"]));
        assert_eq!(next_bytes(&window, u64::MAX), b"aabb");
        window.wrote(4, 4);
        window.acknowledge(4);
        window.restart_once();
        assert_eq!(next_bytes(&window, u64::MAX), b"bb");
    }

    #[test]
    fn what_was_read_is_never_written_again() {
        let mut window = three();
        window.wrote(8, 8);
        assert_eq!(window.confirm(), Some(Acknowledged { ticket: 2, records: 3 }));
        window.go_on();
        assert_eq!(next_bytes(&window, u64::MAX), b"eeff");
        window.wrote(2, 2);
        window.restart();
        assert_eq!(next_bytes(&window, u64::MAX), b"eeff");
        assert_eq!(window.wrote(4, 4), Written { records: 2, replayed: 1 });
        assert_eq!(window.acknowledge(4), Some(Acknowledged { ticket: 3, records: 3 }));
    }

    #[test]
    fn blocks_without_bytes_are_done_in_their_turn() {
        let mut window = Window::new(0);
        window.push(block(1, &[b""]));
        assert_eq!((window.unsent(), window.awaits_acknowledgement()), (0, true));
        assert_eq!(window.acknowledge(0), Some(Acknowledged { ticket: 1, records: 1 }));
        window.push(block(2, &[b"x"]));
        window.push(block(3, &[b"", b""]));
        window.wrote(1, 1);
        assert_eq!(window.acknowledge(1), Some(Acknowledged { ticket: 3, records: 3 }));
    }

    proptest! {
        /// Whatever happens to connections, every byte that some peer did not confirm reaches the last one, in
        /// order, and every block is acknowledged once and in order.
        #[test]
        fn nothing_is_lost(steps in proptest::collection::vec((0u8..6, 1usize..40), 1..200)) {
            let mut window = Window::new(usize::MAX);
            let (mut pushed, mut read, mut wire) = (Vec::new(), 0usize, Vec::new());
            let (mut tickets, mut acknowledged, mut sequence) = (0u64, 0u64, 0u8);
            let mut ack = |done: Option<Acknowledged>| {
                if let Some(done) = done {
                    assert!(done.ticket > acknowledged);
                    acknowledged = done.ticket;
                }
            };
            for (step, n) in steps.into_iter().chain([(1, usize::MAX), (2, usize::MAX)]) {
                match step {
                    0 => {
                        let bytes: Vec<u8> = (0..n).map(|_| { sequence = sequence.wrapping_add(1); sequence }).collect();
                        tickets += 1;
                        let records: Vec<&[u8]> = bytes.chunks(7).collect();
                        window.push(block(tickets, &records));
                        pushed.extend(bytes);
                    }
                    1 => loop {
                        let bytes = next_bytes(&window, n as u64);
                        let n = bytes.len().min(n);
                        wire.extend_from_slice(&bytes[..n]);
                        window.wrote(n, wire.len() as u64);
                        if n == 0 || step == 1 && n < usize::MAX && window.unsent() > 0 { break }
                    },
                    2 => ack(window.acknowledge(n.min(wire.len()) as u64)),
                    3 => {
                        window.restart();
                        wire.clear();
                    }
                    4 => {
                        ack(window.confirm());
                        read += wire.len();
                        window.go_on();
                        wire.clear();
                    }
                    _ => prop_assert_eq!(window.unsent(), pushed.len() - read - wire.len()),
                }
                prop_assert!(pushed[read..].starts_with(&wire));
            }
            while window.unsent() > 0 {
                let bytes = next_bytes(&window, u64::MAX);
                wire.extend_from_slice(&bytes);
                window.wrote(bytes.len(), wire.len() as u64);
            }
            ack(window.acknowledge(u64::MAX));
            prop_assert_eq!(&pushed[read..], &wire[..]);
            prop_assert_eq!(acknowledged, tickets);
        }
    }
}
