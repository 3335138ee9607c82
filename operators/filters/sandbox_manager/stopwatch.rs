//! How much of a time a thread really ran: on a machine that is busy with other things, everything takes long, and nobody
//! is slow.

use std::time::{Duration, Instant};

/// Began at some moment, on this thread.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stopwatch {
    wall: Instant,
    processor: Duration,
}

impl Stopwatch {
    /// Begins now.
    pub(super) fn start() -> Stopwatch {
        Stopwatch { wall: Instant::now(), processor: processor_time() }
    }

    /// The time since it began.
    pub(super) fn elapsed(&self) -> Duration {
        self.wall.elapsed()
    }

    /// What is left of `nanos`, an average over some of the time since it began, without the time for which the thread had
    /// no processor; `of` is that part of the time, in nanoseconds.
    pub(super) fn without_waits(&self, nanos: u64, of: u64) -> u64 {
        let ran = processor_time().saturating_sub(self.processor).as_nanos();
        scaled(nanos, ran, of)
    }
}

fn scaled(nanos: u64, ran: u128, of: u64) -> u64 {
    if ran >= u128::from(of) {
        return nanos;
    }
    u64::try_from(u128::from(nanos) * ran / u128::from(of)).unwrap_or(nanos)
}

/// The time for which this thread has run.
fn processor_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the place to write to lives through the call. A failure leaves it at 0, and then nothing is found slow.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_waits_is_not_slow() {
        assert_eq!(scaled(100, 50, 200), 25);
        assert_eq!(scaled(100, 300, 200), 100);
        let watch = Stopwatch::start();
        std::thread::sleep(Duration::from_millis(20));
        let slept = u64::try_from(watch.elapsed().as_nanos()).unwrap();
        assert!(watch.without_waits(1_000_000, slept) < 1_000_000);
        let before = processor_time();
        while processor_time() == before {}
    }
}
