//! What is collected by name, and how it is taken out: quickly, because submitters wait meanwhile and datagrams pile up.
//! Sorting, adding up and writing come later.

use hashbrown::{HashMap, HashSet};
use std::sync::Arc;

/// A counter between two flushes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Total {
    /// Since the last flush.
    pub sum: f64,
    /// The fraction that the last flush could not say in a whole number.
    pub rest: f64,
    /// Whether something was added since the last flush.
    touched: bool,
}

impl Total {
    /// Counts.
    #[inline]
    pub(super) fn add(&mut self, by: f64) {
        self.sum += by;
        self.touched = true;
    }

    /// The whole number to say.
    pub(super) fn whole(&self) -> i64 {
        // Counts are whole numbers, and what is cut off is counted next time.
        let exact = self.sum + self.rest;
        (exact + ROUNDING.copysign(exact)).trunc() as i64
    }

    /// Starts over with what is left once the whole number is said.
    fn next(&self) -> Total {
        let exact = self.sum + self.rest;
        let rest = exact - (exact + ROUNDING.copysign(exact)).trunc();
        Total { sum: 0.0, rest: if rest.abs() > ROUNDING { rest } else { 0.0 }, touched: false }
    }
}

/// How close below a whole number a sum of shares may be and still be that number.
const ROUNDING: f64 = 1e-6;

/// A timer between two flushes.
#[derive(Clone, Debug, Default)]
pub(super) struct Timer {
    pub values: Vec<f64>,
    /// Events that the values stand for.
    pub events: f64,
}

/// Members of a set between two flushes.
pub(super) type Members = HashSet<Box<[u8]>>;

/// The stats with one set of tags. Names are shared with what is taken out.
#[derive(Default)]
pub(super) struct Buckets {
    pub counters: HashMap<Arc<[u8]>, Total>,
    pub gauges: HashMap<Arc<[u8]>, f64>,
    pub timers: HashMap<Arc<[u8]>, Timer>,
    pub sets: HashMap<Arc<[u8]>, Members>,
}

/// Taken out, in no order.
#[derive(Default)]
pub(super) struct Harvest {
    pub counters: Vec<(Arc<[u8]>, Total)>,
    pub gauges: Vec<(Arc<[u8]>, f64)>,
    pub timers: Vec<(Arc<[u8]>, Timer)>,
    pub sets: Vec<(Arc<[u8]>, Members)>,
}

impl Harvest {
    pub(super) fn len(&self) -> usize {
        self.counters.len() + self.gauges.len() + self.timers.len() + self.sets.len()
    }
}

impl Buckets {
    pub(super) fn len(&self) -> usize {
        self.counters.len() + self.gauges.len() + self.timers.len() + self.sets.len()
    }

    /// Takes the stats out: counters go to zero, timers and sets are emptied, gauges stay. To `forget` leaves nothing but
    /// the fractions of counters, for one interval.
    pub(super) fn harvest(&mut self, forget: bool) -> Harvest {
        if forget {
            return self.harvest_all();
        }
        let counters = self.counters.iter_mut().map(|(name, total)| {
            let taken = *total;
            *total = taken.next();
            (name.clone(), taken)
        });
        let timers = self.timers.iter_mut().map(|(name, timer)| {
            // A busy interval's memory is not kept for ever.
            let values = Vec::with_capacity(timer.values.len().min(64));
            (name.clone(), std::mem::replace(timer, Timer { values, events: 0.0 }))
        });
        Harvest {
            counters: counters.collect(),
            gauges: self.gauges.iter().map(|(name, value)| (name.clone(), *value)).collect(),
            timers: timers.collect(),
            sets: self.sets.iter_mut().map(|(name, members)| (name.clone(), std::mem::take(members))).collect(),
        }
    }

    fn harvest_all(&mut self) -> Harvest {
        let Buckets { counters, gauges, timers, sets } = std::mem::take(self);
        // A counter that is here only for its fraction has had nothing added for a whole interval: it is idle.
        let counters: Vec<_> = counters.into_iter().filter(|(_, total)| total.touched).collect();
        let rests = counters.iter().map(|(name, total)| (name.clone(), total.next()));
        self.counters = rests.filter(|(_, total)| total.rest != 0.0).collect();
        Harvest {
            counters,
            gauges: gauges.into_iter().collect(),
            timers: timers.into_iter().collect(),
            sets: sets.into_iter().collect(),
        }
    }
}
