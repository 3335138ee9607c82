//! ProtobufDecoder: the bytes of a record are a message.

use super::{DecodeError, Decoder, DecoderSpec};
use crate::meter::Meter;
use crate::plugin::{PluginError, Site};
use crate::registry::{Defaults, Make, PluginType};
use heka_message::{BatchBuilder, RowRef, read_message};
use std::sync::Arc;

/// The type's entry in the registry.
pub static TYPE: PluginType = PluginType {
    name: "ProtobufDecoder",
    summary: "Reads messages in Heka's protobuf form, as other Hekas send them.",
    settings: || &[],
    defaults: Defaults { accepts_any: true, ..Defaults::NONE },
    make: Make::Decoder(|_, _| Arc::new(Spec)),
};

struct Spec;

impl DecoderSpec for Spec {
    fn wants_message_bytes(&self) -> bool {
        true
    }

    fn is_stateless(&self) -> bool {
        true
    }

    fn build(&self, site: &Site, _: Vec<Box<dyn Decoder>>) -> Result<Box<dyn Decoder>, PluginError> {
        Ok(Box::new(ProtobufDecoder { meter: Meter::new(&site.stats, "") }))
    }
}

struct ProtobufDecoder {
    meter: Meter,
}

impl Decoder for ProtobufDecoder {
    fn decode(&mut self, record: RowRef<'_>, out: &mut BatchBuilder) -> Result<(), DecodeError> {
        let begun = self.meter.begin();
        let decoded = decode(record, out);
        self.meter.end(begun, decoded.is_ok());
        decoded
    }
}

fn decode(record: RowRef<'_>, out: &mut BatchBuilder) -> Result<(), DecodeError> {
    let row = record.raw();
    // A splitter that fills the payload instead meant the same bytes.
    let wire = if row.wire.is_some() { row.wire } else { row.payload };
    if wire.is_none() {
        return Err(DecodeError::new("protobuf: the record holds neither message bytes nor a payload"));
    }
    read_message(out, record.batch().text(wire), wire).map_err(|error| DecodeError::new(error.to_string()))?;
    if let Some(message) = out.last_row() {
        message.signer = row.signer;
        message.loops = row.loops;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Log;
    use crate::stats::Reading;
    use heka_message::{Batch, FieldValue, Span, write_message};

    /// The example of the contract, and an unknown field behind it.
    const MESSAGE: &[u8] = b"\x0a\x10\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x01\x1a\x01t\
        \x28\x07\x32\x02hi\x52\x0a\x0a\x01a\x10\x02\x1a\x00\x32\x01\x05\xa0\x06\x01";

    fn site() -> Site {
        Site {
            name: "ProtobufDecoder".into(),
            globals: Arc::default(),
            stats: Arc::default(),
            log: Log::new("Decoder", "ProtobufDecoder"),
        }
    }

    fn record(bytes: &'static [u8], place: fn(&mut heka_message::Row, Span)) -> Batch {
        let mut builder = BatchBuilder::new(bytes::Bytes::from_static(bytes));
        let signer = builder.signer(b"ops");
        let row = builder.row();
        place(row, Span::source(0..bytes.len()));
        row.signer = signer;
        builder.finish()
    }

    #[test]
    fn message_bytes_become_the_message() {
        let places: [fn(&mut heka_message::Row, Span); 2] = [|row, at| row.wire = at, |row, at| row.payload = at];
        for place in places {
            let records = record(MESSAGE, place);
            let mut out = BatchBuilder::over(&records);
            let mut decoder = Spec.build(&site(), Vec::new()).unwrap();
            decoder.decode(records.row(0), &mut out).unwrap();
            let batch = out.finish();
            let row = batch.row(0);
            assert_eq!((row.timestamp(), row.msg_type(), row.payload()), (1, &b"t"[..], &b"hi"[..]));
            assert_eq!(row.field(b"a", 0).unwrap().value(0), Some(FieldValue::Integer(5)));
            assert_eq!(row.signer(), b"ops");
            let mut again = Vec::new();
            write_message(row, &mut again);
            assert_eq!(again, MESSAGE);
        }
    }

    #[test]
    fn what_is_no_message_is_counted_and_leaves_nothing() {
        let site = site();
        let mut decoder = Spec.build(&site, Vec::new()).unwrap();
        let records = record(b"\xff\xff", |row, at| row.wire = at);
        let mut out = BatchBuilder::over(&records);
        let error = decoder.decode(records.row(0), &mut out).unwrap_err();
        assert_eq!(error, DecodeError::new("protobuf: unexpected end at byte 2"));
        let records = record(b"", |_, _| {});
        assert!(decoder.decode(records.row(0), &mut out).is_err());
        assert!(out.is_empty());
        let numbers = site.stats.read().into_iter().map(|(name, reading)| match reading {
            Reading::Number(number, _) if !name.ends_with("AvgDuration") => (name, number),
            _ => (name, 0),
        });
        let expected = ["Count", "Failures", "Samples", "AvgDuration"].map(|name| format!("ProcessMessage{name}"));
        assert_eq!(numbers.collect::<Vec<_>>(), expected.into_iter().zip([2, 2, 1, 0]).collect::<Vec<_>>());
    }
}
