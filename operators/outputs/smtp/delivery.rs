//! The life of SmtpOutput: mails go out one by one; what cannot go out now is tried again, what never can is dropped by
//! a rule's name.

use super::compose::Letterhead;
use super::pending::Pending;
use super::session::{Failure, Receipt, Session};
use super::{DropRules, Post};
use crate::backoff::Backoff;
use crate::net::deadline::Deadline;
use crate::outputs::{Block, Feed, FeedEvent};
use crate::plugin::PluginError;
use crate::throttle::Throttle;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Pauses between attempts to send a mail.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Delivers what a feed brings.
pub(super) struct Delivery<'a> {
    post: &'a Post,
    feed: &'a mut Feed,
    letterhead: Letterhead,
    session: Option<Session>,
    pending: Pending,
    /// Before this nothing goes out, unless the daemon stops.
    next_mail: Option<Instant>,
    deadline: Deadline,
    backoff: Backoff,
    rules: DropRules,
    complaints: Throttle,
    refusals: Throttle,
}

impl<'a> Delivery<'a> {
    pub(super) fn new(post: &'a Post, feed: &'a mut Feed) -> Self {
        let letterhead = Letterhead::new(&post.from, &post.to, &post.subject, &post.server.hello);
        Delivery {
            post,
            letterhead,
            session: None,
            pending: Pending::default(),
            next_mail: None,
            deadline: Deadline::new(feed.stopping.clone()),
            backoff: Backoff::new(FIRST_PAUSE, LONGEST_PAUSE),
            rules: DropRules::new(&feed.site.stats),
            complaints: Throttle::default(),
            refusals: Throttle::default(),
            feed,
        }
    }

    /// Runs until the feed has ended and everything is sent.
    pub(super) async fn run(mut self) -> Result<(), PluginError> {
        loop {
            if !self.pending.is_empty() && self.is_due() {
                self.send_pending().await?;
            }
            // A server keeps a session for the next mail a while, but who knows when that comes.
            let event = match self.feed.try_next() {
                Some(block) => FeedEvent::Block(block),
                None => {
                    self.hang_up().await;
                    match self.wait().await {
                        Some(event) => event,
                        None => continue,
                    }
                }
            };
            match event {
                FeedEvent::Block(block) => self.take(block).await?,
                FeedEvent::Tick | FeedEvent::Reopen => {}
                FeedEvent::End => {
                    self.deadline.begin();
                    self.deadline.progress();
                    if !self.pending.is_empty() {
                        self.send_pending().await?;
                    }
                    self.hang_up().await;
                    return Ok(());
                }
            }
        }
    }

    /// The next event; `None` when it is time to send what waits.
    async fn wait(&mut self) -> Option<FeedEvent> {
        let due = self.next_mail.filter(|_| !self.pending.is_empty());
        tokio::select! {
            biased;
            event = self.feed.next() => Some(event),
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => None,
        }
    }

    fn is_due(&self) -> bool {
        self.next_mail.is_none_or(|due| due <= Instant::now())
    }

    async fn take(&mut self, block: Arc<Block>) -> Result<(), PluginError> {
        let mut kept = false;
        for body in block.records() {
            if self.pending.is_empty() && self.is_due() {
                self.send(body, 1).await?;
            } else {
                if self.pending.add(body, self.post.max_body) {
                    kept = true;
                    self.rules.throttled.add(1);
                } else {
                    self.rules.full.add(1);
                    self.rules.dropped.add(1);
                    let log = &self.feed.site.log;
                    self.complaints.error(log, || "the next mail is full: further messages are left out of it");
                }
            }
        }
        if self.pending.is_empty() {
            self.feed.ack(block.ticket);
            return Ok(());
        }
        self.pending.ends_with(block.ticket);
        if !kept {
            self.feed.shed(block.ticket);
        }
        Ok(())
    }

    async fn send_pending(&mut self) -> Result<(), PluginError> {
        let (body, messages, ticket) = self.pending.take();
        self.send(&body, messages).await?;
        self.feed.ack(ticket);
        Ok(())
    }

    /// Sends a mail, as often as it takes, or drops it by a rule. It stands for so many `messages`.
    async fn send(&mut self, body: &[u8], messages: usize) -> Result<(), PluginError> {
        let post = self.post;
        let mail = self.letterhead.mail(body, &jiff::Zoned::now());
        let mut to = post.to.clone();
        let mut accepted = false;
        let begun = Instant::now();
        while !to.is_empty() {
            let attempt = tokio::select! {
                biased;
                () = self.deadline.passed() => return Err(self.give_up(messages)),
                attempt = attempt(&mut self.session, post, &to, &mail) => attempt,
            };
            let too_long = post.give_up_after.is_some_and(|patience| begun.elapsed() >= patience);
            let why = match attempt {
                Ok(Receipt { accepted: taken, deferred, refused }) => {
                    accepted |= taken;
                    for (address, reply) in refused {
                        self.rules.recipients_refused.add(1);
                        self.refusals.error(&self.feed.site.log, || format!("{address} is refused: {reply}"));
                    }
                    let Some((address, reply)) = deferred.first() else { break };
                    let why = format!("{address} is put off: {reply}");
                    to = deferred.into_iter().map(|(address, _)| address).collect();
                    why
                }
                Err(why) if why.is_permanent() => {
                    if accepted {
                        self.rules.recipients_refused.add(to.len());
                    } else {
                        self.rules.mails_refused.add(messages);
                    }
                    self.refusals.error(&self.feed.site.log, || format!("sending error: {why}: the mail is dropped"));
                    break;
                }
                Err(why) => {
                    let answered = matches!(why, Failure::Reply { .. });
                    let why = format!("sending error: {why}");
                    if !answered {
                        // Nobody has refused anything: the mail waits for as long as it takes.
                        self.retry(&why).await;
                        continue;
                    }
                    why
                }
            };
            if too_long {
                self.rules.given_up.add(if accepted { to.len() } else { messages });
                let log = &self.feed.site.log;
                self.refusals.error(log, || format!("{why}: given up after {} s", begun.elapsed().as_secs()));
                break;
            }
            self.retry(&why).await;
        }
        self.backoff.reset();
        self.deadline.progress();
        self.next_mail = post.send_interval.map(|interval| Instant::now() + interval);
        let outcome = if accepted { &self.rules.delivered } else { &self.rules.dropped };
        outcome.add(messages);
        self.rules.mails.add(usize::from(accepted));
        Ok(())
    }

    /// Waits before the next attempt; a shutdown cuts the wait short once.
    async fn retry(&mut self, why: &str) {
        self.hang_up().await;
        self.rules.retries.add(1);
        self.complaints.error(&self.feed.site.log, || why.to_owned());
        self.deadline.pause(self.backoff.pause()).await;
    }

    async fn hang_up(&mut self) {
        if let Some(session) = self.session.take() {
            session.close().await;
        }
    }

    fn give_up(&self, messages: usize) -> PluginError {
        let address = &self.post.server.target.address;
        PluginError::retry(format!("{messages} messages could not be mailed by {address} before the shutdown"))
    }
}

/// One attempt, over the open session if there is one.
async fn attempt(open: &mut Option<Session>, post: &Post, to: &[String], mail: &[u8]) -> Result<Receipt, Failure> {
    let mut session = match open.take() {
        Some(session) => session,
        None => Session::open(&post.server).await?,
    };
    let sent = session.send(&post.from, to, mail).await;
    match &sent {
        Ok(_) => *open = Some(session),
        Err(Failure::Reply { .. }) => session.close().await,
        Err(Failure::Broken(_)) => {}
    }
    sent
}
