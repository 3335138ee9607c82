//! Filters: they watch messages and may inject new ones.

pub mod counter;
mod endings;
mod injector;
pub mod sandbox;
pub mod sandbox_manager;
mod section;
pub mod stat;

pub use injector::{Injector, OwnMatch};
pub use section::{FilterSection, Forced, ReadSection, read_nothing};

use crate::plugin::{PluginError, Site};
use heka_message::Selection;
use heka_settings::{Placed, Problems};
use std::time::Duration;

/// Watches messages, keeps state, injects messages. Runs inside a worker: it must not block. It keeps no
/// [`Selection`] beyond the call, because selections hold the inputs' budget.
pub trait Filter: Send {
    /// Takes the selected messages.
    ///
    /// # Errors
    /// Ends the filter, or restarts it where the restart policy says so.
    fn process(&mut self, selection: &Selection, out: &mut Injector) -> Result<(), PluginError>;

    /// A tick, fired when all messages before it have been processed; `now` is the tick's own time in
    /// nanoseconds since the UNIX epoch.
    ///
    /// # Errors
    /// As for [`Filter::process`].
    fn tick(&mut self, _now: i64, _out: &mut Injector) -> Result<(), PluginError> {
        Ok(())
    }

    /// All messages have been processed and no more will come.
    ///
    /// # Errors
    /// Logged.
    fn stop(&mut self, _out: &mut Injector) -> Result<(), PluginError> {
        Ok(())
    }
}

/// The settings of a filter, checked; makes instances.
pub trait FilterSpec: Send + Sync {
    /// Checks what needs more than one setting.
    fn check(&self, _problems: &mut Problems) {}

    /// The accumulator it submits statistics to.
    fn submits_to(&self) -> Option<&Placed<String>> {
        None
    }

    /// Whether it hosts filters that come and go while the daemon runs and watch whatever they like. It is then handed
    /// everything that is routed, and picks for itself what its matcher accepts and what its filters want.
    fn hosts_others(&self) -> bool {
        false
    }

    /// The period of its ticks, whatever its section says.
    fn period(&self) -> Option<Duration> {
        None
    }

    /// Makes an instance.
    ///
    /// # Errors
    /// When what it needs from the world is not there.
    fn build(&self, site: &Site) -> Result<Box<dyn Filter>, PluginError>;
}
