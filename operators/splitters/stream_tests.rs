//! Records across chunks, at the ends of streams and packets, and beyond the largest size.

use super::*;
use crate::inputs::ChunkPool;
use crate::splitters::null::NullSplitter;
use crate::splitters::testing::cut_all;
use crate::splitters::token::TokenSplitter;

const OPTIONS: StreamOptions =
    StreamOptions { max_record: 8, keep_truncated: false, deliver_incomplete_final: false, whole_stream: false };

fn lines(options: StreamOptions) -> StreamSplitter {
    StreamSplitter::new(Box::new(TokenSplitter::new(b'\n', 1)), options)
}

/// Cuts one chunk: the records' texts, and what was done.
fn cut(stream: &mut StreamSplitter, chunk: &str, end: ChunkEnd) -> (Vec<String>, Cut) {
    let mut bytes = ChunkBuf::copy_of(chunk.as_bytes());
    let mut records = Vec::new();
    let cut = stream.cut(&mut bytes, end, &mut records);
    let text = |r: &Record| String::from_utf8(bytes.as_ref()[r.start..r.end].to_vec()).unwrap();
    (records.iter().map(text).collect(), cut)
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn what_is_left_over_comes_before_the_next_chunk() {
    let mut stream = lines(OPTIONS);
    let more = ChunkEnd::More;
    assert_eq!(cut(&mut stream, "a\nbc", more), (texts(&["a\n"]), Cut { consumed: 2, ..Cut::default() }));
    assert_eq!(cut(&mut stream, "d", more), (vec![], Cut { carried: 2, ..Cut::default() }));
    let joined = Cut { carried: 3, consumed: 5, ..Cut::default() };
    assert_eq!(cut(&mut stream, "e\nf", more), (texts(&["bcde\n"]), Cut { consumed: 5, ..joined }));
    assert_eq!(stream.pending(), 1);
}

#[test]
fn the_end_drops_or_delivers_what_no_delimiter_ended() {
    for end in [ChunkEnd::Packet, ChunkEnd::Stream] {
        let mut stream = lines(OPTIONS);
        let dropped = Cut { consumed: 4, dropped_tail: 2, ..Cut::default() };
        assert_eq!(cut(&mut stream, "a\nbc", end), (texts(&["a\n"]), dropped));
        let mut stream = lines(StreamOptions { deliver_incomplete_final: true, ..OPTIONS });
        assert_eq!(cut(&mut stream, "a\nbc", end), (texts(&["a\n", "bc"]), Cut { consumed: 4, ..Cut::default() }));
        assert_eq!(cut(&mut stream, "", end), (vec![], Cut::default()));
    }
}

#[test]
fn datagrams_do_not_touch_each_other() {
    for (deliver_incomplete_final, expected) in [(false, &["ccc\n"][..]), (true, &["aaa", "bbb", "ccc\n"])] {
        let options = StreamOptions { deliver_incomplete_final, ..OPTIONS };
        let mut stream = lines(options);
        let found = ["aaa", "bbb", "ccc\n"].map(|packet| cut(&mut stream, packet, ChunkEnd::Packet).0).concat();
        assert_eq!(found, texts(expected));
        // The same when all of them come in one chunk.
        let mut bytes = ChunkBuf::copy_of(b"aaabbbccc\n");
        let mut records = Vec::new();
        let done = lines(options).cut_packets(&mut bytes, &[3, 6, 10], &mut records);
        let found: Vec<_> = records.iter().map(|r| &bytes.as_ref()[r.start..r.end]).collect();
        assert_eq!(found, expected.iter().map(|text| text.as_bytes()).collect::<Vec<_>>());
        assert_eq!((done.consumed, done.dropped_tail), (10, if deliver_incomplete_final { 0 } else { 6 }));
    }
}

#[test]
fn ends_of_packets_that_make_no_sense_are_harmless() {
    let mut records = Vec::new();
    let mut bytes = ChunkBuf::copy_of(b"a\nb\n");
    let done = lines(OPTIONS).cut_packets(&mut bytes, &[2, 1, u32::MAX], &mut records);
    assert_eq!(records, [Record::unsigned(0, 2), Record::unsigned(2, 4)]);
    assert_eq!(done.consumed, 4);
}

#[test]
fn a_record_that_is_too_long_is_one_record_or_none() {
    let text = "short\n0123456789abcdef\nnext\n01234567890";
    for sizes in [[100; 2], [1; 2], [7; 2], [3, 11]] {
        let chunks = crate::splitters::testing::arrivals(text.as_bytes(), &sizes);
        let run = |keep| cut_all(Box::new(TokenSplitter::new(b'\n', 1)), &chunks, 8, keep, true);
        let (records, sum) = run(false);
        assert_eq!(records, [&b"short\n"[..], b"next\n"], "{sizes:?}");
        assert_eq!((sum.oversized, sum.truncated), (2, 0), "{sizes:?}");
        let (records, sum) = run(true);
        assert_eq!(records, [&b"short\n"[..], b"01234567", b"next\n", b"01234567"], "{sizes:?}");
        assert_eq!((sum.oversized, sum.truncated), (0, 2), "{sizes:?}");
    }
}

#[test]
fn a_record_of_the_largest_size_is_delivered() {
    let mut stream = lines(OPTIONS);
    assert_eq!(cut(&mut stream, "0123456", ChunkEnd::More).0, texts(&[]));
    assert_eq!(cut(&mut stream, "\n01234567\n0\n", ChunkEnd::More).0, texts(&["0123456\n", "0\n"]));
}

#[test]
fn a_long_read_is_delivered_in_parts_and_a_long_packet_is_not() {
    let mut stream = StreamSplitter::new(Box::new(NullSplitter), OPTIONS);
    for end in [ChunkEnd::More, ChunkEnd::Stream] {
        assert_eq!(cut(&mut stream, "0123456789abcdefg", end).0, texts(&["01234567", "89abcdef", "g"]));
    }
    let (found, done) = cut(&mut stream, "0123456789abcdefg", ChunkEnd::Packet);
    assert_eq!((found, done.oversized, done.consumed), (vec![], 1, 17));
    let mut stream = StreamSplitter::new(Box::new(NullSplitter), StreamOptions { keep_truncated: true, ..OPTIONS });
    assert_eq!(cut(&mut stream, "0123456789", ChunkEnd::Packet).0, texts(&["01234567"]));
}

#[test]
fn a_whole_stream_is_one_record_of_any_size() {
    let mut stream = StreamSplitter::new(Box::new(NullSplitter), StreamOptions { whole_stream: true, ..OPTIONS });
    let waiting = |carried| (vec![], Cut { carried, ..Cut::default() });
    assert_eq!(cut(&mut stream, "0123456789\n", ChunkEnd::More), waiting(0));
    assert_eq!(cut(&mut stream, "ab", ChunkEnd::More), waiting(11));
    let all = Cut { carried: 13, consumed: 14, ..Cut::default() };
    assert_eq!(cut(&mut stream, "c", ChunkEnd::Stream), (texts(&["0123456789\nabc"]), all));
    assert_eq!(cut(&mut stream, "", ChunkEnd::Stream), (vec![], Cut::default()), "nothing is no record");
}

/// Counts the bytes a splitter is shown.
struct Shown(TokenSplitter, std::sync::Arc<crate::stats::Counter>);

impl Splitter for Shown {
    fn split(&mut self, data: &[u8], last: bool, records: &mut Vec<Record>) -> usize {
        self.1.add(1);
        self.0.split(data, last, records)
    }
    fn give_up(&mut self, rest: &[u8]) -> usize {
        self.0.give_up(rest)
    }
}

#[test]
fn a_long_record_in_small_pieces_is_joined_once() {
    let calls = std::sync::Arc::<crate::stats::Counter>::default();
    let splitter = Shown(TokenSplitter::new(b'\n', 1), calls.clone());
    let mut stream = StreamSplitter::new(Box::new(splitter), StreamOptions { max_record: 70_000, ..OPTIONS });
    let pool = ChunkPool::new(64, 70_000, 4);
    let mut records = Vec::new();
    for at in 0..65_000 {
        let mut bytes = pool.take();
        bytes.spare()[0] = if at == 64_999 { b'\n' } else { b'x' };
        bytes.advance(1);
        let done = stream.cut(&mut bytes, ChunkEnd::More, &mut records);
        assert_eq!(done.carried, at);
        // The chunk is not joined to what came before until there is a record to hand over.
        assert_eq!(bytes.len(), if at == 64_999 { 65_000 } else { 1 });
    }
    assert_eq!(records, [Record::unsigned(0, 65_000)]);
    assert_eq!((stream.pending(), calls.get()), (0, 65_000));
}
