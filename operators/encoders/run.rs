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
                Err(why) => {
                    block.bytes.truncate(start);
                    if !logged {
                        self.site.log.error(format!("Error encoding message: {why}"));
                        logged = true;
                    }
                    if self.encoder.ended().is_none() {
                        self.failed.add(1);
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

    fn encode_one(&mut self, message: RowRef<'_>, out: &mut Vec<u8>) -> Result<bool, String> {
        let Some(frames) = &mut self.framing else { return self.encoder.encode(message, out) };
        let start = frames.begin(out);
        let some = self.encoder.encode(message, out)?;
        if some && let Err(error) = frames.end(out, start, self.loops, self.site.globals.max_message_size) {
            self.oversized.add(1);
            return Err(error.to_string());
        }
        Ok(some)
    }
}
