//! What connects a worker's dataflow to the plugins' tasks outside: made once, before any worker starts, and
//! taken by the worker the node lives on.

use crate::engine::Statuses;
use crate::engine::ledger::CommitLimit;
use crate::engine::pulse::Pulses;
use crate::plan::{Plan, names};
use heka_operators::inputs::{Commit, Credits, Delivery, InputEdge, Waker};
use heka_operators::log::Log;
use heka_operators::outputs::{Feed, FeedSender};
use heka_operators::plugin::Site;
use heka_operators::stats::Stats;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, watch};

/// An input's ends inside the dataflow.
pub struct InputEnds {
    /// Chunks from the input's task.
    pub deliveries: Receiver<Delivery>,
    /// Wakes the source operator.
    pub waker: Arc<Waker>,
    /// Positions to commit.
    pub commits: mpsc::UnboundedSender<Commit>,
}

/// An output's ends inside the dataflow.
pub struct OutputEnds {
    /// Blocks to the output's task.
    pub sender: FeedSender,
    /// Wakes the output operator when something is acknowledged.
    pub waker: Arc<Waker>,
}

/// Set once, and for good; wakes the operators that wait for it.
#[derive(Default)]
pub struct StopFlag {
    set: AtomicBool,
    wakers: Mutex<Vec<Arc<Waker>>>,
}

impl StopFlag {
    /// Whether it is set.
    pub fn is_set(&self) -> bool {
        self.set.load(Ordering::SeqCst)
    }

    /// Sets it.
    pub fn set(&self) {
        self.set.store(true, Ordering::SeqCst);
        for waker in self.wakers.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            waker.notify();
        }
    }

    /// A new waker, which fires when it is set.
    pub fn subscribe(&self) -> Arc<Waker> {
        let waker = Arc::new(Waker::default());
        self.wake(waker.clone());
        waker
    }

    /// Lets `waker` fire, too, when it is set.
    pub fn wake(&self, waker: Arc<Waker>) {
        self.wakers.lock().unwrap_or_else(PoisonError::into_inner).push(waker);
    }
}

/// Ends inside the dataflow, by node name; each is taken once.
pub struct Wiring {
    inputs: Mutex<HashMap<String, InputEnds>>,
    outputs: Mutex<HashMap<String, OutputEnds>>,
    sites: HashMap<String, Site>,
    /// Splitters, decoders and encoders, by their names in the graph.
    parts: HashMap<String, Site>,
    /// Every node's progress.
    pub statuses: Statuses,
    /// Set when the daemon stops: the last ticks are due.
    pub stop: Arc<StopFlag>,
    /// Set when a stop must not take any longer: outputs give up what is not delivered.
    pub abort: Arc<StopFlag>,
    /// How far each checkpoint, and each input by itself, may commit, by its name in the graph.
    limits: HashMap<String, Arc<CommitLimit>>,
    /// The workers' signs of life.
    pub pulses: Pulses,
    /// When ticks began to count.
    pub start: u64,
}

/// The plugins' side of the same connections.
pub struct PluginEnds {
    /// One edge an input, in the order of [`Plan::all_inputs`].
    pub inputs: Vec<InputEdge>,
    /// One feed an output, in the order of [`Plan::all_consumers`].
    pub outputs: Vec<Feed>,
    /// Tells inputs to stop.
    pub stop: watch::Sender<bool>,
    /// Tells outputs to reopen files.
    pub reopen: watch::Sender<u64>,
    /// The budget of bytes in flight.
    pub credits: Credits,
}

