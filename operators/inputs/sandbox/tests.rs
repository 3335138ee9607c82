//! The documented behaviour of scripts that make messages.

use super::*;
use crate::inputs::{Credits, Waker};
use crate::outputs::harness::wait_until;
use crate::script::testing::{Place, checked, number};
use heka_message::{Batch, Span, read_message};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use tokio::sync::{mpsc, watch};

/// An input on a thread of its own, as the daemon runs it.
struct Rig {
    place: Place,
    site: Site,
    chunks: Receiver<Chunk>,
    stop: watch::Sender<bool>,
    thread: JoinHandle<Result<(), PluginError>>,
    _commits: mpsc::UnboundedSender<crate::inputs::Commit>,
}

impl Rig {
    fn start(script: &str, change: impl FnOnce(Table) -> Table) -> Self {
        let place = Place::new(script);
        let site = place.site("in");
        let Make::Input(read) = TYPE.make else { panic!("not an input") };
        let mut input = checked(read, &change(place.section())).build(&site).unwrap();
        assert_eq!(input.runs(), Runs::OwnThread);
        let (sender, chunks) = channel();
        let (stop, stopped) = watch::channel(false);
        let (commits, committed) = mpsc::unbounded_channel();
        let credits = Credits::new(1 << 20);
        let mut edge = InputEdge::new(site.clone(), sender, Arc::new(Waker::default()), credits, stopped, committed);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(input.run(&mut edge))
        });
        Rig { place, site, chunks, stop, thread, _commits: commits }
    }

    /// How it ended, and the messages it sent, one a chunk.
    fn end(self) -> (Result<(), PluginError>, Vec<Batch>, Site, Place) {
        wait_until("the input's end", || self.thread.is_finished());
        let result = self.thread.join().unwrap();
        let message = |chunk: Chunk| {
            let bytes = chunk.bytes.freeze();
            let mut builder = BatchBuilder::new(bytes.clone());
            read_message(&mut builder, &bytes, Span::source(0..bytes.len())).unwrap();
            assert_eq!(chunk.end, ChunkEnd::Packet);
            builder.finish()
        };
        (result, self.chunks.try_iter().map(message).collect(), self.site, self.place)
    }
}

#[test]
fn a_single_run_ends_without_an_error() {
    let script = "function process_message() inject_message{Payload = 'line 1'} return 0 end";
    let (result, messages, site, _) = Rig::start(script, |section| section).end();
    assert_eq!((result, messages.len()), (Ok(()), 1));
    let row = messages[0].row(0);
    assert_eq!((row.payload(), row.logger()), (&b"line 1"[..], &b"in"[..]));
    assert!(row.uuid().is_some() && row.timestamp() > 1_700_000_000_000_000_000);
    assert_eq!(number(&site, "ProcessMessageBytes"), 36);
}

#[test]
fn a_ticker_calls_again_and_failures_are_counted() {
    let script = "n = 0 function process_message() n = n + 1 inject_message{Payload = n} return -1, 'soft' end";
    let rig = Rig::start(script, |section| section.with("ticker_interval", Data::Integer(1)));
    let second = rig.chunks.iter().nth(1).unwrap();
    assert!(second.bytes.as_ref().ends_with(b"in") || second.bytes.as_ref().windows(3).any(|w| w == b"\x32\x012"));
    rig.stop.send_replace(true);
    let (result, _, site, _) = rig.end();
    assert_eq!(result, Ok(()));
    assert!(number(&site, "ProcessMessageFailures") >= 2);
}

#[test]
fn a_stop_ends_an_endless_script_which_keeps_its_data() {
    let script =
        "n = 0 function process_message() inject_message{} while true do pcall(function() n = n + 1 end) end end";
    let rig = Rig::start(script, |section| section.with("preserve_data", Data::Bool(true)));
    rig.chunks.recv().unwrap();
    rig.stop.send_replace(true);
    let (result, _, _, place) = rig.end();
    assert_eq!(result, Ok(()));
    assert!(place.data("in").unwrap().contains("_G[\"n\"] = "));
}

#[test]
fn a_stop_ends_a_script_that_waits_for_the_budget() {
    let script = "require 'string' local big = ('x'):rep(400000) function process_message() while true do inject_message{Payload = big} end end";
    let rig = Rig::start(script, |section| section.with("output_limit", Data::Integer(0)));
    let held = rig.chunks.recv().unwrap();
    rig.stop.send_replace(true);
    wait_until("the input's end", || rig.thread.is_finished());
    drop(held);
    assert_eq!(rig.thread.join().unwrap(), Ok(()));
}

#[test]
fn what_is_no_message_and_what_ends_the_script() {
    for (script, text) in [
        (
            "function process_message() inject_message('garbage') return 0 end",
            "inject_message() protobuf unmarshal failed",
        ),
        ("function process_message() return 1, 'enough' end", "FATAL: enough"),
        ("function process_message() error('broken') end", "broken"),
    ] {
        let (result, messages, ..) = Rig::start(script, |section| section).end();
        let error = result.unwrap_err();
        assert!(error.message.ends_with(text) && error.retry && messages.is_empty(), "{error:?}");
    }
}

#[test]
fn files_and_coroutines_are_there() {
    let script = "require 'io' require 'string' function process_message() local f = io.open(read_config('file')) \
                  for line in coroutine.wrap(function() for l in f:lines() do coroutine.yield(l) end end) do \
                  inject_message{Payload = line, Uuid = ('u'):rep(16), Timestamp = 5, Logger = 'file'} end return 0 end";
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "one\ntwo\n").unwrap();
    let config = Table::default().with("file", Data::String(file.path().to_str().unwrap().into()));
    let (result, messages, ..) = Rig::start(script, |section| section.with("config", Data::Table(config))).end();
    assert_eq!((result, messages.len()), (Ok(()), 2));
    let row = messages[1].row(0);
    assert_eq!(
        (row.payload(), row.logger(), row.timestamp(), row.uuid()),
        (&b"two"[..], &b"file"[..], 5, Some(b"uuuuuuuuuuuuuuuu"))
    );
}
