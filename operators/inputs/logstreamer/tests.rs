//! The input against a small stand-in for the engine: it splits on newlines and commits whole records.

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

const ALPHA_BETA: &str = "12635b6dd5f471b1f335a66d23192f7921d93d04";
const ONE_TWO: &str = "d505a2a676f4105ac6e5db51340c5f2acd473424";
const NOTHING: &str = "fc56d4b3c72a8bfe593373c740d558ec1340ac73";

#[test]
fn example_1_a_file_is_read_and_its_position_kept() {
    let setup = Setup::new(r"app\.log");
    setup.write("app.log", "alpha\nbeta\n");
    let running = setup.start();
    running.wait_for(&["alpha\n", "beta\n"]);
    setup.wait_for_journal("app", 11, "app.log", ALPHA_BETA);
    let records = running.stop();
    assert!(records.iter().all(|record| record.logger == "app"));
    let again = setup.start();
    setup.append("app.log", "gamma\n");
    again.wait_for(&["gamma\n"]);
    let more = again.stop();
    assert_eq!(more[0].identity, (records[0].identity.0, 11), "a record keeps its identity over a restart");
}

#[test]
fn example_2_rename_rotation_is_followed() {
    let setup = Setup::new(r"app\.log\.?(?P<Seq>\d*)").with("priority", list(&["^Seq"]));
    setup.write("app.log", "alpha\nbeta\n");
    let running = setup.start();
    setup.wait_for_journal("app", 11, "app.log", ALPHA_BETA);
    fs::rename(setup.log("app.log"), setup.log("app.log.1")).unwrap();
    setup.write("app.log", "gamma\n");
    running.wait_for(&["alpha\n", "beta\n", "gamma\n"]);
    setup.wait_for_journal("app", 6, "app.log", "63f9a1daccc50796660d7254d5e82e502c2caea8");
    running.stop();
}

#[test]
fn example_3_compression_while_stopped_is_followed() {
    let setup = Setup::new(r"app\.log\.?(?P<Seq>\d*)(\.gz)?").with("priority", list(&["^Seq"]));
    setup.write("app.log", "alpha\nbeta\n");
    let running = setup.start();
    setup.wait_for_journal("app", 11, "app.log", ALPHA_BETA);
    let first = running.stop();
    setup.append("app.log", "gamma\n");
    setup.gzip("app.log", "app.log.1.gz");
    setup.write("app.log", "delta\n");
    let running = setup.start();
    running.wait_for(&["gamma\n", "delta\n"]);
    setup.wait_for_journal("app", 6, "app.log", "8ebc0b9f0394ae2f94aec7d725c6f7b840b4eb41");
    let second = running.stop();
    assert_eq!(second[0].identity, (first[0].identity.0, 11), "compression keeps the identity");
    assert_ne!(second[1].identity.0, first[0].identity.0, "another file has another key");
}

#[test]
fn example_4_truncation_is_followed() {
    let setup = Setup::new(r"app\.log");
    setup.write("app.log", "one\ntwo\n");
    let running = setup.start();
    setup.wait_for_journal("app", 8, "app.log", ONE_TWO);
    setup.write("app.log", "");
    setup.wait_for_journal("app", 0, "app.log", NOTHING);
    setup.append("app.log", "three\n");
    running.wait_for(&["one\n", "two\n", "three\n"]);
    setup.wait_for_journal("app", 6, "app.log", "d4ed726918af501e11f595f321a4f30e0f785a12");
    running.stop();
}

#[test]
fn example_5_initial_tail_skips_what_is_there() {
    let setup = Setup::new(r"app\.log").with("initial_tail", Data::Bool(true));
    setup.write("app.log", "one\ntwo\n");
    let running = setup.start();
    setup.wait_for_journal("app", 8, "app.log", ONE_TWO);
    setup.append("app.log", "three\n");
    running.wait_for(&["three\n"]);
    setup.wait_for_journal("app", 14, "app.log", "d0816b39212c4dcf3a6924502c8f1d212df8bf17");
    running.stop();
}

#[test]
fn example_6_the_differentiator_names_the_stream() {
    let setup = Setup::new(r"(?P<Site>[^/]+)-access\.log").with("differentiator", list(&["nginx.", "Site", ".access"]));
    setup.write("example.org-access.log", "x\n");
    let running = setup.start();
    running.wait_for(&["x\n"]);
    wait(|| setup.journal("nginx.example.org.access").contains("\"seek\":2"), || "no journal".into());
    assert_eq!(running.stop()[0].logger, "nginx.example.org.access");
}

