//! What has been submitted since the last flush, by name. One lock a batch of lines, not one a line.

use super::flush::{Flushed, Naming, render};
use super::harvest::Buckets;
use super::harvest::Harvest;
use crate::stats::Counter;
use hashbrown::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Something submitted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sample<'a> {
    /// Adds to a counter.
    Count(f64),
    /// A sample that stands for `weight` events.
    Timer {
        /// The value.
        value: f64,
        /// How many events it stands for: one over the sampling rate.
        weight: f64,
    },
    /// Replaces a gauge.
    Gauge(f64),
    /// Changes a gauge by so much; one that is not there is 0.
    GaugeBy(f64),
    /// A member of a set.
    Member(&'a [u8]),
}

/// How much an accumulator holds; what goes beyond is dropped and counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Names, over all kinds.
    pub stats: usize,
    /// Samples of timers and members of sets between two flushes.
    pub samples: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { stats: 1_000_000, samples: 8_000_000 }
    }
}

/// How a flush becomes a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emission {
    /// `Type`.
    pub message_type: String,
    /// Whether the payload holds the stats.
    pub in_payload: bool,
    /// Whether fields hold the stats.
    pub in_fields: bool,
}

/// What an accumulator's own plugin says when it starts.
pub struct Opening {
    /// How stats are named.
    pub naming: Naming,
    /// How a flush becomes a message.
    pub emission: Emission,
    /// How much is held.
    pub limits: Limits,
    /// Counts stats dropped because there were too many names.
    pub dropped_stats: Arc<Counter>,
    /// Counts samples dropped because there were too many.
    pub dropped_samples: Arc<Counter>,
}

#[derive(Default)]
struct State {
    plain: Buckets,
    tagged: HashMap<Box<[u8]>, Buckets>,
    stats: usize,
    samples: usize,
    limits: Limits,
    opening: Option<Arc<Opening>>,
    closed: bool,
}

/// Collects samples from any number of submitters.
#[derive(Default)]
pub struct Accumulator {
    state: Mutex<State>,
    submitters: AtomicUsize,
}

/// Someone who submits for as long as it lives, on whom the last flush waits.
pub struct Submitter(Arc<Accumulator>);

impl Drop for Submitter {
    fn drop(&mut self) {
        self.0.submitters.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Accumulator {
    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves the maps whole: entries are only ever inserted or replaced.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins: called by the accumulator's own plugin when it starts.
    pub fn open(&self, opening: Opening) {
        let mut state = self.state();
        state.limits = opening.limits;
        state.opening = Some(Arc::new(opening));
        state.closed = false;
    }

    /// How a flush becomes a message, once the accumulator was opened.
    pub fn emission(&self) -> Option<Emission> {
        self.state().opening.as_ref().map(|opening| opening.emission.clone())
    }

    /// Registers a submitter that must have ended before the last flush.
    pub fn submitter(self: &Arc<Self>) -> Submitter {
        self.submitters.fetch_add(1, Ordering::SeqCst);
        Submitter(self.clone())
    }

    /// How many of them there are.
    pub fn submitters(&self) -> usize {
        self.submitters.load(Ordering::SeqCst)
    }

    /// Opens it for a batch of samples; others wait until the result is dropped.
    pub fn batch(&self) -> Batch<'_> {
        Batch(self.state())
    }

    /// Takes what has been collected, as of `now` (seconds since the UNIX epoch); `None` before it was opened.
    pub fn flush(&self, now: i64) -> Option<Vec<Flushed>> {
        let (opening, harvests) = {
            let mut state = self.state();
            let opening = state.opening.clone()?;
            let harvests = state.harvest(opening.naming.forget);
            (opening, harvests)
        };
        Some(rendered(harvests, &opening.naming, now))
    }

    /// The last regular flush: what is submitted later is left for [`Accumulator::leftover`].
    pub fn close(&self, now: i64) -> Option<Vec<Flushed>> {
        let mut state = self.state();
        let opening = state.opening.clone()?;
        let harvests = state.harvest(opening.naming.forget);
        state.closed = true;
        // What stays (gauges, idle counters) has been said; only what comes now is left over.
        (state.plain, state.tagged, state.stats) = Default::default();
        drop(state);
        Some(rendered(harvests, &opening.naming, now))
    }

    /// What was submitted after the accumulator was closed; `None` when it is open or nothing was.
    pub fn leftover(&self, now: i64) -> Option<Vec<Flushed>> {
        let mut state = self.state();
        let opening = state.opening.clone().filter(|_| state.closed && state.stats > 0)?;
        let harvests = state.harvest(opening.naming.forget);
        (state.plain, state.tagged, state.stats) = Default::default();
        drop(state);
        Some(rendered(harvests, &opening.naming, now))
    }
}

/// Names and numbers of what was collected, tags in ascending order. Nobody waits for this: whoever submits goes on.
fn rendered(harvests: Vec<(Box<[u8]>, Harvest)>, naming: &Naming, now: i64) -> Vec<Flushed> {
    harvests.into_iter().map(|(tags, harvest)| render(harvest, naming, now, &tags)).collect()
}

impl State {
    /// Takes out what has been collected, by tags; the stats without any come first, even if there are none.
    fn harvest(&mut self, forget: bool) -> Vec<(Box<[u8]>, Harvest)> {
        let mut all = vec![(Box::default(), self.plain.harvest(forget))];
        let mut tagged: Vec<(Box<[u8]>, Harvest)> =
            self.tagged.iter_mut().map(|(tags, buckets)| (tags.clone(), buckets.harvest(forget))).collect();
        tagged.retain(|(_, harvest)| harvest.len() > 0);
        tagged.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        all.append(&mut tagged);
        self.tagged.retain(|_, buckets| buckets.len() > 0);
        self.stats = self.plain.len() + self.tagged.values().map(Buckets::len).sum::<usize>();
        self.samples = 0;
        all
    }
}

/// An accumulator, open for a batch of samples.
pub struct Batch<'a>(MutexGuard<'a, State>);

