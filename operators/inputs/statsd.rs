//! StatsdInput: takes statsd lines from datagrams and submits them to an accumulator.
//!
//! A batch of datagrams is parsed and added under one lock; nothing is allocated for a bucket that is known. It
//! produces no messages itself.

use super::udp::receive::{Receiver, Taker};
use super::udp::source::Endpoint;
use crate::inputs::{Input, InputEdge, InputSpec, Runs};
use crate::net::datagrams::{BATCH, Inbox};
use crate::net::place;
use crate::plugin::{BoxFuture, PluginError, Site};
use crate::registry::{Defaults, Make, PluginType};
use crate::stats::Counter;
use crate::statsd::{Accumulator, Batch, Kind, Line, Sample, number, parse};
use crate::throttle::Throttle;
use heka_settings::{OneOf, Placed, Problem, Problems, Settings, Table, Words, settings};
use std::sync::Arc;

/// What becomes of tags.
#[derive(Debug)]
pub struct TagWords;

impl Words for TagWords {
    const WORDS: &'static [&'static str] = &["drop", "fields"];
}

settings! {
    /// Options of StatsdInput.
    pub struct StatsdInputSettings {
        /// UDP address to listen on: `host:port`.
        address: String = "127.0.0.1:8125",
        /// Section of the StatAccumInput that collects the stats.
        stat_accum_name: Placed<String> = Placed::nowhere("StatAccumInput".to_owned()),
        /// Bytes kept of a datagram; the rest is cut off and counted.
        max_msg_size: u32 = 65_507u32,
        /// What becomes of tags (`|#env:prod,canary`): `drop` ignores them; `fields` keeps stats with different tags
        /// apart and puts each set of them into a message of its own, with the tags as fields.
        tags: OneOf<TagWords> = "drop",
        /// Whether a gauge with a sign (`+2`, `-4`) changes the gauge by so much instead of replacing it.
        gauge_deltas: bool = true,
        /// Bytes of the kernel's buffer for datagrams that wait to be read; the system may give less.
        receive_buffer: u32 = 8_388_608u32,
        /// Whether several sockets may share the address, each getting a part of the datagrams.
        reuse_port: bool = false,
    }
}

/// StatsdInput.
pub static TYPE: PluginType = PluginType {
    name: "StatsdInput",
    summary: "Listens for statsd lines over UDP and submits them to a StatAccumInput.",
    settings: StatsdInputSettings::table,
    defaults: Defaults::NONE,
    make: Make::Input(read),
};

struct Spec {
    settings: StatsdInputSettings,
    endpoint: Result<Endpoint, String>,
}

fn read(table: &Table, problems: &mut Problems) -> Arc<dyn InputSpec> {
    let settings = StatsdInputSettings::read(table, problems);
    let endpoint = Endpoint::parse("udp", &settings.address);
    if let Err(wrong) = &endpoint {
        problems.push(Problem::error(place(table, wrong.option), &wrong.why).help(wrong.help));
    }
    Arc::new(Spec { settings, endpoint: endpoint.map_err(|wrong| wrong.why) })
}

impl InputSpec for Spec {
    fn submits_to(&self) -> Option<&Placed<String>> {
        Some(&self.settings.stat_accum_name)
    }

    fn build(&self, _site: &Site) -> Result<Box<dyn Input>, PluginError> {
        let endpoint = self.endpoint.clone().map_err(PluginError::fatal)?;
        Ok(Box::new(StatsdInput { settings: self.settings.clone(), endpoint }))
    }
}

struct StatsdInput {
    settings: StatsdInputSettings,
    endpoint: Endpoint,
}

impl Input for StatsdInput {
    fn runs(&self) -> Runs {
        Runs::OwnThread
    }

    fn run<'a>(&'a mut self, edge: &'a mut InputEdge) -> BoxFuture<'a, Result<(), PluginError>> {
        Box::pin(async move {
            let accumulator = edge.site.globals.accumulators.named(&self.settings.stat_accum_name.value);
            let _submitter = accumulator.submitter();
            let receiver = Receiver {
                endpoint: &self.endpoint,
                reuse_port: self.settings.reuse_port,
                buffer: self.settings.receive_buffer as usize,
                inbox: Inbox::new(BATCH, (self.settings.max_msg_size as usize).clamp(1, 65_536), false),
            };
            receiver.run(edge, &mut Submit::new(&accumulator, &edge.site, &self.settings)).await
        })
    }
}

