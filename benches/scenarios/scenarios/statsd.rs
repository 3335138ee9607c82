//! statsd lines, parsed and added up: what `udp` only counts. The counters are those of the program itself, so what is
//! missing was dropped by the kernel.

use super::compare;
use super::udp::{DATAGRAMS, QUIET, SEED, check, settle};
use crate::Result;
use crate::bench::Bench;
use crate::daemon::Hekad;
use crate::generate::statsd::Load;
use crate::network;
use crate::peers::statsd;
use crate::report::{Outcome, Table};
use std::time::{Duration, Instant};

const CONFIG: &str = "[bench]\ntype = \"StatsdInput\"\naddress = \"127.0.0.1:0\"\n\
    [StatAccumInput]\nticker_interval = 1\n[CounterFilter]\n";

/// Datagrams of 1432 bytes.
pub fn full(bench: &mut Bench, name: &str) -> Result<()> {
    scenario(bench, name, true, 50_000.0)
}

/// A datagram for each line.
pub fn single(bench: &mut Bench, name: &str) -> Result<()> {
    scenario(bench, name, false, 400_000.0)
}

fn scenario(bench: &mut Bench, name: &str, full: bool, rate: f64) -> Result<()> {
    let load = Load::new(DATAGRAMS, full, SEED);
    let duration = bench.options.scale(Duration::from_secs(5), Duration::from_secs(1));
    let about = format!(
        "statsd lines of 1600 stats over the loopback for {} s, flat out or at a rate, parsed and accumulated; hekad \
         flushes every second.",
        duration.as_secs()
    );
    let mut table = Table::new(name, &about);
    for (program, rate) in [("hekad".to_owned(), None), (format!("hekad, {rate:.0}/s offered"), Some(rate))] {
        let mut hekad = Hekad::start(bench, 1, CONFIG)?;
        let port = hekad.port("bench")?;
        let begun = Instant::now();
        let sent = network::send_datagrams(port, &load, duration, rate)?;
        let lines = settle(&mut hekad, |hekad| Ok(hekad.report()?.count("bench", "ProcessMessageCount")))?;
        let wall = begun.elapsed().saturating_sub(QUIET);
        let report = hekad.report()?;
        let dropped = report.count("bench", "Dropped-kernel-receive-buffer");
        check(&load, &sent, lines, dropped)?;
        for rule in ["Dropped-malformed-stat", "UnreadableValues"] {
            if report.count("bench", rule) > 0 {
                return Err(format!("{rule}: {}", report.count("bench", rule)).into());
            }
        }
        let offered = sent.datagrams as f64 / duration.as_secs_f64();
        let remark = format!("the kernel dropped {dropped} of {} datagrams, {offered:.0}/s", sent.datagrams);
        let bytes = (sent.bytes as f64 * lines as f64 / sent.lines as f64) as u64;
        table.row(&program, &Outcome { records: lines, bytes, wall, usage: hekad.process.stop()?, remark });
    }
    let outcome = compare(bench, &mut table, "statsd (npm)", statsd::NAME, |bench, program| {
        let (port, management) = (network::free_port()?, network::free_port()?);
        let mut process = statsd::start(bench, program, port, management)?;
        let begun = Instant::now();
        let sent = network::send_datagrams(port, &load, duration, None)?;
        let lines = settle(&mut process, |_| statsd::lines(management))?;
        let wall = begun.elapsed().saturating_sub(QUIET);
        let bytes = (sent.bytes as f64 * lines as f64 / sent.lines as f64) as u64;
        let remark =
            format!("{:.1} % of the lines lost in the kernel", 100.0 - 100.0 * lines as f64 / sent.lines as f64);
        Ok(Outcome { records: lines, bytes, wall, usage: process.stop()?, remark })
    });
    if let Some(outcome) = outcome {
        table.row("statsd (npm)", &outcome);
    }
    Ok(())
}
