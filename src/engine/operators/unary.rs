//! `unary`: the shape of every operator that does little work and needs neither frontiers nor state: containers in,
//! selections out at the same time.

use crate::engine::Time;
use crate::engine::operators::time_of;
use heka_message::Selection;
use timely::container::CapacityContainerBuilder;
use timely::dataflow::Stream;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::progress::operate::FrontierInterest;

/// Calls `logic` with each container, its time, and where to give selections.
pub fn unary<'scope, I: 'static>(
    stream: Stream<'scope, Time, Vec<I>>,
    name: &str,
    mut logic: impl FnMut(Time, &mut Vec<I>, &mut dyn FnMut(Selection)) + 'static,
) -> Stream<'scope, Time, Vec<Selection>> {
    let mut builder = OperatorBuilder::new(name.to_owned(), stream.scope());
    let mut input = builder.new_input(stream, Pipeline);
    builder.set_notify_for(0, FrontierInterest::Never);
    let (output, selections) = builder.new_output::<Vec<Selection>>();
    let mut output = OutputBuilder::<_, CapacityContainerBuilder<Vec<Selection>>>::from(output);
    builder.build(move |_capabilities| {
        move |_frontiers| {
            let mut output = output.activate();
            input.for_each(|capability, data| {
                let mut session = output.session(&capability);
                logic(time_of(&capability), data, &mut |selection| session.give(selection));
            });
        }
    });
    selections
}
