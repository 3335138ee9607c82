//! A log file to standard output and to a file: byte for byte, live, and over restarts.

mod support;

use std::fs;
use std::time::{Duration, Instant};
use support::{Site, append, wait_for};

const SIMPLEST: &str = r#"
[LogstreamerInput]
log_directory = "$D/logs"
file_match = 'auth\.log'
[PayloadEncoder]
append_newlines = false
[LogOutput]
message_matcher = "TRUE"
encoder = "PayloadEncoder"
"#;

/// What LogOutput printed: the daemon's own lines start with words no test line starts with.
fn printed(site: &Site) -> String {
    let text = String::from_utf8(site.read("stdout")).unwrap();
    text.split_inclusive('\n').filter(|line| line.starts_with("line ")).collect()
}

#[test]
fn the_simplest_configuration_prints_follows_and_continues() {
    let site = Site::new(SIMPLEST);
    let log = site.path("logs/auth.log");
    let mut expected: String = (0..1000).map(|i| format!("line {i} \u{e9}\t\"x\"\n")).collect();
    append(&log, expected.as_bytes());
    let daemon = site.start();
    wait_for("the whole file", || printed(&site) == expected);
    for i in 0..5 {
        let text = format!("line live {i}\n");
        expected.push_str(&text);
        append(&log, text.as_bytes());
        let written = Instant::now();
        wait_for("a new line", || printed(&site) == expected);
        eprintln!("a new line was printed after {:?}", written.elapsed());
    }
    assert_eq!(daemon.stop(), 0);
    append(&log, b"line while away\n");
    expected.push_str("line while away\n");
    let daemon = site.start();
    wait_for("the line written in between", || printed(&site) == expected);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(printed(&site), expected);
    assert_eq!(daemon.stop(), 0);
    fs::remove_dir_all(site.path("state/logstreamer")).unwrap();
    let daemon = site.start();
    wait_for("the replay", || printed(&site).len() > expected.len() * 2 - 10);
    assert_eq!(daemon.stop(), 0);
}
