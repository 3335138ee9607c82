//! Runs a plan: starts the workers, then the plugins' tasks, and ends both in order.

use crate::engine::clock::{Clock, now_ms};
use crate::engine::dataflow::{Event, Report, build, periods};
use crate::engine::supervise::{Supervisor, run_input, run_output};
use crate::engine::wiring::{PluginEnds, Wiring};
use crate::plan::{Graph, Plan};
use heka_operators::log;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use timely::logging::TimelyEvent;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// How often stalls are looked for.
const DIAGNOSTICS: Duration = Duration::from_secs(30);

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
    let mut signals = match runtime.block_on(async { Signals::new() }) {
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
    let (events, mut happened) = unbounded_channel();
    let workers = start_workers(&plan, &wiring, &events);
    let (drained, mut all_drained) = unbounded_channel();
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
        if let Some(report) = &plan.self_report {
            report.connect(plan.clone(), wiring.clone(), ends.credits.clone());
        }
        start_plugins(&plan, ends, &mut supervisor);
        let code = serve(&plan, &wiring, &mut supervisor, &mut signals, &mut happened, &mut all_drained).await;
        log::info("Shutdown complete.");
        code
    });
    log::flush();
    code
}

/// The signals the daemon answers to.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
    report: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            report: signal(SignalKind::user_defined1())?,
        })
    }
}

type Joined = tokio::sync::mpsc::UnboundedReceiver<bool>;

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
        let run = std::panic::AssertUnwindSafe(|| {
            build(worker, &plan, &wiring, &clock, &report);
            while worker.has_dataflows() {
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

fn start_plugins(plan: &Arc<Plan>, ends: PluginEnds, supervisor: &mut Supervisor) {
    let PluginEnds { inputs, outputs, stop, reopen, credits } = ends;
    let output_nodes = plan.all_consumers().filter(|consumer| consumer.output().is_some());
    for (consumer, feed) in output_nodes.zip(outputs) {
        run_output(supervisor, consumer, feed);
        log::info(format!("Output started: {}", consumer.name));
    }
    for filter in plan.filters() {
        log::info(format!("Filter started: {}", filter.name));
    }
    log::info("MessageRouter started.");
    for (input, edge) in plan.all_inputs().zip(inputs) {
        run_input(supervisor, input, edge);
        log::info(format!("Input started: {}", input.name));
    }
    supervisor.attach(stop, reopen, credits);
}

/// Waits for what ends the daemon, then ends it within the deadline.
async fn serve(
    plan: &Arc<Plan>,
    wiring: &Arc<Wiring>,
    supervisor: &mut Supervisor,
    signals: &mut Signals,
    happened: &mut tokio::sync::mpsc::UnboundedReceiver<Event>,
    all_drained: &mut Joined,
) -> i32 {
    let mut diagnostics = tokio::time::interval(DIAGNOSTICS);
    let mut code = 0;
    let mut deadline: Option<tokio::time::Instant> = None;
    loop {
        let out_of_time = async {
            match deadline {
                Some(moment) => tokio::time::sleep_until(moment).await,
                None => std::future::pending().await,
            }
        };
        let stop_now = tokio::select! {
            _ = signals.interrupt.recv() => true,
            _ = signals.terminate.recv() => true,
            _ = signals.hangup.recv() => {
                log::info("Reload initiated.");
                supervisor.reopen();
                false
            }
            _ = signals.report.recv() => {
                log::info("Queue report initiated.");
                log::info(crate::control::report::text(plan, wiring.as_ref(), supervisor.credits()));
                false
            }
            _ = diagnostics.tick() => {
                wiring.statuses.report_stalls(now_ms(), plan.max_pack_idle);
                false
            }
            Some(event) = happened.recv() => {
                let Event::Ended { name, may_go_on } = event;
                if supervisor.ended(&name, may_go_on) {
                    code = 1;
                    true
                } else {
                    false
                }
            }
            Some(clean) = all_drained.recv() => {
                supervisor.join().await;
                return if clean { code } else { 2 };
            }
            () = out_of_time => {
                for (name, held, waiting) in wiring.statuses.stalled(now_ms(), Duration::ZERO) {
                    log::error(format!(
                        "Shutdown: {name} did not finish; {waiting} messages wait in it, the oldest for {} s. \
                         What a position or a queue covers is delivered after the next start.",
                        held.as_secs()
                    ));
                }
                return code.max(1);
            }
        };
        if stop_now && deadline.is_none() {
            log::info("Shutdown initiated.");
            supervisor.stop();
            wiring.stop.set();
            deadline = Some(tokio::time::Instant::now() + plan.shutdown_deadline);
        } else if stop_now && code == 0 {
            log::info("Shutdown forced.");
            return 1;
        }
    }
}

/// Builds the plan's dataflow on a throw-away worker and reads what timely logged of it.
pub fn observe(plan: Plan) -> Graph {
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
