//! Pauses between attempts: they double up to a limit, and a shutdown ends them.

use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// Doubling pauses.
#[derive(Debug)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl Backoff {
    /// Pauses that grow from `first` to `longest`.
    pub fn new(first: Duration, longest: Duration) -> Self {
        Backoff { first, longest, next: first }
    }

    /// The length of the next pause; the one after it is twice as long.
    pub fn step(&mut self) -> Duration {
        let now = self.next;
        self.next = (now * 2).min(self.longest);
        now
    }

    /// The next pause is the first again.
    pub fn reset(&mut self) {
        self.next = self.first;
    }
}

/// How long an output goes on without progress once a shutdown has begun.
pub const LAST_ATTEMPTS: Duration = Duration::from_secs(5);

/// A bound that begins to count when a shutdown begins and starts over with every progress.
#[derive(Debug)]
pub struct Deadline {
    stopping: watch::Receiver<bool>,
    progress: Instant,
}

impl Deadline {
    /// A bound on what happens after `stopping` turns true.
    pub fn new(stopping: watch::Receiver<bool>) -> Self {
        Deadline { stopping, progress: Instant::now() }
    }

    /// Something was delivered.
    pub fn progress(&mut self) {
        self.progress = Instant::now();
    }

    /// Resolves when [`LAST_ATTEMPTS`] have passed since the shutdown began, or since the last progress, if
    /// that came later. Cancel-safe.
    pub async fn passed(&mut self) {
        if !*self.stopping.borrow() {
            // An error means that nobody is left to begin a shutdown: the daemon is going down.
            let _ = self.stopping.wait_for(|stopping| *stopping).await;
            self.progress = Instant::now();
        }
        tokio::time::sleep_until(self.progress + LAST_ATTEMPTS).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_limit() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2));
        let pauses: Vec<u128> = (0..6).map(|_| backoff.step().as_millis()).collect();
        assert_eq!(pauses, [100, 200, 400, 800, 1600, 2000]);
        backoff.reset();
        assert_eq!(backoff.step().as_millis(), 100);
    }
}