impl Batch<'_> {
    /// Adds a sample to the bucket with these tags (empty: none).
    pub fn add(&mut self, bucket: &[u8], tags: &[u8], sample: Sample<'_>) {
        let State { plain, tagged, stats, samples, limits, opening, .. } = &mut *self.0;
        let full = *stats >= limits.stats;
        let buckets = if tags.is_empty() {
            plain
        } else {
            if !tagged.contains_key(tags) {
                if full {
                    return dropped(opening, |opening| &opening.dropped_stats);
                }
                tagged.insert(tags.into(), Buckets::default());
            }
            match tagged.get_mut(tags) {
                Some(buckets) => buckets,
                None => return,
            }
        };
        let heavy = matches!(sample, Sample::Timer { .. } | Sample::Member(_));
        if heavy {
            if *samples >= limits.samples {
                return dropped(opening, |opening| &opening.dropped_samples);
            }
            *samples += 1;
        }
        let known = match sample {
            Sample::Count(by) => update(&mut buckets.counters, bucket, full, |total| total.add(by)),
            Sample::Timer { value, weight } => update(&mut buckets.timers, bucket, full, |timer| {
                timer.values.push(value);
                timer.events += weight;
            }),
            Sample::Gauge(value) => update(&mut buckets.gauges, bucket, full, |gauge| *gauge = value),
            Sample::GaugeBy(by) => update(&mut buckets.gauges, bucket, full, |gauge| *gauge += by),
            Sample::Member(member) => update(&mut buckets.sets, bucket, full, |set| {
                set.get_or_insert_with(member, |member| member.into());
            }),
        };
        match known {
            Some(new) => *stats += usize::from(new),
            None => dropped(opening, |opening| &opening.dropped_stats),
        }
    }
}

/// Changes an entry, made if need be unless `full`; says whether it is new, or `None` when there was no room.
fn update<V: Default>(
    map: &mut HashMap<Arc<[u8]>, V>,
    bucket: &[u8],
    full: bool,
    change: impl FnOnce(&mut V),
) -> Option<bool> {
    if let Some(value) = map.get_mut(bucket) {
        change(value);
        return Some(false);
    }
    if full {
        return None;
    }
    change(map.entry(bucket.into()).or_default());
    Some(true)
}

fn dropped(opening: &Option<Arc<Opening>>, which: impl FnOnce(&Opening) -> &Arc<Counter>) {
    if let Some(opening) = opening {
        which(opening).add(1);
    }
}
