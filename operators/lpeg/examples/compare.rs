//! Compares this library with the C library on `benches/cases.lua`, by instructions under callgrind: `compare [CASE …]`.
//! Needs `valgrind`, and `lua5.1` with its `lpeg`. Build with `--release`.

use std::process::{Command, ExitCode};

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/cases.lua");

/// Rounds whose cost is taken, and rounds before them, which pay for starting and compiling.
const ROUNDS: u64 = 200;
const WARM: u64 = 20;

fn text_of(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(text) } else { Err(text) }
}

/// Instructions of a whole process.
fn instructions(interpreter: &str, case: &str, rounds: u64) -> Result<u64, String> {
    let text = text_of(
        Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", interpreter, CASES, case])
            .arg(rounds.to_string()),
    )?;
    let count = text.lines().find_map(|line| line.split_once("Collected : ")).map(|(_, count)| count.trim());
    count.and_then(|count| count.parse().ok()).ok_or(text)
}

fn per_round(interpreter: &str, case: &str) -> Result<u64, String> {
    let warm = instructions(interpreter, case, WARM)?;
    Ok((instructions(interpreter, case, WARM + ROUNDS)? - warm) / ROUNDS)
}

fn run() -> Result<(), String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?.with_file_name("script");
    let own = own.to_str().ok_or("the path of this program is not text")?;
    let mut cases: Vec<String> = std::env::args().skip(1).collect();
    if cases.is_empty() {
        cases = text_of(Command::new("lua5.1").arg(CASES))?.lines().map(str::to_owned).collect();
    }
    println!("{:14} {:>12} {:>12} {:>7}", "case", "ours", "C library", "ratio");
    for case in cases {
        let (ours, theirs) = (per_round(own, &case)?, per_round("lua5.1", &case)?);
        println!("{case:14} {ours:>12} {theirs:>12} {:>7.2}", ours as f64 / theirs as f64);
    }
    Ok(())
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
