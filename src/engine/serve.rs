//! The daemon while it runs and while it ends: answers signals, watches for plugins that have ended, and stops in
//! three stages, each bounded in time.
//!
//! 1. An orderly stop: inputs stop, what is on its way is delivered, filters get their last tick.
//! 2. An abort, when that takes too long or the user is impatient: outputs give up what they have not delivered;
//!    what was delivered is committed, and everybody may save his state.
//! 3. The end, whoever still runs.

use crate::control::report;
use crate::engine::clock::now_ms;
use crate::engine::dataflow::Event;
use crate::engine::relief::relieve;
use crate::engine::run::start_inputs;
use crate::engine::supervise::Supervisor;
use crate::engine::wiring::Wiring;
use crate::plan::Plan;
use heka_operators::inputs::InputEdge;
use heka_operators::log;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::Instant;

/// How often stalls are looked for.
const DIAGNOSTICS: Duration = Duration::from_secs(30);
/// How long each part of the test for a wedged daemon waits.
const WEDGE_TEST: Duration = Duration::from_secs(1);
/// How long an abort lets everybody save what can be saved.
const SAVING: Duration = Duration::from_secs(2);

/// The signals the daemon answers to.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
    report: Signal,
    abort: Signal,
}

impl Signals {
    /// Takes the signals over from their defaults.
    pub fn new() -> std::io::Result<Self> {
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            report: signal(SignalKind::user_defined1())?,
            abort: signal(SignalKind::user_defined2())?,
        })
    }

    async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.interrupt.recv() => Asked::Stop,
            _ = self.terminate.recv() => Asked::Stop,
            _ = self.hangup.recv() => Asked::Reopen,
            _ = self.report.recv() => Asked::Report,
            _ = self.abort.recv() => Asked::Abort,
        }
    }
}

/// What a signal asks for.
enum Asked {
    Stop,
    Reopen,
    Report,
    Abort,
}

/// What tells that something has ended.
pub struct Ends {
    /// Plugins that have ended for good.
    pub happened: UnboundedReceiver<Event>,
    /// All workers have ended, and whether they did so in order.
    pub all_drained: UnboundedReceiver<bool>,
}

/// How far the end has come.
enum Stage {
    Running,
    /// Stopping in order, until then.
    Stopping(Instant),
    /// Saving what can be saved, until then.
    Aborting(Instant),
}

/// A running daemon.
pub struct Serving {
    plan: Arc<Plan>,
    wiring: Arc<Wiring>,
    supervisor: Supervisor,
    /// The edges of the inputs, until they are started.
    inputs: Vec<InputEdge>,
    stage: Stage,
    /// The workers have ended; only plugins' tasks may still run.
    drained: bool,
    code: i32,
}

impl Serving {
    /// A daemon whose outputs run, and whose inputs will start on these edges.
    pub fn new(plan: Arc<Plan>, wiring: Arc<Wiring>, supervisor: Supervisor, inputs: Vec<InputEdge>) -> Self {
        Serving { plan, wiring, supervisor, inputs, stage: Stage::Running, drained: false, code: 0 }
    }

    /// Serves until everything has ended, or must. Returns the exit code.
    pub async fn run(mut self, mut signals: Signals, mut ends: Ends) -> i32 {
        let mut diagnostics = tokio::time::interval(DIAGNOSTICS);
        let (verdict, mut verdicts) = unbounded_channel();
        let queues_have_room = relieve(self.plan.clone());
        tokio::pin!(queues_have_room);
        let mut starting = true;
        loop {
            let until = match self.stage {
                Stage::Running => None,
                Stage::Stopping(until) | Stage::Aborting(until) => Some(until),
            };
            tokio::select! {
                asked = signals.next() => match asked {
                    Asked::Stop => self.stop_or_abort(),
                    Asked::Reopen => {
                        log::info("Reload initiated.");
                        self.supervisor.reopen();
                    }
                    Asked::Report => {
                        log::info("Queue report initiated.");
                        self.report();
                    }
                    Asked::Abort => {
                        log::info("Sandbox abort initiated.");
                        self.test(&verdict);
                    }
                },
                Some(alive) = verdicts.recv() => self.judge(alive),
                _ = diagnostics.tick() => {
                    self.wiring.statuses.report_stalls(now_ms(), self.plan.max_pack_idle);
                }
                room = &mut queues_have_room, if starting => {
                    starting = false;
                    self.start_inputs(room);
                }
                Some(event) = ends.happened.recv() => self.ended(event),
                Some(clean) = ends.all_drained.recv() => {
                    // What a plugin said before the last worker ended still counts.
                    while let Ok(event) = ends.happened.try_recv() {
                        self.ended(event);
                    }
                    self.drained = true;
                    self.code = if clean { self.code } else { 2 };
                    self.stop();
                }
                () = self.supervisor.join(), if self.drained => return self.code,
                () = sleep_until(until) => {
                    if let Stage::Aborting(_) = self.stage {
                        self.report_unfinished();
                        return self.code.max(1);
                    }
                    self.report_stalled();
                    self.code = self.code.max(1);
                    self.abort();
                }
            }
        }
    }

