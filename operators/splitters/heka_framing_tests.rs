//! Frames, good and forged: what is delivered, who is believed, what is counted.

use super::*;
use crate::splitters::testing::{site, split_all, splits_alike_however_it_arrives};
use heka_message::Signer;
use heka_message::framing::{write_frame, write_signed_frame};
use heka_settings::Data;
use proptest::prelude::*;
use std::sync::LazyLock;

fn key(text: &str) -> Data {
    Data::Table(Table::default().with("hmac_key", Data::String(text.into())))
}

fn spec(table: Table) -> Arc<dyn SplitterSpec> {
    let mut problems = Problems::default();
    let spec = read(&table, &mut problems);
    assert!(problems.is_empty(), "{problems:?}");
    spec
}

fn build(table: Table) -> (Box<dyn Splitter>, Site) {
    let site = site();
    (spec(table).build(&site).unwrap(), site)
}

/// Keeps keys of `ops` in versions 2 and 3 and of `a_b` in version 0.
fn receiver() -> (Box<dyn Splitter>, Site) {
    let signers = Table::default().with("ops_2", key("secret")).with("ops_3", key("newer")).with("a_b_0", key(""));
    build(Table::default().with("signer", Data::Table(signers)))
}

fn framed(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    write_frame(body, 65536, &mut out).unwrap();
    out
}

fn signed(name: &str, version: u32, secret: &str, hash: HashFunction) -> Vec<u8> {
    let signer = Signer { name: name.into(), version, hash, key: Key::new(secret.as_bytes()) };
    let mut out = Vec::new();
    write_signed_frame(b"body", &signer, 65536, &mut out).unwrap();
    out
}

/// A frame around `body` with a header made by hand.
fn frame(header: &[u8]) -> Vec<u8> {
    [&[0x1e, header.len() as u8], header, &[0x1f], b"body"].concat()
}

/// The signer of the one record in `data`, or `None` when it was dropped.
fn signer_of(splitter: &mut dyn Splitter, data: &[u8]) -> Option<String> {
    let mut records = Vec::new();
    assert_eq!(splitter.split(data, false, &mut records), data.len());
    let record = records.pop()?;
    assert_eq!(&data[record.start..record.end], b"body");
    Some(if record.signer == 0 { String::new() } else { splitter.signers()[usize::from(record.signer) - 1].clone() })
}

#[test]
fn only_a_signature_makes_a_signer() {
    let name = b"\x22\x03ops\x28\x02";
    let md5 = *b"\x32\x10";
    let unsigned = |extra: &[u8]| frame(&[b"\x08\x04".as_slice(), name, extra].concat());
    let cases: [(&str, Vec<u8>, Option<&str>); 16] = [
        ("unsigned", framed(b"body"), Some("")),
        ("MD5", signed("ops", 2, "secret", HashFunction::Md5), Some("ops")),
        ("SHA1", signed("ops", 2, "secret", HashFunction::Sha1), Some("ops")),
        ("SHA256", signed("ops", 2, "secret", HashFunction::Sha256), Some("ops")),
        ("the newer key", signed("ops", 3, "newer", HashFunction::Md5), Some("ops")),
        ("a name with an underscore", signed("a_b", 0, "", HashFunction::Md5), Some("a_b")),
        ("an unknown version", signed("ops", 4, "secret", HashFunction::Md5), None),
        ("an unknown name", signed("oops", 2, "secret", HashFunction::Md5), None),
        ("no name", signed("", 0, "", HashFunction::Md5), None),
        ("another version's key", signed("ops", 3, "secret", HashFunction::Sha1), None),
        ("a name without a signature", unsigned(b""), Some("")),
        ("a name without a signature, long", unsigned(b"\x7a\x10aaaaaaaaaaaaaaaa"), Some("")),
        ("an empty signature", unsigned(b"\x32\x00"), None),
        ("a wrong signature", unsigned(&[md5.as_slice(), &[7; 16]].concat()), None),
        ("an unknown hash", unsigned(&[b"\x18\x09".as_slice(), &md5, &[7; 16]].concat()), None),
        ("an unknown hash without a signature", unsigned(b"\x18\x09"), Some("")),
    ];
    let (mut splitter, site) = receiver();
    let mut dropped = 0;
    for (what, data, expected) in cases {
        assert_eq!(signer_of(splitter.as_mut(), &data).as_deref(), expected, "{what}");
        dropped += i64::from(expected.is_none());
    }
    assert_eq!(site.stats.drops("unauthenticated").get(), dropped);
}

