//! Inputs and outputs, which have a thread of their own and may block.

use crate::messages::Messages;
use crate::show::{Show, Tally};
use crate::subject::Subject;
use crate::{Failure, TERMINATED};
use heka_message::{BatchBuilder, Span, read_message, write_message};
use heka_operators::inputs::{Credits, Input, InputEdge};
use heka_operators::outputs::{Block, Feed, FeedSender, Output};
use heka_operators::plugin::PluginError;
use hekad::flags::Given;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// Bytes that a script has sent and that are not shown yet, or that an output has not taken yet.
const AHEAD: usize = 1 << 20;
/// How long to wait for an output to take something.
const PAUSE: Duration = Duration::from_millis(1);

/// Shows what an input's script injects, until it ends or has injected enough.
pub fn input(
    subject: &Subject,
    given: &Given,
    mut input: Box<dyn Input>,
    tally: &Tally,
    show: &mut Show,
) -> Result<(), Failure> {
    let most: u64 = given.parsed("count").map_err(Failure::usage)?;
    let (sender, chunks) = channel();
    let (stop, stopped) = watch::channel(false);
    // Nothing is ever committed; the sender lives as long as the input.
    let (_commits, committed) = mpsc::unbounded_channel();
    let site = subject.site.clone();
    let mut edge = InputEdge::new(site, sender, Arc::default(), Credits::new(AHEAD), stopped, committed);
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        io::Result::Ok(runtime.block_on(async move { input.run(&mut edge).await }))
    });
    let mut shown = 0;
    for chunk in chunks {
        if most > 0 && shown == most {
            // What it injects while it stops is more than was asked for.
            continue;
        }
        let bytes = chunk.bytes.freeze();
        let mut builder = BatchBuilder::new(bytes.clone());
        read_message(&mut builder, &bytes, Span::source(0..bytes.len())).map_err(Failure::usage)?;
        show.message(builder.batch().row(0))?;
        show.finish().map_err(|error| Failure::io(&error))?;
        shown += 1;
        if shown == most {
            tally.stop();
            stop.send_replace(true);
        }
    }
    ended(thread)
}

/// Hands the sample's messages to an output's script.
pub fn output(subject: &Subject, given: &Given, mut output: Box<dyn Output>) -> Result<(), Failure> {
    let (_reopen, reopened) = watch::channel(0);
    let (_stopping, stopping) = watch::channel(false);
    let (mut sender, mut feed) = Feed::new(subject.site.clone(), Arc::default(), None, reopened, stopping);
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        io::Result::Ok(runtime.block_on(async move { output.run(&mut feed).await }))
    });
    let fed = feed_all(subject, given, &mut sender, &thread);
    sender.close();
    ended(thread)?;
    fed
}

fn feed_all<T>(
    subject: &Subject,
    given: &Given,
    sender: &mut FeedSender,
    thread: &JoinHandle<T>,
) -> Result<(), Failure> {
    let mut messages = Messages::open(subject, given)?;
    while let Some((batch, row)) = messages.next()? {
        let mut block = Block::default();
        write_message(batch.row(row), &mut block.bytes);
        // A message is never near 4 GiB.
        block.ends.push(block.bytes.len() as u32);
        sender.send(block);
        while sender.queued() > AHEAD && !thread.is_finished() {
            std::thread::sleep(PAUSE);
        }
        if thread.is_finished() {
            return Ok(());
        }
    }
    messages.end()
}

fn ended(thread: JoinHandle<io::Result<Result<(), PluginError>>>) -> Result<(), Failure> {
    match thread.join() {
        Ok(Ok(Ok(()))) => Ok(()),
        Ok(Ok(Err(error))) => Err(Failure(TERMINATED, error.message)),
        Ok(Err(error)) => Err(Failure::io(&error)),
        Err(_) => Err(Failure(TERMINATED, "the plugin panicked".to_owned())),
    }
}
