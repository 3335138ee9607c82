//! socat: what merely moving bytes between sockets costs.

use super::Program;
use crate::Result;
use crate::bench::Bench;
use crate::measure::Process;

/// What it is called.
pub const NAME: &str = "socat";

/// Starts it on copying what arrives at `from` to `to`, both in its own notation.
///
/// # Errors
/// When it cannot be started.
pub fn start(bench: &Bench, program: &Program, from: &str, to: &str) -> Result<Process> {
    Process::start(NAME, program.command(bench)?.args(["-u", "-b", "65536", from, to]))
}

/// One connection to a port.
pub fn listen(port: u16) -> String {
    format!("TCP4-LISTEN:{port},bind=127.0.0.1")
}

/// A connection to a port.
pub fn connect(port: u16) -> String {
    format!("TCP4:127.0.0.1:{port}")
}

/// Datagrams to a port.
pub fn receive(port: u16) -> String {
    format!("UDP4-RECV:{port},bind=127.0.0.1,rcvbuf=8388608")
}
