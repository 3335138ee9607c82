//! CounterFilter: says at each tick how many messages passed, and how fast.

use super::{Filter, FilterSpec, Injector};
use crate::plugin::{PluginError, Site};
use crate::registry::{Defaults, Make, PluginType};
use heka_message::Selection;
use heka_settings::{Data, Table};
use std::io::Write;
use std::sync::Arc;

const INTERVAL: u64 = 5;

/// The type's entry in the registry.
pub static TYPE: PluginType = PluginType {
    name: "CounterFilter",
    summary: "Counts messages and reports at each tick how many there were since the start, and the current rate.",
    settings: || &[],
    defaults: Defaults {
        ticker_interval: Some(INTERVAL),
        message_matcher: Some("Type != 'heka.counter-output'"),
        ..Defaults::NONE
    },
    make: Make::Filter(|table, _| Arc::new(Spec { interval: interval(table) })),
};

/// The common option, which is checked elsewhere: the first rate spans one interval.
fn interval(table: &Table) -> u64 {
    match table.get("ticker_interval").map(|entry| &entry.value.data) {
        Some(Data::Integer(seconds)) => u64::try_from(*seconds).unwrap_or(INTERVAL),
        _ => INTERVAL,
    }
}

struct Spec {
    /// Seconds.
    interval: u64,
}

impl FilterSpec for Spec {
    fn build(&self, site: &Site) -> Result<Box<dyn Filter>, PluginError> {
        Ok(Box::new(CounterFilter {
            name: site.name.clone(),
            interval: self.interval.max(1) as f64,
            total: 0,
            reported: 0,
            last: None,
            rates: Vec::with_capacity(WINDOW),
        }))
    }
}

/// So many rates are summed up together.
const WINDOW: usize = 10;

struct CounterFilter {
    name: String,
    /// Seconds between ticks.
    interval: f64,
    /// Messages since the start.
    total: u64,
    /// Of these, how many the last report knew of.
    reported: u64,
    /// When the last report was: nanoseconds since the UNIX epoch.
    last: Option<i64>,
    /// Rates since the last sum.
    rates: Vec<f64>,
}

impl CounterFilter {
    /// Seconds that the next rate spans. The time is the ticks' own, so that a replay says the same.
    fn elapsed(&self, now: i64) -> f64 {
        let since = self.last.map_or(0.0, |last| now.saturating_sub(last) as f64 / 1e9);
        if since > 0.0 { since } else { self.interval }
    }

    fn inject(&self, out: &mut Injector, write: impl FnOnce(&mut Vec<u8>)) {
        let builder = out.message();
        let msg_type = builder.text(b"heka.counter-output");
        let logger = builder.text(self.name.as_bytes());
        let payload = builder.text_with(write);
        if let Some(row) = builder.last_row() {
            (row.msg_type, row.logger, row.payload) = (msg_type, logger, payload);
        }
    }
}

impl Filter for CounterFilter {
    fn process(&mut self, selection: &Selection, _: &mut Injector) -> Result<(), PluginError> {
        self.total += selection.len() as u64;
        Ok(())
    }

