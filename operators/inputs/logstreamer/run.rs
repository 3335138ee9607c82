//! The input's loop: looks at the streams in turn, one chunk each, and sleeps when none has anything.

use super::LogstreamerSettings;
use super::follow::{Common, Follower, Listed, Look};
use super::locate::Start;
use super::pattern::FileMatch;
use super::scan::{self, LogFile};
use super::watch::{Announced, Event, Watch};
use crate::inputs::{ChunkBuf, ChunkPool, Commit, Credit, Input, InputEdge, Runs};
use crate::plugin::{BoxFuture, PluginError, Site};
use std::collections::{HashMap, HashSet};
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::mpsc::UnboundedReceiver;

/// Bytes read at once.
const CHUNK: usize = 256 * 1024;
/// Room for the partial record of the chunk before.
const HEADROOM: usize = 8 * 1024;
/// Idle buffers kept.
const KEEP: usize = 8;
/// Without notifications files are looked at this often, however long `check_data_interval` is.
const POLL: Duration = Duration::from_millis(50);
/// Where every change is announced files are looked at this seldom: writes through a memory map are not announced.
const RARELY: Duration = Duration::from_secs(1);
/// After a notification this long is waited, so that lines written one by one are read together.
const GATHER: Duration = Duration::from_millis(5);
/// Scans because of notifications are at least this far apart.
const SCAN_GAP: Duration = Duration::from_millis(100);

/// The input: all streams of one section.
pub struct Logstreamer {
    common: Arc<Common>,
    root: PathBuf,
    oldest: Duration,
    rescan_every: Duration,
    check_every: Duration,
    initial_tail: bool,
    pub(super) followers: Vec<Follower>,
    /// Index into `followers` by stream name.
    by_name: HashMap<String, usize>,
    /// What scans complained of; each is logged once.
    pub(super) complaints: HashSet<String>,
    /// Files that were too old when the daemon started, with their size then.
    stale: HashMap<PathBuf, u64>,
    started: bool,
}