/// Parses and submits.
struct Submit<'a> {
    accumulator: &'a Accumulator,
    site: &'a Site,
    keep_tags: bool,
    gauge_deltas: bool,
    lines: Arc<Counter>,
    malformed: Arc<Counter>,
    unreadable: Arc<Counter>,
    cut: Arc<Counter>,
    complaints: Throttle,
}

impl<'a> Submit<'a> {
    fn new(accumulator: &'a Accumulator, site: &'a Site, settings: &StatsdInputSettings) -> Self {
        Submit {
            accumulator,
            site,
            keep_tags: settings.tags.word() == "fields",
            gauge_deltas: settings.gauge_deltas,
            lines: site.stats.counter("ProcessMessageCount", "count"),
            malformed: site.stats.drops("malformed-stat"),
            unreadable: site.stats.counter("UnreadableValues", "count"),
            cut: site.stats.counter("CutDatagrams", "count"),
            complaints: Throttle::default(),
        }
    }

    fn batch(&mut self, inbox: &Inbox) {
        let mut batch = self.accumulator.batch();
        let (mut lines, mut malformed, mut unreadable, mut cut) = (0, 0, 0, 0);
        for datagram in inbox.iter() {
            cut += usize::from(datagram.cut);
            let mut rest = datagram.bytes;
            while !rest.is_empty() {
                let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                let line = &rest[..end];
                rest = rest.get(end + 1..).unwrap_or_default();
                match parse(line) {
                    Some(line) => {
                        lines += 1;
                        unreadable += usize::from(!submit(&mut batch, line, self.keep_tags, self.gauge_deltas));
                    }
                    None if line.trim_ascii().is_empty() => {}
                    None => {
                        malformed += 1;
                        let text = || format!("can't parse message: {}", line[..line.len().min(200)].escape_ascii());
                        self.complaints.error(&self.site.log, text);
                    }
                }
            }
        }
        drop(batch);
        self.lines.add(lines);
        self.malformed.add(malformed);
        self.unreadable.add(unreadable);
        if cut > 0 {
            self.cut.add(cut);
            self.complaints.error(&self.site.log, || "a datagram was longer than max_msg_size and was cut".to_owned());
        }
    }
}

impl Taker for Submit<'_> {
    async fn take(&mut self, inbox: &Inbox, _drained: bool) {
        if !inbox.is_empty() {
            self.batch(inbox);
        }
    }
}

