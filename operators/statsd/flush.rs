//! From buckets to named numbers: the names and the arithmetic that graphs and alerts were built on.

use super::harvest::{Harvest, Timer};
use std::io::Write;

/// How flushed stats are named.
#[derive(Clone, Debug, PartialEq)]
pub struct Naming {
    /// Seconds between flushes: what rates are divided by.
    pub interval: f64,
    /// Percentiles of timers, in the order they are reported.
    pub percentiles: Vec<f64>,
    /// Upper bounds of the histogram bins of timers, ascending; empty for none.
    pub bins: Vec<f64>,
    /// The names of old statsd counters.
    pub legacy: bool,
    /// Before everything.
    pub global: String,
    /// Before counters.
    pub counter: String,
    /// Before timers.
    pub timer: String,
    /// Before gauges.
    pub gauge: String,
    /// Before sets.
    pub set: String,
    /// Before the numbers about the stats themselves.
    pub statsd: String,
    /// Forget every stat once it is flushed.
    pub forget: bool,
}

/// A flushed number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// Written without a point.
    Integer(i64),
    /// Written with six decimals.
    Double(f64),
}

/// The stats with one set of tags.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Flushed {
    /// As they came, commas included; empty for stats without tags.
    pub tags: Vec<u8>,
    /// `name value time` a line.
    pub payload: Vec<u8>,
    /// Names and numbers, in the order of the payload.
    pub numbers: Vec<(Vec<u8>, Number)>,
}

/// `prefix` as a part of a name: with a dot behind it unless it is empty or has one.
fn segment(prefix: &str) -> String {
    if prefix.is_empty() || prefix.ends_with('.') { prefix.to_owned() } else { format!("{prefix}.") }
}

struct Report<'a> {
    naming: &'a Naming,
    global: String,
    now: i64,
    out: Flushed,
}

impl Report<'_> {
    fn number(&mut self, name: Vec<u8>, number: Number) {
        self.numbers(name, number, number);
    }

    /// A number that reads differently in the payload.
    fn numbers(&mut self, name: Vec<u8>, field: Number, text: Number) {
        let payload = &mut self.out.payload;
        payload.extend_from_slice(&name);
        // Writing to a vector does not fail.
        let _ = match text {
            Number::Integer(value) => writeln!(payload, " {value} {}", self.now),
            Number::Double(value) => writeln!(payload, " {value:.6} {}", self.now),
        };
        self.out.numbers.push((name, field));
    }

    /// The name of a bucket of a kind.
    fn name(&self, prefix: &str, key: &[u8]) -> Vec<u8> {
        [self.global.as_bytes(), segment(prefix).as_bytes(), key].concat()
    }

    fn counter(&mut self, key: &[u8], count: f64, whole: i64) {
        let rate = count / self.naming.interval;
        if self.naming.legacy {
            let name = [self.global.as_bytes(), key].concat();
            self.numbers(name, Number::Integer(rate as i64), Number::Double(rate));
            self.number([b"stats_counts.", key].concat(), Number::Integer(whole));
        } else {
            let name = dotted(self.name(&self.naming.counter, key));
            self.number([&name, &b"rate"[..]].concat(), Number::Double(rate));
            self.number([&name, &b"count"[..]].concat(), Number::Integer(whole));
        }
    }

    fn timer(&mut self, key: &[u8], timer: &mut Timer) {
        let prefix = dotted(self.name(&self.naming.timer, key));
        let name = |part: &str| [&prefix, part.as_bytes()].concat();
        let values = &mut timer.values;
        values.sort_unstable_by(f64::total_cmp);
        let sums: Vec<f64> = values
            .iter()
            .scan(0.0, |sum, value| {
                *sum += value;
                Some(*sum)
            })
            .collect();
        let (lower, upper) = (values.first().copied().unwrap_or_default(), values.last().copied().unwrap_or_default());
        let sum = sums.last().copied().unwrap_or_default();
        let count = values.len() as f64;
        self.number(name("count"), Number::Integer(timer.events.round() as i64));
        self.number(name("count_ps"), Number::Double(timer.events / self.naming.interval));
        self.number(name("lower"), Number::Double(lower));
        self.number(name("upper"), Number::Double(upper));
        self.number(name("sum"), Number::Double(sum));
        self.number(name("mean"), Number::Double(if values.is_empty() { 0.0 } else { sum / count }));
        for percentile in &self.naming.percentiles {
            let above = ((100.0 - percentile) / 100.0 * count + 0.5).floor();
            let below = (count - above).max(0.0) as usize;
            let (mean, most) = match below.checked_sub(1).and_then(|last| Some((sums.get(last)?, values.get(last)?))) {
                Some((sum, most)) => (sum / below as f64, *most),
                None => (lower, upper),
            };
            // Names hold no point of their own.
            let label = percentile.to_string().replace('.', "_");
            self.number(name(&format!("mean_{label}")), Number::Double(mean));
            self.number(name(&format!("upper_{label}")), Number::Double(most));
        }
        let mut from = 0;
        for bound in &self.naming.bins {
            let to = values.partition_point(|value| value < bound).max(from);
            let label = bound.to_string().replace('.', "_");
            self.number(name(&format!("histogram.bin_{label}")), Number::Integer((to - from) as i64));
            from = to;
        }
        if !self.naming.bins.is_empty() {
            self.number(name("histogram.bin_inf"), Number::Integer((values.len() - from) as i64));
        }
    }
}

