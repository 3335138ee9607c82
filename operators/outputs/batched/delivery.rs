//! Sends one batch after the other until its other side is done with every record.
//!
//! What failed for a reason that may pass is sent again, after a pause, before anything new. A batch that is refused
//! is halved until the records at fault stand alone, so that they take no others with them.

use super::batches::Batches;
use super::{Limits, Record, Refusals};
use crate::http::verdict::Pauses;
use crate::net::deadline::Deadline;
use crate::outputs::Feed;
use crate::plugin::PluginError;
use crate::stats::Counter;
use crate::throttle::Throttle;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// What has become of a batch that was sent.
#[derive(Debug)]
pub(in crate::outputs) enum Outcome {
    /// All of it is delivered.
    Done,
    /// None of it is, for a reason that may pass; the server may have said when.
    Again { why: String, after: Option<Duration> },
    /// None of it is, and it can be sent again at once in another manner.
    Otherwise,
    /// It is too much at once.
    TooLarge { why: String },
    /// None of it is, because of something in it.
    Refused { why: String },
    /// None of it is, and nothing would be.
    Unwelcome { why: String },
    /// Some of it is: not what is `refused`, and not yet what is to be sent `again`.
    Partly { refused: Vec<(Record, String)>, again: Vec<Record>, why: String, after: Option<Duration> },
}

/// The way to the other side.
pub(in crate::outputs) trait Post: Send {
    /// Sends records.
    fn post(&mut self, records: &[Record]) -> impl Future<Output = Outcome> + Send;
}

/// Delivers what a feed brings.
pub(in crate::outputs) struct Delivery<'a, P> {
    feed: &'a mut Feed,
    batches: Batches,
    post: P,
    refusals: Refusals,
    deadline: Deadline,
    pauses: Pauses,
    delivered: Arc<Counter>,
    retries: Arc<Counter>,
    complaints: Throttle,
}

impl<'a, P: Post> Delivery<'a, P> {
    /// `delivered` counts records.
    pub(in crate::outputs) fn new(
        feed: &'a mut Feed,
        limits: Limits,
        post: P,
        refusals: Refusals,
        delivered: Arc<Counter>,
    ) -> Self {
        Delivery {
            batches: Batches::new(limits),
            post,
            refusals,
            deadline: Deadline::new(feed.stopping.clone()),
            pauses: Pauses::default(),
            delivered,
            retries: feed.site.stats.counter("RetryCount", "count"),
            complaints: Throttle::default(),
            feed,
        }
    }

    /// Runs until the feed has ended and everything is done with.
    ///
    /// # Errors
    /// When something is not, and a shutdown does not want to wait any longer.
    pub(in crate::outputs) async fn run(mut self) -> Result<(), PluginError> {
        while let Some(batch) = self.batches.next(self.feed).await {
            let records = batch.len();
            self.deliver(batch).await?;
            self.batches.settle(self.feed, records);
        }
        Ok(())
    }

    /// Sends until nothing of the batch is left. What is left lies in `parts`, the next to be sent last.
    async fn deliver(&mut self, batch: Vec<Record>) -> Result<(), PluginError> {
        let mut parts = vec![batch];
        while let Some(mut records) = parts.pop() {
            let outcome = tokio::select! {
                biased;
                () = self.deadline.passed() => {
                    parts.push(records);
                    return Err(give_up(&parts));
                }
                outcome = self.post.post(&records) => outcome,
            };
            match outcome {
                Outcome::Done => self.progress(records.len()),
                Outcome::Otherwise => parts.push(records),
                Outcome::Again { why, after } => {
                    parts.push(records);
                    self.wait(&why, after, &parts).await?;
                }
                Outcome::TooLarge { why } if records.len() > 1 => {
                    let bytes: usize = records.iter().map(Record::len).sum();
                    self.batches.limits.bytes = (bytes / 2).max(1);
                    self.complaints.error(&self.feed.site.log, || format!("{why}; sending less at a time"));
                    let rest = records.split_off(records.len() / 2);
                    parts.extend([rest, records]);
                }
                Outcome::Refused { .. } if records.len() > 1 => {
                    let rest = records.split_off(records.len() / 2);
                    parts.extend([rest, records]);
                }
                Outcome::TooLarge { why } | Outcome::Refused { why } | Outcome::Unwelcome { why } => {
                    let refused: Vec<_> = records.into_iter().map(|record| (record, why.clone())).collect();
                    self.refuse(&refused).await?;
                }
                Outcome::Partly { refused, again, why, after } => {
                    let delivered = records.len() - refused.len() - again.len();
                    if delivered > 0 {
                        self.progress(delivered);
                    }
                    self.refuse(&refused).await?;
                    if !again.is_empty() {
                        parts.push(again);
                        self.wait(&why, after, &parts).await?;
                    }
                }
            }
        }
        Ok(())
    }

    async fn refuse(&mut self, refused: &[(Record, String)]) -> Result<(), PluginError> {
        if !refused.is_empty() {
            self.refusals.take(refused, &mut self.deadline).await?;
            self.deadline.progress();
            self.pauses.reset();
        }
        Ok(())
    }

    fn progress(&mut self, records: usize) {
        self.delivered.add(records);
        self.deadline.progress();
        self.pauses.reset();
    }

    /// Waits before the next attempt; the beginning of a shutdown cuts the wait short once.
    async fn wait(&mut self, why: &str, after: Option<Duration>, parts: &[Vec<Record>]) -> Result<(), PluginError> {
        self.retries.add(1);
        self.complaints.error(&self.feed.site.log, || why);
        let pause = self.pauses.pause(after);
        if self.feed.is_stopping() {
            self.deadline.begin();
            tokio::select! {
                () = self.deadline.passed() => return Err(give_up(parts)),
                () = sleep(pause) => {}
            }
        } else {
            self.deadline.pause(pause).await;
        }
        Ok(())
    }
}

fn give_up(parts: &[Vec<Record>]) -> PluginError {
    let records: usize = parts.iter().map(Vec::len).sum();
    PluginError::retry(format!("{records} records or more could not be delivered before the shutdown"))
}
