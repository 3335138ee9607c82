//! What every node of the graph is doing, for reports: written by operators, read by anyone.

use crate::plan::{Plan, names};
use heka_operators::log;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// One node's progress. Operators add to it once a batch, on any worker.
#[derive(Debug, Default)]
pub struct NodeStatus {
    /// The plugin's name for filters and outputs, the name in the graph for other nodes.
    pub name: String,
    /// The oldest epoch the node has not let go of, in milliseconds since the UNIX epoch; 0 when it holds none.
    pub holds: AtomicU64,
    /// Messages waiting in the node.
    pub waiting: AtomicUsize,
    /// Messages handed to an output's task and not yet acknowledged.
    pub unacknowledged: AtomicUsize,
    /// Messages that have passed it.
    pub passed: AtomicU64,
    /// Bytes that have passed it.
    pub bytes: AtomicU64,
    /// Messages that its matcher has looked at.
    pub offered: AtomicU64,
    /// Messages that its matcher has picked.
    pub matched: AtomicU64,
    /// What its matcher takes for one of them on average, in nanoseconds.
    pub match_nanos: AtomicU64,
}

impl NodeStatus {
    /// A node that has done nothing yet.
    pub fn new(name: String) -> Self {
        NodeStatus { name, ..NodeStatus::default() }
    }

    /// So many messages have passed.
    pub fn pass(&self, messages: usize) {
        self.passed.fetch_add(messages as u64, Ordering::Relaxed);
    }

    /// For how long the node has held the frontier; zero when it holds nothing.
    pub fn held(&self, now_ms: u64) -> Duration {
        match self.holds.load(Ordering::Relaxed) {
            0 => Duration::ZERO,
            epoch => Duration::from_millis(now_ms.saturating_sub(epoch)),
        }
    }
}

/// The status of all nodes through which messages go.
#[derive(Clone, Debug, Default)]
pub struct Statuses(Arc<BTreeMap<String, Arc<NodeStatus>>>);

impl Statuses {
    /// Statuses of all nodes of a plan.
    pub fn new(plan: &Plan) -> Self {
        let consumers = plan.all_consumers().map(|consumer| consumer.name.clone());
        let inputs = plan.all_inputs().flat_map(|input| {
            let decoder = input.decoder.as_ref().map(|decoder| names::decoder(&input.name, &decoder.name));
            let parts = [names::input(&input.name), names::splitter(&input.name, &input.splitter.name)];
            parts.into_iter().chain(decoder)
        });
        let all = consumers.chain(inputs).chain([names::ROUTER, names::INJECTED].map(str::to_owned));
        Statuses(Arc::new(all.map(|name| (name.clone(), Arc::new(NodeStatus::new(name)))).collect()))
    }

    /// The status of the node called `name`; a fresh one when the plan has none of that name.
    pub fn of(&self, name: &str) -> Arc<NodeStatus> {
        self.0.get(name).cloned().unwrap_or_default()
    }

    /// The nodes that have held the frontier for longer than `limit`: name, for how long, messages waiting.
    pub fn stalled(&self, now_ms: u64, limit: Duration) -> Vec<(&str, Duration, usize)> {
        self.0
            .values()
            .map(|status| (status.name.as_str(), status.held(now_ms), status.waiting.load(Ordering::Relaxed)))
            .filter(|(_, held, _)| *held > limit)
            .collect()
    }

    /// Logs the nodes that have held the frontier for longer than `limit`.
    pub fn report_stalls(&self, now_ms: u64, limit: Duration) {
        for (name, held, waiting) in self.stalled(now_ms, limit) {
            log::info(format!(
                "Diagnostics: {name} has held the frontier for {} seconds, {waiting} messages wait in it",
                held.as_secs()
            ));
        }
    }
}
