//! `output`: a plugin's selection is encoded and handed to its task; the capability of everything not yet
//! acknowledged is held, so the frontier behind this operator is what has been delivered.

use crate::engine::operators::time_of;
use crate::engine::wiring::OutputEnds;
use crate::engine::{NodeStatus, Time};
use heka_message::Selection;
use heka_operators::encoders::EncodeRunner;
use heka_operators::outputs::Block;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
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
    /// Encodes and frames.
    pub encode: EncodeRunner,
    /// The way to the output's task.
    pub ends: OutputEnds,
    /// Progress for reports.
    pub status: Arc<NodeStatus>,
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
    }
    builder.build(move |_capabilities| {
        let mut waiting: VecDeque<(Capability<Time>, Selection)> = VecDeque::new();
        let mut sent: VecDeque<(u64, Capability<Time>)> = VecDeque::new();
        move |frontiers| {
            let Some(OutputNode { encode, ends, status }) = &mut node else { return };
            input.for_each(|capability, selections| {
                let time = time_of(&capability);
                let capability = capability.delayed(&time, 0);
                waiting.extend(selections.drain(..).map(|selection| (capability.clone(), selection)));
            });
            let mut encoded = 0;
            while !waiting.is_empty() && ends.sender.queued() < QUEUED_LIMIT && encoded < BYTES_PER_TURN {
                let mut block = Block::default();
                let mut held: Option<Capability<Time>> = None;
                while block.bytes.len() < BLOCK_BYTES {
                    // A block holds one time, so that acknowledging it releases just that.
                    if waiting.front().is_none_or(|(next, _)| held.as_ref().is_some_and(|h| h.time() != next.time())) {
                        break;
                    }
                    let Some((capability, selection)) = waiting.pop_front() else { break };
                    encode.encode(&selection, &mut block);
                    status.passed.fetch_add(selection.len() as u64, Ordering::Relaxed);
                    held.get_or_insert(capability);
                }
                encoded += block.bytes.len();
                if let (Some(capability), false) = (held, block.is_empty()) {
                    sent.push_back((ends.sender.send(block), capability));
                }
            }
            if frontiers[0].is_empty() && waiting.is_empty() {
                ends.sender.close();
            }
            // Arm before the last look at what is acknowledged, so that none is missed.
            ends.waker.arm();
            let acked = ends.sender.acked();
            while sent.front().is_some_and(|(ticket, _)| *ticket <= acked) {
                sent.pop_front();
            }
            if !waiting.is_empty() && ends.sender.queued() < QUEUED_LIMIT {
                activator.activate();
            }
            let oldest = sent.front().map(|(_, c)| c.time().epoch).or(waiting.front().map(|(c, _)| c.time().epoch));
            status.holds.store(oldest.unwrap_or(0), Ordering::Relaxed);
            status.waiting.store(waiting.iter().map(|(_, s)| s.len()).sum(), Ordering::Relaxed);
        }
    });
    stream
}
