//! The running output: takes blocks, writes them early and syncs them late, and never gives a record up.
//!
//! To *write* hands bytes to the kernel; to *flush* means to write, to sync and to acknowledge. The flush rule
//! decides about flushes. Writes happen earlier when much is waiting, and a flush happens at
//! [`FLUSH_BYTES`] whatever the rule says, because the engine sends only so much before it wants something
//! acknowledged.

use super::backlog::Backlog;
use super::flush::{FlushClock, FlushRule};
use super::rotation::Rotation;
use super::target::{Modes, Target};
use crate::backoff::Backoff;
use crate::inputs::Runs;
use crate::outputs::{Block, Feed, FeedEvent, Output};
use crate::plugin::{BoxFuture, PluginError, Site};
use crate::throttle::Throttle;
use jiff::Timestamp;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Bytes that are written without waiting for the flush.
const WRITE_BYTES: u64 = 256 * 1024;
/// Bytes that are flushed whatever the rule says.
const FLUSH_BYTES: u64 = 2 * 1024 * 1024;
/// How long the end of the feed waits for a file that fails.
const LAST_ATTEMPTS: Duration = Duration::from_millis(if cfg!(test) { 100 } else { 10_000 });
/// The clock may be set: how long at most until the next look at it, where files rotate.
const CLOCK_CHECK: Duration = Duration::from_secs(60);

/// A file being written.
pub struct FileOutput {
    target: Target,
    modes: Modes,
    backlog: Backlog,
    flush: FlushClock,
    rotation: Option<Rotation>,
    /// When the next file begins, and when to look at the clock again.
    next_file: Option<(Timestamp, Instant)>,
    backoff: Backoff,
    complaints: Throttle,
    /// After a failure: not before this.
    retry_at: Option<Instant>,
}

impl FileOutput {
    /// An output that appends to `target`.
    pub fn new(target: Target, modes: Modes, rule: FlushRule, rotation: Option<Rotation>) -> Self {
        let mut output = FileOutput {
            target,
            modes,
            backlog: Backlog::default(),
            flush: FlushClock::new(rule, Instant::now()),
            rotation,
            next_file: None,
            backoff: Backoff::new(Duration::from_millis(10), Duration::from_secs(1)),
            complaints: Throttle::default(),
            retry_at: None,
        };
        output.plan_rotation(Timestamp::now());
        output
    }

    fn take(&mut self, block: Arc<Block>) {
        let now = Instant::now();
        if self.flush.timer(now) {
            self.backlog.want_all();
        }
        let records = self.flush.messages(block.len() as u64, now);
        self.backlog.push(block);
        self.backlog.want(records);
    }

    /// When something is to be done although the feed brings nothing.
    fn wake_at(&self) -> Option<Instant> {
        let unfinished = self.backlog.wants_write() || self.backlog.wants_sync();
        let work = if self.retry_at.is_some() {
            self.retry_at
        } else if unfinished {
            // A pipe is full; waiting for room is part of the attempt.
            Some(Instant::now())
        } else {
            self.flush.deadline()
        };
        work.into_iter().chain(self.next_file.map(|(_, look)| look)).min()
    }

    /// Writes and syncs what is due. On a failure everything stays in the backlog for the next attempt.
    fn work(&mut self, site: &Site) {
        if self.retry_at.is_some_and(|at| Instant::now() < at) {
            return;
        }
        self.retry_at = None;
        let was_failing = self.backoff.is_failing();
        let done = self.write().and_then(|()| self.sync());
        if was_failing && !self.backoff.is_failing() {
            site.log.info(format_args!("writing to {} again", self.target.path().display()));
        }
        if let Err(error) = done {
            self.retry_at = Some(Instant::now() + self.backoff.pause());
            if let Some(unsaid) = self.complaints.admit(Instant::now()) {
                let path = self.target.path().display();
                let waiting = self.backlog.unsynced();
                site.log
                    .error(format_args!("Can't write to {path}: {error}; {waiting} bytes wait, trying again{unsaid}"));
            }
        }
    }

