//! Limits how often a complaint that repeats itself is logged, and counts what was left unsaid: some complaints
//! are due a million times a second, or as often as whoever sends the bytes likes.

use crate::log::Log;
use std::fmt::Display;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a throttle keeps quiet when nothing else is said.
const PAUSE: Duration = Duration::from_secs(10);

/// How many complaints went unsaid; prints as the end of the line that tells of it, or as nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsaid(pub u64);

impl Display for Unsaid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            0 => Ok(()),
            n => write!(f, " (and {n} times more, not logged)"),
        }
    }
}

/// Lets one complaint through, then none until the pause is over. May be shared.
#[derive(Debug)]
pub struct Throttle {
    pause: Duration,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    quiet_until: Option<Instant>,
    unsaid: u64,
}

impl Default for Throttle {
    /// At most one complaint in ten seconds.
    fn default() -> Self {
        Throttle::new(PAUSE)
    }
}

impl Throttle {
    /// At most one complaint every `pause`.
    pub fn new(pause: Duration) -> Self {
        Throttle { pause, state: Mutex::default() }
    }

    /// Whether to log a complaint made at `now`: if so, how many have gone unsaid since the last one.
    pub fn admit(&self, now: Instant) -> Option<Unsaid> {
        let mut state = self.state();
        if state.quiet_until.is_some_and(|until| now < until) {
            state.unsaid += 1;
            return None;
        }
        state.quiet_until = Some(now + self.pause);
        Some(Unsaid(std::mem::take(&mut state.unsaid)))
    }

    /// Logs an error if one is due, with the number of those that were not. The text is made only then.
    pub fn error<T: Display>(&self, log: &Log, text: impl FnOnce() -> T) {
        if let Some(unsaid) = self.admit(Instant::now()) {
            log.error(format_args!("{}{unsaid}", text()));
        }
    }

    /// What was wrong is over: the next complaint is news again.
    pub fn reset(&self) {
        *self.state() = State::default();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Whatever a panic elsewhere leaves behind are two numbers that bound log lines.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_complaint_a_pause() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let throttle = Throttle::new(Duration::from_millis(100));
        assert_eq!(throttle.admit(at(0)), Some(Unsaid(0)));
        assert_eq!(throttle.admit(at(1)), None);
        assert_eq!(throttle.admit(at(99)), None);
        assert_eq!(throttle.admit(at(100)), Some(Unsaid(2)));
        assert_eq!(throttle.admit(at(101)), None);
        assert_eq!(format!("no{}, no{}", Unsaid(0), Unsaid(2)), "no, no (and 2 times more, not logged)");
        throttle.reset();
        assert_eq!(throttle.admit(at(102)), Some(Unsaid(0)));
    }

    #[test]
    fn a_text_that_is_not_logged_is_not_made() {
        let throttle = Throttle::default();
        let mut made = 0;
        for _ in 0..3 {
            throttle.error(&Log::new("Plugin", "throttled"), || {
                made += 1;
                "once"
            });
        }
        assert_eq!(made, 1);
    }
}
