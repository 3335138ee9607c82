//! Ends the process when an input takes too long, after writing the input down. Time is the processor's time of the
//! thread that works on it, so that a busy machine makes no difference.

use crate::runner::keep;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// No input of the length that is tried may take longer.
const LIMIT: Duration = Duration::from_secs(20);

struct Watched {
    target: String,
    input: Vec<u8>,
    /// Processor time of the thread when it began with this input.
    began: Duration,
}

/// Watches one thread until it is dropped.
pub struct Watchdog(Arc<Mutex<Watched>>);

impl Watchdog {
    /// Watches the calling thread.
    pub fn new(target: &str) -> Self {
        let watched = Watched { target: target.to_owned(), input: Vec::new(), began: Duration::MAX };
        let watched = Arc::new(Mutex::new(watched));
        let weak = Arc::downgrade(&watched);
        let mut clock: libc::clockid_t = 0;
        // SAFETY: the thread is the calling one, and the clock is written before the call returns.
        assert_eq!(unsafe { libc::pthread_getcpuclockid(libc::pthread_self(), &raw mut clock) }, 0);
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(Duration::from_millis(500));
                let Some(watched) = weak.upgrade() else { return };
                let watched = watched.lock().unwrap();
                let Some(now) = time_of(clock) else { return };
                if now > watched.began.saturating_add(LIMIT) {
                    let path = keep(&watched.target, "hang", &watched.input);
                    eprintln!("{}: this input takes too long, and is kept as {path}", watched.target);
                    eprintln!("{:?}", String::from_utf8_lossy(&watched.input));
                    std::process::abort();
                }
            }
        });
        Watchdog(watched)
    }

    /// The thread begins with this input.
    pub fn begin(&self, input: &[u8]) {
        let mut watched = self.0.lock().unwrap();
        watched.input.clear();
        watched.input.extend_from_slice(input);
        watched.began = time_of(libc::CLOCK_THREAD_CPUTIME_ID).unwrap();
    }
}

/// What the clock shows; `None` when its thread has ended.
fn time_of(clock: libc::clockid_t) -> Option<Duration> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the time is written before the call returns.
    let read = unsafe { libc::clock_gettime(clock, &raw mut time) };
    (read == 0).then(|| Duration::new(time.tv_sec as u64, time.tv_nsec as u32))
}
