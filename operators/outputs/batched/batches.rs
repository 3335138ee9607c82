//! Gathers records into batches, and knows which blocks are done when records are.

use crate::outputs::{Block, Feed, FeedEvent};
use bytes::Bytes;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// The most bytes that a batch may be set to gather. An output is given 4 MiB that it has not acknowledged, and then
/// nothing more: a batch that wanted to be larger would wait in vain.
pub(in crate::outputs) const MOST_BYTES: u32 = 4 << 20;

/// When a batch is full.
#[derive(Clone, Copy, Debug)]
pub(in crate::outputs) struct Limits {
    /// Records.
    pub count: usize,
    /// Bytes, but for a first record that has more.
    pub bytes: usize,
    /// Time since its first record; zero does not wait for what is not there yet.
    pub interval: Duration,
}

/// A record, in the memory of its block.
#[derive(Clone, Debug)]
pub(in crate::outputs) struct Record {
    block: Bytes,
    range: Range<usize>,
}

impl Record {
    /// Its bytes, to look at.
    pub(in crate::outputs) fn as_slice(&self) -> &[u8] {
        &self.block[self.range.clone()]
    }

    /// Its bytes, to keep.
    pub(in crate::outputs) fn bytes(&self) -> Bytes {
        self.block.slice(self.range.clone())
    }

    pub(in crate::outputs) fn len(&self) -> usize {
        self.range.len()
    }

    pub(super) fn is_followed_by(&self, next: &Record) -> bool {
        self.block.as_ptr() == next.block.as_ptr() && self.range.end == next.range.start
    }

    pub(super) fn extend_over(&mut self, next: &Record) {
        self.range.end = next.range.end;
    }
}

/// Lets a block be shared as bytes.
struct Owner(Arc<Block>);

impl AsRef<[u8]> for Owner {
    fn as_ref(&self) -> &[u8] {
        &self.0.bytes
    }
}

/// A block that is being taken apart.
struct Opened {
    bytes: Bytes,
    block: Arc<Block>,
    next: usize,
}

impl Opened {
    fn peek(&self) -> Option<Range<usize>> {
        let end = *self.block.ends.get(self.next)? as usize;
        let start = self.next.checked_sub(1).map_or(0, |before| self.block.ends[before] as usize);
        Some(start..end)
    }
}

/// Makes batches out of blocks.
pub(super) struct Batches {
    pub(super) limits: Limits,
    opened: Option<Opened>,
    /// Blocks that are not done, oldest first, and how many of their records are not.
    blocks: VecDeque<(u64, usize)>,
    ended: bool,
}

impl Batches {
    pub(super) fn new(limits: Limits) -> Self {
        Batches { limits, opened: None, blocks: VecDeque::new(), ended: false }
    }

    /// The next batch: full, or as much of it as has come in time. None when nothing more will come.
    pub(super) async fn next(&mut self, feed: &mut Feed) -> Option<Vec<Record>> {
        let Limits { count, bytes, interval } = self.limits;
        let mut batch: Vec<Record> = Vec::new();
        let mut filled = 0;
        let mut until = None;
        loop {
            while let Some(opened) = &mut self.opened
                && let Some(range) = opened.peek()
            {
                if !batch.is_empty() && filled + range.len() > bytes {
                    return Some(batch);
                }
                filled += range.len();
                opened.next += 1;
                batch.push(Record { block: opened.bytes.clone(), range });
                if batch.len() >= count || filled >= bytes {
                    return Some(batch);
                }
            }
            self.opened = None;
            if self.ended {
                return (!batch.is_empty()).then_some(batch);
            }
            let event = if batch.is_empty() {
                feed.next().await
            } else if interval.is_zero() {
                match feed.try_next() {
                    Some(block) => FeedEvent::Block(block),
                    None => return Some(batch),
                }
            } else {
                let until = *until.get_or_insert_with(|| Instant::now() + interval);
                match timeout_at(until, feed.next()).await {
                    Ok(event) => event,
                    Err(_) => return Some(batch),
                }
            };
            match event {
                FeedEvent::Block(block) => {
                    self.blocks.push_back((block.ticket, block.len()));
                    let bytes = Bytes::from_owner(Owner(block.clone()));
                    self.opened = Some(Opened { bytes, block, next: 0 });
                    // A block without records is done as soon as those before it are.
                    self.settle(feed, 0);
                }
                FeedEvent::Tick | FeedEvent::Reopen => {}
                FeedEvent::End => self.ended = true,
            }
        }
    }

    /// The next `n` records are done: acknowledges the blocks that are.
    pub(super) fn settle(&mut self, feed: &mut Feed, mut n: usize) {
        let mut done = None;
        while let Some((ticket, left)) = self.blocks.front_mut() {
            let taken = n.min(*left);
            *left -= taken;
            n -= taken;
            if *left > 0 {
                break;
            }
            done = Some(*ticket);
            self.blocks.pop_front();
        }
        if let Some(ticket) = done {
            feed.ack(ticket);
        }
    }
}
