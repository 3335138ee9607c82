//! rsyslog, with the queue, batch and buffer sizes its documentation recommends for much data.

use super::{Peer, Program};
use crate::Result;
use crate::bench::{Bench, Input};
use crate::measure::Process;
use std::fs;

/// How to run it.
pub const PEER: Peer = Peer { name: "rsyslog", program: "rsyslogd", file_to_null, tcp_to_tcp };

fn file_to_null(bench: &Bench, program: &Program, input: &Input) -> Result<Process> {
    let source = format!(
        "module(load=\"imfile\" mode=\"inotify\")\n\
         input(type=\"imfile\" file=\"{}\" tag=\"bench\" ruleset=\"bench\")\n",
        input.path.display()
    );
    start(bench, program, &source, "type=\"omfile\" file=\"/dev/null\" ioBufferSize=\"64k\"")
}

fn tcp_to_tcp(bench: &Bench, program: &Program, from: u16, to: u16) -> Result<Process> {
    // Lines that begin with a digit would be taken for counted frames.
    let source = format!(
        "module(load=\"imtcp\")\n\
         input(type=\"imtcp\" address=\"127.0.0.1\" port=\"{from}\" ruleset=\"bench\" supportOctetCountedFraming=\"off\")\n"
    );
    start(bench, program, &source, &format!("type=\"omfwd\" target=\"127.0.0.1\" port=\"{to}\" protocol=\"tcp\""))
}

fn start(bench: &Bench, program: &Program, source: &str, action: &str) -> Result<Process> {
    let dir = bench.fresh("rsyslog")?;
    let config = format!(
        "global(workDirectory=\"{}\" maxMessageSize=\"64k\" parser.escapeControlCharactersOnReceive=\"off\")\n\
         template(name=\"line\" type=\"string\" string=\"%rawmsg%\\n\")\n{source}\
         ruleset(name=\"bench\" queue.type=\"linkedlist\" queue.size=\"100000\" queue.dequeueBatchSize=\"1024\") {{\n\
         action({action} template=\"line\")\n}}\n",
        dir.display()
    );
    let path = dir.join("rsyslog.conf");
    fs::write(&path, config)?;
    let mut command = program.command(bench)?;
    command.args(["-n", "-C"]).arg("-f").arg(path).arg("-i").arg(dir.join("pid"));
    if let Some(modules) = modules(program) {
        command.arg("-M").arg(modules);
    }
    Process::start(PEER.name, &mut command)
}

/// Where its modules are when it was only unpacked: in a folder named for the machine.
fn modules(program: &Program) -> Option<std::path::PathBuf> {
    let library = program.folder("usr/lib", |folder| folder.join("rsyslog/imtcp.so").is_file())?;
    Some(library.join("rsyslog"))
}
