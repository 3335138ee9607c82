//! The plan as a graph of named nodes: what is drawn, and what the dataflow is compared with.

use crate::plan::{ConsumerKind, InputNode, Plan};

/// Names of the dataflow's operators: the plan draws them and the engine builds under them.
pub mod names {
    /// Where all messages meet.
    pub const ROUTER: &str = "router";
    /// Where all injected messages meet.
    pub const INJECTED: &str = "injected";
    /// Where positions are committed.
    pub const CHECKPOINT: &str = "checkpoint";
    /// The loop's way back; timely's own name for it.
    pub const FEEDBACK: &str = "Feedback";

    /// An input.
    pub fn input(name: &str) -> String {
        format!("input {name}")
    }
    /// An input's splitter.
    pub fn splitter(input: &str, splitter: &str) -> String {
        format!("split {input}-{splitter}")
    }
    /// An input's decoder.
    pub fn decoder(input: &str, decoder: &str) -> String {
        format!("decode {input}-{decoder}")
    }
    /// Where an input's messages come back into order.
    pub fn order(input: &str) -> String {
        format!("order {input}")
    }
    /// A plugin's matcher.
    pub fn matcher(name: &str) -> String {
        format!("match {name}")
    }
    /// A filter's clock.
    pub fn ticks(name: &str) -> String {
        format!("ticks {name}")
    }
    /// A filter.
    pub fn filter(name: &str) -> String {
        format!("filter {name}")
    }
    /// Where what comes back from a filter's queue goes on in its round.
    pub fn rounds(name: &str) -> String {
        format!("rounds {name}")
    }
    /// Where the positions in a plugin's queue are committed.
    pub fn checkpoint(name: &str) -> String {
        format!("checkpoint {name}")
    }
    /// An output's encoder; part of the output's operator, with counters of its own.
    pub fn encoder(output: &str, encoder: &str) -> String {
        format!("encode {output}-{encoder}")
    }
    /// An output with its encoder.
    pub fn output(name: &str) -> String {
        format!("output {name}")
    }
}

/// Nodes by name and edges between them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph {
    /// Operator names.
    pub nodes: Vec<String>,
    /// From, to.
    pub edges: Vec<(String, String)>,
}

impl Graph {
    /// The graph of a plan.
    pub fn of(plan: &Plan) -> Graph {
        let mut graph = Graph::default();
        let mut done = Vec::new();
        let mut injected = Vec::new();
        for input in &plan.inputs {
            let last = graph.input(input);
            graph.edge(&last, names::ROUTER);
        }
        graph.node(names::ROUTER.to_owned());
        for consumer in plan.consumers() {
            let mut before = graph.after(names::ROUTER, names::matcher(&consumer.name));
            if let Some(queue) = &consumer.queue {
                done.push(graph.after(&before, names::output(&queue.writer.name)));
                before = graph.input(&queue.reader);
                if let ConsumerKind::Filter(_) = consumer.kind {
                    before = graph.after(&before, names::rounds(&consumer.name));
                }
            }
            let finished = match consumer.kind {
                ConsumerKind::Filter(_) => {
                    let filter = graph.after(&before, names::filter(&consumer.name));
                    let ticks = graph.node(names::ticks(&consumer.name));
                    graph.edge(&ticks, &filter);
                    injected.push(filter.clone());
                    filter
                }
                ConsumerKind::Output(_) => graph.after(&before, names::output(&consumer.name)),
            };
            match &consumer.queue {
                None => done.push(finished),
                Some(_) => drop(graph.after(&finished, names::checkpoint(&consumer.name))),
            }
        }
        if !injected.is_empty() {
            graph.node(names::INJECTED.to_owned());
            injected.iter().for_each(|filter| graph.edge(filter, names::INJECTED));
            graph.after(names::INJECTED, names::FEEDBACK.to_owned());
            graph.edge(names::FEEDBACK, names::ROUTER);
        }
        if done.is_empty() {
            done.push(names::ROUTER.to_owned());
        }
        graph.node(names::CHECKPOINT.to_owned());
        done.iter().for_each(|node| graph.edge(node, names::CHECKPOINT));
        graph
    }

    /// An input's chain; returns its last node.
    fn input(&mut self, input: &InputNode) -> String {
        let source = self.node(names::input(&input.name));
        let split = self.after(&source, names::splitter(&input.name, &input.splitter.name));
        match &input.decoder {
            Some(decoder) => {
                let decode = self.after(&split, names::decoder(&input.name, &decoder.name));
                if decoder.workers == 1 { decode } else { self.after(&decode, names::order(&input.name)) }
            }
            None => split,
        }
    }

    fn node(&mut self, name: String) -> String {
        self.nodes.push(name.clone());
        name
    }

    fn after(&mut self, from: &str, name: String) -> String {
        self.edge(from, &name);
        self.node(name)
    }

    fn edge(&mut self, from: &str, to: &str) {
        self.edges.push((from.to_owned(), to.to_owned()));
    }

    /// The same graph in an order that does not depend on how it was made, for comparing.
    pub fn sorted(mut self) -> Graph {
        self.nodes.sort();
        self.edges.sort();
        self
    }
}