/// A name with a dot behind it, and not two.
fn dotted(mut name: Vec<u8>) -> Vec<u8> {
    if !name.ends_with(b".") {
        name.push(b'.');
    }
    name
}

/// Names and numbers of what was taken out.
pub(super) fn render(mut harvest: Harvest, naming: &Naming, now: i64, tags: &[u8]) -> Flushed {
    let out = Flushed { tags: tags.to_vec(), ..Flushed::default() };
    let mut report = Report { naming, global: segment(&naming.global), now, out };
    let stats = harvest.len();
    harvest.counters.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    for (key, total) in &harvest.counters {
        report.counter(key, total.sum, total.whole());
    }
    harvest.gauges.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    for (key, value) in &harvest.gauges {
        let name = report.name(&naming.gauge, key);
        report.number(name, Number::Double(*value));
    }
    harvest.timers.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    for (key, timer) in &mut harvest.timers {
        report.timer(key, timer);
    }
    harvest.sets.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    for (key, members) in &harvest.sets {
        let name = dotted(report.name(&naming.set, key));
        report.number([&name, &b"count"[..]].concat(), Number::Integer(members.len() as i64));
    }
    let statsd = segment(&naming.statsd);
    let global = if naming.legacy { "" } else { report.global.as_str() };
    let name = format!("{global}{statsd}numStats").into_bytes();
    report.number(name, Number::Integer(stats as i64));
    report.out
}

#[cfg(test)]
mod tests {
    use super::super::{Accumulator, Limits, Opening, Sample, opening};
    use super::*;

    fn naming() -> Naming {
        let text = str::to_owned;
        Naming {
            interval: 10.0,
            percentiles: vec![90.0],
            bins: Vec::new(),
            legacy: false,
            global: text("stats"),
            counter: text("counters"),
            timer: text("timers"),
            gauge: text("gauges"),
            set: text("sets"),
            statsd: text("statsd"),
            forget: false,
        }
    }

    fn open(naming: Naming) -> Accumulator {
        let accumulator = Accumulator::default();
        accumulator.open(opening(naming, Limits { stats: 6, samples: 12 }));
        accumulator
    }

