//! Plays the engine for tests of outputs: feeds blocks, reads acknowledgements, tells of reopening and stopping.

#![allow(dead_code, reason = "every plugin's tests use their own part of it")]

use crate::log::Log;
use crate::outputs::{Block, Feed, FeedSender, Output};
use crate::plugin::{Globals, PluginError, Site};
use crate::stats::{Reading, Stats};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// A site whose state lives below `base_dir`.
pub(crate) fn site(name: &str, base_dir: &Path) -> Site {
    Site {
        name: name.to_owned(),
        globals: Arc::new(Globals { base_dir: base_dir.to_owned(), ..Globals::default() }),
        stats: Arc::new(Stats::default()),
        log: Log::new("Plugin", name),
    }
}

/// A block of these records.
pub(crate) fn block<R: AsRef<[u8]>>(records: &[R]) -> Block {
    let mut block = Block::default();
    for record in records {
        block.bytes.extend_from_slice(record.as_ref());
        block.ends.push(block.bytes.len() as u32);
    }
    block
}

/// The number called `name`, 0 when there is none.
pub(crate) fn number(site: &Site, name: &str) -> i64 {
    site.stats
        .read()
        .into_iter()
        .find_map(|(n, reading)| match reading {
            Reading::Number(value, _) if n == name => Some(value),
            _ => None,
        })
        .unwrap_or(0)
}

/// Waits until `what` holds.
pub(crate) fn wait_until(label: &str, mut what: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !what() {
        assert!(Instant::now() < deadline, "waited in vain: {label}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// One output that runs on a thread of its own.
pub(crate) struct Harness {
    sender: FeedSender,
    reopen: watch::Sender<u64>,
    stopping: watch::Sender<bool>,
    thread: JoinHandle<Result<(), PluginError>>,
}

impl Harness {
    pub(crate) fn start(output: Box<dyn Output>) -> Self {
        Harness::start_at(site("test", Path::new("/nonexistent")), output)
    }

    pub(crate) fn start_at(site: Site, mut output: Box<dyn Output>) -> Self {
        let (reopen, reopened) = watch::channel(0);
        let (stopping, stopped) = watch::channel(false);
        let (sender, mut feed) = Feed::new(site, Arc::default(), None, reopened, stopped);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(output.run(&mut feed))
        });
        Harness { sender, reopen, stopping, thread }
    }

    pub(crate) fn send<R: AsRef<[u8]>>(&mut self, records: &[R]) -> u64 {
        self.sender.send(block(records))
    }

    pub(crate) fn acked(&self) -> u64 {
        self.sender.acked()
    }

    pub(crate) fn wait_acked(&self, ticket: u64) {
        wait_until("acknowledgement", || self.sender.acked() >= ticket);
    }

    pub(crate) fn reopen(&self) {
        self.reopen.send_modify(|n| *n += 1);
    }

    pub(crate) fn stop(&self) {
        self.stopping.send_replace(true);
    }

    pub(crate) fn is_running(&self) -> bool {
        !self.thread.is_finished()
    }

    /// Ends the feed and gives what the run returned.
    pub(crate) fn end(mut self) -> Result<(), PluginError> {
        self.sender.close();
        wait_until("the output's end", || self.thread.is_finished());
        self.thread.join().unwrap()
    }
}
