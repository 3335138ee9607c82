//! Limits how often a complaint that repeats itself is logged, and counts what was left unsaid.

use std::time::{Duration, Instant};

/// Lets one complaint through, then none until the pause is over.
#[derive(Debug)]
pub struct Throttle {
    pause: Duration,
    quiet_until: Option<Instant>,
    unsaid: u64,
}

impl Throttle {
    /// At most one complaint every `pause`.
    pub fn new(pause: Duration) -> Self {
        Throttle { pause, quiet_until: None, unsaid: 0 }
    }

    /// Whether to log a complaint made at `now`: if so, how many have gone unsaid since the last one.
    pub fn admit(&mut self, now: Instant) -> Option<u64> {
        if self.quiet_until.is_some_and(|until| now < until) {
            self.unsaid += 1;
            return None;
        }
        self.quiet_until = Some(now + self.pause);
        Some(std::mem::take(&mut self.unsaid))
    }

    /// What was wrong is over: the next complaint is news again.
    pub fn reset(&mut self) {
        self.quiet_until = None;
        self.unsaid = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_complaint_a_pause() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut throttle = Throttle::new(Duration::from_millis(100));
        assert_eq!(throttle.admit(at(0)), Some(0));
        assert_eq!(throttle.admit(at(1)), None);
        assert_eq!(throttle.admit(at(99)), None);
        assert_eq!(throttle.admit(at(100)), Some(2));
        assert_eq!(throttle.admit(at(101)), None);
        throttle.reset();
        assert_eq!(throttle.admit(at(102)), Some(0));
    }
}