    fn add(accumulator: &Accumulator, samples: &[(&str, Sample<'_>)]) {
        let mut batch = accumulator.batch();
        samples.iter().for_each(|(bucket, sample)| batch.add(bucket.as_bytes(), b"", *sample));
    }

    fn payload(accumulator: &Accumulator) -> String {
        let flushed = accumulator.flush(7).unwrap();
        String::from_utf8(flushed.into_iter().flat_map(|one| one.payload).collect()).unwrap()
    }

    #[test]
    fn counters_have_a_rate_and_a_count_and_go_back_to_zero() {
        let stats = open(naming());
        add(&stats, &[1.0, 2.0, 3.0, 4.0, 5.0].map(|by| ("sample.cnt", Sample::Count(by))));
        assert_eq!(
            payload(&stats),
            "stats.counters.sample.cnt.rate 1.500000 7\nstats.counters.sample.cnt.count 15 7\nstats.statsd.numStats 1 7\n"
        );
        assert_eq!(
            payload(&stats),
            "stats.counters.sample.cnt.rate 0.000000 7\nstats.counters.sample.cnt.count 0 7\nstats.statsd.numStats 1 7\n"
        );
    }

    #[test]
    fn legacy_names() {
        let stats = open(Naming { legacy: true, ..naming() });
        add(&stats, &[("sample.stat", Sample::Count(303.0))]);
        let flushed = stats.flush(7).unwrap().remove(0);
        assert_eq!(
            String::from_utf8(flushed.payload).unwrap(),
            "stats.sample.stat 30.300000 7\nstats_counts.sample.stat 303 7\nstatsd.numStats 1 7\n"
        );
        let numbers = [("stats.sample.stat", 30), ("stats_counts.sample.stat", 303), ("statsd.numStats", 1)];
        assert_eq!(flushed.numbers, numbers.map(|(name, value)| (name.as_bytes().to_vec(), Number::Integer(value))));
    }

    /// The numbers of a timer with these values, by the last part of their names.
    fn timer(naming: Naming, values: &[f64]) -> Vec<(String, f64)> {
        let stats = open(naming);
        for value in values {
            add(&stats, &[("t", Sample::Timer { value: *value, weight: 1.0 })]);
        }
        let numbers = stats.flush(7).unwrap().remove(0).numbers;
        let number = |number| match number {
            Number::Integer(value) => value as f64,
            Number::Double(value) => value,
        };
        let named = numbers.into_iter().map(|(name, value)| (String::from_utf8(name).unwrap(), number(value)));
        named.filter_map(|(name, value)| Some((name.strip_prefix("stats.timers.t.")?.to_owned(), value))).collect()
    }

    fn named(numbers: &[(&str, f64)]) -> Vec<(String, f64)> {
        numbers.iter().map(|(name, value)| (name.to_string(), *value)).collect()
    }

    #[test]
    fn timers_are_summed_up() {
        let small =
            [("count", 4.0), ("count_ps", 0.4), ("lower", 10.0), ("upper", 20.0), ("sum", 60.0), ("mean", 15.0)];
        let small = [&small[..], &[("mean_90", 15.0), ("upper_90", 20.0)]].concat();
        assert_eq!(timer(naming(), &[10.0, 10.0, 20.0, 20.0]), named(&small));
        let mut values = vec![220.0];
        values.extend((1..=10).map(|i| f64::from(i) * 10.0));
        let large = timer(naming(), &values);
        for wanted in named(&[("mean", 70.0), ("upper", 220.0), ("mean_90", 55.0), ("upper_90", 100.0), ("sum", 770.0)])
        {
            assert!(large.contains(&wanted), "{wanted:?} in {large:?}");
        }
        let percentiles = Naming { percentiles: vec![50.0, 99.9], bins: vec![10.0, 20.5], ..naming() };
        let with_bins = timer(percentiles, &[5.0, 10.0, 20.0, 30.0]);
        let wanted = [("mean_50", 7.5), ("upper_50", 10.0), ("mean_99_9", 16.25), ("upper_99_9", 30.0)];
        let bins = [("histogram.bin_10", 1.0), ("histogram.bin_20_5", 2.0), ("histogram.bin_inf", 1.0)];
        assert_eq!(with_bins[6..], named(&[&wanted[..], &bins].concat()));
    }

    #[test]
    fn an_idle_timer_is_all_zeros() {
        let stats = open(naming());
        add(&stats, &[("t", Sample::Timer { value: 3.0, weight: 2.0 })]);
        assert!(payload(&stats).starts_with("stats.timers.t.count 2 7\nstats.timers.t.count_ps 0.200000 7\n"));
        let idle = payload(&stats);
        assert!(idle.lines().filter(|line| line.contains(".t.")).all(|line| line.contains(" 0")), "{idle}");
    }

    #[test]
    fn gauges_stay_and_change_by_signed_values() {
        let stats = open(naming());
        add(&stats, &[("g", Sample::Gauge(1.0)), ("g", Sample::Gauge(2.0)), ("new", Sample::GaugeBy(-3.0))]);
        let expected = "stats.gauges.g 2.000000 7\nstats.gauges.new -3.000000 7\nstats.statsd.numStats 2 7\n";
        assert_eq!(payload(&stats), expected);
        assert_eq!(payload(&stats), expected);
        let forgetful = open(Naming { forget: true, ..naming() });
        add(&forgetful, &[("g", Sample::Gauge(1.0))]);
        assert_eq!(payload(&forgetful), "stats.gauges.g 1.000000 7\nstats.statsd.numStats 1 7\n");
        assert_eq!(payload(&forgetful), "stats.statsd.numStats 0 7\n");
    }

    #[test]
    fn shares_of_events_are_not_lost() {
        let stats = open(naming());
        let count = |stats: &Accumulator| {
            let text = payload(stats);
            let line = text.lines().find(|line| line.contains(".count ")).unwrap().to_owned();
            line.split(' ').nth(1).unwrap().parse::<i64>().unwrap()
        };
        add(&stats, &[("a", Sample::Count(123.0 / 0.9))]);
        assert_eq!(count(&stats), 136);
        // 0.67 of an event is left.
        add(&stats, &[("a", Sample::Count(0.4))]);
        assert_eq!(count(&stats), 1);
        let thirds = open(naming());
        add(&thirds, &[("a", Sample::Count(1.0 / 0.3)); 3]);
        assert_eq!((count(&thirds), count(&thirds)), (10, 0));
        let below = open(naming());
        add(&below, &[("a", Sample::Count(-1.5))]);
        assert_eq!(count(&below), -1);
    }

    #[test]
    fn shares_of_events_outlast_a_flush_that_forgets_but_not_an_idle_interval() {
        let stats = open(Naming { forget: true, ..naming() });
        let count = |by: Option<f64>| {
            by.into_iter().for_each(|by| add(&stats, &[("a", Sample::Count(by))]));
            let text = payload(&stats);
            let line = text.lines().find(|line| line.contains(".count "));
            (line.map(|line| line.split(' ').nth(1).unwrap().to_owned()), text.contains("numStats 1"))
        };
        let said = |n: &str| (Some(n.to_owned()), true);
        assert_eq!(count(Some(0.4)), said("0"));
        assert_eq!(count(Some(0.4)), said("0"));
        assert_eq!(count(Some(0.4)), said("1"));
        assert_eq!(count(None), (None, false));
        assert_eq!(count(Some(0.8)), said("0"));
        // With what was left before the pause this would be one.
        assert_eq!(count(None), (None, false));
        assert_eq!(count(Some(0.3)), said("0"));
    }

    #[test]
    fn prefixes_get_one_dot_or_none() {
        let stats = open(Naming { global: String::new(), counter: "c.".into(), ..naming() });
        add(&stats, &[("a", Sample::Count(1.0)), ("b.", Sample::Count(1.0))]);
        let text = payload(&stats);
        assert!(
            text.starts_with("c.a.rate ") && text.contains("c.b.rate ") && text.ends_with("\nstatsd.numStats 2 7\n")
        );
    }

    #[test]
    fn tags_set_stats_apart_and_members_count_once() {
        let stats = open(naming());
        let mut batch = stats.batch();
        for (tags, member) in [("", "x"), ("env:b", "x"), ("env:a", "x"), ("env:a", "y"), ("env:a", "x")] {
            batch.add(b"u", tags.as_bytes(), Sample::Member(member.as_bytes()));
        }
        drop(batch);
        let flushed = stats.flush(7).unwrap();
        let seen: Vec<_> = flushed.iter().map(|one| (one.tags.as_slice(), one.numbers[0].1)).collect();
        let count = Number::Integer;
        assert_eq!(seen, [(&b""[..], count(1)), (b"env:a", count(2)), (b"env:b", count(1))]);
        assert_eq!(flushed[0].numbers[0].0, b"stats.sets.u.count");
    }

    #[test]
    fn a_flood_of_names_or_samples_is_counted_and_bounded() {
        let limits = Limits { stats: 2, samples: 3 };
        let Opening { dropped_stats: names, dropped_samples: samples, .. } = opening(naming(), limits);
        let open = || {
            let stats = Accumulator::default();
            let (dropped_stats, dropped_samples) = (names.clone(), samples.clone());
            stats.open(Opening { dropped_stats, dropped_samples, ..opening(naming(), limits) });
            stats
        };
        let stats = open();
        for i in 0..5 {
            add(&stats, &[(&format!("n{i}"), Sample::Count(1.0))]);
        }
        assert_eq!(names.get(), 3);
        let stats = open();
        add(&stats, &[("t", Sample::Timer { value: 1.0, weight: 1.0 }); 5]);
        assert_eq!(samples.get(), 2);
        assert!(payload(&stats).starts_with("stats.timers.t.count 3 7"));
    }

    #[test]
    fn what_comes_after_the_last_flush_is_left_over() {
        let stats = open(naming());
        add(&stats, &[("a", Sample::Count(1.0)), ("g", Sample::Gauge(1.0))]);
        assert_eq!(stats.leftover(7), None);
        assert_eq!(stats.close(7).unwrap().len(), 1);
        assert_eq!(stats.leftover(7), None);
        add(&stats, &[("a", Sample::Count(2.0))]);
        let left = stats.leftover(8).unwrap().remove(0);
        assert_eq!(left.numbers[1], (b"stats.counters.a.count".to_vec(), Number::Integer(2)));
        assert_eq!(stats.leftover(9), None);
    }
}
