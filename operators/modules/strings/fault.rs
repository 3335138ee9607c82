//! Why a pattern cannot be matched. Small, so that the matcher's results travel in registers.

use crate::spend::EXCEEDED;
use heka_lua::Raise;

/// An error of the matcher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    TooManyCaptures,
    InvalidPatternCapture,
    InvalidCaptureIndex,
    Unbalanced,
    MissingSet,
    MissingBracket,
    EndsWithEscape,
    TooComplex,
    BudgetSpent,
}

impl From<Fault> for Raise {
    fn from(fault: Fault) -> Raise {
        Raise::here(match fault {
            Fault::TooManyCaptures => "too many captures",
            Fault::InvalidPatternCapture => "invalid pattern capture",
            Fault::InvalidCaptureIndex => "invalid capture index",
            Fault::Unbalanced => "unbalanced pattern",
            Fault::MissingSet => "missing '[' after '%f' in pattern",
            Fault::MissingBracket => "malformed pattern (missing ']')",
            Fault::EndsWithEscape => "malformed pattern (ends with '%')",
            Fault::TooComplex => "pattern too complex",
            // As the host's own limit: without a position.
            Fault::BudgetSpent => return Raise::Bare(EXCEEDED.to_vec()),
        })
    }
}