impl Wiring {
    /// Makes all connections of a plan.
    pub fn new(plan: &Plan, start: u64) -> (Arc<Wiring>, PluginEnds) {
        let (stop, stopping) = watch::channel(false);
        let (reopen, reopened) = watch::channel(0);
        let credits = Credits::new(plan.memory_budget);
        let site = |kind: &str, name: &str| Site {
            name: name.to_owned(),
            globals: plan.globals.clone(),
            stats: Arc::new(Stats::default()),
            log: Log::new(kind, name),
        };
        let mut wiring = Wiring {
            inputs: Mutex::default(),
            outputs: Mutex::default(),
            sites: HashMap::new(),
            parts: HashMap::new(),
            statuses: Statuses::new(plan),
            stop: Arc::default(),
            abort: Arc::default(),
            limits: HashMap::from([(names::CHECKPOINT.to_owned(), Arc::default())]),
            pulses: Pulses::default(),
            start,
        };
        let (mut edges, mut feeds) = (Vec::new(), Vec::new());
        for input in plan.all_inputs() {
            let (name, part) = (&input.name, &input.splitter.name);
            wiring.limits.insert(names::input(name), Arc::default());
            // The log names a splitter by its section, so that all that come from one section read alike.
            let splitter = Site { name: format!("{name}-{part}"), ..site("Splitter", part) };
            wiring.parts.insert(names::splitter(name, part), splitter);
            if let Some(decoder) = &input.decoder {
                let decoding = site("Decoder", &format!("{name}-{}", decoder.name));
                wiring.parts.insert(names::decoder(name, &decoder.name), decoding);
            }
            let (sender, deliveries) = channel();
            let (commits, committed) = mpsc::unbounded_channel();
            let waker = Arc::new(Waker::default());
            let site = site("Input", &input.name);
            wiring.sites.insert(input.name.clone(), site.clone());
            edges.push(InputEdge::new(site, sender, waker.clone(), credits.clone(), stopping.clone(), committed));
            let ends = InputEnds { deliveries, waker, commits };
            wiring.inputs.get_mut().unwrap_or_else(PoisonError::into_inner).insert(input.name.clone(), ends);
        }
        for consumer in plan.consumers().filter(|consumer| consumer.queue.is_some()) {
            wiring.limits.insert(names::checkpoint(&consumer.name), Arc::default());
        }
        for consumer in plan.all_consumers() {
            let site = site("Plugin", &consumer.name);
            wiring.sites.insert(consumer.name.clone(), site.clone());
            if let Some(output) = consumer.output() {
                let encoder = format!("{}-{}", consumer.name, output.encoder_name);
                let encoder = Site { name: encoder, stats: Arc::default(), ..site.clone() };
                wiring.parts.insert(names::encoder(&consumer.name, &output.encoder_name), encoder);
                let waker = Arc::new(Waker::default());
                let (sender, feed) =
                    Feed::new(site, waker.clone(), consumer.ticker, reopened.clone(), stopping.clone());
                feeds.push(feed);
                let ends = OutputEnds { sender, waker };
                wiring.outputs.get_mut().unwrap_or_else(PoisonError::into_inner).insert(consumer.name.clone(), ends);
            }
        }
        (Arc::new(wiring), PluginEnds { inputs: edges, outputs: feeds, stop, reopen, credits })
    }

    /// The ends of an input; only the worker it lives on asks, and once.
    pub fn take_input(&self, name: &str) -> Option<InputEnds> {
        self.inputs.lock().unwrap_or_else(PoisonError::into_inner).remove(name)
    }

    /// The ends of an output; only the worker it lives on asks, and once.
    pub fn take_output(&self, name: &str) -> Option<OutputEnds> {
        self.outputs.lock().unwrap_or_else(PoisonError::into_inner).remove(name)
    }

    /// How far the checkpoint or the input called `name` in the graph may commit.
    pub fn limit(&self, name: &str) -> Arc<CommitLimit> {
        self.limits.get(name).cloned().unwrap_or_default()
    }

    /// Where a plugin lives.
    pub fn site(&self, name: &str) -> Option<&Site> {
        self.sites.get(name)
    }

    /// Where a splitter, decoder or encoder lives, by its name in the graph; with `owner` when the plan has none.
    pub fn part_site(&self, name: &str, owner: &Site) -> Site {
        self.parts.get(name).unwrap_or(owner).clone()
    }
}

impl crate::control::report::Source for Wiring {
    fn site(&self, name: &str) -> Option<&Site> {
        self.sites.get(name).or_else(|| self.parts.get(name))
    }

    fn statuses(&self) -> &Statuses {
        &self.statuses
    }
}
