//! `select`: a plugin's message matcher picks rows out of every batch that passes the router.

use crate::engine::Time;
use heka_matcher::{Matcher, Predicates};
use heka_message::Selection;
use std::sync::Arc;
use timely::container::CapacityContainerBuilder;
use timely::dataflow::Stream;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::progress::operate::FrontierInterest;

/// The rows that `matcher` accepts. Predicates are evaluated at most once per batch, whichever matcher asks.
pub fn select<'scope>(
    messages: Stream<'scope, Time, Vec<Selection>>,
    name: &str,
    matcher: Matcher,
    predicates: Arc<Predicates>,
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
                let mut session = output.session(&capability);
                for Selection { batch, rows } in selections.drain(..) {
                    let matched = matcher.select(&predicates, &batch).and(&rows, batch.len());
                    if !matched.is_none() {
                        session.give(Selection { batch, rows: matched });
                    }
                }
            });
        }
    });
    stream
}