#[test]
fn every_forged_bit_costs_the_signer() {
    let (mut splitter, _) = receiver();
    let good = signed("ops", 2, "secret", HashFunction::Sha1);
    for bit in 0..good.len() * 8 {
        let mut forged = good.clone();
        forged[bit / 8] ^= 1 << (bit % 8);
        let mut records = Vec::new();
        splitter.split(&forged, true, &mut records);
        assert!(records.iter().all(|r| r.signer == 0), "bit {bit}");
    }
}

#[test]
fn without_authentication_all_is_accepted_and_nobody_believed() {
    let (mut splitter, _) = build(
        Table::default()
            .with("skip_authentication", Data::Bool(true))
            .with("signer", Data::Table(Table::default().with("ops_2", key("secret")))),
    );
    for data in [signed("ops", 2, "secret", HashFunction::Md5), signed("who", 9, "?", HashFunction::Sha1)] {
        assert_eq!(signer_of(splitter.as_mut(), &data).as_deref(), Some(""));
    }
}

#[test]
fn good_frames_are_found_behind_garbage() {
    let good = |name: &str| framed(name.as_bytes());
    let parts: [&[u8]; 8] = [
        b"garbage",
        &good("A"),
        b"\x1e\x05zz",
        &good("B"),
        b"\x1e\x02\x08\xff\x1f",
        &good("C"),
        b"\x1e\x00\x1f",
        &good("D"),
    ];
    let (mut splitter, site) = build(Table::default());
    let data = parts.concat();
    let expected: [&[u8]; 5] = [b"A", b"B", b"C", b"", b"D"];
    assert_eq!(split_all(splitter.as_mut(), &data), (expected.map(<[u8]>::to_vec).to_vec(), data.len()));
    assert_eq!(site.stats.drops("bad-frame-header").get(), 1);
    assert_eq!(site.stats.drops("garbage").get(), 7 + 4 + 5);
}

#[test]
fn a_frame_that_ends_early_is_counted() {
    let (mut splitter, site) = build(Table::default());
    let mut records = Vec::new();
    assert_eq!(splitter.split(&framed(b"body")[..7], true, &mut records), 7);
    assert!(records.is_empty());
    assert_eq!(site.stats.drops("incomplete-frame").get(), 1);
}

#[test]
fn keys_that_nobody_can_use_are_pointed_out() {
    for section in ["ops", "ops_", "ops_x", "ops_02", "ops_-1"] {
        let mut problems = Problems::default();
        let signers = Table::default().with(section, key("secret"));
        read(&Table::default().with("signer", Data::Table(signers)), &mut problems);
        assert!(!problems.is_empty() && !problems.has_errors(), "{section}");
    }
}

proptest! {
    #[test]
    fn arrival_does_not_matter(
        parts in prop::collection::vec(prop_oneof![
            prop::collection::vec(any::<u8>(), 0..30).prop_map(|body| framed(&body)),
            prop::collection::vec(prop_oneof![Just(0x1e), Just(0x1f), 0u8..10, any::<u8>()], 0..10),
            Just(signed("ops", 2, "secret", HashFunction::Md5)),
        ], 0..12),
        sizes in prop::collection::vec(1usize..40, 1..40),
    ) {
        // One section for all streams, as in the daemon: they share its keys, and its restraint in logging.
        static SPEC: LazyLock<Arc<dyn SplitterSpec>> = LazyLock::new(|| {
            let signers = Table::default().with("ops_2", key("secret"));
            spec(Table::default().with("signer", Data::Table(signers)))
        });
        splits_alike_however_it_arrives(|| SPEC.build(&site()).unwrap(), &parts.concat(), &sizes, 65536 + 258);
    }
}

#[test]
fn only_a_queue_is_believed_when_it_speaks_of_loops() {
    let mut frames = framed(b"new");
    heka_message::framing::write_looped_frame(b"old", 3, 65536, &mut frames).unwrap();
    for (spec, expected) in [(of_queue(), [0, 3]), (spec(Table::default()), [0, 0])] {
        let mut records = Vec::new();
        spec.build(&site()).unwrap().split(&frames, true, &mut records);
        assert_eq!(records.iter().map(|record| record.loops).collect::<Vec<_>>(), expected);
    }
}
