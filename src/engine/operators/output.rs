//! `output`: a plugin's selection is encoded and handed to its task; the capability of everything not yet
//! acknowledged is held, so the frontier behind this operator is what has been delivered.
//!
//! An output that has ended for good delivers nothing more. Its operator lets go of what it holds, so that the
//! dataflow can end, but lowers the limit of its checkpoint first, so that none of it counts as delivered. An encoder
//! that has ended leaves what is not encoded in the same way; what is encoded is still delivered. Where the daemon goes
//! on without the output, what it leaves is dropped by a rule instead: positions must move on.

use crate::engine::ledger::CommitLimit;
use crate::engine::operators::sizes::Sizes;
use crate::engine::operators::time_of;
use crate::engine::operators::turn::{Pace, Turn};
use crate::engine::wiring::{OutputEnds, StopFlag};
use crate::engine::{NodeStatus, Time};
use heka_message::Selection;
use heka_operators::encoders::EncodeRunner;
use heka_operators::plugin::Site;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;
use timely::dataflow::Stream;
use timely::dataflow::channels::pact::Exchange;
use timely::dataflow::operators::Capability;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::progress::operate::FrontierInterest;

/// Encoded bytes an output may have unacknowledged; past it selections wait, holding their inputs' budget.
const QUEUED_LIMIT: usize = 4 * 1024 * 1024;
/// Encoded bytes a block holds at most, but for a last message that exceeds it.
const BLOCK_BYTES: usize = 256 * 1024;
/// Bytes encoded per scheduling, so that no output keeps a worker to itself.
const BYTES_PER_TURN: usize = 1024 * 1024;

/// An output with everything it needs on its worker.
pub struct OutputNode {
    /// Encodes and frames; `None` when the encoder could not be made, and so nothing can be delivered.
    pub encode: Option<EncodeRunner>,
    /// The way to the output's task.
    pub ends: OutputEnds,
    /// Name, counters, log.
    pub site: Site,
    /// Progress for reports.
    pub status: Arc<NodeStatus>,
    /// Set when what is not delivered by now is to be given up.
    pub abort: Arc<StopFlag>,
    /// How far the checkpoint behind this output may commit.
    pub limit: Arc<CommitLimit>,
    /// Whether the daemon goes on without it.
    pub can_exit: bool,
    /// Whether what it writes comes back: then frames remember how often a message has gone round.
    pub keeps_loops: bool,
}

/// What one output has taken and not let go of yet, oldest first.
#[derive(Default)]
struct Held {
    /// Selections that wait to be encoded.
    waiting: VecDeque<(Capability<Time>, Selection)>,
    /// Messages in `waiting`.
    messages: usize,
    /// Blocks that wait for their acknowledgement.
    sent: VecDeque<Sent>,
    /// Messages given up so far.
    given_up: usize,
}

/// A block on its way.
struct Sent {
    ticket: u64,
    records: usize,
    capability: Capability<Time>,
}

impl Held {
    /// The oldest time held.
    fn oldest(&self) -> Option<&Time> {
        self.sent.front().map(|sent| sent.capability.time()).or(self.waiting.front().map(|(held, _)| held.time()))
    }

    /// Selections of one time have come.
    fn add(&mut self, capability: Capability<Time>, selections: &mut Vec<Selection>) {
        self.messages += selections.iter().map(Selection::len).sum::<usize>();
        self.waiting.extend(selections.drain(..).map(|selection| (capability.clone(), selection)));
    }

    /// The next selection to be encoded, if it is of the time of `block`, or if that has none yet.
    fn next_of(&mut self, block: Option<&Capability<Time>>) -> Option<(Capability<Time>, Selection)> {
        // A block holds one time, so that acknowledging it releases just that.
        let is_next = |(next, _): &mut (Capability<Time>, _)| block.is_none_or(|block| block.time() == next.time());
        let next = self.waiting.pop_front_if(is_next)?;
        self.messages -= next.1.len();
        Some(next)
    }

    /// What is left of the selection that was the next.
    fn put_back(&mut self, capability: Capability<Time>, selection: Selection) {
        self.messages += selection.len();
        self.waiting.push_front((capability, selection));
    }

    /// Lets go of everything, delivered or not, after making sure that none of it will be committed.
    fn give_up(&mut self, limit: &CommitLimit) {
        // Several inputs' epochs may come in any order.
        if let Some(oldest) = self.sent.iter().map(|sent| sent.capability.time().epoch).min() {
            limit.lower(oldest);
            self.given_up += self.sent.drain(..).map(|sent| sent.records).sum::<usize>();
        }
        self.leave(Some(limit));
    }

    /// Lets go of what is not encoded, after making sure, if there is a `limit`, that none of it will be committed.
    fn leave(&mut self, limit: Option<&CommitLimit>) {
        let oldest = self.waiting.iter().map(|(held, _)| held.time().epoch).min();
        if let (Some(oldest), Some(limit)) = (oldest, limit) {
            limit.lower(oldest);
        }
        self.given_up += std::mem::take(&mut self.messages);
        self.waiting.clear();
    }
}

