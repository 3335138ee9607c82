//! What a plugin can learn of the daemon around it: the dataflow's shape, and what runs through it. The daemon
//! answers; plugins that ask (DashboardOutput) know neither the plan nor the engine.

use serde::Serialize;
use std::sync::{Arc, OnceLock};

/// A daemon that can be looked at.
pub trait Overview: Send + Sync {
    /// The dataflow's shape as JSON, as `--dump-graph=json` prints it.
    fn graph(&self) -> String;

    /// One sample of all counters.
    fn flow(&self) -> Flow;

    /// Whether a filter of this name runs in this daemon.
    fn has_filter(&self, name: &str) -> bool;
}

/// The counters of the whole dataflow, all taken at `time`. They only grow while the process lives.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Flow {
    /// The daemon's version.
    pub version: String,
    /// The name of the machine.
    pub hostname: String,
    /// When the sample was taken, in seconds since the UNIX epoch.
    pub time: f64,
    /// When the daemon started, in seconds since the UNIX epoch.
    pub started: f64,
    /// The operators of the dataflow, named as in the graph.
    pub nodes: Vec<FlowNode>,
    /// The edges between them.
    pub edges: Vec<FlowEdge>,
}

/// What one operator has done. What it does not know is absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct FlowNode {
    /// As in the graph.
    pub name: String,
    /// Messages that have come through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages: Option<u64>,
    /// Bytes that have come through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Messages that failed here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failures: Option<u64>,
    /// Messages dropped here, by any rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dropped: Option<u64>,
    /// What waits here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<FlowQueue>,
    /// Since when the operator has held the frontier of all before it, in seconds since the UNIX epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holds_since: Option<f64>,
    /// Why it does not work at the moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What waits in an operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FlowQueue {
    /// How much, in `unit`.
    pub length: u64,
    /// At most how much; absent when there is no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u64>,
    /// `count` (messages) or `B`.
    pub unit: &'static str,
}

/// What has gone over one edge.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FlowEdge {
    /// As in the graph.
    pub from: String,
    /// As in the graph.
    pub to: String,
    /// Messages handed over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages: Option<u64>,
    /// Messages handed over and not finished.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<u64>,
    /// How far the frontier at the end is behind that at the start, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lag_ms: Option<u64>,
}

/// A place for the daemon's overview: empty until the daemon runs. Cloning shares it.
#[derive(Clone, Default)]
pub struct OverviewSlot(Arc<OnceLock<Arc<dyn Overview>>>);

impl OverviewSlot {
    /// Puts the overview there; the first call counts.
    pub fn connect(&self, overview: Arc<dyn Overview>) {
        let _ = self.0.set(overview);
    }

    /// The overview, once there is one.
    pub fn get(&self) -> Option<&Arc<dyn Overview>> {
        self.0.get()
    }
}

impl std::fmt::Debug for OverviewSlot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("OverviewSlot").field(&self.0.get().is_some()).finish()
    }
}
