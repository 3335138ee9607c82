//! A filter that was loaded at run time: called, measured, kept from harming anybody else.

use super::PERIOD;
use super::matchers::{Cost, Key, Matchers};
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
/// What a filter's matcher may take of a message, as a part of what the filter may.
const MATCHING: u64 = 5;

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

    /// Hands the filter messages; `clock` is the time by now.
    ///
    /// # Errors
    /// It has ended, and told everybody.
    pub(super) fn process(
        &mut self,
        messages: &Selection,
        out: &mut Injector,
        clock: &mut Instant,
    ) -> Result<(), PluginError> {
        let count = messages.len();
        self.processed.add(count);
        let result = self.call(out, |filter, out| filter.process(messages, out));
        *clock = self.cost.add(*clock, count);
        result
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

    /// Nanoseconds of late.
    pub(super) fn busy(&self) -> u64 {
        self.cost.nanos
    }

    /// Whether it or its matcher takes more than `most` nanoseconds and a fifth of that for a message.
    pub(super) fn is_slow(&self, matchers: &Matchers, most: u64) -> bool {
        self.cost.messages >= SAMPLES
            && (self.cost.average() > most || matchers.cost(&self.matcher).average() > most / MATCHING)
    }

    /// Shows what its matcher takes, and begins to measure anew.
    pub(super) fn measured(&mut self, matchers: &Matchers) {
        let matching = matchers.cost(&self.matcher);
        if matching.messages > 0 {
            self.matching.set(i64::try_from(matching.average()).unwrap_or(i64::MAX));
        }
        self.cost = Cost::default();
    }

    /// Tells everybody that it is too slow.
    pub(super) fn tell_slow(&self, matchers: &Matchers, out: &mut Injector) -> &'static str {
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
        WHY
    }
}
