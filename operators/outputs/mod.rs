//! Outputs: they take encoded records from the dataflow, deliver them, and say when they are delivered.

mod batched;
mod block;
pub mod carbon;
pub mod dashboard;
pub mod elasticsearch;
mod feed;
pub mod file;
#[cfg(test)]
pub(crate) mod harness;
pub mod http;
pub mod log;
pub mod sandbox;
pub mod smtp;
pub mod tcp;
pub mod udp;

pub use block::{Block, BlockPool};
pub use feed::{Feed, FeedEvent, FeedSender};

use crate::inputs::Runs;
use crate::plugin::{BoxFuture, PluginError, Site};
use heka_settings::Problems;
use std::sync::Arc;

/// What an output makes of a block before it goes out: the same ticket, and as many records, any of them empty.
type Prepare<'a> = dyn FnMut(Arc<Block>) -> Arc<Block> + Send + 'a;

/// One running output.
pub trait Output: Send {
    /// Where `run` runs.
    fn runs(&self) -> Runs {
        Runs::Shared
    }

    /// Takes blocks from `feed` until it ends, delivers them in order, and acknowledges each when it is done:
    /// durable downstream, or dropped by a named rule. Flushes what is left when the feed ends, then returns
    /// `Ok`. On an error the daemon restarts the output as `retries` says; blocks that were taken but not
    /// acknowledged are given to the next run again.
    fn run<'a>(&'a mut self, feed: &'a mut Feed) -> BoxFuture<'a, Result<(), PluginError>>;
}

/// The settings of an output, checked; makes instances, one a (re)start.
pub trait OutputSpec: Send + Sync {
    /// Checks what needs more than one setting, without touching the world.
    fn check(&self, _site: &Site, _problems: &mut Problems) {}

    /// Whether an instance that cannot be made at the start is a mistake that ends the daemon, whatever `can_exit`
    /// says: a script that does not load, rather than a socket that may come.
    fn must_start(&self) -> bool {
        false
    }

    /// Whether the daemon is to report on itself every `ticker_interval`.
    fn wants_reports(&self) -> bool {
        false
    }

    /// Makes an instance.
    ///
    /// # Errors
    /// When what it needs from the world is not there.
    fn build(&self, site: &Site) -> Result<Box<dyn Output>, PluginError>;
}
