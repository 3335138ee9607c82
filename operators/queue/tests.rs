//! A writer and a reader on real files, with the engine played by the test.

use super::*;
use crate::inputs::{Chunk, ChunkEnd, Commit, Credits, InputEdge};
use crate::outputs::harness::{Harness, number, site as plain_site, wait_until};
use crate::plugin::Globals;
use std::path::Path;
use std::sync::mpsc::Receiver;
use std::thread::JoinHandle;
use tokio::sync::{mpsc, watch};

mod crashes;
mod full;
mod keeping_up;

/// Largest message of the tests' queues; files hold few of them.
const MAX_MESSAGE: usize = 100;
const MAX_RECORD: usize = MAX_MESSAGE + 3 + 255;

fn site(base: &Path) -> Site {
    let mut site = plain_site("my.output", base);
    let globals = Globals { max_message_size: MAX_MESSAGE, ..(*site.globals).clone() };
    site.globals = Arc::new(globals);
    site
}

fn folder(base: &Path) -> PathBuf {
    base.join("output_queue/my_output")
}

fn settings() -> BufferingSettings {
    BufferingSettings::default()
}

fn open(base: &Path, settings: &BufferingSettings) -> Arc<DiskQueue> {
    DiskQueue::open(&site(base), settings).unwrap()
}

/// An unsigned frame around `body`.
fn frame(body: &[u8]) -> Vec<u8> {
    // The bodies are shorter than 128 bytes, so the varint has one byte.
    [&[0x1e, 2, 0x08, body.len() as u8, 0x1f], body].concat()
}

fn message(i: usize) -> Vec<u8> {
    frame(format!("message {i} {}", "x".repeat(i * 7 % 80)).as_bytes())
}

fn messages(range: std::ops::Range<usize>) -> Vec<Vec<u8>> {
    range.map(message).collect()
}

/// Cuts whole frames off the front of `data`, skipping what is none; returns them with where each ends, and
/// how many bytes are done with.
fn frames(data: &[u8]) -> (Vec<(Vec<u8>, usize)>, usize) {
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(start) = data[at..].iter().position(|b| *b == 0x1e).map(|i| at + i) {
        match data[start..] {
            [_, 2, 0x08, length @ 0..=127, 0x1f, ..] => {
                let end = start + 5 + usize::from(length);
                if end > data.len() {
                    return (found, start);
                }
                found.push((data[start..end].to_vec(), end));
                at = end;
            }
            ref rest if rest.len() < 5 && [0x1e, 2, 0x08].iter().zip(rest).all(|(a, b)| a == b) => {
                return (found, start);
            }
            _ => at = start + 1,
        }
    }
    (found, data.len())
}

/// A running reader, and what came out of it.
struct Reading {
    chunks: Receiver<Chunk>,
    commits: Option<mpsc::UnboundedSender<Commit>>,
    stop: watch::Sender<bool>,
    thread: JoinHandle<Result<(), PluginError>>,
    stream: u32,
    position: u64,
    carry: Vec<u8>,
    /// Messages with the position each ends at.
    messages: Vec<(Vec<u8>, u64)>,
}

impl Reading {
    fn start(queue: &Arc<DiskQueue>) -> Self {
        Reading::start_with(queue, Credits::new(1 << 20))
    }

    /// Starts with the budget that all inputs share.
    fn start_with(queue: &Arc<DiskQueue>, credits: Credits) -> Self {
        let (sender, chunks) = std::sync::mpsc::channel();
        let (commits, commit_receiver) = mpsc::unbounded_channel();
        let (stop, stopped) = watch::channel(false);
        let site = queue.site.clone();
        let mut edge = InputEdge::new(site, sender, Arc::default(), credits, stopped, commit_receiver);
        let mut input = queue.reader();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(input.run(&mut edge))
        });
        let commits = Some(commits);
        Reading { chunks, commits, stop, thread, stream: 0, position: 0, carry: Vec::new(), messages: Vec::new() }
    }

    fn pump(&mut self) {
        while let Ok(chunk) = self.chunks.try_recv() {
            assert_eq!(chunk.position, self.position, "positions grow by the bytes delivered");
            self.stream = chunk.stream.id;
            self.position += chunk.bytes.len() as u64;
            self.carry.extend_from_slice(chunk.bytes.as_ref());
            let (found, done) = frames(&self.carry);
            let start = self.position - self.carry.len() as u64;
            self.messages.extend(found.into_iter().map(|(message, end)| (message, start + end as u64)));
            self.carry.drain(..done);
            if chunk.end != ChunkEnd::More {
                self.carry.clear();
            }
        }
    }

    fn wait_for(&mut self, count: usize) {
        wait_until("messages from the queue", || {
            self.pump();
            self.messages.len() >= count
        });
    }

    fn bodies(&self) -> Vec<Vec<u8>> {
        self.messages.iter().map(|(message, _)| message.clone()).collect()
    }

    /// Commits the first `count` messages.
    fn commit(&self, count: usize) {
        let position = count.checked_sub(1).map_or(0, |last| self.messages[last].1);
        self.commit_position(position);
    }

    fn commit_position(&self, position: u64) {
        let _ = self.commits.as_ref().unwrap().send(Commit { stream: self.stream, position });
    }

    fn end(mut self) {
        self.stop.send_replace(true);
        self.commits = None;
        wait_until("the reader's end", || self.thread.is_finished());
        assert_eq!(self.thread.join().unwrap(), Ok(()));
    }
}

