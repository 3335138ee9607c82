//! The shapes of every operator that needs neither frontiers nor state across times: what comes in goes out changed, at
//! the same time. [`unary`] takes everything at once; [`paced`] is for work that may take long.

use crate::engine::Time;
use crate::engine::operators::time_of;
use crate::engine::operators::turn::Turn;
use heka_message::Selection;
use std::collections::VecDeque;
use timely::container::CapacityContainerBuilder;
use timely::dataflow::Stream;
use timely::dataflow::channels::pact::{Exchange, ParallelizationContract, Pipeline};
use timely::dataflow::operators::Capability;
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

/// Calls `logic` with each selection and its time for at most one; what does not fit into a turn waits for the next one, in order.
pub fn paced<'scope>(
    stream: Stream<'scope, Time, Vec<Selection>>,
    name: &str,
    logic: impl FnMut(&Time, Selection) -> Option<Selection> + 'static,
) -> Stream<'scope, Time, Vec<Selection>> {
    paced_by(stream, name, Pipeline, logic)
}

/// As [`paced`], after each selection has gone to the worker that `route` names, modulo their number.
pub fn paced_exchanged<'scope>(
    stream: Stream<'scope, Time, Vec<Selection>>,
    name: &str,
    route: impl Fn(&Selection) -> u64 + 'static,
    logic: impl FnMut(&Time, Selection) -> Option<Selection> + 'static,
) -> Stream<'scope, Time, Vec<Selection>> {
    paced_by(stream, name, Exchange::new(move |selection: &Selection| route(selection)), logic)
}

fn paced_by<'scope, P: ParallelizationContract<Time, Vec<Selection>>>(
    stream: Stream<'scope, Time, Vec<Selection>>,
    name: &str,
    pact: P,
    mut logic: impl FnMut(&Time, Selection) -> Option<Selection> + 'static,
) -> Stream<'scope, Time, Vec<Selection>> {
    let scope = stream.scope();
    let mut builder = OperatorBuilder::new(name.to_owned(), scope);
    let mut input = builder.new_input(stream, pact);
    builder.set_notify_for(0, FrontierInterest::Never);
    let (output, selections) = builder.new_output::<Vec<Selection>>();
    let mut output = OutputBuilder::<_, CapacityContainerBuilder<Vec<Selection>>>::from(output);
    let activator = scope.activator_for(builder.operator_info().address);
    builder.build(move |_capabilities| {
        let mut waiting: VecDeque<(Capability<Time>, Selection)> = VecDeque::new();
        move |_frontiers| {
            input.for_each(|capability, data| {
                let capability = capability.delayed(&time_of(&capability), 0);
                waiting.extend(data.drain(..).map(|selection| (capability.clone(), selection)));
            });
            let (turn, mut output) = (Turn::begin(), output.activate());
            while let Some((capability, selection)) = waiting.pop_front() {
                if let Some(selection) = logic(capability.time(), selection) {
                    output.session(&capability).give(selection);
                }
                if turn.is_over() && !waiting.is_empty() {
                    activator.activate();
                    break;
                }
            }
        }
    });
    selections
}
