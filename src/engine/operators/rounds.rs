//! `rounds`: messages that come back from a queue on disk go on in the round in which they went into it, so that a
//! loop through a queue ends like any other.

use crate::engine::Time;
use crate::engine::operators::time_of;
use heka_message::{RowSet, Selection};
use std::collections::BTreeSet;
use std::sync::Arc;
use timely::container::CapacityContainerBuilder;
use timely::dataflow::Stream;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::progress::operate::FrontierInterest;

/// The same messages, each in its round; at most in round `limit`, whatever a file says.
pub fn rounds<'scope>(
    messages: Stream<'scope, Time, Vec<Selection>>,
    name: &str,
    limit: u32,
) -> Stream<'scope, Time, Vec<Selection>> {
    let mut builder = OperatorBuilder::new(name.to_owned(), messages.scope());
    let mut input = builder.new_input(messages, Pipeline);
    builder.set_notify_for(0, FrontierInterest::Never);
    let (output, stream) = builder.new_output::<Vec<Selection>>();
    let mut output = OutputBuilder::<_, CapacityContainerBuilder<Vec<Selection>>>::from(output);
    builder.build(move |_capabilities| {
        move |_frontiers| {
            let mut output = output.activate();
            input.for_each(|capability, selections| {
                let time = time_of(&capability);
                for selection in selections.drain(..) {
                    for (round, part) in by_round(selection, limit) {
                        let later = Time { round: time.round.saturating_add(round), ..time };
                        output.session(&capability.delayed(&later, 0)).give(part);
                    }
                }
            });
        }
    });
    stream
}

/// The messages of a selection by their rounds.
fn by_round(selection: Selection, limit: u32) -> Vec<(u32, Selection)> {
    let round = |loops: u32| loops.min(limit);
    let rounds: BTreeSet<u32> = selection.iter().map(|message| round(message.raw().loops)).collect();
    match rounds.first() {
        // As good as always: nothing has gone round, or everything as often.
        Some(&only) if rounds.len() == 1 => vec![(only, selection)],
        _ => rounds.into_iter().map(|of| (of, rows_of(&selection, |loops| round(loops) == of))).collect(),
    }
}

fn rows_of(selection: &Selection, is_of: impl Fn(u32) -> bool) -> Selection {
    let batch = &selection.batch;
    let wanted = |row: usize| selection.rows.contains(row) && is_of(batch.row(row).raw().loops);
    Selection { batch: Arc::clone(batch), rows: RowSet::from_fn(batch.len(), wanted) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use heka_message::BatchBuilder;

    #[test]
    fn messages_are_told_apart_by_how_often_they_have_gone_round() {
        let cases: [(&[u32], &str); 4] = [
            (&[0, 0, 0], "[(0, 3)]"),
            (&[2, 2], "[(2, 2)]"),
            (&[0, 3, 0, 1], "[(0, 2), (1, 1), (3, 1)]"),
            // A damaged file cannot send anything beyond the limit.
            (&[u32::MAX, 4, 0], "[(0, 1), (4, 2)]"),
        ];
        for (loops, expected) in cases {
            let mut builder = BatchBuilder::default();
            loops.iter().for_each(|loops| builder.row().loops = *loops);
            let parts = by_round(Selection::all(builder.finish()), 4);
            let parts: Vec<_> = parts.iter().map(|(round, part)| (*round, part.len())).collect();
            assert_eq!(format!("{parts:?}"), expected, "{loops:?}");
        }
    }
}
