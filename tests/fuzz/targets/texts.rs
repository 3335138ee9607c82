//! Small languages: formats of time, interpolation, lines of statsd.

use super::message;
use crate::runner::{Target, outcome};
use heka_message::{Interpolation, Layout, Strftime, TimestampParser};
use heka_operators::statsd;
use jiff::tz::TimeZone;

const TIMES: [i64; 5] = [0, -1, i64::MIN, i64::MAX, 1_400_000_000_123_456_789];

const FORMATS: &[&str] = &[
    "%Y", "%m", "%d", "%H", "%M", "%S", "%f", "%z", "%Z", "%s", "%j", "%U", "%c", "%x", "%%", "%", "2006", "01", "02",
    "15", "04", "05", ".000", "Jan", "Monday", "MST", "-0700", "Z07:00", "PM", "_2", "_6",
];

#[test]
fn strftime() {
    let target = Target { name: "strftime", seeds: Vec::new(), words: FORMATS, runs: 8000, memory: (1 << 16, 4096) };
    target.run(|input| {
        let format = Strftime::new(input);
        let mut out = Vec::new();
        TIMES.iter().for_each(|time| format.write(&mut out, *time, &TimeZone::UTC));
        outcome((format.is_constant(), format.is_subsecond(), out.len().checked_ilog2()))
    });
}

#[test]
fn layout() {
    let target = Target { name: "layout", seeds: Vec::new(), words: FORMATS, runs: 8000, memory: (1 << 16, 4096) };
    target.run(|input| {
        let layout = Layout::new(input);
        let mut out = Vec::new();
        TIMES.iter().for_each(|time| layout.write(&mut out, *time, &TimeZone::UTC));
        outcome((Layout::is_legacy(input), layout.is_subsecond(), out.len().checked_ilog2()))
    });
}

/// A layout and a text, with a zero byte between them.
#[test]
fn timestamp() {
    let target = Target { name: "timestamp", seeds: Vec::new(), words: FORMATS, runs: 8000, memory: (1 << 18, 4096) };
    let zone = heka_message::zone_named("America/New_York").unwrap_or(TimeZone::UTC);
    target.run(|input| {
        let at = input.iter().position(|byte| *byte == 0).unwrap_or(0);
        let (layout, text) = input.split_at(at);
        match TimestampParser::new(&String::from_utf8_lossy(layout), zone.clone()) {
            Err(error) => outcome(error),
            Ok(parser) => {
                let text = text.get(1..).unwrap_or_default();
                outcome(TIMES.map(|now| parser.parse(text, now).is_some()))
            }
        }
    });
}

#[test]
fn interpolation() {
    let words = &["%{", "}", "%{Type}", "%{Payload}", "%{Uuid}", "%{%Y.%m.%d}", "%{2006.01.02}", "%{text}", "%", "{"];
    let target = Target { name: "interpolation", seeds: Vec::new(), words, runs: 8000, memory: (1 << 18, 4096) };
    let batch = message(b"text");
    target.run(|input| {
        let mut interpolation = Interpolation::new(&String::from_utf8_lossy(input));
        let mut out = Vec::new();
        let resolved = TIMES.map(|time| interpolation.write(batch.rows().next().unwrap(), time, &mut out));
        outcome((resolved, interpolation.is_legacy(), out.len().checked_ilog2()))
    });
}

#[test]
fn statsd_line() {
    let words = &[":", "|", "|c", "|ms", "|g", "|s", "|h", "|d", "|m", "|@0.1", "|#a:b,c", "+1", "-1", "\n", "\r"];
    let target = Target { name: "statsd_line", seeds: Vec::new(), words, runs: 20_000, memory: (1 << 14, 8) };
    target.run(|input| {
        let line = statsd::parse(input);
        if let Some(line) = &line {
            assert!(line.rate > 0.0 && line.rate.is_finite());
            assert!(line.bucket.len() + line.value.len() + line.tags.map_or(0, <[u8]>::len) < input.len());
        }
        outcome(line.map(|line| (line.kind as u8, line.rate.to_bits(), line.tags.is_some(), line.bucket.is_empty())))
    });
}
