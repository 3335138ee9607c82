//! The bound on what an output still tries once a shutdown has begun.

use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// How long an output goes on without progress once a shutdown has begun.
pub const LAST_ATTEMPTS: Duration = Duration::from_secs(5);

/// A bound that begins to count when a shutdown begins, or when it is told to, and starts over with every
/// progress.
#[derive(Debug)]
pub struct Deadline {
    stopping: watch::Receiver<bool>,
    /// When the bound began to count, or the last progress since.
    counting_from: Option<Instant>,
}

impl Deadline {
    /// A bound on what happens after `stopping` turns true.
    pub fn new(stopping: watch::Receiver<bool>) -> Self {
        Deadline { stopping, counting_from: None }
    }

    /// Begins to count, unless it does already.
    pub fn begin(&mut self) {
        self.counting_from.get_or_insert_with(Instant::now);
    }

    /// Something was delivered.
    pub fn progress(&mut self) {
        if let Some(from) = &mut self.counting_from {
            *from = Instant::now();
        }
    }

    /// Resolves [`LAST_ATTEMPTS`] after the bound has begun to count, or after the last progress. Cancel-safe.
    pub async fn passed(&mut self) {
        let from = match self.counting_from {
            Some(from) => from,
            None => {
                // An error means that nobody is left to begin a shutdown: the daemon is going down.
                let _ = self.stopping.wait_for(|stopping| *stopping).await;
                *self.counting_from.get_or_insert_with(Instant::now)
            }
        };
        tokio::time::sleep_until(from + LAST_ATTEMPTS).await;
    }

    /// Waits for `pause`, or until the shutdown begins, whichever comes first.
    pub async fn pause(&mut self, pause: Duration) {
        if self.counting_from.is_some() {
            return tokio::time::sleep(pause).await;
        }
        if tokio::time::timeout(pause, self.stopping.wait_for(|stopping| *stopping)).await.is_ok() {
            self.begin();
        }
    }
}
