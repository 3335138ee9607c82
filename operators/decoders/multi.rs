//! MultiDecoder: several decoders tried on each record, until one succeeds or one after the other.

use super::{DecodeError, Decoder, DecoderSpec};
use crate::log::Log;
use crate::meter::Meter;
use crate::plugin::{PluginError, Site};
use crate::registry::{Defaults, Make, PluginType};
use heka_message::{BatchBuilder, RowRef};
use heka_settings::{Problem, Problems, Settings, Table, nearest, settings};
use std::sync::Arc;

/// The type's entry in the registry.
pub static TYPE: PluginType = PluginType {
    name: "MultiDecoder",
    summary: "Tries several decoders on each record: the first that succeeds wins, or all of them in a row.",
    settings: MultiDecoderSettings::table,
    defaults: Defaults::NONE,
    make: Make::Decoder(|table, problems| Arc::new(read(table, problems))),
};

settings! {
    /// Options of MultiDecoder.
    pub struct MultiDecoderSettings {
        /// Names of decoders, in the order they are tried. Required.
        subs: Vec<String>,
        /// `first-wins`: the first decoder that succeeds ends it. `all`: each decoder gets every message that
        /// those before it made, and a message it refuses passes on as it is.
        cascade_strategy: String = FIRST_WINS,
        /// Log what each decoder refuses, even when another one succeeds.
        log_sub_errors: bool = false,
    }
}

const FIRST_WINS: &str = "first-wins";
const ALL: &str = "all";

fn read(table: &Table, problems: &mut Problems) -> MultiDecoderSettings {
    let settings = MultiDecoderSettings::read(table, problems);
    let place = |key| table.get(key).map_or(table.place, |entry| entry.value.place);
    if settings.subs.is_empty() {
        problems.push(
            Problem::error(place("subs"), "At least one subdecoder must be specified.")
                .help("list decoder sections, for example subs = [\"nginx\", \"syslog\"]"),
        );
    }
    let strategy = settings.cascade_strategy.as_str();
    if strategy != FIRST_WINS && strategy != ALL {
        let word = nearest(strategy, [FIRST_WINS, ALL].into_iter());
        problems.push(
            Problem::error(place("cascade_strategy"), format!("Unrecognized cascade strategy: {strategy}"))
                .help(word.map_or("use first-wins or all".to_owned(), |word| format!("did you mean `{word}`?"))),
        );
    }
    settings
}

impl DecoderSpec for MultiDecoderSettings {
    fn subs(&self) -> &[String] {
        &self.subs
    }

    fn is_stateless(&self) -> bool {
        true
    }

    fn build(&self, site: &Site, subs: Vec<Box<dyn Decoder>>) -> Result<Box<dyn Decoder>, PluginError> {
        if subs.len() != self.subs.len() || subs.is_empty() {
            return Err(PluginError::fatal("At least one subdecoder must be specified."));
        }
        let sub = |(name, decoder): (&String, _)| Sub {
            name: name.clone(),
            decoder: Some(decoder),
            meter: Meter::new(&site.stats, &format!("-{name}")),
        };
        // The total comes first in the report.
        let meter = Meter::new(&site.stats, "");
        let subs = self.subs.iter().zip(subs).map(sub).collect();
        let log = SubLog { log: site.log.clone(), all: self.log_sub_errors };
        let all = (self.cascade_strategy == ALL).then(Cascade::default);
        Ok(Box::new(MultiDecoder { subs, meter, log, all }))
    }
}

struct MultiDecoder {
    subs: Vec<Sub>,
    meter: Meter,
    log: SubLog,
    /// Where stages of the `all` strategy work; none for `first-wins`.
    all: Option<Cascade>,
}

impl Decoder for MultiDecoder {
    fn decode(&mut self, record: RowRef<'_>, out: &mut BatchBuilder) -> Result<(), DecodeError> {
        let begun = self.meter.begin();
        let decoded = match &mut self.all {
            None => self.subs.iter_mut().any(|sub| sub.decode(record, out, &self.log)),
            Some(cascade) => cascade.decode(&mut self.subs, record, out, &self.log),
        };
        self.meter.end(begun, decoded);
        if decoded {
            return Ok(());
        }
        let fatal = self.subs.iter().all(|sub| sub.decoder.is_none());
        Err(DecodeError { fatal, ..DecodeError::new("All subdecoders failed.") })
    }
}

struct Sub {
    name: String,
    /// None once it could not go on.
    decoder: Option<Box<dyn Decoder>>,
    meter: Meter,
}

