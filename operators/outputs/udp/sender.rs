//! Sends records as datagrams, over one socket after another, and knows what became of them.

use super::destination::{Destination, Outlet};
use crate::backoff::Backoff;
use crate::net::datagrams::{BATCH, send};
use crate::net::deadline::Deadline;
use crate::outputs::Block;
use crate::plugin::{PluginError, Site};
use crate::stats::Counter;
use crate::throttle::Throttle;
use std::io::{self, ErrorKind};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Pauses between attempts to find the destination.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Pause when the system is short of memory for one more datagram.
const SHORT_OF_MEMORY: Duration = Duration::from_millis(2);
/// The name of a destination that refuses is looked up again at most so often.
const LOOK_UP_AGAIN: Duration = Duration::from_secs(1);

/// Sends blocks, over one socket after another.
pub(in crate::outputs) struct Sender<'a> {
    destination: &'a Destination,
    /// Longest datagram.
    limit: usize,
    site: Site,
    outlet: Option<Outlet>,
    /// The destination refused a datagram; its name may mean another machine by now.
    refused: bool,
    opened: Instant,
    backoff: Backoff,
    deadline: Deadline,
    sent: Arc<Counter>,
    dropped: Arc<Counter>,
    too_long: Arc<Counter>,
    refusals: Arc<Counter>,
    complaints: Throttle,
    length_complaints: Throttle,
}

impl<'a> Sender<'a> {
    /// `sent` counts the datagrams that the kernel has taken; longer ones than `limit` are dropped.
    pub(in crate::outputs) fn new(
        destination: &'a Destination,
        limit: usize,
        site: &Site,
        sent: Arc<Counter>,
        deadline: Deadline,
    ) -> Self {
        Sender {
            destination,
            limit,
            outlet: None,
            refused: false,
            opened: Instant::now(),
            backoff: Backoff::new(FIRST_PAUSE, LONGEST_PAUSE),
            deadline,
            sent,
            dropped: site.stats.counter("DropMessageCount", "count"),
            too_long: site.stats.drops("max_message_size"),
            refusals: site.stats.drops("connection-refused"),
            complaints: Throttle::default(),
            length_complaints: Throttle::default(),
            site: site.clone(),
        }
    }

    /// Sends all records of a block, or drops them by a rule.
    ///
    /// # Errors
    /// When a shutdown's patience ends before that.
    pub(in crate::outputs) async fn deliver(&mut self, block: &Block) -> Result<(), PluginError> {
        let limit = self.limit;
        let mut batch: [&[u8]; BATCH] = [&[]; BATCH];
        let mut filled = 0;
        for record in block.records() {
            if record.len() > limit {
                self.drop_long(record.len(), limit);
                continue;
            }
            // Below BATCH: the batch is sent as soon as it is full.
            batch[filled] = record;
            filled += 1;
            if filled == BATCH {
                self.send_all(&batch).await?;
                filled = 0;
            }
        }
        self.send_all(&batch[..filled]).await
    }

    fn drop_long(&mut self, length: usize, limit: usize) {
        self.too_long.add(1);
        self.dropped.add(1);
        self.length_complaints
            .error(&self.site.log, || format!("Message has exceeded allowed UDP data size: {length} > {limit}"));
    }

    async fn send_all(&mut self, mut records: &[&[u8]]) -> Result<(), PluginError> {
        while let Some(first) = records.first() {
            self.open(records.len()).await?;
            let Some(outlet) = &self.outlet else { continue };
            let result = tokio::select! {
                result = send_some(outlet, records) => result,
                () = self.deadline.passed() => return Err(self.give_up(records.len())),
            };
            match result {
                Ok(n) => {
                    self.sent.add(n);
                    self.deadline.progress();
                    self.backoff.reset();
                    records = records.get(n..).unwrap_or_default();
                }
                Err(error) => {
                    let length = first.len();
                    if self.failed(error, length).await {
                        records = records.get(1..).unwrap_or_default();
                    }
                }
            }
        }
        Ok(())
    }

    /// Deals with a failed send; `true` means that the first record cannot be sent and is dropped.
    async fn failed(&mut self, error: io::Error, length: usize) -> bool {
        let is_ip = self.destination.is_ip();
        match error.raw_os_error() {
            Some(libc::EMSGSIZE) => {
                // The path, or the socket of the receiver, takes less than the setting says.
                self.too_long.add(1);
                self.dropped.add(1);
                self.length_complaints.error(&self.site.log, || format!("a record of {length} bytes: {error}"));
                return true;
            }
            Some(libc::ECONNREFUSED) if is_ip => {
                // The answer to a datagram sent before, which was lost. This one was not sent yet.
                self.refusals.add(1);
                self.refused = true;
                let to = self.destination;
                self.complaints.error(&self.site.log, || format!("nobody receives datagrams at {to}"));
            }
            Some(libc::ENOBUFS | libc::ENOMEM) => sleep(SHORT_OF_MEMORY).await,
            _ if error.kind() == ErrorKind::Interrupted => {}
            _ => {
                let to = self.destination;
                self.complaints.error(&self.site.log, || format!("sending to {to}: {error}"));
                self.outlet = None;
                self.deadline.pause(self.backoff.pause()).await;
            }
        }
        false
    }

    /// Opens the socket, as often as it takes, unless it is open.
    async fn open(&mut self, waiting: usize) -> Result<(), PluginError> {
        if self.refused && self.opened.elapsed() >= LOOK_UP_AGAIN {
            self.outlet = None;
        }
        while self.outlet.is_none() {
            let opened = tokio::select! {
                biased;
                () = self.deadline.passed() => return Err(self.give_up(waiting)),
                opened = self.destination.open() => opened,
            };
            match opened {
                Ok(outlet) => {
                    self.outlet = Some(outlet);
                    self.opened = Instant::now();
                    self.refused = false;
                }
                Err(why) => {
                    let to = self.destination;
                    self.complaints.error(&self.site.log, || format!("Can't connect to '{to}': {why}"));
                    self.deadline.pause(self.backoff.pause()).await;
                }
            }
        }
        Ok(())
    }

    fn give_up(&self, waiting: usize) -> PluginError {
        let to = self.destination;
        PluginError::retry(format!("{waiting} records or more could not be sent to {to} before the shutdown"))
    }
}

/// Waits until the kernel takes the first of the records, and tells how many it took.
async fn send_some(outlet: &Outlet, records: &[&[u8]]) -> io::Result<usize> {
    loop {
        let mut ready = outlet.socket.writable().await?;
        if let Ok(result) = ready.try_io(|socket| send(socket.get_ref().as_fd(), records)) {
            return result;
        }
    }
}
