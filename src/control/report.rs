//! The report on all plugins (`heka.all-report`): as JSON for programs, as text for SIGUSR1.

use crate::engine::Statuses;
use crate::plan::Plan;
use heka_operators::inputs::Credits;
use heka_operators::plugin::Site;
use heka_operators::stats::Reading;
use serde_json::{Map, Value, json};
use std::fmt::Write;

/// What a report reads: where each plugin lives, and how far each node has come.
pub trait Source {
    /// The site of the plugin called `name`.
    fn site(&self, name: &str) -> Option<&Site>;
    /// Every node's progress.
    fn statuses(&self) -> &Statuses;
}

fn row(name: &str, readings: Vec<(String, Value, &'static str)>) -> Value {
    let mut row = Map::new();
    row.insert("Name".to_owned(), json!(name));
    for (key, value, unit) in readings {
        row.insert(key, json!({ "representation": unit, "value": value }));
    }
    Value::Object(row)
}

fn readings(site: Option<&Site>) -> Vec<(String, Value, &'static str)> {
    let read = |(name, reading)| match reading {
        Reading::Number(n, unit) => (name, json!(n), unit),
        Reading::Text(text) => (name, json!(text), ""),
    };
    site.map(|site| site.stats.read().into_iter().map(read).collect()).unwrap_or_default()
}

/// The report as JSON: categories, each a list of rows; a category without members is absent.
pub fn json(plan: &Plan, source: &impl Source, credits: &Credits) -> Value {
    let kib = |bytes: usize| json!(bytes / 1024);
    let free = credits.total().saturating_sub(credits.used());
    let mut report = Map::new();
    let globals = vec![row(
        "inputRecycleChan",
        vec![
            ("InChanCapacity".to_owned(), kib(credits.total()), "count"),
            ("InChanLength".to_owned(), kib(free), "count"),
        ],
    )];
    report.insert("globals".to_owned(), json!(globals));
    let inputs: Vec<Value> = plan.all_inputs().map(|i| row(&i.name, readings(source.site(&i.name)))).collect();
    let splitters: Vec<Value> =
        plan.all_inputs().map(|i| row(&format!("{}-{}", i.name, i.splitter.name), Vec::new())).collect();
    let decoders: Vec<Value> = plan
        .inputs
        .iter()
        .filter_map(|i| Some(row(&format!("{}-{}", i.name, i.decoder.as_ref()?.name), Vec::new())))
        .collect();
    let encoders: Vec<Value> = plan
        .outputs
        .iter()
        .filter_map(|o| Some(row(&format!("{}-{}", o.name, o.output()?.encoder_name), Vec::new())))
        .collect();
    let consumer = |c: &crate::plan::Consumer| {
        let status = source.statuses().of(&c.name);
        let waiting = status.waiting.load(std::sync::atomic::Ordering::Relaxed);
        let mut all = vec![("InChanLength".to_owned(), json!(waiting), "count")];
        all.extend(readings(source.site(&c.name)));
        row(&c.name, all)
    };
    let filters: Vec<Value> = plan.filters.iter().map(consumer).collect();
    let outputs: Vec<Value> = plan.outputs.iter().map(consumer).collect();
    let rest = [
        ("inputs", inputs),
        ("splitters", splitters),
        ("decoders", decoders),
        ("encoders", encoders),
        ("filters", filters),
        ("outputs", outputs),
    ];
    for (category, rows) in rest {
        if !rows.is_empty() {
            report.insert(category.to_owned(), json!(rows));
        }
    }
    Value::Object(report)
}

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
            for (key, field) in row.iter().filter(|(key, _)| *key != "Name") {
                let value = field.get("value").cloned().unwrap_or_default();
                let _ = writeln!(text, "    {key}: {}", value.as_str().map_or(value.to_string(), str::to_owned));
            }
        }
    }
    text.push_str("========");
    text
}
