//! Every way of rotating logs, under load: a writer goes on writing and rotating while the daemon reads, is stopped,
//! is started again, and once is killed. What comes out is what was written: nothing lost, nothing twice, in the
//! order of each stream. Only a kill may repeat lines, and only those whose position was not written down yet.
//!
//! With `HEKA_LONG=1` every scheme runs ten times, beside threads that keep every core of the machine busy.

mod account;
mod scheme;
#[path = "../support/mod.rs"]
mod support;
mod writer;

use account::Account;
use scheme::Scheme;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;
use support::{Random, Site, wait_for};
use writer::{Log, Writer};

/// How the daemon ends while the writer is at work.
#[derive(Clone, Copy)]
enum Ends {
    /// Asked to stop, so many times.
    Stopped(usize),
    /// Asked to stop, but for one kill in between.
    KilledOnce(usize),
    /// Killed each time, at any moment, the first ones of its life included.
    Killed(usize),
}

impl Ends {
    fn times(self) -> usize {
        match self {
            Ends::Stopped(times) | Ends::KilledOnce(times) | Ends::Killed(times) => times,
        }
    }

    fn is_kill(self, start: usize) -> bool {
        match self {
            Ends::Stopped(_) => false,
            Ends::KilledOnce(times) => start == times / 2,
            Ends::Killed(_) => true,
        }
    }
}

#[test]
fn renaming() {
    prove(Scheme::Rename);
}

#[test]
fn renaming_and_compressing_at_once() {
    prove(Scheme::RenameGzip);
}

#[test]
fn renaming_and_compressing_one_rotation_later() {
    prove(Scheme::DelayedGzip);
}

#[test]
fn copying_and_truncating() {
    prove(Scheme::CopyTruncate);
}

#[test]
fn copying_truncating_and_compressing_the_copy() {
    prove(Scheme::CopyTruncateGzip);
}

#[test]
fn copying_and_truncating_under_a_writer_that_never_waits() {
    prove(Scheme::CopyTruncateBusy);
}

#[test]
fn renaming_to_a_date() {
    prove(Scheme::RenameToDate);
}

#[test]
fn dated_files_in_dated_directories() {
    prove(Scheme::Dated);
}

#[test]
fn deleting_and_creating_again() {
    prove(Scheme::Recreate);
}

#[test]
fn many_streams_that_rotate_independently() {
    prove(Scheme::Streams);
}

#[test]
fn fifty_kills_while_files_are_renamed_and_compressed() {
    run(Scheme::RenameGzip, Ends::Killed(50), 0);
}

#[test]
fn fifty_kills_while_files_are_copied_and_truncated() {
    run(Scheme::CopyTruncate, Ends::Killed(50), 0);
}

fn prove(scheme: Scheme) {
    let long = std::env::var_os("HEKA_LONG").is_some();
    let (rounds, busy) = if long { (10, std::thread::available_parallelism().map_or(1, usize::from)) } else { (1, 0) };
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..busy {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        let _end = OnDrop(&done);
        for round in 0..rounds {
            for ends in [Ends::Stopped(5), Ends::KilledOnce(5)] {
                run(scheme, ends, round);
            }
        }
    });
}

/// Ends the busy threads, also when the test fails.
struct OnDrop<'a>(&'a AtomicBool);

impl Drop for OnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// One run of the writer beside several of the daemon.
fn run(scheme: Scheme, ends: Ends, round: u64) {
    let site = Site::new(&config(scheme));
    let log = Arc::new(Log::default());
    // Held for reading where the scheme itself loses what a stopped daemon has not read.
    let up = RwLock::new(());
    let (enough, done) = (AtomicBool::new(false), AtomicBool::new(false));
    let mut random = Random::new(2 * round + u64::from(ends.is_kill(2)));
    let mut account = Account::default();
    let mut printed = 0;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            Writer::new(&site, &log, &up, &enough, Random::new(7 + round)).run(scheme);
            done.store(true, Ordering::SeqCst);
        });
        for start in 0..ends.times() {
            let daemon = site.start();
            match ends {
                // Most of the time it is in the middle of its work, and sometimes it has hardly begun.
                Ends::Killed(_) => std::thread::sleep(Duration::from_millis(random.below(400))),
                _ => std::thread::sleep(Duration::from_millis(200 + random.below(500))),
            }
            let down = up.write().unwrap();
            if ends.is_kill(start) {
                log.with_contents(|contents| {
                    daemon.crash();
                    account.kills += 1;
                    account.uncommitted += account::uncommitted(&site, contents);
                });
            } else {
                started(&site, printed);
                assert_eq!(daemon.stop(), 0);
            }
            printed = site.read("stdout").len();
            std::thread::sleep(Duration::from_millis(random.below(150)));
            if start + 1 < ends.times() {
                drop(down);
                continue;
            }
            // The last start follows at once, and the writer may delete again.
            let daemon = site.start();
            drop(down);
            enough.store(true, Ordering::SeqCst);
            wait_for("the writer", || done.load(Ordering::SeqCst));
            wait_for("the last line of every stream", || {
                log.with_contents(|contents| account::has_last_lines(&site, contents))
            });
            started(&site, printed);
            assert_eq!(daemon.stop(), 0);
        }
    });
    log.with_contents(|contents| account.check(&site, contents, &log.gone()));
    let Account { lines, gone, rotations, kills, lost, again, uncommitted } = account;
    eprintln!(
        "{scheme:?}: {lines} lines, {rotations} rotations, {kills} kills, {lost} lost, {again} again, {uncommitted} \
         uncommitted at the kills, {gone} more lines in no file"
    );
    assert_eq!(lost, 0);
    assert!(again <= uncommitted, "more came again than can have been in flight");
}

/// Waits until the daemon says behind what was `printed` that it has been started: before that a signal would not be a
/// stop but an end.
fn started(site: &Site, printed: usize) {
    wait_for("the start", || {
        String::from_utf8_lossy(&site.read("stdout")[printed..]).contains("Input started: LogstreamerInput")
    });
}

fn config(scheme: Scheme) -> String {
    format!(
        "[LogstreamerInput]\nlog_directory = \"$D/logs\"\n{}\
         [PayloadEncoder]\nappend_newlines = false\n\
         [FileOutput]\nmessage_matcher = \"TRUE\"\nencoder = \"PayloadEncoder\"\npath = \"$D/out\"\nflush_interval = 20\n",
        scheme.settings()
    )
}