fn order(setup: &Setup) -> Vec<String> {
    let root = setup.log("");
    let input = setup.build().unwrap();
    assert_eq!(input.followers.len(), 1);
    let name = |file: &scan::LogFile| file.path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
    input.followers[0].files().iter().map(name).collect()
}

#[test]
fn example_7_translation_orders_a_missing_group() {
    let setup = || {
        let setup = Setup::new(r"a(-(?P<Day>\d{8}))?\.log").with("priority", list(&["Day"]));
        for name in ["a-20140803.log", "a-20140804.log", "a.log"] {
            setup.write(name, "");
        }
        setup
    };
    assert_eq!(order(&setup()), ["a.log", "a-20140803.log", "a-20140804.log"]);
    let day = heka_settings::Table::default().with("missing", Data::Integer(99_999_999));
    let translated =
        setup().with("translation", Data::Table(heka_settings::Table::default().with("Day", Data::Table(day))));
    assert_eq!(order(&translated), ["a-20140803.log", "a-20140804.log", "a.log"]);
}

#[test]
fn example_8_month_names_order_files() {
    let setup = Setup::new(r"(?P<Year>\d+)/(?P<MonthName>\w+)/x\.log\.?(?P<Seq>\d*)")
        .with("priority", list(&["Year", "MonthName", "^Seq"]));
    for name in ["2014/Sep/x.log.1", "2014/Sep/x.log", "2014/august/x.log", "2014/nomonth/x.log"] {
        setup.write(name, "");
    }
    assert_eq!(order(&setup), ["2014/august/x.log", "2014/Sep/x.log.1", "2014/Sep/x.log"]);
}

#[test]
fn example_9_several_files_need_a_priority() {
    let setup = Setup::new(r".*\.log");
    setup.write("a.log", "");
    setup.write("b.log", "");
    let error = setup.build().err().unwrap();
    assert!(error.starts_with("Found multiple logfiles without Priority to sort on for name: app, filematch: ^"));
}

#[test]
fn example_10_a_partial_line_waits() {
    let setup = Setup::new(r"app\.log");
    setup.write("app.log", "par");
    let running = setup.start();
    setup.wait_for_journal("app", 0, "app.log", "");
    setup.append("app.log", "tial\n");
    running.wait_for(&["partial\n"]);
    wait(|| setup.journal("app").starts_with("{\"seek\":8,"), || setup.journal("app"));
    running.stop();
}

#[test]
fn a_partial_line_is_read_again_after_a_restart() {
    let setup = Setup::new(r"app\.log");
    setup.write("app.log", "whole\npar");
    let running = setup.start();
    running.wait_for(&["whole\n"]);
    running.stop();
    setup.append("app.log", "tial\n");
    let running = setup.start();
    running.wait_for(&["partial\n"]);
    assert_eq!(running.stop()[0].identity.1, 6);
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let one = |group: &str, key: &str| {
        let entries = heka_settings::Table::default().with(key, Data::Integer(1));
        Data::Table(heka_settings::Table::default().with(group, Data::Table(entries)))
    };
    let cases = [
        (Setup::new(""), "`file_match` setting is required."),
        (Setup::new("("), "`file_match` is no regular expression: error: unclosed group"),
        (
            Setup::new("(?P<Day>x)").with("translation", one("Day", "x")),
            "A translation map with one entry ('Day') must be specifying a 'missing' key.",
        ),
        (Setup::new("x").with("check_data_interval", text("0")), "`check_data_interval` must not be zero"),
    ];
    for (setup, message) in cases {
        let mut problems = Problems::default();
        let settings = LogstreamerSettings::read(&setup.table, &mut problems);
        Spec { settings, place: Place::NOWHERE }.check(&site(), &mut problems);
        let found: Vec<_> = problems.iter().map(|problem| problem.message.clone()).collect();
        assert_eq!(found, [message]);
    }
    let setup = Setup::new("x");
    fs::remove_dir(setup.log("")).unwrap();
    assert!(setup.build().is_err(), "a log directory is not created");
}

#[test]
fn alternatives_do_not_escape_the_anchors() {
    let setup = Setup::new(r"a\.log|b\.log").with("priority", list(&[""]));
    for name in ["a.log", "b.log", "xa.log", "b.log.1", "d/b.log"] {
        setup.write(name, "");
    }
    assert_eq!(order(&setup), ["a.log", "b.log"]);
}

