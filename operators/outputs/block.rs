//! What travels from the dataflow to an output: encoded records, many at a time, in buffers that are used again.

use std::sync::{Arc, Mutex, PoisonError};

/// Smaller buffers are cheap to make, and keeping them would only keep memory.
const WORTH_KEEPING: usize = 64 * 1024;
/// Most idle buffers of one output.
const KEEP: usize = 8;

/// Encoded records, one behind the other. Its buffers return to its pool, if it has one.
#[derive(Debug, Default)]
pub struct Block {
    /// The records' bytes.
    pub bytes: Vec<u8>,
    /// Where each record ends in `bytes`.
    pub ends: Vec<u32>,
    /// Counts the blocks of one output from 1; acknowledged in order.
    pub ticket: u64,
    pool: Option<Arc<BlockPool>>,
}

impl Block {
    /// An empty block in the place of the one with this ticket.
    pub fn instead_of(ticket: u64) -> Block {
        let mut block = Block::default();
        block.ticket = ticket;
        block
    }

    /// How many records.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The records, in order.
    pub fn records(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let record = &self.bytes[start..end as usize];
            start = end as usize;
            record
        })
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.take() {
            pool.put(std::mem::take(&mut self.bytes), std::mem::take(&mut self.ends));
        }
    }
}

/// The idle buffers of one output's blocks: memory that comes from the system for every block costs a page fault for
/// each of its pages.
#[derive(Debug, Default)]
pub struct BlockPool {
    free: Mutex<Vec<(Vec<u8>, Vec<u32>)>>,
}

impl BlockPool {
    /// An empty block with room for about `bytes` bytes; it may grow.
    pub fn block(self: &Arc<Self>, bytes: usize) -> Block {
        if bytes < WORTH_KEEPING {
            return Block { bytes: Vec::with_capacity(bytes), ends: Vec::new(), ticket: 0, pool: None };
        }
        let idle = {
            let mut free = self.free();
            // A buffer much larger than its content would hold memory for as long as the block is kept.
            let fits =
                |(buffer, _): &(Vec<u8>, Vec<u32>)| (bytes..bytes.saturating_mul(2)).contains(&buffer.capacity());
            free.iter().position(fits).map(|at| free.swap_remove(at))
        };
        let (bytes, ends) = idle.unwrap_or_else(|| (Vec::with_capacity(bytes), Vec::new()));
        Block { bytes, ends, ticket: 0, pool: Some(self.clone()) }
    }

    fn put(&self, mut bytes: Vec<u8>, mut ends: Vec<u32>) {
        bytes.clear();
        ends.clear();
        let mut free = self.free();
        if free.len() < KEEP {
            free.push((bytes, ends));
        } else if let Some(oldest) = free.first_mut() {
            // Sizes change with the traffic: the newest are those that will fit.
            *oldest = (bytes, ends);
        }
    }

    fn free(&self) -> std::sync::MutexGuard<'_, Vec<(Vec<u8>, Vec<u32>)>> {
        // A list of idle buffers cannot be left half changed.
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_buffers_come_back_and_no_more_than_a_few_are_kept() {
        let pool = Arc::new(BlockPool::default());
        let mut block = pool.block(100_000);
        block.bytes.extend_from_slice(b"record");
        block.ends.push(6);
        let place = block.bytes.as_ptr();
        drop(block);
        let again = pool.block(90_000);
        assert!(again.bytes.as_ptr() == place && again.bytes.is_empty() && again.is_empty());
        drop(again);
        assert_ne!(pool.block(10).bytes.as_ptr(), place, "much too large for it");
        drop((0..20).map(|_| pool.block(100_000)).collect::<Vec<_>>());
        assert_eq!(pool.free().len(), KEEP);
    }
}
