//! `resequence`: batches that were decoded on several workers come back into the order of their source.
//!
//! Every batch carries its source's sequence number, and the workers answer each with exactly one batch, an empty one
//! if need be. So a batch goes on as soon as all before it have: nothing waits for the end of an epoch.

use crate::engine::Time;
use crate::engine::operators::time_of;
use heka_message::Selection;
use std::collections::BTreeMap;
use timely::container::CapacityContainerBuilder;
use timely::dataflow::Stream;
use timely::dataflow::channels::pact::Exchange;
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::progress::operate::FrontierInterest;

/// The batches of one source in order, gathered on `worker`.
pub fn resequence<'scope>(
    batches: Stream<'scope, Time, Vec<Selection>>,
    name: &str,
    worker: usize,
) -> Stream<'scope, Time, Vec<Selection>> {
    let mut builder = OperatorBuilder::new(name.to_owned(), batches.scope());
    let mut input = builder.new_input(batches, Exchange::new(move |_: &Selection| worker as u64));
    builder.set_notify_for(0, FrontierInterest::Never);
    let (output, stream) = builder.new_output::<Vec<Selection>>();
    let mut output = OutputBuilder::<_, CapacityContainerBuilder<Vec<Selection>>>::from(output);
    builder.build(move |_capabilities| {
        let mut ahead = Ahead::default();
        move |_frontiers| {
            let mut output = output.activate();
            input.for_each(|capability, batches| {
                let time = time_of(&capability);
                for batch in batches.drain(..) {
                    let sequence = batch.batch.origin.sequence;
                    // Most batches are in order already and need no capability of their own.
                    if ahead.is_next(sequence) {
                        if !batch.is_empty() {
                            output.session(&capability).give(batch);
                        }
                    } else {
                        ahead.keep(sequence, (capability.delayed(&time, 0), batch));
                    }
                }
            });
            while let Some((capability, batch)) = ahead.take() {
                if !batch.is_empty() {
                    output.session(&capability).give(batch);
                }
            }
        }
    });
    stream
}

/// What has come before its turn. Sequences count from 1 without gaps.
struct Ahead<T> {
    next: u64,
    kept: BTreeMap<u64, T>,
}

impl<T> Default for Ahead<T> {
    fn default() -> Self {
        Ahead { next: 1, kept: BTreeMap::new() }
    }
}

impl<T> Ahead<T> {
    /// Whether it is this one's turn; if so the turn passes on.
    fn is_next(&mut self, sequence: u64) -> bool {
        let turn = sequence == self.next;
        self.next += u64::from(turn);
        turn
    }

    fn keep(&mut self, sequence: u64, item: T) {
        self.kept.insert(sequence, item);
    }

    /// The next one, if it is here.
    fn take(&mut self) -> Option<T> {
        let item = self.kept.remove(&self.next)?;
        self.next += 1;
        Some(item)
    }
}

#[cfg(test)]
mod tests {
    use super::Ahead;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_order_comes_out_as_counted(order in Just((1u64..=40).collect::<Vec<_>>()).prop_shuffle()) {
            let mut ahead = Ahead::default();
            let mut out = Vec::new();
            for sequence in order {
                if ahead.is_next(sequence) {
                    out.push(sequence);
                } else {
                    ahead.keep(sequence, sequence);
                }
                out.extend(std::iter::from_fn(|| ahead.take()));
            }
            prop_assert_eq!(out, (1u64..=40).collect::<Vec<_>>());
        }
    }
}
