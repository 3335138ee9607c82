//! Messages and frames from the network.

use super::message;
use crate::runner::{Target, outcome};
use heka_message::framing::{FrameStep, read_frame, write_frame};
use heka_message::{BatchBuilder, Span, read_message, write_message};

/// Messages as they are sent, and single fields of every kind.
pub fn encoded() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = [&b""[..], b"payload", "é\u{0}日".as_bytes()]
        .map(|text| {
            let mut bytes = Vec::new();
            write_message(message(text).rows().next().unwrap(), &mut bytes);
            bytes
        })
        .to_vec();
    // Packed and unpacked numbers, and lengths that are not there.
    seeds.push(b"\x0a\x10abcdefghijklmnop\x10\x07\x52\x0d\x0a\x01n\x10\x02\x32\x06\x01\x02\xff\xff\xff\x01".to_vec());
    seeds.push(b"\x52\x14\x0a\x01d\x10\x03\x39\0\0\0\0\0\0\xf0\x3f\x39\0\0\0\0\0\0\0\x40".to_vec());
    seeds.push(b"\x52\xff\xff\xff\xff\x0f".to_vec());
    seeds
}

#[test]
fn protobuf() {
    let target = Target { name: "protobuf", seeds: encoded(), words: &[], runs: 20_000, memory: (1 << 16, 256) };
    target.run(|input| {
        let read = |bytes: &[u8]| {
            let mut builder = BatchBuilder::new(bytes::Bytes::copy_from_slice(bytes));
            let read = read_message(&mut builder, bytes, Span::source(0..bytes.len()));
            read.map(|()| builder.finish())
        };
        let batch = match read(input) {
            Ok(batch) => batch,
            Err(error) => return outcome(error.to_string()),
        };
        // As it is, and as it would be written once it is changed.
        let mut row = BatchBuilder::over(&batch);
        row.copy_row(batch.rows().next().unwrap());
        row.append_field(0, b"more", heka_message::FieldValue::Bool(true));
        let (mut plain, mut changed) = (Vec::new(), Vec::new());
        write_message(batch.rows().next().unwrap(), &mut plain);
        let row = row.finish();
        write_message(row.rows().next().unwrap(), &mut changed);
        for bytes in [&plain, &changed] {
            let again = read(bytes).expect("what is written can be read");
            let mut twice = Vec::new();
            write_message(again.rows().next().unwrap(), &mut twice);
            assert_eq!(&twice, bytes);
        }
        outcome((row.rows().next().unwrap().fields().count(), plain.len().checked_ilog2()))
    });
}

#[test]
fn framing() {
    let mut seeds = encoded();
    seeds.extend(encoded().into_iter().map(|body| {
        let mut frame = Vec::new();
        write_frame(&body, 65536, &mut frame).unwrap();
        [&b"garbage\x1e"[..], &frame, &frame[..frame.len() / 2], &frame].concat()
    }));
    let words = &["\u{1e}\u{3}\u{8}", "\u{1e}", "\u{1f}", "\u{1e}\u{2}\u{8}\u{0}\u{1f}"];
    let target = Target { name: "framing", seeds, words, runs: 20_000, memory: (1 << 16, 16) };
    target.run(|input| {
        let (mut rest, mut frames, mut skipped) = (input, 0usize, 0usize);
        loop {
            match read_frame(rest, 65536) {
                FrameStep::Incomplete => break,
                FrameStep::Skip(bytes, _) => {
                    assert!(bytes > 0 && bytes <= rest.len(), "it would never end");
                    skipped += 1;
                    rest = &rest[bytes..];
                }
                FrameStep::Frame(frame) => {
                    frames += 1;
                    rest = &rest[frame.total..];
                }
            }
        }
        outcome((frames, skipped.min(8), rest.len().checked_ilog2()))
    });
}
