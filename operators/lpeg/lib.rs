//! Parsing expression grammars for Lua 5.1: the LPeg library in Rust.
//!
//! Scripts build patterns (`pattern`, `ops`, `grammar`), which are trees in flat form (`tree`). The first match
//! compiles them (`prepare`, `compile`) to a program for a small machine (`vm`) that lists captures; their values are
//! pushed when the match has succeeded (`values`). A host that has no use for Lua values looks at the captures itself
//! (`visit`).
//!
//! Everything a pattern or a match needs lies in memory of Lua's allocator, so a script's memory limit covers it, and
//! matching pays for its steps from the budget of the running call.

mod automaton;
mod compile;
mod first;
mod grammar;
mod matching;
mod module;
mod ops;
mod pattern;
mod prepare;
mod program;
mod rules;
mod set;
mod span;
mod stack;
mod switch;
mod tree;
mod values;
mod visit;
mod vm;

use heka_lua::Module;

pub use visit::{
    Captures, Constant, Known, Node, Nodes, Pattern, Recipe, Refusal, Source, Unknown, Visit, match_captures,
    number_of, pattern_at, push_value,
};

/// `lpeg` and `re`, for the host's `require`.
pub static MODULES: &[Module] =
    &[Module { name: c"lpeg", open: module::open }, Module { name: c"re", open: module::open_re }];
