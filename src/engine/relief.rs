//! The start of a daemon whose queues on disk are nearly full: what would fill them further waits a while.

use crate::plan::{Consumer, Plan, QueueNodes};
use heka_operators::backoff::Backoff;
use heka_operators::log;
use heka_operators::queue::FullAction;
use std::sync::Arc;
use std::time::Duration;

/// The first wait; each is twice as long as the one before, up to the longest.
const FIRST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(1);

/// Waits until no queue is nearly full, or `full_buffer_max_retries` times for each that stays so. Whether the
/// daemon may go on: not, when such a queue would end it anyway as soon as it is full.
pub async fn relieve(plan: Arc<Plan>) -> bool {
    for consumer in plan.consumers() {
        if let Some(queue) = &consumer.queue
            && !relieved(consumer, queue, plan.full_buffer_max_retries).await
            && queue.spec.full_action() == FullAction::Shutdown
        {
            return false;
        }
    }
    true
}

/// Waits for one queue; whether it has room.
async fn relieved(consumer: &Consumer, queue: &QueueNodes, retries: u32) -> bool {
    let mut pauses = Backoff::new(FIRST, LONGEST);
    for attempt in 0.. {
        // A queue that could not be opened has said so, and is no reason to wait.
        if !queue.spec.fill().is_some_and(|fill| fill.is_nearly_full()) {
            return true;
        }
        if attempt == 0 {
            let text = "Delaying start while trying to relieve back-pressure...";
            log::info(format!("Plugin '{}': {text}", consumer.name));
        }
        if attempt == retries {
            break;
        }
        tokio::time::sleep(pauses.pause()).await;
    }
    false
}
