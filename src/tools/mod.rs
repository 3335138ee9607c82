//! What the companion tools share: how they start, how they read their configuration, how they sign and send.

pub mod golden;
mod manager;
pub mod print;
mod sign;

pub use manager::{Control, Manager, find_manager};
pub use sign::SignerSettings;

use crate::config::{load_table, process_env, render::render};
use crate::flags::{Flags, Given};
use heka_operators::net::address::HostPort;
use heka_settings::{Problems, Table};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

/// Reads a tool's command line. Without any flag or operand, and with `-help`, it prints the flags and the tool
/// is done.
///
/// # Errors
/// The exit code with which the tool ends at once.
pub fn start(flags: &Flags) -> Result<Given, ExitCode> {
    let given = flags.parse(std::env::args_os().skip(1)).map_err(|error| {
        eprintln!("{error}");
        ExitCode::from(2)
    })?;
    if given.is_on("help") || (given.is_empty() && given.operands().is_empty()) {
        show(&flags.usage());
        return Err(ExitCode::SUCCESS);
    }
    Ok(given)
}

/// Prints to standard output; when nobody reads it any more, that is all the same.
pub fn show(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// Loads a tool's configuration and lets `read` make something of it; everything that is wrong is shown.
///
/// # Errors
/// The exit code with which the tool ends at once.
pub fn configure<T>(path: &Path, read: impl FnOnce(&Table, &mut Problems) -> Option<T>) -> Result<T, ExitCode> {
    let (sources, table) = load_table(path, &process_env).map_err(|refused| {
        eprint!("{refused}");
        ExitCode::FAILURE
    })?;
    let mut problems = Problems::default();
    let made = read(&table, &mut problems);
    let failed = problems.has_errors();
    eprint!("{}", render(&sources, &problems.into_sorted()));
    made.filter(|_| !failed).ok_or(ExitCode::FAILURE)
}

/// Reads `host:port`, as the tools name their peer.
///
/// # Errors
/// One line.
pub fn peer(text: &str) -> Result<HostPort, String> {
    HostPort::parse(text).map_err(|why| format!("Error creating sender: {why}"))
}
