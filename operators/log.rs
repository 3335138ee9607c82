//! The daemon's own log: information on standard output, errors on standard error, both with the prefix that
//! `log_flags` asks for. A thread writes, so that no caller ever waits for a terminal; when that thread falls
//! behind, lines are counted instead of kept.

use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, OnceLock};

/// Bits of `log_flags`.
pub mod flags {
    /// `2006/01/02`.
    pub const DATE: u32 = 1;
    /// `15:04:05`.
    pub const TIME: u32 = 2;
    /// Microseconds behind the time.
    pub const MICROSECONDS: u32 = 4;
    /// UTC instead of the local zone.
    pub const UTC: u32 = 32;
}

/// Whether information goes to standard error as well.
static ASIDE: AtomicBool = AtomicBool::new(false);
static FLAGS: AtomicU32 = AtomicU32::new(flags::DATE | flags::TIME);
static LOST: AtomicU64 = AtomicU64::new(0);
static WRITER: OnceLock<SyncSender<Line>> = OnceLock::new();

enum Line {
    Info(String),
    Error(String),
    Flush(SyncSender<()>),
}

/// Sets the prefix bits.
pub fn set_flags(bits: u32) {
    FLAGS.store(bits, Ordering::Relaxed);
}

/// Writes information to standard error as well, for programs whose standard output is something else.
pub fn keep_off_stdout() {
    ASIDE.store(true, Ordering::Relaxed);
}

/// The prefix for a line written now, with its trailing space; empty when no bit is set.
pub fn prefix() -> String {
    let bits = FLAGS.load(Ordering::Relaxed);
    if bits & (flags::DATE | flags::TIME | flags::MICROSECONDS) == 0 {
        return String::new();
    }
    let zone = if bits & flags::UTC != 0 { jiff::tz::TimeZone::UTC } else { jiff::tz::TimeZone::system() };
    let now = jiff::Timestamp::now().to_zoned(zone);
    let mut text = String::with_capacity(32);
    if bits & flags::DATE != 0 {
        text.push_str(&now.strftime("%Y/%m/%d ").to_string());
    }
    if bits & flags::MICROSECONDS != 0 {
        text.push_str(&now.strftime("%H:%M:%S.%6f ").to_string());
    } else if bits & flags::TIME != 0 {
        text.push_str(&now.strftime("%H:%M:%S ").to_string());
    }
    text
}

fn writer() -> &'static SyncSender<Line> {
    WRITER.get_or_init(|| {
        let (sender, lines) = sync_channel::<Line>(4096);
        let spawned = std::thread::Builder::new().name("log".into()).spawn(move || {
            for line in lines {
                let lost = LOST.swap(0, Ordering::Relaxed);
                if lost > 0 {
                    let _ = writeln!(std::io::stderr(), "{}log: {lost} lines lost, the reader is too slow", prefix());
                }
                // Nobody is left to tell when the log itself cannot be written.
                let _ = match line {
                    Line::Info(text) if !ASIDE.load(Ordering::Relaxed) => {
                        writeln!(std::io::stdout(), "{}{text}", prefix())
                    }
                    Line::Info(text) => writeln!(std::io::stderr(), "{}{text}", prefix()),
                    Line::Error(text) => writeln!(std::io::stderr(), "{}{text}", prefix()),
                    Line::Flush(done) => {
                        let flushed = std::io::stdout().flush();
                        let _ = done.try_send(());
                        flushed
                    }
                };
            }
        });
        if let Err(error) = spawned {
            eprintln!("cannot start the log thread: {error}");
        }
        sender
    })
}

fn send(line: Line) {
    if let Err(TrySendError::Full(_)) = writer().try_send(line) {
        LOST.fetch_add(1, Ordering::Relaxed);
    }
}

/// Logs information.
pub fn info(text: impl Into<String>) {
    send(Line::Info(text.into()));
}

/// Logs an error.
pub fn error(text: impl Into<String>) {
    send(Line::Error(text.into()));
}

/// Waits, at most one second, until all lines so far are written.
pub fn flush() {
    let (done, wait) = sync_channel(1);
    if writer().try_send(Line::Flush(done)).is_ok() {
        let _ = wait.recv_timeout(std::time::Duration::from_secs(1));
    }
}

/// The log of one plugin: puts `Input 'name'` and the like before each line.
#[derive(Clone, Debug)]
pub struct Log {
    who: Arc<str>,
}

impl Log {
    /// `kind` is `Input`, `Splitter`, `Decoder`, `SubDecoder` or `Plugin`.
    pub fn new(kind: &str, name: &str) -> Self {
        Log { who: format!("{kind} '{name}'").into() }
    }

    /// Logs information.
    pub fn info(&self, text: impl std::fmt::Display) {
        info(format!("{}: {text}", self.who));
    }

    /// Logs an error.
    pub fn error(&self, text: impl std::fmt::Display) {
        error(format!("{} error: {text}", self.who));
    }
}
