//! Parsing expression grammars for Lua 5.1: the LPeg library in Rust.

use heka_lua::Module;

/// `lpeg` and `re`, for the host's `require`.
pub static MODULES: &[Module] = &[];
