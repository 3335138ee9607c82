//! Waiting inside a script: a host function cannot be async, so the thread of the script's own sleeps.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Blocks this thread until the future is ready. The future must not need a runtime: locks, semaphores and channels
/// do not.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    // Inside a task, the runtime makes futures pause after so many steps, and would wake them once the task returns.
    let mut future = pin!(tokio::task::unconstrained(future));
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_may_wait_as_often_as_it_likes() {
        let semaphore = tokio::sync::Semaphore::new(1);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            for _ in 0..10_000 {
                drop(wait(semaphore.acquire()).unwrap());
            }
        });
    }

    #[test]
    fn the_thread_sleeps_until_somebody_wakes_it() {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let thread = std::thread::spawn(move || wait(receiver));
        sender.send(5).unwrap();
        assert_eq!(thread.join().unwrap(), Ok(5));
    }
}
