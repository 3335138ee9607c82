//! StatAccumInput: flushes what StatsdInputs and StatFilters have submitted, once an interval, as one message.
//!
//! Flushes fall on whole multiples of the interval since the UNIX epoch, so that several daemons' numbers line up. The
//! last one comes at the stop, after all inputs that submit have ended; what filters still submit while the dataflow
//! drains is sent on by the last of them.

use crate::inputs::{Chunk, ChunkBuf, ChunkEnd, FieldSeed, Input, InputEdge, InputSpec, Runs, Stream};
use crate::net::unix_nanos;
use crate::plugin::{BoxFuture, PluginError, Site};
use crate::registry::{Defaults, Make, PluginType};
use crate::statsd::{Accumulator, Emission, Flushed, Limits, Naming, Number, Opening};
use heka_settings::{Data, Kind, Problem, Problems, SettingType, Settings, Table, Value, settings};
use std::sync::Arc;
use std::time::Duration;

/// Percentiles: a list of numbers, or, as in old configurations, one.
#[derive(Clone, Debug, PartialEq)]
pub struct Percentiles(pub Vec<f64>);

impl SettingType for Percentiles {
    const KIND: Kind = Kind::List(&f64::KIND);
    fn from_value(value: &Value, problems: &mut Problems) -> Option<Self> {
        let all = match &value.data {
            Data::Array(_) => Vec::<f64>::from_value(value, problems)?,
            _ => vec![f64::from_value(value, problems)?],
        };
        if let Some(wrong) = all.iter().find(|p| !(0.0..=100.0).contains(*p)) {
            problems.push(Problem::error(value.place, format!("{wrong} is no percentile")).help("use 0 to 100"));
            return None;
        }
        Some(Percentiles(all))
    }
    fn to_data(&self) -> Option<Data> {
        self.0.to_data()
    }
}

settings! {
    /// Options of StatAccumInput.
    pub struct StatAccumInputSettings {
        /// Write the stats into the payload, as Graphite takes them.
        emit_in_payload: bool = true,
        /// Write the stats into fields.
        emit_in_fields: bool = false,
        /// Percentiles of timers.
        percent_threshold: Percentiles = Percentiles(vec![90.0]),
        /// Upper bounds of histogram bins of timers, ascending; one more bin takes what is above. None: no histograms.
        histogram_bins: Vec<f64> = Vec::new(),
        /// `Type` of the messages.
        message_type: String = "heka.statmetric",
        /// Name counters as old statsd did.
        legacy_namespaces: bool = false,
        /// Before all names.
        global_prefix: String = "stats",
        /// Before the names of counters, unless legacy_namespaces is set.
        counter_prefix: String = "counters",
        /// Before the names of timers.
        timer_prefix: String = "timers",
        /// Before the names of gauges.
        gauge_prefix: String = "gauges",
        /// Before the names of sets.
        set_prefix: String = "sets",
        /// Before the names of numbers about the stats themselves.
        statsd_prefix: String = "statsd",
        /// Forget all stats after each flush, gauges included.
        delete_idle_stats: bool = false,
        /// Most names held; further ones are dropped and counted.
        max_stats: u64 = 1_000_000u64,
    }
}

/// StatAccumInput.
pub static TYPE: PluginType = PluginType {
    name: "StatAccumInput",
    summary: "Collects statistics from StatsdInputs and StatFilters and flushes them as one message an interval.",
    settings: StatAccumInputSettings::table,
    defaults: Defaults { ticker_interval: Some(INTERVAL), ..Defaults::NONE },
    make: Make::Input(read),
};

const INTERVAL: u64 = 10;
/// How long the last flush waits for inputs that still submit.
const PATIENCE: Duration = Duration::from_secs(5);

struct Spec {
    settings: StatAccumInputSettings,
    /// Seconds.
    interval: u64,
}

fn read(table: &Table, problems: &mut Problems) -> Arc<dyn InputSpec> {
    let settings = StatAccumInputSettings::read(table, problems);
    let at = |option| crate::net::place(table, option);
    // The common option is read elsewhere, but what it means here is this type's own.
    let interval = match table.get("ticker_interval").map(|entry| &entry.value.data) {
        Some(Data::Integer(seconds)) => u64::try_from(*seconds).unwrap_or(INTERVAL),
        _ => INTERVAL,
    };
    if interval == 0 {
        let problem = Problem::error(at("ticker_interval"), "TickerInterval must be greater than 0.");
        problems.push(problem.help("leave it out for 10 seconds"));
    }
    if !settings.emit_in_payload && !settings.emit_in_fields {
        let why = "One of either `EmitInPayload` or `EmitInFields` must be set to true.";
        problems.push(Problem::error(at("emit_in_payload"), why).help("set emit_in_fields = true"));
    }
    if !settings.histogram_bins.is_sorted_by(|a, b| a < b) {
        problems.push(Problem::error(at("histogram_bins"), "histogram_bins must ascend").help("sort the bounds"));
    }
    Arc::new(Spec { settings, interval: interval.max(1) })
}

