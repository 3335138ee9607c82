//! Doing nothing: a quiet file and a ticker.

use crate::Result;
use crate::bench::Bench;
use crate::daemon::Hekad;
use crate::report::Table;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

const CONFIG: &str = "[bench]\ntype = \"LogstreamerInput\"\nlog_directory = \"$D/quiet\"\nfile_match = 'quiet\\.log'\n\
    [CounterFilter]\nticker_interval = 1\n";

/// CPU that is used while nothing happens.
pub fn quiet(bench: &mut Bench, name: &str) -> Result<()> {
    let folder = bench.fresh("quiet")?;
    fs::write(folder.join("quiet.log"), "one line\n")?;
    let table = Table::new(name, "A quiet file, and a filter that ticks once a second.");
    let hekad = Hekad::start(bench, 1, CONFIG)?;
    // Starting is not idling.
    thread::sleep(bench.options.scale(Duration::from_secs(2), Duration::from_millis(500)));
    let (begun, before) = (Instant::now(), hekad.process.cpu()?);
    thread::sleep(bench.options.scale(Duration::from_secs(15), Duration::from_secs(3)));
    let share = (hekad.process.cpu()? - before).as_secs_f64() / begun.elapsed().as_secs_f64();
    let remark = format!("{:.3} % of a core over {:.0} s", 100.0 * share, begun.elapsed().as_secs_f64());
    table.quiet("hekad", &hekad.process.stop()?, &remark);
    Ok(())
}
