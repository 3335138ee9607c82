//! The far ends of network scenarios, in this process: a sender that costs next to nothing, and a sink that counts.

use crate::Result;
use crate::bench::{Input, PATIENCE};
use crate::generate::statsd::Load;
use heka_operators::net::datagrams;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::net::{Ipv4Addr, Shutdown, SocketAddrV4, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, AsRawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// An address of this machine.
pub fn local(port: u16) -> SocketAddrV4 {
    SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)
}

/// A port that was free a moment ago, for programs that cannot say which one the system gave them.
///
/// # Errors
/// When there is none.
pub fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind(local(0))?.local_addr()?.port())
}

/// Connects as soon as somebody listens.
///
/// # Errors
/// When nobody does within ten seconds.
pub fn connect(port: u16) -> io::Result<TcpStream> {
    let begun = Instant::now();
    loop {
        match TcpStream::connect(local(port)) {
            Err(error) if error.kind() == ErrorKind::ConnectionRefused && begun.elapsed() < Duration::from_secs(10) => {
                thread::sleep(Duration::from_millis(10));
            }
            result => return result,
        }
    }
}

/// Sends all of `input` and ends the stream. The bytes go from file to socket inside the kernel.
///
/// # Errors
/// When the peer hangs up, or takes nothing for long.
pub fn send_file(socket: &TcpStream, input: &Input) -> Result<()> {
    socket.set_write_timeout(Some(PATIENCE))?;
    let file = File::open(&input.path)?;
    let mut left = input.bytes;
    while left > 0 {
        // SAFETY: both descriptors are open; the file's own position is used and advanced.
        let sent = unsafe {
            libc::sendfile(socket.as_raw_fd(), file.as_raw_fd(), std::ptr::null_mut(), left.min(1 << 30) as usize)
        };
        match u64::try_from(sent) {
            Ok(0) => return Err("the input has become shorter".into()),
            Ok(sent) => left -= sent,
            Err(_) => match io::Error::last_os_error() {
                error if error.kind() == ErrorKind::Interrupted => {}
                error => return Err(format!("sending: {error}").into()),
            },
        }
    }
    socket.shutdown(Shutdown::Write)?;
    Ok(())
}

/// A listener that reads what comes and counts its bytes and lines.
pub struct Sink {
    /// Where it listens.
    pub port: u16,
    counts: Arc<Counts>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Counts {
    bytes: AtomicU64,
    lines: AtomicU64,
    stop: AtomicBool,
}

impl Sink {
    /// Listens.
    ///
    /// # Errors
    /// When it cannot.
    pub fn start() -> io::Result<Sink> {
        let listener = TcpListener::bind(local(0))?;
        let port = listener.local_addr()?.port();
        let counts = Arc::new(Counts::default());
        let shared = counts.clone();
        let thread = thread::spawn(move || {
            let mut buffer = vec![0; 256 * 1024];
            while let Ok((mut socket, _)) = listener.accept() {
                if shared.stop.load(Ordering::Relaxed) {
                    return;
                }
                // A connection that breaks is like one that ends: what is missing shows in the counts.
                while let Ok(n @ 1..) = socket.read(&mut buffer) {
                    let lines = buffer[..n].iter().filter(|byte| **byte == b'\n').count();
                    shared.lines.fetch_add(lines as u64, Ordering::Relaxed);
                    shared.bytes.fetch_add(n as u64, Ordering::Relaxed);
                }
            }
        });
        Ok(Sink { port, counts, thread: Some(thread) })
    }

    /// Bytes so far.
    pub fn bytes(&self) -> u64 {
        self.counts.bytes.load(Ordering::Relaxed)
    }

    /// Lines so far.
    pub fn lines(&self) -> u64 {
        self.counts.lines.load(Ordering::Relaxed)
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.counts.stop.store(true, Ordering::Relaxed);
        // Wakes the thread, which by now waits for a connection: whoever was connected has been stopped. If it cannot
        // be woken, it is left alone.
        if TcpStream::connect(local(self.port)).is_ok()
            && let Some(thread) = self.thread.take()
        {
            let _ = thread.join();
        }
    }
}

/// What was sent as datagrams.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sent {
    /// Datagrams.
    pub datagrams: u64,
    /// Lines in them.
    pub lines: u64,
    /// Bytes of them.
    pub bytes: u64,
}

/// Sends `load` round and round for `duration`, at most `rate` datagrams a second.
///
/// # Errors
/// When nobody listens.
pub fn send_datagrams(port: u16, load: &Load, duration: Duration, rate: Option<f64>) -> Result<Sent> {
    let socket = UdpSocket::bind(local(0))?;
    socket.connect(local(port))?;
    let all: Vec<(&[u8], u64)> = load.datagrams().collect();
    let records: Vec<&[u8]> = all.iter().map(|(bytes, _)| *bytes).collect();
    let mut sent = Sent::default();
    let mut at = 0;
    let begun = Instant::now();
    while begun.elapsed() < duration {
        if let Some(rate) = rate
            && sent.datagrams as f64 > begun.elapsed().as_secs_f64() * rate
        {
            thread::sleep(Duration::from_micros(200));
            continue;
        }
        match datagrams::send(socket.as_fd(), &records[at..]) {
            Ok(n) => {
                for (bytes, lines) in &all[at..at + n] {
                    sent.bytes += bytes.len() as u64;
                    sent.lines += lines;
                }
                sent.datagrams += n as u64;
                at = (at + n) % records.len();
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::yield_now(),
            Err(error) => return Err(format!("sending datagrams: {error}").into()),
        }
    }
    Ok(sent)
}
