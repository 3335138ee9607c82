//! A TCP peer that misbehaves: it reads in bursts, stops reading for a while, and drops connections, also with
//! bytes unread.
//!
//! TCP tells a sender what the peer's kernel has, not what its program has read. TcpOutput therefore keeps the
//! last bytes in memory and writes them again when a connection breaks. Nothing could help if both failed at once:
//! the peer throws away what its kernel has acknowledged, and the daemon is killed before it has noticed. So the
//! peer keeps account of what it owes itself after a drop, and [`Peer::kill`] waits until that has come again.

use crate::support::{Daemon, PATIENCE, Random, wait_for};
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// Bytes of a line: a number with zeros in front, and a line end.
pub const LINE: usize = 100;
/// What the peer's kernel may hold unread, about; the replay window must be larger.
static RECEIVE_BUFFER: libc::c_int = 64 * 1024;

/// What all peers of a test have read.
#[derive(Default)]
pub struct Ledger {
    /// How often each line has come.
    pub counts: Vec<u32>,
    /// All lines below this one have come.
    pub complete: u64,
    /// A connection was dropped: lines below this one may have been thrown away.
    owed: u64,
    /// Connections dropped.
    pub drops: usize,
    /// Lines that came again because a connection broke.
    pub replayed: u64,
    /// The most of them on one connection.
    pub most_replayed: u64,
    /// Lines that came again because a daemon was killed.
    pub recovered: u64,
}

impl Ledger {
    /// Counts a line; says whether it had come before.
    fn count(&mut self, line: u64) -> bool {
        let index = line as usize;
        if self.counts.len() <= index {
            self.counts.resize(index + 1, 0);
        }
        self.counts[index] += 1;
        if self.counts[index] > 1 {
            return true;
        }
        while self.counts.get(self.complete as usize).is_some_and(|count| *count > 0) {
            self.complete += 1;
        }
        false
    }
}

struct Shared {
    ledger: Arc<Mutex<Ledger>>,
    /// Lines written so far.
    written: Arc<AtomicU64>,
    /// The daemon is dead: what is left is read to the end.
    killed: AtomicBool,
}

/// The peer of one run of the daemon.
pub struct Peer {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    thread: std::thread::JoinHandle<()>,
}

impl Peer {
    /// Listens and reads. It drops at most `drops` connections.
    pub fn start(ledger: &Arc<Mutex<Ledger>>, written: &Arc<AtomicU64>, drops: u64, random: Random) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        // SAFETY: the option's value is an int, and lives until the call returns.
        let set = unsafe {
            let size = size_of::<libc::c_int>() as libc::socklen_t;
            let value = (&raw const RECEIVE_BUFFER).cast();
            libc::setsockopt(listener.as_raw_fd(), libc::SOL_SOCKET, libc::SO_RCVBUF, value, size)
        };
        assert_eq!(set, 0);
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let shared =
            Arc::new(Shared { ledger: ledger.clone(), written: written.clone(), killed: AtomicBool::new(false) });
        let mut reading = Reading { shared: shared.clone(), listener, random, drops_left: drops, end: None };
        let thread = std::thread::spawn(move || reading.run());
        Peer { address, shared, thread }
    }

    /// Kills the daemon, at a moment when it does not owe the peer what the peer threw away.
    pub fn kill(&self, daemon: Daemon) {
        let mut daemon = Some(daemon);
        wait_for("the repair of a dropped connection", || {
            let ledger = lock(&self.shared.ledger);
            if ledger.complete < ledger.owed {
                return false;
            }
            self.shared.killed.store(true, Ordering::SeqCst);
            daemon.take().unwrap().crash();
            true
        });
    }

    /// Waits until everything that a dead daemon left in the sockets is read.
    pub fn join(self) {
        self.shared.killed.store(true, Ordering::SeqCst);
        self.thread.join().unwrap();
    }
}

struct Reading {
    shared: Arc<Shared>,
    listener: TcpListener,
    random: Random,
    drops_left: u64,
    /// The line after the last one that this peer has read; `None` before the first.
    end: Option<u64>,
}

impl Reading {
    fn run(&mut self) {
        loop {
            match self.listener.accept() {
                Ok((connection, _)) => self.read(connection),
                // The connections of a dead daemon are all there already.
                Err(_) if self.shared.killed.load(Ordering::SeqCst) => match self.listener.accept() {
                    Ok((connection, _)) => self.read(connection),
                    Err(_) => return,
                },
                Err(_) => std::thread::sleep(Duration::from_millis(1)),
            }
        }
    }

    fn read(&mut self, connection: TcpStream) {
        connection.set_nonblocking(false).unwrap();
        connection.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut reader = BufReader::new(connection);
        let mut text = String::new();
        let mut next = None;
        let mut replayed = 0;
        let mut burst = 1 + self.random.below(8000);
        while reader.read_line(&mut text).is_ok_and(|n| n == LINE) {
            let line: u64 = text.trim_end().parse().unwrap();
            text.clear();
            // A queue on disk holds some lines twice after a crash, so numbers may go back, but never skip one.
            let expected = next.or(self.end).unwrap_or(line);
            assert!(line <= expected, "line {line} comes where {expected} is next");
            next = Some(line + 1).max(next);
            let mut ledger = lock(&self.shared.ledger);
            let again = ledger.count(line);
            if self.end.is_some_and(|end| line < end) {
                replayed += 1;
                ledger.replayed += 1;
                ledger.most_replayed = ledger.most_replayed.max(replayed);
            } else {
                self.end = Some(line + 1);
                ledger.recovered += u64::from(again);
            }
            drop(ledger);
            burst -= 1;
            if burst > 0 {
                continue;
            }
            burst = 1 + self.random.below(8000);
            if self.random.below(2) == 0 {
                std::thread::sleep(Duration::from_millis(self.random.below(120)));
            }
            if self.random.below(3) == 0 && self.drops_left > 0 {
                let mut ledger = lock(&self.shared.ledger);
                if !self.shared.killed.load(Ordering::SeqCst) {
                    self.drops_left -= 1;
                    drop(reader);
                    ledger.drops += 1;
                    ledger.owed = self.shared.written.load(Ordering::SeqCst);
                    return;
                }
            }
        }
    }
}

fn lock(ledger: &Mutex<Ledger>) -> MutexGuard<'_, Ledger> {
    ledger.lock().unwrap()
}
