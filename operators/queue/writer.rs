//! The queue's writer: an output whose deliveries are appends.

use super::layout::{Cursor, create_file, create_folder, file_path};
use super::{DiskQueue, FullAction};
use crate::backoff::Backoff;
use crate::inputs::Runs;
use crate::outputs::{Block, Feed, FeedEvent, Output};
use crate::plugin::{BoxFuture, PluginError};
use crate::stats::Counter;
use crate::throttle::Throttle;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Appended bytes after which a sync is due whatever else waits.
const SYNC_BYTES: u64 = 4 * 1024 * 1024;
/// Time after which a sync is due whatever else waits.
const SYNC_PAUSE: Duration = Duration::from_millis(50);
/// Unsynced bytes that show that much is coming, and how long the next block may take then.
const BUSY_BYTES: u64 = 64 * 1024;
const MOMENT: Duration = Duration::from_millis(4);
/// How long a shutdown waits for a disk that fails, or a queue that stays full.
const LAST_ATTEMPTS: Duration = Duration::from_millis(if cfg!(test) { 100 } else { 5_000 });

/// Appends blocks of framed messages to a queue.
pub struct QueueOutput {
    queue: Arc<DiskQueue>,
    /// Bytes at which a file is full.
    file_size: u64,
    /// The tail, once it has been written to.
    tail: Option<(u64, File)>,
    /// Files before it that are not synced yet.
    rolled: Vec<File>,
    /// Bytes appended and not synced.
    unsynced: u64,
    /// A sync failed: what was appended since the last good one has to be appended again.
    lost: bool,
    /// The last block appended whole.
    appended: u64,
    dropped: Arc<Counter>,
    full: Throttle,
    failures: Throttle,
    backoff: Backoff,
    /// When a failure first met a shutdown.
    stopping_since: Option<Instant>,
}

/// What became of an attempt to append.
enum Step {
    /// So many records are appended.
    Appended(usize),
    /// The next record finds the queue full.
    Full,
}

impl QueueOutput {
    pub fn new(queue: Arc<DiskQueue>) -> Self {
        QueueOutput {
            file_size: queue.settings.file_size(queue.site.globals.max_record_size()),
            tail: None,
            rolled: Vec::new(),
            unsynced: 0,
            lost: false,
            appended: 0,
            dropped: queue.site.stats.drops("queue-full"),
            full: Throttle::default(),
            failures: Throttle::default(),
            backoff: Backoff::new(Duration::from_millis(10), Duration::from_secs(1)),
            stopping_since: None,
            queue,
        }
    }

    /// Appends a block, record by record where the queue or the file has no room for more.
    async fn append(&mut self, block: &Arc<Block>, feed: &mut Feed) -> Result<(), PluginError> {
        let mut done = 0;
        while done < block.len() {
            match self.append_some(block, done) {
                Ok(Step::Appended(records)) => {
                    done += records;
                }
                Ok(Step::Full) => match self.queue.settings.full_action {
                    FullAction::Drop => {
                        done += 1;
                        self.drop_one();
                    }
                    FullAction::Block => self.wait_for_space(feed).await?,
                    FullAction::Shutdown => {
                        let _ = self.sync_and_acknowledge(feed);
                        let fill = self.queue.fill();
                        return Err(PluginError::fatal(format!(
                            "can't deliver matched message: Queue is full ({} of {} bytes wait for delivery, and \
                             full_action is 'shutdown')",
                            fill.waiting, fill.limit
                        )));
                    }
                },
                Err(error) => self.pause(feed, "append to", error).await?,
            }
        }
        self.appended = block.ticket;
        Ok(())
    }

