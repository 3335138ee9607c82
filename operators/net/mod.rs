//! What the network's inputs and outputs share: addresses, socket options, whole batches of datagrams, sockets
//! in the file system, and patience with peers that fail.

pub mod address;
pub mod datagrams;
pub mod deadline;
pub mod dial;
pub mod listen;
pub mod socket;
pub mod unix;

#[cfg(test)]
pub(crate) mod rig;

use heka_settings::{Place, Table};

/// Where the value of an option stands, or the section when the option is not given.
pub(crate) fn place(section: &Table, option: &str) -> Place {
    section.get(option).map_or(section.place, |entry| entry.value.place)
}

/// Nanoseconds since the UNIX epoch.
pub(crate) fn unix_nanos() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    // A clock before 1970 or after 2262 is a broken one; zero shows it.
    since.ok().and_then(|since| i64::try_from(since.as_nanos()).ok()).unwrap_or(0)
}
