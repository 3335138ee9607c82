//! Pauses between attempts at something that fails: doubling, up to a limit, so that a passing trouble costs
//! little time and a lasting one little work.

use std::time::Duration;

/// The pauses: `first`, then twice the one before, at most `longest`.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    next: Duration,
    failing: bool,
}

impl Backoff {
    /// Starts with `first`.
    pub fn new(first: Duration, longest: Duration) -> Self {
        Backoff { first, longest, next: first, failing: false }
    }

    /// The pause before the next attempt.
    pub fn pause(&mut self) -> Duration {
        let pause = self.next;
        self.failing = true;
        self.next = (pause * 2).min(self.longest);
        pause
    }

    /// An attempt succeeded: the next trouble starts with the first pause again.
    pub fn reset(&mut self) {
        self.next = self.first;
        self.failing = false;
    }

    /// Whether the last attempt failed.
    pub fn is_failing(&self) -> bool {
        self.failing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_limit() {
        let ms = Duration::from_millis;
        let mut backoff = Backoff::new(ms(10), ms(50));
        assert!(!backoff.is_failing());
        let pauses: Vec<_> = (0..5).map(|_| backoff.pause()).collect();
        assert_eq!(pauses, [ms(10), ms(20), ms(40), ms(50), ms(50)]);
        assert!(backoff.is_failing());
        backoff.reset();
        assert_eq!(backoff.pause(), ms(10));
    }
}
