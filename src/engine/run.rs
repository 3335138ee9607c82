//! Runs a plan: starts the workers, then the plugins' tasks, and serves until the end.

use crate::control::overview::Daemon;
use crate::engine::clock::{Clock, now_ms};
use crate::engine::dataflow::{Event, Report, build, periods};
use crate::engine::serve::{Ends, Serving, Signals};
use crate::engine::supervise::{Supervisor, run_input, run_output};
use crate::engine::wiring::{PluginEnds, Wiring};
use crate::plan::{InputNode, Plan};
use heka_operators::inputs::InputEdge;
use heka_operators::log;
use std::rc::Rc;
use std::sync::Arc;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// Runs the plan until a signal, an ended plugin or the end of all inputs stops it. Returns the exit code.
pub fn run(plan: Plan) -> i32 {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            log::error(format!("can't start the input and output runtime: {error}"));
            return 1;
        }
    };
    // Before anything runs: from here on a signal means what the manual says.
    let signals = match runtime.block_on(async { Signals::new() }) {
        Ok(signals) => signals,
        Err(error) => {
            log::error(format!("can't listen to signals: {error}"));
            return 1;
        }
    };
    log::info("Starting hekad...");
    let plan = Arc::new(plan);
    let start = now_ms();
    let (wiring, ends) = Wiring::new(&plan, start);
    let (events, happened) = unbounded_channel();
    let workers = start_workers(&plan, &wiring, &events);
    let (drained, all_drained) = unbounded_channel();
    match workers {
        Ok(guards) => {
            // Joined on a thread of its own: the runtime must go on serving plugins while workers drain.
            std::thread::spawn(move || {
                let clean = guards.join().into_iter().all(|worker| worker.is_ok());
                let _ = drained.send(clean);
            });
        }
        Err(error) => {
            log::error(format!("can't start the workers: {error}"));
            return 1;
        }
    }
    let code = runtime.block_on(async {
        let mut supervisor = Supervisor::new(events);
        plan.globals.overview.connect(Arc::new(Daemon::new(plan.clone(), wiring.clone(), start)));
        if let Some(report) = &plan.self_report {
            report.connect(plan.clone(), wiring.clone(), ends.credits.clone());
        }
        let inputs = start_outputs(&plan, ends, &mut supervisor);
        let serving = Serving::new(plan, wiring, supervisor, inputs);
        let code = serving.run(signals, Ends { happened, all_drained }).await;
        log::info("Shutdown complete.");
        code
    });
    // A look-up of a name that hangs must not hold up the end.
    runtime.shutdown_background();
    log::flush();
    code
}

fn start_workers(
    plan: &Arc<Plan>,
    wiring: &Arc<Wiring>,
    events: &UnboundedSender<Event>,
) -> Result<timely::communication::WorkerGuards<()>, String> {
    let config = match plan.workers {
        1 => timely::Config::thread(),
        n => timely::Config::process(n),
    };
    let (plan, wiring) = (plan.clone(), wiring.clone());
    let events = events.clone();
    timely::execute(config, move |worker| {
        let events = events.clone();
        let report: Report = Arc::new(move |event| drop(events.send(event)));
        let clock = Rc::new(Clock::new(periods(&plan, wiring.start)));
        let pulse = wiring.pulses.join();
        let run = std::panic::AssertUnwindSafe(|| {
            build(worker, &plan, &wiring, &clock, &report);
            while worker.has_dataflows() {
                pulse.beat();
                let sleep = clock.advance();
                worker.step_or_park(sleep);
            }
        });
        if let Err(panic) = std::panic::catch_unwind(run) {
            // A dead worker freezes the frontier of all others: end the process, and let it be seen.
            let why = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
            log::error(format!("a worker panicked: {}", why.unwrap_or("no reason given")));
            log::flush();
            std::process::exit(2);
        }
    })
}

/// Starts the outputs and what feeds them from queues on disk. Returns the edges of the inputs, which start when
/// those queues have room.
fn start_outputs(plan: &Arc<Plan>, ends: PluginEnds, supervisor: &mut Supervisor) -> Vec<InputEdge> {
    let PluginEnds { mut inputs, outputs, stop, reopen, credits } = ends;
    let readers = inputs.split_off(plan.inputs.len());
    let output_nodes = plan.all_consumers().filter(|consumer| consumer.output().is_some());
    for (consumer, feed) in output_nodes.zip(outputs) {
        run_output(supervisor, consumer, feed);
        log::info(format!("Output started: {}", consumer.name));
    }
    for filter in plan.filters() {
        log::info(format!("Filter started: {}", filter.name));
    }
    log::info("MessageRouter started.");
    start_inputs(supervisor, plan.all_inputs().skip(plan.inputs.len()), readers);
    supervisor.attach(stop, reopen, credits);
    inputs
}

/// Starts inputs on their edges.
pub fn start_inputs<'a>(
    supervisor: &mut Supervisor,
    inputs: impl Iterator<Item = &'a InputNode>,
    edges: Vec<InputEdge>,
) {
    for (input, edge) in inputs.zip(edges) {
        run_input(supervisor, input, edge);
        log::info(format!("Input started: {}", input.name));
    }
}
