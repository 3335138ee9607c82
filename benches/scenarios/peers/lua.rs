//! Reference Lua with Debian's `lpeg` and `cjson`: what scripts cost without a host, and with the C libraries.

use super::Program;
use crate::Result;
use crate::bench::{Bench, PATIENCE};
use crate::measure::{Process, Usage};
use std::io::Read;
use std::process::Stdio;

/// Runs a script of the benches with arguments, and with our modules; also what it printed.
///
/// # Errors
/// When it fails.
pub fn run(bench: &Bench, program: &Program, script: &str, arguments: &[&str]) -> Result<(Usage, String)> {
    let root = env!("CARGO_MANIFEST_DIR");
    let mut command = program.command(bench)?;
    command.env("LUA_PATH", format!("{root}/share/lua_modules/?.lua;;")).stdout(Stdio::piped());
    command.arg(format!("{root}/benches/scenarios/scripts/{script}.lua")).args(arguments);
    let mut process = Process::start("lua5.1", &mut command)?;
    let mut output = process.child().stdout.take().ok_or("lua5.1 has no output")?;
    let usage = process.finish(PATIENCE)?;
    let mut text = String::new();
    output.read_to_string(&mut text)?;
    Ok((usage, text))
}
