//! What a dashboard sees of the running daemon: the plan's graph, and one sample of what runs through each of its
//! nodes and edges.

use crate::cli::{GraphFormat, VERSION};
use crate::control::report::Source;
use crate::engine::{NodeStatus, now_ms};
use crate::plan::{Consumer, ConsumerKind, InputNode, Plan, dump, names};
use heka_operators::overview::{Flow, FlowEdge, FlowNode, FlowQueue, Overview};
use heka_operators::plugin::Site;
use heka_operators::stats::Stats;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A running daemon, seen from within.
pub struct Daemon<S> {
    plan: Arc<Plan>,
    source: Arc<S>,
    /// Milliseconds since the UNIX epoch.
    started: u64,
}

impl<S: Source> Daemon<S> {
    /// The daemon that runs `plan` since `started`, in milliseconds since the UNIX epoch.
    pub fn new(plan: Arc<Plan>, source: Arc<S>, started: u64) -> Self {
        Daemon { plan, source, started }
    }
}

impl<S: Source + Send + Sync> Overview for Daemon<S> {
    fn graph(&self) -> String {
        dump(&self.plan, GraphFormat::Json)
    }

    fn flow(&self) -> Flow {
        let now = now_ms();
        let mut sample = Sample { source: self.source.as_ref(), now, nodes: Vec::new(), edges: Vec::new() };
        for input in &self.plan.inputs {
            let (last, messages) = sample.input(input);
            sample.edge(last, names::ROUTER.to_owned(), messages);
        }
        let routed = read(&sample.status(names::ROUTER).passed);
        sample.plain(names::ROUTER.to_owned(), routed);
        let mut injected = false;
        for consumer in self.plan.consumers() {
            sample.consumer(consumer);
            injected |= matches!(consumer.kind, ConsumerKind::Filter(_));
        }
        if injected {
            let messages = read(&sample.status(names::INJECTED).passed);
            sample.plain(names::INJECTED.to_owned(), messages);
            sample.plain(names::FEEDBACK.to_owned(), messages);
            sample.edge(names::INJECTED.to_owned(), names::FEEDBACK.to_owned(), messages);
            sample.edge(names::FEEDBACK.to_owned(), names::ROUTER.to_owned(), messages);
        }
        Flow {
            version: VERSION.to_owned(),
            hostname: self.plan.globals.hostname.clone(),
            time: seconds(now),
            started: seconds(self.started),
            nodes: sample.nodes,
            edges: sample.edges,
        }
    }

    fn has_filter(&self, name: &str) -> bool {
        let hosts = |site: &Site| site.stats.hosted().iter().any(|(hosted, _)| hosted == name);
        self.plan.filters().any(|filter| name == filter.name || self.source.site(&filter.name).is_some_and(hosts))
    }
}

/// A sample in the making. Names and edges are those of [`crate::plan::Graph`].
struct Sample<'a, S> {
    source: &'a S,
    now: u64,
    nodes: Vec<FlowNode>,
    edges: Vec<FlowEdge>,
}

