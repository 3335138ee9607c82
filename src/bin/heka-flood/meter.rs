//! How fast it goes: a line a second.

use heka_operators::log;
use std::time::Instant;

/// Seconds without a message after which nothing more is said.
const QUIET_AFTER: u32 = 3;

/// What was sent, in all and since the last line.
pub struct Meter {
    /// Messages sent.
    pub sent: u64,
    /// Those of them that a receiver can take for messages.
    pub delivered: u64,
    bytes: u64,
    since: Instant,
    messages: u64,
    idle: u32,
}

impl Meter {
    pub fn new() -> Self {
        Meter { sent: 0, delivered: 0, bytes: 0, since: Instant::now(), messages: 0, idle: 0 }
    }

    /// So many messages, of so many bytes in all, were sent.
    pub fn count(&mut self, messages: u64, delivered: u64, bytes: usize) {
        self.sent += messages;
        self.delivered += delivered;
        self.messages += messages;
        self.bytes += bytes as u64;
    }

    /// Says how fast it went since the last time, unless nothing happens any more.
    pub fn report(&mut self) {
        if let Some(line) = self.line(self.since.elapsed().as_secs_f64()) {
            log::info(line);
        }
        self.since = Instant::now();
    }

    fn line(&mut self, seconds: f64) -> Option<String> {
        let (messages, bytes) = (std::mem::take(&mut self.messages), std::mem::take(&mut self.bytes));
        self.idle = if messages == 0 { self.idle.saturating_add(1) } else { 0 };
        let rate = messages as f64 / seconds;
        let megabits = bytes as f64 * 8.0 / seconds / 1e6;
        let shown = self.idle < QUIET_AFTER;
        shown.then(|| format!("Sent {} messages. {rate:.2} msg/sec {megabits:.2} Mbit/sec", self.sent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_fast_it_goes_and_silence_that_it_does_not() {
        let mut meter = Meter::new();
        meter.count(100, 90, 125_000);
        assert_eq!(meter.line(2.0).as_deref(), Some("Sent 100 messages. 50.00 msg/sec 0.50 Mbit/sec"));
        let lines: Vec<bool> = (0..5).map(|_| meter.line(1.0).is_some()).collect();
        assert_eq!(lines, [true, true, false, false, false]);
        meter.count(1, 1, 1);
        assert!(meter.line(1.0).is_some_and(|line| line.starts_with("Sent 101 messages.")));
        assert_eq!((meter.sent, meter.delivered), (101, 91));
    }
}
