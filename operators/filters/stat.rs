//! StatFilter: makes statistics of messages and submits them to an accumulator.

use super::{Filter, FilterSpec, Injector};
use crate::plugin::{PluginError, Site};
use crate::registry::{Defaults, Make, PluginType};
use crate::stats::Counter;
use crate::statsd::{Accumulator, Batch, Emission, Flushed, Number, Sample};
use heka_message::{Captured, FieldValue, RowRef, Selection, Span, Template};
use heka_settings::{Map, Nested, OneOf, Placed, Problem, Problems, Settings, Table, Words, settings};
use std::io::Write;
use std::ops::Range;
use std::sync::Arc;

/// What a metric is.
#[derive(Debug)]
pub struct MetricWords;

impl Words for MetricWords {
    const WORDS: &'static [&'static str] = &["Counter", "Timer", "Gauge"];
}

settings! {
    /// One metric of a StatFilter. `%name%` in name and value stands for a header (Logger, Hostname, Type, Payload) or
    /// a field's first value.
    pub struct MetricSettings {
        /// `Counter`, `Timer` or `Gauge`.
        kind as "type": Option<OneOf<MetricWords>>,
        /// The stat's name.
        name: String = "",
        /// The stat's value; what is no number counts as 0.
        value: String = "",
        /// Put `_` for `.` in what stands for `%name%` in the name, so that it adds no levels.
        replace_dot: bool = false,
    }
}

settings! {
    /// Options of StatFilter.
    pub struct StatFilterSettings {
        /// The metrics, under names of your own: `[MyFilter.Metric.requests]`.
        metric: Map<Nested<MetricSettings>>,
        /// Section of the StatAccumInput that collects the stats.
        stat_accum_name: Placed<String> = Placed::nowhere("StatAccumInput".to_owned()),
    }
}

/// StatFilter.
pub static TYPE: PluginType = PluginType {
    name: "StatFilter",
    summary: "Makes statistics of messages and submits them to a StatAccumInput.",
    settings: StatFilterSettings::table,
    defaults: Defaults::NONE,
    make: Make::Filter(read),
};

#[derive(Clone)]
struct Metric {
    kind: &'static str,
    name: Template<usize>,
    value: Template<usize>,
    replace_dot: bool,
}

struct Spec {
    accumulator: Placed<String>,
    /// What stands between `%` in any template.
    words: Vec<String>,
    metrics: Vec<Metric>,
}

fn read(table: &Table, problems: &mut Problems) -> Arc<dyn FilterSpec> {
    let settings = StatFilterSettings::read(table, problems);
    let mut words: Vec<String> = Vec::new();
    let mut resolve = |word: &str| {
        let known = words.iter().position(|known| known == word);
        Some(known.unwrap_or_else(|| {
            words.push(word.to_owned());
            words.len() - 1
        }))
    };
    let mut metrics = Vec::new();
    for (id, Nested(metric)) in &settings.metric.0 {
        let Some(kind) = metric.kind else {
            let problem = Problem::error(crate::net::place(table, "metric"), format!("metric '{id}' has no type"));
            problems.push(problem.help("add type = \"Counter\", \"Timer\" or \"Gauge\""));
            continue;
        };
        metrics.push(Metric {
            kind: kind.word(),
            name: Template::new(&metric.name, &mut resolve),
            value: Template::new(&metric.value, &mut resolve),
            replace_dot: metric.replace_dot,
        });
    }
    Arc::new(Spec { accumulator: settings.stat_accum_name, words, metrics })
}

impl FilterSpec for Spec {
    fn submits_to(&self) -> Option<&Placed<String>> {
        Some(&self.accumulator)
    }

    fn build(&self, site: &Site) -> Result<Box<dyn Filter>, PluginError> {
        Ok(Box::new(StatFilter {
            accumulator: site.globals.accumulators.named(&self.accumulator.value),
            values: Values { words: self.words.clone(), ..Values::default() },
            metrics: self.metrics.clone(),
            name: Vec::new(),
            value: Vec::new(),
            submitted: site.stats.counter("SubmittedStats", "count"),
            unreadable: site.stats.counter("UnreadableValues", "count"),
            accumulator_name: self.accumulator.value.clone(),
        }))
    }
}

