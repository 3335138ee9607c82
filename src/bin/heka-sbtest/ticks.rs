//! Timer events by the messages' own time, as a daemon that had been running then would have fired them.

/// Ticks of one gap between two messages; a longer gap is passed over.
const MOST: i64 = 1000;
const SECOND: i64 = 1_000_000_000;

/// When the next ticks are due.
pub struct Ticks {
    /// Nanoseconds; 0: only one, behind the input.
    every: i64,
    /// Due at this time; none before the first message.
    next: Option<i64>,
    /// The latest time that was seen.
    latest: i64,
}

impl Ticks {
    pub fn new(seconds: u64) -> Self {
        let every = i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(SECOND);
        Ticks { every, next: None, latest: 0 }
    }

    /// The ticks that come before a message of this time.
    pub fn before(&mut self, time: i64) -> Vec<i64> {
        self.latest = self.latest.max(time);
        let Some(after) = self.after(time) else { return Vec::new() };
        let Some(next) = self.next.replace(after.max(self.next.unwrap_or(after))) else { return Vec::new() };
        let due = after.saturating_sub(next) / self.every;
        if due > MOST {
            eprintln!("{} timer events of a gap in time are passed over", due - MOST);
        }
        let first = after.saturating_sub(due.min(MOST) * self.every);
        (0..due.clamp(0, MOST)).map(|tick| first + tick * self.every).collect()
    }

    /// The tick behind the input.
    pub fn last(&self, now: i64) -> i64 {
        self.next.unwrap_or(if self.latest == 0 { now } else { self.latest })
    }

    /// The first tick behind a time.
    fn after(&self, time: i64) -> Option<i64> {
        let passed = time.checked_div_euclid(self.every)?;
        passed.saturating_add(1).checked_mul(self.every)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_follow_the_messages_time() {
        let mut ticks = Ticks::new(10);
        assert!(ticks.before(25 * SECOND).is_empty());
        assert!(ticks.before(29 * SECOND).is_empty());
        assert_eq!(ticks.before(55 * SECOND), [30 * SECOND, 40 * SECOND, 50 * SECOND]);
        assert!(ticks.before(12 * SECOND).is_empty(), "time does not run backwards");
        assert_eq!(ticks.last(0), 60 * SECOND);
        assert_eq!(ticks.before(60 * SECOND), [60 * SECOND]);
    }

    #[test]
    fn a_long_gap_does_not_take_for_ever() {
        let mut ticks = Ticks::new(1);
        ticks.before(0);
        let due = ticks.before(1_000_000 * SECOND);
        assert_eq!((due.len(), due.last()), (1000, Some(&(1_000_000 * SECOND))));
        assert!(ticks.before(i64::MAX).len() <= 1000);
    }

    #[test]
    fn without_an_interval_there_is_only_the_last() {
        let mut ticks = Ticks::new(0);
        assert!(ticks.before(5).is_empty() && ticks.before(500 * SECOND).is_empty());
        assert_eq!((ticks.last(7), Ticks::new(0).last(7)), (500 * SECOND, 7));
    }
}