impl<S: Source> Sample<'_, S> {
    fn status(&self, name: &str) -> Arc<NodeStatus> {
        self.source.statuses().of(name)
    }

    /// The node called `name` with what the plugin called `site` says of itself.
    fn node(&self, name: String, site: &str, messages: u64) -> FlowNode {
        let mut node = FlowNode { name, messages: Some(messages), ..FlowNode::default() };
        if let Some(site) = self.source.site(site) {
            node.failures = Some(site.stats.messages(is_failure));
            node.dropped = Some(dropped(&site.stats));
            node.error = site.stats.get_text("Error");
        }
        node
    }

    fn plain(&mut self, name: String, messages: u64) {
        self.nodes.push(FlowNode { name, messages: Some(messages), ..FlowNode::default() });
    }

    fn edge(&mut self, from: String, to: String, messages: u64) {
        self.edges.push(FlowEdge { from, to, messages: Some(messages), ..FlowEdge::default() });
    }

    /// An input's chain; its last node, and the messages that have left that.
    fn input(&mut self, input: &InputNode) -> (String, u64) {
        let source = names::input(&input.name);
        let split = names::splitter(&input.name, &input.splitter.name);
        let mut messages = read(&self.status(&split).passed);
        let bytes = Some(read(&self.status(&source).bytes));
        self.nodes.push(FlowNode { bytes, ..self.node(source.clone(), &input.name, messages) });
        self.nodes.push(self.node(split.clone(), &split, messages));
        self.edge(source, split.clone(), messages);
        let Some(decoder) = &input.decoder else { return (split, messages) };
        let decode = names::decoder(&input.name, &decoder.name);
        self.edge(split, decode.clone(), messages);
        messages = read(&self.status(&decode).passed);
        let mut node = self.node(decode.clone(), &decode, messages);
        // The decoder counts some of these failures as well; its operator counts all of them.
        let stats = self.source.site(&decode).map(|site| &site.stats);
        node.failures = stats.map(|stats| stats.messages(|name| name == "DecodeFailures"));
        self.nodes.push(node);
        if decoder.workers == 1 {
            return (decode, messages);
        }
        let order = names::order(&input.name);
        self.plain(order.clone(), messages);
        self.edge(decode, order.clone(), messages);
        (order, messages)
    }

    /// What stands behind a matcher, with the matcher.
    fn consumer(&mut self, consumer: &Consumer) {
        let status = self.status(&consumer.name);
        let (offered, matched) = (read(&status.offered), read(&status.matched));
        let matcher = names::matcher(&consumer.name);
        self.plain(matcher.clone(), offered);
        self.edge(names::ROUTER.to_owned(), matcher.clone(), offered);
        let (mut before, mut handed) = (matcher, matched);
        let mut checkpoint = names::CHECKPOINT.to_owned();
        if let Some(queue) = &consumer.queue {
            self.output(&queue.writer, before, handed, names::CHECKPOINT.to_owned());
            let waiting = queue.spec.fill();
            if let (Some(node), Some(fill)) = (self.nodes.last_mut(), waiting) {
                let capacity = (fill.limit > 0).then_some(fill.limit);
                node.queue = Some(FlowQueue { length: fill.waiting, capacity, unit: "B" });
            }
            (before, handed) = self.input(&queue.reader);
            checkpoint = names::checkpoint(&consumer.name);
            if let ConsumerKind::Filter(_) = consumer.kind {
                let rounds = names::rounds(&consumer.name);
                self.plain(rounds.clone(), handed);
                self.edge(before, rounds.clone(), handed);
                before = rounds;
            }
        }
        match consumer.kind {
            ConsumerKind::Filter(_) => self.filter(consumer, before, handed, checkpoint),
            ConsumerKind::Output(_) => self.output(consumer, before, handed, checkpoint),
        }
    }

    fn filter(&mut self, consumer: &Consumer, before: String, handed: u64, checkpoint: String) {
        let name = names::filter(&consumer.name);
        let status = self.status(&consumer.name);
        let passed = read(&status.passed);
        let mut node = self.node(name.clone(), &consumer.name, passed);
        self.hold(&mut node, &status);
        self.nodes.push(node);
        self.last_edge(before, name.clone(), handed, &status);
        let stats = self.source.site(&consumer.name).map(|site| &site.stats);
        let injected = stats.map_or(0, |stats| stats.messages(|name| name == "InjectMessageCount"));
        self.edge(name.clone(), names::INJECTED.to_owned(), injected);
        self.edge(name, checkpoint, passed);
    }

    fn output(&mut self, consumer: &Consumer, before: String, handed: u64, checkpoint: String) {
        let name = names::output(&consumer.name);
        let status = self.status(&consumer.name);
        let passed = read(&status.passed);
        let mut node = self.node(name.clone(), &consumer.name, passed);
        node.bytes = Some(read(&status.bytes));
        // What its encoder drops, the output drops.
        let encoder = consumer.output().map(|part| names::encoder(&consumer.name, &part.encoder_name));
        if let Some(site) = encoder.and_then(|encoder| self.source.site(&encoder)) {
            node.dropped = node.dropped.map(|n| n + dropped(&site.stats));
        }
        self.hold(&mut node, &status);
        let delivered = passed.saturating_sub(status.unacknowledged.load(Ordering::Relaxed) as u64);
        self.last_edge(before, name.clone(), handed, &status);
        self.edge(name, checkpoint, delivered);
        self.nodes.push(node);
    }

    /// What waits in a node, and since when it holds others up.
    fn hold(&self, node: &mut FlowNode, status: &NodeStatus) {
        let length = unfinished(status);
        node.queue = Some(FlowQueue { length, capacity: None, unit: "count" });
        node.holds_since = Some(read(&status.holds)).filter(|epoch| *epoch > 0).map(seconds);
    }

    /// The edge to who finishes messages.
    fn last_edge(&mut self, from: String, to: String, messages: u64, status: &NodeStatus) {
        let lag_ms = Some(u64::try_from(status.held(self.now).as_millis()).unwrap_or(u64::MAX));
        let waiting = Some(unfinished(status));
        self.edges.push(FlowEdge { from, to, messages: Some(messages), waiting, lag_ms });
    }
}

/// Messages that a node has taken and not finished.
fn unfinished(status: &NodeStatus) -> u64 {
    (status.waiting.load(Ordering::Relaxed) + status.unacknowledged.load(Ordering::Relaxed)) as u64
}

fn is_failure(name: &str) -> bool {
    name.ends_with("Failures")
}

fn dropped(stats: &Stats) -> u64 {
    stats.messages(|name| name.starts_with("Dropped-") || name == "DropMessageCount")
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

fn seconds(ms: u64) -> f64 {
    ms as f64 / 1000.0
}
