//! Queues that reach `max_buffer_size`.

use super::*;

/// Room for ten of these messages, in one file.
fn ten_fit(full_action: FullAction) -> (BufferingSettings, Vec<Vec<u8>>) {
    let body = [b'y'; 95];
    let settings = BufferingSettings { max_buffer_size: 1000, full_action, ..settings() };
    (settings, vec![frame(&body); 12])
}

#[test]
fn a_full_queue_ends_the_daemon() {
    let base = tempfile::tempdir().unwrap();
    let (settings, twelve) = ten_fit(FullAction::Shutdown);
    let queue = open(base.path(), &settings);
    let mut writing = Harness::start(queue.writer());
    let first = writing.send(&twelve[..9]);
    writing.wait_acked(first);
    assert!(queue.fill().is_nearly_full());
    writing.send(&twelve[9..]);
    wait_until("the end", || !writing.is_running());
    assert_eq!(writing.acked(), first);
    let error = writing.end().unwrap_err();
    assert!(error.message.contains("Queue is full") && !error.retry, "{error:?}");
    assert_eq!(queue.fill().waiting, 1000, "as much as fits is kept, to be delivered twice rather than not at all");
}

#[test]
fn a_full_queue_drops_and_counts() {
    let base = tempfile::tempdir().unwrap();
    let (settings, mut twelve) = ten_fit(FullAction::Drop);
    let queue = open(base.path(), &settings);
    let mut writing = Harness::start(queue.writer());
    twelve.insert(9, frame(&[b'z'; 100]));
    let last = writing.send(&twelve);
    writing.wait_acked(last);
    // The long one in tenth place does not fit, the one behind it does.
    assert_eq!(number(&queue.site, "Dropped-queue-full"), 3);
    assert_eq!(queue.fill().waiting, 1000);
    let mut reading = Reading::start(&queue);
    reading.wait_for(10);
    reading.commit(10);
    wait_until("space", || queue.fill().waiting == 0);
    let last = writing.send(&twelve[..5]);
    writing.wait_acked(last);
    assert_eq!(number(&queue.site, "Dropped-queue-full"), 3, "consumed bytes do not fill the queue");
    writing.end().unwrap();
    reading.end();
}

#[test]
fn a_full_queue_blocks_until_something_is_consumed() {
    let base = tempfile::tempdir().unwrap();
    let (settings, twelve) = ten_fit(FullAction::Block);
    let queue = open(base.path(), &settings);
    let mut writing = Harness::start(queue.writer());
    let first = writing.send(&twelve[..8]);
    let second = writing.send(&twelve[8..]);
    writing.wait_acked(first);
    wait_until("the queue to fill", || queue.fill().waiting == 1000);
    assert_eq!(writing.acked(), first);
    let mut reading = Reading::start(&queue);
    reading.wait_for(10);
    reading.commit(2);
    writing.wait_acked(second);
    reading.wait_for(12);
    assert_eq!(reading.bodies(), twelve);
    writing.end().unwrap();
    reading.end();
}

#[test]
fn a_writer_that_waits_for_space_ends_with_the_daemon() {
    let base = tempfile::tempdir().unwrap();
    let (settings, twelve) = ten_fit(FullAction::Block);
    let queue = open(base.path(), &settings);
    let mut writing = Harness::start(queue.writer());
    writing.send(&twelve);
    wait_until("the queue to fill", || queue.fill().waiting == 1000);
    writing.stop();
    wait_until("the end", || !writing.is_running());
    assert_eq!(writing.acked(), 0);
    assert!(writing.end().is_err());
}

#[test]
fn a_limit_reached_within_one_file_passes_across_restarts() {
    let base = tempfile::tempdir().unwrap();
    let (settings, twelve) = ten_fit(FullAction::Drop);
    for _ in 0..4 {
        let queue = open(base.path(), &settings);
        let mut writing = Harness::start(queue.writer());
        let last = writing.send(&twelve[..10]);
        writing.wait_acked(last);
        let mut reading = Reading::start(&queue);
        reading.wait_for(10);
        reading.commit(10);
        writing.end().unwrap();
        reading.end();
        assert_eq!((queue.fill().waiting, number(&queue.site, "Dropped-queue-full")), (0, 0));
    }
}

#[test]
fn a_full_queue_is_read_even_if_the_inputs_hold_the_whole_budget() {
    let base = tempfile::tempdir().unwrap();
    let (settings, twelve) = ten_fit(FullAction::Block);
    let queue = open(base.path(), &settings);
    let mut writing = Harness::start(queue.writer());
    let last = writing.send(&twelve);
    let credits = Credits::new(1 << 20);
    let held = credits.try_take(1 << 20);
    assert!(held.is_some() && credits.try_take(1).is_none());
    let mut reading = Reading::start_with(&queue, credits);
    reading.wait_for(10);
    reading.commit(10);
    writing.wait_acked(last);
    reading.wait_for(12);
    writing.end().unwrap();
    reading.end();
}
