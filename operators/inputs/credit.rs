//! The budget of bytes that inputs may have in flight: a blocked output stops its inputs here, and memory
//! stays flat.

use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The budget, counted in KiB. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Credits {
    semaphore: Arc<Semaphore>,
    total: u32,
}

/// A share of the budget; returns when dropped.
#[derive(Debug)]
pub struct Credit(#[allow(dead_code, reason = "held for its drop")] Option<OwnedSemaphorePermit>);

impl Credits {
    /// A budget of `bytes`, at least 1 MiB.
    pub fn new(bytes: usize) -> Self {
        let total = (bytes / 1024).max(1024) as u32;
        Credits { semaphore: Arc::new(Semaphore::new(total as usize)), total }
    }

    fn units(&self, bytes: usize) -> u32 {
        (bytes.div_ceil(1024) as u32).clamp(1, self.total)
    }

    /// Waits until `bytes` of the budget are free. More than the whole budget counts as the whole budget.
    pub async fn take(&self, bytes: usize) -> Credit {
        // The semaphore is never closed, so this cannot fail; without a permit the budget is simply not charged.
        Credit(self.semaphore.clone().acquire_many_owned(self.units(bytes)).await.ok())
    }

    /// Takes `bytes` of the budget if they are free now.
    pub fn try_take(&self, bytes: usize) -> Option<Credit> {
        self.semaphore.clone().try_acquire_many_owned(self.units(bytes)).ok().map(|permit| Credit(Some(permit)))
    }

    /// Bytes in flight.
    pub fn used(&self) -> usize {
        (self.total as usize).saturating_sub(self.semaphore.available_permits()) * 1024
    }

    /// The whole budget in bytes.
    pub fn total(&self) -> usize {
        self.total as usize * 1024
    }
}
