//! The command line.

use crate::Result;
use std::path::PathBuf;

const USAGE: &str = "usage: scenarios [--smoke] [--require-peers] [--peers FOLDER] [NAME…]

  --smoke           a fiftieth of the work
  --require-peers   fail where a program to compare with is missing or does not work
  --peers FOLDER    where tests/fetch-peers has put them; otherwise they are looked for where programs are
  NAME              only scenarios whose names hold this";

/// What to run, and how.
#[derive(Debug, Default)]
pub struct Options {
    /// A fiftieth of the work.
    pub smoke: bool,
    /// Whether a missing peer is a failure.
    pub require_peers: bool,
    /// The root below which peers are unpacked.
    pub peers: Option<PathBuf>,
    names: Vec<String>,
}

impl Options {
    /// Reads the arguments, without the program's name.
    ///
    /// # Errors
    /// When an option is unknown or lacks its value.
    pub fn read(arguments: impl Iterator<Item = String>) -> Result<Options> {
        let mut options = Options::default();
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                // What cargo says to every bench.
                "--bench" => {}
                "--smoke" => options.smoke = true,
                "--require-peers" => options.require_peers = true,
                "--peers" => options.peers = Some(arguments.next().ok_or(USAGE)?.into()),
                option if option.starts_with('-') => return Err(USAGE.into()),
                name => options.names.push(name.to_owned()),
            }
        }
        Ok(options)
    }

    /// Whether the scenario called `name` is to run.
    pub fn wants(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|part| name.contains(part.as_str()))
    }

    /// `full`, or `smoke` in a smoke run.
    pub fn scale<T>(&self, full: T, smoke: T) -> T {
        if self.smoke { smoke } else { full }
    }
}
