//! What a reader takes from memory, and how it finds the rest in the files.

use super::*;

#[test]
fn a_reader_that_keeps_up_needs_no_file() {
    let base = tempfile::tempdir().unwrap();
    let queue = open(base.path(), &settings());
    let mut writing = Harness::start(queue.writer());
    let last = writing.send(&messages(0..10));
    writing.wait_acked(last);
    let file = folder(base.path()).join("0.log");
    let length = std::fs::metadata(&file).unwrap().len();
    assert_eq!(length, messages(0..10).concat().len() as u64, "it is on disk all the same");
    std::fs::write(&file, vec![0; length as usize]).unwrap();
    let mut reading = Reading::start(&queue);
    reading.wait_for(10);
    assert_eq!(reading.bodies(), messages(0..10));
    reading.end();
    // The next one comes too late for it.
    let mut late = Reading::start(&queue);
    wait_until("the bytes of the file", || {
        late.pump();
        late.position == length
    });
    assert_eq!(late.bodies(), [] as [Vec<u8>; 0]);
    late.end();
    writing.end().unwrap();
}

#[test]
fn a_reader_that_is_late_goes_from_the_files_to_memory_without_a_gap() {
    let base = tempfile::tempdir().unwrap();
    // Large enough that blocks of so many messages do not all stay in memory.
    let (blocks, each) = (100, 1000);
    let queue = open(base.path(), &BufferingSettings { max_file_size: 1 << 20, ..settings() });
    let mut writing = Harness::start(queue.writer());
    for block in 0..blocks / 2 {
        let ticket = writing.send(&messages(block * each..(block + 1) * each));
        writing.wait_acked(ticket);
    }
    let mut reading = Reading::start(&queue);
    for block in blocks / 2..blocks {
        writing.send(&messages(block * each..(block + 1) * each));
    }
    wait_until("all messages", || {
        reading.pump();
        reading.messages.len() >= blocks * each
    });
    assert!(reading.bodies() == messages(0..blocks * each), "in order, and each once");
    reading.commit(blocks * each);
    wait_until("the end of the queue", || queue.fill().waiting == 0);
    reading.end();
    writing.end().unwrap();
}
