//! A filter that was loaded at run time: called, measured, kept from harming anybody else.

use super::matchers::{Cost, Key, Matchers};
use super::{MEASURED, PERIOD};
use crate::filters::sandbox::SandboxFilter;
use crate::filters::{Filter, Injector, OwnMatch, endings};
use crate::plugin::{PluginError, Site};
use crate::stats::{Counter, Reading};
use heka_message::Selection;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

/// Messages that must have been measured before a filter can be too slow.
const SAMPLES: u64 = 29;
/// Messages after which the clock is looked at.
const SOME: usize = 32;
/// What a filter's matcher may take of a message, as a part of what the filter may.
const MATCHING: u64 = 5;

fn is_slow(calls: Cost, matching: Cost, most: u64, share: u64) -> bool {
    calls.messages >= SAMPLES
        && calls.nanos.saturating_add(matching.nanos) >= share
        && (calls.average() > most || matching.average() > most / MATCHING)
}

/// When a filter is ticked, in nanoseconds since the UNIX epoch.
struct Ticker {
    period: i64,
    /// Not known before the manager's first tick.
    due: Option<i64>,
}

/// One running filter.
pub(super) struct Child {
    filter: SandboxFilter,
    site: Site,
    /// Which messages it wants.
    pub(super) matcher: Key,
    /// Which messages it may not inject; exchanged with the injector's during a call.
    own: Option<OwnMatch>,
    ticker: Option<Ticker>,
    /// What `process_message` has cost of late.
    cost: Cost,
    /// Nanoseconds of that since the last tick.
    busy: u64,
    processed: Arc<Counter>,
    injected: Arc<Counter>,
    matching: Arc<Counter>,
}

