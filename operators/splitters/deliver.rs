//! From chunk to batch: the records of a chunk become rows with the header values of their stream. A splitter that
//! cannot be made, or that panics, ends the whole: what it leaves is the caller's to hold, so that it comes again.

use crate::inputs::{Chunk, ChunkEnd, FieldSeed, Stream};
use crate::plugin::{PluginError, Site};
use crate::splitters::{Cut, Record, SplitterSpec, StreamOptions, StreamSplitter};
use crate::stats::Counter;
use heka_message::{Batch, BatchBuilder, FieldValue, Origin, Row, Span, UuidSource, derive_uuid};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// How an input's records become messages.
#[derive(Clone, Copy, Debug)]
pub struct DeliverOptions {
    /// Limits and endings.
    pub stream: StreamOptions,
    /// Leave the record to the decoder as an encoded message, without header values.
    pub use_message_bytes: bool,
    /// Each packet is one record, however long and even if empty: nothing is cut.
    pub whole_packets: bool,
}

/// What became of a chunk.
#[derive(Debug)]
pub struct Delivered {
    /// Its records, if there were any.
    pub batch: Option<Batch>,
    /// Up to which position of the stream records are complete, in the count of [`Chunk::position`].
    pub position: u64,
}

/// Splits the chunks of one input.
pub struct Deliverer {
    site: Site,
    spec: Arc<dyn SplitterSpec>,
    options: DeliverOptions,
    source: u32,
    sequence: u64,
    streams: HashMap<u32, StreamSplitter>,
    records: Vec<Record>,
    uuids: UuidSource,
    delivered: Arc<Counter>,
    oversized: Arc<Counter>,
    truncated: Arc<Counter>,
    tails: Arc<Counter>,
    /// Called once, when it cannot go on.
    on_fatal: Option<Box<dyn FnOnce() + Send>>,
    ended: bool,
    /// Bytes that came when it could not go on.
    left: usize,
}

impl Deliverer {
    /// A deliverer for the input that is node `source` of the plan.
    pub fn new(site: Site, spec: Arc<dyn SplitterSpec>, options: DeliverOptions, source: u32) -> Self {
        Deliverer {
            delivered: site.stats.counter("ProcessMessageCount", "count"),
            oversized: site.stats.drops("record-too-long"),
            truncated: site.stats.counter("TruncatedRecords", "count"),
            tails: site.stats.drops("unterminated-tail-bytes"),
            site,
            spec,
            options,
            source,
            sequence: 0,
            streams: HashMap::new(),
            records: Vec::new(),
            uuids: UuidSource::new(),
            on_fatal: None,
            ended: false,
            left: 0,
        }
    }

    /// Says what is done when a splitter cannot go on.
    pub fn on_fatal(mut self, on_fatal: Box<dyn FnOnce() + Send>) -> Self {
        self.on_fatal = Some(on_fatal);
        self
    }

    /// Makes a batch of the complete records of `chunk` and what was carried over before it. `None` when a splitter
    /// cannot go on: then neither this chunk nor any later one is cut, and none of their positions has been reached.
    pub fn deliver(&mut self, chunk: Chunk) -> Option<Delivered> {
        let bytes = chunk.bytes.len();
        if !self.ended {
            let why = match catch_unwind(AssertUnwindSafe(|| self.deliver_chunk(chunk))) {
                Ok(Ok(delivered)) => return Some(delivered),
                Ok(Err(error)) => error.message,
                Err(_) => "the splitter panicked".to_owned(),
            };
            self.ended = true;
            self.site.log.error(why);
            if let Some(end) = self.on_fatal.take() {
                end();
            }
        }
        self.left += bytes;
        self.site.stats.drops("splitter-ended-bytes").add(bytes);
        None
    }

    fn deliver_chunk(&mut self, mut chunk: Chunk) -> Result<Delivered, PluginError> {
        self.records.clear();
        let cut = self.cut(&mut chunk)?;
        // A position is never known to fall: what was carried has been counted by the chunk before.
        let begin = chunk.position.wrapping_sub(cut.carried as u64);
        let position = begin.wrapping_add(cut.consumed as u64);
        if cut.oversized + cut.truncated > 0 {
            let verb = if cut.oversized == 0 { "truncated" } else { "dropped" };
            let most = self.options.stream.max_record;
            self.site.log.error(format!("record exceeded MAX_RECORD_SIZE {most} and was {verb}"));
            self.oversized.add(cut.oversized);
            self.truncated.add(cut.truncated);
        }
        self.tails.add(cut.dropped_tail);
        if chunk.end == ChunkEnd::Stream {
            self.streams.remove(&chunk.stream.id);
        }
        if self.records.is_empty() {
            return Ok(Delivered { batch: None, position });
        }
        self.delivered.add(self.records.len());
        let offset = chunk.offset.wrapping_sub(cut.carried as u64);
        Ok(Delivered { batch: Some(self.batch(chunk, offset)), position })
    }

