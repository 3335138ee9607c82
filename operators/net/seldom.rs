//! A log line that may be due a million times a second, and is written once in a while.

use crate::log::Log;
use std::time::{Duration, Instant};

/// Writes one line a period, and says how many it kept back.
#[derive(Debug, Default)]
pub struct Seldom {
    last: Option<Instant>,
    kept_back: u64,
}

const PERIOD: Duration = Duration::from_secs(10);

impl Seldom {
    /// Logs the text as an error, unless one was logged less than ten seconds ago.
    pub fn error(&mut self, log: &Log, text: impl FnOnce() -> String) {
        if let Some(line) = self.admit(Instant::now(), text) {
            log.error(line);
        }
    }

    fn admit(&mut self, now: Instant, text: impl FnOnce() -> String) -> Option<String> {
        if self.last.is_some_and(|last| now.saturating_duration_since(last) < PERIOD) {
            self.kept_back += 1;
            return None;
        }
        self.last = Some(now);
        match std::mem::take(&mut self.kept_back) {
            0 => Some(text()),
            n => Some(format!("{} ({n} more since the last such line)", text())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_between_are_counted() {
        let mut seldom = Seldom::default();
        let start = Instant::now();
        assert_eq!(seldom.admit(start, || "a".into()).as_deref(), Some("a"));
        assert_eq!(seldom.admit(start + PERIOD / 2, || "b".into()), None);
        assert_eq!(seldom.admit(start + PERIOD / 2, || "c".into()), None);
        let line = seldom.admit(start + PERIOD, || "d".into());
        assert_eq!(line.as_deref(), Some("d (2 more since the last such line)"));
        assert_eq!(seldom.admit(start + 2 * PERIOD, || "e".into()).as_deref(), Some("e"));
    }
}
