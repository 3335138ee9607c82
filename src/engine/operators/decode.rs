//! `decode`: batches of records become batches of messages.

use crate::engine::Time;
use crate::engine::operators::unary::unary;
use heka_message::Selection;
use heka_operators::decoders::DecodeRunner;
use timely::dataflow::Stream;

/// The messages of an input's records. `runner` is `None` on the workers the input does not live on.
pub fn decode<'scope>(
    records: Stream<'scope, Time, Vec<Selection>>,
    name: &str,
    mut runner: Option<DecodeRunner>,
) -> Stream<'scope, Time, Vec<Selection>> {
    unary(records, name, move |_time, selections, give| {
        let Some(runner) = &mut runner else { return };
        for selection in selections.drain(..) {
            if let Some(batch) = runner.decode(&selection.batch) {
                give(Selection::all(batch));
            }
        }
    })
}