    fn cut(&mut self, chunk: &mut Chunk) -> Result<Cut, PluginError> {
        if self.options.whole_packets {
            self.records.push(Record::unsigned(0, chunk.bytes.len()));
            return Ok(Cut { consumed: chunk.bytes.len(), ..Cut::default() });
        }
        let splitter = match self.streams.entry(chunk.stream.id) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                entry.insert(StreamSplitter::new(self.spec.build(&self.site)?, self.options.stream))
            }
        };
        Ok(match chunk.packets.is_empty() {
            true => splitter.cut(&mut chunk.bytes, chunk.end, &mut self.records),
            false => splitter.cut_packets(&mut chunk.bytes, &chunk.packets, &mut self.records),
        })
    }

    fn batch(&mut self, chunk: Chunk, offset: u64) -> Batch {
        let Chunk { bytes, stream, received, credit, .. } = chunk;
        let mut builder = BatchBuilder::new(bytes.freeze());
        builder.reserve(self.records.len());
        self.sequence += 1;
        builder.set_origin(Origin { source: self.source, sequence: self.sequence });
        if let Some(credit) = credit {
            builder.hold(Arc::new(credit));
        }
        let names: Vec<String> = self.streams.get(&stream.id).map(|s| s.signers().to_vec()).unwrap_or_default();
        let signers: Vec<u16> = names.iter().map(|name| builder.signer(name.as_bytes())).collect();
        let template =
            if self.options.use_message_bytes { Row::default() } else { template(&mut builder, &stream, received) };
        for record in &self.records {
            let span = Span::source(record.start..record.end);
            let row = builder.push(template);
            if self.options.use_message_bytes {
                row.wire = span;
            } else {
                row.payload = span;
                row.set_uuid(match stream.key {
                    0 => self.uuids.next_uuid(),
                    key => derive_uuid(key, offset.wrapping_add(record.start as u64)),
                });
            }
            row.loops = record.loops;
            row.signer = record.signer.checked_sub(1).and_then(|i| signers.get(i as usize)).copied().unwrap_or(0);
            if !stream.fields.is_empty() && !self.options.use_message_bytes {
                add_fields(&mut builder, &stream);
            }
        }
        builder.finish()
    }
}

impl Drop for Deliverer {
    fn drop(&mut self) {
        if self.left > 0 {
            self.site.log.error(format_args!(
                "{} bytes were not cut into records; what a position or a queue covers comes again after the next start",
                self.left
            ));
        }
    }
}

/// The header that all records of a chunk share.
fn template(builder: &mut BatchBuilder, stream: &Stream, received: i64) -> Row {
    let mut row = Row::default();
    let mut text = |text: &Option<Vec<u8>>| text.as_ref().map_or(Span::NONE, |text| builder.text(text));
    row.msg_type = text(&stream.msg_type);
    row.hostname = text(&stream.hostname);
    row.env_version = text(&stream.env_version);
    row.logger = builder.text(&stream.logger);
    row.set_timestamp(received);
    if let Some(severity) = stream.severity {
        row.set_severity(severity);
    }
    if let Some(pid) = stream.pid {
        row.set_pid(pid);
    }
    row
}

fn add_fields(builder: &mut BatchBuilder, stream: &Stream) {
    for field in &stream.fields {
        let (FieldSeed::String(name, representation, _)
        | FieldSeed::Integer(name, representation, _)
        | FieldSeed::Double(name, representation, _)) = field;
        let (name, representation) = (builder.text(name.as_bytes()), builder.text(representation.as_bytes()));
        builder.field(
            name,
            representation,
            match field {
                FieldSeed::String(_, _, text) => FieldValue::String(text),
                FieldSeed::Integer(_, _, number) => FieldValue::Integer(*number),
                FieldSeed::Double(_, _, number) => FieldValue::Double(*number),
            },
        );
    }
}
