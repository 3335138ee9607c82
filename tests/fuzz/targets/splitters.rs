//! Every splitter, on bytes that come in pieces: records lie in order within what was read, nothing is consumed twice,
//! and a splitter that need not remember finds the same records however the bytes are cut.

use super::site;
use super::wire::encoded;
use crate::runner::{Target, outcome};
use crate::support::Random;
use heka_message::framing::write_frame;
use heka_operators::inputs::{ChunkBuf, ChunkEnd};
use heka_operators::plugin::Site;
use heka_operators::registry::{Make, find};
use heka_operators::splitters::{SplitterSpec, StreamOptions, StreamSplitter};
use heka_settings::{Data, Problems, Table};
use std::sync::Arc;

const WORDS: &[&str] = &["\n", "\r\n", "# Time:", "(", "\u{1e}\u{3}\u{8}", "\u{1f}", "\u{0}", "é"];

fn spec(kind: &str, table: &Table) -> Arc<dyn SplitterSpec> {
    let Make::Splitter(read) = find(kind).unwrap().make else { panic!("{kind} is no splitter") };
    let mut problems = Problems::default();
    let spec = read(table, &mut problems);
    assert!(problems.is_empty(), "{problems:?}");
    spec
}

/// The records of `input` cut into pieces.
fn records(spec: &dyn SplitterSpec, site: &Site, input: &[u8], keep: bool, mut random: Option<Random>) -> Vec<Vec<u8>> {
    let options =
        StreamOptions { max_record: 300, keep_truncated: keep, deliver_incomplete_final: keep, whole_stream: false };
    let mut splitter = StreamSplitter::new(spec.build(site).unwrap(), options);
    let (mut found, mut rest, mut consumed) = (Vec::new(), input, 0);
    loop {
        let length = random.as_mut().map_or(rest.len(), |random| (1 + random.below(64) as usize).min(rest.len()));
        let (piece, behind) = rest.split_at(length);
        rest = behind;
        let end = if rest.is_empty() { ChunkEnd::Stream } else { ChunkEnd::More };
        let mut bytes = ChunkBuf::copy_of(piece);
        let mut records = Vec::new();
        let cut = splitter.cut(&mut bytes, end, &mut records);
        consumed += cut.consumed;
        let mut at = 0;
        for record in &records {
            assert!(record.start >= at && record.end >= record.start && record.end <= bytes.len(), "{record:?}");
            assert!(record.end - record.start <= options.max_record, "{record:?}");
            at = record.end;
            found.push(bytes.as_ref()[record.start..record.end].to_vec());
        }
        assert!(splitter.pending() <= 1024, "{} bytes are kept", splitter.pending());
        if rest.is_empty() {
            assert_eq!(consumed, input.len(), "bytes were counted twice, or never");
            return found;
        }
    }
}

/// `steady`: the records do not depend on how the bytes are cut.
fn run(name: &str, kind: &str, table: &Table, steady: bool, seeds: Vec<Vec<u8>>) {
    let directory = tempfile::tempdir().unwrap();
    let site = site(name, directory.path());
    let spec = spec(kind, table);
    let mut seeds = seeds;
    seeds.push(b"one\ntwo\r\n\n# Time: three (four) \x1e\x1f\nfive".to_vec());
    let target = Target { name, seeds, words: WORDS, runs: 4000, memory: (1 << 20, 256) };
    target.run(|input| {
        let seed = outcome(input);
        let whole = records(&*spec, &site, input, seed % 2 == 0, None);
        let pieces = records(&*spec, &site, input, seed % 2 == 0, Some(Random::new(seed)));
        if steady {
            assert_eq!(whole, pieces);
        }
        outcome((whole.len(), pieces.len(), whole.last().map(Vec::len)))
    });
}

fn text(value: &str) -> Data {
    Data::String(value.to_owned())
}

#[test]
fn token_splitter() {
    run("token_splitter", "TokenSplitter", &Table::default(), true, Vec::new());
    run("token_splitter_count", "TokenSplitter", &Table::default().with("count", Data::Integer(3)), true, Vec::new());
}

#[test]
fn regex_splitter() {
    for (name, pattern, end) in [
        ("regex_splitter_start", r"\n(# Time:|\()", false),
        ("regex_splitter_end", r"(\r?\n)+", true),
        ("regex_splitter_greedy", r"((?:a|ab)(?:c|bcd)d*)\n", true),
    ] {
        let table = Table::default().with("delimiter", text(pattern)).with("delimiter_eol", Data::Bool(end));
        run(name, "RegexSplitter", &table, false, Vec::new());
    }
}

#[test]
fn pattern_grouping_splitter() {
    let table = Table::default().with("delimiter", text("\n")).with("grouping", text(r"^\s"));
    let mut problems = Problems::default();
    let Make::Splitter(read) = find("PatternGroupingSplitter").unwrap().make else { panic!() };
    read(&table, &mut problems);
    let table = if problems.is_empty() { table } else { Table::default().with("pattern", text(r"^\s")) };
    run("pattern_grouping_splitter", "PatternGroupingSplitter", &table, false, Vec::new());
}

#[test]
fn null_splitter() {
    run("null_splitter", "NullSplitter", &Table::default(), false, Vec::new());
}

#[test]
fn heka_framing_splitter() {
    let frames = encoded().into_iter().map(|body| {
        let mut frame = Vec::new();
        write_frame(&body[..body.len().min(200)], 65536, &mut frame).unwrap();
        [&b"garbage\x1e"[..], &frame, &frame[..frame.len() / 2], &frame].concat()
    });
    let seeds = frames.collect();
    run("heka_framing_splitter", "HekaFramingSplitter", &Table::default(), false, seeds);
}
