//! The worker's clock: which epoch data enters at, and when the next one must begin.
//!
//! Epochs follow the wall clock but only move when something depends on it: when data entered the current
//! epoch, or when a tick is due. An idle daemon sleeps. An epoch also ends when much data has entered it: a
//! position is only written down for whole epochs, and what a slow output takes long to deliver should not wait
//! for the last byte of it.

use std::cell::{Cell, RefCell};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use timely::scheduling::Activator;

/// How long an epoch that holds data lasts at least.
const EPOCH: u64 = 20;
/// Bytes that end an epoch early.
const EPOCH_BYTES: usize = 1024 * 1024;

/// Milliseconds since the UNIX epoch.
pub fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// Nanoseconds since the UNIX epoch.
pub fn now_ns() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as i64)
}

/// One periodic tick: the `n`-th falls on `start + n * period`, on every worker alike.
#[derive(Clone, Copy, Debug)]
pub struct Period {
    /// When counting began, in milliseconds since the UNIX epoch.
    pub start: u64,
    /// Milliseconds; never 0.
    pub period: u64,
}

impl Period {
    /// The first tick after `now`.
    pub fn after(&self, now: u64) -> u64 {
        let elapsed = now.saturating_sub(self.start);
        self.start + (elapsed / self.period + 1) * self.period
    }
}

/// The clock of one worker, shared by its sources.
pub struct Clock {
    epoch: Cell<u64>,
    dirty: Cell<bool>,
    /// Bytes that entered the current epoch.
    bytes: Cell<usize>,
    periods: Vec<Period>,
    due: Cell<u64>,
    sleepers: RefCell<Vec<Activator>>,
}

impl Clock {
    /// A clock that moves for these periods at the latest.
    pub fn new(periods: Vec<Period>) -> Self {
        let now = now_ms();
        let due = periods.iter().map(|p| p.after(now)).min().unwrap_or(u64::MAX);
        Clock {
            epoch: Cell::new(now),
            dirty: Cell::new(false),
            bytes: Cell::new(0),
            periods,
            due: Cell::new(due),
            sleepers: RefCell::default(),
        }
    }

    /// The epoch that data enters at now.
    pub fn epoch(&self) -> u64 {
        self.epoch.get()
    }

    /// So many bytes have entered the current epoch, so it must end.
    pub fn mark(&self, bytes: usize) {
        self.dirty.set(true);
        self.bytes.set(self.bytes.get().saturating_add(bytes));
    }

    /// An operator to schedule whenever the epoch moves.
    pub fn subscribe(&self, activator: Activator) {
        self.sleepers.borrow_mut().push(activator);
    }

    /// Moves the epoch if it is time, and says how long the worker may sleep; `None` means until it is woken.
    pub fn advance(&self) -> Option<Duration> {
        let now = now_ms();
        let tick = now >= self.due.get();
        let age = now.saturating_sub(self.epoch.get());
        // At least a millisecond, so that epochs do not run ahead of the wall clock.
        let full = age > 0 && self.bytes.get() >= EPOCH_BYTES;
        let ended = self.dirty.get() && (age >= EPOCH || full);
        if tick || ended {
            // Past the tick's own epoch: nothing enters beside a tick any more.
            let at_least = if tick { self.due.get() + 1 } else { 0 };
            self.epoch.set(now.max(at_least).max(self.epoch.get() + 1));
            self.dirty.set(false);
            self.bytes.set(0);
            if tick {
                self.due.set(self.periods.iter().map(|p| p.after(now)).min().unwrap_or(u64::MAX));
            }
            self.sleepers.borrow().iter().for_each(Activator::activate);
            return Some(Duration::ZERO);
        }
        let epoch_end = if self.dirty.get() { self.epoch.get() + EPOCH } else { u64::MAX };
        match self.due.get().min(epoch_end) {
            u64::MAX => None,
            moment => Some(Duration::from_millis(moment.saturating_sub(now).max(1))),
        }
    }
}
