//! What the splitters' tests share: a place to live, and the property that all of them have.

use crate::inputs::{ChunkBuf, ChunkEnd};
use crate::log::Log;
use crate::plugin::{Globals, Site};
use crate::splitters::{Cut, Record, Splitter, StreamOptions, StreamSplitter};
use std::sync::Arc;

pub(super) fn site() -> Site {
    Site {
        name: "test".into(),
        globals: Arc::new(Globals::default()),
        stats: Arc::default(),
        log: Log::new("Splitter", "test"),
    }
}

/// One call with more to come: the records' bytes, and how many bytes were consumed.
pub(super) fn split_all(splitter: &mut dyn Splitter, data: &[u8]) -> (Vec<Vec<u8>>, usize) {
    let mut records = Vec::new();
    let consumed = splitter.split(data, false, &mut records);
    (records.iter().map(|r| data[r.start..r.end].to_vec()).collect(), consumed)
}

/// Cuts `data` into pieces of the given sizes, which repeat until all of it is used.
pub(super) fn arrivals<'a>(mut data: &'a [u8], sizes: &[usize]) -> Vec<&'a [u8]> {
    let mut sizes = sizes.iter().cycle();
    let mut chunks = Vec::new();
    while let (false, Some(size)) = (data.is_empty(), sizes.next()) {
        let (chunk, rest) = data.split_at((*size).min(data.len()));
        chunks.push(chunk);
        data = rest;
    }
    chunks
}

/// Sends the chunks through a [`StreamSplitter`], then ends the stream. Every promise about offsets is checked on
/// the way. Returns the records' bytes and the sum of all cuts.
pub(super) fn cut_all(
    splitter: Box<dyn Splitter>,
    chunks: &[&[u8]],
    max_record: usize,
    keep_truncated: bool,
    deliver_incomplete_final: bool,
) -> (Vec<Vec<u8>>, Cut) {
    let options = StreamOptions { max_record, keep_truncated, deliver_incomplete_final, whole_stream: false };
    let slack = splitter.slack();
    let mut stream = StreamSplitter::new(splitter, options);
    let (mut found, mut sum) = (Vec::new(), Cut::default());
    let ends = std::iter::repeat_n(ChunkEnd::More, chunks.len()).chain([ChunkEnd::Stream]);
    for (chunk, end) in chunks.iter().copied().chain([&b""[..]]).zip(ends) {
        let mut bytes = ChunkBuf::copy_of(chunk);
        let before = stream.pending();
        let mut records: Vec<Record> = Vec::new();
        let cut = stream.cut(&mut bytes, end, &mut records);
        assert_eq!(cut.carried, before);
        assert_eq!(cut.consumed + stream.pending(), before + chunk.len());
        assert!(stream.pending() <= max_record + slack, "memory is bounded");
        let mut at = 0;
        for record in records {
            assert!(at <= record.start && record.start <= record.end && record.end <= cut.consumed, "{record:?}");
            assert!(record.end - record.start <= max_record, "{record:?}");
            at = record.end;
            found.push(bytes.as_ref()[record.start..record.end].to_vec());
        }
        sum.consumed += cut.consumed;
        sum.truncated += cut.truncated;
        sum.oversized += cut.oversized;
        sum.dropped_tail += cut.dropped_tail;
    }
    assert_eq!(stream.pending(), 0);
    (found, sum)
}

/// The property of all splitters: the same bytes give the same records, whether they come at once or in pieces.
pub(super) fn splits_alike_however_it_arrives(
    make: impl Fn() -> Box<dyn Splitter>,
    data: &[u8],
    sizes: &[usize],
    max_record: usize,
) {
    for (keep_truncated, deliver_final) in [(false, false), (true, false), (false, true), (true, true)] {
        let cut = |chunks: &[&[u8]]| cut_all(make(), chunks, max_record, keep_truncated, deliver_final);
        let (at_once, pieces) = (cut(&[data]), cut(&arrivals(data, sizes)));
        assert_eq!(at_once.0, pieces.0, "keep_truncated {keep_truncated}, deliver_incomplete_final {deliver_final}");
        assert_eq!((at_once.1.truncated, at_once.1.oversized), (pieces.1.truncated, pieces.1.oversized));
    }
}
