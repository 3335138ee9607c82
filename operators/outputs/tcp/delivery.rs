//! The life of an output over TCP: connect when there is something to write, write, notice what becomes of it, start over.

use crate::backoff::Backoff;
use crate::net::deadline::Deadline;
use crate::net::dial::Target;
use crate::outputs::tcp::link::{Incoming, Link};
use crate::outputs::tcp::window::{Acknowledged, Window};
use crate::outputs::{Block, Feed, FeedEvent, Prepare};
use crate::plugin::PluginError;
use crate::stats::Counter;
use crate::throttle::Throttle;
use std::io::{self, ErrorKind, IoSlice};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Blocks written with one system call.
const SLICES: usize = 16;
/// Pauses between attempts to connect.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Pauses between looks at how far the bytes have come; only while some are under way.
const FIRST_LOOK: Duration = Duration::from_millis(1);
const LONGEST_LOOK: Duration = Duration::from_millis(100);
/// How long a peer that has everything may take to close as well.
const FAREWELL: Duration = Duration::from_secs(5);

/// When this side closes a connection that works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::outputs) enum Closing {
    /// Only at the end.
    Never,
    /// After so many records.
    After(u64),
    /// As soon as everything that waits is written.
    WhenIdle,
}

/// Delivers what a feed brings.
pub(in crate::outputs) struct Delivery<'a> {
    target: &'a Target,
    feed: &'a mut Feed,
    prepare: &'a mut Prepare<'a>,
    window: Window,
    closing: Closing,
    /// The feed has ended.
    ended: bool,
    /// What was written may be lost: connect at once to write it again, even if nothing new comes.
    urgent: bool,
    deadline: Deadline,
    backoff: Backoff,
    delivered: Arc<Counter>,
    replayed: Arc<Counter>,
    complaints: Throttle,
}

/// How writing over a connection ended.
enum Outcome {
    /// The connection broke, with bytes that may be lost.
    Broken(io::Error),
    /// The peer closed in order, having acknowledged everything.
    Closed,
    /// Everything there is, or that this connection may carry, is written.
    Written,
}

/// How a connection that this side closed has ended.
enum Farewell {
    /// The peer has read everything.
    Read,
    /// The peer's kernel has everything; its program did not say.
    Silent,
    Broken(io::Error),
}

impl<'a> Delivery<'a> {
    /// `prepare` makes of every block what is written; `replay_window` is the number of acknowledged bytes that are
    /// kept to be written again when a connection breaks.
    pub(in crate::outputs) fn new(
        target: &'a Target,
        feed: &'a mut Feed,
        closing: Closing,
        replay_window: usize,
        prepare: &'a mut Prepare<'a>,
    ) -> Self {
        let stats = feed.site.stats.clone();
        let delivered = stats.counter("ProcessMessageCount", "count");
        // Nothing drops messages here; what stands in front may.
        stats.counter("DropMessageCount", "count");
        let replayed = stats.counter("ReplayedRecords", "count");
        Delivery {
            target,
            deadline: Deadline::new(feed.stopping.clone()),
            feed,
            prepare,
            window: Window::new(replay_window),
            closing,
            ended: false,
            urgent: false,
            backoff: Backoff::new(FIRST_PAUSE, LONGEST_PAUSE),
            delivered,
            replayed,
            complaints: Throttle::default(),
        }
    }

    /// Runs until the feed has ended and everything is delivered.
    ///
    /// # Errors
    /// When a shutdown's patience ends before that.
    pub(in crate::outputs) async fn run(mut self) -> Result<(), PluginError> {
        while self.has_work().await {
            let mut link = self.connect().await?;
            match self.write(&mut link).await? {
                Outcome::Broken(error) => self.lost(&error).await,
                Outcome::Closed => {
                    self.window.restart_once();
                    self.urgent = false;
                }
                Outcome::Written => match self.part(&mut link).await? {
                    Farewell::Broken(error) => self.lost(&error).await,
                    Farewell::Read => {
                        let done = self.window.confirm();
                        self.acknowledge(done);
                        self.window.go_on();
                        self.urgent = false;
                    }
                    Farewell::Silent => {
                        let done = self.window.acknowledge(u64::MAX);
                        self.acknowledge(done);
                        self.window.go_on();
                        self.urgent = false;
                        let log = &self.feed.site.log;
                        log.info(format!("{} has everything but does not close its side", self.target.address));
                    }
                },
            }
        }
        Ok(())
    }

