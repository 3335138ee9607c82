//! The sample of all counters in the text format that Prometheus and its kin read.

use crate::overview::{Flow, FlowEdge, FlowNode};
use std::fmt::Write;

/// The content type of the format.
pub(super) const KIND: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A family of figures of nodes: its name, its type, what it means, and where it is found.
type NodeFamily = (&'static str, &'static str, &'static str, fn(&FlowNode) -> Option<f64>);
/// The same of edges.
type EdgeFamily = (&'static str, &'static str, &'static str, fn(&FlowEdge) -> Option<f64>);

const NODES: [NodeFamily; 7] = [
    ("messages_total", "counter", "Messages that have come through", |node| node.messages.map(number)),
    ("bytes_total", "counter", "Bytes that have come through", |node| node.bytes.map(number)),
    ("failures_total", "counter", "Messages that failed", |node| node.failures.map(number)),
    ("dropped_total", "counter", "Messages dropped by any rule", |node| node.dropped.map(number)),
    ("waiting_messages", "gauge", "Messages that wait", |node| queue(node, "count")),
    ("queue_bytes", "gauge", "Bytes in the queue on disk", |node| queue(node, "B")),
    ("holds_since_seconds", "gauge", "Since when it has held the frontier, in UNIX time", |node| node.holds_since),
];

const EDGES: [EdgeFamily; 2] = [
    ("messages_total", "counter", "Messages handed over", |edge| edge.messages.map(number)),
    ("lag_seconds", "gauge", "How far the end is behind the start", |edge| edge.lag_ms.map(|ms| number(ms) / 1000.0)),
];

/// The sample as text.
pub(super) fn text(flow: &Flow) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(text, "# HELP hekad_start_time_seconds When the daemon started, in UNIX time.");
    let _ = writeln!(text, "# TYPE hekad_start_time_seconds gauge");
    let _ = writeln!(text, "hekad_start_time_seconds{{version=\"{}\"}} {}", escaped(&flow.version), flow.started);
    for (name, kind, help, read) in NODES {
        let _ = writeln!(text, "# HELP hekad_node_{name} {help}.\n# TYPE hekad_node_{name} {kind}");
        for node in &flow.nodes {
            if let Some(value) = read(node) {
                let _ = writeln!(text, "hekad_node_{name}{{node=\"{}\"}} {value}", escaped(&node.name));
            }
        }
    }
    for (name, kind, help, read) in EDGES {
        let _ = writeln!(text, "# HELP hekad_edge_{name} {help}.\n# TYPE hekad_edge_{name} {kind}");
        for edge in &flow.edges {
            if let Some(value) = read(edge) {
                let (from, to) = (escaped(&edge.from), escaped(&edge.to));
                let _ = writeln!(text, "hekad_edge_{name}{{from=\"{from}\",to=\"{to}\"}} {value}");
            }
        }
    }
    text
}

fn number(n: u64) -> f64 {
    n as f64
}

fn queue(node: &FlowNode, unit: &str) -> Option<f64> {
    node.queue.as_ref().filter(|queue| queue.unit == unit).map(|queue| number(queue.length))
}

/// A text as the value of a label.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::overview::FlowQueue;

    #[test]
    fn every_figure_is_a_line() {
        let queue = |length, unit| Some(FlowQueue { length, capacity: None, unit });
        let output = FlowNode {
            name: "output a\"\\\n".to_owned(),
            messages: Some(3),
            queue: queue(2, "count"),
            holds_since: Some(1.5),
            ..FlowNode::default()
        };
        let buffer = FlowNode { name: "output b.buffer".to_owned(), queue: queue(7, "B"), ..FlowNode::default() };
        let edge = FlowEdge { from: "x".to_owned(), to: "y".to_owned(), lag_ms: Some(250), ..FlowEdge::default() };
        let (nodes, edges) = (vec![output, buffer], vec![edge]);
        let flow = Flow { version: "1".to_owned(), started: 5.25, nodes, edges, ..Flow::default() };
        let text = text(&flow);
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        let expected = [
            "hekad_start_time_seconds{version=\"1\"} 5.25",
            "hekad_node_messages_total{node=\"output a\\\"\\\\\\n\"} 3",
            "hekad_node_waiting_messages{node=\"output a\\\"\\\\\\n\"} 2",
            "hekad_node_queue_bytes{node=\"output b.buffer\"} 7",
            "hekad_node_holds_since_seconds{node=\"output a\\\"\\\\\\n\"} 1.5",
            "hekad_edge_lag_seconds{from=\"x\",to=\"y\"} 0.25",
        ];
        assert_eq!(lines, expected);
        assert!(text.ends_with('\n') && text.contains("# TYPE hekad_node_messages_total counter\n"));
    }
}
