//! Applications that count: three clients of statsd in two languages.

use crate::support::peer;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The packages of the clients.
pub struct Clients {
    python: PathBuf,
    node: PathBuf,
    packages: PathBuf,
}

/// Counters that the configuration graphs: 000000 to 000003.
pub const COUNTERS: u64 = 4;

impl Clients {
    /// `None` where the machine lacks one.
    pub fn find() -> Option<Clients> {
        let packages = peer::node_package("hot-shots")?.parent()?.to_owned();
        peer::node_package("statsd-client")?;
        Some(Clients { python: peer::find("python")?, node: peer::find("node")?, packages })
    }

    /// All three count `times` times to `address`; what the first counter has gained then. Counter n gains n + 1 times
    /// as much.
    pub fn count(&self, address: &str, times: u64) -> u64 {
        let script = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/getting_started").join(name);
        let port = address.rsplit(':').next().unwrap();
        let (counters, rounds) = (COUNTERS.to_string(), times.to_string());
        let numbers = [port, counters.as_str(), rounds.as_str()];
        let mut python = Command::new(&self.python);
        python.arg(script("statsd_clients.py")).args(numbers);
        let mut node = Command::new(&self.node);
        node.arg(script("statsd_clients.cjs")).arg(&self.packages).args(numbers);
        let running = [&mut python, &mut node].map(|command| command.stdin(Stdio::null()).spawn().unwrap());
        for mut client in running {
            assert!(client.wait().unwrap().success());
        }
        3 * times
    }
}
