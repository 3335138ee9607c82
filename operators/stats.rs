//! Counters of one plugin instance, read by the reports: registered by name, bumped without locks.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// One number that any thread may change.
#[derive(Debug, Default)]
pub struct Counter(AtomicI64);

impl Counter {
    /// Adds to the number.
    #[inline]
    pub fn add(&self, n: usize) {
        self.0.fetch_add(n as i64, Ordering::Relaxed);
    }

    /// Takes from the number, for counts of what is there now.
    #[inline]
    pub fn sub(&self, n: usize) {
        self.0.fetch_sub(n as i64, Ordering::Relaxed);
    }

    /// Replaces the number.
    pub fn set(&self, n: i64) {
        self.0.store(n, Ordering::Relaxed);
    }

    /// The number.
    pub fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// One line of a plugin's report.
#[derive(Clone, Debug)]
pub enum Reading {
    /// A number with its unit (`count`, `B`, `ns`).
    Number(i64, &'static str),
    /// A text.
    Text(String),
}

#[derive(Clone)]
enum Entry {
    Counter(Arc<Counter>, &'static str),
    Text(String),
}

/// The counters of one plugin instance.
#[derive(Default)]
pub struct Stats {
    entries: Mutex<Vec<(String, Entry)>>,
    /// Of the plugins it hosts, by name.
    hosted: Mutex<BTreeMap<String, Arc<Stats>>>,
}

impl Stats {
    fn hosted_now(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Arc<Stats>>> {
        // As below.
        self.hosted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The instance hosts another plugin now, which has a report of its own.
    pub fn host(&self, name: &str, stats: Arc<Stats>) {
        self.hosted_now().insert(name.to_owned(), stats);
    }

    /// The other plugin has gone.
    pub fn release(&self, name: &str) {
        self.hosted_now().remove(name);
    }

    /// The plugins it hosts, by name.
    pub fn hosted(&self) -> Vec<(String, Arc<Stats>)> {
        self.hosted_now().iter().map(|(name, stats)| (name.clone(), stats.clone())).collect()
    }

    fn entries(&self) -> std::sync::MutexGuard<'_, Vec<(String, Entry)>> {
        // A panic elsewhere leaves the list whole: entries are only ever pushed, replaced or removed.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The counter called `name`, made on first use. Keep the result: looking up takes a lock.
    pub fn counter(&self, name: &str, unit: &'static str) -> Arc<Counter> {
        let mut entries = self.entries();
        if let Some((_, Entry::Counter(counter, _))) = entries.iter().find(|(n, _)| n == name) {
            return counter.clone();
        }
        let counter = Arc::new(Counter::default());
        entries.push((name.to_owned(), Entry::Counter(counter.clone(), unit)));
        counter
    }

    /// The counter of what the rule called `rule` drops; every drop has one.
    pub fn drops(&self, rule: &str) -> Arc<Counter> {
        self.counter(&format!("Dropped-{rule}"), "count")
    }

    /// Sets a text of the report.
    pub fn text(&self, name: &str, value: impl Into<String>) {
        let mut entries = self.entries();
        let value = Entry::Text(value.into());
        match entries.iter_mut().find(|(n, _)| n == name) {
            Some((_, entry)) => *entry = value,
            None => entries.push((name.to_owned(), value)),
        }
    }

    /// Takes a text out of the report again.
    pub fn remove_text(&self, name: &str) {
        self.entries().retain(|(n, entry)| n != name || !matches!(entry, Entry::Text(_)));
    }

    /// The sum of the counters of messages whose names are `wanted`.
    pub fn messages(&self, wanted: impl Fn(&str) -> bool) -> u64 {
        let count = |(name, entry): &(String, Entry)| match entry {
            Entry::Counter(counter, "count") if wanted(name) => counter.get().max(0) as u64,
            _ => 0,
        };
        self.entries().iter().map(count).sum()
    }

    /// The text called `name`, if there is one.
    pub fn get_text(&self, name: &str) -> Option<String> {
        self.entries().iter().find_map(|(n, entry)| match entry {
            Entry::Text(text) if n == name => Some(text.clone()),
            _ => None,
        })
    }

    /// Everything registered, in order of registration.
    pub fn read(&self) -> Vec<(String, Reading)> {
        let reading = |entry: &Entry| match entry {
            Entry::Counter(counter, unit) => Reading::Number(counter.get(), unit),
            Entry::Text(text) => Reading::Text(text.clone()),
        };
        self.entries().iter().map(|(name, entry)| (name.clone(), reading(entry))).collect()
    }
}
