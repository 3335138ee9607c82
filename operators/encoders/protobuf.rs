//! ProtobufEncoder: a message in its protobuf form, without framing.

use super::{Encoder, EncoderSpec};
use crate::meter::Meter;
use crate::plugin::{PluginError, Site};
use crate::registry::{Defaults, Make, PluginType};
use heka_message::{RowRef, write_message};
use std::sync::Arc;

/// The type's entry in the registry.
pub static TYPE: PluginType = PluginType {
    name: "ProtobufEncoder",
    summary: "Writes messages in Heka's protobuf form, for other Hekas to read.",
    settings: || &[],
    defaults: Defaults { accepts_any: true, ..Defaults::NONE },
    make: Make::Encoder(|_, _| Arc::new(Spec)),
};

struct Spec;

impl EncoderSpec for Spec {
    fn is_protobuf(&self) -> bool {
        true
    }

    fn build(&self, site: &Site) -> Result<Box<dyn Encoder>, PluginError> {
        Ok(Box::new(ProtobufEncoder { meter: Meter::new(&site.stats, "") }))
    }
}

struct ProtobufEncoder {
    meter: Meter,
}

impl Encoder for ProtobufEncoder {
    fn encode(&mut self, message: RowRef<'_>, out: &mut Vec<u8>) -> Result<bool, String> {
        let begun = self.meter.begin();
        write_message(message, out);
        self.meter.end(begun, true);
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Log;
    use heka_message::{BatchBuilder, FieldValue};

    #[test]
    fn a_message_is_written_as_the_contract_says() {
        let mut builder = BatchBuilder::default();
        let [msg_type, payload, name, empty] = [&b"t"[..], b"hi", b"a", b""].map(|text| builder.text(text));
        let row = builder.row();
        (row.msg_type, row.payload) = (msg_type, payload);
        row.set_uuid(std::array::from_fn(|i| i as u8));
        row.set_timestamp(1);
        row.set_severity(7);
        builder.field(name, empty, FieldValue::Integer(5));
        let batch = builder.finish();
        let site = Site {
            name: "ProtobufEncoder".into(),
            globals: Arc::default(),
            stats: Arc::default(),
            log: Log::new("Encoder", "ProtobufEncoder"),
        };
        let mut encoder = Spec.build(&site).unwrap();
        let mut out = Vec::new();
        assert_eq!(encoder.encode(batch.row(0), &mut out), Ok(true));
        let hex: String = out.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "0a10000102030405060708090a0b0c0d0e0f10011a0174280732026869520a0a016110021a00320105");
        assert_eq!(site.stats.counter("ProcessMessageCount", "count").get(), 1);
        assert!(Spec.is_protobuf());
    }
}
