//! `inject_match`: what a grammar captures becomes a message, without a Lua value made on the way.
//!
//! A script says once where captures go that are no fields (the places, kept in a [`Plan`]). Each call then matches
//! (`heka_lpeg::match_captures`) and writes the captures into the batch ([`build`]). Functions in the grammar are
//! called ([`calls`]); whatever else cannot be told without Lua goes the long way round, by `lpeg.match` and a table
//! ([`detour`]), which gives the same message.

mod build;
mod calls;
mod decoder;
mod detour;
mod field;
mod plan;
mod template;
mod value;

use crate::host::{Host, host, room};
use crate::inject::{refused, settle};
use crate::{State, ffi};
use build::{TemplateAt, build};
pub(crate) use decoder::{direct, match_decoder};
use heka_lpeg::{Captures, Pattern};
use heka_lua::{Raise, protect, raise};
pub(crate) use plan::Plans;
use std::ffi::c_int;

/// Stack indices of the arguments.
const GRAMMAR: c_int = 1;
const SUBJECT: c_int = 2;
const TEMPLATE: c_int = 3;
const PLACES: c_int = 4;
/// What functions returned lies from here on.
const RESULTS: c_int = 5;

/// The memory of matches, kept from one to the next.
#[derive(Default)]
pub(crate) struct Matches {
    captures: Captures,
    plans: Plans,
    /// A function of a grammar is running: what was captured must not change.
    busy: bool,
    /// Values that functions returned: the place of the capture, and the stack index.
    results: Vec<(u32, c_int)>,
    /// Messages that went the long way round.
    pub(crate) detours: u64,
    /// Messages that were matched without a call into Lua.
    pub(crate) direct: u64,
    /// Where the plan of the last decoder that `match_decoder` made is, if it has one.
    decoder: Option<usize>,
}

impl Matches {
    /// Ends a call of the script, also one that an error ended.
    pub(crate) fn leave(&mut self) {
        self.busy = false;
    }
}

/// What the subject is, and how it was matched.
enum Outcome {
    /// It does not match.
    Mismatch,
    Injected,
    /// It must go the long way round.
    Detour,
}

/// `inject_match(grammar, subject, template, places)` → whether the subject matches.
pub(crate) unsafe extern "C-unwind" fn inject_match(state: State) -> c_int {
    unsafe {
        ffi::lua_settop(state, PLACES);
        room(state, 24);
        let known = plan::known(state);
        if known.is_none() && heka_lpeg::pattern_at(state, GRAMMAR).is_none() {
            raise(state, Raise::argument(GRAMMAR, "pattern expected"));
        }
        check_tables(state, [(TEMPLATE, TEMPLATE), (PLACES, PLACES)]);
        let matches = run(state, known);
        ffi::lua_pushboolean(state, c_int::from(matches));
    }
    1
}

/// Raises an error unless there are tables, or nothing, at these stack indices, which are arguments of these numbers.
unsafe fn check_tables(state: State, tables: [(c_int, c_int); 2]) {
    for (at, argument) in tables {
        unsafe {
            let kind = ffi::lua_type(state, at);
            if kind > ffi::LUA_TNIL && kind != ffi::LUA_TTABLE {
                let name = std::ffi::CStr::from_ptr(ffi::lua_typename(state, kind)).to_bytes();
                raise(state, Raise::argument(argument, [b"table expected, got ", name].concat()));
            }
        }
    }
}

/// Matches and injects, with the arguments in place; whether the subject matches.
unsafe fn run(state: State, known: Option<(usize, Pattern<'static>)>) -> bool {
    unsafe {
        let subject = subject(state);
        let planned = match known {
            Some(known) => Some(known),
            None => heka_lpeg::pattern_at(state, GRAMMAR)
                .and_then(|pattern| Some((plan::make(state, pattern, PLACES)?, pattern))),
        };
        let outcome = match planned {
            Some((plan, pattern)) => quick(state, &pattern, subject, plan),
            None => Outcome::Detour,
        };
        match outcome {
            Outcome::Mismatch => false,
            Outcome::Injected => true,
            Outcome::Detour => {
                host(state).matches.detours += 1;
                ffi::lua_settop(state, PLACES);
                detour::inject(state, subject)
            }
        }
    }
}

/// The text to match: the payload of the current message when the script gives none.
unsafe fn subject<'a>(state: State) -> &'a [u8] {
    unsafe {
        let is_nil = heka_lua::is_none_or_nil(state, SUBJECT);
        if let (true, Some(message)) = (is_nil, host(state).message()) {
            return message.payload();
        }
        heka_lua::bytes(state, SUBJECT)
    }
}

unsafe fn quick(state: State, pattern: &Pattern, subject: &[u8], plan: usize) -> Outcome {
    unsafe {
        let matched = protect(state, || {
            let matches = &mut host(state).matches;
            match heka_lpeg::match_captures(pattern, subject, 0, &mut matches.captures) {
                Ok(end) => Ok(Some(end.is_some())),
                Err(heka_lpeg::Refusal::TooManyPending) => Err(Raise::here("too many pending calls/choices")),
                Err(heka_lpeg::Refusal::OutOfBudget) => Err(Raise::here("instruction_limit exceeded")),
                // The long way says what is wrong.
                Err(_) => Ok(None),
            }
        });
        match matched {
            None => return Outcome::Detour,
            Some(false) => return Outcome::Mismatch,
            Some(true) => {}
        }
        if !calls::make(state, pattern, subject, plan) {
            return Outcome::Detour;
        }
        let is_injected = protect(state, || inject(state, host(state), pattern, subject, plan));
        if is_injected { Outcome::Injected } else { Outcome::Detour }
    }
}

/// Builds the message and hands it to the role; `false` when Lua must do it.
unsafe fn inject(state: State, host: &mut Host, pattern: &Pattern, subject: &[u8], plan: usize) -> Result<bool, Raise> {
    // SAFETY: used within this function alone.
    let Some(role) = (unsafe { host.role() }) else { return Ok(true) };
    role.admit().map_err(refused)?;
    let builder = role.builder();
    let mark = builder.mark();
    let size = unsafe { build(state, builder, host, pattern, subject, plan, TemplateAt::Stack) };
    let size = match size {
        Ok(size) => Ok(size),
        Err(build::Stop::Refused(why)) => Err(why),
        Err(build::Stop::Detour) => {
            role.builder().rollback(mark);
            return Ok(false);
        }
    };
    settle(host, role, mark, size).map(|()| true)
}
