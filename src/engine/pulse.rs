//! Whether the workers are alive: each beats once a turn, and can be asked for a beat.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Thread;
use std::time::Duration;

/// How often a worker that has not answered yet is woken again.
const ASK_AGAIN: Duration = Duration::from_millis(10);

/// What a worker that has ended counts as: it holds nobody up.
const ENDED: u64 = u64::MAX;

/// The pulses of all workers.
#[derive(Default)]
pub struct Pulses {
    hearts: Mutex<Vec<(Thread, Arc<AtomicU64>)>>,
}

impl Pulses {
    /// The pulse of the worker on the calling thread.
    pub fn join(&self) -> Pulse {
        let beats = Arc::new(AtomicU64::new(0));
        self.hearts().push((std::thread::current(), beats.clone()));
        Pulse(beats)
    }

    /// Whether all workers take a whole turn within `patience` from now on.
    pub async fn answer(&self, patience: Duration) -> bool {
        let asked: Vec<u64> = self.hearts().iter().map(|(_, beats)| beats.load(Ordering::SeqCst)).collect();
        let all_answered = || {
            let hearts = self.hearts();
            hearts.iter().zip(&asked).fold(true, |all, ((thread, beats), asked)| {
                // A turn may have been under way when it was asked for: the second beat ends a whole one.
                let answered = beats.load(Ordering::SeqCst) >= asked.saturating_add(2);
                if !answered {
                    // A worker without work is parked. Waking it costs one empty turn.
                    thread.unpark();
                }
                all && answered
            })
        };
        let answers = async {
            while !all_answered() {
                tokio::time::sleep(ASK_AGAIN).await;
            }
        };
        tokio::time::timeout(patience, answers).await.is_ok()
    }

    fn hearts(&self) -> std::sync::MutexGuard<'_, Vec<(Thread, Arc<AtomicU64>)>> {
        // The list only ever grows by whole entries.
        self.hearts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The pulse of one worker; the worker has ended when it is dropped.
pub struct Pulse(Arc<AtomicU64>);

impl Pulse {
    /// A turn begins.
    #[inline]
    pub fn beat(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.0.store(ENDED, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;

    #[tokio::test]
    async fn a_worker_that_turns_answers_and_one_that_hangs_does_not() {
        let pulses = Arc::new(Pulses::default());
        let stop = Arc::new(AtomicBool::new(false));
        let worker = std::thread::spawn({
            let (pulses, stop) = (pulses.clone(), stop.clone());
            move || {
                let pulse = pulses.join();
                while !stop.load(Ordering::SeqCst) {
                    pulse.beat();
                    // As a worker without work does: only being asked wakes it.
                    std::thread::park_timeout(Duration::from_secs(30));
                }
            }
        });
        assert!(pulses.answer(Duration::from_secs(60)).await);
        let hangs = pulses.join();
        assert!(!pulses.answer(Duration::from_millis(50)).await);
        drop(hangs);
        assert!(pulses.answer(Duration::from_secs(60)).await);
        stop.store(true, Ordering::SeqCst);
        worker.thread().unpark();
        worker.join().unwrap();
        assert!(pulses.answer(Duration::from_secs(60)).await, "who has ended holds nobody up");
    }
}
