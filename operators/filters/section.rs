//! A filter's section that arrives while the daemon runs. Whoever reads configurations reads it; plugins meet only
//! what it says.

use heka_settings::{Data, Table};

/// A section of one filter, read and checked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FilterSection {
    /// The section's name.
    pub name: String,
    /// Which messages are wanted.
    pub message_matcher: String,
    /// Only messages that this signer vouched for.
    pub message_signer: Option<String>,
    /// Seconds between two ticks; 0: none.
    pub ticker_interval: u64,
    /// The options of the filter's type.
    pub settings: Table,
    /// What whoever wrote the section should know, a line each.
    pub notes: Vec<String>,
}

/// A setting that holds whatever the section says; `None` leaves it at its default.
pub type Forced = (&'static str, Option<Data>);

/// Reads the text of one section, of a SandboxFilter.
///
/// # Errors
/// One line: what is wrong, and the remedy.
pub type ReadSection = fn(text: &str, forced: &[Forced]) -> Result<FilterSection, String>;

/// Reads nothing: for programs that run plugins without configurations.
///
/// # Errors
/// Always.
pub fn read_nothing(_: &str, _: &[Forced]) -> Result<FilterSection, String> {
    Err("this program cannot read sections".to_owned())
}
