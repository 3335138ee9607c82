//! Framed Heka messages of about a kilobyte, with a full header and fields of every type: what one daemon sends
//! another.

use super::random::Random;
use bytes::Bytes;
use heka_message::{BatchBuilder, FieldValue, ValueType, framing, write_message};
use std::io::{self, Write};

/// Messages built together.
const BATCH: u64 = 256;
/// As the daemon has it unless told otherwise.
const MAX_MESSAGE_SIZE: usize = 65_536;
/// Bytes of a message's payload, on average.
const PAYLOAD: usize = 620;

/// Writes `messages` unsigned frames and returns their bytes.
pub fn write(out: &mut impl Write, messages: u64, seed: u64) -> io::Result<u64> {
    let mut random = Random::new(seed);
    let mut builder = BatchBuilder::default();
    let mut encoded = Vec::new();
    let mut bytes = 0;
    let mut left = messages;
    while left > 0 {
        builder.restart(Bytes::new());
        for number in 0..left.min(BATCH) {
            put_message(&mut builder, &mut random, messages - left + number);
        }
        left -= left.min(BATCH);
        encoded.clear();
        for message in builder.batch().rows() {
            let start = encoded.len();
            write_message(message, &mut encoded);
            framing::frame_in_place(&mut encoded, start, MAX_MESSAGE_SIZE).map_err(io::Error::other)?;
        }
        out.write_all(&encoded)?;
        bytes += encoded.len() as u64;
    }
    Ok(bytes)
}

fn put_message(builder: &mut BatchBuilder, random: &mut Random, number: u64) {
    let msg_type = builder.text(b"nginx.access");
    let logger = builder.text(b"frontend-access-log");
    let hostname =
        builder.text(["web01.example.net", "web02.example.net", "web03.example.net"][random.below(3)].as_bytes());
    let env_version = builder.text(b"0.8");
    let payload = builder.text_with(|text| {
        let end = text.len() + PAYLOAD / 2 + random.below(PAYLOAD);
        while text.len() < end {
            text.extend_from_slice(
                random.popular(&["upstream ", "request ", "served ", "cache ", "timeout "]).as_bytes(),
            );
        }
    });
    let mut uuid = [0; 16];
    uuid[..8].copy_from_slice(&random.bits().to_be_bytes());
    uuid[8..].copy_from_slice(&number.to_be_bytes());
    let row = builder.row();
    row.set_uuid(uuid);
    row.set_timestamp(1_425_943_800_000_000_000 + number as i64 * 25_000_000);
    row.set_severity(6);
    row.set_pid(4711);
    (row.msg_type, row.logger, row.hostname, row.env_version, row.payload) =
        (msg_type, logger, hostname, env_version, payload);
    put_fields(builder, random);
}

fn put_fields(builder: &mut BatchBuilder, random: &mut Random) {
    let fields: [(&str, &str, FieldValue<'_>); 8] = [
        ("remote_addr", "ipv4", FieldValue::String(b"192.0.2.17")),
        ("request", "", FieldValue::String(b"GET /api/v1/items?page=3&per_page=50 HTTP/1.1")),
        (
            "user_agent",
            "",
            FieldValue::String(b"Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0"),
        ),
        ("status", "", FieldValue::Integer([200, 304, 404, 500][random.below(4)])),
        ("body_bytes_sent", "B", FieldValue::Integer(random.size(7, 17) as i64)),
        ("request_time", "s", FieldValue::Double(random.below(3000) as f64 / 1000.0)),
        ("cached", "", FieldValue::Bool(random.chance(1, 3))),
        ("trace_id", "", FieldValue::Bytes(&random.bits().to_be_bytes())),
    ];
    for (name, representation, value) in fields {
        let name = builder.text(name.as_bytes());
        let representation = builder.text(representation.as_bytes());
        builder.field(name, representation, value);
    }
    let name = builder.text(b"upstream_times");
    let unit = builder.text(b"ms");
    builder.open_field(name, unit, ValueType::Integer);
    for _ in 0..3 {
        let added = builder.add_value(FieldValue::Integer(random.below(500) as i64));
        debug_assert!(added, "the field is one of integers");
    }
}
