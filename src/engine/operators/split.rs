//! `split`: chunks become batches of records, and the ledger learns how far each stream has come.

use crate::engine::Time;
use crate::engine::ledger::Ledger;
use crate::engine::operators::time_of;
use heka_message::Selection;
use heka_operators::inputs::Chunk;
use heka_operators::splitters::Deliverer;
use timely::container::CapacityContainerBuilder;
use timely::dataflow::Stream;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::progress::operate::FrontierInterest;

/// The records of an input's chunks. `local` is `None` on the workers the input does not live on.
pub fn split<'scope>(
    chunks: Stream<'scope, Time, Vec<Chunk>>,
    name: &str,
    mut local: Option<(Deliverer, Ledger)>,
) -> Stream<'scope, Time, Vec<Selection>> {
    let mut builder = OperatorBuilder::new(name.to_owned(), chunks.scope());
    let mut input = builder.new_input(chunks, Pipeline);
    builder.set_notify_for(0, FrontierInterest::Never);
    let (output, stream) = builder.new_output::<Vec<Selection>>();
    let mut output = OutputBuilder::<_, CapacityContainerBuilder<Vec<Selection>>>::from(output);
    builder.build(move |_capabilities| {
        move |_frontiers| {
            let mut output = output.activate();
            input.for_each(|capability, chunks| {
                let Some((deliverer, ledger)) = &mut local else { return };
                for chunk in chunks.drain(..) {
                    let stream = chunk.stream.id;
                    let delivered = deliverer.deliver(chunk);
                    ledger.note(time_of(&capability).epoch, stream, delivered.position);
                    if let Some(batch) = delivered.batch {
                        output.session(&capability).give(Selection::all(batch));
                    }
                }
            });
        }
    });
    stream
}
