//! What the five plugins that run scripts share: their options, the sandbox with its data file, their report.

mod data;
mod run;
mod settings;
#[cfg(test)]
pub(crate) mod testing;
mod wait;
mod watch;
mod zone;

pub use data::{DataFile, plain};
pub use run::{Script, Timing};
pub use settings::{ScriptSettings, read, table_with};
pub use wait::wait;
pub use watch::{Called, Watch};
pub use zone::Zone;

/// Nanoseconds since the UNIX epoch; the epoch when the clock shows something that cannot be said so.
pub fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.ok().and_then(|since| i64::try_from(since.as_nanos()).ok()).unwrap_or(0)
}