fn names(base: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder(base)).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name.ends_with(".log"));
    names.sort();
    names
}

fn checkpoint(base: &Path) -> String {
    std::fs::read_to_string(folder(base).join("checkpoint.txt")).unwrap_or_default()
}

#[test]
fn what_is_written_is_read_and_what_is_committed_is_gone() {
    let base = tempfile::tempdir().unwrap();
    let queue = open(base.path(), &settings());
    let mut writing = Harness::start(queue.writer());
    let mut reading = Reading::start(&queue);
    for block in 0..10 {
        let ticket = writing.send(&messages(block * 10..block * 10 + 10));
        writing.wait_acked(ticket);
        // The reader is woken by the writer, each time anew.
        reading.wait_for(block * 10 + 10);
    }
    assert_eq!(reading.bodies(), messages(0..100));
    let bytes = messages(0..100).concat().len() as u64;
    assert_eq!((queue.fill().waiting, number(&queue.site, "QueueBytes") as u64), (bytes, bytes));
    assert_eq!(number(&queue.site, "QueueFiles"), 1);
    reading.commit(100);
    wait_until("the checkpoint", || checkpoint(base.path()) == format!("0 {bytes}"));
    assert_eq!((queue.fill().waiting, number(&queue.site, "QueueBytes")), (0, 0));
    assert_eq!(writing.end(), Ok(()));
    reading.end();
    drop(queue);
    let queue = open(base.path(), &settings());
    assert_eq!((names(base.path()), checkpoint(base.path())), (vec!["1.log".to_owned()], "1 0".to_owned()));
    assert_eq!(queue.fill().waiting, 0);
}

#[test]
fn files_roll_and_consumed_files_are_deleted() {
    let base = tempfile::tempdir().unwrap();
    let small = BufferingSettings { max_file_size: MAX_RECORD as u64, ..settings() };
    let queue = open(base.path(), &small);
    let mut writing = Harness::start(queue.writer());
    let mut reading = Reading::start(&queue);
    let last = writing.send(&messages(0..60));
    writing.wait_acked(last);
    for name in names(base.path()) {
        let length = std::fs::metadata(folder(base.path()).join(&name)).unwrap().len();
        assert!(length > 0 && length <= MAX_RECORD as u64, "{name} has {length} bytes");
    }
    let files = names(base.path()).len();
    assert!(files > 5);
    reading.wait_for(60);
    assert_eq!(reading.bodies(), messages(0..60));
    reading.commit(30);
    wait_until("files to go", || names(base.path()).len() < files);
    assert!(!names(base.path()).contains(&"0.log".to_owned()));
    reading.commit(60);
    wait_until("all but the file being written to go", || names(base.path()).len() == 1);
    assert_eq!(writing.end(), Ok(()));
    reading.end();
    assert_eq!(queue.fill().waiting, 0);
}

#[test]
fn the_checkpoint_is_written_every_so_many_commits_and_at_the_end() {
    let base = tempfile::tempdir().unwrap();
    let queue = open(base.path(), &BufferingSettings { cursor_update_count: 3, ..settings() });
    let mut writing = Harness::start(queue.writer());
    let mut reading = Reading::start(&queue);
    writing.send(&messages(0..10));
    reading.wait_for(10);
    for (commits, expected) in [(1, 0), (2, 0), (3, 3), (4, 3), (5, 3), (6, 6), (7, 6)] {
        reading.commit(commits);
        let waiting = messages(commits..10).concat().len() as u64;
        wait_until("the commit", || queue.fill().waiting == waiting);
        let offset = messages(0..expected).concat().len();
        wait_until("the checkpoint", || checkpoint(base.path()) == format!("0 {offset}"));
    }
    writing.end().unwrap();
    reading.end();
    assert_eq!(checkpoint(base.path()), format!("0 {}", messages(0..7).concat().len()));
}

