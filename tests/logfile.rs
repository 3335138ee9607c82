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

#[test]
fn the_same_lines_arrive_with_any_number_of_workers() {
    for workers in [1, 2, 4] {
        let site = Site::new(&format!(
            r#"maxprocs = {workers}
[a]
type = "LogstreamerInput"
log_directory = "$D/logs"
file_match = 'a\.log'
[b]
type = "LogstreamerInput"
log_directory = "$D/logs"
file_match = 'b\.log'
[CounterFilter]
ticker_interval = 1
message_matcher = "Type == 'logfile'"
[PayloadEncoder]
append_newlines = false
[out]
type = "FileOutput"
message_matcher = "Type == 'logfile' && Payload !~ /7$/"
encoder = "PayloadEncoder"
path = "$D/out"
flush_interval = 50
"#
        ));
        let lines = |name: &str| -> String { (0..30_000).map(|i| format!("{name} {i}\n")).collect() };
        append(&site.path("logs/a.log"), lines("a").as_bytes());
        append(&site.path("logs/b.log"), lines("b").as_bytes());
        let daemon = site.start();
        let length = lines("a").len() * 2;
        wait_for("all lines", || site.read("out").len() == length);
        assert_eq!(daemon.stop(), 0);
        let out = String::from_utf8(site.read("out")).unwrap();
        for name in ["a", "b"] {
            let of: String = out.split_inclusive('\n').filter(|line| line.starts_with(name)).collect();
            assert!(of == lines(name), "{workers} workers: stream {name} is not what was written");
        }
    }
}
