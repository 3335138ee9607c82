//! Limits how often a complaint that repeats itself is logged, and counts what was left unsaid.

use std::time::{Duration, Instant};

/// How many complaints went unsaid; prints as the end of the line that tells of it, or as nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsaid(pub u64);

impl std::fmt::Display for Unsaid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            0 => Ok(()),
            n => write!(f, " (and {n} times more, not logged)"),
        }
    }
}

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
    pub fn admit(&mut self, now: Instant) -> Option<Unsaid> {
        if self.quiet_until.is_some_and(|until| now < until) {
            self.unsaid += 1;
            return None;
        }
        self.quiet_until = Some(now + self.pause);
        Some(Unsaid(std::mem::take(&mut self.unsaid)))
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
        assert_eq!(throttle.admit(at(0)), Some(Unsaid(0)));
        assert_eq!(throttle.admit(at(1)), None);
        assert_eq!(throttle.admit(at(99)), None);
        assert_eq!(throttle.admit(at(100)), Some(Unsaid(2)));
        assert_eq!(throttle.admit(at(101)), None);
        assert_eq!(format!("no{}, no{}", Unsaid(0), Unsaid(2)), "no, no (and 2 times more, not logged)");
        throttle.reset();
        assert_eq!(throttle.admit(at(102)), Some(Unsaid(0)));
    }
}