impl InputSpec for Spec {
    fn sends_messages(&self) -> bool {
        true
    }

    fn accumulates(&self) -> bool {
        true
    }

    fn build(&self, site: &Site) -> Result<Box<dyn Input>, PluginError> {
        let from = &self.settings;
        let naming = Naming {
            interval: self.interval as f64,
            percentiles: from.percent_threshold.0.clone(),
            bins: from.histogram_bins.clone(),
            legacy: from.legacy_namespaces,
            global: from.global_prefix.clone(),
            counter: from.counter_prefix.clone(),
            timer: from.timer_prefix.clone(),
            gauge: from.gauge_prefix.clone(),
            set: from.set_prefix.clone(),
            statsd: from.statsd_prefix.clone(),
            forget: from.delete_idle_stats,
        };
        let accumulator = site.globals.accumulators.named(&site.name);
        let limits = Limits { stats: usize::try_from(from.max_stats).unwrap_or(usize::MAX), ..Limits::default() };
        let stats = &site.stats;
        accumulator.open(Opening {
            naming,
            emission: Emission {
                message_type: from.message_type.clone(),
                in_payload: from.emit_in_payload,
                in_fields: from.emit_in_fields,
            },
            limits,
            dropped_stats: stats.drops("too-many-stats"),
            dropped_samples: stats.drops("too-many-samples"),
        });
        Ok(Box::new(StatAccumInput { settings: from.clone(), interval: self.interval, accumulator, sent: 0 }))
    }
}

struct StatAccumInput {
    settings: StatAccumInputSettings,
    interval: u64,
    accumulator: Arc<Accumulator>,
    /// Bytes sent so far.
    sent: u64,
}

impl Input for StatAccumInput {
    fn runs(&self) -> Runs {
        // A flush of very many stats takes a while.
        Runs::OwnThread
    }

    fn run<'a>(&'a mut self, edge: &'a mut InputEdge) -> BoxFuture<'a, Result<(), PluginError>> {
        Box::pin(async move {
            let mut stamped = 0;
            loop {
                tokio::select! {
                    biased;
                    () = edge.stopped() => break,
                    () = tokio::time::sleep(until_next(self.interval, unix_nanos())) => {}
                }
                let now = unix_nanos();
                stamped = now / 1_000_000_000;
                let flushed = self.accumulator.flush(stamped);
                self.send(edge, flushed, now);
            }
            let waiting = async {
                while self.accumulator.submitters() > 0 {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            };
            if tokio::time::timeout(PATIENCE, waiting).await.is_err() {
                edge.site.log.error("some inputs still submit stats; what they submit from now on is lost");
            }
            // Graphite keeps one value a second: a last flush within that of the one before would take its place.
            if unix_nanos() / 1_000_000_000 <= stamped {
                tokio::time::sleep(until_next(1, unix_nanos())).await;
            }
            let now = unix_nanos();
            let flushed = self.accumulator.close(now / 1_000_000_000);
            self.send(edge, flushed, now);
            Ok(())
        })
    }
}

/// How long until the next multiple of `interval` seconds.
fn until_next(interval: u64, now: i64) -> Duration {
    let (interval, now) = (interval.saturating_mul(1_000_000_000), now.max(0) as u64);
    Duration::from_nanos(interval - now % interval)
}

impl StatAccumInput {
    fn send(&mut self, edge: &InputEdge, flushed: Option<Vec<Flushed>>, now: i64) {
        let counter = edge.site.stats.counter("ProcessMessageCount", "count");
        for one in flushed.into_iter().flatten() {
            let length = one.payload.len() as u64;
            let (payload, stream) = self.message(&edge.site, one, now);
            counter.add(1);
            edge.send(Chunk {
                bytes: ChunkBuf::copy_of(&payload),
                stream: Arc::new(stream),
                position: self.sent,
                offset: self.sent,
                end: ChunkEnd::Packet,
                packets: Vec::new(),
                received: now,
                credit: edge.credits().try_take(payload.len()),
            });
            self.sent += length;
        }
    }

