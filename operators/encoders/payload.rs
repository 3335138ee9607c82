//! PayloadEncoder: the payload as it is, with a newline behind it and a time before it if wanted.

use super::{Encoder, EncoderSpec};
use crate::plugin::{PluginError, Site};
use crate::registry::{Defaults, Make, PluginType};
use heka_message::{Layout, RowRef, TimeFormat};
use heka_settings::{Problem, Problems, Settings, Table, settings};
use jiff::tz::TimeZone;
use std::sync::Arc;

/// The type's entry in the registry.
pub static TYPE: PluginType = PluginType {
    name: "PayloadEncoder",
    summary: "Writes the payload, with a newline behind it and a time before it if wanted.",
    settings: PayloadEncoderSettings::table,
    defaults: Defaults::NONE,
    make: Make::Encoder(|table, problems| Arc::new(read(table, problems))),
};

settings! {
    /// Options of PayloadEncoder.
    pub struct PayloadEncoderSettings {
        /// Write a newline behind each payload, even one that ends in a newline.
        append_newlines: bool = true,
        /// Write a time before each payload.
        prefix_ts: bool = false,
        /// The time is the message's; otherwise, the clock's.
        ts_from_message: bool = true,
        /// How the time looks, as a strftime format; a space follows it. The local zone's clocks show it.
        ts_format: String = "[%Y/%b/%d:%H:%M:%S %z]",
    }
}

fn read(table: &Table, problems: &mut Problems) -> PayloadEncoderSettings {
    let settings = PayloadEncoderSettings::read(table, problems);
    if let Some(entry) = table.get("ts_format")
        && Layout::is_legacy(&settings.ts_format)
    {
        let message = format!("`{}` is a layout of the old kind", settings.ts_format);
        problems
            .push(Problem::warning(entry.value.place, message).help("write a strftime format such as \"%Y-%m-%d\""));
    }
    settings
}

impl PayloadEncoderSettings {
    fn encoder(&self, zone: TimeZone) -> PayloadEncoder {
        let space = if self.ts_format.ends_with(' ') { "" } else { " " };
        let time = self.prefix_ts.then(|| TimeFormat::new(&format!("{}{space}", self.ts_format), zone));
        PayloadEncoder { time, ts_from_message: self.ts_from_message, append_newlines: self.append_newlines }
    }
}

impl EncoderSpec for PayloadEncoderSettings {
    fn build(&self, _: &Site) -> Result<Box<dyn Encoder>, PluginError> {
        Ok(Box::new(self.encoder(TimeZone::system())))
    }
}

struct PayloadEncoder {
    /// None when no time is wanted.
    time: Option<TimeFormat>,
    ts_from_message: bool,
    append_newlines: bool,
}

impl Encoder for PayloadEncoder {
    fn encode(&mut self, message: RowRef<'_>, out: &mut Vec<u8>) -> Result<bool, String> {
        if let Some(format) = &mut self.time {
            format.write(out, if self.ts_from_message { message.timestamp() } else { now() });
        }
        out.extend_from_slice(message.payload());
        if self.append_newlines {
            out.push(b'\n');
        }
        Ok(true)
    }
}

/// Nanoseconds since the UNIX epoch; the epoch when the clock shows something that cannot be said so.
fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.ok().and_then(|since| i64::try_from(since.as_nanos()).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use heka_message::{Batch, BatchBuilder, Span};
    use heka_settings::{Data, Level};

    /// Payload `hi` at 2015-03-09T23:30:01Z.
    fn message() -> Batch {
        let mut builder = BatchBuilder::new(bytes::Bytes::from_static(b"hi"));
        let row = builder.row();
        row.payload = Span::source(0..2);
        row.set_timestamp(1_425_943_801_000_000_000);
        builder.finish()
    }

    fn encoded(options: &[(&str, Data)], message: &Batch) -> String {
        let table = options.iter().fold(Table::default(), |table, (key, value)| table.with(key, value.clone()));
        let mut problems = Problems::default();
        let mut encoder = read(&table, &mut problems).encoder(TimeZone::UTC);
        assert!(!problems.has_errors());
        let mut out = Vec::new();
        assert_eq!(encoder.encode(message.row(0), &mut out), Ok(true));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn payloads_are_dressed_as_asked() {
        let no_newline = || ("append_newlines", Data::Bool(false));
        let prefix = || ("prefix_ts", Data::Bool(true));
        let format = |text: &str| ("ts_format", Data::String(text.into()));
        let cases = [
            (vec![], "hi\n"),
            (vec![no_newline()], "hi"),
            (vec![prefix()], "[2015/Mar/09:23:30:01 +0000] hi\n"),
            (vec![prefix(), format("%s"), no_newline()], "1425943801 hi"),
            (vec![prefix(), format("")], " hi\n"),
            (vec![prefix(), format("%Q %Y% ")], "%Q 2015% hi\n"),
            (vec![prefix(), format("2006-01-02")], "2015-03-09 hi\n"),
            (vec![format("%s")], "hi\n"),
        ];
        for (options, text) in cases {
            assert_eq!(encoded(&options, &message()), text, "{options:?}");
        }
        let mut unset = BatchBuilder::default();
        unset.row();
        assert_eq!(encoded(&[], &unset.finish()), "\n");
    }

    #[test]
    fn the_clock_stands_in_for_the_message() {
        let options = [
            ("prefix_ts", Data::Bool(true)),
            ("ts_from_message", Data::Bool(false)),
            ("ts_format", Data::String("%s".into())),
        ];
        let before = now() / 1_000_000_000;
        let text = encoded(&options, &message());
        let second: i64 = text.strip_suffix(" hi\n").unwrap().parse().unwrap();
        assert!((before..=now() / 1_000_000_000).contains(&second), "{text}");
    }

    #[test]
    fn a_layout_of_old_is_honoured_with_a_warning() {
        let mut problems = Problems::default();
        read(&Table::default().with("ts_format", Data::String("2006.01.02".into())), &mut problems);
        let levels: Vec<_> = problems.iter().map(|problem| problem.level).collect();
        assert_eq!(levels, [Level::Warning]);
        let mut problems = Problems::default();
        read(&Table::default().with("ts_format", Data::String("%Y".into())), &mut problems);
        assert!(problems.is_empty());
    }
}
