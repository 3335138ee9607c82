//! A daemon in operation: signals, a stalled output, rotation of what it reads and of what it writes.

mod support;

use std::fs;
use std::io::{Read, Write};
use support::{Site, append, wait_for};

const COPY: &str = r#"
[LogstreamerInput]
log_directory = "$D/logs"
file_match = 'app\.log\.?(?P<Seq>\d*)(\.gz)?'
priority = ["^Seq"]
rescan_interval = "100ms"
[PayloadEncoder]
append_newlines = false
[FileOutput]
message_matcher = "TRUE"
encoder = "PayloadEncoder"
path = "$D/out"
flush_interval = 20
"#;

fn text(site: &Site, name: &str) -> String {
    String::from_utf8_lossy(&site.read(name)).into_owned()
}

#[test]
fn rotation_by_renaming_loses_and_repeats_nothing() {
    let site = Site::new(COPY);
    let daemon = site.start();
    let log = site.path("logs/app.log");
    let mut expected = String::new();
    for round in 0..8 {
        for piece in 0..20 {
            let lines: String = (0..50).map(|i| format!("{round} {piece} {i}\n")).collect();
            append(&log, lines.as_bytes());
            expected.push_str(&lines);
        }
        // As logrotate does: the older files move up, the newest becomes number 1, writing goes on in a new one.
        for number in (1..=round).rev() {
            let name = |n| site.path(&format!("logs/app.log.{n}"));
            fs::rename(name(number), name(number + 1)).unwrap();
        }
        fs::rename(&log, site.path("logs/app.log.1")).unwrap();
    }
    append(&log, b"the end\n");
    expected.push_str("the end\n");
    wait_for("everything", || text(&site, "out").ends_with("the end\n"));
    assert_eq!(daemon.stop(), 0);
    assert!(text(&site, "out") == expected, "what was written is not what came out, in order and once");
}

#[test]
fn a_reload_signal_reopens_what_was_moved_away() {
    let site = Site::new(COPY);
    let log = site.path("logs/app.log");
    append(&log, b"one\n");
    let daemon = site.start();
    wait_for("the first line", || text(&site, "out") == "one\n");
    fs::rename(site.path("out"), site.path("out.1")).unwrap();
    daemon.signal(libc::SIGHUP);
    wait_for("a new file", || site.path("out").exists());
    append(&log, b"two\n");
    wait_for("the second line", || text(&site, "out") == "two\n");
    assert_eq!(text(&site, "out.1"), "one\n");
    daemon.signal(libc::SIGUSR1);
    wait_for("the report", || text(&site, "stdout").contains("====Outputs===="));
    let report = text(&site, "stdout");
    assert!(report.contains("FileOutput:") && report.contains("LogstreamerInput:"), "{report}");
    assert_eq!(daemon.stop(), 0);
}

#[test]
fn a_stalled_output_holds_memory_flat_loses_nothing_and_cannot_prevent_the_end() {
    let config = COPY.replace("path = \"$D/out\"", "path = \"$D/pipe\"");
    let site = Site::new(&format!("shutdown_deadline = \"1s\"\n{config}"));
    let mut pipe = site.fifo("pipe");
    let line = format!("{}\n", "x".repeat(199));
    let lines = 600_000;
    append(&site.path("logs/app.log"), line.repeat(lines).as_bytes());
    let daemon = site.start();
    // Reading stops when the budget is spent: then memory no longer moves.
    let mut last = (0, 0);
    wait_for("the stall", || {
        let now = daemon.peak_memory();
        last = if now == last.0 { (now, last.1 + 1) } else { (now, 0) };
        last.1 > 200
    });
    eprintln!("peak memory behind a stalled output: {:.1} MiB", last.0 as f64 / 1048576.0);
    assert!(last.0 < 128 << 20, "{} MiB", last.0 >> 20);
    // The end comes although nobody reads, says what it leaves, and is no success.
    assert_eq!(daemon.stop(), 1);
    assert!(text(&site, "stderr").contains("FileOutput did not finish"), "{}", text(&site, "stderr"));
    // With a reader, all of it comes at the next start.
    let daemon = site.start();
    let mut seen = 0usize;
    let mut buffer = vec![0; 1 << 20];
    while seen < lines * 200 {
        seen += pipe.read(&mut buffer).unwrap();
    }
    assert_eq!(daemon.stop(), 0);
    pipe.flush().unwrap();
}

#[test]
fn an_input_that_cannot_start_ends_the_daemon_unless_it_may_exit() {
    let config = "[LogstreamerInput]\nlog_directory = \"$D/missing\"\nfile_match = 'x'\n";
    let retries = "[LogstreamerInput.retries]\nmax_retries = 0\n";
    let site = Site::new(&format!("{config}{retries}"));
    let mut daemon = site.start();
    assert_eq!(daemon.wait(), 1);
    assert!(text(&site, "stderr").contains("missing"), "{}", text(&site, "stderr"));
    let site = Site::new(&format!("{config}can_exit = true\n{retries}"));
    let daemon = site.start();
    wait_for("the plugin's end", || text(&site, "stdout").contains("without shutting down"));
    assert_eq!(daemon.stop(), 0);
}

#[test]
fn a_filter_in_a_loop_counts_once_and_the_loop_ends() {
    // The second filter watches the first one's reports, and the first must not see its own.
    let site = Site::new(&format!(
        "max_message_loops = 3\n{COPY}[first]\ntype = \"CounterFilter\"\nmessage_matcher = \"Type == 'logfile'\"\n\
         ticker_interval = 1\n[second]\ntype = \"CounterFilter\"\nmessage_matcher = \"Logger == 'first' || Logger == 'third'\"\n\
         ticker_interval = 1\n[third]\ntype = \"CounterFilter\"\nmessage_matcher = \"Logger == 'second'\"\n\
         ticker_interval = 1\n[itself]\ntype = \"CounterFilter\"\nmessage_matcher = \"TRUE\"\nticker_interval = 1\n"
    ));
    append(&site.path("logs/app.log"), b"a\nb\n");
    let daemon = site.start();
    wait_for("the count", || text(&site, "out").contains("Got 2 messages."));
    wait_for("the count of the count", || text(&site, "out").contains("Got 1 messages."));
    wait_for("the refusal", || text(&site, "stderr").contains("attempted to Inject a message to itself"));
    assert_eq!(daemon.stop(), 0);
    assert_eq!(text(&site, "out").matches("Got 2 messages.").count(), 1);
}
