//! The queue's reader: an input that reads the files from the checkpoint on, follows the writer, and moves the
//! checkpoint with the dataflow's commits.
//!
//! While it keeps up with the writer it takes what was written from memory. It hands out bytes, not messages: the framing splitter behind it skips what a crash has mangled. The end of
//! each file is the end of a packet, so that half a frame left by a crash is never joined to the next file.

use super::DiskQueue;
use super::layout::{Cursor, file_path};
use crate::backoff::Backoff;
use crate::inputs::{Chunk, ChunkBuf, ChunkEnd, ChunkPool, Commit, Credit, Credits, Input, InputEdge, Runs, Stream};
use crate::plugin::{BoxFuture, PluginError};
use crate::throttle::Throttle;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedReceiver;

/// Bytes of a full chunk.
const CHUNK: usize = 128 * 1024;
/// Room for the partial frame of the chunk before.
const HEADROOM: usize = 64 * 1024;
/// Bytes that may be on their way to the output's encoder. The budget of all inputs is not asked: those that feed the
/// queue may hold all of it while they wait for room in the queue, which only this reader makes.
const AHEAD: usize = 2 * 1024 * 1024;
/// Idle buffers kept.
const KEEP: usize = 8;

/// Reads a queue.
pub struct QueueInput {
    queue: Arc<DiskQueue>,
    pool: Arc<ChunkPool>,
    budget: Credits,
    stream: Arc<Stream>,
    /// What is read next.
    at: Cursor,
    /// Bytes delivered so far: what commits count in.
    position: u64,
    /// Which position is which place: one entry for each file not committed to its end, oldest first.
    segments: VecDeque<(u64, Cursor)>,
    /// The splitter may hold a partial frame of the present file.
    open_packet: bool,
    file: Option<(u64, File)>,
    /// Commits since the checkpoint was written.
    updates: u32,
    retry_at: Option<Instant>,
    backoff: Backoff,
    failures: Throttle,
}

/// What there is to read.
enum Next {
    /// So many published bytes.
    Bytes(u64),
    /// Nothing more in this file; it goes on with that one.
    File(u64),
    /// Nothing until the writer appends.
    Nothing,
}

impl QueueInput {
    pub fn new(queue: Arc<DiskQueue>) -> Self {
        let id = queue.readers.fetch_add(1, Ordering::Relaxed);
        let at = queue.ledger().head();
        QueueInput {
            pool: ChunkPool::new(CHUNK, HEADROOM, KEEP),
            budget: Credits::new(AHEAD),
            // Messages in a queue have identities of their own, so the stream needs none.
            stream: Arc::new(Stream { id, token: queue.site.name.clone(), ..Stream::default() }),
            at,
            position: 0,
            segments: VecDeque::from([(0, at)]),
            open_packet: false,
            file: None,
            updates: 0,
            retry_at: None,
            backoff: Backoff::new(Duration::from_millis(10), Duration::from_secs(1)),
            failures: Throttle::default(),
            queue,
        }
    }

    fn next(&self) -> Next {
        let ledger = self.queue.ledger();
        let length = ledger.length(self.at.file).unwrap_or(0);
        match length.checked_sub(self.at.offset) {
            Some(available) if available > 0 => Next::Bytes(available),
            _ => ledger.file_after(self.at.file).map_or(Next::Nothing, Next::File),
        }
    }

    /// Steps over the ends of files, then waits until there is something to read and a buffer for it. `None`
    /// is a reason to look again.
    async fn buffer(&mut self, edge: &InputEdge) -> Option<(ChunkBuf, Credit)> {
        if let Some(at) = self.retry_at {
            tokio::time::sleep_until(at.into()).await;
            self.retry_at = None;
        }
        loop {
            match self.next() {
                Next::Bytes(_) => {
                    let Some(length) = self.queue.recent.len_at(self.at) else {
                        let credit = self.budget.take(self.pool.size() * 2).await;
                        return Some((self.pool.take(), credit));
                    };
                    let credit = self.budget.take(length * 2).await;
                    // Taken last: what is taken must not be dropped with this future.
                    return self.queue.recent.take(self.at).map(|bytes| (ChunkBuf::shared(bytes), credit));
                }
                Next::File(file) => self.begin_file(file, edge),
                Next::Nothing => {
                    self.queue.data.notified().await;
                    return None;
                }
            }
        }
    }

    fn begin_file(&mut self, file: u64, edge: &InputEdge) {
        if std::mem::take(&mut self.open_packet) {
            self.send(ChunkBuf::default(), ChunkEnd::Packet, None, edge);
        }
        self.at = Cursor { file, offset: 0 };
        self.file = None;
        self.segments.push_back((self.position, self.at));
    }

