//! Heka's `message_matcher` language: parsed, typed, compiled, evaluated over whole batches.
//!
//! A matcher is tests of single variables, joined by `&&`, `||` and parentheses. The tests of all matchers of
//! a plan are collected in one table of [`Predicates`]; a batch remembers the rows each one holds for, so a
//! test that ten plugins share runs once.
//!
//! ```
//! use heka_matcher::Compiler;
//! # let mut builder = heka_message::BatchBuilder::default();
//! # builder.row().set_severity(3);
//! # builder.row().set_severity(6);
//! # let batch = builder.finish();
//!
//! let mut compiler = Compiler::new();
//! let errors = compiler.compile("Severity <= 3 && Type != 'test'", None).unwrap();
//! let predicates = compiler.finish();
//! let rows = errors.select(&predicates, &batch);
//! assert!(rows.contains(0) && !rows.contains(1));
//! ```
//!
//! | file | step |
//! |---|---|
//! | `lex`, `parse` | text to a typed expression, or a [`MatchError`] |
//! | `logic`, `atom`, `relation`, `pattern` | what an expression is made of, and what it means for one message |
//! | `print` | expressions as canonical text |
//! | `compile`, `predicates` | expressions to shared predicates, and their results for a batch |
//! | `scan`, `equality` | one predicate, or many at once, over a batch |
//! | [`regexp`] | Go's regular expressions, for everything that takes one from users |

mod atom;
mod compile;
mod equality;
mod error;
mod lex;
mod logic;
mod parse;
mod pattern;
mod predicates;
mod print;
pub mod regexp;
mod relation;
mod scan;

#[cfg(test)]
mod properties;

pub use compile::{Compiler, Matcher};
pub use error::MatchError;
pub use predicates::Predicates;
