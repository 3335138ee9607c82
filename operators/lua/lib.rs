//! The raw API of reference Lua 5.1, and the few helpers that native modules and their host share.
//!
//! Native code is called by Lua, and Lua raises errors by a long jump. Two rules follow, and everything here
//! exists to make them easy to keep:
//!
//! 1. While a function that may raise an error runs, no value with a destructor lives in any Rust frame above it.
//!    [`protect`] gives a function a body in plain Rust that returns its error as a value; the error is raised when
//!    the body's frame is gone.
//! 2. A Rust panic never crosses into Lua. [`protect`] stops it and raises an error in its place, and marks the state
//!    as unsound, so that the host discards it ([`panicked`]).

mod args;
mod block;
mod budget;
mod hooks;
mod protect;
mod push;
mod userdata;

pub use args::{arg_error, bytes, bytes_at, integer, is_none_or_nil, number, opt_bytes, opt_integer, opt_number};
pub use block::{Block, arg_error_text, block_at, new_block, set_closures};
pub use budget::{set_budget, spend};
pub use hooks::{Hooks, RenderError, hooks_of, set_hooks};
pub use mlua_sys::lua51 as ffi;
pub use protect::{Raise, guard, panicked, protect, raise};
pub use push::{push_bytes, push_error, set_functions};
pub use userdata::{Userdata, check, new, test};

/// A state, as the raw API names it.
pub type State = *mut ffi::lua_State;

/// A native module: its name for `require`, and the function that opens it (one result: the module's table).
#[derive(Clone, Copy)]
pub struct Module {
    /// The name given to `require`.
    pub name: &'static std::ffi::CStr,
    /// Called once, with the name as its argument; leaves the module's table on the stack.
    pub open: ffi::lua_CFunction,
}

#[cfg(test)]
mod tests;
