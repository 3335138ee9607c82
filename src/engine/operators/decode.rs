//! `decode`: batches of records become batches of messages, on the input's worker or spread over several.
//!
//! A decoder that cannot go on leaves records undecoded. Their epoch passes, so that the dataflow can end, but the limit
//! of the input's ledger is lowered first, so that they come again after the next start.

use crate::engine::ledger::CommitLimit;
use crate::engine::operators::time_of;
use crate::engine::operators::turn::{Pace, Turn};
use crate::engine::{NodeStatus, Time};
use heka_message::{BatchBuilder, Origin, RowSet, Selection};
use heka_operators::decoders::{DecodeRunner, Decoding};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;
use timely::container::CapacityContainerBuilder;
use timely::dataflow::Stream;
use timely::dataflow::channels::pact::{Exchange, ParallelizationContract, Pipeline};
use timely::dataflow::operators::Capability;
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::progress::operate::FrontierInterest;

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
    runner: Option<DecodeRunner>,
    limit: Arc<CommitLimit>,
    status: Arc<NodeStatus>,
) -> Stream<'scope, Time, Vec<Selection>> {
    match spread.count {
        0 | 1 => decode_by(records, name, Pipeline, Node { runner, limit, status, answers_all: false }),
        _ => {
            let route = move |records: &Selection| spread.worker(records.batch.origin.sequence) as u64;
            decode_by(records, name, Exchange::new(route), Node { runner, limit, status, answers_all: true })
        }
    }
}

/// A decoder with what it needs on its worker.
struct Node {
    runner: Option<DecodeRunner>,
    limit: Arc<CommitLimit>,
    status: Arc<NodeStatus>,
    /// Whether a batch of which nothing comes gets an empty answer.
    answers_all: bool,
}

fn decode_by<'scope, P: ParallelizationContract<Time, Vec<Selection>>>(
    records: Stream<'scope, Time, Vec<Selection>>,
    name: &str,
    pact: P,
    node: Node,
) -> Stream<'scope, Time, Vec<Selection>> {
    let Node { mut runner, limit, status, answers_all } = node;
    let scope = records.scope();
    let mut builder = OperatorBuilder::new(name.to_owned(), scope);
    let mut input = builder.new_input(records, pact);
    builder.set_notify_for(0, FrontierInterest::Never);
    let (output, messages) = builder.new_output::<Vec<Selection>>();
    let mut output = OutputBuilder::<_, CapacityContainerBuilder<Vec<Selection>>>::from(output);
    let activator = scope.activator_for(builder.operator_info().address);
    builder.build(move |_capabilities| {
        let mut waiting: VecDeque<(Capability<Time>, Selection)> = VecDeque::new();
        let mut current: Option<(Capability<Time>, Decoding)> = None;
        let mut pace = Pace::default();
        move |_frontiers| {
            let Some(runner) = &mut runner else {
                // The daemon ends because of it; until then nobody may wait for an answer.
                input.for_each(|capability, batches| {
                    limit.lower(time_of(&capability).epoch);
                    let origins = batches.drain(..).map(|records| records.batch.origin);
                    let mut output = output.activate();
                    let mut session = output.session(&capability);
                    origins.filter(|_| answers_all).for_each(|origin| session.give(nothing(origin)));
                });
                return;
            };
            input.for_each(|capability, batches| {
                let capability = capability.delayed(&time_of(&capability), 0);
                waiting.extend(batches.drain(..).map(|records| (capability.clone(), records)));
            });
            let (turn, mut output) = (Turn::begin(), output.activate());
            loop {
                let next =
                    || waiting.pop_front().map(|(capability, records)| (capability, runner.begin(records.batch)));
                let Some((capability, mut work)) = current.take().or_else(next) else { break };
                decode_some(runner, &mut work, &mut pace, &turn);
                if !work.is_done() {
                    current = Some((capability, work));
                    activator.activate();
                    break;
                }
                if runner.has_ended() {
                    // The frontier cannot pass this epoch before the capability is dropped.
                    limit.lower(capability.time().epoch);
                }
                let origin = work.origin();
                let decoded = runner.finish(work).map(Selection::all);
                status.pass(decoded.as_ref().map_or(0, |messages| messages.batch.len()));
                if let Some(answer) = decoded.or_else(|| answers_all.then(|| nothing(origin))) {
                    output.session(&capability).give(answer);
                }
            }
        }
    });
    messages
}

/// Decodes until a batch is done or the turn is over.
fn decode_some(runner: &mut DecodeRunner, work: &mut Decoding, pace: &mut Pace, turn: &Turn) {
    while !work.is_done() && !turn.is_over() {
        let (records, begun) = (pace.messages(), Instant::now());
        runner.go_on(work, records);
        pace.took(records, begun.elapsed());
    }
}

/// The empty answer to a batch.
fn nothing(origin: Origin) -> Selection {
    let mut empty = BatchBuilder::new(bytes::Bytes::new());
    empty.set_origin(origin);
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