/// The texts that stand for the words in one message.
#[derive(Default)]
struct Values {
    words: Vec<String>,
    text: Vec<u8>,
    /// Where each is in `text`; `None` when the message has none.
    places: Vec<Option<Range<usize>>>,
    /// `text` with `_` for `.`.
    undotted: Vec<u8>,
}

impl Values {
    /// Reads them from a message. A field wins over a header of the same name, and the last of several fields.
    fn read(&mut self, message: RowRef<'_>) {
        self.text.clear();
        self.places.clear();
        for word in &self.words {
            let start = self.text.len();
            let field = message.fields().filter(|field| field.name() == word.as_bytes()).last();
            let header = match word.as_str() {
                "Logger" => Some(message.logger()),
                "Hostname" => Some(message.hostname()),
                "Type" => Some(message.msg_type()),
                "Payload" => Some(message.payload()),
                _ => None,
            };
            match field.map(|field| field.value(0)) {
                Some(None) => {
                    self.places.push(None);
                    continue;
                }
                Some(Some(value)) => write(value, &mut self.text),
                None => match header {
                    Some(header) => self.text.extend_from_slice(header),
                    None => {
                        self.places.push(None);
                        continue;
                    }
                },
            }
            self.places.push(Some(start..self.text.len()));
        }
        self.undotted.clear();
        self.undotted.extend(self.text.iter().map(|byte| if *byte == b'.' { b'_' } else { *byte }));
    }

    fn find(&self, word: usize, undotted: bool) -> Option<Captured<'_>> {
        let place = self.places.get(word)?.clone()?;
        Some(Captured::text(if undotted { &self.undotted[place] } else { &self.text[place] }))
    }
}

/// A value as text; numbers without exponent.
fn write(value: FieldValue<'_>, out: &mut Vec<u8>) {
    // Writing to a vector does not fail.
    let _ = match value {
        FieldValue::String(text) | FieldValue::Bytes(text) => {
            out.extend_from_slice(text);
            Ok(())
        }
        FieldValue::Integer(number) => write!(out, "{number}"),
        FieldValue::Double(number) => write!(out, "{number}"),
        FieldValue::Bool(truth) => write!(out, "{truth}"),
    };
}

struct StatFilter {
    accumulator: Arc<Accumulator>,
    accumulator_name: String,
    values: Values,
    metrics: Vec<Metric>,
    name: Vec<u8>,
    value: Vec<u8>,
    submitted: Arc<Counter>,
    unreadable: Arc<Counter>,
}

impl StatFilter {
    /// Submits the metrics of the message that `values` were read from; gives how many values were no numbers.
    fn submit(&mut self, batch: &mut Batch<'_>) -> usize {
        let mut unreadable = 0;
        for metric in &self.metrics {
            self.name.clear();
            self.value.clear();
            metric.name.write(&mut self.name, |word| self.values.find(*word, metric.replace_dot));
            metric.value.write(&mut self.value, |word| self.values.find(*word, false));
            let number = std::str::from_utf8(&self.value).ok().and_then(|text| text.trim().parse::<f64>().ok());
            let number = number.filter(|number| number.is_finite());
            unreadable += usize::from(number.is_none());
            let value = number.unwrap_or(0.0);
            let sample = match metric.kind {
                "Timer" => Sample::Timer { value, weight: 1.0 },
                "Gauge" => Sample::Gauge(value),
                _ => Sample::Count(value),
            };
            batch.add(&self.name, b"", sample);
        }
        unreadable
    }
}

impl Filter for StatFilter {
    fn process(&mut self, selection: &Selection, _: &mut Injector) -> Result<(), PluginError> {
        let accumulator = self.accumulator.clone();
        let mut batch = accumulator.batch();
        let mut unreadable = 0;
        for message in selection.iter() {
            self.values.read(message);
            unreadable += self.submit(&mut batch);
        }
        self.unreadable.add(unreadable);
        self.submitted.add(selection.len() * self.metrics.len());
        Ok(())
    }

