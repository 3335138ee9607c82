//! Where an input meets the dataflow: chunks go in, commits come back.

use crate::inputs::{Chunk, ChunkBuf, ChunkPool, Credit, Credits};
use crate::plugin::Site;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, OnceLock};
use tokio::sync::{mpsc, watch};

/// Everything of a stream up to `position` is done: delivered downstream, dead-lettered, or dropped by a named
/// rule. Sent from one place, when the frontier of all outputs has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commit {
    /// [`Stream::id`](crate::inputs::Stream::id).
    pub stream: u32,
    /// In the count of [`Chunk::position`].
    pub position: u64,
}

/// What travels from an input to its operator.
pub type Delivery = Chunk;

/// Wakes an operator that sleeps: armed by the operator before it sleeps, fired at most once per arming.
#[derive(Default)]
pub struct Waker {
    armed: AtomicBool,
    wake: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl Waker {
    /// Says how to wake; the first call counts.
    pub fn connect(&self, wake: impl Fn() + Send + Sync + 'static) {
        let _ = self.wake.set(Box::new(wake));
    }

    /// The operator is about to sleep; it must look at its queue once more after this.
    pub fn arm(&self) {
        self.armed.store(true, Ordering::SeqCst);
    }

    /// Something has been queued.
    pub fn notify(&self) {
        if self.armed.swap(false, Ordering::SeqCst)
            && let Some(wake) = self.wake.get()
        {
            wake();
        }
    }
}

/// An input's side of the edge. Cloning it is cheap, for connections that run as tasks of their own; the
/// dataflow considers the input ended when the last clone is dropped.
#[derive(Clone)]
pub struct InputEdge {
    /// The plugin's name, counters and log.
    pub site: Site,
    pub(crate) sender: Sender<Delivery>,
    pub(crate) waker: Arc<Waker>,
    pub(crate) credits: Credits,
    pub(crate) stop: watch::Receiver<bool>,
    pub(crate) commits: Arc<std::sync::Mutex<Option<mpsc::UnboundedReceiver<Commit>>>>,
}

impl InputEdge {
    /// Joins the two sides; the daemon's engine calls this.
    pub fn new(
        site: Site,
        sender: Sender<Delivery>,
        waker: Arc<Waker>,
        credits: Credits,
        stop: watch::Receiver<bool>,
        commits: mpsc::UnboundedReceiver<Commit>,
    ) -> Self {
        InputEdge { site, sender, waker, credits, stop, commits: Arc::new(std::sync::Mutex::new(Some(commits))) }
    }

    /// Waits for room in the budget, then takes a buffer.
    pub async fn buffer(&self, pool: &Arc<ChunkPool>) -> (ChunkBuf, Credit) {
        let credit = self.credits.take(weight(pool)).await;
        (pool.take(), credit)
    }

    /// Takes a buffer if the budget has room for it now.
    pub fn try_buffer(&self, pool: &Arc<ChunkPool>) -> Option<(ChunkBuf, Credit)> {
        let credit = self.credits.try_take(weight(pool))?;
        Some((pool.take(), credit))
    }

    /// Makes the memory and the budget that a read holds fit what it brought, so that a trickle of small reads
    /// does not pin large buffers: a buffer less than a quarter full is copied, and returns to its pool.
    pub fn fit(&self, buf: ChunkBuf, credit: Credit) -> (ChunkBuf, Credit) {
        if buf.len() >= buf.capacity() / 4 {
            return (buf, credit);
        }
        let small = ChunkBuf::copy_of(buf.as_ref());
        // When the budget has no room for the small share, the large one stays taken.
        let credit = self.credits.try_take(small.len()).unwrap_or(credit);
        (small, credit)
    }

    /// The budget all inputs share.
    pub fn credits(&self) -> &Credits {
        &self.credits
    }

    /// Hands a chunk over. Never waits: the budget was taken before the bytes were read.
    pub fn send(&self, chunk: Chunk) {
        // The operator outlives its inputs except at a forced exit, when nobody is left to tell.
        let _ = self.sender.send(chunk);
        self.waker.notify();
    }

    /// Whether the input has been told to stop.
    pub fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// Turns true when the input is told to stop.
    pub fn stopping(&self) -> watch::Receiver<bool> {
        self.stop.clone()
    }

    /// Waits until the input is told to stop.
    pub async fn stopped(&self) {
        let mut stop = self.stop.clone();
        // An error means that the daemon's side is gone, which is a stop as well.
        let _ = stop.wait_for(|stop| *stop).await;
    }

    /// The commits of this input; the first caller gets them. The channel closes when everything the input
    /// delivered is done and the dataflow has ended.
    pub fn take_commits(&self) -> Option<mpsc::UnboundedReceiver<Commit>> {
        self.commits.lock().ok().and_then(|mut commits| commits.take())
    }

    /// Ends this side's deliveries but keeps the rest usable: the receiver sees the end once all clones have
    /// done the same or are dropped. Inputs that keep positions call it before they await the last commits.
    pub fn finish(&mut self) {
        let (sender, _) = std::sync::mpsc::channel();
        self.sender = sender;
        self.waker.notify();
    }
}

/// What a buffer costs the budget, in bytes: rows and arena of the batch made of it take about as much again.
fn weight(pool: &ChunkPool) -> usize {
    pool.size() * 2
}

impl Drop for InputEdge {
    fn drop(&mut self) {
        self.finish();
    }
}
