//! Plays the engine in tests: runs an input or an output and holds the other side of its edge.

#![allow(dead_code, reason = "every plugin's tests use their own part of it")]

use crate::inputs::{Chunk, Credits, Input, InputEdge, InputSpec, Waker};
use crate::log::Log;
use crate::outputs::{Block, Feed, FeedSender, OutputSpec};
use crate::plugin::{PluginError, Site};
use crate::registry::{Make, PluginType};
use crate::stats::{Reading, Stats};
use heka_settings::{Data, Problem, Problems, Table, Value};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// How long a test waits for what must come. Passing it means that it never comes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn site(name: &str) -> Site {
    Site {
        name: name.to_owned(),
        globals: Arc::default(),
        stats: Arc::new(Stats::default()),
        log: Log::new("Input", name),
    }
}

/// A section out of keys and values.
pub(crate) fn section<const N: usize>(entries: [(&str, Data); N]) -> Table {
    entries.into_iter().fold(Table::default(), |table, (key, data)| table.with(key, data))
}

pub(crate) fn text(value: impl Into<String>) -> Data {
    Data::String(value.into())
}

pub(crate) fn texts<const N: usize>(values: [&str; N]) -> Data {
    Data::Array(values.into_iter().map(|value| Value::new(text(value))).collect())
}

/// What a type says of a section.
pub(crate) fn complaints(kind: &PluginType, table: &Table) -> Vec<Problem> {
    let mut problems = Problems::default();
    match kind.make {
        Make::Input(read) => read(table, &mut problems).check(&site("x"), &mut problems),
        Make::Output(read) => read(table, &mut problems).check(&site("x"), &mut problems),
        Make::Filter(read) => read(table, &mut problems).check(&mut problems),
        _ => panic!("neither an input nor an output nor a filter"),
    }
    problems.into_sorted()
}

fn read_input(kind: &PluginType, table: &Table) -> Arc<dyn InputSpec> {
    let mut problems = Problems::default();
    let Make::Input(read) = kind.make else { panic!("no input") };
    let spec = read(table, &mut problems);
    assert!(!problems.has_errors(), "{problems:?}");
    spec
}

fn read_output(kind: &PluginType, table: &Table) -> Arc<dyn OutputSpec> {
    let mut problems = Problems::default();
    let Make::Output(read) = kind.make else { panic!("no output") };
    let spec = read(table, &mut problems);
    assert!(!problems.has_errors(), "{problems:?}");
    spec
}

/// The value of a counter, or 0.
pub(crate) fn counted(site: &Site, name: &str) -> i64 {
    let found = site.stats.read().into_iter().find(|(n, _)| n == name);
    found.map_or(0, |(_, reading)| match reading {
        Reading::Number(number, _) => number,
        Reading::Text(text) => panic!("{name} is {text}"),
    })
}

/// Polls until `test` yields something.
pub(crate) async fn eventually<T>(what: &str, mut test: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = test() {
            return value;
        }
        assert!(Instant::now() < deadline, "never happened: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// A running input.
pub(crate) struct InputRig {
    pub(crate) site: Site,
    pub(crate) credits: Credits,
    chunks: Receiver<Chunk>,
    stop: watch::Sender<bool>,
    task: JoinHandle<Result<(), PluginError>>,
    _commits: mpsc::UnboundedSender<crate::inputs::Commit>,
}

impl InputRig {
    pub(crate) fn start(kind: &PluginType, name: &str, table: &Table) -> Self {
        let site = site(name);
        let mut input: Box<dyn Input> = read_input(kind, table).build(&site).unwrap();
        let (sender, chunks) = channel();
        let (stop, stopped) = watch::channel(false);
        let (commits, committed) = mpsc::unbounded_channel();
        let credits = Credits::new(1 << 20);
        let mut edge =
            InputEdge::new(site.clone(), sender, Arc::new(Waker::default()), credits.clone(), stopped, committed);
        let task = tokio::spawn(async move { input.run(&mut edge).await });
        InputRig { site, credits, chunks, stop, task, _commits: commits }
    }

    /// Where it listens.
    pub(crate) async fn address(&self) -> String {
        eventually("the input says where it listens", || {
            let found = self.site.stats.read().into_iter().find(|(name, _)| name == "Address");
            assert!(!self.task.is_finished(), "the input has ended");
            found.map(|(_, reading)| match reading {
                Reading::Text(text) => text,
                Reading::Number(..) => panic!("an address is a text"),
            })
        })
        .await
    }

    pub(crate) async fn chunk(&mut self) -> Chunk {
        eventually("a chunk comes", || match self.chunks.try_recv() {
            Ok(chunk) => Some(chunk),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => panic!("the input has ended"),
        })
        .await
    }

    /// A chunk that is there already.
    pub(crate) fn waiting(&mut self) -> Option<Chunk> {
        self.chunks.try_recv().ok()
    }

    /// Tells it to stop, and returns how it ended and what it still sent.
    pub(crate) async fn stop(self) -> (Result<(), PluginError>, Vec<Chunk>) {
        self.stop.send_replace(true);
        self.end().await
    }

    /// Waits until it ends by itself.
    pub(crate) async fn end(self) -> (Result<(), PluginError>, Vec<Chunk>) {
        let result = tokio::time::timeout(PATIENCE, self.task).await.expect("the input ends").unwrap();
        (result, self.chunks.try_iter().collect())
    }
}

/// A running output.
pub(crate) struct OutputRig {
    pub(crate) site: Site,
    pub(crate) feed: FeedSender,
    stop: watch::Sender<bool>,
    task: JoinHandle<Result<(), PluginError>>,
    _reopen: watch::Sender<u64>,
}

impl OutputRig {
    pub(crate) fn start(kind: &PluginType, table: &Table) -> Self {
        let site = site("out");
        let mut output = read_output(kind, table).build(&site).unwrap();
        let (stop, stopping) = watch::channel(false);
        let (reopen, reopened) = watch::channel(0);
        let (sender, mut feed) = Feed::new(site.clone(), Arc::new(Waker::default()), None, reopened, stopping);
        let task = tokio::spawn(async move { output.run(&mut feed).await });
        OutputRig { site, feed: sender, stop, task, _reopen: reopen }
    }

    /// Sends the records as one block.
    pub(crate) fn send<R: AsRef<[u8]>>(&mut self, records: impl IntoIterator<Item = R>) -> u64 {
        let mut block = Block::default();
        for record in records {
            block.bytes.extend_from_slice(record.as_ref());
            block.ends.push(block.bytes.len() as u32);
        }
        self.feed.send(block)
    }

    pub(crate) async fn acked(&self, ticket: u64) {
        eventually("the block is acknowledged", || {
            assert!(!self.task.is_finished(), "the output has ended");
            (self.feed.acked() >= ticket).then_some(())
        })
        .await;
    }

    /// A shutdown begins.
    pub(crate) fn begin_shutdown(&self) {
        self.stop.send_replace(true);
    }

    /// Nothing more will come; returns how it ended and the last ticket acknowledged.
    pub(crate) async fn end(mut self) -> (Result<(), PluginError>, u64) {
        self.feed.close();
        let result = tokio::time::timeout(PATIENCE, self.task).await.expect("the output ends").unwrap();
        (result, self.feed.acked())
    }
}
