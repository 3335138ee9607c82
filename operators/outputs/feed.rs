//! Where an output meets the dataflow: blocks of encoded records come out, acknowledgements go back.

use crate::inputs::Waker;
use crate::outputs::{Block, BlockPool};
use crate::plugin::Site;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use tokio::sync::{mpsc, watch};

/// What a feed can bring.
#[derive(Debug)]
pub enum FeedEvent {
    /// Records to deliver.
    Block(Arc<Block>),
    /// `ticker_interval` has passed.
    Tick,
    /// Close and reopen files (SIGHUP).
    Reopen,
    /// Nothing more will come: flush, acknowledge, return.
    End,
}

struct Shared {
    acked: AtomicU64,
    queued: AtomicUsize,
    /// The output's side is gone: nothing will be acknowledged any more.
    gone: AtomicBool,
    waker: Arc<Waker>,
}

/// The engine's side: sends blocks, reads acknowledgements.
pub struct FeedSender {
    sender: Option<mpsc::UnboundedSender<Arc<Block>>>,
    shared: Arc<Shared>,
    next: u64,
    blocks: Arc<BlockPool>,
}

impl FeedSender {
    /// An empty block with room for about `bytes` bytes.
    pub fn block(&self, bytes: usize) -> Block {
        self.blocks.block(bytes)
    }

    /// Hands a block over and returns its ticket. Never waits; see [`FeedSender::queued`].
    pub fn send(&mut self, mut block: Block) -> u64 {
        self.next += 1;
        block.ticket = self.next;
        self.shared.queued.fetch_add(block.bytes.len(), Ordering::Relaxed);
        if let Some(sender) = &self.sender {
            // The receiver lives until the daemon forces its exit.
            let _ = sender.send(Arc::new(block));
        }
        self.next
    }

    /// Bytes sent and not yet acknowledged; the engine stops sending at a limit.
    pub fn queued(&self) -> usize {
        self.shared.queued.load(Ordering::Relaxed)
    }

    /// Tickets up to this one are done.
    pub fn acked(&self) -> u64 {
        self.shared.acked.load(Ordering::Acquire)
    }

    /// Whether the output's side is gone: what is not acknowledged by now never will be.
    pub fn is_abandoned(&self) -> bool {
        self.shared.gone.load(Ordering::Acquire)
    }

    /// Nothing more will come.
    pub fn close(&mut self) {
        self.sender = None;
    }
}

/// An output's side.
pub struct Feed {
    /// The plugin's name, counters and log.
    pub site: Site,
    receiver: mpsc::UnboundedReceiver<Arc<Block>>,
    shared: Arc<Shared>,
    /// Taken and not yet acknowledged, oldest first.
    in_flight: VecDeque<Arc<Block>>,
    /// How many of `in_flight` the present run has been given.
    given: usize,
    ticker: Option<tokio::time::Interval>,
    period: Option<std::time::Duration>,
    reopen: watch::Receiver<u64>,
    /// Turns true when a shutdown has begun; outputs that retry for ever use it to bound their last attempts.
    pub stopping: watch::Receiver<bool>,
}

