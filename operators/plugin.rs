//! What all plugins share: where they live, how they fail.

use crate::filters::{ReadSection, read_nothing};
use crate::log::Log;
use crate::overview::OverviewSlot;
use crate::script::Watch;
use crate::stats::Stats;
use crate::statsd::Accumulators;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A boxed future, so that plugins of one category are one type.
pub type BoxFuture<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Settings of `[hekad]` that plugins need.
#[derive(Clone, Debug)]
pub struct Globals {
    /// Writable state lives below it.
    pub base_dir: PathBuf,
    /// Shipped resources live below it.
    pub share_dir: PathBuf,
    /// The name stamped where the local host name is wanted.
    pub hostname: String,
    /// Largest encoded message, in bytes.
    pub max_message_size: usize,
    /// This process.
    pub pid: i32,
    /// How messages may go round: an injected message's generation never exceeds it.
    pub max_message_loops: u32,
    /// Messages that one `process_message` of a script may inject.
    pub max_process_inject: u32,
    /// Messages that one `timer_event` of a script may inject.
    pub max_timer_inject: u32,
    /// Nanoseconds that a message may take a filter that was loaded at run time, on average, while it holds others up.
    pub max_process_duration: u64,
    /// Where statistics are collected, by plugin.
    pub accumulators: Accumulators,
    /// Who sees the calls of scripts; nobody in the daemon.
    pub watch: Watch,
    /// What can be seen of the running daemon.
    pub overview: OverviewSlot,
    /// How sections that arrive at run time are read.
    pub read_section: ReadSection,
}

impl Globals {
    /// Largest record a splitter delivers: a whole frame around the largest message.
    pub fn max_record_size(&self) -> usize {
        self.max_message_size + 3 + 255
    }

    /// A path below `base_dir`, unless it is absolute.
    pub fn state_path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.base_dir.join(path)
    }

    /// A path below `share_dir`, unless it is absolute.
    pub fn share_path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.share_dir.join(path)
    }
}

impl Default for Globals {
    fn default() -> Self {
        Globals {
            base_dir: "/var/cache/hekad".into(),
            share_dir: "/usr/share/heka".into(),
            hostname: "localhost".to_owned(),
            max_message_size: 65536,
            pid: std::process::id() as i32,
            max_message_loops: 4,
            max_process_inject: 1,
            max_timer_inject: 10,
            max_process_duration: 100_000,
            accumulators: Accumulators::default(),
            watch: Watch::default(),
            overview: OverviewSlot::default(),
            read_section: read_nothing,
        }
    }
}

/// Where one instance of a plugin lives: its name, its log, its counters.
#[derive(Clone)]
pub struct Site {
    /// The section's name.
    pub name: String,
    /// The daemon's settings.
    pub globals: Arc<Globals>,
    /// The instance's counters.
    pub stats: Arc<Stats>,
    /// The instance's log.
    pub log: Log,
}

/// Why a plugin's run ended, or could not begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginError {
    /// One line for the log.
    pub message: String,
    /// Whether trying again can help; `false` ends the plugin at once.
    pub retry: bool,
}

impl PluginError {
    /// An error that may pass: the restart policy decides.
    pub fn retry(message: impl Into<String>) -> Self {
        PluginError { message: message.into(), retry: true }
    }

    /// An error that will not pass.
    pub fn fatal(message: impl Into<String>) -> Self {
        PluginError { message: message.into(), retry: false }
    }
}

impl std::fmt::Display for PluginError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for PluginError {}
