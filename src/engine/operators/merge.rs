//! `merge`: several streams of selections become one; the router's beginning.

use crate::engine::{NodeStatus, Time};
use heka_message::Selection;
use std::sync::Arc;
use timely::container::CapacityContainerBuilder;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::dataflow::{Scope, Stream};
use timely::progress::operate::FrontierInterest;

/// All of `streams` in one; what passes is counted in `status`.
pub fn merge<'scope>(
    scope: Scope<'scope, Time>,
    name: &str,
    streams: Vec<Stream<'scope, Time, Vec<Selection>>>,
    status: Arc<NodeStatus>,
) -> Stream<'scope, Time, Vec<Selection>> {
    let mut builder = OperatorBuilder::new(name.to_owned(), scope);
    let mut inputs: Vec<_> = streams.into_iter().map(|stream| builder.new_input(stream, Pipeline)).collect();
    for index in 0..inputs.len() {
        builder.set_notify_for(index, FrontierInterest::Never);
    }
    let (output, stream) = builder.new_output::<Vec<Selection>>();
    let mut output = OutputBuilder::<_, CapacityContainerBuilder<Vec<Selection>>>::from(output);
    builder.build(move |_capabilities| {
        move |_frontiers| {
            let mut output = output.activate();
            for input in &mut inputs {
                input.for_each(|capability, data| {
                    status.pass(data.iter().map(Selection::len).sum());
                    output.session(&capability).give_container(data);
                });
            }
        }
    });
    stream
}