    /// Appends as many of the records from `first` on as one file takes.
    fn append_some(&mut self, block: &Arc<Block>, first: usize) -> io::Result<Step> {
        let fill = self.queue.fill();
        let room = if fill.limit == 0 { u64::MAX } else { fill.limit.saturating_sub(fill.waiting) };
        if fitting(&block.ends, first, room) == 0 {
            return Ok(Step::Full);
        }
        let (tail, length, spoilt) = {
            let ledger = self.queue.ledger();
            (ledger.tail(), ledger.length(ledger.tail()).unwrap_or(0), ledger.tail_is_spoilt())
        };
        let mut records = fitting(&block.ends, first, room.min(self.file_size.saturating_sub(length)));
        if spoilt || records == 0 && length > 0 {
            self.roll(tail)?;
            return Ok(Step::Appended(0));
        }
        // A record larger than a file gets a file of its own.
        records = records.max(1);
        let range = start_of(&block.ends, first) as usize..start_of(&block.ends, first + records) as usize;
        let bytes = block.bytes.get(range.clone()).unwrap_or_default();
        let file = match self.tail.take().filter(|(number, _)| *number == tail) {
            Some((_, file)) => file,
            None => File::options().write(true).open(file_path(&self.queue.folder, tail))?,
        };
        // Always at the published end: what an attempt that failed left there is written over.
        let written = file.write_all_at(bytes, length);
        if written.is_err() {
            // Only for readers of the bare files; ours stops at the published end.
            let _ = file.set_len(length);
        }
        self.tail = Some((tail, file));
        written?;
        self.unsynced += bytes.len() as u64;
        // Before the reader learns that there is something, so that it finds it here.
        self.queue.recent.push(Cursor { file: tail, offset: length }, block, range);
        self.queue.update(|ledger| ledger.appended(bytes.len() as u64));
        self.queue.data.notify_one();
        Ok(Step::Appended(records))
    }

    /// Begins the next file.
    fn roll(&mut self, tail: u64) -> io::Result<()> {
        // Somebody may have removed the whole folder; then the queue goes on in a new one.
        create_folder(&self.queue.folder)?;
        let file = create_file(&self.queue.folder, tail + 1)?;
        file.set_len(0)?;
        self.rolled.extend(self.tail.take().map(|(_, file)| file));
        self.tail = Some((self.queue.update(|ledger| ledger.roll()), file));
        // The reader may have been waiting at the end of the old file.
        self.queue.data.notify_one();
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        if self.unsynced > 0 {
            let files = self.rolled.iter().chain(self.tail.as_ref().map(|(_, file)| file));
            let synced = files.map(File::sync_data).find(Result::is_err).unwrap_or(Ok(()));
            // After a failure the kernel forgets it: a second try would succeed without meaning it.
            self.lost |= synced.is_err();
            self.rolled.clear();
            self.unsynced = 0;
            synced?;
        }
        Ok(())
    }

    /// Makes what was appended durable and acknowledges it. After a failure the feed starts over with what is
    /// not acknowledged, in a new file, so that nothing is lost and some may come twice.
    fn sync_and_acknowledge(&mut self, feed: &mut Feed) -> io::Result<()> {
        self.sync()?;
        if !self.lost {
            feed.ack(self.appended);
            self.recovered();
        }
        Ok(())
    }

    fn drop_one(&mut self) {
        self.dropped.add(1);
        if let Some(unsaid) = self.full.admit(Instant::now()) {
            let text = "can't deliver matched message: Queue is full; it is dropped";
            self.queue.site.log.error(format_args!("{text}{unsaid}"));
        }
    }

    fn recovered(&mut self) {
        if self.backoff.is_failing() {
            self.backoff.reset();
            self.failures.reset();
            self.queue.site.log.info("the disk queue takes messages again");
        }
    }

    /// Tells of a failure and waits before the next attempt; gives up a while after a shutdown has begun.
    async fn pause(&mut self, feed: &Feed, action: &str, error: io::Error) -> Result<(), PluginError> {
        let trouble = format!("can't {action} queue '{}': {error}", self.queue.folder.display());
        if let Some(unsaid) = self.failures.admit(Instant::now()) {
            self.queue.site.log.error(format_args!("{trouble}; trying again{unsaid}"));
        }
        if feed.is_stopping() && self.stopping_since.get_or_insert_with(Instant::now).elapsed() > LAST_ATTEMPTS {
            return Err(PluginError::retry(trouble));
        }
        tokio::time::sleep(self.backoff.pause()).await;
        Ok(())
    }

    /// Waits until something is consumed; gives up a while after a shutdown has begun.
    async fn wait_for_space(&mut self, feed: &mut Feed) -> Result<(), PluginError> {
        if let Some(unsaid) = self.full.admit(Instant::now()) {
            self.queue.site.log.error(format_args!("Queue is full; messages wait for space{unsaid}"));
        }
        if let Err(error) = self.sync_and_acknowledge(feed) {
            self.pause(feed, "sync", error).await?;
        }
        tokio::select! {
            () = self.queue.space.notified() => Ok(()),
            () = shutdown_grace(feed.stopping.clone()) => {
                Err(PluginError::retry("the queue stayed full to the end; what waited stays unacknowledged"))
            }
        }
    }

