//! `LogOutput`: every record becomes an entry of the daemon's log on standard output.
//!
//! A slow reader of standard output blocks the write; this output has a thread of its own, so nothing else
//! waits. What is not yet written is not acknowledged, which is how the inputs come to wait.

use crate::inputs::Runs;
use crate::outputs::{Block, Feed, FeedEvent, Output, OutputSpec};
use crate::plugin::{BoxFuture, PluginError, Site};
use crate::registry::{Defaults, Make, PluginType};
use heka_settings::{Problems, Settings, Table, settings};
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsRawFd;
use std::sync::Arc;

/// The type's entry in the registry.
pub static TYPE: PluginType = PluginType {
    name: "LogOutput",
    summary: "Writes each encoded message to standard output as one entry of the daemon's log.",
    settings: LogSettings::table,
    defaults: Defaults { accepts_any: true, ..Defaults::NONE },
    make: Make::Output(read),
};

settings! {
    /// `LogOutput` has no options of its own.
    pub struct LogSettings {}
}

fn read(_: &Table, _: &mut Problems) -> Arc<dyn OutputSpec> {
    Arc::new(Spec)
}

struct Spec;

impl OutputSpec for Spec {
    fn build(&self, _: &Site) -> Result<Box<dyn Output>, PluginError> {
        Ok(Box::new(LogOutput::new(Box::new(io::stdout()), crate::log::prefix)))
    }
}

struct LogOutput {
    out: Box<dyn Write + Send>,
    prefix: fn() -> String,
    scratch: Vec<u8>,
}

impl LogOutput {
    fn new(out: Box<dyn Write + Send>, prefix: fn() -> String) -> Self {
        LogOutput { out, prefix, scratch: Vec::new() }
    }

    fn deliver(&mut self, block: &Block) -> io::Result<()> {
        // One reading of the clock serves the whole block: its records leave in one write.
        let text = entries(block, (self.prefix)().as_bytes(), &mut self.scratch);
        write_all(&mut *self.out, text)
    }
}

impl Output for LogOutput {
    fn runs(&self) -> Runs {
        Runs::OwnThread
    }

    fn run<'a>(&'a mut self, feed: &'a mut Feed) -> BoxFuture<'a, Result<(), PluginError>> {
        Box::pin(async move {
            loop {
                match feed.next().await {
                    FeedEvent::Block(block) => {
                        self.deliver(&block).map_err(|error| match error.kind() {
                            ErrorKind::BrokenPipe => {
                                PluginError::fatal("nobody reads standard output any more: broken pipe")
                            }
                            _ => PluginError::fatal(format!("can't write to standard output: {error}")),
                        })?;
                        feed.ack(block.ticket);
                    }
                    FeedEvent::Tick | FeedEvent::Reopen => {}
                    FeedEvent::End => return Ok(()),
                }
            }
        })
    }
}

/// The log's text for a block: the prefix before each record, a newline behind those that lack one. When
/// that changes nothing, it is the block's own bytes.
fn entries<'a>(block: &'a Block, prefix: &[u8], scratch: &'a mut Vec<u8>) -> &'a [u8] {
    if prefix.is_empty() && block.records().all(|record| record.ends_with(b"\n")) {
        return &block.bytes;
    }
    scratch.clear();
    scratch.reserve(block.bytes.len() + block.len() * (prefix.len() + 1));
    for record in block.records() {
        scratch.extend_from_slice(prefix);
        scratch.extend_from_slice(record);
        if !record.ends_with(b"\n") {
            scratch.push(b'\n');
        }
    }
    scratch
}

/// Writes and flushes everything. Standard output may have been made non-blocking by whoever shares it: then
/// this waits for room instead of failing.
fn write_all(out: &mut dyn Write, mut bytes: &[u8]) -> io::Result<()> {
    loop {
        let step = if bytes.is_empty() { out.flush().map(|()| None) } else { out.write(bytes).map(Some) };
        match step {
            Ok(None) => return Ok(()),
            Ok(Some(0)) => return Err(ErrorKind::WriteZero.into()),
            Ok(Some(written)) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => wait_for_room(),
            Err(error) => return Err(error),
        }
    }
}

/// Sleeps until standard output takes bytes again, at most 100 ms.
fn wait_for_room() {
    let mut poll = libc::pollfd { fd: io::stdout().as_raw_fd(), events: libc::POLLOUT, revents: 0 };
    // SAFETY: one descriptor, which the structure names; the call writes only into it. Its result does not
    // matter: the caller tries again either way.
    unsafe { libc::poll(&mut poll, 1, 100) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outputs::harness::{Harness, block};
    use std::sync::Mutex;

    #[test]
    fn entries_have_a_prefix_and_end_in_one_newline() {
        let cases: [(&str, &[&str], &str); 6] = [
            ("2015/03/09 23:30:01 ", &["x\n"], "2015/03/09 23:30:01 x\n"),
            ("", &["x\n"], "x\n"),
            ("P ", &["x"], "P x\n"),
            ("P ", &["a\nb\n", "c"], "P a\nb\nP c\n"),
            ("", &["a", "b\n", ""], "a\nb\n\n"),
            ("", &[], ""),
        ];
        for (prefix, records, expected) in cases {
            let block = block(records);
            assert_eq!(entries(&block, prefix.as_bytes(), &mut Vec::new()), expected.as_bytes(), "{records:?}");
        }
    }

    #[test]
    fn without_a_prefix_whole_lines_go_out_uncopied() {
        let block = block(&["a\n", "b\n"]);
        let mut scratch = Vec::new();
        assert_eq!(entries(&block, b"", &mut scratch).as_ptr(), block.bytes.as_ptr());
    }

    /// Takes at most three bytes a call, and is sometimes busy.
    #[derive(Clone, Default)]
    struct Sluggish {
        seen: Arc<Mutex<Vec<u8>>>,
        calls: usize,
        gone: bool,
    }

    impl Write for Sluggish {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.calls += 1;
            match self.calls % 3 {
                _ if self.gone => Err(ErrorKind::BrokenPipe.into()),
                1 => Err(ErrorKind::WouldBlock.into()),
                2 => Err(ErrorKind::Interrupted.into()),
                _ => {
                    let n = bytes.len().min(3);
                    self.seen.lock().unwrap().extend_from_slice(&bytes[..n]);
                    Ok(n)
                }
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn delivers_everything_in_order_and_acknowledges_it() {
        let out = Sluggish::default();
        let seen = out.seen.clone();
        let mut run = Harness::start(Box::new(LogOutput::new(Box::new(out), || "> ".to_owned())));
        run.send(&["one", "two\n"]);
        let last = run.send(&["three"]);
        run.wait_acked(last);
        assert_eq!(run.end(), Ok(()));
        assert_eq!(*seen.lock().unwrap(), b"> one\n> two\n> three\n");
    }

    #[test]
    fn a_broken_pipe_ends_the_output() {
        let out = Sluggish { gone: true, ..Sluggish::default() };
        let mut run = Harness::start(Box::new(LogOutput::new(Box::new(out), String::new)));
        run.send(&["one\n"]);
        let error = run.end().unwrap_err();
        assert!(error.message.contains("broken pipe") && !error.retry, "{error:?}");
    }
}
