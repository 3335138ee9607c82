//! `split`: chunks become batches of records, and the ledger learns how far each stream has come.

use crate::engine::ledger::Ledger;
use crate::engine::operators::unary::unary;
use crate::engine::{NodeStatus, Time};
use heka_message::Selection;
use heka_operators::inputs::Chunk;
use heka_operators::splitters::Deliverer;
use std::sync::Arc;
use timely::dataflow::Stream;

/// The records of an input's chunks, counted in `status`. `local` is `None` on the workers the input does not live on.
pub fn split<'scope>(
    chunks: Stream<'scope, Time, Vec<Chunk>>,
    name: &str,
    mut local: Option<(Deliverer, Ledger)>,
    status: Arc<NodeStatus>,
) -> Stream<'scope, Time, Vec<Selection>> {
    unary(chunks, name, move |time, chunks, give| {
        let Some((deliverer, ledger)) = &mut local else { return };
        for chunk in chunks.drain(..) {
            let stream = chunk.stream.id;
            let Some(delivered) = deliverer.deliver(chunk) else {
                // The frontier cannot pass this epoch before the operator returns.
                ledger.give_up(time.epoch);
                continue;
            };
            ledger.note(time.epoch, stream, delivered.position);
            if let Some(batch) = delivered.batch {
                status.pass(batch.len());
                give(Selection::all(batch));
            }
        }
    })
}
