//! An output that stalls in front of a backlog: memory stays what it is, and nothing is lost when it goes on.

use crate::Result;
use crate::bench::{Bench, Input, PATIENCE};
use crate::daemon::Hekad;
use crate::report::{Outcome, Table};
use std::ffi::CString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// How often the access log is read.
const TIMES: u64 = 10;
const SPACER: &[u8] = b"between two\n";

const CONFIG: &str = "[bench]\ntype = \"LogstreamerInput\"\nlog_directory = \"$D/backlog\"\n\
    file_match = 'log\\.(?P<Number>\\d+)'\npriority = [\"Number\"]\n\
    [FileOutput]\nmessage_matcher = \"Type == 'logfile'\"\nencoder = \"lines\"\npath = \"$D/backlog/fifo\"\n";

/// A pipe that nobody reads for a while.
pub fn fifo(bench: &mut Bench, name: &str) -> Result<()> {
    let backlog = backlog(bench)?;
    let stall = bench.options.scale(Duration::from_secs(10), Duration::from_secs(2));
    let about = format!(
        "{:.1} GB of nginx lines into a pipe that nobody reads for {} s, and that is then read to the last byte. \
         The rates are those of the second part.",
        backlog.bytes as f64 / 1e9,
        stall.as_secs()
    );
    let table = Table::new(name, &about);
    let mut hekad = Hekad::start(bench, 1, CONFIG)?;
    thread::sleep(stall);
    let stalled = hekad.process.peak_mib();
    let mut reader = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(backlog.path)?;
    let begun = Instant::now();
    let mut count = Count::default();
    hekad.process.wait_until("the last byte", PATIENCE, |_| {
        count.take(&mut reader)?;
        Ok(count.bytes >= backlog.bytes)
    })?;
    let wall = begun.elapsed();
    if (count.bytes, count.lines) != (backlog.bytes, backlog.records) {
        return Err(format!(
            "{} lines, {} bytes of {} and {}",
            count.lines, count.bytes, backlog.records, backlog.bytes
        )
        .into());
    }
    let usage = hekad.process.stop()?;
    let remark = format!("{stalled:.1} MiB while stalled; nothing lost");
    let outcome = Outcome { records: count.lines, bytes: count.bytes, wall, usage, remark };
    table.row("hekad", &outcome);
    Ok(())
}

/// Links the access log several times into a sequence of files, which takes no room, and makes the pipe. Between two
/// links of the same file there is another one: a file that follows itself is taken for one that was renamed.
fn backlog(bench: &mut Bench) -> Result<Input> {
    let log = bench.nginx()?;
    let folder = bench.fresh("backlog")?;
    let spacer = folder.join("spacer");
    fs::write(&spacer, SPACER)?;
    for number in 0..TIMES {
        fs::hard_link(&log.path, folder.join(format!("log.{}", 2 * number)))?;
        fs::hard_link(&spacer, folder.join(format!("log.{}", 2 * number + 1)))?;
    }
    let path = folder.join("fifo");
    make_fifo(&path)?;
    Ok(Input { path, records: TIMES * (log.records + 1), bytes: TIMES * (log.bytes + SPACER.len() as u64) })
}

fn make_fifo(path: &Path) -> Result<()> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    // SAFETY: the path is a string that ends in a zero byte and outlives the call.
    match unsafe { libc::mkfifo(path.as_ptr(), 0o600) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error().into()),
    }
}

/// What has come out of the pipe.
#[derive(Default)]
struct Count {
    bytes: u64,
    lines: u64,
    buffer: Vec<u8>,
}

impl Count {
    /// Reads what there is, until there has been nothing for a moment.
    fn take(&mut self, reader: &mut File) -> io::Result<()> {
        self.buffer.resize(64 * 1024, 0);
        loop {
            match reader.read(&mut self.buffer) {
                Ok(0) => return Ok(()),
                Ok(n) => {
                    self.bytes += n as u64;
                    self.lines += self.buffer[..n].iter().filter(|byte| **byte == b'\n').count() as u64;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    let mut poll = libc::pollfd { fd: reader.as_raw_fd(), events: libc::POLLIN, revents: 0 };
                    // SAFETY: one descriptor, open as long as `reader`; the call writes only into the structure.
                    if unsafe { libc::poll(&raw mut poll, 1, 100) } <= 0 {
                        return Ok(());
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }
}
