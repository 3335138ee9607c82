//! When control messages arrived. Many may come at once, and to load a filter takes a moment: the last of them have not
//! become old because those before them were obeyed.

use std::time::{Duration, Instant};

/// A pause as long as this ends a burst.
const PAUSE: Duration = Duration::from_secs(5);

/// Control messages that follow each other closely.
#[derive(Debug, Default)]
pub(super) struct Burst {
    /// What the messages so far have taken.
    spent: Duration,
    last: Option<Instant>,
}

impl Burst {
    /// When the messages at hand arrived, in nanoseconds since the UNIX epoch, if they had to wait for those before them;
    /// the time is `begun`, which is `now` since the epoch.
    pub(super) fn arrival(&mut self, begun: Instant, now: i64) -> i64 {
        if self.last.is_none_or(|last| begun.duration_since(last) >= PAUSE) {
            self.spent = Duration::ZERO;
        }
        now.saturating_sub(i64::try_from(self.spent.as_nanos()).unwrap_or(i64::MAX))
    }

    /// The messages that were begun at `begun` have been obeyed.
    pub(super) fn took(&mut self, begun: Instant) {
        let now = Instant::now();
        self.spent += now.duration_since(begun);
        self.last = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_do_not_grow_old_behind_others() {
        let mut burst = Burst::default();
        let start = Instant::now() - Duration::from_secs(60);
        assert_eq!(burst.arrival(start, 1000), 1000);
        (burst.spent, burst.last) = (Duration::from_nanos(300), Some(start));
        assert_eq!(burst.arrival(start + PAUSE / 2, 1000), 700);
        assert_eq!(burst.arrival(start + PAUSE, 1000), 1000);
        burst.took(start);
        assert!(burst.spent >= Duration::from_secs(60));
    }
}
