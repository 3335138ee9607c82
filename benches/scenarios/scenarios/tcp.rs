//! Streams that come over TCP.

use super::{compare, compare_all};
use crate::Result;
use crate::bench::{Bench, Input, PATIENCE};
use crate::daemon::Hekad;
use crate::measure::Process;
use crate::network::{self, Sink};
use crate::peers::{PEERS, socat};
use crate::report::{Outcome, Table};
use std::time::Instant;

const PROTOBUF: &str =
    "[bench]\ntype = \"TcpInput\"\naddress = \"127.0.0.1:0\"\n[CounterFilter]\nticker_interval = 1\n";

/// Framed messages are decoded and counted.
pub fn protobuf(bench: &mut Bench, name: &str) -> Result<()> {
    let input = bench.protobuf()?;
    let about = format!("{} framed messages, {} bytes each.", input.records, input.bytes / input.records);
    let mut table = Table::new(name, &about);
    let bytes = compare(bench, &mut table, "socat -> /dev/null", "socat", |bench, program| {
        let port = network::free_port()?;
        let process = socat::start(bench, program, &socat::listen(port), "OPEN:/dev/null")?;
        let socket = network::connect(port)?;
        let begun = Instant::now();
        network::send_file(&socket, &input)?;
        let usage = process.finish(PATIENCE)?;
        Ok(Outcome::all(&input, begun.elapsed(), usage))
    });
    if let Some(outcome) = bytes {
        table.physical("socat -> /dev/null", &outcome);
    }
    for (program, workers) in [("hekad", 1), ("hekad, 2 workers", 2)] {
        let mut hekad = Hekad::start(bench, workers, PROTOBUF)?;
        let socket = network::connect(hekad.port("bench")?)?;
        let begun = Instant::now();
        network::send_file(&socket, &input)?;
        hekad.wait_for_count("CounterFilter", input.records)?;
        let wall = begun.elapsed();
        table.row(program, &Outcome::all(&input, wall, hekad.process.stop()?));
    }
    Ok(())
}

/// Lines come in at one socket and go out at another.
pub fn lines(bench: &mut Bench, name: &str) -> Result<()> {
    let input = bench.nginx()?;
    let about = format!(
        "{} nginx lines, {:.0} MB; the sink has counted every byte and line.",
        input.records,
        input.bytes as f64 / 1e6
    );
    let mut table = Table::new(name, &about);
    let bytes = compare(bench, &mut table, socat::NAME, socat::NAME, |bench, program| {
        let (sink, port) = (Sink::start()?, network::free_port()?);
        let process = socat::start(bench, program, &socat::listen(port), &socat::connect(sink.port))?;
        let socket = network::connect(port)?;
        let begun = Instant::now();
        network::send_file(&socket, &input)?;
        let usage = process.finish(PATIENCE)?;
        while sink.bytes() < input.bytes && begun.elapsed() < PATIENCE {
            std::thread::yield_now();
        }
        check(&sink, &input)?;
        Ok(Outcome::all(&input, begun.elapsed(), usage))
    });
    if let Some(outcome) = bytes {
        table.physical(socat::NAME, &outcome);
    }
    for (program, buffered) in [("hekad", false), ("hekad, queue on disk", true)] {
        table.row(program, &hekad(bench, &input, buffered)?);
    }
    compare_all(bench, &mut table, &PEERS, |bench, peer, program| {
        let (sink, port) = (Sink::start()?, network::free_port()?);
        relay((peer.tcp_to_tcp)(bench, program, port, sink.port)?, port, &sink, &input)
    });
    Ok(())
}

fn hekad(bench: &Bench, input: &Input, buffered: bool) -> Result<Outcome> {
    let sink = Sink::start()?;
    let config = format!(
        "[bench]\ntype = \"TcpInput\"\naddress = \"127.0.0.1:0\"\nsplitter = \"TokenSplitter\"\ndecoder = \"\"\n\
         [TcpOutput]\nmessage_matcher = \"Type == 'bench'\"\nencoder = \"lines\"\naddress = \"127.0.0.1:{}\"\n\
         use_buffering = {buffered}\n",
        sink.port
    );
    let mut hekad = Hekad::start(bench, 1, &config)?;
    let port = hekad.port("bench")?;
    relay(hekad.process, port, &sink, input)
}

/// Sends all lines to `port` and waits until the sink has them.
fn relay(mut process: Process, port: u16, sink: &Sink, input: &Input) -> Result<Outcome> {
    let socket = network::connect(port)?;
    let begun = Instant::now();
    network::send_file(&socket, input)?;
    process.wait_until("the last byte", PATIENCE, |_| Ok(sink.bytes() >= input.bytes))?;
    let wall = begun.elapsed();
    let usage = process.stop()?;
    check(sink, input)?;
    Ok(Outcome::all(input, wall, usage))
}

fn check(sink: &Sink, input: &Input) -> Result<()> {
    if (sink.bytes(), sink.lines()) != (input.bytes, input.records) {
        let (bytes, lines) = (sink.bytes(), sink.lines());
        return Err(format!("{lines} lines, {bytes} bytes arrived of {} and {}", input.records, input.bytes).into());
    }
    Ok(())
}
