//! `wc -l`: what merely reading a file and finding its newlines costs.

use super::Program;
use crate::Result;
use crate::bench::{Bench, Input, PATIENCE};
use crate::measure::Process;
use crate::report::Outcome;
use std::io::Read;
use std::process::Stdio;
use std::time::Instant;

/// Counts the lines, and checks that they are as many as were generated.
///
/// # Errors
/// When they are not.
pub fn count(bench: &Bench, input: &Input) -> Result<Outcome> {
    let program = Program::find(bench, "wc").ok_or("wc is not installed")?;
    let begun = Instant::now();
    let mut process = Process::start("wc", program.command(bench)?.stdout(Stdio::piped()).arg("-l").arg(&input.path))?;
    let mut output = process.child().stdout.take().ok_or("wc has no output")?;
    let usage = process.finish(PATIENCE)?;
    let wall = begun.elapsed();
    let mut text = String::new();
    output.read_to_string(&mut text)?;
    match text.split_whitespace().next().and_then(|number| number.parse::<u64>().ok()) {
        Some(lines) if lines == input.records => Ok(Outcome::all(input, wall, usage)),
        _ => Err(format!("wc says {text} where {} lines were generated", input.records).into()),
    }
}
