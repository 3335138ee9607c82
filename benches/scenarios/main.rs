//! Whole-daemon measurements: the release build of hekad at work, beside what the machine can do at best (`wc -l`,
//! `socat`) and beside rsyslog and syslog-ng, on the same input in the same run.
//!
//! ```text
//! cargo bench --bench scenarios                 everything, at full size
//! cargo bench --bench scenarios -- tcp idle     scenarios whose names hold one of these
//! cargo bench --bench scenarios -- --smoke      a fiftieth of it, to show that it still works
//! ```
//!
//! Ratios between rows of one run mean something; the rows themselves depend on the machine.

mod bench;
mod daemon;
mod generate;
mod measure;
mod network;
mod options;
mod peers;
mod report;
mod scenarios;

use bench::Bench;
use options::Options;
use std::process::ExitCode;

/// Errors are for people to read.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    match Options::read(std::env::args().skip(1)).and_then(run) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs what was asked for; whether all of it went well.
fn run(options: Options) -> Result<bool> {
    let mut bench = Bench::new(options)?;
    let chosen: Vec<_> = scenarios::ALL.iter().filter(|(name, _)| bench.options.wants(name)).collect();
    if chosen.is_empty() {
        let names: Vec<_> = scenarios::ALL.iter().map(|(name, _)| *name).collect();
        return Err(format!("no scenario is called that; there are: {}", names.join(", ")).into());
    }
    report::machine();
    for (name, scenario) in chosen {
        if let Err(error) = scenario(&mut bench, name) {
            bench.fail(&format!("{name}: {error}"));
        }
    }
    Ok(!bench.failed())
}
