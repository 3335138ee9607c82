//! `--dump-graph`: the plan as dot, mermaid or JSON, printed without running anything.

use crate::cli::GraphFormat as Format;
use crate::plan::{Graph, Plan, names};
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write;

/// What is known of each node beside its name: label lines, and the worker it lives on.
fn details(plan: &Plan) -> BTreeMap<String, (Vec<String>, Option<usize>)> {
    let mut details = BTreeMap::new();
    for input in plan.all_inputs() {
        let worker = Some(input.worker);
        details.insert(names::input(&input.name), (vec![input.type_name.to_owned()], worker));
        details.insert(names::splitter(&input.name, &input.splitter.name), (vec![], worker));
        if let Some(decoder) = &input.decoder {
            let (decode, order) = (names::decoder(&input.name, &decoder.name), names::order(&input.name));
            match decoder.workers {
                1 => drop(details.insert(decode, (vec![], worker))),
                all if all == plan.workers => drop(details.insert(decode, (vec![], None))),
                some => drop(details.insert(decode, (vec![format!("on {some} workers")], worker))),
            }
            details.insert(order, (vec![], worker));
        }
    }
    for consumer in plan.all_consumers() {
        let mut lines = vec![consumer.type_name.to_owned()];
        if let Some(ticker) = consumer.ticker {
            lines.push(format!("every {} s", ticker.as_secs()));
        }
        let node = match consumer.output() {
            Some(output) => {
                let framed = if output.use_framing { ", framed" } else { "" };
                lines.push(format!("encoder {}{framed}", output.encoder_name));
                names::output(&consumer.name)
            }
            None => {
                details.insert(names::ticks(&consumer.name), (vec![], Some(consumer.worker)));
                names::filter(&consumer.name)
            }
        };
        details.insert(node, (lines, Some(consumer.worker)));
        details.insert(names::matcher(&consumer.name), (vec![consumer.expression.clone()], None));
    }
    details
}

/// The plan's graph as text.
pub fn dump(plan: &Plan, format: Format) -> String {
    let graph = Graph::of(plan);
    let details = details(plan);
    let detail = |node: &str| details.get(node).cloned().unwrap_or_default();
    let index: BTreeMap<&str, usize> = graph.nodes.iter().enumerate().map(|(i, n)| (n.as_str(), i)).collect();
    let at = |name: &String| index.get(name.as_str()).copied().unwrap_or_default();
    let place = |worker: Option<usize>| worker.map_or("every worker".to_owned(), |w| format!("worker {w}"));
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = match format {
        Format::Dot => {
            let _ = writeln!(text, "digraph hekad {{\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];");
            for (i, node) in graph.nodes.iter().enumerate() {
                let (lines, worker) = detail(node);
                let label = [vec![node.clone()], lines, vec![place(worker)]].concat().join("\n");
                let label = label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
                let _ = writeln!(text, "  n{i} [label=\"{label}\"];");
            }
            for (from, to) in &graph.edges {
                let _ = writeln!(text, "  n{} -> n{};", at(from), at(to));
            }
            writeln!(text, "}}")
        }
        Format::Mermaid => {
            let _ = writeln!(text, "flowchart LR");
            for (i, node) in graph.nodes.iter().enumerate() {
                let (lines, worker) = detail(node);
                let label = [vec![node.clone()], lines, vec![place(worker)]].concat().join("\n");
                let label = label.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
                let _ = writeln!(text, "  n{i}[\"{}\"]", label.replace('\n', "<br/>"));
            }
            graph.edges.iter().try_for_each(|(from, to)| writeln!(text, "  n{} --> n{}", at(from), at(to)))
        }
        Format::Json => {
            let nodes: Vec<_> = graph
                .nodes
                .iter()
                .map(|node| {
                    let (lines, worker) = detail(node);
                    json!({ "name": node, "details": lines, "worker": worker })
                })
                .collect();
            let edges: Vec<_> = graph.edges.iter().map(|(from, to)| json!({ "from": from, "to": to })).collect();
            writeln!(text, "{:#}", json!({ "workers": plan.workers, "nodes": nodes, "edges": edges }))
        }
    };
    text
}