    fn send(&mut self, bytes: ChunkBuf, end: ChunkEnd, credit: Option<Credit>, edge: &InputEdge) {
        let length = bytes.len() as u64;
        let received = i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX);
        let stream = self.stream.clone();
        let (position, offset) = (self.position, self.at.offset);
        edge.send(Chunk { bytes, stream, position, offset, end, packets: Vec::new(), received, credit });
        self.position += length;
        self.at.offset += length;
    }

    /// Reads into `buf`, unless it is filled already, and sends it.
    fn read(&mut self, mut buf: ChunkBuf, credit: Credit, edge: &InputEdge) {
        let Next::Bytes(available) = self.next() else { return };
        // Up to what need not be read.
        let behind = self.queue.recent.begins_behind(self.at).map(|offset| offset - self.at.offset);
        let wanted = behind.map_or(available, |bytes| available.min(bytes));
        let read = if buf.is_empty() { self.read_some(&mut buf, wanted) } else { Ok(buf.len()) };
        match read {
            Ok(0) => self.file_was_cut("is shorter than it was"),
            Ok(_) => {
                self.recovered();
                let length = buf.len() as u64;
                // The tail may grow yet; all other files are as long as they will ever be.
                let ends = length >= available && self.queue.ledger().tail() != self.at.file;
                self.open_packet = !ends;
                self.send(buf, if ends { ChunkEnd::Packet } else { ChunkEnd::More }, Some(credit), edge);
            }
            Err(error) if error.kind() == ErrorKind::NotFound => self.file_was_cut("is gone"),
            Err(error) => {
                self.retry_at = Some(Instant::now() + self.backoff.pause());
                self.complain("read", &error);
            }
        }
    }

    fn read_some(&mut self, buf: &mut ChunkBuf, available: u64) -> io::Result<usize> {
        let file = match self.file.take().filter(|(number, _)| *number == self.at.file) {
            Some((_, file)) => file,
            None => File::open(file_path(&self.queue.folder, self.at.file))?,
        };
        let spare = buf.spare();
        let wanted = spare.len().min(usize::try_from(available).unwrap_or(usize::MAX));
        let read = loop {
            match file.read_at(&mut spare[..wanted], self.at.offset) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => break result,
            }
        };
        self.file = Some((self.at.file, file));
        let read = read?;
        buf.advance(read);
        Ok(read)
    }

    /// Somebody took bytes away that were not delivered yet: says so and goes on behind them.
    fn file_was_cut(&mut self, how: &str) {
        let lost = self.queue.update(|ledger| ledger.shrunk(self.at.file, self.at.offset));
        let file = self.at.file;
        self.queue.site.stats.counter("Dropped-queue-file-cut", "B").add(usize::try_from(lost).unwrap_or(usize::MAX));
        self.queue.site.log.error(format_args!("queue file {file}.log {how}: {lost} bytes of messages are lost"));
        self.queue.space.notify_one();
    }

    fn complain(&mut self, action: &str, error: &io::Error) {
        if let Some(unsaid) = self.failures.admit(Instant::now()) {
            let folder = self.queue.folder.display();
            let text = format_args!("can't {action} queue '{folder}': {error}; trying again{unsaid}");
            self.queue.site.log.error(text);
        }
    }

    fn recovered(&mut self) {
        self.backoff.reset();
        self.failures.reset();
    }

    /// Everything before the commit's position is delivered.
    fn commit(&mut self, commit: Commit) {
        if commit.stream != self.stream.id {
            return;
        }
        // What was not handed out cannot have been delivered.
        let position = commit.position.min(self.position);
        while self.segments.get(1).is_some_and(|(start, _)| *start <= position) {
            self.segments.pop_front();
        }
        let Some((start, place)) = self.segments.front() else { return };
        let to = Cursor { offset: place.offset + position.saturating_sub(*start), ..*place };
        match self.queue.update(|ledger| ledger.commit(to)) {
            Ok(_) => {
                self.updates += 1;
                self.queue.space.notify_one();
            }
            Err(_) => self.queue.site.log.error("Queue has already advanced past provided cursor"),
        }
    }

    /// Writes the checkpoint when enough commits have come, or when files can be deleted.
    fn checkpoint(&mut self) {
        let due = self.updates >= self.queue.settings.cursor_update_count;
        if due || self.queue.ledger().has_consumed() {
            self.save(false);
        }
    }

    fn save(&mut self, durable: bool) {
        match self.queue.save_checkpoint(durable) {
            Ok(()) => self.updates = 0,
            // What fails now is done with the next commit; until then it costs redelivery and disk space at worst.
            Err(error) => self.complain("write the checkpoint of", &error),
        }
    }
}

impl Input for QueueInput {
    fn runs(&self) -> Runs {
        Runs::OwnThread
    }

    fn run<'a>(&'a mut self, edge: &'a mut InputEdge) -> BoxFuture<'a, Result<(), PluginError>> {
        Box::pin(async move {
            let mut commits = edge.take_commits();
            loop {
                tokio::select! {
                    biased;
                    () = edge.stopped() => break,
                    commit = next_commit(&mut commits) => {
                        self.commit(commit);
                        while let Some(commit) = commits.as_mut().and_then(|commits| commits.try_recv().ok()) {
                            self.commit(commit);
                        }
                    }
                    buffer = self.buffer(edge) => if let Some((buf, credit)) = buffer {
                        self.read(buf, credit, edge);
                    }
                }
                self.checkpoint();
            }
            edge.finish();
            if let Some(mut commits) = commits {
                while let Some(commit) = commits.recv().await {
                    self.commit(commit);
                    self.checkpoint();
                }
            }
            self.save(true);
            Ok(())
        })
    }
}

/// The next commit; for ever waiting when none can come.
async fn next_commit(commits: &mut Option<UnboundedReceiver<Commit>>) -> Commit {
    if let Some(receiver) = commits {
        if let Some(commit) = receiver.recv().await {
            return commit;
        }
        *commits = None;
    }
    std::future::pending().await
}