    /// Waits until there is something to write; `false` when there will be nothing any more.
    async fn has_work(&mut self) -> bool {
        loop {
            // Blocks without bytes need no connection.
            if self.window.unsent() == 0 {
                let done = self.window.acknowledge(u64::MAX);
                self.acknowledge(done);
            } else if self.urgent || self.window.has_unacknowledged() {
                return true;
            }
            if self.ended {
                return false;
            }
            let event = self.feed.next().await;
            self.take(event);
        }
    }

    fn take(&mut self, event: FeedEvent) {
        match event {
            FeedEvent::Block(block) => self.push(block),
            FeedEvent::Tick | FeedEvent::Reopen => {}
            FeedEvent::End => {
                self.ended = true;
                self.deadline.begin();
            }
        }
    }

    fn push(&mut self, block: Arc<Block>) {
        let prepared = (self.prepare)(block);
        self.window.push(prepared);
    }

    fn acknowledge(&mut self, done: Option<Acknowledged>) {
        if let Some(Acknowledged { ticket, records }) = done {
            self.feed.ack(ticket);
            self.delivered.add(records);
            self.deadline.progress();
            self.backoff.reset();
        }
    }

    /// Connects, as often as it takes.
    async fn connect(&mut self) -> Result<Link, PluginError> {
        loop {
            let opened = tokio::select! {
                biased;
                () = self.deadline.passed() => return Err(self.give_up()),
                opened = Link::open(self.target) => opened,
            };
            match opened {
                Ok(link) => return Ok(link),
                Err(why) => {
                    let address = &self.target.address;
                    self.complaints.error(&self.feed.site.log, || format!("can't connect: {address}: {why}"));
                }
            }
            self.pause().await;
        }
    }

    /// The connection broke: everything that its peer may not have read is written again.
    async fn lost(&mut self, error: &io::Error) {
        let address = &self.target.address;
        self.complaints.error(&self.feed.site.log, || format!("writing to {address}: {error}"));
        self.window.restart();
        self.urgent = true;
        self.pause().await;
    }