/// The frontier of what an output has delivered; the stream itself never carries data. The selection is
/// gathered on `worker`; `node` is `None` on all others.
pub fn output<'scope>(
    messages: Stream<'scope, Time, Vec<Selection>>,
    name: &str,
    worker: usize,
    mut node: Option<OutputNode>,
) -> Stream<'scope, Time, Vec<Selection>> {
    let scope = messages.scope();
    let mut builder = OperatorBuilder::new(name.to_owned(), scope);
    let mut input = builder.new_input(messages, Exchange::new(move |_: &Selection| worker as u64));
    builder.set_notify_for(0, FrontierInterest::IfCapability);
    let (_never, stream) = builder.new_output::<Vec<Selection>>();
    let address = builder.operator_info().address;
    let activator = scope.activator_for(address.clone());
    if let Some(node) = &node {
        let wake = scope.worker().sync_activator_for(address.to_vec());
        node.ends.waker.connect(move || {
            // A worker that has ended needs no waking.
            let _ = wake.activate();
        });
        node.abort.wake(node.ends.waker.clone());
    }
    builder.build(move |_capabilities| {
        let mut held = Held::default();
        let (mut sizes, mut pace) = (Sizes::default(), Pace::default());
        move |frontiers| {
            let Some(OutputNode { encode, ends, site, status, abort, limit, can_exit, keeps_loops }) = &mut node else {
                return;
            };
            input.for_each(|capability, selections| {
                held.add(capability.delayed(&time_of(&capability), 0), selections);
            });
            let before = held.given_up;
            let kept = (!*can_exit).then_some(&**limit);
            if let Some(encode) = encode {
                if !encode.has_ended() {
                    send(encode, ends, &mut held, (&mut sizes, &mut pace), status, *keeps_loops, kept);
                }
                if encode.has_ended() {
                    held.leave(kept);
                }
            }
            let ended = frontiers[0].is_empty();
            // Arm before the last look at what has come back, so that none is missed.
            ends.waker.arm();
            let acked = ends.sender.acked();
            while held.sent.front().is_some_and(|sent| sent.ticket <= acked) {
                held.sent.pop_front();
            }
            if encode.is_none() || abort.is_set() || ends.sender.is_abandoned() {
                // What comes from now on is not delivered either.
                *encode = None;
                held.give_up(limit);
            }
            if ended && held.waiting.is_empty() {
                ends.sender.close();
            }
            if held.given_up > before {
                site.stats.drops("output-ended").add(held.given_up - before);
            }
            if ended && held.given_up > 0 {
                let n = std::mem::take(&mut held.given_up);
                let fate = match *can_exit && !abort.is_set() {
                    true => "the output may exit, so they are dropped",
                    false => "what a position or a queue covers comes again after the next start",
                };
                site.log.error(format_args!("{n} messages were not delivered; {fate}"));
            }
            if !held.waiting.is_empty() && ends.sender.queued() < QUEUED_LIMIT {
                activator.activate();
            }
            status.holds.store(held.oldest().map_or(0, |oldest| oldest.epoch), Ordering::Relaxed);
            status.waiting.store(held.messages, Ordering::Relaxed);
            status.unacknowledged.store(held.sent.iter().map(|sent| sent.records).sum(), Ordering::Relaxed);
        }
    });
    stream
}

/// Encodes what waits and hands it to the output's task, as far as its limit and this turn's share allow. What the
/// encoder leaves of a selection because it cannot go on is not committed if there is a `limit`.
fn send(
    encode: &mut EncodeRunner,
    ends: &mut OutputEnds,
    held: &mut Held,
    (sizes, pace): (&mut Sizes, &mut Pace),
    status: &NodeStatus,
    keeps_loops: bool,
    limit: Option<&CommitLimit>,
) {
    let (turn, mut encoded) = (Turn::begin(), 0);
    let has_turn = |encoded| encoded < BYTES_PER_TURN && !turn.is_over();
    while !encode.has_ended() && !held.waiting.is_empty() && ends.sender.queued() < QUEUED_LIMIT && has_turn(encoded) {
        let mut block = ends.sender.block(sizes.next_block(held.waiting.iter(), BLOCK_BYTES));
        let mut of: Option<Capability<Time>> = None;
        let mut source = 0;
        while block.bytes.len() < BLOCK_BYTES && !turn.is_over() && !encode.has_ended() {
            let Some((capability, selection)) = held.next_of(of.as_ref()) else { break };
            if keeps_loops {
                encode.set_loops(capability.time().round);
            }
            let (now, later) = selection.split_first(pace.messages());
            if let Some(later) = later {
                held.put_back(capability.clone(), later);
            }
            let (messages, begun) = (now.len(), Instant::now());
            source += Sizes::source(&now);
            held.given_up += encode.encode(&now, &mut block);
            pace.took(messages, begun.elapsed());
            if let (true, Some(limit)) = (encode.has_ended(), limit) {
                limit.lower(capability.time().epoch);
            }
            status.pass(messages);
            of.get_or_insert(capability);
        }
        encoded += block.bytes.len();
        sizes.learn(source, block.bytes.len());
        status.bytes.fetch_add(block.bytes.len() as u64, Ordering::Relaxed);
        if let (Some(capability), false) = (of, block.is_empty()) {
            let records = block.len();
            held.sent.push_back(Sent { ticket: ends.sender.send(block), records, capability });
        }
    }
}