    /// The accumulator flushed for the last time before the dataflow had drained: what came after goes out from here.
    fn stop(&mut self, out: &mut Injector) -> Result<(), PluginError> {
        let now = out.now();
        let Some(emission) = self.accumulator.emission() else { return Ok(()) };
        for flushed in self.accumulator.leftover(now / 1_000_000_000).into_iter().flatten() {
            inject(out, &self.accumulator_name, &emission, flushed);
        }
        Ok(())
    }
}

fn inject(out: &mut Injector, name: &str, emission: &Emission, flushed: Flushed) {
    let now = out.now() / 1_000_000_000;
    let builder = out.message();
    let (kind, logger) = (builder.text(emission.message_type.as_bytes()), builder.text(name.as_bytes()));
    let payload = if emission.in_payload { builder.text(&flushed.payload) } else { Span::NONE };
    if let Some(row) = builder.last_row() {
        (row.msg_type, row.logger, row.payload) = (kind, logger, payload);
    }
    if emission.in_fields {
        let timestamp = builder.text(b"timestamp");
        builder.field(timestamp, Span::NONE, FieldValue::Integer(now));
        for (name, number) in flushed.numbers {
            let name = builder.text(&name);
            builder.field(
                name,
                Span::NONE,
                match number {
                    Number::Integer(value) => FieldValue::Integer(value),
                    Number::Double(value) => FieldValue::Double(value),
                },
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::stat_accum;
    use crate::net::rig::{complaints, section, site, text};
    use heka_message::{BatchBuilder, RowSet};
    use heka_settings::Data;

    fn metrics(metrics: &[(&str, &[(&str, Data)])]) -> Table {
        let metrics = metrics.iter().fold(Table::default(), |all, (id, options)| {
            let one = options.iter().fold(Table::default(), |one, (key, data)| one.with(key, data.clone()));
            all.with(id, Data::Table(one))
        });
        section([("metric", Data::Table(metrics))])
    }

    /// Runs a filter with these metrics over one message and gives what is flushed.
    fn flushed(table: &Table, fill: impl FnOnce(&mut BatchBuilder)) -> String {
        let Make::Filter(read) = TYPE.make else { panic!("not a filter") };
        let Make::Input(read_accumulator) = stat_accum::TYPE.make else { panic!("not an input") };
        let mut problems = Problems::default();
        let site = site("StatAccumInput");
        let options = section([("global_prefix", text("")), ("ticker_interval", Data::Integer(1))]);
        read_accumulator(&options, &mut problems).build(&site).unwrap();
        let mut filter = read(table, &mut problems).build(&site).unwrap();
        assert!(problems.is_empty());
        let mut builder = BatchBuilder::default();
        builder.row();
        fill(&mut builder);
        let selection = Selection { batch: Arc::new(builder.finish()), rows: RowSet::All };
        let mut out = Injector::new(site.globals.clone());
        filter.process(&selection, &mut out).unwrap();
        assert!(out.is_empty());
        let flushed = site.globals.accumulators.named("StatAccumInput").flush(7).unwrap();
        String::from_utf8(flushed.into_iter().next().unwrap().payload).unwrap()
    }

    fn message(builder: &mut BatchBuilder) {
        let (host, name, missing, ms) =
            (builder.text(b"a.b"), builder.text(b"Bytes"), builder.text(b"Empty"), builder.text(b"ms"));
        builder.last_row().unwrap().hostname = host;
        builder.field(name, Span::NONE, FieldValue::Integer(512));
        builder.field(ms, Span::NONE, FieldValue::Double(12.5));
        builder.open_field(missing, Span::NONE, heka_message::ValueType::String);
    }

    #[test]
    fn metrics_are_made_of_headers_and_fields() {
        let counter = text("Counter");
        let cases: [(&[(&str, Data)], &str); 7] = [
            (
                &[("type", counter.clone()), ("name", text("bytes.%Hostname%")), ("value", text("%Bytes%"))],
                "counters.bytes.a.b.rate 512.000000 7\ncounters.bytes.a.b.count 512 7\n",
            ),
            (
                &[
                    ("type", counter.clone()),
                    ("name", text("bytes.%Hostname%")),
                    ("value", text("1.5")),
                    ("replace_dot", Data::Bool(true)),
                ],
                "counters.bytes.a_b.rate 1.500000 7\ncounters.bytes.a_b.count 1 7\n",
            ),
            (
                &[("type", counter.clone()), ("name", text("x.%None%")), ("value", text("%None%"))],
                "counters.x.<None>.rate 0.000000 7\ncounters.x.<None>.count 0 7\n",
            ),
            (
                &[("type", counter.clone()), ("name", text("%Empty%")), ("value", text("1"))],
                "counters.<Empty>.rate 1.000000 7\ncounters.<Empty>.count 1 7\n",
            ),
            (&[("type", text("Timer")), ("name", text("t")), ("value", text("%ms%"))], "timers.t.count 1 7\n"),
            (
                &[("type", text("Timer")), ("name", text("t")), ("value", text("%ms%"))],
                "timers.t.upper_90 12.500000 7\n",
            ),
            (&[("type", text("Gauge")), ("name", text("g")), ("value", text("-%Bytes%"))], "gauges.g -512.000000 7\n"),
        ];
        for (options, wanted) in cases {
            let payload = flushed(&metrics(&[("one", options)]), message);
            assert!(payload.contains(wanted), "{options:?}: {payload}");
        }
    }

    #[test]
    fn one_metric_does_not_change_another() {
        let a = [
            ("type", text("Counter")),
            ("name", text("a.%Hostname%")),
            ("value", text("1")),
            ("replace_dot", Data::Bool(true)),
        ];
        let b = [("type", text("Gauge")), ("name", text("b.%Hostname%")), ("value", text("%ms%"))];
        let payload = flushed(&metrics(&[("a", &a), ("b", &b)]), message);
        assert!(
            payload.contains("counters.a.a_b.count 1 7\n") && payload.contains("gauges.b.a.b 12.500000 7\n"),
            "{payload}"
        );
    }

    #[test]
    fn a_metric_needs_a_type_that_exists() {
        let found = complaints(&TYPE, &metrics(&[("m", &[("name", text("x"))])]));
        assert_eq!(found[0].message, "metric 'm' has no type");
        let found = complaints(&TYPE, &metrics(&[("m", &[("type", text("Histogram"))])]));
        assert_eq!(found[0].message, "`Histogram` is not one of the words allowed here");
    }

    #[test]
    fn what_comes_after_the_accumulators_end_goes_out_from_the_filter() {
        let one = [("type", text("Counter")), ("name", text("late")), ("value", text("1"))];
        let Make::Filter(read) = TYPE.make else { panic!("not a filter") };
        let Make::Input(read_accumulator) = stat_accum::TYPE.make else { panic!("not an input") };
        let mut problems = Problems::default();
        let site = site("StatAccumInput");
        read_accumulator(&Table::default(), &mut problems).build(&site).unwrap();
        let mut filter = read(&metrics(&[("one", &one)]), &mut problems).build(&site).unwrap();
        let mut out = Injector::new(site.globals.clone());
        out.set_now(9_000_000_000);
        filter.stop(&mut out).unwrap();
        assert!(out.is_empty());
        site.globals.accumulators.named("StatAccumInput").close(8).unwrap();
        let mut builder = BatchBuilder::default();
        builder.row();
        let selection = Selection { batch: Arc::new(builder.finish()), rows: RowSet::All };
        filter.process(&selection, &mut out).unwrap();
        filter.stop(&mut out).unwrap();
        let batch = out.take().unwrap();
        let row = batch.row(0);
        assert_eq!((row.msg_type(), row.logger()), (&b"heka.statmetric"[..], &b"StatAccumInput"[..]));
        assert!(row.payload().starts_with(b"stats.counters.late.rate 0.100000 9\nstats.counters.late.count 1 9\n"));
    }
}
