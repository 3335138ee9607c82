//! What is measured, in the order in which it runs.

mod files;
mod idle;
mod scripts;
mod stalled;
mod statsd;
mod tcp;
mod udp;

use crate::Result;
use crate::bench::Bench;
use crate::peers::{Peer, Program};
use crate::report::{Outcome, Table};

/// Runs a scenario that goes by the given name.
type Scenario = fn(&mut Bench, &str) -> Result<()>;

/// All scenarios with their names.
pub const ALL: [(&str, Scenario); 15] = [
    ("file -> nothing", files::to_nothing),
    ("file -> counter and /dev/null", files::to_null),
    ("file -> regex -> /dev/null", files::through_regex),
    ("file -> nginx fields -> counter", scripts::access_log),
    ("file -> nginx fields -> http_status", scripts::http_status),
    ("json documents in a script", scripts::json),
    ("idle sandboxes", scripts::sandboxes),
    ("tcp protobuf -> counter", tcp::protobuf),
    ("tcp lines -> tcp lines", tcp::lines),
    ("udp lines -> counter, full datagrams", udp::full),
    ("udp lines -> counter, one a datagram", udp::single),
    ("statsd, full datagrams", statsd::full),
    ("statsd, one a datagram", statsd::single),
    ("stalled output", stalled::fifo),
    ("idle", idle::quiet),
];

/// The row of a program that may be missing: that fails the run only when peers are required.
fn compare(
    bench: &mut Bench,
    table: &mut Table,
    name: &str,
    program: &str,
    measure: impl FnOnce(&Bench, &Program) -> Result<Outcome>,
) -> Option<Outcome> {
    let outcome = match Program::find(bench, program) {
        Some(program) => measure(bench, &program),
        None => Err("not installed".into()),
    };
    match outcome {
        Ok(outcome) => Some(outcome),
        Err(error) => {
            table.absent(name, &error.to_string());
            if bench.options.require_peers {
                bench.fail(&format!("{name}: {error}"));
            }
            None
        }
    }
}

/// The rows of all peers that are log daemons.
fn compare_all(
    bench: &mut Bench,
    table: &mut Table,
    peers: &[Peer],
    mut measure: impl FnMut(&Bench, &Peer, &Program) -> Result<Outcome>,
) {
    for peer in peers {
        let outcome = compare(bench, table, peer.name, peer.program, |bench, program| measure(bench, peer, program));
        if let Some(outcome) = outcome {
            table.row(peer.name, &outcome);
        }
    }
}
