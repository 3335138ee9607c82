//! `ticks`: the clock of one filter, as a stream.
//!
//! The operator holds the capability of its next tick, so a filter knows from its tick frontier that no tick
//! can come before, and lets data pass at once. Ticks are not capabilities held by filters: a filter in a loop
//! that held its next tick would hold its own input open for ever.

use crate::engine::clock::{Clock, Period};
use crate::engine::wiring::StopFlag;
use crate::engine::{END_OF_TIME, Time};
use std::rc::Rc;
use std::sync::Arc;
use timely::container::CapacityContainerBuilder;
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::dataflow::{Scope, Stream};

/// A tick, at its own time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Tick {
    /// A period of the filter's ticker has passed.
    Timer,
    /// Everything has been processed and nothing more will come.
    Stop,
}

/// The ticks of a filter: its timer's, then one at the end of time. `local` is false on the workers the filter
/// does not live on.
pub fn ticks<'scope>(
    scope: Scope<'scope, Time>,
    name: &str,
    period: Option<Period>,
    local: bool,
    clock: &Rc<Clock>,
    stop: &Arc<StopFlag>,
) -> Stream<'scope, Time, Vec<Tick>> {
    let mut builder = OperatorBuilder::new(name.to_owned(), scope);
    let (output, stream) = builder.new_output::<Vec<Tick>>();
    let mut output = OutputBuilder::<_, CapacityContainerBuilder<Vec<Tick>>>::from(output);
    let address = builder.operator_info().address;
    let waker = local.then(|| stop.subscribe());
    if let Some(waker) = &waker {
        let wake = scope.worker().sync_activator_for(address.to_vec());
        waker.connect(move || {
            // A worker that has ended needs no waking.
            let _ = wake.activate();
        });
        clock.subscribe(scope.activator_for(address));
    }
    let (clock, stop) = (clock.clone(), stop.clone());
    let next_after = move |epoch: u64| period.map_or(END_OF_TIME, |period| period.after(epoch));
    builder.build(move |mut capabilities| {
        let mut held = if local { capabilities.pop() } else { None };
        if let Some(capability) = &mut held {
            capability.downgrade(&Time::at(next_after(clock.epoch())));
        }
        move |_frontiers| {
            let Some(capability) = &mut held else { return };
            let due = capability.time().epoch;
            if due < clock.epoch() {
                output.activate().session(&*capability).give(Tick::Timer);
                capability.downgrade(&Time::at(next_after(clock.epoch().max(due))));
            }
            if let Some(waker) = &waker {
                waker.arm();
            }
            if stop.is_set() {
                capability.downgrade(&Time::at(END_OF_TIME));
                output.activate().session(&*capability).give(Tick::Stop);
                held = None;
            }
        }
    });
    stream
}