    /// Waits between two attempts; a shutdown cuts the wait short once. What comes meanwhile is taken, so that
    /// the feed's end is not missed.
    async fn pause(&mut self) {
        let until = Instant::now() + self.backoff.pause();
        while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            tokio::select! {
                () = self.deadline.pause(left) => return,
                event = self.feed.next(), if !self.ended => self.take(event),
            }
        }
    }

    fn give_up(&self) -> PluginError {
        let (records, address) = (self.window.unacknowledged_records(), &self.target.address);
        PluginError::retry(match records {
            0 => format!("{address} may not have read the last records it was sent"),
            _ => format!("{records} records could not be delivered to {address} before the shutdown"),
        })
    }

    /// Writes until the connection ends or has nothing more to carry.
    async fn write(&mut self, link: &mut Link) -> Result<Outcome, PluginError> {
        let mut left = match self.closing {
            Closing::After(records) => records,
            Closing::Never | Closing::WhenIdle => u64::MAX,
        };
        let mut look = FIRST_LOOK;
        loop {
            while let Some(block) = self.feed.try_next() {
                self.push(block);
            }
            let mut blocked = false;
            if self.window.unsent() > 0 && left > 0 {
                match self.write_some(link, &mut left) {
                    Ok(()) => look = FIRST_LOOK,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => blocked = true,
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Ok(Outcome::Broken(error)),
                }
            }
            match link.settled() {
                // Once the feed has ended, the farewell tells more than the kernel does.
                Ok(position) if !self.ended => {
                    let done = self.window.acknowledge(position);
                    self.acknowledge(done);
                }
                Ok(_) => {}
                Err(error) => return Ok(Outcome::Broken(error)),
            }
            let all_written = self.window.unsent() == 0;
            if left == 0 || (self.ended || self.closing == Closing::WhenIdle) && all_written {
                return Ok(Outcome::Written);
            }
            if !blocked && !all_written {
                tokio::task::consume_budget().await;
                continue;
            }
            tokio::select! {
                ready = link.readable(), if !link.mute => {
                    match ready.and_then(|()| link.discard()) {
                        Ok(Incoming::Nothing) => {}
                        Ok(Incoming::End) if link.position() == 0 => link.mute = true,
                        Ok(Incoming::End) => return Ok(self.closed(link)),
                        Err(error) => return Ok(Outcome::Broken(error)),
                    }
                }
                event = self.feed.next(), if !self.ended => {
                    self.take(event);
                    if !blocked && link.position() > 0 && link.is_closed_by_peer() {
                        return Ok(self.closed(link));
                    }
                }
                ready = link.writable(), if blocked => {
                    if let Err(error) = ready {
                        return Ok(Outcome::Broken(error));
                    }
                }
                () = sleep(look), if self.window.awaits_acknowledgement() && !self.ended => {
                    look = (look * 2).min(LONGEST_LOOK);
                }
                () = self.deadline.passed(), if blocked => return Err(self.give_up()),
            }
        }
    }

    fn write_some(&mut self, link: &mut Link, left: &mut u64) -> io::Result<()> {
        let mut slices = [IoSlice::new(&[]); SLICES];
        let filled = self.window.gather(&mut slices, *left);
        let n = link.try_send(&slices[..filled])?;
        let written = self.window.wrote(n, link.position());
        *left = left.saturating_sub(written.records);
        self.replayed.add(written.replayed);
        self.deadline.progress();
        Ok(())
    }

    /// The peer has closed its side. If its kernel has acknowledged everything, its program has read it.
    fn closed(&mut self, link: &Link) -> Outcome {
        match link.unacknowledged() {
            Ok(0) => {
                let done = self.window.acknowledge(link.position());
                self.acknowledge(done);
                Outcome::Closed
            }
            Ok(_) => Outcome::Broken(io::Error::new(ErrorKind::ConnectionAborted, "the peer has closed")),
            Err(error) => Outcome::Broken(error),
        }
    }

    /// Closes this side and waits for the peer to close its own, which says that it has read everything.
    async fn part(&mut self, link: &mut Link) -> Result<Farewell, PluginError> {
        let finished = tokio::select! {
            finished = link.finish() => finished,
            () = self.deadline.passed() => return Err(self.give_up()),
        };
        if let Err(error) = finished {
            return Ok(Farewell::Broken(error));
        }
        let mut look = FIRST_LOOK;
        let mut under_way = u64::MAX;
        let mut arrived: Option<Instant> = None;
        loop {
            match link.unacknowledged() {
                Err(error) => return Ok(Farewell::Broken(error)),
                Ok(0) if link.mute => return Ok(Farewell::Read),
                Ok(0) if arrived.get_or_insert_with(Instant::now).elapsed() >= FAREWELL => return Ok(Farewell::Silent),
                Ok(now) => {
                    if now < under_way {
                        self.deadline.progress();
                    }
                    under_way = now;
                }
            }
            tokio::select! {
                ready = link.readable(), if !link.mute => match ready.and_then(|()| link.discard()) {
                    Ok(Incoming::Nothing) => {}
                    Ok(Incoming::End) => return Ok(Farewell::Read),
                    Err(error) => return Ok(Farewell::Broken(error)),
                },
                () = sleep(look) => look = (look * 2).min(LONGEST_LOOK),
                () = self.deadline.passed(), if under_way > 0 => return Err(self.give_up()),
            }
        }
    }
}
