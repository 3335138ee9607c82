//! Runs an encoder over a selection into a block, with stream framing around each message if asked.

use crate::encoders::Encoder;
use crate::outputs::Block;
use crate::plugin::Site;
use crate::stats::Counter;
use heka_message::framing::FrameWriter;
use heka_message::{RowRef, Selection};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// An encoder with its framing.
pub struct EncodeRunner {
    encoder: Box<dyn Encoder>,
    site: Site,
    framing: Option<FrameWriter>,
    /// Written into every frame; always 0 but for queues on disk.
    loops: u32,
    failed: Arc<Counter>,
    oversized: Arc<Counter>,
    /// Called once, when the encoder cannot go on.
    on_end: Option<Box<dyn FnOnce()>>,
    ended: bool,
}

impl EncodeRunner {
    /// Runs `encoder`, framing each message when `framing`.
    pub fn new(encoder: Box<dyn Encoder>, site: Site, framing: bool) -> Self {
        let framing = framing.then(FrameWriter::default);
        let failed = site.stats.drops("encode-failure");
        let oversized = site.stats.drops("message-too-big");
        EncodeRunner { encoder, site, framing, loops: 0, failed, oversized, on_end: None, ended: false }
    }

    /// Says what is done when the encoder cannot go on.
    pub fn on_end(self, on_end: Box<dyn FnOnce()>) -> Self {
        EncodeRunner { on_end: Some(on_end), ..self }
    }

    /// Whether the encoder cannot go on. Then the last selection was not encoded to its end, and no later one will be.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// The messages from now on have gone round a loop so often: frames will say so.
    pub fn set_loops(&mut self, loops: u32) {
        self.loops = loops;
    }

    /// Appends the selected messages to `block`. Returns how many of them were left because the encoder cannot go on.
    pub fn encode(&mut self, selection: &Selection, block: &mut Block) -> usize {
        let start = block.bytes.len();
        let done = block.ends.len();
        let run = catch_unwind(AssertUnwindSafe(|| self.encode_all(selection, block)));
        run.unwrap_or_else(|_| {
            block.bytes.truncate(start);
            block.ends.truncate(done);
            self.failed.add(selection.len());
            self.site.log.error("the encoder panicked; the batch is dropped");
            0
        })
    }

    fn encode_all(&mut self, selection: &Selection, block: &mut Block) -> usize {
        let mut logged = false;
        block.ends.reserve(selection.len());
        for (index, message) in selection.iter().enumerate() {
            if self.ended {
                return selection.len() - index;
            }
            let start = block.bytes.len();
            let result = self.encode_one(message, &mut block.bytes);
            match result {
                Ok(true) => block.ends.push(block.bytes.len() as u32),
                Ok(false) => block.bytes.truncate(start),
                Err((rule, why)) => {
                    block.bytes.truncate(start);
                    if !logged {
                        self.site.log.error(format!("Error encoding message: {why}"));
                        logged = true;
                    }
                    if self.encoder.ended().is_none() {
                        rule.add(1);
                        continue;
                    }
                    self.ended = true;
                    if let Some(end) = self.on_end.take() {
                        end();
                    }
                    return selection.len() - index;
                }
            }
        }
        0
    }

    /// Encodes and frames a message; an error names the rule by which it is dropped.
    fn encode_one(&mut self, message: RowRef<'_>, out: &mut Vec<u8>) -> Result<bool, (Arc<Counter>, String)> {
        let start = self.framing.map(|frames| frames.begin(out));
        let some = self.encoder.encode(message, out).map_err(|why| (self.failed.clone(), why))?;
        if let (true, Some(frames), Some(start)) = (some, &mut self.framing, start) {
            let framed = frames.end(out, start, self.loops, self.site.globals.max_message_size);
            framed.map_err(|error| (self.oversized.clone(), error.to_string()))?;
        }
        Ok(some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outputs::harness::{number, site};
    use heka_message::framing::write_frame;
    use heka_message::{BatchBuilder, Span};

    /// Writes payloads, except for some.
    struct Payloads;
    impl Encoder for Payloads {
        fn encode(&mut self, message: RowRef<'_>, out: &mut Vec<u8>) -> Result<bool, String> {
            out.extend_from_slice(message.payload());
            match message.payload() {
                b"none" => Ok(false),
                b"bad" => Err("bad".into()),
                _ => Ok(true),
            }
        }
    }

    #[test]
    fn what_is_not_encoded_leaves_nothing_and_is_counted_under_one_rule() {
        let site = site("encoder", std::path::Path::new("unused"));
        let long = vec![b'x'; site.globals.max_message_size + 1];
        let payloads: [&[u8]; 6] = [b"one", b"none", b"bad", &long, b"", b"two"];
        let mut builder = BatchBuilder::new(payloads.concat().into());
        let mut start = 0;
        for payload in payloads {
            builder.row().payload = Span::source(start..start + payload.len());
            start += payload.len();
        }
        let selection = Selection::all(builder.finish());
        let mut block = Block::default();
        EncodeRunner::new(Box::new(Payloads), site.clone(), true).encode(&selection, &mut block);
        let frame = |body: &[u8]| {
            let mut out = Vec::new();
            write_frame(body, 100, &mut out).unwrap();
            out
        };
        assert_eq!(block.records().collect::<Vec<_>>(), [frame(b"one"), frame(b""), frame(b"two")]);
        let rules = ["Dropped-encode-failure", "Dropped-message-too-big"];
        assert_eq!(rules.map(|rule| number(&site, rule)), [1, 1]);
        let mut block = Block::default();
        EncodeRunner::new(Box::new(Payloads), site.clone(), false).encode(&selection, &mut block);
        assert_eq!(block.records().collect::<Vec<_>>(), [b"one", &long[..], b"", b"two"]);
    }
}
