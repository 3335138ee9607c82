//! `decode`: batches of records become batches of messages, on the input's worker or spread over several.
//!
//! A decoder that cannot go on leaves records undecoded. Their epoch passes, so that the dataflow can end, but the limit
//! of the input's ledger is lowered first, so that they come again after the next start.

use crate::engine::ledger::CommitLimit;
use crate::engine::operators::unary::{paced, paced_exchanged};
use crate::engine::{NodeStatus, Time};
use heka_message::{Batch, BatchBuilder, RowSet, Selection};
use heka_operators::decoders::DecodeRunner;
use std::sync::Arc;
use timely::dataflow::Stream;

/// On which workers an input's records are decoded: `count` of them, beginning with its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
    /// The input's worker.
    pub first: usize,
    /// How many decode; 1 means the input's own.
    pub count: usize,
    /// How many there are.
    pub peers: usize,
}

impl Spread {
    /// The worker that decodes a batch.
    pub fn worker(self, sequence: u64) -> usize {
        (self.first + (sequence % self.count.max(1) as u64) as usize) % self.peers.max(1)
    }

    /// Whether a worker decodes any.
    pub fn includes(self, worker: usize) -> bool {
        (worker + self.peers - self.first) % self.peers.max(1) < self.count
    }
}

/// The messages of an input's records, counted in `status`. `runner` is `None` on the workers that decode nothing of it,
/// or on which its decoder could not be made; `limit` is how far the input's positions may be committed. When several
/// decode, each batch of records gives exactly one batch of messages, which may be empty: whoever restores their order
/// counts on it.
pub fn decode<'scope>(
    records: Stream<'scope, Time, Vec<Selection>>,
    name: &str,
    spread: Spread,
    mut runner: Option<DecodeRunner>,
    limit: Arc<CommitLimit>,
    status: Arc<NodeStatus>,
) -> Stream<'scope, Time, Vec<Selection>> {
    let spreads = spread.count > 1;
    let logic = move |time: &Time, selection: Selection| {
        let decoded = runner.as_mut().and_then(|runner| runner.decode(&selection.batch));
        if runner.as_ref().is_none_or(DecodeRunner::has_ended) {
            // The frontier cannot pass this epoch before the operator returns.
            limit.lower(time.epoch);
        }
        match decoded {
            Some(batch) => {
                status.pass(batch.len());
                Some(Selection::all(batch))
            }
            None => spreads.then(|| nothing(&selection.batch)),
        }
    };
    match spreads {
        true => paced_exchanged(records, name, move |s| spread.worker(s.batch.origin.sequence) as u64, logic),
        false => paced(records, name, logic),
    }
}

/// The empty answer to a batch.
fn nothing(records: &Batch) -> Selection {
    let mut empty = BatchBuilder::new(bytes::Bytes::new());
    empty.set_origin(records.origin);
    Selection { batch: Arc::new(empty.finish()), rows: RowSet::None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workers_that_decode_are_those_that_batches_go_to() {
        for (first, count, peers) in [(0, 1, 1), (1, 1, 4), (3, 2, 4), (2, 4, 4), (1, 3, 3)] {
            let spread = Spread { first, count, peers };
            let mut reached: Vec<usize> = (1..=100).map(|sequence| spread.worker(sequence)).collect();
            reached.sort_unstable();
            reached.dedup();
            let included: Vec<usize> = (0..peers).filter(|worker| spread.includes(*worker)).collect();
            assert_eq!(reached, included, "{spread:?}");
        }
    }
}
