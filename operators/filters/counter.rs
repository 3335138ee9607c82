//! CounterFilter: counts messages, and at each tick reports the total and the rate since the last report.

use crate::filters::{Filter, FilterSpec, Injector};
use crate::plugin::{PluginError, Site};
use crate::registry::{Defaults, Make, PluginType};
use heka_message::Selection;
use heka_settings::{Settings, settings};
use std::sync::Arc;

settings! {
    /// CounterFilter has no options of its own.
    pub struct CounterSettings {}
}

/// The type's entry in the registry.
pub static TYPE: PluginType = PluginType {
    name: "CounterFilter",
    summary: "Counts messages and reports the rate at each tick.",
    settings: CounterSettings::table,
    defaults: Defaults {
        message_matcher: Some("Type != 'heka.counter-output'"),
        ticker_interval: Some(5),
        ..Defaults::NONE
    },
    make: Make::Filter(|table, problems| Arc::new(CounterSettings::read(table, problems))),
};

impl FilterSpec for CounterSettings {
    fn build(&self, site: &Site) -> Result<Box<dyn Filter>, PluginError> {
        let now = jiff::Timestamp::now().as_nanosecond() as i64;
        Ok(Box::new(CounterFilter::new(site.name.clone(), now)))
    }
}

/// Reports summarised in one `AGG` line.
const WINDOW: usize = 10;

/// Counts messages.
pub struct CounterFilter {
    name: String,
    total: u64,
    reported: u64,
    last_report: i64,
    rates: Vec<f64>,
}

impl CounterFilter {
    /// A counter that begins at `now`, in nanoseconds since the UNIX epoch.
    pub fn new(name: String, now: i64) -> Self {
        CounterFilter { name, total: 0, reported: 0, last_report: now, rates: Vec::with_capacity(WINDOW) }
    }

    fn report(&self, out: &mut Injector, text: &str) {
        let builder = out.message();
        let (kind, logger) = (builder.text(b"heka.counter-output"), builder.text(self.name.as_bytes()));
        let payload = builder.text(text.as_bytes());
        if let Some(row) = builder.last_row() {
            (row.msg_type, row.logger, row.payload) = (kind, logger, payload);
        }
    }
}

impl Filter for CounterFilter {
    fn process(&mut self, selection: &Selection, _out: &mut Injector) -> Result<(), PluginError> {
        self.total += selection.len() as u64;
        Ok(())
    }

    fn tick(&mut self, now: i64, out: &mut Injector) -> Result<(), PluginError> {
        let fresh = self.total - self.reported;
        if fresh == 0 {
            return Ok(());
        }
        // A tick right after the start still spans some time: without it the rate would be infinite.
        let seconds = (now - self.last_report).max(1) as f64 / 1e9;
        let rate = fresh as f64 / seconds;
        (self.reported, self.last_report) = (self.total, now);
        self.report(out, &format!("Got {} messages. {rate:.2} msg/sec", self.total));
        self.rates.push(rate);
        if self.rates.len() == WINDOW {
            let min = self.rates.iter().copied().fold(f64::INFINITY, f64::min);
            let max = self.rates.iter().copied().fold(0.0, f64::max);
            let mean = self.rates.iter().sum::<f64>() / WINDOW as f64;
            self.report(out, &format!("AGG Sum. Min: {min:.2}    Max: {max:.2}    Mean: {mean:.2}"));
            self.rates.clear();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use heka_message::{Batch, BatchBuilder};

    const SECOND: i64 = 1_000_000_000;

    fn messages(n: usize) -> Selection {
        let mut builder = BatchBuilder::default();
        for _ in 0..n {
            builder.row();
        }
        Selection::all(builder.finish())
    }

    fn payloads(batch: Option<Batch>) -> Vec<String> {
        let text = |batch: Batch| batch.rows().map(|r| String::from_utf8_lossy(r.payload()).into_owned()).collect();
        batch.map(text).unwrap_or_default()
    }

    #[test]
    fn the_acceptance_examples() {
        let mut out = Injector::new(Arc::default());
        let mut counter = CounterFilter::new("c".into(), 0);
        let mut step = |now: i64, n: usize| {
            counter.process(&messages(n), &mut out).unwrap();
            counter.tick(now * SECOND, &mut out).unwrap();
            payloads(out.take())
        };
        assert_eq!(step(5, 10), ["Got 10 messages. 2.00 msg/sec"]);
        assert!(step(10, 0).is_empty());
        assert_eq!(step(15, 10), ["Got 20 messages. 1.00 msg/sec"]);
        for i in 3..=9 {
            assert_eq!(step(15 + 5 * (i - 2), 10).len(), 1);
        }
        let last = step(55, 10);
        assert_eq!(last[0], "Got 100 messages. 2.00 msg/sec");
        assert_eq!(last[1], "AGG Sum. Min: 1.00    Max: 2.00    Mean: 1.90");
    }
}