#[test]
fn a_queue_of_the_original_is_resumed() {
    let base = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder(base.path())).unwrap();
    std::fs::write(folder(base.path()).join("3.log"), messages(0..5).concat()).unwrap();
    std::fs::write(folder(base.path()).join("4.log"), messages(5..9).concat()).unwrap();
    let offset = messages(0..2).concat().len();
    std::fs::write(folder(base.path()).join("checkpoint.txt"), format!("3 {offset}")).unwrap();
    let queue = open(base.path(), &settings());
    let mut writing = Harness::start(queue.writer());
    let mut reading = Reading::start(&queue);
    let last = writing.send(&messages(9..12));
    writing.wait_acked(last);
    reading.wait_for(10);
    assert_eq!(reading.bodies(), messages(2..12));
    writing.end().unwrap();
    reading.end();
    assert_eq!(std::fs::read(folder(base.path()).join("5.log")).unwrap(), messages(9..12).concat());
    assert_eq!(checkpoint(base.path()), format!("3 {offset}"));
}

#[test]
fn half_a_frame_is_not_joined_to_the_next_file() {
    let base = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder(base.path())).unwrap();
    let torn = [message(0), message(1)[..20].to_vec()].concat();
    std::fs::write(folder(base.path()).join("0.log"), torn).unwrap();
    std::fs::write(folder(base.path()).join("1.log"), messages(2..4).concat()).unwrap();
    let mut reading = Reading::start(&open(base.path(), &settings()));
    reading.wait_for(3);
    assert_eq!(reading.bodies(), [message(0), message(2), message(3)]);
    reading.end();
}

#[test]
fn checkpoints_that_make_no_sense_are_survived() {
    for text in ["", "\n", "0", "x y", "0 99999", "17 4", "18446744073709551615 1", "\u{0}\u{0}\u{0}"] {
        let base = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder(base.path())).unwrap();
        std::fs::write(folder(base.path()).join("0.log"), messages(0..3).concat()).unwrap();
        std::fs::write(folder(base.path()).join("1.log"), messages(3..5).concat()).unwrap();
        std::fs::write(folder(base.path()).join("checkpoint.txt"), text).unwrap();
        let mut reading = Reading::start(&open(base.path(), &settings()));
        // A checkpoint past the end of its file says that the file is consumed.
        let expected = if text == "0 99999" { messages(3..5) } else { messages(0..5) };
        reading.wait_for(expected.len());
        assert_eq!(reading.bodies(), expected, "{text:?}");
        reading.end();
    }
}

#[test]
fn one_queue_has_one_owner() {
    let base = tempfile::tempdir().unwrap();
    let queue = open(base.path(), &settings());
    let refused = DiskQueue::open(&site(base.path()), &settings()).err().unwrap();
    assert!(refused.message.contains("in use by process"), "{refused}");
    drop(queue);
    open(base.path(), &settings());
}

#[test]
fn undersized_settings_are_refused() {
    let base = tempfile::tempdir().unwrap();
    let tiny = BufferingSettings { max_file_size: 10, ..settings() };
    let error = DiskQueue::open(&site(base.path()), &tiny).err().unwrap();
    let words = "can't initialize buffer: `max_file_size` must be greater than maximum record size of";
    assert_eq!(error.message, format!("{words} {MAX_RECORD}"));
}

#[test]
fn a_file_taken_away_is_reported_and_the_rest_delivered() {
    let base = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder(base.path())).unwrap();
    for file in 0..3 {
        std::fs::write(folder(base.path()).join(format!("{file}.log")), message(file)).unwrap();
    }
    let queue = open(base.path(), &settings());
    std::fs::remove_file(folder(base.path()).join("1.log")).unwrap();
    let mut reading = Reading::start(&queue);
    reading.wait_for(2);
    assert_eq!(reading.bodies(), [message(0), message(2)]);
    assert_eq!(number(&queue.site, "Dropped-queue-file-cut"), message(1).len() as i64);
    reading.commit(2);
    wait_until("the end of the queue", || queue.fill().waiting == 0);
    reading.end();
}

#[test]
fn a_new_reader_takes_over_from_the_checkpoint() {
    let base = tempfile::tempdir().unwrap();
    let queue = open(base.path(), &settings());
    let mut writing = Harness::start(queue.writer());
    let last = writing.send(&messages(0..10));
    writing.wait_acked(last);
    let mut first = Reading::start(&queue);
    first.wait_for(10);
    first.commit(4);
    let stream = first.stream;
    first.end();
    let mut second = Reading::start(&queue);
    second.wait_for(6);
    assert_eq!(second.bodies(), messages(4..10));
    // A commit that was meant for the first reader changes nothing.
    let stale = Commit { stream, position: u64::MAX };
    second.commits.as_ref().unwrap().send(stale).unwrap();
    second.commit(1);
    wait_until("the commit", || queue.fill().waiting == messages(5..10).concat().len() as u64);
    second.end();
    writing.end().unwrap();
}
