//! The plan: a configuration with all names resolved and all matchers compiled. A plain value: every worker
//! builds the same dataflow from it, and it can be printed without running anything.

mod conflicts;
mod graph;
mod internal;
mod print;
mod queue;
mod resolve;
mod stalls;

pub use graph::{Graph, names};
pub use print::dump;
pub use queue::QueueSpec;
pub use resolve::resolve;
pub use stalls::{Stall, Why, describe, stalls};

use crate::control::self_report::SelfReport;
use heka_matcher::{Matcher, Predicates};
use heka_operators::decoders::DecoderSpec;
use heka_operators::encoders::EncoderSpec;
use heka_operators::filters::FilterSpec;
use heka_operators::inputs::InputSpec;
use heka_operators::outputs::OutputSpec;
use heka_operators::plugin::Globals;
use heka_operators::splitters::{DeliverOptions, SplitterSpec};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The restart policy of a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retries {
    /// The first wait; doubles after every wait.
    pub delay: Duration,
    /// The cap of the doubling.
    pub max_delay: Duration,
    /// Random extra on each wait, below this.
    pub max_jitter: Duration,
    /// Attempts before giving up; `None` for ever.
    pub max_retries: Option<u32>,
}

/// A splitter as an input uses it.
#[derive(Clone)]
pub struct SplitterNode {
    /// Section name.
    pub name: String,
    /// Makes instances, one a stream.
    pub spec: Arc<dyn SplitterSpec>,
    /// How records become messages.
    pub options: DeliverOptions,
}

/// A decoder as an input uses it.
#[derive(Clone)]
pub struct DecoderNode {
    /// Section name.
    pub name: String,
    /// Makes instances.
    pub spec: Arc<dyn DecoderSpec>,
    /// On how many workers, beginning with the input's own.
    pub workers: usize,
    /// Whether the user wants it on the input's own worker (`synchronous_decode`).
    pub synchronous: bool,
}

/// An input with its splitter and decoder.
pub struct InputNode {
    /// Section name.
    pub name: String,
    /// Type name.
    pub type_name: &'static str,
    /// Whether it reads a queue on disk.
    pub is_queue: bool,
    /// Index in the plan: the source of its batches.
    pub id: u32,
    /// Makes instances.
    pub spec: Arc<dyn InputSpec>,
    /// Cuts its bytes.
    pub splitter: SplitterNode,
    /// Turns its records into messages.
    pub decoder: Option<DecoderNode>,
    /// Deliver what failed to decode, tagged.
    pub send_decode_failures: bool,
    /// Log what failed to decode.
    pub log_decode_failures: bool,
    /// May end without ending the daemon.
    pub can_exit: bool,
    /// Restart policy.
    pub retries: Retries,
    /// The worker it lives on.
    pub worker: usize,
}

/// An output's own part.
pub struct OutputPart {
    /// Makes instances.
    pub spec: Arc<dyn OutputSpec>,
    /// Section name of the encoder.
    pub encoder_name: String,
    /// Makes the encoder.
    pub encoder: Arc<dyn EncoderSpec>,
    /// Frame every encoded message.
    pub use_framing: bool,
    /// Write into each frame how often the message has gone round a loop: for queues on disk.
    pub keeps_loops: bool,
}

/// What consumes messages.
pub enum ConsumerKind {
    /// Watches and injects.
    Filter(Arc<dyn FilterSpec>),
    /// Writes to the world.
    Output(Box<OutputPart>),
}

/// The queue on disk in front of a consumer: its two ends.
pub struct QueueNodes {
    /// The queue itself.
    pub spec: QueueSpec,
    /// Takes what the matcher selects.
    pub writer: Box<Consumer>,
    /// Brings it back.
    pub reader: Box<InputNode>,
}

/// A filter or an output.
pub struct Consumer {
    /// Section name.
    pub name: String,
    /// Type name.
    pub type_name: &'static str,
    /// The matcher's text as configured.
    pub expression: String,
    /// Which messages it gets: all, where it hosts others.
    pub matcher: Matcher,
    /// Period of its ticks.
    pub ticker: Option<Duration>,
    /// May end without ending the daemon.
    pub can_exit: bool,
    /// Restart policy.
    pub retries: Retries,
    /// The worker it lives on.
    pub worker: usize,
    /// What stands between its matcher and it, if anything does.
    pub queue: Option<QueueNodes>,
    /// What it is.
    pub kind: ConsumerKind,
}

impl Consumer {
    /// Its output part, if it is an output.
    pub fn output(&self) -> Option<&OutputPart> {
        match &self.kind {
            ConsumerKind::Output(part) => Some(part),
            ConsumerKind::Filter(_) => None,
        }
    }
}

/// Everything a daemon runs.
pub struct Plan {
    /// Settings that plugins need.
    pub globals: Arc<Globals>,
    /// `maxprocs`: the number of timely workers.
    pub workers: usize,
    /// Bytes that inputs may have in flight.
    pub memory_budget: usize,
    /// How long a shutdown may take.
    pub shutdown_deadline: Duration,
    /// How often a start waits for a queue on disk that is nearly full.
    pub full_buffer_max_retries: u32,
    /// A node that holds the frontier longer than this is reported.
    pub max_pack_idle: Duration,
    /// The daemon's reports on itself, when they are asked for; its input is the last of `inputs`.
    pub self_report: Option<SelfReport>,
    /// Inputs, in the order of the files.
    pub inputs: Vec<InputNode>,
    /// Filters, in the order of the files.
    pub filters: Vec<Consumer>,
    /// Outputs, in the order of the files.
    pub outputs: Vec<Consumer>,
    /// All decoders by name, for those that call others.
    pub decoders: BTreeMap<String, Arc<dyn DecoderSpec>>,
    /// The predicates of all matchers.
    pub predicates: Arc<Predicates>,
}

impl Plan {
    /// Filters, then outputs.
    pub fn consumers(&self) -> impl Iterator<Item = &Consumer> {
        self.filters.iter().chain(&self.outputs)
    }

    /// The inputs of the configuration, then the reading ends of queues.
    pub fn all_inputs(&self) -> impl Iterator<Item = &InputNode> {
        let readers = self.consumers().filter_map(|c| c.queue.as_ref()).map(|queue| queue.reader.as_ref());
        self.inputs.iter().chain(readers)
    }

    /// Filters, outputs, then the writing ends of queues.
    pub fn all_consumers(&self) -> impl Iterator<Item = &Consumer> {
        let writers = self.consumers().filter_map(|c| c.queue.as_ref()).map(|queue| queue.writer.as_ref());
        self.consumers().chain(writers)
    }

    /// The filters.
    pub fn filters(&self) -> impl Iterator<Item = &Consumer> {
        self.filters.iter()
    }
}