    /// The queues on disk have room, or it is of no use to wait any longer for it; or else the daemon must stop.
    fn start_inputs(&mut self, room: bool) {
        let edges = std::mem::take(&mut self.inputs);
        if !room {
            log::error("back-pressure not resolving: triggering shutdown");
            self.code = self.code.max(1);
            self.stop();
        } else if let Stage::Running = self.stage {
            start_inputs(&mut self.supervisor, self.plan.inputs.iter(), edges);
        }
    }

    /// A plugin has ended for good.
    fn ended(&mut self, event: Event) {
        let Event::Ended { name, may_go_on } = event;
        if let Stage::Running = self.stage {
            let what = if may_go_on { "exiting plugin without shutting down." } else { "shutting down." };
            log::info(format!("Plugin '{name}': has stopped, {what}"));
        }
        if !may_go_on {
            self.code = self.code.max(1);
            self.stop();
        }
    }

    /// Begins the orderly stop, unless the end has begun already.
    fn stop(&mut self) {
        if let Stage::Running = self.stage {
            log::info("Shutdown initiated.");
            // Inputs that have not been started never will be.
            self.inputs.clear();
            for input in &self.plan.inputs {
                log::info(format!("Stop message sent to input '{}'", input.name));
            }
            self.supervisor.stop();
            self.wiring.stop.set();
            self.stage = Stage::Stopping(Instant::now() + self.plan.shutdown_deadline);
        }
    }

    /// Gives up what is not delivered, and leaves time to save the rest.
    fn abort(&mut self) {
        self.stop();
        if let Stage::Stopping(_) = self.stage {
            self.wiring.abort.set();
            self.stage = Stage::Aborting(Instant::now() + SAVING);
        }
    }

    /// The user wants an end; the second time, he wants it soon, and the third time, now.
    fn stop_or_abort(&mut self) {
        match self.stage {
            Stage::Running => self.stop(),
            Stage::Stopping(_) => {
                log::info("Shutdown forced.");
                self.code = self.code.max(1);
                self.abort();
            }
            Stage::Aborting(_) => self.stage = Stage::Aborting(Instant::now()),
        }
    }

    /// Finds out whether the daemon is wedged, and tells it to `verdict`. The answer takes seconds, in which other
    /// signals want one, too.
    fn test(&mut self, verdict: &UnboundedSender<bool>) {
        match self.stage {
            Stage::Running => {
                let (verdict, test) = (verdict.clone(), self.is_alive());
                tokio::spawn(async move { verdict.send(test.await) });
            }
            // A regular shutdown is under way already, and whoever asks has waited for it long enough.
            Stage::Stopping(_) | Stage::Aborting(_) => self.judge(false),
        }
    }

    /// Whether messages get through: whether the inputs' budget moves, and the workers turn.
    fn is_alive(&self) -> impl Future<Output = bool> + Send + use<> {
        let (credits, wiring) = (self.supervisor.credits().clone(), self.wiring.clone());
        async move {
            // The budget is granted in the order in which it is asked for: one that moves at all gets here.
            let has_budget = tokio::time::timeout(WEDGE_TEST, credits.take(1)).await.is_ok();
            has_budget && wiring.pulses.answer(WEDGE_TEST).await
        }
    }

    /// What the test for a wedged daemon has found.
    fn judge(&mut self, alive: bool) {
        if alive {
            log::error("Can't save sandboxes while router is processing messages, use regular shutdown.");
        } else {
            self.report();
            self.code = self.code.max(1);
            self.abort();
        }
    }

    fn report(&self) {
        log::info(report::text(&self.plan, self.wiring.as_ref(), self.supervisor.credits()));
    }

    fn report_stalled(&self) {
        for (name, held, waiting) in self.wiring.statuses.stalled(now_ms(), Duration::ZERO) {
            log::error(format!(
                "Shutdown: {name} did not finish; {waiting} messages wait in it, the oldest for {} s",
                held.as_secs()
            ));
        }
    }

    fn report_unfinished(&self) {
        for name in self.supervisor.unfinished() {
            log::error(format!("Shutdown: {name} still runs and is left behind"));
        }
    }
}

/// Sleeps until a moment; for ever when there is none.
async fn sleep_until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
