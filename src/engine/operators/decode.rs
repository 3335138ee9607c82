//! `decode`: batches of records become batches of messages.

use crate::engine::Time;
use heka_message::Selection;
use heka_operators::decoders::DecodeRunner;
use timely::container::CapacityContainerBuilder;
use timely::dataflow::Stream;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::progress::operate::FrontierInterest;

/// The messages of an input's records. `runner` is `None` on the workers the input does not live on.
pub fn decode<'scope>(
    records: Stream<'scope, Time, Vec<Selection>>,
    name: &str,
    mut runner: Option<DecodeRunner>,
) -> Stream<'scope, Time, Vec<Selection>> {
    let mut builder = OperatorBuilder::new(name.to_owned(), records.scope());
    let mut input = builder.new_input(records, Pipeline);
    builder.set_notify_for(0, FrontierInterest::Never);
    let (output, stream) = builder.new_output::<Vec<Selection>>();
    let mut output = OutputBuilder::<_, CapacityContainerBuilder<Vec<Selection>>>::from(output);
    builder.build(move |_capabilities| {
        move |_frontiers| {
            let mut output = output.activate();
            input.for_each(|capability, selections| {
                let Some(runner) = &mut runner else { return };
                for selection in selections.drain(..) {
                    if let Some(batch) = runner.decode(&selection.batch) {
                        output.session(&capability).give(Selection::all(batch));
                    }
                }
            });
        }
    });
    stream
}