#[test]
fn unknown_texts_are_reported_and_skipped() {
    let days = heka_settings::Table::default().with("Low", Data::Integer(1)).with("high", Data::Integer(2));
    let setup = Setup::new(r"(?P<Level>\w+)\.log")
        .with("priority", list(&["Level"]))
        .with("translation", Data::Table(heka_settings::Table::default().with("Level", Data::Table(days))));
    for name in ["HIGH.log", "low.log", "other.log"] {
        setup.write(name, "");
    }
    assert_eq!(order(&setup), ["low.log", "HIGH.log"]);
    assert!(setup.build().unwrap().complaints.iter().any(|what| what.contains("Value 'other' not found")));
}

#[test]
fn new_streams_and_new_files_are_found() {
    let setup = Setup::new(r"(?P<Name>\w+)/(?P<Day>\d+)\.log")
        .with("priority", list(&["Day"]))
        .with("differentiator", list(&["Name"]));
    setup.write("a/1.log", "a1\n");
    let running = setup.start();
    running.wait_for(&["a1\n"]);
    setup.write("a/2.log", "a2\n");
    running.wait_for(&["a1\n", "a2\n"]);
    setup.write("b/1.log", "b1\n");
    running.wait_for(&["a1\n", "a2\n", "b1\n"]);
    running.stop();
}

#[test]
fn compression_while_running_repeats_nothing() {
    let setup = Setup::new(r"app\.log\.?(?P<Seq>\d*)(\.gz)?").with("priority", list(&["^Seq"]));
    setup.write("app.log", "one\ntwo\n");
    let running = setup.start();
    running.wait_for(&["one\n", "two\n"]);
    fs::rename(setup.log("app.log"), setup.log("app.log.1")).unwrap();
    setup.write("app.log", "");
    setup.gzip("app.log.1", "app.log.1.gz");
    setup.append("app.log", "three\n");
    running.wait_for(&["one\n", "two\n", "three\n"]);
    running.stop();
}

#[test]
fn a_removed_file_that_comes_back_is_picked_up() {
    let setup = Setup::new(r"app\.log");
    setup.write("app.log", "one\n");
    let running = setup.start();
    running.wait_for(&["one\n"]);
    fs::remove_file(setup.log("app.log")).unwrap();
    setup.write("app.log", "two\n");
    running.wait_for(&["one\n", "two\n"]);
    running.stop();
}

#[test]
fn a_file_overwritten_with_more_is_read_again_from_its_start() {
    let setup = Setup::new(r"app\.log");
    setup.write("app.log", "one\n");
    let running = setup.start();
    running.wait_for(&["one\n"]);
    // Read to the end before the file is replaced in one step, so that no shorter length is ever seen.
    setup.wait_for_journal("app", 4, "app.log", &journal::hash(b"one\n"));
    let file = fs::OpenOptions::new().write(true).open(setup.log("app.log")).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, b"two\nthree\n", 0).unwrap();
    running.wait_for(&["one\n", "two\n", "three\n"]);
    running.stop();
}

#[test]
fn a_lost_position_reads_what_changed_since() {
    let setup = Setup::new(r"app\.log\.?(?P<Seq>\d*)").with("priority", list(&["^Seq"]));
    setup.write("app.log.2", "old\n");
    setup.write("app.log", "one\ntwo\n");
    let running = setup.start();
    running.wait_for(&["old\n", "one\n", "two\n"]);
    running.stop();
    fs::remove_file(setup.log("app.log")).unwrap();
    std::thread::sleep(Duration::from_millis(20));
    setup.write("app.log.1", "three\n");
    setup.write("app.log", "four\n");
    let running = setup.start();
    running.wait_for(&["three\n", "four\n"]);
    running.stop();
}

#[test]
fn a_damaged_compressed_file_is_read_as_far_as_it_goes() {
    let setup = Setup::new(r"app\.log\.?(?P<Seq>\d*)(\.gz)?").with("priority", list(&["^Seq"]));
    setup.write("plain", "one\ntwo\n");
    setup.gzip("plain", "app.log.1.gz");
    let mut bytes = fs::read(setup.log("app.log.1.gz")).unwrap();
    bytes.extend_from_slice(b"no gzip member follows");
    fs::write(setup.log("app.log.1.gz"), bytes).unwrap();
    let file = fs::File::options().write(true).open(setup.log("app.log.1.gz")).unwrap();
    file.set_modified(std::time::SystemTime::now() - Duration::from_secs(3600)).unwrap();
    setup.write("app.log", "three\n");
    let running = setup.start();
    running.wait_for(&["one\n", "two\n", "three\n"]);
    running.stop();
}