    /// Payload and header of a flush.
    fn message(&self, site: &Site, flushed: Flushed, now: i64) -> (Vec<u8>, Stream) {
        let mut fields = Vec::new();
        if self.settings.emit_in_fields {
            fields.push(FieldSeed::Integer("timestamp".to_owned(), String::new(), now / 1_000_000_000));
            fields.extend(flushed.numbers.into_iter().map(|(name, number)| {
                let name = String::from_utf8_lossy(&name).into_owned();
                match number {
                    Number::Integer(value) => FieldSeed::Integer(name, String::new(), value),
                    Number::Double(value) => FieldSeed::Double(name, String::new(), value),
                }
            }));
        }
        for tag in flushed.tags.split(|byte| *byte == b',').filter(|tag| !tag.is_empty()) {
            let (name, value) = match memchr::memchr(b':', tag) {
                Some(colon) => (&tag[..colon], &tag[colon + 1..]),
                None => (tag, &b""[..]),
            };
            let name = String::from_utf8_lossy(name).into_owned();
            fields.push(FieldSeed::String(name, String::new(), value.to_vec()));
        }
        let stream = Stream {
            logger: site.name.clone().into_bytes(),
            msg_type: Some(self.settings.message_type.clone().into_bytes()),
            hostname: Some(site.globals.hostname.clone().into_bytes()),
            pid: Some(site.globals.pid),
            fields,
            ..Stream::default()
        };
        (if self.settings.emit_in_payload { flushed.payload } else { Vec::new() }, stream)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::rig::{InputRig, complaints, section, text};
    use crate::statsd::Sample;

    #[test]
    fn flushes_fall_on_multiples_of_the_interval() {
        let second = 1_000_000_000;
        assert_eq!(until_next(10, 1_000_000_003 * second), Duration::from_secs(7));
        assert_eq!(until_next(10, 1_000_000_000 * second), Duration::from_secs(10));
        assert_eq!(until_next(1, 5 * second + second / 4), Duration::from_millis(750));
    }

    #[test]
    fn options_that_make_no_sense_are_refused() {
        let cases: [(Table, &str); 4] = [
            (section([("ticker_interval", Data::Integer(0))]), "TickerInterval must be greater than 0."),
            (
                section([("emit_in_payload", Data::Bool(false))]),
                "One of either `EmitInPayload` or `EmitInFields` must be set to true.",
            ),
            (section([("percent_threshold", Data::Integer(101))]), "101 is no percentile"),
            (
                section([("histogram_bins", Data::Array([5, 1].map(|n| Value::new(Data::Integer(n))).to_vec()))]),
                "histogram_bins must ascend",
            ),
        ];
        for (table, wanted) in cases {
            let found: Vec<_> = complaints(&TYPE, &table).into_iter().map(|problem| problem.message).collect();
            assert_eq!(found, [wanted]);
        }
        assert!(complaints(&TYPE, &section([("percent_threshold", Data::Integer(95))])).is_empty());
    }

    #[tokio::test]
    async fn the_last_flush_has_a_second_of_its_own() {
        let options = section([("ticker_interval", Data::Integer(1))]);
        let rig = InputRig::start(&TYPE, "accum", &options);
        tokio::time::sleep(until_next(1, unix_nanos()) + Duration::from_millis(50)).await;
        let (result, chunks) = rig.stop().await;
        assert_eq!(result, Ok(()));
        let mut seconds: Vec<i64> = chunks.iter().map(|chunk| chunk.received / 1_000_000_000).collect();
        assert!(seconds.len() >= 2, "a flush at the second, and the last one: {seconds:?}");
        let flushes = seconds.len();
        seconds.dedup();
        assert_eq!(seconds.len(), flushes);
    }

    #[tokio::test]
    async fn a_flush_is_a_message_in_payload_and_fields() {
        let options = section([("emit_in_fields", Data::Bool(true)), ("message_type", text("stats"))]);
        let rig = InputRig::start(&TYPE, "accum", &options);
        let accumulator = rig.site.globals.accumulators.named("accum");
        let mut batch = accumulator.batch();
        batch.add(b"a", b"", Sample::Count(3.0));
        batch.add(b"g", b"env:prod,canary", Sample::Gauge(0.5));
        drop(batch);
        let (result, chunks) = rig.stop().await;
        assert_eq!(result, Ok(()));
        let chunks = &chunks[chunks.len() - 2..];
        let stream = &chunks[0].stream;
        assert_eq!((stream.logger.as_slice(), stream.msg_type.as_deref()), (&b"accum"[..], Some(&b"stats"[..])));
        let now = chunks[0].received / 1_000_000_000;
        let expected = format!(
            "stats.counters.a.rate 0.300000 {now}\nstats.counters.a.count 3 {now}\nstats.statsd.numStats 1 {now}\n"
        );
        assert_eq!(String::from_utf8_lossy(chunks[0].bytes.as_ref()), expected);
        let name = |name: &str| (name.to_owned(), String::new());
        let integer = |n: &str, value| FieldSeed::Integer(name(n).0, name(n).1, value);
        assert_eq!(
            stream.fields,
            [
                integer("timestamp", now),
                FieldSeed::Double("stats.counters.a.rate".into(), String::new(), 0.3),
                integer("stats.counters.a.count", 3),
                integer("stats.statsd.numStats", 1),
            ]
        );
        let tagged = &chunks[1].stream.fields;
        assert!(tagged.contains(&FieldSeed::String("env".into(), String::new(), b"prod".to_vec())));
        assert!(tagged.contains(&FieldSeed::String("canary".into(), String::new(), Vec::new())));
        assert!(tagged.contains(&FieldSeed::Double("stats.gauges.g".into(), String::new(), 0.5)));
    }

    #[tokio::test]
    async fn without_a_payload_the_message_is_sent_all_the_same() {
        let options = section([("emit_in_fields", Data::Bool(true)), ("emit_in_payload", Data::Bool(false))]);
        let (_, chunks) = InputRig::start(&TYPE, "accum", &options).stop().await;
        let last = chunks.last().unwrap();
        assert_eq!((last.bytes.len(), last.stream.fields.len()), (0, 2));
    }
}
