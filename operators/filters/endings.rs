//! The messages that tell of a filter's end. They go out whoever receives them and however often what caused them has
//! gone round.

use super::Injector;
use heka_message::FieldValue;

/// Appends the message that tells that the script of `plugin` was terminated.
pub fn sandbox_terminated(plugin: &str, why: &str, out: &mut Injector) {
    ending(b"heka.sandbox-terminated", plugin, why, out);
}

/// Appends the message that tells that `plugin`, a filter of the type called `type_name`, has ended in order.
pub fn terminated(plugin: &str, type_name: &str, why: &str, out: &mut Injector) {
    ending(b"heka.terminated", plugin, &format!("{plugin} (type {type_name}) terminated. Error: {why}"), out);
}

/// Adds a number to the message appended last.
pub fn add_number(name: &str, unit: &str, number: i64, out: &mut Injector) {
    let builder = out.builder();
    let [name, unit] = [name, unit].map(|text| builder.text(text.as_bytes()));
    builder.field(name, unit, FieldValue::Integer(number));
}

fn ending(msg_type: &[u8], plugin: &str, payload: &str, out: &mut Injector) {
    let builder = out.message();
    let [msg_type, logger, payload] = [msg_type, b"hekad", payload.as_bytes()].map(|text| builder.text(text));
    if let Some(row) = builder.last_row() {
        (row.msg_type, row.logger, row.payload) = (msg_type, logger, payload);
    }
    let [field, empty] = [&b"plugin"[..], b""].map(|text| builder.text(text));
    builder.field(field, empty, FieldValue::String(plugin.as_bytes()));
    out.exempt_last();
}
