//! Function bodies in plain Rust: errors are values until the body's frame is gone, and panics stay outside Lua.

use crate::{State, ffi, push_bytes, push_error};
use std::cell::Cell;
use std::ffi::c_int;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// An error to raise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Raise {
    /// A text that gets the position of the calling Lua code in front, as most errors do.
    Here(Vec<u8>),
    /// A text as it is.
    Bare(Vec<u8>),
    /// `bad argument #n to 'function' (text)`.
    Argument(c_int, Vec<u8>),
}

impl Raise {
    /// A text with a position.
    pub fn here(text: impl Into<Vec<u8>>) -> Raise {
        Raise::Here(text.into())
    }

    /// A bad argument.
    pub fn argument(n: c_int, text: impl Into<Vec<u8>>) -> Raise {
        Raise::Argument(n, text.into())
    }
}

thread_local! {
    static PANICKED: Cell<bool> = const { Cell::new(false) };
}

/// Whether a body run by [`protect`] has panicked on this thread since the last call. The host asks after each call
/// into Lua and discards the state when the answer is yes, whatever a script's `pcall` made of the error.
pub fn panicked() -> bool {
    PANICKED.replace(false)
}

/// Runs `body` outside of any call into Lua; `None` when it panicked, which [`panicked`] tells as well.
pub fn guard<T>(body: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(body)).inspect_err(|_| PANICKED.set(true)).ok()
}

/// Runs `body`, then raises its error. The body itself calls no function of the API that may raise: it works on what
/// was read from the stack before, and its results are pushed after.
///
/// # Safety
/// `state` is live and called this function; no value with a destructor lives in the caller's frame.
pub unsafe fn protect<T: Copy>(state: State, body: impl FnOnce() -> Result<T, Raise>) -> T {
    let outcome = catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| {
        PANICKED.set(true);
        Err(Raise::Here(b"internal error in a native function".to_vec()))
    });
    match outcome {
        Ok(value) => value,
        Err(error) => unsafe { raise(state, error) },
    }
}

/// Raises `error`; its text is copied to Lua and freed first.
///
/// # Safety
/// As [`protect`].
pub unsafe fn raise(state: State, error: Raise) -> ! {
    unsafe {
        // Pushing a string may itself raise "not enough memory", and then `error` leaks: a text of some bytes, in a
        // state that is about to end.
        match &error {
            Raise::Here(text) => push_error(state, text),
            Raise::Bare(text) => push_bytes(state, text),
            Raise::Argument(..) => {}
        }
        if let Raise::Argument(n, text) = &error {
            push_bytes(state, text);
            let n = *n;
            drop(error);
            // The text is a Lua string now, which ends with a NUL.
            ffi::luaL_argerror(state, n, ffi::lua_tolstring(state, -1, std::ptr::null_mut()));
            unreachable!("luaL_argerror does not return")
        }
        drop(error);
        ffi::lua_error(state)
    }
}
