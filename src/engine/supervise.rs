//! Keeps plugins' tasks running: restarts them as `retries` says, and tells when one has ended for good.

use crate::engine::dataflow::Event;
use crate::plan::{Consumer, InputNode, Retries};
use heka_message::UuidSource;
use heka_operators::inputs::{Credits, InputEdge, Runs};
use heka_operators::log;
use heka_operators::outputs::Feed;
use heka_operators::plugin::{BoxFuture, PluginError, Site};
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// All plugin tasks of the daemon.
pub struct Supervisor {
    events: UnboundedSender<Event>,
    /// The lives of all plugins by their names.
    tasks: Vec<(String, JoinHandle<()>)>,
    stop: Option<watch::Sender<bool>>,
    reopen: Option<watch::Sender<u64>>,
    credits: Credits,
}

impl Supervisor {
    /// Nothing runs yet; what ends is told to `events`.
    pub fn new(events: UnboundedSender<Event>) -> Self {
        Supervisor { events, tasks: Vec::new(), stop: None, reopen: None, credits: Credits::new(0) }
    }

    /// Takes the means to stop and reopen plugins.
    pub fn attach(&mut self, stop: watch::Sender<bool>, reopen: watch::Sender<u64>, credits: Credits) {
        (self.stop, self.reopen, self.credits) = (Some(stop), Some(reopen), credits);
    }

    /// The budget of bytes in flight.
    pub fn credits(&self) -> &Credits {
        &self.credits
    }

    /// Tells all plugins to stop.
    pub fn stop(&self) {
        if let Some(stop) = &self.stop {
            stop.send_replace(true);
        }
    }

    /// Tells outputs to close and reopen their files.
    pub fn reopen(&self) {
        if let Some(reopen) = &self.reopen {
            reopen.send_modify(|generation| *generation += 1);
        }
    }

    /// Waits until all plugins have ended. Cancel-safe.
    pub async fn join(&mut self) {
        while let Some((_, task)) = self.tasks.last_mut() {
            // A task that panicked has been reported by the panic itself.
            let _ = task.await;
            self.tasks.pop();
        }
    }

    /// The names of the plugins that still run.
    pub fn unfinished(&self) -> impl Iterator<Item = &str> {
        self.tasks.iter().filter(|(_, task)| !task.is_finished()).map(|(name, _)| name.as_str())
    }

    /// Runs a plugin's whole life on the shared runtime or on a thread of its own.
    fn spawn(&mut self, name: &str, runs: Runs, life: BoxFuture<'static, ()>) {
        match runs {
            Runs::Shared => self.tasks.push((name.to_owned(), tokio::spawn(life))),
            Runs::OwnThread => {
                let (done, ended) = tokio::sync::oneshot::channel::<()>();
                let thread = std::thread::Builder::new().name(name.chars().take(15).collect()).spawn(move || {
                    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                        Ok(runtime) => runtime.block_on(life),
                        Err(error) => log::error(format!("can't start a plugin's runtime: {error}")),
                    }
                    drop(done);
                });
                if let Err(error) = thread {
                    log::error(format!("Plugin '{name}' error: can't start its thread: {error}"));
                }
                let life = tokio::spawn(async move {
                    let _ = ended.await;
                });
                self.tasks.push((name.to_owned(), life));
            }
        }
    }
}

/// How long to wait before attempt `attempt`, counted from 0: doubling up to a cap, plus jitter.
pub fn delay(retries: &Retries, attempt: u32, random: u64) -> Duration {
    let doubled = retries.delay.saturating_mul(1u32.checked_shl(attempt.min(31)).unwrap_or(u32::MAX));
    let base = if attempt == 0 { retries.delay } else { doubled.min(retries.max_delay) };
    let jitter = retries.max_jitter.as_nanos() as u64;
    base + Duration::from_nanos(if jitter == 0 { 0 } else { random % jitter })
}

/// The failures of one plugin, and what its restart policy makes of them.
struct Attempts {
    retries: Retries,
    failures: u32,
    random: UuidSource,
}

impl Attempts {
    fn new(retries: Retries) -> Self {
        Attempts { retries, failures: 0, random: UuidSource::new() }
    }

    /// A run that began at `began` failed: waits and returns `None`, or gives up with the error.
    async fn failed(
        &mut self,
        error: PluginError,
        began: Instant,
        site: &Site,
        stopping: &mut watch::Receiver<bool>,
    ) -> Option<PluginError> {
        site.log.error(&error);
        site.stats.text("Error", &error.message);
        // A run that lasted was a success: the next failure starts counting anew.
        if began.elapsed() > self.retries.max_delay {
            self.failures = 0;
        }
        if !error.retry || *stopping.borrow() {
            return Some(error);
        }
        if self.retries.max_retries.is_some_and(|most| self.failures >= most) {
            site.log.error("Max retries exceeded");
            return Some(error);
        }
        let random = self.random.next_uuid().iter().fold(0u64, |word, byte| word << 8 | u64::from(*byte));
        let wait = delay(&self.retries, self.failures, random);
        self.failures += 1;
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            _ = stopping.wait_for(|stop| *stop) => return Some(error),
        }
        let most = self.retries.max_retries.map_or("-1".to_owned(), |most| most.to_string());
        site.log.info(format!("Restarting (attempt {}/{most})", self.failures));
        site.stats.remove_text("Error");
        None
    }
}

