//! Sample input, cut and decoded as the daemon would: lines of text, or framed messages.

use crate::Failure;
use crate::subject::Subject;
use heka_message::{Batch, BatchBuilder, Span, read_message};
use heka_operators::inputs::{Chunk, ChunkBuf, ChunkEnd, Stream};
use heka_operators::registry;
use heka_operators::script::now;
use heka_operators::splitters::{DeliverOptions, Deliverer, StreamOptions};
use heka_settings::{Place, Problems, Table};
use hekad::config::{Common, Section, Spec};
use hekad::flags::Given;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::sync::Arc;

/// Bytes read at once.
const READ: usize = 64 * 1024;
/// The first byte of a frame.
const FRAME: u8 = 0x1e;

/// The messages of an input.
pub struct Samples {
    input: Box<dyn Read>,
    deliverer: Deliverer,
    /// Whether records are encoded messages.
    encoded: bool,
    stream: Arc<Stream>,
    position: u64,
    /// What was read to see what it is.
    first: Option<Vec<u8>>,
    ended: bool,
    /// Records that are no messages.
    pub garbled: usize,
}

impl Samples {
    pub fn open(subject: &Subject, given: &Given) -> Result<Samples, Failure> {
        let path = given.or_default("input");
        let cannot = |error: io::Error| Failure(crate::UNREADABLE, format!("{}: {error}", path.display()));
        let mut input: Box<dyn Read> =
            if path == "-" { Box::new(io::stdin()) } else { Box::new(File::open(path).map_err(cannot)?) };
        let first = read(&mut *input).map_err(cannot)?;
        let framed = match given.text("read").as_str() {
            "frames" => true,
            "lines" => false,
            _ => first.first() == Some(&FRAME),
        };
        let section = match &subject.splitter {
            Some(section) => section.clone(),
            None => automatic(if framed { "HekaFramingSplitter" } else { "TokenSplitter" })?,
        };
        let (Common::Splitter(common), Spec::Splitter(spec)) = (&section.common, &section.spec) else {
            return Err(Failure::usage(format!("'{}' is no splitter", section.name)));
        };
        let encoded = common.use_message_bytes.unwrap_or(section.plugin.defaults.use_message_bytes);
        let options = DeliverOptions {
            stream: StreamOptions {
                max_record: subject.site.globals.max_record_size(),
                keep_truncated: common.keep_truncated,
                // The last line of a sample need not be terminated.
                deliver_incomplete_final: true,
                whole_stream: false,
            },
            use_message_bytes: encoded,
            whole_packets: false,
        };
        let globals = &subject.site.globals;
        let stream = Stream {
            token: "sample".to_owned(),
            logger: b"sample".to_vec(),
            hostname: Some(globals.hostname.clone().into_bytes()),
            pid: Some(globals.pid),
            ..Stream::default()
        };
        Ok(Samples {
            input,
            deliverer: Deliverer::new(subject.site.clone(), spec.clone(), options, 0),
            encoded,
            stream: Arc::new(stream),
            position: 0,
            first: Some(first),
            ended: false,
            garbled: 0,
        })
    }

    /// The next messages, a few at a time; none at the end.
    pub fn next(&mut self) -> io::Result<Option<Batch>> {
        while !self.ended {
            let bytes = match self.first.take() {
                Some(first) => first,
                None => read(&mut *self.input)?,
            };
            self.ended = bytes.is_empty();
            let position = self.position;
            self.position += bytes.len() as u64;
            let chunk = Chunk {
                bytes: ChunkBuf::copy_of(&bytes),
                stream: self.stream.clone(),
                position,
                offset: position,
                end: if self.ended { ChunkEnd::Stream } else { ChunkEnd::More },
                packets: Vec::new(),
                received: now(),
                credit: None,
            };
            // The splitter has said why it cannot go on.
            let Some(delivered) = self.deliverer.deliver(chunk) else { break };
            if let Some(batch) =
                delivered.batch.and_then(|batch| if self.encoded { self.decoded(&batch) } else { Some(batch) })
            {
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }

    fn decoded(&mut self, records: &Batch) -> Option<Batch> {
        let mut builder = BatchBuilder::default();
        for record in records.rows() {
            let bytes = records.text(record.raw().wire);
            let mark = builder.mark();
            let wire: Span = builder.text(bytes);
            if let Err(error) = read_message(&mut builder, bytes, wire) {
                builder.rollback(mark);
                self.garbled += 1;
                eprintln!("a record is no message: {error}");
            }
        }
        (!builder.is_empty()).then(|| builder.finish())
    }
}

fn automatic(name: &str) -> Result<Section, Failure> {
    // The registry has both.
    let plugin = registry::find(name).ok_or_else(|| Failure::usage(format!("there is no {name}")))?;
    Ok(Section::make(name.to_owned(), Place::NOWHERE, plugin, Table::default(), &mut Problems::default()))
}

/// Some bytes; none at the end.
fn read(input: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; READ];
    loop {
        match input.read(&mut bytes) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
            Ok(length) => {
                bytes.truncate(length);
                return Ok(bytes);
            }
        }
    }
}