    fn write(&mut self) -> std::io::Result<()> {
        loop {
            let early = self.backlog.unwritten() >= WRITE_BYTES;
            if !early && !self.backlog.wants_write() {
                return Ok(());
            }
            let target = &mut self.target;
            match self.backlog.next_bytes(early, |slices| target.write(slices)) {
                Ok(0) => return Ok(()),
                Ok(written) => self.backlog.wrote(written),
                Err(error) => {
                    // Readers see whole records only. Where that cannot be, the rest follows when it can.
                    let torn = self.backlog.torn();
                    if torn > 0 && self.target.take_back(torn) {
                        self.backlog.unwrite(torn);
                    }
                    return Err(error);
                }
            }
        }
    }

    fn sync(&mut self) -> std::io::Result<()> {
        if !self.backlog.wants_sync() {
            return Ok(());
        }
        let synced = self.target.sync(self.backlog.torn());
        match &synced {
            Ok(()) => {
                self.backlog.sync_succeeded();
                self.backoff.reset();
                self.complaints.reset();
            }
            Err(_) => {
                // The kernel may have forgotten what it could not store: all since the last sync is written
                // again, after what is there of it has been taken back where possible.
                self.target.take_back_unsynced();
                self.backlog.unwrite(self.backlog.unsure());
            }
        }
        synced
    }

    /// Flushes into the present file, then goes on with `path`. What the present file does not take goes to
    /// the new one.
    fn switch(&mut self, site: &Site, path: &Path) -> std::io::Result<()> {
        self.flush_all();
        self.retry_at = None;
        self.work(site);
        if self.backlog.unsure() > 0 {
            self.backlog.unwrite(self.backlog.unsure());
        }
        self.target = Target::open(path, self.modes)?;
        self.retry_at = None;
        Ok(())
    }

    fn flush_all(&mut self) {
        self.flush.flushed(Instant::now());
        self.backlog.want_all();
    }

    fn reopen(&mut self, site: &Site) -> Result<(), PluginError> {
        let path = self.target.path().to_owned();
        self.switch(site, &path)
            .map_err(|error| PluginError::fatal(format!("unable to reopen file '{}': {error}", path.display())))
    }

    /// Begins the next file when it is time.
    fn rotate(&mut self, site: &Site, now: Timestamp) -> Result<(), PluginError> {
        let (Some(rotation), Some((at, look))) = (&self.rotation, self.next_file) else { return Ok(()) };
        if now < at {
            if Instant::now() >= look {
                self.plan_rotation(now);
            }
            return Ok(());
        }
        let path = rotation.path(now);
        self.switch(site, &path).map_err(|error| {
            PluginError::fatal(format!("unable to open rotated file '{}': {error}", path.display()))
        })?;
        self.plan_rotation(now);
        Ok(())
    }

    fn plan_rotation(&mut self, now: Timestamp) {
        self.next_file = self.rotation.as_ref().and_then(|rotation| rotation.next(now)).map(|at| {
            let wait = Duration::try_from(at.duration_since(now)).unwrap_or_default();
            (at, Instant::now() + wait.min(CLOCK_CHECK))
        });
    }
}

impl Output for FileOutput {
    fn runs(&self) -> Runs {
        Runs::OwnThread
    }

