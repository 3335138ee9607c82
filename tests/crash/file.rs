//! From a file to a file.

use crate::support::{Random, Site, append, wait_for};
use std::collections::HashMap;
use std::time::Duration;

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

/// Writes lines while the daemon is killed `crashes` times; in the end every line must be there.
fn survive(config: &str, crashes: usize) {
    let site = Site::new(config);
    let mut written = 0u64;
    let mut random = Random::new(1);
    for _ in 0..crashes {
        let daemon = site.start();
        for _ in 0..4 {
            let text: String = (written..written + 500).map(|i| format!("{i}\n")).collect();
            written += 500;
            append(&site.path("logs/app.log"), text.as_bytes());
            std::thread::sleep(Duration::from_millis(random.below(128)));
        }
        daemon.crash();
    }
    let printed = site.read("stdout").len();
    let daemon = site.start();
    let last = format!("\n{}\n", written - 1);
    wait_for("the last start", || String::from_utf8_lossy(&site.read("stdout")[printed..]).contains("Input started"));
    wait_for("the last line", || String::from_utf8_lossy(&site.read("out")).ends_with(&last));
    assert_eq!(daemon.stop(), 0);
    let mut seen: HashMap<u64, usize> = HashMap::new();
    for line in String::from_utf8(site.read("out")).unwrap().lines() {
        // A line that a crash cut short stands glued to the one written after it; both come again whole.
        if let Ok(number) = line.parse() {
            *seen.entry(number).or_default() += 1;
        }
    }
    let lost = (0..written).filter(|i| !seen.contains_key(i)).count();
    let again: usize = seen.values().map(|n| n - 1).sum();
    eprintln!("{written} lines written, {lost} lost, {again} delivered again");
    assert_eq!(lost, 0);
    assert!(again <= crashes * 2000 * 2, "more came again than can have been in flight");
}
