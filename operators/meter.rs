//! What reports say of a plugin that handles messages one by one: how many, how many failed, how long one
//! takes. The clock is read for one message in a thousand only.

use crate::stats::{Counter, Stats};
use std::sync::Arc;
use std::time::Instant;

/// One call in so many is timed.
const SAMPLE: u32 = 1000;

/// How often something was timed, and how long it takes on average.
pub struct Timing {
    samples: Arc<Counter>,
    average: Arc<Counter>,
    /// Calls until the next sample; the first call is one.
    wait: u32,
    timed: i64,
    nanos: i64,
}

impl Timing {
    /// Registers `<name>Samples` and `<name>AvgDuration`.
    pub fn new(stats: &Stats, name: &str) -> Self {
        Timing::with_suffix(stats, name, "")
    }

    fn with_suffix(stats: &Stats, name: &str, suffix: &str) -> Self {
        Timing {
            samples: stats.counter(&format!("{name}Samples{suffix}"), "count"),
            average: stats.counter(&format!("{name}AvgDuration{suffix}"), "ns"),
            wait: 0,
            timed: 0,
            nanos: 0,
        }
    }

    /// Begins a call; hand the result to [`Self::end`].
    #[inline]
    pub fn begin(&mut self) -> Option<Instant> {
        if self.wait > 0 {
            self.wait -= 1;
            return None;
        }
        self.wait = SAMPLE - 1;
        Some(Instant::now())
    }

    /// Begins a call that is timed whatever its turn.
    pub fn begin_always(&mut self) -> Option<Instant> {
        Some(Instant::now())
    }

    /// Ends a call.
    #[inline]
    pub fn end(&mut self, begun: Option<Instant>) {
        if let Some(begun) = begun {
            self.sample(i64::try_from(begun.elapsed().as_nanos()).unwrap_or(i64::MAX));
        }
    }

    #[cold]
    fn sample(&mut self, nanos: i64) {
        self.timed += 1;
        self.nanos = self.nanos.saturating_add(nanos);
        self.samples.set(self.timed);
        self.average.set(self.nanos / self.timed);
    }
}

/// The counters `ProcessMessageCount`, `ProcessMessageFailures`, `ProcessMessageSamples` and
/// `ProcessMessageAvgDuration` of one instance.
pub struct Meter {
    count: Arc<Counter>,
    failures: Arc<Counter>,
    timing: Timing,
}

impl Meter {
    /// Registers the counters, with `suffix` behind their names.
    pub fn new(stats: &Stats, suffix: &str) -> Self {
        Meter {
            count: stats.counter(&format!("ProcessMessageCount{suffix}"), "count"),
            failures: stats.counter(&format!("ProcessMessageFailures{suffix}"), "count"),
            timing: Timing::with_suffix(stats, "ProcessMessage", suffix),
        }
    }

    /// Begins a message; hand the result to [`Self::end`].
    #[inline]
    pub fn begin(&mut self) -> Option<Instant> {
        self.timing.begin()
    }

    /// Ends a message.
    #[inline]
    pub fn end(&mut self, begun: Option<Instant>, success: bool) {
        self.count.add(1);
        if !success {
            self.failures.add(1);
        }
        self.timing.end(begun);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Reading;

    #[test]
    fn one_in_a_thousand_is_timed() {
        let stats = Stats::default();
        let mut meter = Meter::new(&stats, "-sub");
        for message in 0..2001 {
            let begun = meter.begin();
            assert_eq!(begun.is_some(), message % 1000 == 0);
            meter.end(begun, message % 2 == 0);
        }
        let numbers: Vec<_> = stats
            .read()
            .into_iter()
            .map(|(name, reading)| match reading {
                Reading::Number(number, unit) => (name, number, unit),
                Reading::Text(text) => panic!("{name} is {text}"),
            })
            .collect();
        let expected = [
            ("ProcessMessageCount-sub", 2001, "count"),
            ("ProcessMessageFailures-sub", 1000, "count"),
            ("ProcessMessageSamples-sub", 3, "count"),
        ];
        assert_eq!(numbers[..3], expected.map(|(name, number, unit)| (name.to_owned(), number, unit)));
        assert_eq!((numbers[3].0.as_str(), numbers[3].2), ("ProcessMessageAvgDuration-sub", "ns"));
    }
}