/// A plugin's run; a panic in it is its failure and nobody else's.
async fn caught(mut run: BoxFuture<'_, Result<(), PluginError>>) -> Result<(), PluginError> {
    std::future::poll_fn(|context| {
        std::panic::catch_unwind(AssertUnwindSafe(|| run.as_mut().poll(context)))
            .unwrap_or_else(|_| std::task::Poll::Ready(Err(PluginError::fatal("the plugin panicked"))))
    })
    .await
}

/// Starts an input.
pub fn run_input(supervisor: &mut Supervisor, input: &InputNode, mut edge: InputEdge) {
    let events = supervisor.events.clone();
    let (spec, name, may_go_on) = (input.spec.clone(), input.name.clone(), input.can_exit);
    let mut attempts = Attempts::new(input.retries);
    let mut built = spec.build(&edge.site);
    // What cannot be made yet may block once it is: a thread of its own is always right.
    let runs = built.as_ref().map_or(Runs::OwnThread, |plugin| plugin.runs());
    let life = Box::pin(async move {
        let site = edge.site.clone();
        let mut stopping = edge.stopping();
        let mut ran = !spec.must_start();
        loop {
            ran |= built.is_ok();
            let began = Instant::now();
            let result = match &mut built {
                Ok(plugin) => caught(plugin.run(&mut edge)).await,
                Err(error) => Err(error.clone()),
            };
            let Err(error) = result else { break };
            if attempts.failed(error, began, &site, &mut stopping).await.is_some() {
                break;
            }
            built = spec.build(&site);
        }
        let told = edge.is_stopping();
        drop(edge);
        if !told {
            site.log.info("stopped");
            // What could never be made is a mistake of the configuration.
            let may_go_on = may_go_on && ran;
            let _ = events.send(Event::Ended { name, may_go_on });
        }
    });
    supervisor.spawn(&input.name, runs, life);
}

/// Starts an output.
pub fn run_output(supervisor: &mut Supervisor, consumer: &Consumer, mut feed: Feed) {
    let Some(output) = consumer.output() else { return };
    let events = supervisor.events.clone();
    let (spec, name, may_go_on) = (output.spec.clone(), consumer.name.clone(), consumer.can_exit);
    let mut attempts = Attempts::new(consumer.retries);
    let mut built = spec.build(&feed.site);
    let runs = built.as_ref().map_or(Runs::OwnThread, |plugin| plugin.runs());
    let life = Box::pin(async move {
        let site = feed.site.clone();
        let mut stopping = feed.stopping.clone();
        let mut ran = !spec.must_start();
        loop {
            ran |= built.is_ok();
            let began = Instant::now();
            feed.rewind();
            let result = match &mut built {
                Ok(plugin) => caught(plugin.run(&mut feed)).await,
                Err(error) => Err(error.clone()),
            };
            let error = match result {
                Ok(()) if feed.is_done() => return,
                Ok(()) => PluginError::fatal("has ended before everything was delivered"),
                Err(error) => error,
            };
            if attempts.failed(error, began, &site, &mut stopping).await.is_some() {
                break;
            }
            built = spec.build(&site);
        }
        site.log.info("stopped");
        // What could never be made is a mistake of the configuration.
        let may_go_on = may_go_on && ran;
        let _ = events.send(Event::Ended { name, may_go_on });
        // Where the daemon goes on without it, nothing may wait for it. Where it ends, the next start delivers.
        if may_go_on && !feed.is_stopping() {
            feed.drop_rest().await;
        }
    });
    supervisor.spawn(&consumer.name, runs, life);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_a_failure() {
        let run: BoxFuture<'_, Result<(), PluginError>> = Box::pin(async {
            tokio::task::yield_now().await;
            panic!("as told")
        });
        assert_eq!(caught(run).await, Err(PluginError::fatal("the plugin panicked")));
        assert_eq!(caught(Box::pin(async { Ok(()) })).await, Ok(()));
    }

    #[test]
    fn waits_double_up_to_the_cap() {
        let retries = Retries {
            delay: Duration::from_millis(250),
            max_delay: Duration::from_secs(1),
            max_jitter: Duration::ZERO,
            max_retries: None,
        };
        let waits: Vec<u128> = (0..5).map(|n| delay(&retries, n, 99).as_millis()).collect();
        assert_eq!(waits, [250, 500, 1000, 1000, 1000]);
        let jittery = Retries { max_jitter: Duration::from_nanos(10), ..retries };
        assert_eq!(delay(&jittery, 0, 99).as_nanos(), 250_000_009);
    }
}