impl Child {
    /// A filter that is ticked every `seconds`, or never when they are 0, from `ticked` on: the manager's last tick, if
    /// there has been one.
    pub(super) fn new(
        filter: SandboxFilter,
        site: Site,
        matcher: Key,
        own: Option<OwnMatch>,
        seconds: u64,
        ticked: Option<i64>,
    ) -> Child {
        let period = i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000_000_000);
        let stats = &site.stats;
        let count = |name: &str| stats.counter(name, "count");
        // Reports show them for every filter; what is loaded at run time has no queue of its own.
        for name in ["InChanCapacity", "InChanLength", "MatchChanCapacity", "MatchChanLength", "LeakCount"] {
            count(name);
        }
        Child {
            ticker: (period > 0).then(|| Ticker { period, due: ticked.map(|last| last.saturating_add(period)) }),
            matching: stats.counter("MatchAvgDuration", "ns"),
            processed: count("ProcessMessageCount"),
            injected: count("InjectMessageCount"),
            cost: Cost::default(),
            busy: 0,
            filter,
            site,
            matcher,
            own,
        }
    }

    /// Where it lives.
    pub(super) fn site(&self) -> &Site {
        &self.site
    }

    /// Calls the filter; a panic in it is its end and nobody else's.
    fn call(
        &mut self,
        out: &mut Injector,
        what: impl FnOnce(&mut SandboxFilter, &mut Injector) -> Result<(), PluginError>,
    ) -> Result<(), PluginError> {
        out.swap_own_match(&mut self.own);
        let (before, mark) = (out.len(), out.builder().mark());
        let filter = &mut self.filter;
        let result = catch_unwind(AssertUnwindSafe(|| what(filter, out))).unwrap_or_else(|_| {
            out.builder().rollback(mark);
            endings::sandbox_terminated(&self.site.name, "the plugin panicked", out);
            Err(PluginError::fatal("the plugin panicked"))
        });
        self.injected.add(out.len() - before);
        out.swap_own_match(&mut self.own);
        result
    }

    /// Hands the filter messages; `clock` is the time by now. A slow filter is not waited for any longer than it takes to
    /// measure it.
    ///
    /// # Errors
    /// It has ended, and told everybody.
    pub(super) fn process(
        &mut self,
        messages: &Selection,
        matchers: &Matchers,
        out: &mut Injector,
        clock: &mut Instant,
    ) -> Result<(), PluginError> {
        self.processed.add(messages.len());
        let began = *clock;
        let mut rows = messages.iter();
        loop {
            let (mut count, before) = (0, self.cost.nanos);
            let some = |filter: &mut SandboxFilter, out: &mut Injector| {
                count = filter.process_some(&mut rows, SOME, out)?;
                Ok(())
            };
            let result = self.call(out, some);
            *clock = self.cost.add(*clock, count);
            self.busy += self.cost.nanos - before;
            result?;
            if count < SOME {
                return Ok(());
            }
            let at_a_stretch = clock.duration_since(began);
            if at_a_stretch >= MEASURED
                && is_slow(self.cost, Cost::default(), self.site.globals.max_process_duration, 0)
            {
                self.site.stats.drops("filter-ended").add(rows.count());
                return Err(self.end_slow(matchers, out));
            }
        }
    }

    /// Ticks the filter if it is due by `now`.
    ///
    /// # Errors
    /// As for [`Self::process`].
    pub(super) fn tick(&mut self, now: i64, out: &mut Injector) -> Result<(), PluginError> {
        let Some(ticker) = &mut self.ticker else { return Ok(()) };
        // The manager's period before its first tick, the filter was there already.
        let first = now.saturating_sub_unsigned(PERIOD.as_nanos() as u64).saturating_add(ticker.period);
        let due = *ticker.due.get_or_insert(first);
        if due > now {
            return Ok(());
        }
        // A worker that was held up catches up with one tick, as it does with the ticks of all other filters.
        let passed = (now - due) / ticker.period + 1;
        ticker.due = Some(due.saturating_add(ticker.period.saturating_mul(passed)));
        self.call(out, |filter, out| filter.tick(now, out))
    }

    /// Ends the filter for good: what it has kept of its data goes as well.
    ///
    /// # Errors
    /// Its last tick failed.
    pub(super) fn unload(&mut self, out: &mut Injector) -> Result<(), PluginError> {
        self.call(out, SandboxFilter::last_tick)
    }

    /// Ends the filter until the next start.
    ///
    /// # Errors
    /// Its last tick failed; nothing of its data was saved.
    pub(super) fn stop(&mut self, out: &mut Injector) -> Result<(), PluginError> {
        self.call(out, |filter, out| filter.stop(out))
    }

    /// Messages it was given and has not looked at, because it ended.
    pub(super) fn dropped(&self) -> usize {
        usize::try_from(self.site.stats.drops("filter-ended").get()).unwrap_or(0)
    }

    /// Nanoseconds since the last tick.
    pub(super) fn busy(&self) -> u64 {
        self.busy
    }

    /// Whether it takes at least `share` nanoseconds and is slow: it or its matcher takes more than `most` nanoseconds, or
    /// a fifth of that, for a message.
    pub(super) fn is_slow(&self, matchers: &Matchers, most: u64, share: u64) -> bool {
        is_slow(self.cost, matchers.cost(&self.matcher), most, share)
    }

    /// Shows what its matcher takes, and begins to measure anew; where others wait, only when there were enough messages
    /// to tell.
    pub(super) fn measured(&mut self, matchers: &Matchers, others_wait: bool) {
        let matching = matchers.cost(&self.matcher);
        if matching.messages > 0 {
            self.matching.set(i64::try_from(matching.average()).unwrap_or(i64::MAX));
        }
        self.busy = 0;
        if !others_wait || self.cost.messages >= SAMPLES {
            self.cost = Cost::default();
        }
    }

    /// Tells everybody that it ends because it is too slow.
    pub(super) fn end_slow(&self, matchers: &Matchers, out: &mut Injector) -> PluginError {
        const WHY: &str = "sandbox is running slowly and blocking the router";
        endings::sandbox_terminated(&self.site.name, WHY, out);
        let readings = self.site.stats.read();
        let count = |name: &str| match readings.iter().find(|(known, _)| known == name) {
            Some((_, Reading::Number(number, _))) => *number,
            _ => 0,
        };
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        for (name, unit, value) in [
            ("ProcessMessageCount", "count", self.processed.get()),
            ("ProcessMessageFailures", "count", count("ProcessMessageFailures")),
            ("ProcessMessageSamples", "count", number(self.cost.messages)),
            ("ProcessMessageAvgDuration", "ns", number(self.cost.average())),
            ("MatchAvgDuration", "ns", number(matchers.cost(&self.matcher).average())),
            ("FilterChanLength", "count", 0),
            ("MatchChanLength", "count", 0),
            ("RouterChanLength", "count", 0),
        ] {
            endings::add_number(name, unit, value, out);
        }
        PluginError::fatal(format!("Terminated. Reason: {WHY}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_is_who_takes_long_for_many_messages_and_much_of_the_time() {
        let cost = |messages, average| Cost { messages, nanos: messages * average };
        for (calls, matching, slow) in [
            (cost(29, 101), cost(29, 1), true),
            (cost(29, 100), cost(29, 1), false),
            (cost(28, 900), cost(28, 900), false),
            (cost(29, 1), cost(900, 21), true),
            (cost(29, 1), cost(900, 20), false),
            // Somebody was in its way for a moment.
            (cost(29, 1), cost(29, 21), false),
        ] {
            assert_eq!(is_slow(calls, matching, 100, 1000), slow, "{calls:?} {matching:?}");
        }
    }
}
