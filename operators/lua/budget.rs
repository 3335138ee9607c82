//! How long native code may work inside one call of a script. The host's instruction count does not run while a
//! native function does, so functions whose work is not bounded by their input's size (pattern matching) spend from
//! this budget instead.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

thread_local! {
    static STEPS: Cell<u64> = const { Cell::new(u64::MAX) };
    /// Whether the flag is this call's.
    static POLLS: Cell<bool> = const { Cell::new(false) };
    /// The flag of the last call that had one: mostly that of the next one, too.
    static STOP: RefCell<Option<Arc<AtomicBool>>> = const { RefCell::new(None) };
}

/// Sets the native steps that the call about to begin on this thread may take, and the flag that ends it early. The
/// host calls it at each entry; without a call nothing is limited.
pub fn set_budget(steps: u64, stop: Option<&Arc<AtomicBool>>) {
    STEPS.set(steps);
    POLLS.set(stop.is_some());
    let Some(stop) = stop else { return };
    STOP.with_borrow_mut(|kept| {
        if kept.as_ref().is_none_or(|kept| !Arc::ptr_eq(kept, stop)) {
            *kept = Some(stop.clone());
        }
    });
}

/// Spends `steps` of the running call's budget: about one for each instruction of a matcher. Call it every few
/// hundred steps. `false` once the budget is spent or the call is to end; it stays `false` until the next entry.
pub fn spend(steps: u64) -> bool {
    let left = STEPS.get().saturating_sub(steps);
    let is_set = |stop: &Option<Arc<AtomicBool>>| stop.as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed));
    let stopped = POLLS.get() && STOP.with_borrow(is_set);
    STEPS.set(if stopped { 0 } else { left });
    left > 0 && !stopped
}
