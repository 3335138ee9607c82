//! Every decoder, on records of any kind, behind the runner that takes back what a failure left.

use super::wire::encoded;
use super::{message, site};
use crate::runner::{Target, outcome};
use heka_message::{Batch, BatchBuilder, Span};
use heka_operators::decoders::{DecodeRunner, Decoder};
use heka_operators::plugin::Site;
use heka_operators::registry::{Make, find};
use heka_settings::{Data, Problems, Table, Value};

/// A decoder of this type.
pub fn decoder(kind: &str, table: &Table, site: &Site, subs: Vec<Box<dyn Decoder>>) -> Box<dyn Decoder> {
    let Make::Decoder(read) = find(kind).unwrap().make else { panic!("{kind} is no decoder") };
    let mut problems = Problems::default();
    let spec = read(table, &mut problems);
    assert!(problems.is_empty(), "{problems:?}");
    spec.build(site, subs).unwrap()
}

/// What became of a record.
fn shape(decoded: Option<Batch>) -> u64 {
    let rows = |batch: &Batch| -> Vec<_> { batch.rows().map(|row| row.fields().count()).collect() };
    outcome(decoded.as_ref().map(rows))
}

/// The record as a decoder of messages gets it.
fn wire(input: &[u8]) -> Batch {
    let mut builder = BatchBuilder::new(bytes::Bytes::copy_from_slice(input));
    builder.row().wire = Span::source(0..input.len());
    builder.finish()
}

#[test]
fn protobuf_decoder() {
    let directory = tempfile::tempdir().unwrap();
    let site = site("protobuf_decoder", directory.path());
    let made = decoder("ProtobufDecoder", &Table::default(), &site, Vec::new());
    let mut runner = DecodeRunner::new(made, site, false, true);
    let target = Target { name: "protobuf_decoder", seeds: encoded(), words: &[], runs: 8000, memory: (1 << 17, 512) };
    target.run(|input| shape(runner.decode(wire(input))));
}

#[test]
fn stats_to_fields_decoder() {
    let directory = tempfile::tempdir().unwrap();
    let site = site("stats_to_fields_decoder", directory.path());
    let made = decoder("StatsToFieldsDecoder", &Table::default(), &site, Vec::new());
    let mut runner = DecodeRunner::new(made, site, false, false);
    let seeds = vec![b"stats.counters.a.rate 1.500000 1400000000\nstats.gauges.b 2 1400000000\n".to_vec()];
    let words = &["\n", " ", "stats.timers.x.mean_90", "1400000000", "1.5", ".", "-"];
    let target = Target { name: "stats_to_fields_decoder", seeds, words, runs: 8000, memory: (1 << 18, 512) };
    target.run(|input| shape(runner.decode(message(input))));
}

#[test]
fn multi_decoder() {
    let directory = tempfile::tempdir().unwrap();
    let site = site("multi_decoder", directory.path());
    let mut runners = ["first-wins", "all"].map(|strategy| {
        let stats = || decoder("StatsToFieldsDecoder", &Table::default(), &site, Vec::new());
        let subs = Data::Array(["a", "b"].map(|name| Value::new(Data::String(name.to_owned()))).to_vec());
        let table = Table::default().with("subs", subs).with("cascade_strategy", Data::String(strategy.to_owned()));
        let made = decoder("MultiDecoder", &table, &site, vec![stats(), stats()]);
        DecodeRunner::new(made, site.clone(), false, false)
    });
    let seeds = vec![b"a 1 1400000000\nb 2 1400000000\n".to_vec()];
    let words = &["\n", " ", "1400000000", "1.5"];
    let target = Target { name: "multi_decoder", seeds, words, runs: 4000, memory: (1 << 19, 1024) };
    target.run(|input| outcome(runners.each_mut().map(|runner| shape(runner.decode(message(input))))));
}