    fn tick(&mut self, now: i64, out: &mut Injector) -> Result<(), PluginError> {
        // The first interval begins one interval before the first tick, whether or not that one reports.
        let elapsed = self.elapsed(now);
        let new = self.total - self.reported;
        if new == 0 {
            self.last.get_or_insert(now.saturating_sub((self.interval * 1e9) as i64));
            return Ok(());
        }
        let rate = new as f64 / elapsed;
        self.reported = self.total;
        self.last = Some(now);
        self.rates.push(rate);
        // Writing to a vector does not fail.
        self.inject(out, |text| drop(write!(text, "Got {} messages. {rate:.2} msg/sec", self.total)));
        if self.rates.len() == WINDOW {
            let (min, max, sum) = self
                .rates
                .iter()
                .fold((f64::INFINITY, 0f64, 0.0), |(min, max, sum), &rate| (rate.min(min), rate.max(max), sum + rate));
            let mean = sum / WINDOW as f64;
            self.inject(out, |text| {
                drop(write!(text, "AGG Sum. Min: {min:.2}    Max: {max:.2}    Mean: {mean:.2}"));
            });
            self.rates.clear();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Log;
    use crate::plugin::Globals;
    use heka_message::{BatchBuilder, RowSet};

    const SECOND: i64 = 1_000_000_000;
    const START: i64 = 1_425_943_800 * SECOND;

    struct Bench {
        filter: Box<dyn Filter>,
        out: Injector,
        now: i64,
    }

    impl Bench {
        fn new(section: Table) -> Self {
            let Make::Filter(read) = TYPE.make else { panic!("not a filter") };
            let spec = read(&section, &mut Default::default());
            let globals = Arc::new(Globals { hostname: "here".into(), pid: 7, ..Globals::default() });
            let site = Site {
                name: "counter".into(),
                globals: globals.clone(),
                stats: Arc::default(),
                log: Log::new("Plugin", "counter"),
            };
            Bench { filter: spec.build(&site).unwrap(), out: Injector::new(globals), now: START }
        }

        fn messages(&mut self, count: usize) {
            let mut builder = BatchBuilder::default();
            for _ in 0..=count {
                builder.row();
            }
            let rows = RowSet::from_fn(count + 1, |row| row < count);
            let selection = Selection { batch: Arc::new(builder.finish()), rows };
            self.filter.process(&selection, &mut self.out).unwrap();
        }

        fn tick_after(&mut self, seconds: i64) -> Vec<String> {
            self.now += seconds * SECOND;
            self.out.set_now(self.now);
            self.filter.tick(self.now, &mut self.out).unwrap();
            let Some(batch) = self.out.take() else { return Vec::new() };
            let payloads = batch.rows().map(|row| {
                assert_eq!((row.msg_type(), row.logger()), (&b"heka.counter-output"[..], &b"counter"[..]));
                assert_eq!((row.hostname(), row.pid(), row.timestamp()), (&b"here"[..], 7, self.now));
                assert!(row.uuid().is_some());
                String::from_utf8(row.payload().to_vec()).unwrap()
            });
            payloads.collect()
        }
    }

    #[test]
    fn rates_span_the_time_since_the_last_report() {
        let mut bench = Bench::new(Table::default());
        bench.messages(4);
        bench.messages(6);
        assert_eq!(bench.tick_after(5), ["Got 10 messages. 2.00 msg/sec"]);
        assert!(bench.tick_after(5).is_empty());
        bench.messages(10);
        assert_eq!(bench.tick_after(5), ["Got 20 messages. 1.00 msg/sec"]);
    }

    #[test]
    fn a_quiet_start_counts_as_time() {
        let mut bench = Bench::new(Table::default().with("ticker_interval", Data::Integer(2)));
        assert!(bench.tick_after(2).is_empty());
        bench.messages(10);
        assert_eq!(bench.tick_after(2), ["Got 10 messages. 2.50 msg/sec"]);
        bench.messages(1);
        assert_eq!(bench.tick_after(3), ["Got 11 messages. 0.33 msg/sec"]);
    }

    #[test]
    fn ten_reports_are_summed_up() {
        let mut bench = Bench::new(Table::default());
        for round in 0..2 {
            for report in 1..=10 {
                bench.messages(10);
                let got = format!("Got {} messages. 2.00 msg/sec", (round * 10 + report) * 10);
                let sum = "AGG Sum. Min: 2.00    Max: 2.00    Mean: 2.00".to_owned();
                assert_eq!(bench.tick_after(5), if report == 10 { vec![got, sum] } else { vec![got] });
            }
        }
        let mut bench = Bench::new(Table::default());
        let mut last = Vec::new();
        for report in 1..=10 {
            bench.messages(report * 5);
            last = bench.tick_after(5);
        }
        assert_eq!(last[1], "AGG Sum. Min: 1.00    Max: 10.00    Mean: 5.50");
    }

    #[test]
    fn a_clock_that_stands_still_gives_a_finite_rate() {
        let mut bench = Bench::new(Table::default());
        bench.messages(10);
        bench.tick_after(5);
        bench.messages(10);
        assert_eq!(bench.tick_after(0), ["Got 20 messages. 2.00 msg/sec"]);
    }
}
