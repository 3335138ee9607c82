//! What hekad is measured beside. Each runs as a child with its own configuration, in the foreground.

pub mod lua;
mod rsyslog;
pub mod socat;
pub mod statsd;
mod syslog_ng;
pub mod wc;

use crate::Result;
use crate::bench::{Bench, Input};
use crate::measure::Process;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A log daemon that can do some of what hekad does.
pub struct Peer {
    /// What it is called.
    pub name: &'static str,
    /// The program's file.
    pub program: &'static str,
    /// Starts it on reading a file and writing its lines to `/dev/null`.
    pub file_to_null: fn(&Bench, &Program, &Input) -> Result<Process>,
    /// Starts it on receiving lines at the first port and sending them to the second.
    pub tcp_to_tcp: fn(&Bench, &Program, u16, u16) -> Result<Process>,
}

/// All of them.
pub const PEERS: [Peer; 2] = [rsyslog::PEER, syslog_ng::PEER];

/// A program that was found.
pub struct Program {
    path: PathBuf,
    /// The root it was unpacked below, or the system's.
    root: PathBuf,
}

impl Program {
    /// Looks for a program where peers were unpacked, then where programs are.
    pub fn find(bench: &Bench, name: &str) -> Option<Program> {
        let places = ["usr/sbin", "usr/bin", "sbin", "bin", "usr/local/sbin", "usr/local/bin"];
        let roots = bench.options.peers.iter().map(PathBuf::as_path).chain([Path::new("/")]);
        roots
            .flat_map(|root| places.map(|place| Program { path: root.join(place).join(name), root: root.to_owned() }))
            .find(|program| program.path.is_file())
    }

    /// A command that runs it, with its complaints kept in the run's folder.
    fn command(&self, bench: &Bench) -> Result<Command> {
        let name = self.path.file_name().unwrap_or_default();
        let mut command = Command::new(&self.path);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(File::create(bench.dir().join(name).with_extension("stderr"))?);
        Ok(command)
    }

    /// The first of the folders that match, below the program's root.
    fn folder(&self, parent: &str, accept: impl Fn(&Path) -> bool) -> Option<PathBuf> {
        let mut folders: Vec<_> =
            self.root.join(parent).read_dir().into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        folders.sort();
        folders.into_iter().find(|folder| accept(folder))
    }
}
