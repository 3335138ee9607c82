//! statsd lines in datagrams, counted as lines: flat out to see what is lost and what the rest costs, then at a rate
//! that should be taken without loss.

use super::compare;
use crate::Result;
use crate::bench::Bench;
use crate::daemon::Hekad;
use crate::generate::statsd::Load;
use crate::network::{self, Sent};
use crate::peers::socat;
use crate::report::{Outcome, Table};
use std::thread;
use std::time::{Duration, Instant};

const CONFIG: &str = "[bench]\ntype = \"UdpInput\"\naddress = \"127.0.0.1:0\"\nsplitter = \"TokenSplitter\"\n\
    [CounterFilter]\nticker_interval = 1\n";
/// Different datagrams.
pub(super) const DATAGRAMS: usize = 4096;
pub(super) const SEED: u64 = 0x2545_f491_4f6c_dd1d;
/// When nothing has come for this long, nothing is on its way.
pub(super) const QUIET: Duration = Duration::from_millis(200);

/// Datagrams of 1432 bytes.
pub fn full(bench: &mut Bench, name: &str) -> Result<()> {
    scenario(bench, name, true, 50_000.0)
}

/// A datagram for each line.
pub fn single(bench: &mut Bench, name: &str) -> Result<()> {
    scenario(bench, name, false, 200_000.0)
}

fn scenario(bench: &mut Bench, name: &str, full: bool, rate: f64) -> Result<()> {
    let load = Load::new(DATAGRAMS, full, SEED);
    let duration = bench.options.scale(Duration::from_secs(5), Duration::from_secs(1));
    let about = format!("statsd lines over the loopback for {} s, flat out or at a rate.", duration.as_secs());
    let mut table = Table::new(name, &about);
    let bytes = compare(bench, &mut table, "socat -> /dev/null", socat::NAME, |bench, program| {
        let port = network::free_port()?;
        let mut process = socat::start(bench, program, &socat::receive(port), "OPEN:/dev/null")?;
        // It listens some time after it has started, and does not say when.
        thread::sleep(Duration::from_millis(300));
        let begun = Instant::now();
        let sent = network::send_datagrams(port, &load, duration, None)?;
        let written = settle(&mut process, |process| Ok(process.written()))?;
        let wall = begun.elapsed().saturating_sub(QUIET);
        let lines = (sent.lines as f64 * written as f64 / sent.bytes as f64) as u64;
        let remark =
            format!("{:.1} % of the bytes lost in the kernel", 100.0 - 100.0 * written as f64 / sent.bytes as f64);
        Ok(Outcome { records: lines, bytes: written, wall, usage: process.stop()?, remark })
    });
    if let Some(outcome) = bytes {
        table.physical("socat -> /dev/null", &outcome);
    }
    for (program, rate) in [("hekad".to_owned(), None), (format!("hekad, {rate:.0}/s offered"), Some(rate))] {
        let mut hekad = Hekad::start(bench, 1, CONFIG)?;
        let port = hekad.port("bench")?;
        let begun = Instant::now();
        let sent = network::send_datagrams(port, &load, duration, rate)?;
        let lines = settle(&mut hekad, |hekad| Ok(hekad.report()?.count("CounterFilter", "ProcessMessageCount")))?;
        let wall = begun.elapsed().saturating_sub(QUIET);
        let dropped = hekad.report()?.count("bench", "Dropped-kernel-receive-buffer");
        check(&load, &sent, lines, dropped)?;
        let remark = format!("the kernel dropped {dropped} of {} datagrams", sent.datagrams);
        let bytes = (sent.bytes as f64 * lines as f64 / sent.lines as f64) as u64;
        table.row(&program, &Outcome { records: lines, bytes, wall, usage: hekad.process.stop()?, remark });
    }
    Ok(())
}

/// Waits until `progress` no longer grows.
pub(super) fn settle<T>(program: &mut T, progress: impl Fn(&mut T) -> Result<u64>) -> Result<u64> {
    let mut last = progress(program)?;
    loop {
        thread::sleep(QUIET);
        match progress(program)? {
            now if now == last => return Ok(now),
            now => last = now,
        }
    }
}

/// Every line sent was counted, or was in one of the datagrams that the kernel says it has dropped.
pub(super) fn check(load: &Load, sent: &Sent, lines: u64, dropped: u64) -> Result<()> {
    let sizes = || load.datagrams().map(|(_, lines)| lines);
    let (fewest, most) = (sizes().min().unwrap_or(0), sizes().max().unwrap_or(0));
    let missing = sent.lines.checked_sub(lines).ok_or("more lines were counted than sent")?;
    if !(dropped * fewest..=dropped * most).contains(&missing) {
        let all = sent.lines;
        return Err(format!("{missing} of {all} lines are missing, in {dropped} datagrams that were dropped").into());
    }
    Ok(())
}