/// How a writer rotates; each line it writes is a number.
#[derive(Clone, Copy, Debug)]
enum Rotation {
    /// Rename, then create.
    Rename,
    /// Rename, compress the file before, then create.
    Compress,
    /// A new file with a new number in its name.
    Dated,
}

/// Writes `lines` numbered lines, rotating every so often; `keep` files stay.
fn write_rotating(setup: &Setup, rotation: Rotation, lines: usize) {
    let mut file = fs::OpenOptions::new().append(true).create(true).open(setup.log("app.log")).unwrap();
    let mut rotations = 0;
    for line in 0..lines {
        writeln!(file, "line {line}").unwrap();
        if line % 37 == 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
        if line % 500 != 499 {
            continue;
        }
        rotations += 1;
        match rotation {
            Rotation::Dated => {
                let name = format!("app.log.{rotations}");
                file = fs::OpenOptions::new().append(true).create(true).open(setup.log(&name)).unwrap();
                continue;
            }
            Rotation::Rename => {
                for seq in (1..rotations).rev() {
                    let (from, to) = (format!("app.log.{seq}"), format!("app.log.{}", seq + 1));
                    fs::rename(setup.log(&from), setup.log(&to)).unwrap();
                }
                fs::rename(setup.log("app.log"), setup.log("app.log.1")).unwrap();
            }
            Rotation::Compress => {
                for seq in (2..rotations).rev() {
                    let (from, to) = (format!("app.log.{seq}.gz"), format!("app.log.{}.gz", seq + 1));
                    fs::rename(setup.log(&from), setup.log(&to)).unwrap();
                }
                if rotations > 1 {
                    setup.gzip("app.log.1", "app.log.2.gz");
                }
                fs::rename(setup.log("app.log"), setup.log("app.log.1")).unwrap();
            }
        }
        file = fs::OpenOptions::new().append(true).create(true).open(setup.log("app.log")).unwrap();
    }
}

#[test]
fn nothing_is_lost_or_repeated_while_files_rotate() {
    for rotation in [Rotation::Rename, Rotation::Compress, Rotation::Dated] {
        let priority = if matches!(rotation, Rotation::Dated) { "Seq" } else { "^Seq" };
        let setup = Setup::new(r"app\.log\.?(?P<Seq>\d*)(\.gz)?").with("priority", list(&[priority]));
        setup.write("app.log", "");
        let lines = 6000;
        let mut seen = Vec::new();
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| write_rotating(&setup, rotation, lines));
            // Stopped and started again while the writer goes on.
            for _ in 0..3 {
                let running = setup.start();
                std::thread::sleep(Duration::from_millis(40));
                seen.extend(running.stop());
            }
            writer.join().unwrap();
        });
        let running = setup.start();
        let missing = lines - seen.len();
        wait(
            || running.payloads().len() >= missing,
            || format!("{rotation:?}: {} of {missing}", running.payloads().len()),
        );
        seen.extend(running.stop());
        let wanted: Vec<_> = (0..lines).map(|line| format!("line {line}\n")).collect();
        let found: Vec<_> = seen.into_iter().map(|record| record.payload).collect();
        let differs = wanted.iter().zip(&found).position(|(wanted, found)| wanted != found);
        assert_eq!((differs, found.len()), (None, lines), "{rotation:?}");
    }
}

#[test]
fn a_copy_made_before_truncation_is_read_to_its_end() {
    let setup = Setup::new(r"app\.log\.?(?P<Seq>\d*)").with("priority", list(&["^Seq"]));
    setup.write("app.log", "");
    let running = setup.start();
    let rounds = 30;
    for round in 0..rounds {
        setup.append("app.log", &format!("{round} a\n"));
        wait(|| running.payloads().len() > 2 * round, || format!("{:?}", running.payloads()));
        // Often only the copy is left when the input looks.
        setup.append("app.log", &format!("{round} b\n"));
        fs::copy(setup.log("app.log"), setup.log("copying")).unwrap();
        for seq in (1..=round).rev() {
            let (from, to) = (format!("app.log.{seq}"), format!("app.log.{}", seq + 1));
            fs::rename(setup.log(&from), setup.log(&to)).unwrap();
        }
        fs::rename(setup.log("copying"), setup.log("app.log.1")).unwrap();
        fs::OpenOptions::new().write(true).truncate(true).open(setup.log("app.log")).unwrap();
    }
    let wanted: Vec<_> = (0..rounds).flat_map(|round| [format!("{round} a\n"), format!("{round} b\n")]).collect();
    wait(|| running.payloads() == wanted, || format!("found {:?}", running.payloads()));
    running.stop();
}