impl Logstreamer {
    /// Prepares the journal directory and searches the tree for the first time.
    ///
    /// # Errors
    /// When there is no log directory, a journal cannot be read, or the files of a stream cannot be ordered.
    pub fn new(settings: &LogstreamerSettings, site: &Site) -> Result<Self, String> {
        let journals = match &settings.journal_directory {
            Some(directory) => PathBuf::from(directory),
            None => site.globals.state_path("logstreamer"),
        };
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o744)
            .create(&journals)
            .map_err(|error| format!("cannot create the journal directory {}: {error}", journals.display()))?;
        let root = std::fs::canonicalize(&settings.log_directory)
            .map_err(|error| format!("log_directory {}: {error}", settings.log_directory))?;
        let mut input = Logstreamer {
            common: Arc::new(Common {
                site: site.clone(),
                hostname: settings.hostname.clone().unwrap_or_else(|| site.globals.hostname.clone()),
                journals,
                pattern: FileMatch::new(&root, settings, &site.name)?,
            }),
            root,
            oldest: settings.oldest_duration,
            rescan_every: settings.rescan_interval.value,
            check_every: settings.check_data_interval.value,
            initial_tail: settings.initial_tail,
            followers: Vec::new(),
            by_name: HashMap::new(),
            complaints: HashSet::new(),
            stale: HashMap::new(),
            started: false,
        };
        let errors = input.rescan();
        input.started = true;
        match errors.into_iter().next() {
            Some(error) => Err(error),
            None => Ok(input),
        }
    }

    /// Searches the tree; new streams get followers. Gives what must stop a start.
    pub(super) fn rescan(&mut self) -> Vec<String> {
        let at = SystemTime::now();
        let found = scan::scan(&self.root, &self.common.pattern, self.oldest);
        let mut errors = found.unordered;
        for (name, files) in found.streams {
            if let Some(follower) = self.by_name.get(&name).and_then(|index| self.followers.get_mut(*index)) {
                follower.set_files(Listed { files, at });
                continue;
            }
            let id = self.followers.len();
            let start = self.start_of(&files);
            match Follower::new(id as u32, &name, Listed { files, at }, &self.common, start) {
                Ok(follower) => {
                    self.by_name.insert(name, id);
                    self.followers.push(follower);
                }
                Err(error) => errors.push(error),
            }
        }
        if !self.started {
            self.stale = found.stale.into_iter().collect();
        }
        for skipped in found.skipped {
            self.complain(skipped);
        }
        errors
    }

    /// Where a new stream without a position starts. With `initial_tail` everything that was there when the
    /// daemon started is old; what is written between then and the discovery of a new stream is not.
    fn start_of(&self, files: &[LogFile]) -> Start {
        if !self.initial_tail {
            return Start::Oldest;
        }
        if !self.started {
            return Start::Newest;
        }
        let old = files.iter().rev().find_map(|file| Some((file.path.clone(), *self.stale.get(&file.path)?)));
        old.map_or(Start::Oldest, |(path, size)| Start::Behind(path, size))
    }

    /// Logs an error of a scan, once.
    fn complain(&mut self, what: String) {
        if self.complaints.len() < 10_000 && !self.complaints.contains(&what) {
            self.common.site.log.error(&what);
            self.complaints.insert(what);
        }
    }

    fn commit(&mut self, commit: Commit) {
        if let Some(follower) = self.followers.get_mut(commit.stream as usize) {
            follower.commit(commit.position);
        }
    }

    /// Reads until told to stop.
    async fn follow(&mut self, edge: &InputEdge, commits: &mut Option<UnboundedReceiver<Commit>>) {
        let pool = ChunkPool::new(CHUNK, HEADROOM, KEEP);
        let mut watch = Watch::new().ok();
        let mut pause = if watch.is_some() { self.check_every.max(RARELY) } else { self.check_every.min(POLL) };
        let mut scanned = Instant::now();
        let mut checked = Instant::now();
        let mut scan_at = scanned + self.rescan_every;
        let mut awake: Vec<bool> = Vec::new();
        if let Some(watch) = &mut watch {
            watch.tree(&self.root);
        }
        self.watch_directories(watch.as_mut());
        while !edge.is_stopping() {
            while let Some(commit) = commits.as_mut().and_then(|commits| commits.try_recv().ok()) {
                self.commit(commit);
            }
            if Instant::now() >= scan_at {
                for error in self.rescan() {
                    self.complain(error);
                }
                self.watch_directories(watch.as_mut());
                scanned = Instant::now();
                scan_at = scanned + self.rescan_every;
                awake.fill(true);
            }
            if checked.elapsed() >= pause {
                checked = Instant::now();
                awake.fill(true);
            }
            awake.resize(self.followers.len(), true);
            let mut busy = false;
            for (index, awake) in awake.iter_mut().enumerate() {
                if !*awake {
                    continue;
                }
                let look = self.followers[index].look(edge);
                if let (Some(watch), Some(file)) = (watch.as_mut(), self.followers[index].take_changed()) {
                    pause = match watch.follow(index as u32, file) {
                        Announced::Always => pause,
                        Announced::Perhaps => pause.min(self.check_every),
                        Announced::Never => pause.min(self.check_every).min(POLL),
                    };
                }
                match look {
                    Look::Data => {
                        let Some((buffer, credit)) = self.buffer(edge, &pool, commits).await else { return };
                        self.followers[index].read(edge, buffer, credit);
                        busy = true;
                    }
                    Look::Again => busy = true,
                    Look::Rescan => {
                        scan_at = Instant::now();
                        busy = true;
                    }
                    Look::Idle => *awake = false,
                }
            }
            let mut wake_at = scan_at.min(checked + pause);
            for follower in &mut self.followers {
                follower.flush(false);
                wake_at = follower.due().map_or(wake_at, |due| due.min(wake_at));
            }
            if busy {
                continue;
            }
            let mut events = Vec::new();
            tokio::select! {
                biased;
                () = edge.stopped() => return,
                commit = next(commits) => self.commit(commit),
                () = events_of(&mut watch, &mut events) => tokio::time::sleep(GATHER).await,
                () = tokio::time::sleep_until(wake_at.into()) => {}
            }
            for event in events {
                match event {
                    Event::File(stream) => {
                        if let Some(awake) = awake.get_mut(stream as usize) {
                            *awake = true;
                        }
                    }
                    Event::Entry(path) if path.is_dir() || self.common.pattern.takes(&path) => {
                        if let Some(watch) = watch.as_mut().filter(|_| path.is_dir() && !path.is_symlink()) {
                            watch.tree(&path);
                        }
                        scan_at = scan_at.min((scanned + SCAN_GAP).max(Instant::now()));
                    }
                    Event::Entry(_) => {}
                    Event::Lost => awake.fill(true),
                }
            }
        }
    }

    /// A buffer, as soon as the budget has room; `None` when told to stop before that.
    async fn buffer(
        &mut self,
        edge: &InputEdge,
        pool: &Arc<ChunkPool>,
        commits: &mut Option<UnboundedReceiver<Commit>>,
    ) -> Option<(ChunkBuf, Credit)> {
        if let Some(taken) = edge.try_buffer(pool) {
            return Some(taken);
        }
        loop {
            for follower in &mut self.followers {
                follower.flush(false);
            }
            tokio::select! {
                biased;
                () = edge.stopped() => return None,
                commit = next(commits) => self.commit(commit),
                taken = edge.buffer(pool) => return Some(taken),
            }
        }
    }

    fn watch_directories(&self, watch: Option<&mut Watch>) {
        let Some(watch) = watch else { return };
        watch.directory(&self.root);
        for file in self.followers.iter().flat_map(Follower::files) {
            // The directory's own parent as well: dated directories appear there.
            for directory in file.path.ancestors().skip(1).take(2).filter(|path| path.starts_with(&self.root)) {
                watch.directory(directory);
            }
        }
    }
}

/// The next commit; never when the channel is closed.
async fn next(commits: &mut Option<UnboundedReceiver<Commit>>) -> Commit {
    if let Some(receiver) = commits {
        if let Some(commit) = receiver.recv().await {
            return commit;
        }
        *commits = None;
    }
    std::future::pending().await
}

async fn events_of(watch: &mut Option<Watch>, events: &mut Vec<Event>) {
    match watch {
        Some(watch) => watch.wait(events).await,
        None => std::future::pending().await,
    }
}

impl Input for Logstreamer {
    fn runs(&self) -> Runs {
        Runs::OwnThread
    }

    fn run<'a>(&'a mut self, edge: &'a mut InputEdge) -> BoxFuture<'a, Result<(), PluginError>> {
        Box::pin(async move {
            let mut commits = edge.take_commits();
            self.follow(edge, &mut commits).await;
            edge.finish();
            while let Some(commits) = &mut commits {
                let Some(commit) = commits.recv().await else { break };
                self.commit(commit);
                for follower in &mut self.followers {
                    follower.flush(false);
                }
            }
            for follower in &mut self.followers {
                follower.flush(true);
            }
            Ok(())
        })
    }
}
