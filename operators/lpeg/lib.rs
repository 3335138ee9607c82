//! Parsing expression grammars for Lua 5.1: the LPeg library in Rust.
