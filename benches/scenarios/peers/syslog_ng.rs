//! syslog-ng, with flow control and with windows large enough not to be what limits it.

use super::{Peer, Program};
use crate::Result;
use crate::bench::{Bench, Input};
use crate::measure::Process;
use std::fs;
use std::process::Command;

/// How to run it.
pub const PEER: Peer = Peer { name: "syslog-ng", program: "syslog-ng", file_to_null, tcp_to_tcp };

fn file_to_null(bench: &Bench, program: &Program, input: &Input) -> Result<Process> {
    let source = format!("file(\"{}\" follow-freq(0.05) {SOURCE})", input.path.display());
    start(bench, program, &source, &format!("file(\"/dev/null\" {DESTINATION})"))
}

fn tcp_to_tcp(bench: &Bench, program: &Program, from: u16, to: u16) -> Result<Process> {
    let source = format!("network(ip(\"127.0.0.1\") port({from}) transport(\"tcp\") max-connections(10) {SOURCE})");
    start(bench, program, &source, &format!("network(\"127.0.0.1\" port({to}) transport(\"tcp\") {DESTINATION})"))
}

const SOURCE: &str = "flags(no-parse) log-fetch-limit(1000) log-iw-size(100000) log-msg-size(65536)";
const DESTINATION: &str = "template(\"$MSG\\n\") log-fifo-size(200000)";

fn start(bench: &Bench, program: &Program, source: &str, destination: &str) -> Result<Process> {
    let dir = bench.fresh("syslog-ng")?;
    let config = format!(
        "@version: {}\noptions {{ stats-freq(0); }};\nsource s {{ {source}; }};\n\
         destination d {{ {destination}; }};\nlog {{ source(s); destination(d); flags(flow-control); }};\n",
        version(bench, program)?
    );
    let path = dir.join("syslog-ng.conf");
    fs::write(&path, config)?;
    let mut command = command(bench, program)?;
    command.args(["--foreground", "--no-caps", "-f"]).arg(path);
    command.arg("-R").arg(dir.join("persist")).arg("-p").arg(dir.join("pid")).arg("-c").arg(dir.join("control"));
    Process::start(PEER.name, &mut command)
}

/// When it was only unpacked, its libraries and modules are not where it looks for them.
fn command(bench: &Bench, program: &Program) -> Result<Command> {
    let mut command = program.command(bench)?;
    let library = program.root.join("usr/lib/syslog-ng");
    if let Some(modules) = program.folder("usr/lib/syslog-ng", |folder| folder.join("libafsocket.so").is_file()) {
        command.env("LD_LIBRARY_PATH", &library).arg(format!("--module-path={}", modules.display()));
    }
    Ok(command)
}

/// The version of the configuration's language: the program's own.
fn version(bench: &Bench, program: &Program) -> Result<String> {
    let output = command(bench, program)?.arg("--version").stdout(std::process::Stdio::piped()).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let number = text.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map(|(number, _)| number);
    let short = number.map(|number| number.splitn(3, '.').take(2).collect::<Vec<_>>().join("."));
    short.ok_or_else(|| format!("syslog-ng names no version: {text}").into())
}
