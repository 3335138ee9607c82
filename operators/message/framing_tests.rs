//! The frames of the wire, byte by byte, and what a reader does with everything else.

use super::*;
use crate::signing::{HashFunction, Key};
use proptest::prelude::*;

const MAX: usize = 65536;
const MESSAGE: &str = "0a10000102030405060708090a0b0c0d0e0f10011a0161";

fn unhex(text: &str) -> Vec<u8> {
    text.as_bytes().chunks(2).map(|c| u8::from_str_radix(std::str::from_utf8(c).unwrap(), 16).unwrap()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn ops(hash: HashFunction) -> Signer {
    Signer { name: b"ops".to_vec(), version: 2, hash, key: Key::new(b"secret") }
}

/// Reads everything: the bodies found, and the reasons worth a log line.
fn read_all(mut data: &[u8]) -> (Vec<Vec<u8>>, Vec<SkipReason>) {
    let (mut bodies, mut reasons) = (Vec::new(), Vec::new());
    loop {
        match read_frame(data, MAX) {
            FrameStep::Incomplete => return (bodies, reasons),
            FrameStep::Skip(n, why) => {
                reasons.extend(Some(why).filter(|why| *why != SkipReason::Garbage));
                data = &data[n..];
            }
            FrameStep::Frame(frame) => {
                bodies.push(data[frame.body].to_vec());
                data = &data[frame.total..];
            }
        }
    }
}

fn framed(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    write_frame(body, MAX, &mut out).unwrap();
    out
}

#[test]
fn a_frame_may_remember_how_often_its_message_went_round() {
    let write = |loops| {
        let mut out = Vec::new();
        write_looped_frame(b"body", loops, MAX, &mut out).unwrap();
        out
    };
    let cases = [
        // A message that has not gone round is framed as always.
        (0, "1e0208041f"),
        (1, "1e04080478011f"),
        (300, "1e05080478ac021f"),
        (u32::MAX, "1e08080478ffffffff0f1f"),
    ];
    for (loops, prefix) in cases {
        let frame = write(loops);
        assert_eq!(hex(&frame), format!("{prefix}626f6479"));
        let FrameStep::Frame(read) = read_frame(&frame, MAX) else { panic!("{loops}: no frame") };
        assert_eq!((read.header.loops, read.header.message_length, read.total), (u64::from(loops), 4, frame.len()));
        // The original took a header of more than 13 bytes for a signed one.
        assert!(frame[1] <= 13);
    }
}

#[test]
fn frames_are_those_of_the_wire() {
    let body = unhex(MESSAGE);
    assert_eq!(hex(&framed(&body)), format!("1e0208171f{MESSAGE}"));
    let cases = [
        (HashFunction::Md5, "1e1b081722036f707328023210c68f56f491045e0d2bd40186ade4ffaa1f"),
        (HashFunction::Sha1, "1e210817180122036f707328023214588abfeb04a533becea59f7903a946325313707b1f"),
    ];
    for (hash, prefix) in cases {
        let mut out = Vec::new();
        write_signed_frame(&body, &ops(hash), MAX, &mut out).unwrap();
        assert_eq!(hex(&out), format!("{prefix}{MESSAGE}"), "{hash:?}");
    }
}

#[test]
fn a_frame_put_around_what_is_there_is_the_same_frame() {
    for len in [0, 1, 127, 128, 16383, 16384, MAX] {
        let body = vec![7; len];
        let mut out = b"before".to_vec();
        out.extend_from_slice(&body);
        frame_in_place(&mut out, 6, MAX).unwrap();
        assert_eq!(out, [b"before".as_slice(), &framed(&body)].concat(), "{len}");
    }
}

#[test]
fn frames_written_around_bodies_of_any_length_are_the_same_frames() {
    let (mut writer, mut out, mut expected) = (FrameWriter::default(), Vec::new(), Vec::new());
    for (len, loops) in [(5, 0), (127, 0), (128, 0), (3, 300), (16384, 0), (16383, 1), (0, 0), (MAX, 0)] {
        let body: Vec<u8> = (0..len).map(|i| i as u8).collect();
        let start = writer.begin(&mut out);
        out.extend_from_slice(&body);
        writer.end(&mut out, start, loops, MAX).unwrap();
        write_looped_frame(&body, loops, MAX, &mut expected).unwrap();
        assert!(out == expected, "{len} {loops}");
        let start = writer.begin(&mut out);
        out.resize(out.len() + MAX + 1, 0);
        assert!(writer.end(&mut out, start, loops, MAX).is_err());
        out.truncate(start);
    }
}

#[test]
fn a_signed_header_tells_who_and_how() {
    for hash in HashFunction::ALL {
        let mut out = Vec::new();
        write_signed_frame(b"body", &ops(hash), MAX, &mut out).unwrap();
        let FrameStep::Frame(frame) = read_frame(&out, MAX) else { panic!("{hash:?}") };
        let Header { hash_code, signer, key_version, digest, .. } = frame.header;
        assert_eq!((hash_code, signer, key_version), (hash.code(), b"ops".as_slice(), 2));
        assert!(Key::new(b"secret").verify(hash, &out[frame.body], digest.unwrap()));
    }
}

#[test]
fn a_signature_without_name_or_version_still_writes_both() {
    let signer = Signer { name: Vec::new(), version: 0, hash: HashFunction::Md5, key: Key::new(b"") };
    let mut out = Vec::new();
    write_signed_frame(b"", &signer, MAX, &mut out).unwrap();
    assert_eq!(hex(&out[..10]), "1e180800220028003210");
}

#[test]
fn what_does_not_fit_is_refused_and_leaves_the_output_alone() {
    let mut out = b"kept".to_vec();
    let too_big = FrameError::MessageTooBig { needs: 5, max: 4 };
    assert_eq!(write_frame(b"12345", 4, &mut out), Err(too_big));
    assert_eq!(write_signed_frame(b"12345", &ops(HashFunction::Md5), 4, &mut out), Err(too_big));
    assert_eq!(frame_in_place(&mut out, 2, 1), Err(FrameError::MessageTooBig { needs: 2, max: 1 }));
    let long = Signer { name: vec![b'x'; 250], ..ops(HashFunction::Md5) };
    let error = write_signed_frame(b"", &long, 4, &mut out).unwrap_err();
    assert_eq!(error.to_string(), "Message header too big, requires 275 (MAX_HEADER_SIZE = 255)");
    assert_eq!(too_big.to_string(), "Message too big, requires 5 (MAX_MESSAGE_SIZE = 4)");
    assert_eq!(out, b"kept");
}

#[test]
fn a_reader_finds_its_way_back() {
    let good = |name: &str| framed(name.as_bytes());
    let parts: [&[u8]; 9] = [
        b"garbage",
        &good("A"),
        &unhex("1e057a7a"),
        &good("B"),
        &unhex("1e0208ff1f"),
        &good("C"),
        &unhex("1e001f"),
        &good("D"),
        b"",
    ];
    let (bodies, reasons) = read_all(&parts.concat());
    assert_eq!(bodies, [b"A".as_slice(), b"B", b"C", b"", b"D"]);
    assert_eq!(reasons, [SkipReason::BadHeader(HeaderError::UnexpectedEnd)]);
    assert_eq!(reasons[0].to_string(), "error unmarshaling header: unexpected end of the header");
}

#[test]
fn frames_behind_one_that_is_too_long_are_found() {
    // A length of 65537, one more than allowed; then one of 2^63, which must not wrap.
    for header in ["0408818004", "0b0880808080808080808001"] {
        let header = unhex(header);
        let bad = [&[RECORD_SEPARATOR], header.as_slice(), &[UNIT_SEPARATOR]].concat();
        let (bodies, reasons) = read_all(&[bad, framed(b"next")].concat());
        assert_eq!(bodies, [b"next"], "{header:?}");
        assert!(matches!(reasons[..], [SkipReason::TooLong { max: MAX, .. }]), "{reasons:?}");
    }
    let line = SkipReason::TooLong { len: 65537, max: MAX }.to_string();
    assert_eq!(line, "message exceeds the maximum length [65536 bytes] len: 65537");
}

#[test]
fn headers() {
    let length = |message_length| Header { message_length, ..Header::default() };
    let cases: [(&str, Result<Header<'_>, HeaderError>); 15] = [
        ("", Ok(Header::default())),
        ("0817", Ok(length(23))),
        ("08051205aaaaaaaaaa", Ok(length(5))), // field 2 is not used and skipped
        ("08057803", Ok(Header { loops: 3, ..length(5) })),
        ("08057001", Ok(length(5))), // an unknown number
        ("08057901020304050607080805", Ok(length(5))),
        ("08057d010203040805", Ok(length(5))),
        ("08050806", Ok(length(6))), // the last one counts
        ("3200", Ok(Header { digest: Some(b""), ..Header::default() })),
        ("08ff", Err(HeaderError::UnexpectedEnd)),
        // A length that could be read is not trusted when the rest is broken.
        ("080522ff", Err(HeaderError::UnexpectedEnd)),
        ("08ffffffffffffffffff7f", Err(HeaderError::LongNumber)),
        ("0a0105", Err(HeaderError::BadField(0x0a))),
        ("0005", Err(HeaderError::BadField(0))),
        ("7b", Err(HeaderError::BadField(0x7b))),
    ];
    for (text, expected) in cases {
        assert_eq!(Header::read(&unhex(text)), expected, "{text}");
    }
}

#[test]
fn a_frame_is_awaited_byte_by_byte() {
    let frame = framed(b"hello");
    for len in 0..frame.len() {
        assert_eq!(read_frame(&frame[..len], MAX), FrameStep::Incomplete, "{len}");
    }
    assert!(matches!(read_frame(&frame, MAX), FrameStep::Frame(f) if f.total == frame.len()));
}

proptest! {
    #[test]
    fn any_bytes_are_read_with_progress(data in prop::collection::vec(
        prop_oneof![Just(0x1e), Just(0x1f), 0u8..10, any::<u8>()], 0..300)) {
        let mut at = 0;
        loop {
            match read_frame(&data[at..], 50) {
                FrameStep::Incomplete => break,
                FrameStep::Skip(n, _) => {
                    prop_assert!(n > 0 && at + n <= data.len());
                    at += n;
                }
                FrameStep::Frame(frame) => {
                    prop_assert!(frame.body.end == frame.total && frame.total >= 3 && at + frame.total <= data.len());
                    at += frame.total;
                }
            }
        }
    }

    #[test]
    fn what_is_written_is_read(bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..400), 0..8)) {
        let stream: Vec<u8> = bodies.iter().flat_map(|body| framed(body)).collect();
        prop_assert_eq!(read_all(&stream), (bodies, vec![]));
    }
}