#[test]
fn what_was_written_to_an_empty_file_before_it_was_renamed_is_found() {
    // The position is the start of a file, which no bytes identify.
    let rotated = |setup: &Setup| {
        setup.append("app.log", "one\n");
        fs::rename(setup.log("app.log"), setup.log("app.log.1")).unwrap();
        setup.write("app.log", "two\n");
        let running = setup.start();
        running.wait_for(&["one\n", "two\n"]);
        running.stop();
    };
    let setup = Setup::new(r"app\.log\.?(?P<Seq>\d*)").with("priority", list(&["^Seq"]));
    setup.write("app.log", "");
    let running = setup.start();
    setup.wait_for_journal("app", 0, "app.log", "");
    running.stop();
    rotated(&setup);
    let setup = Setup::new(r"app\.log\.?(?P<Seq>\d*)").with("priority", list(&["^Seq"]));
    setup.write("app.log", "zero\n");
    let running = setup.start();
    running.wait_for(&["zero\n"]);
    setup.write("app.log", "");
    setup.wait_for_journal("app", 0, "app.log", NOTHING);
    running.stop();
    rotated(&setup);
}

#[test]
fn between_two_files_the_position_is_the_end_of_the_first() {
    let setup = Setup::new(r"app\.log\.?(?P<Seq>\d*)").with("priority", list(&["^Seq"]));
    setup.write("app.log.1", "one\n");
    setup.write("app.log", "part");
    let running = setup.start();
    running.wait_for(&["one\n"]);
    setup.wait_for_journal("app", 4, "app.log.1", &journal::hash(b"one\n"));
    running.stop();
    for (from, to) in [("app.log.1", "app.log.2"), ("app.log", "app.log.1")] {
        fs::rename(setup.log(from), setup.log(to)).unwrap();
    }
    setup.append("app.log.1", "ial\n");
    setup.write("app.log", "two\n");
    let running = setup.start();
    running.wait_for(&["partial\n", "two\n"]);
    running.stop();
}

#[test]
fn a_copy_in_the_making_is_left_for_its_original() {
    let setup = Setup::new(r"app\.log\.?(?P<Seq>\d*)").with("priority", list(&["^Seq"]));
    setup.write("app.log.2", "one\n");
    setup.write("app.log", "two\nthree\n");
    if fs::metadata(setup.log("app.log")).unwrap().created().is_err() {
        eprintln!("this file system does not keep when files were made: nothing can be tested");
        return;
    }
    // The clock of files is coarse.
    std::thread::sleep(Duration::from_millis(20));
    setup.write("app.log.1", "two\n");
    let running = setup.start();
    running.wait_for(&["one\n", "two\n", "three\n"]);
    setup.append("app.log.1", "three\n");
    setup.write("app.log", "four\n");
    running.wait_for(&["one\n", "two\n", "three\n", "four\n"]);
    running.stop();
}

#[test]
fn with_initial_tail_only_what_was_there_at_the_start_is_old() {
    let setup = Setup::new(r"(?P<Name>\w+)\.log")
        .with("differentiator", list(&["Name"]))
        .with("oldest_duration", text("1h"))
        .with("initial_tail", Data::Bool(true));
    setup.write("stale.log", "old\n");
    let file = fs::File::options().write(true).open(setup.log("stale.log")).unwrap();
    file.set_modified(std::time::SystemTime::now() - Duration::from_secs(7200)).unwrap();
    let mut input = setup.build().unwrap();
    assert!(input.followers.is_empty());
    setup.append("stale.log", "new\n");
    setup.write("fresh.log", "first\n");
    assert!(input.rescan().is_empty());
    let running = Running::start(input);
    let sorted = || {
        let mut payloads = running.payloads();
        payloads.sort();
        payloads
    };
    wait(|| sorted() == ["first\n", "new\n"], || format!("found {:?}", sorted()));
    running.stop();
}