impl Sub {
    /// Tries the decoder on one record. What a failed attempt left behind is taken back; an attempt that made
    /// no message is a failure.
    fn decode(&mut self, record: RowRef<'_>, out: &mut BatchBuilder, log: &SubLog) -> bool {
        let mark = out.mark();
        let before = out.len();
        let begun = self.meter.begin();
        let decoded = match &mut self.decoder {
            Some(decoder) => decoder.decode(record, out),
            None => Err(DecodeError::new("")),
        };
        let success = decoded.is_ok() && out.len() > before;
        self.meter.end(begun, success);
        if !success {
            out.rollback(mark);
        }
        if let Err(error) = decoded {
            log.failure(&self.name, &error);
            if error.fatal {
                self.decoder = None;
            }
        }
        success
    }
}

struct SubLog {
    log: Log,
    /// Whether every failure is logged; those that end a decoder always are.
    all: bool,
}

impl SubLog {
    fn failure(&self, sub: &str, error: &DecodeError) {
        if (self.all && !error.message.is_empty()) || error.fatal {
            self.log.error(format_args!("Subdecoder '{sub}' decode error: {}", error.message));
        }
    }
}

/// The messages between two stages of the `all` strategy. Kept from record to record for their memory alone.
#[derive(Default)]
struct Cascade {
    now: BatchBuilder,
    next: BatchBuilder,
}

impl Cascade {
    /// Hands every message made so far to each decoder in turn; a message that is refused passes on. Whether
    /// any decoder succeeded on anything.
    fn decode(&mut self, subs: &mut [Sub], record: RowRef<'_>, out: &mut BatchBuilder, log: &SubLog) -> bool {
        self.now.restart(record.batch().source().clone());
        self.now.copy_row(record);
        let mut success = false;
        for sub in subs {
            self.next.restart_over(self.now.batch());
            for message in self.now.batch().rows() {
                if sub.decode(message, &mut self.next, log) {
                    success = true;
                } else {
                    self.next.copy_row(message);
                }
            }
            std::mem::swap(&mut self.now, &mut self.next);
        }
        if success {
            self.now.batch().rows().for_each(|message| out.copy_row(message));
        }
        // The record's bytes belong to its batch: holding them here would outlive its credit.
        self.now.restart(Default::default());
        self.next.restart(Default::default());
        success
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Reading;
    use heka_message::{Batch, FieldValue, Flags, Span};
    use heka_settings::{Data, Value};

    /// Copies the record and adds a field `name`, if the payload begins with `prefix`; leaves half a message
    /// behind otherwise.
    struct Adds(&'static [u8], &'static [u8]);

    impl Decoder for Adds {
        fn decode(&mut self, record: RowRef<'_>, out: &mut BatchBuilder) -> Result<(), DecodeError> {
            let Adds(name, prefix) = *self;
            out.copy_row(record);
            let name = out.text(name);
            let empty = out.text(b"");
            out.field(name, empty, FieldValue::String(record.payload()));
            if record.payload().starts_with(prefix) { Ok(()) } else { Err(DecodeError::new("No match")) }
        }
    }

    /// Makes three messages of one; refuses the last of such three.
    struct Triples;

    impl Decoder for Triples {
        fn decode(&mut self, record: RowRef<'_>, out: &mut BatchBuilder) -> Result<(), DecodeError> {
            if record.logger() == b"2" {
                return Err(DecodeError::new("refused"));
            }
            for copy in [b"0", b"1", b"2"] {
                out.copy_row(record);
                let logger = out.text(copy);
                out.last_row().unwrap().logger = logger;
            }
            Ok(())
        }
    }

    /// Gives up at the first record.
    struct Dies;

    impl Decoder for Dies {
        fn decode(&mut self, _: RowRef<'_>, _: &mut BatchBuilder) -> Result<(), DecodeError> {
            Err(DecodeError { message: "out of memory".into(), fatal: true })
        }
    }

    /// Neither messages nor an error.
    struct Declines;

    impl Decoder for Declines {
        fn decode(&mut self, _: RowRef<'_>, _: &mut BatchBuilder) -> Result<(), DecodeError> {
            Ok(())
        }
    }

    fn m() -> Box<dyn Decoder> {
        Box::new(Adds(b"M", b"m"))
    }

    fn s() -> Box<dyn Decoder> {
        Box::new(Adds(b"S", b"s"))
    }

    fn m2() -> Box<dyn Decoder> {
        Box::new(Adds(b"M2", b"m"))
    }

    fn site() -> Site {
        let log = Log::new("Decoder", "multi");
        Site { name: "multi".into(), globals: Arc::default(), stats: Arc::default(), log }
    }

    fn multi(strategy: &str, site: &Site, subs: Vec<(&str, Box<dyn Decoder>)>) -> Box<dyn Decoder> {
        let (names, decoders): (Vec<_>, Vec<_>) = subs.into_iter().unzip();
        let names = names.into_iter().map(|name| Value::new(Data::String(name.into()))).collect();
        let table = Table::default()
            .with("subs", Data::Array(names))
            .with("cascade_strategy", Data::String(strategy.into()))
            .with("log_sub_errors", Data::Bool(true));
        let mut problems = Problems::default();
        let spec = read(&table, &mut problems);
        assert!(problems.is_empty());
        spec.build(site, decoders).unwrap()
    }

    fn record(payload: &'static str) -> Batch {
        let mut builder = BatchBuilder::new(bytes::Bytes::from_static(payload.as_bytes()));
        let signer = builder.signer(b"ops");
        let hostname = builder.text(b"host");
        let row = builder.row();
        row.payload = Span::source(0..payload.len());
        (row.hostname, row.signer) = (hostname, signer);
        builder.finish()
    }

    /// The names of the fields of each message.
    fn decoded(decoder: &mut dyn Decoder, payload: &'static str) -> Result<Vec<Vec<String>>, DecodeError> {
        let records = record(payload);
        let mut out = BatchBuilder::over(&records);
        // Messages of earlier records are none of its business.
        out.row();
        let result = decoder.decode(records.row(0), &mut out);
        let batch = out.finish();
        if result.is_err() {
            assert_eq!(batch.len(), 1, "a failure leaves nothing behind");
        }
        result?;
        let rows = batch.rows().skip(1).inspect(|row| {
            assert_eq!((row.payload(), row.hostname(), row.signer()), (payload.as_bytes(), &b"host"[..], &b"ops"[..]));
            assert!(!row.raw().payload.in_arena(), "the payload is not copied");
        });
        let name = |field: heka_message::FieldRef<'_>| {
            assert_eq!(field.value(0), Some(FieldValue::String(payload.as_bytes())));
            String::from_utf8(field.name().to_vec()).unwrap()
        };
        Ok(rows.map(|row| row.fields().map(name).collect()).collect())
    }

