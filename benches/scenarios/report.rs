//! The results: a table in Markdown for each scenario, a row as soon as it is known.

use crate::bench::Input;
use crate::measure::Usage;
use std::fs;
use std::time::Duration;

/// What one program has done.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Records that came through.
    pub records: u64,
    /// Bytes that came through.
    pub bytes: u64,
    /// How long that took.
    pub wall: Duration,
    /// What it cost.
    pub usage: Usage,
    /// What else is to be said.
    pub remark: String,
}

impl Outcome {
    /// All of `input` came through.
    pub fn all(input: &Input, wall: Duration, usage: Usage) -> Outcome {
        Outcome { records: input.records, bytes: input.bytes, wall, usage, remark: String::new() }
    }

    /// CPU in µs a record.
    fn cost(&self) -> f64 {
        self.usage.cpu.as_secs_f64() * 1e6 / self.records as f64
    }
}

/// One scenario's table.
pub struct Table {
    /// Cost of the row that shows what the machine can do at best.
    physical: Option<f64>,
}

impl Table {
    /// Begins a table.
    pub fn new(title: &str, about: &str) -> Table {
        println!("\n### {title}\n\n{about}\n");
        println!(
            "| {:<24} | {:>10} | {:>7} | {:>13} | {:>10} | {:>8} | remarks |",
            "program", "records/s", "MB/s", "CPU µs/record", "x physical", "peak MiB"
        );
        println!("|{:-<26}|{:->11}:|{:->8}:|{:->14}:|{:->11}:|{:->9}:|---------|", "", "", "", "", "", "");
        Table { physical: None }
    }

    /// The row that others are compared with.
    pub fn physical(&mut self, program: &str, outcome: &Outcome) {
        self.physical = Some(outcome.cost()).filter(|cost| *cost > 0.0);
        self.row(program, outcome);
    }

    /// One program's row.
    pub fn row(&self, program: &str, outcome: &Outcome) {
        let Outcome { records, bytes, wall, usage, remark } = outcome;
        let seconds = wall.as_secs_f64();
        let ratio = match self.physical {
            Some(physical) => format!("{:.1}", outcome.cost() / physical),
            None => "–".to_owned(),
        };
        println!(
            "| {program:<24} | {:>10.0} | {:>7.0} | {:>13.3} | {ratio:>10} | {:>8.1} | {remark} |",
            *records as f64 / seconds,
            *bytes as f64 / 1e6 / seconds,
            outcome.cost(),
            mib(usage),
        );
    }

    /// A row without throughput.
    pub fn quiet(&self, program: &str, usage: &Usage, remark: &str) {
        println!("| {program:<24} | {0:>10} | {0:>7} | {0:>13} | {0:>10} | {1:>8.1} | {remark} |", "–", mib(usage));
    }

    /// A row of a program that could not be measured.
    pub fn absent(&self, program: &str, why: &str) {
        println!("| {program:<24} | {0:>10} | {0:>7} | {0:>13} | {0:>10} | {0:>8} | {why} |", "–");
    }
}

fn mib(usage: &Usage) -> f64 {
    usage.peak_kib as f64 / 1024.0
}

/// Says when and on what kind of machine the run is, and how busy that is with other things.
pub fn machine() {
    let date = jiff::Zoned::now().date();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processors.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown make", |(_, model)| model);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("unknown").to_owned();
    println!("{date}, hekad {}, {cores} cores of {model}, load {load} at the start.", env!("CARGO_PKG_VERSION"));
}
