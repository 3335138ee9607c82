//! When a file's batch is flushed: by number of messages and by time, joined with AND or OR. Pure: the time
//! comes in from outside.

use std::time::{Duration, Instant};

/// `flush_count`, `flush_interval` and `flush_operator`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlushRule {
    /// Messages a batch needs; at least 1.
    pub count: u64,
    /// The timer's period; `None` is no timer.
    pub interval: Option<Duration>,
    /// Whether either condition is enough; without a timer it makes no difference.
    pub either: bool,
}

/// The batch as the rule sees it.
///
/// With OR, or without a timer, a batch is flushed as soon as it has `count` messages, and with OR also when
/// the timer fires. With AND it is flushed when it has `count` messages and the timer has fired since the last
/// flush, in whichever order. Every flush restarts the timer.
#[derive(Debug)]
pub struct FlushClock {
    rule: FlushRule,
    pending: u64,
    /// When the timer fires next.
    due: Instant,
    /// The timer has fired since the last flush.
    fired: bool,
}

impl FlushClock {
    /// An empty batch; the timer starts at `now`.
    pub fn new(rule: FlushRule, now: Instant) -> Self {
        let mut clock = FlushClock { rule, pending: 0, due: now, fired: false };
        clock.restart(0, now);
        clock
    }

    fn restart(&mut self, pending: u64, now: Instant) {
        self.pending = pending;
        self.fired = false;
        self.due = now + self.rule.interval.unwrap_or_default();
    }

    /// When [`FlushClock::timer`] must be called, if nothing else happens before. `None` while the timer could
    /// change nothing, so that an idle file wakes nobody.
    pub fn deadline(&self) -> Option<Instant> {
        let matters = self.rule.interval.is_some() && !self.fired && self.pending >= self.least();
        matters.then_some(self.due)
    }

    /// The smallest batch that the timer flushes.
    fn least(&self) -> u64 {
        if self.rule.either { 1 } else { self.rule.count }
    }

    /// Lets the timer catch up with `now`; to be called before [`FlushClock::messages`]. Returns whether the
    /// whole batch is flushed.
    pub fn timer(&mut self, now: Instant) -> bool {
        let Some(interval) = self.rule.interval else { return false };
        if now < self.due {
            return false;
        }
        if self.pending >= self.least() {
            self.flushed(now);
            return true;
        }
        // AND remembers that the timer fired; OR only cares for the next time, in step with the times before.
        self.fired = !self.rule.either;
        let periods = now.duration_since(self.due).as_nanos() / interval.as_nanos().max(1) + 1;
        self.due += interval.saturating_mul(u32::try_from(periods).unwrap_or(u32::MAX));
        false
    }

    /// `n` messages have come. Returns how many of them, from the first, belong to a batch that is flushed
    /// now, together with everything before them; 0 is no flush.
    pub fn messages(&mut self, n: u64, now: Instant) -> u64 {
        self.pending += n;
        if self.pending < self.rule.count {
            return 0;
        }
        if self.rule.interval.is_none() || self.rule.either {
            let rest = self.pending % self.rule.count;
            self.restart(rest, now);
            return n.saturating_sub(rest);
        }
        if !self.fired {
            return 0;
        }
        // The timer is what was waited for, so all that came at once goes at once.
        self.flushed(now);
        n
    }

    /// Everything is flushed for another reason.
    pub fn flushed(&mut self, now: Instant) {
        self.restart(0, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Messages that come at a time (ms), and how many of them are flushed at once; 0 messages stand for the
    /// timer, and whether it flushes.
    type Steps = &'static [(u64, u64, u64)];

    fn play(name: &str, count: u64, interval: u64, either: bool, steps: Steps) {
        let start = Instant::now();
        let interval = (interval > 0).then(|| Duration::from_millis(interval));
        let mut clock = FlushClock::new(FlushRule { count, interval, either }, start);
        for &(at, n, expected) in steps {
            let now = start + Duration::from_millis(at);
            if n == 0 {
                assert_eq!(clock.deadline(), Some(now), "{name}: deadline before {at} ms");
                assert_eq!(u64::from(clock.timer(now)), expected, "{name}: timer at {at} ms");
            } else {
                assert!(!clock.timer(now), "{name}: the timer was late at {at} ms");
                assert_eq!(clock.messages(n, now), expected, "{name}: messages at {at} ms");
            }
        }
    }

    #[test]
    fn the_rules_of_the_reference() {
        const AND: bool = false;
        const OR: bool = true;
        play("defaults: at the first expiry", 1, 1000, AND, &[(0, 1, 0), (1000, 0, 1)]);
        play("defaults: at once when idle for longer", 1, 1000, AND, &[(2500, 3, 3), (2600, 1, 0), (3500, 0, 1)]);
        play("AND: the count is reached late", 2, 1000, AND, &[(100, 1, 0), (1500, 1, 1)]);
        play("AND: the timer comes late", 2, 1000, AND, &[(100, 1, 0), (200, 1, 0), (300, 5, 0), (1000, 0, 1)]);
        play("OR: the timer is enough", 2, 1000, OR, &[(100, 1, 0), (1000, 0, 1)]);
        play("OR: the count is enough", 2, 1000, OR, &[(100, 2, 2)]);
        play("OR: the timer keeps its step while idle", 9, 1000, OR, &[(2300, 1, 0), (3000, 0, 1)]);
        play("OR: a flush restarts the timer", 2, 1000, OR, &[(900, 2, 2), (950, 1, 0), (1900, 0, 1)]);
        play("no timer: every third", 3, 0, AND, &[(0, 1, 0), (9000, 1, 0), (9001, 1, 1), (9002, 2, 0), (9003, 1, 1)]);
        play("no timer: a block that holds several", 3, 0, OR, &[(0, 7, 6), (1, 1, 0), (2, 1, 1), (3, 6, 6)]);
        play("no timer, count 1: each", 1, 0, OR, &[(0, 1, 1), (0, 300, 300)]);
    }

    #[test]
    fn nobody_is_woken_without_need() {
        let start = Instant::now();
        for (either, interval) in [(true, 10), (false, 10), (true, 0), (false, 0)] {
            let interval = (interval > 0).then(|| Duration::from_millis(interval));
            let mut clock = FlushClock::new(FlushRule { count: 2, interval, either }, start);
            assert_eq!(clock.deadline(), None);
            clock.messages(1, start);
            assert_eq!(clock.deadline().is_some(), either && interval.is_some());
        }
    }
}
