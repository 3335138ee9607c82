//! PayloadEncoder: the payload's bytes, with an optional time before and newline behind.

use crate::encoders::{Encoder, EncoderSpec};
use crate::plugin::{PluginError, Site};
use crate::registry::{Defaults, Make, PluginType};
use heka_message::{RowRef, Strftime};
use heka_settings::{Settings, settings};
use jiff::tz::TimeZone;
use std::sync::Arc;

settings! {
    /// Options of PayloadEncoder.
    pub struct PayloadSettings {
        /// Append a newline, even when the payload ends in one.
        append_newlines: bool = true,
        /// Put a time before the payload.
        prefix_ts: bool = false,
        /// Use the message's time rather than the present.
        ts_from_message: bool = true,
        /// The time's strftime format; a space follows unless it ends in one.
        ts_format: String = "[%Y/%b/%d:%H:%M:%S %z]",
    }
}

/// The type's entry in the registry.
pub static TYPE: PluginType = PluginType {
    name: "PayloadEncoder",
    summary: "Writes the payload of each message, with an optional time before it.",
    settings: PayloadSettings::table,
    defaults: Defaults::NONE,
    make: Make::Encoder(|table, problems| Arc::new(PayloadSettings::read(table, problems))),
};

impl EncoderSpec for PayloadSettings {
    fn build(&self, _site: &Site) -> Result<Box<dyn Encoder>, PluginError> {
        Ok(Box::new(PayloadEncoder::new(self, TimeZone::system())))
    }
}

/// Writes payloads.
pub struct PayloadEncoder {
    newline: bool,
    prefix: Option<Strftime>,
    from_message: bool,
    zone: TimeZone,
}

impl PayloadEncoder {
    /// An encoder that shows times in `zone`.
    pub fn new(settings: &PayloadSettings, zone: TimeZone) -> Self {
        let space = if settings.ts_format.ends_with(' ') { "" } else { " " };
        PayloadEncoder {
            newline: settings.append_newlines,
            prefix: settings.prefix_ts.then(|| Strftime::new(format!("{}{space}", settings.ts_format))),
            from_message: settings.ts_from_message,
            zone,
        }
    }
}

impl Encoder for PayloadEncoder {
    #[inline]
    fn encode(&mut self, message: RowRef<'_>, out: &mut Vec<u8>) -> Result<bool, String> {
        if let Some(prefix) = &self.prefix {
            let now = || jiff::Timestamp::now().as_nanosecond() as i64;
            prefix.write(out, if self.from_message { message.timestamp() } else { now() }, &self.zone);
        }
        out.extend_from_slice(message.payload());
        if self.newline {
            out.push(b'\n');
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use heka_message::BatchBuilder;

    #[test]
    fn the_acceptance_examples() {
        let base = PayloadSettings::default;
        let cases = [
            (base(), "hi\n"),
            (PayloadSettings { append_newlines: false, ..base() }, "hi"),
            (PayloadSettings { prefix_ts: true, ..base() }, "[2015/Mar/09:23:30:01 +0000] hi\n"),
            (
                PayloadSettings { prefix_ts: true, ts_format: "%s".into(), append_newlines: false, ..base() },
                "1425943801 hi",
            ),
            (PayloadSettings { prefix_ts: true, ts_format: String::new(), ..base() }, " hi\n"),
            (PayloadSettings { prefix_ts: true, ts_format: "%Q %Y% ".into(), ..base() }, "%Q 2015% hi\n"),
        ];
        let mut builder = BatchBuilder::default();
        let payload = builder.text(b"hi");
        let row = builder.row();
        row.payload = payload;
        row.set_timestamp(1_425_943_801_000_000_000);
        let batch = builder.finish();
        for (settings, want) in cases {
            let mut out = Vec::new();
            assert_eq!(PayloadEncoder::new(&settings, TimeZone::UTC).encode(batch.row(0), &mut out), Ok(true));
            assert_eq!(String::from_utf8(out).unwrap(), want, "{settings:?}");
        }
    }
}