    /// Appends what comes next, so that it shares one sync: what waits already, and while much is coming also what comes
    /// within moments.
    async fn gather(&mut self, feed: &mut Feed) -> Result<(), PluginError> {
        let begun = Instant::now();
        while self.unsynced < SYNC_BYTES && begun.elapsed() < SYNC_PAUSE {
            let next = match feed.try_next() {
                Some(block) => Some(block),
                None if self.unsynced >= BUSY_BYTES && !feed.is_stopping() => {
                    match tokio::time::timeout(MOMENT, feed.next()).await {
                        Ok(FeedEvent::Block(block)) => Some(block),
                        // Nothing, or something that comes again or needs no answer.
                        _ => None,
                    }
                }
                None => None,
            };
            let Some(block) = next else { break };
            self.append(&block, feed).await?;
        }
        Ok(())
    }

    async fn flush(&mut self, feed: &mut Feed) -> Result<(), PluginError> {
        if let Err(error) = self.sync_and_acknowledge(feed) {
            self.pause(feed, "sync", error).await?;
        }
        if std::mem::take(&mut self.lost) {
            self.queue.update(|ledger| ledger.spoil_tail());
            self.appended = 0;
            feed.rewind();
        }
        Ok(())
    }
}

impl Output for QueueOutput {
    fn runs(&self) -> Runs {
        Runs::OwnThread
    }

    fn run<'a>(&'a mut self, feed: &'a mut Feed) -> BoxFuture<'a, Result<(), PluginError>> {
        Box::pin(async move {
            loop {
                match feed.next().await {
                    FeedEvent::Block(block) => {
                        self.append(&block, feed).await?;
                        self.gather(feed).await?;
                        self.flush(feed).await?;
                    }
                    FeedEvent::Tick | FeedEvent::Reopen => {}
                    FeedEvent::End => return Ok(()),
                }
            }
        })
    }
}

/// Passes when a shutdown has begun and the time for last attempts is over.
async fn shutdown_grace(mut stopping: watch::Receiver<bool>) {
    // An error means that the daemon's side is gone, which is a shutdown as well.
    let _ = stopping.wait_for(|stopping| *stopping).await;
    tokio::time::sleep(LAST_ATTEMPTS).await;
}

/// Where record `i` begins.
fn start_of(ends: &[u32], i: usize) -> u32 {
    i.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0)
}

/// How many records from `first` on fit into `room` bytes.
fn fitting(ends: &[u32], first: usize, room: u64) -> usize {
    let start = start_of(ends, first);
    ends.get(first..).unwrap_or_default().partition_point(|end| u64::from(end.saturating_sub(start)) <= room)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outputs::harness::{block, site};
    use crate::queue::BufferingSettings;

    #[test]
    fn counts_the_records_that_fit() {
        let ends = [10, 20, 50];
        let cases = [(0, 9, 0), (0, 10, 1), (0, 49, 2), (0, 50, 3), (1, 10, 1), (1, 40, 2), (2, 29, 0), (2, 30, 1)];
        for (first, room, expected) in cases {
            assert_eq!(fitting(&ends, first, room), expected, "{first} {room}");
        }
        assert_eq!(fitting(&ends, 3, 99), 0);
    }

    #[tokio::test]
    async fn after_a_failed_sync_everything_unacknowledged_goes_to_a_new_file() {
        let base = tempfile::tempdir().unwrap();
        let queue = DiskQueue::open(&site("q", base.path()), &BufferingSettings::default()).unwrap();
        let (_reopen, reopened) = watch::channel(0);
        let (_stop, stopping) = watch::channel(false);
        let (mut sender, mut feed) = Feed::new(queue.site.clone(), Arc::default(), None, reopened, stopping);
        let mut output = QueueOutput::new(queue.clone());
        for record in ["safe", "lost", "lost too"] {
            sender.send(block(&[record]));
        }
        for expected in ["safe", "lost", "lost too", "lost", "lost too"] {
            let block = feed.try_next().unwrap();
            assert_eq!(block.bytes, expected.as_bytes());
            output.append(&block, &mut feed).await.unwrap();
            if block.ticket == 3 && sender.acked() == 1 && queue.ledger().tail() == 0 {
                output.lost = true;
            }
            if block.ticket != 2 {
                output.flush(&mut feed).await.unwrap();
            }
        }
        assert_eq!(sender.acked(), 3);
        let text = |file| std::fs::read_to_string(file_path(&queue.folder, file)).unwrap();
        assert_eq!((text(0).as_str(), text(1).as_str()), ("safelostlost too", "lostlost too"));
    }
}