/// Adds a line; `false` when its value is no number, which counts as 0.
fn submit(batch: &mut Batch<'_>, line: Line<'_>, keep_tags: bool, gauge_deltas: bool) -> bool {
    let tags = line.tags.filter(|_| keep_tags).unwrap_or_default();
    if line.kind == Kind::Set {
        batch.add(line.bucket, tags, Sample::Member(line.value));
        return true;
    }
    let number = number(line.value);
    let value = number.filter(|value| value.is_finite()).unwrap_or(0.0);
    let sample = match line.kind {
        Kind::Counter => Sample::Count(value / line.rate),
        Kind::Timer => Sample::Timer { value, weight: 1.0 / line.rate },
        Kind::Gauge if gauge_deltas && matches!(line.value.first(), Some(b'+' | b'-')) => Sample::GaugeBy(value),
        Kind::Gauge | Kind::Set => Sample::Gauge(value),
    };
    batch.add(line.bucket, tags, sample);
    number.is_some_and(f64::is_finite)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::rig::{InputRig, complaints, counted, eventually, section, text};
    use crate::statsd::{Limits, Naming, opening};
    use heka_settings::Data;
    use std::net::UdpSocket;

    fn naming() -> Naming {
        Naming {
            interval: 1.0,
            percentiles: vec![],
            bins: vec![],
            legacy: false,
            global: String::new(),
            counter: "c".into(),
            timer: "t".into(),
            gauge: "g".into(),
            set: "s".into(),
            statsd: "statsd".into(),
            forget: true,
        }
    }

    /// What is submitted for these datagrams, and how many lines were malformed.
    async fn submitted(options: Table, datagrams: &[&[u8]]) -> (String, i64) {
        let rig = InputRig::start(&TYPE, "statsd", &options.with("address", text("127.0.0.1:0")));
        let accumulator = rig.site.globals.accumulators.named("StatAccumInput");
        accumulator.open(opening(naming(), Limits::default()));
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(rig.address().await).unwrap();
        assert_eq!(accumulator.submitters(), 1);
        for datagram in datagrams {
            socket.send(datagram).unwrap();
        }
        let lines =
            datagrams.iter().flat_map(|d| d.split(|b| *b == b'\n')).filter(|l| !l.trim_ascii().is_empty()).count();
        let site = rig.site.clone();
        let malformed = || counted(&site, "Dropped-malformed-stat");
        eventually("all lines", || (counted(&site, "ProcessMessageCount") + malformed() == lines as i64).then_some(()))
            .await;
        let malformed = malformed();
        let (result, chunks) = rig.stop().await;
        assert_eq!((result, chunks.len(), accumulator.submitters()), (Ok(()), 0, 0));
        let flushed = accumulator.flush(7).unwrap();
        let text = |one: crate::statsd::Flushed| {
            let payload = String::from_utf8(one.payload).unwrap().replace(" 7\n", "; ");
            format!("{}{{{}}}", payload, String::from_utf8(one.tags).unwrap())
        };
        (flushed.into_iter().map(text).collect(), malformed)
    }

    #[tokio::test]
    async fn good_lines_of_a_datagram_count_whatever_stands_beside_them() {
        let (text, malformed) = submitted(Table::default(), &[b"a:1|c\n\nb:2|g\nbad\n", b"a:1|c|@0.1\r\n"]).await;
        assert_eq!(text, "c.a.rate 11.000000; c.a.count 11; g.b 2.000000; statsd.numStats 2; {}");
        assert_eq!(malformed, 1);
    }

    #[tokio::test]
    async fn gauges_change_by_signed_values_unless_told_otherwise() {
        let lines: [&[u8]; 1] = [b"g:10|g\ng:-4|g\ng:+1|g"];
        let (text, _) = submitted(Table::default(), &lines).await;
        assert!(text.starts_with("g.g 7.000000; "), "{text}");
        let (text, _) = submitted(section([("gauge_deltas", Data::Bool(false))]), &lines).await;
        assert!(text.starts_with("g.g 1.000000; "), "{text}");
    }

    #[tokio::test]
    async fn tags_are_dropped_or_kept_apart() {
        let lines: [&[u8]; 2] = [b"a:1|c|#env:x", b"a:2|c\nu:x|s\nu:x|s\nu:y|s"];
        let (text, _) = submitted(Table::default(), &lines).await;
        assert_eq!(text, "c.a.rate 3.000000; c.a.count 3; s.u.count 2; statsd.numStats 2; {}");
        let (text, _) = submitted(section([("tags", self::text("fields"))]), &lines).await;
        assert_eq!(
            text,
            "c.a.rate 2.000000; c.a.count 2; s.u.count 2; statsd.numStats 2; {}\
             c.a.rate 1.000000; c.a.count 1; statsd.numStats 1; {env:x}"
        );
    }

    #[tokio::test]
    async fn values_that_are_no_numbers_count_as_zero() {
        let (text, malformed) = submitted(Table::default(), &[b"a:1:2|c\nb:|c\nt:nan|ms"]).await;
        assert!(text.starts_with("c.a.rate 0.000000; c.a.count 0; c.b.rate 0.000000;"), "{text}");
        assert_eq!(malformed, 0);
    }

    #[test]
    fn a_bad_address_is_found_while_loading() {
        let found = complaints(&TYPE, &section([("address", text("nowhere"))]));
        assert_eq!(found[0].message, "ResolveUDPAddr failed: missing port in address `nowhere`");
        assert_eq!(complaints(&TYPE, &section([("tags", text("keep"))])).len(), 1);
    }
}
