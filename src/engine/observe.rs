//! Builds a plan's dataflow on a throw-away worker, and reads from timely's own log what was built: a test compares
//! it with the graph that the plan draws.

use crate::engine::clock::{Clock, now_ms};
use crate::engine::dataflow::{Report, build};
use crate::engine::wiring::Wiring;
use crate::plan::{Graph, Plan};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use timely::logging::TimelyEvent;

/// The graph timely really builds from a plan.
pub fn built_graph(plan: Plan) -> Graph {
    let plan = Arc::new(plan);
    let seen = Rc::new(RefCell::new(Graph::default()));
    let allocator = timely::communication::Allocator::Thread(Default::default());
    let mut worker =
        timely::worker::Worker::new(timely::WorkerConfig::default(), allocator, Some(std::time::Instant::now()));
    let addresses = Rc::new(RefCell::new(BTreeMap::<usize, String>::new()));
    let channels = Rc::new(RefCell::new(Vec::<(usize, usize)>::new()));
    if let Some(mut register) = worker.log_register() {
        let (addresses, channels) = (addresses.clone(), channels.clone());
        register.insert::<timely::logging::TimelyEventBuilder, _>("timely", move |_time, data| {
            for (_, event) in data.iter().flat_map(|events| events.iter()) {
                match event {
                    TimelyEvent::Operates(event) if event.addr.len() == 2 => {
                        addresses.borrow_mut().insert(event.addr[1], event.name.clone());
                    }
                    TimelyEvent::Channels(event) => channels.borrow_mut().push((event.source.0, event.target.0)),
                    _ => {}
                }
            }
        });
    }
    let (wiring, _ends) = Wiring::new(&plan, now_ms());
    let clock = Rc::new(Clock::new(Vec::new()));
    let report: Report = Arc::new(|_| ());
    build(&mut worker, &plan, &wiring, &clock, &report);
    if let Some(logging) = worker.logging().as_mut() {
        logging.flush();
    }
    let addresses = addresses.borrow();
    let mut graph = seen.borrow_mut();
    graph.nodes.extend(addresses.values().cloned());
    let name = |index: usize| addresses.get(&index).cloned().unwrap_or_default();
    graph.edges.extend(channels.borrow().iter().map(|(from, to)| (name(*from), name(*to))));
    std::mem::take(&mut graph)
}
