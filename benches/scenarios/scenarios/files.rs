//! Following an access log to its end.

use super::compare_all;
use crate::Result;
use crate::bench::{Bench, Input, PATIENCE};
use crate::daemon::Hekad;
use crate::measure::Process;
use crate::peers::{PEERS, wc};
use crate::report::{Outcome, Table};
use std::fs;
use std::time::{Duration, Instant};

const NOTHING: &str = "[LogOutput]\nmessage_matcher = \"FALSE\"\nencoder = \"lines\"\n";
const COUNTER_AND_NULL: &str = "[CounterFilter]\nticker_interval = 1\n[FileOutput]\n\
    message_matcher = \"Type == 'logfile'\"\nencoder = \"lines\"\npath = \"/dev/null\"\n";
const REGEX: &str = "[FileOutput]\nmessage_matcher = \"Payload =~ /\\\" 5\\\\d\\\\d /\"\nencoder = \"lines\"\n\
    path = \"/dev/null\"\n";

/// Reading alone.
pub fn to_nothing(bench: &mut Bench, name: &str) -> Result<()> {
    let (mut table, input) = begin(bench, name)?;
    table.physical("wc -l", &wc::count(bench, &input)?);
    table.row("hekad", &hekad(bench, &input, 1, NOTHING)?.0);
    Ok(())
}

/// Every line is counted and written.
pub fn to_null(bench: &mut Bench, name: &str) -> Result<()> {
    let (mut table, input) = begin(bench, name)?;
    table.physical("wc -l", &wc::count(bench, &input)?);
    for (program, workers) in [("hekad", 1), ("hekad, 2 workers", 2)] {
        let (outcome, written) = hekad(bench, &input, workers, COUNTER_AND_NULL)?;
        check_written(written, &input)?;
        table.row(program, &outcome);
    }
    compare_all(bench, &mut table, &PEERS, |bench, peer, program| {
        let begun = Instant::now();
        let process = (peer.file_to_null)(bench, program, &input)?;
        wait_for_writes(process, &input, begun)
    });
    Ok(())
}

/// Every line is searched, few are written.
pub fn through_regex(bench: &mut Bench, name: &str) -> Result<()> {
    let (mut table, input) = begin(bench, name)?;
    table.physical("wc -l", &wc::count(bench, &input)?);
    let (outcome, written) = hekad(bench, &input, 1, REGEX)?;
    if written == 0 || written >= input.bytes {
        return Err(format!("{written} bytes written: the expression chose nothing or everything").into());
    }
    table.row("hekad", &outcome);
    Ok(())
}

pub fn begin(bench: &mut Bench, name: &str) -> Result<(Table, Input)> {
    let input = bench.nginx()?;
    let about = format!("{} nginx lines, {:.0} MB.", input.records, input.bytes as f64 / 1e6);
    Ok((Table::new(name, &about), input))
}

/// Runs the daemon until it has written down that it is done with the file; also what it has written in all. `consumers`
/// goes on in the section of the input.
pub fn hekad(bench: &Bench, input: &Input, workers: usize, consumers: &str) -> Result<(Outcome, u64)> {
    let folder = input.path.parent().ok_or("the input has no folder")?.display();
    let source =
        format!("[bench]\ntype = \"LogstreamerInput\"\nlog_directory = \"{folder}\"\nfile_match = 'input\\.log'\n");
    let begun = Instant::now();
    let mut hekad = Hekad::start(bench, workers, &(source + consumers))?;
    // The position is written down when everything before it is delivered.
    let journal = bench.dir().join("state/logstreamer/bench");
    let goal = format!("\"seek\":{},", input.bytes);
    let mut busy = Busy::new(begun);
    hekad.process.wait_until("the end of the file", PATIENCE, |process| {
        busy.look(process)?;
        Ok(fs::read_to_string(&journal).is_ok_and(|text| text.contains(&goal)))
    })?;
    let wall = busy.until.duration_since(begun);
    // Whoever decodes nothing is quick. Some lines of the log are broken, few in a thousand.
    let failed = hekad.report()?.count("bench-access", "DecodeFailures");
    if failed * 100 > input.records {
        return Err(format!("{failed} of {} lines could not be decoded", input.records).into());
    }
    let written = hekad.process.written();
    Ok((Outcome::all(input, wall, hekad.process.stop()?), written))
}

/// When a process was last at work: waiting for the next flush or for the journal's turn is none.
struct Busy {
    until: Instant,
    looked: Instant,
    cpu: Duration,
}

impl Busy {
    fn new(begun: Instant) -> Busy {
        Busy { until: begun, looked: begun, cpu: Duration::ZERO }
    }

    /// It was at work since the last look if it had a processor half of the time.
    fn look(&mut self, process: &Process) -> Result<()> {
        let (now, cpu) = (Instant::now(), process.cpu()?);
        if (cpu - self.cpu) * 2 > now - self.looked {
            self.until = now;
        }
        (self.looked, self.cpu) = (now, cpu);
        Ok(())
    }
}

/// Runs a program that has no way to say that it is done, until it has written what was to be written.
fn wait_for_writes(mut process: Process, input: &Input, begun: Instant) -> Result<Outcome> {
    process.wait_until("the last write", PATIENCE, |process| Ok(process.written() >= input.bytes))?;
    let wall = begun.elapsed();
    check_written(process.written(), input)?;
    Ok(Outcome::all(input, wall, process.stop()?))
}

/// What a program writes for itself, such as positions, is little beside the lines.
fn check_written(written: u64, input: &Input) -> Result<()> {
    let most = input.bytes + input.bytes / 100 + 64 * 1024;
    if !(input.bytes..=most).contains(&written) {
        return Err(format!("{written} bytes written for {} bytes of lines", input.bytes).into());
    }
    Ok(())
}
