//! The statsd of the npm package, on Node.js: what the protocol's own server does with the same lines.

use super::Program;
use crate::Result;
use crate::bench::Bench;
use crate::measure::Process;
use crate::network;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::time::Duration;

/// The program that runs it.
pub const NAME: &str = "node";

/// Starts it on lines at one UDP port, to be asked at a TCP port. It never flushes while it is measured, so that its
/// counters go on.
///
/// # Errors
/// When the package is not there, or it does not start.
pub fn start(bench: &Bench, program: &Program, lines: u16, management: u16) -> Result<Process> {
    let package = bench.options.peers.iter().map(|root| root.join("node/node_modules/statsd")).find(|dir| dir.is_dir());
    let package = package.ok_or("the npm package statsd is not among the peers")?;
    let path = bench.fresh("statsd")?.join("config.js");
    let config = format!(
        "{{ address: \"127.0.0.1\", port: {lines}, mgmt_address: \"127.0.0.1\", mgmt_port: {management},\n\
         flushInterval: 3600000, backends: [] }}\n"
    );
    fs::write(&path, config)?;
    let process = Process::start("statsd", program.command(bench)?.arg(package.join("stats.js")).arg(path))?;
    // It answers when it listens.
    network::connect(management)?;
    Ok(process)
}

/// Lines it has taken so far.
///
/// # Errors
/// When it does not answer.
pub fn lines(management: u16) -> Result<u64> {
    let mut stream = network::connect(management)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    stream.write_all(b"counters\n")?;
    for line in BufReader::new(stream).lines() {
        let line = line?;
        if let Some((_, number)) = line.split_once("'statsd.metrics_received': ") {
            return Ok(number.trim_end_matches([',', ' ', '}']).parse()?);
        }
        if line == "END" {
            break;
        }
    }
    Err("statsd does not say how many lines it has".into())
}
