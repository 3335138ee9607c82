//! The input against a small stand-in for the engine: it splits on newlines and commits whole records.

mod examples;
mod names;
mod restarting;
mod rotating;
mod truncating;

use super::*;
use crate::inputs::{Chunk, ChunkEnd, Commit, Credits, InputEdge, Waker};
use crate::log::Log;
use crate::plugin::Globals;
use crate::stats::Stats;
use heka_settings::{Data, Value};
use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Mutex;
use std::thread::JoinHandle;
use std::time::Instant;
use tokio::sync::{mpsc, watch as stop_signal};

/// A generous bound for what should take milliseconds.
const DEADLINE: Duration = Duration::from_secs(30);

/// One delivered record.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Record {
    logger: String,
    payload: String,
    /// What identifies it across restarts: the stream's key and the offset.
    identity: (u64, u64),
}

fn site() -> Site {
    Site {
        name: "app".into(),
        globals: Arc::new(Globals { base_dir: "/nonexistent".into(), ..Globals::default() }),
        stats: Arc::new(Stats::default()),
        log: Log::new("Input", "app"),
    }
}

fn text(value: &str) -> Data {
    Data::String(value.to_owned())
}

fn list(items: &[&str]) -> Data {
    Data::Array(items.iter().map(|item| Value::new(text(item))).collect())
}

/// A log directory, a journal directory, and the settings of the section `app`.
struct Setup {
    directory: tempfile::TempDir,
    table: heka_settings::Table,
}

impl Setup {
    fn new(file_match: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("logs")).unwrap();
        let logs = directory.path().join("logs").to_string_lossy().into_owned();
        let journals = directory.path().join("journals").to_string_lossy().into_owned();
        let table = heka_settings::Table::default()
            .with("log_directory", text(&logs))
            .with("journal_directory", text(&journals))
            .with("file_match", text(file_match));
        Setup { directory, table }
    }

    fn with(mut self, key: &str, data: Data) -> Self {
        self.table = self.table.with(key, data);
        self
    }

    fn log(&self, name: &str) -> PathBuf {
        fs::canonicalize(self.directory.path()).unwrap().join("logs").join(name)
    }

    fn write(&self, name: &str, content: &str) {
        let path = self.log(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn append(&self, name: &str, content: &str) {
        let mut file = fs::OpenOptions::new().append(true).create(true).open(self.log(name)).unwrap();
        file.write_all(content.as_bytes()).unwrap();
    }

    fn gzip(&self, from: &str, to: &str) {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&fs::read(self.log(from)).unwrap()).unwrap();
        fs::write(self.log(to), encoder.finish().unwrap()).unwrap();
        fs::remove_file(self.log(from)).unwrap();
    }

    fn build(&self) -> Result<Logstreamer, String> {
        let mut problems = Problems::default();
        let settings = LogstreamerSettings::read(&self.table, &mut problems);
        assert!(problems.is_empty(), "{problems:?}");
        Logstreamer::new(&settings, &site())
    }

    fn start(&self) -> Running {
        Running::start(self.build().unwrap())
    }

    fn journal(&self, stream: &str) -> String {
        fs::read_to_string(self.directory.path().join("journals").join(stream)).unwrap_or_default()
    }

    fn wait_for_journal(&self, stream: &str, seek: u64, file: &str, hash: &str) {
        let path = self.log(file);
        let wanted = format!(r#"{{"seek":{seek},"file_name":"{}","last_hash":"{hash}"}}"#, path.display());
        wait(|| self.journal(stream) == wanted, || format!("wanted {wanted}\nfound {}", self.journal(stream)));
    }
}

fn wait(done: impl Fn() -> bool, state: impl Fn() -> String) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < DEADLINE, "{}", state());
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The input on its thread, and the stand-in for the engine on another.
struct Running {
    stop: stop_signal::Sender<bool>,
    records: Arc<Mutex<Vec<Record>>>,
    threads: Vec<JoinHandle<()>>,
}

impl Running {
    fn start(mut input: Logstreamer) -> Self {
        let (sender, chunks) = std::sync::mpsc::channel::<Chunk>();
        let (stop, stopped) = stop_signal::channel(false);
        let (committer, commits) = mpsc::unbounded_channel();
        let credits = Credits::new(4 << 20);
        let mut edge = InputEdge::new(site(), sender, Arc::new(Waker::default()), credits, stopped, commits);
        let records = Arc::new(Mutex::new(Vec::new()));
        let delivered = records.clone();
        let engine = std::thread::spawn(move || {
            // Per stream: the partial record and its offset.
            let mut partial: HashMap<u32, (Vec<u8>, u64)> = HashMap::new();
            for chunk in chunks {
                let (bytes, offset) = partial.entry(chunk.stream.id).or_default();
                if bytes.is_empty() {
                    *offset = chunk.offset;
                }
                bytes.extend_from_slice(chunk.bytes.as_ref());
                let end = chunk.position + chunk.bytes.len() as u64;
                while let Some(newline) = memchr::memchr(b'\n', bytes) {
                    let payload: Vec<u8> = bytes.drain(..=newline).collect();
                    delivered.lock().unwrap().push(Record {
                        logger: String::from_utf8(chunk.stream.logger.clone()).unwrap(),
                        identity: (chunk.stream.key, *offset),
                        payload: String::from_utf8(payload).unwrap(),
                    });
                    *offset += newline as u64 + 1;
                }
                let _ = committer.send(Commit { stream: chunk.stream.id, position: end - bytes.len() as u64 });
                if chunk.end == ChunkEnd::Packet {
                    bytes.clear();
                }
            }
        });
        let reader = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(input.run(&mut edge)).unwrap();
        });
        Running { stop, records, threads: vec![engine, reader] }
    }

    fn payloads(&self) -> Vec<String> {
        self.records.lock().unwrap().iter().map(|record| record.payload.clone()).collect()
    }

    fn wait_for(&self, payloads: &[&str]) {
        wait(|| self.payloads() == payloads, || format!("wanted {payloads:?}\nfound {:?}", self.payloads()));
    }

    fn stop(self) -> Vec<Record> {
        self.stop.send(true).unwrap();
        for thread in self.threads {
            thread.join().unwrap();
        }
        Arc::try_unwrap(self.records).unwrap().into_inner().unwrap()
    }
}

const NOTHING: &str = "fc56d4b3c72a8bfe593373c740d558ec1340ac73";
