//! From a file to a file.

use crate::queue::unread;
use crate::support::{Random, Site, append, wait_for};
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Digits of a line, so that two halves do not make one.
const WIDTH: usize = 9;
/// A message with its frame takes more bytes in a queue.
const FRAMED: usize = 60;

const CONFIG: &str = r#"
[LogstreamerInput]
log_directory = "$D/logs"
file_match = 'app\.log'
[PayloadEncoder]
append_newlines = false
[FileOutput]
message_matcher = "TRUE"
encoder = "PayloadEncoder"
path = "$D/out"
flush_interval = 20
"#;

#[test]
fn fifty_crashes_lose_no_line() {
    survive(CONFIG, 50);
}

#[test]
fn a_queue_on_disk_survives_as_well() {
    survive(&format!("{CONFIG}use_buffering = true\n"), 12);
}

/// What has been written, by a program that never stops.
#[derive(Default)]
struct Written {
    text: String,
    lines: u64,
}

/// Writes until the daemon has been killed `crashes` times, at any moment; in the end every line must be there, and only
/// those may have come again that were not committed when it was killed.
fn survive(config: &str, crashes: usize) {
    let site = Site::new(config);
    let written = Mutex::new(Written::default());
    let done = AtomicBool::new(false);
    let mut random = Random::new(1);
    let mut uncommitted_at_crashes = 0;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut random = Random::new(2);
            while !done.load(Ordering::SeqCst) {
                let mut written = written.lock().unwrap();
                let start = written.lines;
                let end = start + 1 + random.below(200);
                let text: String = (start..end).map(|i| format!("{i:0>WIDTH$}\n")).collect();
                append(&site.path("logs/app.log"), text.as_bytes());
                written.text.push_str(&text);
                written.lines = end;
                drop(written);
                std::thread::sleep(Duration::from_millis(random.below(10)));
            }
        });
        for _ in 0..crashes {
            let daemon = site.start();
            std::thread::sleep(Duration::from_millis(random.below(512)));
            // Nothing is written while what is not committed is counted.
            let written = written.lock().unwrap();
            daemon.crash();
            uncommitted_at_crashes += uncommitted(&site, &written);
        }
        done.store(true, Ordering::SeqCst);
    });
    let written = written.into_inner().unwrap().lines;
    let printed = site.read("stdout").len();
    let daemon = site.start();
    let last = format!("\n{:0>WIDTH$}\n", written - 1);
    wait_for("the last start", || String::from_utf8_lossy(&site.read("stdout")[printed..]).contains("Input started"));
    wait_for("the last line", || String::from_utf8_lossy(&site.read("out")).ends_with(&last));
    assert_eq!(daemon.stop(), 0);
    let mut seen: HashMap<u64, usize> = HashMap::new();
    for line in String::from_utf8(site.read("out")).unwrap().lines() {
        // A line that a crash cut short stands glued to the one written after it; both come again whole.
        if line.len() == WIDTH
            && let Ok(number) = line.parse()
        {
            *seen.entry(number).or_default() += 1;
        }
    }
    let lost = (0..written).filter(|i| !seen.contains_key(i)).count();
    let again: usize = seen.values().map(|n| n - 1).sum();
    eprintln!(
        "{written} lines written, {crashes} crashes, {lost} lost, {again} delivered again, when {uncommitted_at_crashes} \
         were not committed"
    );
    assert_eq!(lost, 0);
    assert!(again <= uncommitted_at_crashes, "more came again than can have been in flight");
}

/// Lines that a restart delivers, again if they were delivered: those behind the input's position, and those that are in
/// the queue behind its reader's checkpoint.
fn uncommitted(site: &Site, written: &Written) -> usize {
    let journal = site.read("state/logstreamer/LogstreamerInput");
    let seek =
        serde_json::from_slice::<serde_json::Value>(&journal).ok().and_then(|at| at["seek"].as_u64()).unwrap_or(0);
    let behind = written.text.as_bytes()[seek as usize..].iter().filter(|byte| **byte == b'\n').count();
    behind + unread(site, "FileOutput") as usize / FRAMED
}
