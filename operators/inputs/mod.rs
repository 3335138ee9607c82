//! Inputs: they read from the world and hand chunks of bytes to the dataflow.

mod chunk;
mod credit;
mod edge;
pub mod logstreamer;
pub mod sandbox;
pub mod stat_accum;
pub mod statsd;
pub mod tcp;
pub mod udp;

pub use chunk::{Chunk, ChunkBuf, ChunkEnd, ChunkPool, FieldSeed, Stream};
pub use credit::{Credit, Credits};
pub use edge::{Commit, Delivery, InputEdge, Waker};

use crate::plugin::{BoxFuture, PluginError, Site};
use heka_settings::{Placed, Problems};

/// Where an input's or output's future runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runs {
    /// On the shared runtime: it never blocks.
    Shared,
    /// On a thread of its own, inside a current-thread runtime: it may block.
    OwnThread,
}

/// One running input.
pub trait Input: Send {
    /// Where `run` runs.
    fn runs(&self) -> Runs {
        Runs::Shared
    }

    /// Runs until [`InputEdge::stopped`], or until it fails, or until there is nothing more to read. When it
    /// is told to stop it drops its pending reads and returns `Ok`; inputs that keep positions then go on to
    /// receive [`Commit`]s until the channel closes.
    fn run<'a>(&'a mut self, edge: &'a mut InputEdge) -> BoxFuture<'a, Result<(), PluginError>>;
}

/// The settings of an input, checked; makes instances, one a (re)start.
pub trait InputSpec: Send + Sync {
    /// Checks what needs more than one setting, without touching the world.
    fn check(&self, _site: &Site, _problems: &mut Problems) {}

    /// Whether each packet it sends is one message (its payload, or all of it where the type has a path of its own), however long and even if empty: then no splitter cuts it.
    fn sends_messages(&self) -> bool {
        false
    }

    /// Whether statistics can be submitted to it.
    fn accumulates(&self) -> bool {
        false
    }

    /// The accumulator it submits statistics to.
    fn submits_to(&self) -> Option<&Placed<String>> {
        None
    }

    /// Whether an instance that cannot be made at the start is a mistake that ends the daemon, whatever `can_exit`
    /// says: a script that does not load, rather than a socket that may come.
    fn must_start(&self) -> bool {
        false
    }

    /// Makes an instance.
    ///
    /// # Errors
    /// When what it needs from the world (a socket, a directory) is not there.
    fn build(&self, site: &Site) -> Result<Box<dyn Input>, PluginError>;
}