    fn run<'a>(&'a mut self, feed: &'a mut Feed) -> BoxFuture<'a, Result<(), PluginError>> {
        Box::pin(async move {
            let mut ended: Option<Instant> = None;
            loop {
                let wake = self.wake_at();
                let event = tokio::select! {
                    biased;
                    event = feed.next(), if ended.is_none() => Some(event),
                    () = sleep_until(wake) => None,
                };
                self.rotate(&feed.site, Timestamp::now())?;
                match event {
                    Some(FeedEvent::Block(block)) => {
                        self.take(block);
                        // What waits already shares one flush.
                        while self.backlog.unsynced() < FLUSH_BYTES
                            && let Some(block) = feed.try_next()
                        {
                            self.take(block);
                        }
                    }
                    Some(FeedEvent::Reopen) => self.reopen(&feed.site)?,
                    Some(FeedEvent::End) => {
                        ended = Some(Instant::now());
                        self.flush_all();
                    }
                    Some(FeedEvent::Tick) | None => {}
                }
                if self.flush.timer(Instant::now()) {
                    self.backlog.want_all();
                } else if self.backlog.unsynced() >= FLUSH_BYTES {
                    self.flush_all();
                }
                self.work(&feed.site);
                if let Some(ticket) = self.backlog.settle() {
                    feed.ack(ticket);
                }
                match ended {
                    Some(_) if self.backlog.unsynced() == 0 => return Ok(()),
                    Some(at) if at.elapsed() > LAST_ATTEMPTS => {
                        return Err(PluginError::fatal(format!(
                            "Can't write to {}: gave up at the end with {} bytes unwritten; they stay \
                             unacknowledged",
                            self.target.path().display(),
                            self.backlog.unsynced()
                        )));
                    }
                    _ => {}
                }
            }
        })
    }
}

/// Waits until `at`; for ever when there is no such time.
async fn sleep_until(at: Option<Instant>) {
    match at {
        // The timer counts in milliseconds, and a pipe has room again long before the next one.
        Some(at) if at <= Instant::now() => tokio::task::yield_now().await,
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outputs::harness::{block, site};
    use jiff::tz::TimeZone;

    const MODES: Modes = Modes { file: 0o644, folder: 0o700 };
    const AT_ONCE: FlushRule = FlushRule { count: 1, interval: None, either: false };

    fn text(path: &Path) -> String {
        std::fs::read_to_string(path).unwrap()
    }

    #[test]
    fn rotation_switches_files_at_the_boundary() {
        let dir = tempfile::tempdir().unwrap();
        let site = site("file", dir.path());
        let pattern = dir.path().join("%Y-%m-%d.log");
        let rotation = Rotation::new(pattern.to_str().unwrap(), 24, TimeZone::UTC).unwrap();
        let before: Timestamp = "2015-03-09T23:59:59Z".parse().unwrap();
        let after: Timestamp = "2015-03-10T00:00:00Z".parse().unwrap();
        let target = Target::open(&rotation.path(before), MODES).unwrap();
        let rule = FlushRule { count: 2, ..AT_ONCE };
        let mut output = FileOutput::new(target, MODES, rule, Some(rotation));
        output.plan_rotation(before);
        for (now, record) in [(before, "old\n"), (after, "new\n"), (after, "newer\n")] {
            output.rotate(&site, now).unwrap();
            output.take(Arc::new(block(&[record])));
            output.work(&site);
        }
        assert_eq!(text(&dir.path().join("2015-03-09.log")), "old\n", "a rest belongs to the file of its time");
        assert_eq!(text(&dir.path().join("2015-03-10.log")), "new\nnewer\n");
    }

    #[test]
    fn a_full_disk_is_waited_for_and_nothing_is_lost() {
        let dir = tempfile::tempdir().unwrap();
        let site = site("file", dir.path());
        let path = dir.path().join("out.log");
        std::os::unix::fs::symlink("/dev/full", &path).unwrap();
        let target = Target::open(&path, MODES).unwrap();
        let mut output = FileOutput::new(target, MODES, AT_ONCE, None);
        for record in ["one\n", "two\n"] {
            output.take(Arc::new(block(&[record])));
            output.work(&site);
            assert!(output.wake_at() > Some(Instant::now() - Duration::from_secs(1)), "another attempt is planned");
        }
        assert_eq!((output.backlog.unsynced(), output.backlog.settle()), (8, None));
        // There is room again, in another file of the same name.
        std::fs::remove_file(&path).unwrap();
        output.reopen(&site).unwrap();
        output.work(&site);
        assert_eq!((output.backlog.unsynced(), output.retry_at), (0, None));
        assert_eq!(text(&path), "one\ntwo\n");
    }
}