    #[test]
    fn the_first_decoder_that_succeeds_wins() {
        let mut decoder = multi("first-wins", &site(), vec![("M", m()), ("S", s()), ("M2", m2())]);
        assert_eq!(decoded(&mut *decoder, "match"), Ok(vec![vec!["M".to_owned()]]));
        assert_eq!(decoded(&mut *decoder, "second"), Ok(vec![vec!["S".to_owned()]]));
        assert_eq!(decoded(&mut *decoder, "zzz"), Err(DecodeError::new("All subdecoders failed.")));
        assert_eq!(decoded(&mut *decoder, "match"), Ok(vec![vec!["M".to_owned()]]));
    }

    #[test]
    fn all_decoders_work_in_a_row() {
        let mut decoder = multi("all", &site(), vec![("M", m()), ("S", s()), ("M2", m2())]);
        for _ in 0..2 {
            assert_eq!(decoded(&mut *decoder, "match"), Ok(vec![vec!["M".to_owned(), "M2".to_owned()]]));
            assert_eq!(decoded(&mut *decoder, "second"), Ok(vec![vec!["S".to_owned()]]));
            assert_eq!(decoded(&mut *decoder, "zzz"), Err(DecodeError::new("All subdecoders failed.")));
        }
    }

    #[test]
    fn messages_multiply_and_refused_ones_pass_on() {
        let triples = || Box::new(Triples) as Box<dyn Decoder>;
        let mut decoder = multi("all", &site(), vec![("a", triples()), ("b", triples()), ("c", triples())]);
        assert_eq!(decoded(&mut *decoder, "x").unwrap().len(), 15);
    }

    #[test]
    fn multi_decoders_nest() {
        let site = site();
        let inner = multi("first-wins", &site, vec![("M", m()), ("S", s())]);
        let mut outer = multi("all", &site, vec![("inner", inner), ("M2", m2())]);
        assert_eq!(decoded(&mut *outer, "match"), Ok(vec![vec!["M".to_owned(), "M2".to_owned()]]));
    }

