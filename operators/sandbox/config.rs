//! What a sandbox is made of.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What a script does for its plugin: decides which functions it finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// One record in, any number of messages out.
    Decoder,
    /// Watches messages and injects new ones.
    Filter,
    /// A message to bytes.
    Encoder,
    /// Makes messages of what it reads itself; trusted with files and processes.
    Input,
    /// Delivers messages itself; trusted with files and processes.
    Output,
}

impl Kind {
    /// Whether the script may use files, processes and coroutines.
    pub fn is_trusted(self) -> bool {
        matches!(self, Kind::Input | Kind::Output)
    }
}

/// A value that a script reads with `read_config`.
#[derive(Clone, Debug, PartialEq)]
pub enum ConfigValue {
    /// Any bytes.
    String(Vec<u8>),
    /// Integers and floats.
    Number(f64),
    /// `true` or `false`.
    Bool(bool),
}

/// How a sandbox is made.
#[derive(Clone, Debug)]
pub struct Config {
    /// What the script does.
    pub kind: Kind,
    /// The script's file; what messages call it.
    pub script: PathBuf,
    /// The script's text where it does not have to be read from its file.
    pub source: Option<Arc<[u8]>>,
    /// Directories that `require` looks in, in this order.
    pub modules: Vec<PathBuf>,
    /// Bytes that the script's values may take; 0: any number.
    pub memory_limit: usize,
    /// VM instructions of one call; 0: any number, as it always is for inputs and outputs.
    pub instruction_limit: u64,
    /// Bytes of one message or payload; 0: any number.
    pub output_limit: usize,
    /// What `read_config` finds.
    pub values: Vec<(String, ConfigValue)>,
    /// Ends a running call when it is set.
    pub stop: Option<Arc<AtomicBool>>,
}

impl Config {
    /// The documented defaults, with no script.
    pub fn new(kind: Kind) -> Self {
        Config {
            kind,
            script: PathBuf::new(),
            source: None,
            modules: Vec::new(),
            memory_limit: 8 << 20,
            instruction_limit: 1_000_000,
            output_limit: 63 << 10,
            values: Vec::new(),
            stop: None,
        }
    }
}
