//! String functions whose time and memory are bounded: they take the place of those of the standard library that are
//! not.
//!
//! A pattern can make the reference matcher try more ways than there is time for, and nothing can interrupt it; and
//! its recursion can exhaust the native stack. Here matching is a loop over an explicit stack, its steps are spent
//! from the running call's budget, and results grow in memory that Lua counts. Results and errors are the same.

mod class;
mod fault;
mod find;
mod gsub;
mod matcher;
mod rep;
mod results;
mod retries;

use heka_lua::{State, ffi, set_functions};

/// Puts the bounded functions into a `string` table that was opened before: `find`, `match`, `gmatch`, `gfind`,
/// `gsub` and `rep`. The others of the standard library are linear in their arguments and stay.
///
/// # Safety
/// `state` is live, the `string` table is at the top of the stack, and there is room for two values. Raises a Lua
/// error when the memory limit is reached: no value with a destructor may live in the caller's frame.
pub unsafe fn install(state: State) {
    unsafe {
        set_functions(
            state,
            &[
                (c"find", find::find),
                (c"match", find::match_),
                (c"gmatch", find::gmatch),
                (c"gsub", gsub::gsub),
                (c"rep", rep::rep),
            ],
        );
        // Two names of one function.
        ffi::lua_getfield_(state, -1, c"gmatch".as_ptr());
        ffi::lua_setfield(state, -2, c"gfind".as_ptr());
    }
}

#[cfg(test)]
mod tests;
