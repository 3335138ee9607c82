//! StatsToFieldsDecoder: Graphite's lines (`name value time`) in the payload become fields.

use super::{DecodeError, Decoder, DecoderSpec};
use crate::meter::Meter;
use crate::plugin::{PluginError, Site};
use crate::registry::{Defaults, Make, PluginType};
use heka_message::{BatchBuilder, FieldValue, RowRef, Span};
use std::str;
use std::sync::Arc;

/// The type's entry in the registry.
pub static TYPE: PluginType = PluginType {
    name: "StatsToFieldsDecoder",
    summary: "Turns Graphite lines in the payload into fields, one message for each time in them.",
    settings: || &[],
    defaults: Defaults { accepts_any: true, ..Defaults::NONE },
    make: Make::Decoder(|_, _| Arc::new(Spec)),
};

struct Spec;

impl DecoderSpec for Spec {
    fn is_stateless(&self) -> bool {
        true
    }

    fn build(&self, site: &Site, _: Vec<Box<dyn Decoder>>) -> Result<Box<dyn Decoder>, PluginError> {
        Ok(Box::new(StatsToFields { meter: Meter::new(&site.stats, ""), lines: Vec::new(), times: Vec::new() }))
    }
}

/// A line: name, value, and which of the times it belongs to.
struct Stat {
    name: std::ops::Range<usize>,
    value: f64,
    time: usize,
}

struct StatsToFields {
    meter: Meter,
    lines: Vec<Stat>,
    /// The times of the record, in order of appearance.
    times: Vec<u32>,
}

impl Decoder for StatsToFields {
    fn decode(&mut self, record: RowRef<'_>, out: &mut BatchBuilder) -> Result<(), DecodeError> {
        let begun = self.meter.begin();
        let read = self.read(record.payload());
        self.meter.end(begun, read.is_ok());
        read?;
        for (time, stamp) in self.times.iter().enumerate() {
            out.copy_row(record);
            if time > 0 {
                if let Some(row) = out.last_row() {
                    row.payload = Span::NONE;
                    // A copy is a message of its own.
                    row.set_uuid(derived(record, *stamp));
                }
                integer(out, *stamp);
            }
            for stat in self.lines.iter().filter(|stat| stat.time == time) {
                let name = out.text(record.payload().get(stat.name.clone()).unwrap_or_default());
                out.field(name, Span::NONE, FieldValue::Double(stat.value));
            }
            if time == 0 {
                integer(out, *stamp);
            }
        }
        Ok(())
    }
}

/// An identity that is the same whenever the same record is decoded again.
fn derived(record: RowRef<'_>, time: u32) -> heka_message::Uuid {
    let base = record.uuid().copied().unwrap_or_default();
    let key = base.iter().fold(0u64, |key, byte| key.rotate_left(7) ^ u64::from(*byte).wrapping_mul(0x9e37_79b9));
    heka_message::derive_uuid(key | 1, u64::from(time))
}

fn integer(out: &mut BatchBuilder, time: u32) {
    let name = out.text(b"timestamp");
    out.field(name, Span::NONE, FieldValue::Integer(i64::from(time)));
}

impl StatsToFields {
    fn read(&mut self, payload: &[u8]) -> Result<(), DecodeError> {
        self.lines.clear();
        self.times.clear();
        let start = payload.iter().position(|byte| *byte != b'\n').unwrap_or(payload.len());
        let end = payload.iter().rposition(|byte| *byte != b'\n').map_or(start, |last| last + 1);
        let mut at = start;
        for line in payload[start..end].split(|byte| *byte == b'\n') {
            let refuse = |what: &str| {
                DecodeError::new(format!("{what}: '{}'", String::from_utf8_lossy(&line[..line.len().min(200)])))
            };
            let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
            let (Some(name), Some(value), Some(time), None) = (words.next(), words.next(), words.next(), words.next())
            else {
                return Err(refuse("malformed statmetric line"));
            };
            let time = str::from_utf8(time).ok().and_then(unsigned).ok_or_else(|| refuse("invalid timestamp"))?;
            let value = str::from_utf8(value).ok().and_then(|text| text.parse().ok());
            let value = value.ok_or_else(|| refuse("invalid value"))?;
            let known = self.times.iter().position(|known| *known == time);
            let time = known.unwrap_or_else(|| {
                self.times.push(time);
                self.times.len() - 1
            });
            let from = at + (line.len() - line.trim_ascii_start().len());
            self.lines.push(Stat { name: from..from + name.len(), value, time });
            at += line.len() + 1;
        }
        Ok(())
    }
}

