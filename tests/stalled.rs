//! A stalled output with a huge backlog behind it: memory stays what it is, and everything comes in the end.

mod support;

use std::fs;
use std::io::Read;
use support::{Site, wait_for};

/// Most resident memory, in bytes.
const LIMIT: usize = 128 << 20;

/// What stands behind the output.
struct Backlog {
    /// Bytes of a line.
    line: usize,
    /// Lines of a file.
    lines: usize,
    /// Files of the stream.
    files: usize,
}

#[test]
fn half_a_gigabyte_of_short_lines_behind_a_fifo_that_nobody_reads() {
    stalls(&Backlog { line: 200, lines: 120_000, files: 20 });
}

/// Long lines, so that it is the bytes that take their time and not the records.
#[test]
fn ten_gigabytes_behind_a_fifo_that_nobody_reads() {
    stalls(&Backlog { line: 16 * 1024, lines: 4096, files: 160 });
}

fn stalls(backlog: &Backlog) {
    let site = Site::new(
        "[LogstreamerInput]\nlog_directory = \"$D/logs\"\nfile_match = 'app\\.log\\.(?P<Seq>\\d+)'\n\
         priority = [\"Seq\"]\n[PayloadEncoder]\nappend_newlines = false\n\
         [FileOutput]\nmessage_matcher = \"TRUE\"\nencoder = \"PayloadEncoder\"\npath = \"$D/pipe\"\n",
    );
    let mut pipe = site.fifo("pipe");
    // One file under many names is many files of the stream, and takes the room of one.
    let width = backlog.line - 1;
    let text: String = (0..backlog.lines).map(|i| format!("{i:0>width$}\n")).collect();
    fs::write(site.path("logs/app.log.0"), &text).unwrap();
    for number in 1..backlog.files {
        fs::hard_link(site.path("logs/app.log.0"), site.path(&format!("logs/app.log.{number}"))).unwrap();
    }
    let daemon = site.start();
    // Reading stops when the budget is spent: then memory no longer moves.
    let mut last = (0, 0);
    wait_for("the stall", || {
        let now = daemon.peak_memory();
        last = if now == last.0 { (now, last.1 + 1) } else { (now, 0) };
        last.1 > 200
    });
    let stalled = last.0;
    assert!(stalled < LIMIT, "{} MiB behind the stalled output", stalled >> 20);
    let mut buffer = vec![0; text.len()];
    for file in 0..backlog.files {
        pipe.read_exact(&mut buffer).unwrap();
        assert!(buffer == text.as_bytes(), "file {file} did not come out as it is");
    }
    let drained = daemon.peak_memory();
    eprintln!(
        "{} MiB: peak memory {:.1} MiB while stalled, {:.1} MiB after draining",
        (backlog.files * text.len()) >> 20,
        stalled as f64 / 1048576.0,
        drained as f64 / 1048576.0
    );
    assert!(drained < LIMIT, "{} MiB after draining", drained >> 20);
    assert_eq!(daemon.stop(), 0);
    // Nothing came behind it: what is read next is what is written next.
    use std::io::Write;
    pipe.write_all(b"the end").unwrap();
    let read = pipe.read(&mut buffer).unwrap();
    assert_eq!(&buffer[..read], b"the end");
}
