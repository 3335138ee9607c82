//! Drives the real binary in a directory of its own.

#![allow(dead_code, reason = "every test file uses its own part of it")]

pub mod ask;
pub mod carbon_cache;
pub mod peer;
pub mod web;

use std::fs;
use std::io::Read;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How long a test waits for what must come; long, because machines that run tests are busy.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A directory with a configuration, logs and state.
pub struct Site {
    pub dir: tempfile::TempDir,
    /// The configuration's file or directory.
    pub config: PathBuf,
}

impl Site {
    /// A fresh directory whose configuration is `config`; `$D` in it is the directory, and `[hekad]` is given.
    pub fn new(config: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let site = Site { config: dir.path().join("hekad.toml"), dir };
        fs::create_dir(site.path("logs")).unwrap();
        site.configure(config);
        site
    }

    pub fn configure(&self, config: &str) {
        let head = "[hekad]\nbase_dir = \"$D/state\"\nlog_flags = 0\n".to_owned();
        let text = (head + config).replace("$D", self.dir.path().to_str().unwrap());
        fs::write(&self.config, text).unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_default()
    }

    /// Makes a FIFO and opens it without reading, so that an output writing to it stalls.
    pub fn fifo(&self, name: &str) -> fs::File {
        let path = self.path(name);
        let c_path = std::ffi::CString::new(path.to_str().unwrap()).unwrap();
        // SAFETY: the name is a C string that outlives the call.
        assert_eq!(unsafe { libc::mkfifo(c_path.as_ptr(), 0o600) }, 0);
        fs::OpenOptions::new().read(true).write(true).open(path).unwrap()
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hekad"));
        command.args(arguments).arg(format!("-config={}", self.config.display()));
        command
    }

    /// Runs to the end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Starts the daemon with its output going to files.
    pub fn start(&self) -> Daemon {
        let open = |name: &str| fs::OpenOptions::new().create(true).append(true).open(self.path(name)).unwrap();
        let child =
            self.command(&[]).stdin(Stdio::null()).stdout(open("stdout")).stderr(open("stderr")).spawn().unwrap();
        Daemon { child, dir: self.dir.path().to_owned() }
    }
}

/// A running daemon; killed when dropped.
pub struct Daemon {
    child: Child,
    dir: PathBuf,
}

impl Daemon {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, signal: i32) {
        // SAFETY: the child has not been waited for, so its id is its own.
        assert_eq!(unsafe { libc::kill(self.child.id() as i32, signal) }, 0);
    }

    /// Kills it as a power cut would.
    pub fn crash(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ctrl-C, and the exit code.
    pub fn stop(mut self) -> i32 {
        self.signal(libc::SIGINT);
        self.wait()
    }

    /// The exit code once it has ended.
    pub fn wait(&mut self) -> i32 {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code().unwrap_or(-1);
            }
            assert!(Instant::now() < end, "the daemon does not end:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn log(&self) -> String {
        let mut text = String::new();
        for name in ["stdout", "stderr"] {
            let mut part = Vec::new();
            let _ = fs::File::open(self.dir.join(name)).and_then(|mut file| file.read_to_end(&mut part));
            let tail = part.len().saturating_sub(4000);
            text.push_str(&format!("--- {name}\n{}\n", String::from_utf8_lossy(&part[tail..])));
        }
        text
    }

    /// Peak resident memory so far, in bytes.
    pub fn peak_memory(&self) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("{}", self.log());
        }
    }
}

/// Waits until `done` holds.
pub fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < end, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Ports for servers that cannot choose their own. They lie below those that the system gives to connections, and no two
/// tests that run at the same time get the same.
const PORTS: std::ops::Range<u32> = 10_000..32_000;

/// An address nobody listens on right now, for TCP or UDP.
pub fn free_address() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let span = PORTS.end - PORTS.start;
    // Processes begin at different places.
    let first = std::process::id().wrapping_mul(631);
    let is_free = |address: &String| TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok();
    let mut addresses = std::iter::repeat_with(|| {
        let n = first.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        format!("127.0.0.1:{}", PORTS.start + n % span)
    });
    addresses.by_ref().take(1000).find(is_free).expect("a free port")
}

/// A connection to who will soon listen.
pub fn connect(address: &str) -> TcpStream {
    let mut stream = None;
    wait_for("the listener", || {
        stream = TcpStream::connect(address).ok();
        stream.is_some()
    });
    stream.unwrap()
}

/// Appends to a file, making it if need be.
pub fn append(path: &Path, text: &[u8]) {
    use std::io::Write;
    fs::OpenOptions::new().create(true).append(true).open(path).unwrap().write_all(text).unwrap();
}

/// Numbers that look random and are the same in every run: splitmix64.
#[derive(Clone)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Random(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// A number below `bound`, which is not zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}
