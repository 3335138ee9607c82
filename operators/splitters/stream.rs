//! A stream of chunks on its way through a splitter: puts what one chunk left over in front of the next, and
//! deals with records that are too long and with what is left at the end.
//!
//! Every byte of every input passes here, so nothing is copied except what is left over. A long record that
//! arrives in small pieces is gathered aside and joined once, when it is complete.

use crate::inputs::{ChunkBuf, ChunkEnd};
use crate::splitters::{Record, Splitter};

/// An empty buffer larger than this is given back: of many quiet streams, each may have had one long record.
const KEEP: usize = 16 * 1024;

/// How a stream is cut.
#[derive(Clone, Copy, Debug)]
pub struct StreamOptions {
    /// Largest record delivered, in bytes.
    pub max_record: usize,
    /// Deliver the first `max_record` bytes of a longer record instead of dropping it.
    pub keep_truncated: bool,
    /// Deliver what is left at the end of a packet or stream although no delimiter ended it.
    pub deliver_incomplete_final: bool,
    /// Do not split: everything up to the end of the packet or stream is one record of any size. For inputs
    /// that read a stream to its end with a `NullSplitter`; nothing else bounds the memory this takes.
    pub whole_stream: bool,
}

impl StreamOptions {
    /// Records of up to `max_record` bytes; what is longer, and what no delimiter ended, is dropped.
    pub fn up_to(max_record: usize) -> Self {
        StreamOptions { max_record, keep_truncated: false, deliver_incomplete_final: false, whole_stream: false }
    }
}

/// What one call of [`StreamSplitter::cut`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cut {
    /// Bytes left over from earlier chunks: offsets in the joined bytes begin so much before the chunk.
    pub carried: usize,
    /// How many of the joined bytes are done with: delivered or discarded. The rest is kept for the next call.
    pub consumed: usize,
    /// Records that were too long and delivered in part.
    pub truncated: usize,
    /// Records that were too long and dropped.
    pub oversized: usize,
    /// Bytes at the end of a packet or stream that were dropped because no delimiter ended them.
    pub dropped_tail: usize,
}

/// Cuts one stream. See the module.
pub struct StreamSplitter {
    splitter: Box<dyn Splitter>,
    options: StreamOptions,
    carry: Vec<u8>,
}

impl StreamSplitter {
    /// Begins a stream.
    pub fn new(splitter: Box<dyn Splitter>, options: StreamOptions) -> Self {
        StreamSplitter { splitter, options, carry: Vec::new() }
    }

    /// Names of the signers that [`Record::signer`] refers to.
    pub fn signers(&self) -> &[String] {
        self.splitter.signers()
    }

    /// Bytes kept for the next call.
    pub fn pending(&self) -> usize {
        self.carry.len()
    }

    /// Takes a chunk and appends the records that are complete now, as offsets into the joined bytes: those
    /// carried over, then the chunk's. When there are any, `bytes` holds the joined bytes afterwards; otherwise
    /// it may have been left as it is.
    pub fn cut(&mut self, bytes: &mut ChunkBuf, end: ChunkEnd, records: &mut Vec<Record>) -> Cut {
        let before = records.len();
        let mut carry = std::mem::take(&mut self.carry);
        let carried = carry.len();
        // The larger part stays where it is, so that a record in many small pieces is not moved for each.
        let aside = end == ChunkEnd::More && bytes.len() <= carried;
        let cut = if aside {
            carry.extend_from_slice(bytes.as_ref());
            let cut = self.divide(&carry, end, records);
            if records.len() > before {
                bytes.prepend(&carry[..carried]);
            }
            carry.drain(..cut.consumed);
            cut
        } else {
            bytes.prepend(&carry);
            let cut = self.divide(bytes.as_ref(), end, records);
            carry.clear();
            carry.extend_from_slice(&bytes.as_ref()[cut.consumed..]);
            cut
        };
        if carry.is_empty() && carry.capacity() > KEEP {
            carry = Vec::new();
        }
        self.carry = carry;
        Cut { carried, ..cut }
    }

    /// Takes a chunk that holds several packets, each of which ends at one of `ends` and is cut by itself.
    /// Bytes behind the last end are a packet as well.
    pub fn cut_packets(&mut self, bytes: &mut ChunkBuf, ends: &[u32], records: &mut Vec<Record>) -> Cut {
        let carried = self.carry.len();
        bytes.prepend(&std::mem::take(&mut self.carry));
        let data = bytes.as_ref();
        let mut sum = Cut { carried, consumed: data.len(), ..Cut::default() };
        let mut start = 0;
        for end in ends.iter().map(|end| carried.saturating_add(*end as usize)).chain([data.len()]) {
            let end = end.clamp(start, data.len());
            let before = records.len();
            let cut = self.divide(&data[start..end], ChunkEnd::Packet, records);
            for record in &mut records[before..] {
                record.start += start;
                record.end += start;
            }
            sum.truncated += cut.truncated;
            sum.oversized += cut.oversized;
            sum.dropped_tail += cut.dropped_tail;
            start = end;
        }
        sum
    }

    /// Finds the records of the joined bytes.
    fn divide(&mut self, data: &[u8], end: ChunkEnd, records: &mut Vec<Record>) -> Cut {
        let options = self.options;
        let mut cut = Cut::default();
        if options.whole_stream {
            if end != ChunkEnd::More {
                cut.consumed = data.len();
                if !data.is_empty() {
                    records.push(Record::unsigned(0, data.len()));
                }
            }
            return cut;
        }
        let before = records.len();
        cut.consumed = self.splitter.split(data, end != ChunkEnd::More, records).min(data.len());
        if data.len() > options.max_record {
            self.limit(before, end, records, &mut cut);
        }
        let rest = data.len() - cut.consumed;
        match end {
            ChunkEnd::More if rest <= options.max_record.saturating_add(self.splitter.slack()) => {}
            ChunkEnd::More => {
                self.too_long(Record::unsigned(cut.consumed, data.len()), records, &mut cut);
                let given_up = self.splitter.give_up(&data[cut.consumed..]);
                cut.consumed += given_up.min(rest);
            }
            ChunkEnd::Packet | ChunkEnd::Stream => {
                let tail = Record::unsigned(cut.consumed, data.len());
                if rest > options.max_record {
                    self.too_long(tail, records, &mut cut);
                } else if rest > 0 && options.deliver_incomplete_final {
                    records.push(tail);
                } else {
                    cut.dropped_tail = rest;
                }
                cut.consumed = data.len();
            }
        }
        cut
    }

    /// Holds the records behind the first `before` to the largest size.
    fn limit(&self, before: usize, end: ChunkEnd, records: &mut Vec<Record>, cut: &mut Cut) {
        let max = self.options.max_record.max(1);
        if records[before..].iter().all(|record| record.end - record.start <= max) {
            return;
        }
        for record in records.split_off(before) {
            if record.end - record.start <= max {
                records.push(record);
            } else if end != ChunkEnd::Packet && self.splitter.divisible() {
                let starts = (record.start..record.end).step_by(max);
                records.extend(starts.map(|start| Record { start, end: record.end.min(start + max), ..record }));
            } else {
                self.too_long(record, records, cut);
            }
        }
    }

    fn too_long(&self, record: Record, records: &mut Vec<Record>, cut: &mut Cut) {
        if self.options.keep_truncated {
            records.push(Record { end: record.start + self.options.max_record, ..record });
            cut.truncated += 1;
        } else {
            cut.oversized += 1;
        }
    }
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
