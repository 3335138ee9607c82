//! Real programs that tests talk to: where `tests/fetch-peers` has put them, and what a test does without them.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The folder of peers: `$HEKA_PEERS`, otherwise `target/peers`.
pub fn folder() -> PathBuf {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("target/peers");
    std::env::var_os("HEKA_PEERS").map_or_else(default, PathBuf::from)
}

/// Where `program` is: below the folder of peers, then where programs are. `None` when the machine lacks it, and then
/// the test says so and passes, unless `HEKA_REQUIRE_PEERS=1`: where peers are required, a skip is a failure.
pub fn find(program: &str) -> Option<PathBuf> {
    let folder = folder();
    let below = ["usr/sbin", "usr/bin", "python/bin", "node/node_modules/.bin"].map(|place| folder.join(place));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = below
        .into_iter()
        .chain(std::env::split_paths(&path))
        .chain([PathBuf::from("/usr/sbin")])
        .map(|place| place.join(program))
        .find(|file| file.is_file());
    require(found, program)
}

/// The folder of the Node.js package `name`; without it as for [`find`].
pub fn node_package(name: &str) -> Option<PathBuf> {
    let package = folder().join("node/node_modules").join(name);
    require(package.is_dir().then_some(package), name)
}

fn require<T>(found: Option<T>, what: &str) -> Option<T> {
    let required = std::env::var_os("HEKA_REQUIRE_PEERS").is_some_and(|value| value == "1");
    assert!(found.is_some() || !required, "{what} is required: run tests/fetch-peers");
    if found.is_none() {
        eprintln!("skipped: this machine has no {what}; tests/fetch-peers fetches it");
    }
    found
}

/// A peer that runs; killed when dropped.
pub struct Running(pub Child);

impl Running {
    /// Starts a peer that writes what it has to say to `log`.
    pub fn start(command: &mut Command, log: &Path) -> Running {
        let open = || std::fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
        Running(command.stdin(Stdio::null()).stdout(open()).stderr(open()).spawn().unwrap())
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: i32) {
        // SAFETY: the child has not been waited for, so its id is its own.
        assert_eq!(unsafe { libc::kill(self.0.id() as i32, signal) }, 0);
    }

    /// Asks it to end, and waits until it has.
    pub fn end(mut self) {
        self.signal(libc::SIGTERM);
        self.0.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
