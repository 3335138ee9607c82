//! The report on all plugins (`heka.all-report`): as JSON for programs, as text for SIGUSR1.

use crate::engine::{NodeStatus, Statuses, now_ms};
use crate::plan::{Consumer, InputNode, Plan, names};
use heka_operators::inputs::Credits;
use heka_operators::plugin::Site;
use heka_operators::stats::{Reading, Stats};
use serde_json::{Map, Value, json};
use std::fmt::Write;
use std::sync::atomic::Ordering;

/// What a report reads: where each plugin lives, and how far each node has come.
pub trait Source {
    /// The site of the input, filter or output called `name`, or of the splitter, decoder or encoder that the
    /// graph calls so.
    fn site(&self, name: &str) -> Option<&Site>;
    /// Every node's progress.
    fn statuses(&self) -> &Statuses;
}

/// One line of a row: its name, its value, its unit.
type Line = (String, Value, &'static str);

fn count(name: &str, value: impl Into<Value>) -> Line {
    (name.to_owned(), value.into(), "count")
}

fn row(name: &str, lines: Vec<Line>) -> Value {
    let mut row = Map::new();
    row.insert("Name".to_owned(), json!(name));
    for (key, value, unit) in lines {
        row.insert(key, json!({ "representation": unit, "value": value }));
    }
    Value::Object(row)
}

fn readings(stats: &Stats) -> Vec<Line> {
    let read = |(name, reading)| match reading {
        Reading::Number(n, unit) => (name, json!(n), unit),
        Reading::Text(text) => (name, json!(text), ""),
    };
    stats.read().into_iter().map(read).collect()
}

fn readings_of(site: Option<&Site>) -> Vec<Line> {
    site.map(|site| readings(&site.stats)).unwrap_or_default()
}

/// The rows the original had for its pools and its router. The first shows the inputs' budget, in KiB; what has
/// no queue of its own has capacity 0.
fn globals(source: &impl Source, credits: &Credits) -> Vec<Value> {
    let chan = |capacity: usize, length: usize| vec![count("InChanCapacity", capacity), count("InChanLength", length)];
    let free = credits.total().saturating_sub(credits.used());
    let routed = source.statuses().of(names::ROUTER).passed.load(Ordering::Relaxed);
    let mut router = chan(0, 0);
    router.push(count("ProcessMessageCount", routed));
    vec![
        row("inputRecycleChan", chan(credits.total() / 1024, free / 1024)),
        row("injectRecycleChan", chan(0, 0)),
        row("Router", router),
    ]
}

/// A filter's or an output's row. Its queue on disk has no row of its own: its counters stand here.
fn consumer(plan: &Plan, source: &impl Source, consumer: &Consumer) -> Value {
    let status = source.statuses().of(&consumer.name);
    let waiting = status.waiting.load(Ordering::Relaxed);
    let leaked = if status.held(now_ms()) > plan.max_pack_idle { waiting } else { 0 };
    let mut lines = vec![
        count("InChanCapacity", 0),
        count("InChanLength", waiting),
        count("MatchChanCapacity", 0),
        count("MatchChanLength", 0),
        count("LeakCount", leaked),
        ("MatchAvgDuration".to_owned(), json!(status.match_nanos.load(Ordering::Relaxed)), "ns"),
    ];
    if let Some(queue) = &consumer.queue {
        lines.extend(readings_of(source.site(&queue.writer.name)));
    }
    lines.extend(readings_of(source.site(&consumer.name)));
    row(&consumer.name, counted(lines, &status))
}

/// The lines, with the messages that have passed the node where the plugin itself counts none.
fn counted(mut lines: Vec<Line>, status: &NodeStatus) -> Vec<Line> {
    const NAME: &str = "ProcessMessageCount";
    if !lines.iter().any(|(name, ..)| name == NAME) {
        lines.push(count(NAME, status.passed.load(Ordering::Relaxed)));
    }
    lines
}

/// An input's row; what it has brought are the records that its splitter has cut.
fn input(source: &impl Source, input: &InputNode) -> Value {
    let mut lines = readings_of(source.site(&input.name));
    if input.decoder.as_ref().is_some_and(|decoder| decoder.synchronous) {
        lines.push(("SynchronousDecode".to_owned(), json!("true"), ""));
    }
    let splitter = source.statuses().of(&names::splitter(&input.name, &input.splitter.name));
    row(&input.name, counted(lines, &splitter))
}

/// The rows of a filter, and of the filters that live inside it.
fn filter_rows(plan: &Plan, source: &impl Source, filter: &Consumer) -> Vec<Value> {
    let hosted = source.site(&filter.name).map(|site| site.stats.hosted()).unwrap_or_default();
    let hosted = hosted.into_iter().map(|(name, stats)| row(&name, readings(&stats)));
    std::iter::once(consumer(plan, source, filter)).chain(hosted).collect()
}

/// The report as JSON: categories, each a list of rows; a category without members is absent.
pub fn json(plan: &Plan, source: &impl Source, credits: &Credits) -> Value {
    let part = |owner: &str, name: &str, node: String| {
        let status = source.statuses().of(&node);
        row(&format!("{owner}-{name}"), counted(readings_of(source.site(&node)), &status))
    };
    let inputs = plan.all_inputs().map(|i| input(source, i));
    let splitters =
        plan.all_inputs().map(|i| part(&i.name, &i.splitter.name, names::splitter(&i.name, &i.splitter.name)));
    let decoders = plan.all_inputs().filter_map(|i| {
        let decoder = &i.decoder.as_ref()?.name;
        Some(part(&i.name, decoder, names::decoder(&i.name, decoder)))
    });
    let encoders = plan.outputs.iter().filter_map(|o| {
        let encoder = &o.output()?.encoder_name;
        let lines = readings_of(source.site(&names::encoder(&o.name, encoder)));
        Some(row(&format!("{}-{encoder}", o.name), counted(lines, &source.statuses().of(&o.name))))
    });
    let categories = [
        ("globals", globals(source, credits)),
        ("inputs", inputs.collect()),
        ("splitters", splitters.collect()),
        ("decoders", decoders.collect()),
        ("encoders", encoders.collect()),
        ("filters", plan.filters.iter().flat_map(|filter| filter_rows(plan, source, filter)).collect()),
        ("outputs", plan.outputs.iter().map(|output| consumer(plan, source, output)).collect()),
    ];
    let members = categories.into_iter().filter(|(_, rows)| !rows.is_empty());
    Value::Object(members.map(|(category, rows)| (category.to_owned(), json!(rows))).collect())
}

/// The lines that the text report begins each row with, in the original's order. Others follow as they come.
const FIRST: &[&str] = &[
    "InChanCapacity",
    "InChanLength",
    "MatchChanCapacity",
    "MatchChanLength",
    "MatchAvgDuration",
    "ProcessMessageCount",
    "InjectMessageCount",
    "Memory",
    "MaxMemory",
    "MaxInstructions",
    "MaxOutput",
    "ProcessMessageAvgDuration",
    "TimerEventAvgDuration",
    "SynchronousDecode",
];

/// The report as text, in the original's layout.
pub fn text(plan: &Plan, source: &impl Source, credits: &Credits) -> String {
    let report = json(plan, source, credits);
    let mut text = "========[heka.all-report]========\n".to_owned();
    for category in ["Globals", "Inputs", "Splitters", "Decoders", "Filters", "Outputs", "Encoders"] {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "\n===={category}====");
        let Some(rows) = report.get(category.to_lowercase()).and_then(Value::as_array) else {
            text.push_str("NONE\n\n");
            continue;
        };
        for row in rows.iter().filter_map(Value::as_object) {
            let _ = writeln!(text, "{}:", row.get("Name").and_then(Value::as_str).unwrap_or_default());
            let mut lines: Vec<_> = row.iter().filter(|(key, _)| *key != "Name").collect();
            lines.sort_by_key(|(key, _)| FIRST.iter().position(|first| first == key).unwrap_or(FIRST.len()));
            for (key, field) in lines {
                let value = field.get("value").cloned().unwrap_or_default();
                let _ = writeln!(text, "    {key}: {}", value.as_str().map_or(value.to_string(), str::to_owned));
            }
        }
    }
    text.push_str("========");
    text
}
