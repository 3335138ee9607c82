//! What is wrong with a matcher, and where.

use std::fmt;
use std::ops::Range;

/// A matcher that cannot be compiled. Displays as one line, in the form users of Heka know:
/// `syntax error: last token: <token> pos: <bytes read>: <cause>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatchError {
    /// First byte of the offending part of the matcher's text.
    pub offset: usize,
    /// Length of the offending part in bytes; 0 at the end of the text.
    pub len: usize,
    /// The cause, one line.
    pub message: String,
    /// The remedy, one line.
    pub help: Option<String>,
    last_token: String,
}

impl MatchError {
    pub(crate) fn new(range: Range<usize>, last_token: &str, message: impl Into<String>) -> Self {
        MatchError {
            offset: range.start,
            len: range.len(),
            message: message.into(),
            help: None,
            last_token: last_token.to_owned(),
        }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for MatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reached = self.offset + self.len;
        write!(f, "syntax error: last token: {} pos: {reached}: {}", self.last_token, self.message)
    }
}

impl std::error::Error for MatchError {}