impl Feed {
    /// Joins the two sides; the daemon's engine calls this. `waker` fires when something is acknowledged.
    pub fn new(
        site: Site,
        waker: Arc<Waker>,
        period: Option<std::time::Duration>,
        reopen: watch::Receiver<u64>,
        stopping: watch::Receiver<bool>,
    ) -> (FeedSender, Feed) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let (acked, queued, gone) = (AtomicU64::new(0), AtomicUsize::new(0), AtomicBool::new(false));
        let shared = Arc::new(Shared { acked, queued, gone, waker });
        let feed = Feed {
            site,
            receiver,
            shared: shared.clone(),
            in_flight: VecDeque::new(),
            given: 0,
            ticker: None,
            period,
            reopen,
            stopping,
        };
        (FeedSender { sender: Some(sender), shared, next: 0, blocks: Arc::default() }, feed)
    }

    /// The next thing to do. Cancel-safe. After [`FeedEvent::End`] it keeps returning that.
    pub async fn next(&mut self) -> FeedEvent {
        if let Some(block) = self.in_flight.get(self.given) {
            self.given += 1;
            return FeedEvent::Block(block.clone());
        }
        if let (None, Some(period)) = (&self.ticker, self.period) {
            let mut ticker = tokio::time::interval_at(tokio::time::Instant::now() + period, period);
            ticker.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
            self.ticker = Some(ticker);
        }
        let tick = async {
            match &mut self.ticker {
                Some(ticker) => drop(ticker.tick().await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            Ok(()) = self.reopen.changed() => FeedEvent::Reopen,
            () = tick => FeedEvent::Tick,
            block = self.receiver.recv() => match block {
                Some(block) => {
                    self.in_flight.push_back(block.clone());
                    self.given = self.in_flight.len();
                    FeedEvent::Block(block)
                }
                None => FeedEvent::End,
            },
        }
    }

    /// The next block, if one waits already.
    pub fn try_next(&mut self) -> Option<Arc<Block>> {
        let block = match self.in_flight.get(self.given) {
            Some(block) => block.clone(),
            None => {
                let block = self.receiver.try_recv().ok()?;
                self.in_flight.push_back(block.clone());
                block
            }
        };
        self.given += 1;
        Some(block)
    }

    /// Everything up to and including `ticket` is done.
    pub fn ack(&mut self, ticket: u64) {
        let mut freed = 0;
        while self.in_flight.front().is_some_and(|block| block.ticket <= ticket) {
            if let Some(block) = self.in_flight.pop_front() {
                freed += block.bytes.len();
                self.given = self.given.saturating_sub(1);
            }
        }
        self.shared.queued.fetch_sub(freed, Ordering::Relaxed);
        self.shared.acked.fetch_max(ticket, Ordering::Release);
        self.shared.waker.notify();
    }

    /// Every record of a block that was taken is dropped by a rule, but blocks before it are not done yet: its bytes
    /// are let go of, and the engine may send others in their place. It is acknowledged in its turn.
    pub fn shed(&mut self, ticket: u64) {
        let Some(at) = self.in_flight.iter().position(|block| block.ticket == ticket) else { return };
        let freed = self.in_flight.get(at).map_or(0, |block| block.bytes.len());
        let emptied = Arc::new(Block::instead_of(ticket));
        // One entry stands for a row of them, or they would pile up in turn.
        let merges = at.checked_sub(1).is_some_and(|before| self.in_flight.get(before).is_some_and(|b| b.is_empty()));
        if merges {
            self.in_flight.remove(at);
            self.given = self.given.saturating_sub(1);
        }
        if let Some(slot) = self.in_flight.get_mut(at - usize::from(merges)) {
            *slot = emptied;
        }
        self.shared.queued.fetch_sub(freed, Ordering::Relaxed);
        self.shared.waker.notify();
    }

    /// Starts over with the oldest block that is not acknowledged; called between two runs of an output, and
    /// by outputs that lost a connection.
    pub fn rewind(&mut self) {
        self.given = 0;
    }

    /// Whether everything has come and is acknowledged.
    pub fn is_done(&self) -> bool {
        self.in_flight.is_empty() && self.receiver.is_closed() && self.receiver.is_empty()
    }

    /// Takes everything still to come, drops it and counts it: the daemon goes on without the output. A feed
    /// that is dropped instead leaves what is not acknowledged to the next start.
    pub async fn drop_rest(&mut self) {
        let dropped = self.site.stats.drops("output-ended");
        self.rewind();
        loop {
            match self.next().await {
                FeedEvent::Block(block) => {
                    dropped.add(block.len());
                    self.ack(block.ticket);
                }
                FeedEvent::End => break,
                FeedEvent::Tick | FeedEvent::Reopen => {}
            }
        }
    }

    /// Whether a shutdown has begun.
    pub fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.shared.gone.store(true, Ordering::Release);
        self.shared.waker.notify();
    }
}