/// An unsigned number in any of the bases that Go's source has.
fn unsigned(text: &str) -> Option<u32> {
    match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => u32::from_str_radix(&text[2..], 16).ok(),
        [b'0', _, ..] => u32::from_str_radix(&text[1..], 8).ok(),
        [b'+', ..] => None,
        _ => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Log;

    /// Fields and payload of the messages that a payload gives, or the error.
    fn decode(payload: &str) -> Result<Vec<(String, String)>, String> {
        let site =
            Site { name: "d".into(), globals: Arc::default(), stats: Arc::default(), log: Log::new("Decoder", "d") };
        let mut decoder = Spec.build(&site, Vec::new()).unwrap();
        let mut builder = BatchBuilder::new(bytes::Bytes::copy_from_slice(payload.as_bytes()));
        builder.row().payload = Span::source(0..payload.len());
        let batch = builder.finish();
        let mut out = BatchBuilder::over(&batch);
        decoder.decode(batch.row(0), &mut out).map_err(|error| error.message)?;
        let show = |row: RowRef<'_>| {
            let fields = row.fields().map(|field| {
                let mut text = format!("{}=", String::from_utf8_lossy(field.name())).into_bytes();
                match field.value(0).unwrap() {
                    FieldValue::Integer(number) => text.extend(number.to_string().bytes()),
                    FieldValue::Double(number) => text.extend(number.to_string().bytes()),
                    other => panic!("not a number: {other:?}"),
                }
                String::from_utf8(text).unwrap()
            });
            (fields.collect::<Vec<_>>().join(" "), String::from_utf8_lossy(row.payload()).into_owned())
        };
        Ok(out.finish().rows().map(show).collect())
    }

    fn one(fields: &str, payload: &str) -> (String, String) {
        (fields.to_owned(), payload.to_owned())
    }

    #[test]
    fn lines_become_fields_and_times_messages() {
        let text = "a 1 1380047333\nb 2.5 1380047333";
        assert_eq!(decode(text).unwrap(), [one("a=1 b=2.5 timestamp=1380047333", text)]);
        let text = "\na 1 33\n b\t2   33\nc 3 31\nd 4 33\ne 5 32\n\n";
        assert_eq!(
            decode(text).unwrap(),
            [one("a=1 b=2 d=4 timestamp=33", text), one("timestamp=31 c=3", ""), one("timestamp=32 e=5", "")]
        );
        assert_eq!(decode("a 1 0x21").unwrap()[0].0, "a=1 timestamp=33");
    }

    #[test]
    fn anything_else_fails_the_whole_message() {
        let cases = [
            ("a 1", "malformed statmetric line: 'a 1'"),
            ("", "malformed statmetric line: ''"),
            ("a 1 2\n\nb 1 2", "malformed statmetric line: ''"),
            ("a b 1 2", "malformed statmetric line: 'a b 1 2'"),
            ("a x 1", "invalid value: 'a x 1'"),
            ("a 1 1380047333c", "invalid timestamp: 'a 1 1380047333c'"),
            ("a 1 -1", "invalid timestamp: 'a 1 -1'"),
            ("a 1 4294967296", "invalid timestamp: 'a 1 4294967296'"),
        ];
        for (payload, wanted) in cases {
            assert_eq!(decode(payload).unwrap_err(), wanted);
        }
    }
}
