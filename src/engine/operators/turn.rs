//! How long an operator may keep its worker before others get their turn.
//!
//! Timely schedules operators one after the other, and a script may take milliseconds for a message. Whoever works long
//! asks between two pieces of work whether its turn is over, keeps the rest, and activates itself.

use std::time::{Duration, Instant};

/// Short enough that ticks are not late, long enough that changing turns costs nothing.
const TURN: Duration = Duration::from_millis(10);

/// One turn of an operator.
pub struct Turn(Instant);

impl Turn {
    /// It begins now.
    pub fn begin() -> Self {
        Turn(Instant::now())
    }

    /// Whether the rest has to wait for the next one.
    pub fn is_over(&self) -> bool {
        self.0.elapsed() >= TURN
    }
}

/// How many messages to work at between two looks at the clock: few of those that take long, many of those that do not.
#[derive(Debug)]
pub struct Pace(usize);

impl Default for Pace {
    fn default() -> Self {
        Pace(64)
    }
}

impl Pace {
    /// Messages to take next.
    pub fn messages(&self) -> usize {
        self.0
    }

    /// So many have taken so long.
    pub fn took(&mut self, messages: usize, time: Duration) {
        if time > TURN / 4 {
            self.0 = (messages.min(self.0) / 4).max(1);
        } else if messages >= self.0 && time < TURN / 256 {
            self.0 = self.0.saturating_mul(4);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_messages_are_taken_one_by_one_and_quick_ones_all_at_once() {
        let mut pace = Pace::default();
        for _ in 0..10 {
            pace.took(pace.messages(), TURN);
        }
        assert_eq!(pace.messages(), 1);
        for _ in 0..100 {
            pace.took(pace.messages(), Duration::from_micros(1));
        }
        assert_eq!(pace.messages(), usize::MAX);
        let mut pace = Pace::default();
        pace.took(3, Duration::ZERO);
        pace.took(64, TURN / 8);
        assert_eq!(pace.messages(), Pace::default().messages(), "neither says anything");
    }
}