    #[test]
    fn declining_is_failing() {
        for strategy in ["first-wins", "all"] {
            let mut decoder = multi(strategy, &site(), vec![("none", Box::new(Declines)), ("S", s())]);
            assert_eq!(decoded(&mut *decoder, "second"), Ok(vec![vec!["S".to_owned()]]));
            assert_eq!(decoded(&mut *decoder, "zzz"), Err(DecodeError::new("All subdecoders failed.")));
        }
    }

    #[test]
    fn a_decoder_that_cannot_go_on_is_left_out() {
        let mut decoder = multi("first-wins", &site(), vec![("dies", Box::new(Dies)), ("S", s())]);
        assert_eq!(decoded(&mut *decoder, "second"), Ok(vec![vec!["S".to_owned()]]));
        assert!(!decoded(&mut *decoder, "zzz").unwrap_err().fatal);
        let mut decoder = multi("all", &site(), vec![("dies", Box::new(Dies))]);
        assert!(decoded(&mut *decoder, "zzz").unwrap_err().fatal);
    }

    #[test]
    fn each_decoder_and_the_whole_are_counted() {
        let site = site();
        let mut decoder = multi("first-wins", &site, vec![("M", m()), ("S", s())]);
        for payload in ["match", "second", "zzz"] {
            let _ = decoded(&mut *decoder, payload);
        }
        let numbers: Vec<_> = site
            .stats
            .read()
            .into_iter()
            .filter_map(|(name, reading)| match reading {
                Reading::Number(number, _) if !name.contains("AvgDuration") => Some((name, number)),
                _ => None,
            })
            .collect();
        let expected = [
            ("ProcessMessageCount", 3),
            ("ProcessMessageFailures", 1),
            ("ProcessMessageSamples", 1),
            ("ProcessMessageCount-M", 3),
            ("ProcessMessageFailures-M", 2),
            ("ProcessMessageSamples-M", 1),
            ("ProcessMessageCount-S", 2),
            ("ProcessMessageFailures-S", 1),
            ("ProcessMessageSamples-S", 1),
        ];
        assert_eq!(numbers, expected.map(|(name, number)| (name.to_owned(), number)));
    }

    #[test]
    fn wrong_settings_are_named() {
        let strategy = |word: &str| Data::String(word.into());
        let subs = || Data::Array(vec![Value::new(strategy("a"))]);
        let cases = [
            (Table::default(), "At least one subdecoder must be specified."),
            (Table::default().with("subs", Data::Array(Vec::new())), "At least one subdecoder must be specified."),
            (
                Table::default().with("subs", subs()).with("cascade_strategy", strategy("first_wins")),
                "Unrecognized cascade strategy: first_wins",
            ),
        ];
        for (table, message) in cases {
            let mut problems = Problems::default();
            read(&table, &mut problems);
            assert_eq!(problems.iter().map(|problem| problem.message.as_str()).collect::<Vec<_>>(), [message]);
        }
        let spec = read(&Table::default().with("subs", subs()), &mut Problems::default());
        assert_eq!((spec.subs(), spec.cascade_strategy.as_str()), (&["a".to_owned()][..], "first-wins"));
        assert!(spec.build(&site(), Vec::new()).is_err());
    }

    /// A message that no decoder changed is still its own encoding.
    #[test]
    fn an_untouched_message_stays_untouched() {
        struct Protobuf;
        impl Decoder for Protobuf {
            fn decode(&mut self, record: RowRef<'_>, out: &mut BatchBuilder) -> Result<(), DecodeError> {
                let wire = record.raw().wire;
                heka_message::read_message(out, record.batch().text(wire), wire)
                    .map_err(|error| DecodeError::new(error.to_string()))
            }
        }
        let mut builder = BatchBuilder::new(bytes::Bytes::from_static(b"\x1a\x01t\xa0\x06\x01"));
        builder.row().wire = Span::source(0..6);
        let records = builder.finish();
        let mut out = BatchBuilder::over(&records);
        let mut decoder = multi("all", &site(), vec![("protobuf", Box::new(Protobuf)), ("S", s())]);
        decoder.decode(records.row(0), &mut out).unwrap();
        let batch = out.finish();
        assert_eq!((batch.row(0).msg_type(), batch.row(0).wire()), (&b"t"[..], Some(&b"\x1a\x01t\xa0\x06\x01"[..])));
        assert!(!batch.row(0).raw().flags.has(Flags::TOUCHED));
    }
}
