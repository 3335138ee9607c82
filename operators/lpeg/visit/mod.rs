//! Matching from Rust, without making a Lua value: for hosts that take what a grammar captures straight to where it
//! goes.
//!
//! [`pattern_at`] finds the compiled pattern of a Lua value, [`match_captures`] runs it, and [`Captures::visit`] shows
//! what it captured. This works for patterns whose captures need no Lua to evaluate ([`Pattern::is_known`]): texts,
//! positions, numbers by `tonumber`, constants, groups, tables, string and substitution captures. Calls of functions are
//! the visitor's to make or to know. For any other pattern the host calls `lpeg.match`, which gives the same values.

mod node;
mod render;

use crate::compile::Purpose;
use crate::matching;
use crate::pattern::Header;
use crate::prepare::prepare;
use crate::program::{Program, Value};
pub use crate::program::{Recipe, Source};
use crate::vm::{Capture, Event, Frame, Machine};
use heka_lua::{State, ffi};
use node::text;
pub use node::{Constant, Known, Node, Nodes, Unknown, Visit, number_of};
use std::ffi::c_int;

/// A compiled pattern.
#[derive(Clone, Copy)]
pub struct Pattern<'lua> {
    program: &'lua Program,
    max_frames: u32,
}

/// Why a match gave no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A capture that only Lua can evaluate.
    Unknown,
    /// More captures than are kept outside of Lua's memory; `lpeg.match` has no such limit.
    TooManyCaptures,
    /// As the error `too many pending calls/choices`.
    TooManyPending,
    /// The subject has 4 GiB or more.
    TooLong,
    /// The steps of the running call are spent: as the error `instruction_limit exceeded`.
    OutOfBudget,
}

/// Entries of a list of captures that are kept outside of Lua's memory: some hundred kilobytes.
const MOST_CAPTURES: usize = 1 << 14;

/// What a match captured. Reuse it: it keeps its room.
#[derive(Default)]
pub struct Captures {
    list: Vec<Capture>,
    frames: Vec<Frame>,
    fuel: i32,
}

/// The compiled pattern at stack index `n`, which is not relative to the top, or `None` when there is something else.
///
/// # Safety
/// `state` is live, and has room for eight values. Raises a Lua error when the pattern cannot be compiled: no value
/// with a destructor may live in the caller's frame. The result is valid as long as the pattern stays alive in Lua.
pub unsafe fn pattern_at<'lua>(state: State, n: c_int) -> Option<Pattern<'lua>> {
    unsafe {
        let top = ffi::lua_gettop(state);
        let block: *mut Header = ffi::lua_touserdata(state, n).cast();
        let shared = matching::shared_of(state)?;
        if block.is_null() || ffi::lua_getmetatable(state, n) == 0 {
            return None;
        }
        ffi::lua_getfield_(state, ffi::LUA_REGISTRYINDEX, crate::pattern::TYPE_NAME.as_ptr());
        let same = ffi::lua_rawequal(state, -1, -2) != 0;
        ffi::lua_settop(state, top);
        if !same {
            return None;
        }
        let program = prepare(state, n, &mut *block, shared, Purpose::Visit);
        ffi::lua_settop(state, top);
        Some(Pattern { program: &*program, max_frames: shared.max_frames })
    }
}

/// Pushes the Lua value with this key of the pattern at stack index `n`: see [`Node::key`].
///
/// # Safety
/// `state` is live, has room for two values, and a pattern is at the index.
pub unsafe fn push_value(state: State, n: c_int, key: u16) {
    unsafe {
        ffi::lua_getfenv(state, n);
        ffi::lua_rawgeti_(state, -1, c_int::from(key));
        ffi::lua_remove(state, -2);
    }
}

impl<'lua> Pattern<'lua> {
    /// Whether everything it captures can be visited.
    pub fn is_known(&self) -> bool {
        self.program.is_known
    }

    /// Whether its Lua values are nothing but texts, numbers, booleans and native functions.
    pub fn is_plain(&self) -> bool {
        (1..=self.value_count()).all(|key| !matches!(self.program.value(key), Value::Other))
    }

    /// How many Lua values it has; their keys count from 1.
    pub fn value_count(&self) -> u16 {
        // Keys have 16 bits.
        self.program.value_count as u16
    }

    /// The value with this key, if it is a text.
    pub fn text(&self, key: u16) -> Option<&'lua [u8]> {
        match self.program.value(key) {
            value @ Value::Text(..) => Some(text(value)),
            _ => None,
        }
    }

    /// The value with this key, if it is a native function.
    pub fn native(&self, key: u16) -> Option<ffi::lua_CFunction> {
        match self.program.value(key) {
            Value::Native(function) => Some(function),
            _ => None,
        }
    }
}

/// Matches `pattern` at byte `init` of `subject` (0 is the first), and gives the end of the match, or `None` where it
/// fails. Pays for its steps as `lpeg.match` does.
pub fn match_captures(
    pattern: &Pattern,
    subject: &[u8],
    init: usize,
    captures: &mut Captures,
) -> Result<Option<usize>, Refusal> {
    captures.list.clear();
    if !pattern.is_known() {
        return Err(Refusal::Unknown);
    }
    if subject.len() >= u32::MAX as usize {
        return Err(Refusal::TooLong);
    }
    captures.list.reserve(64);
    captures.frames.reserve(64);
    let range = subject.as_ptr_range();
    let mut machine = Machine {
        program: pattern.program,
        subject: range.start,
        end: range.end,
        s: subject[init.min(subject.len())..].as_ptr(),
        pc: pattern.program.code,
        captures: std::ptr::null_mut(),
        capture_count: 0,
        capture_room: 0,
        frames: std::ptr::null_mut(),
        frame_count: 0,
        frame_room: 0,
        dynamic: 0,
        fuel: captures.fuel,
    };
    let end = loop {
        machine.captures = captures.list.as_mut_ptr();
        machine.capture_room = u32::try_from(captures.list.capacity()).unwrap_or(u32::MAX);
        machine.frames = captures.frames.as_mut_ptr();
        machine.frame_room = u32::try_from(captures.frames.capacity()).unwrap_or(u32::MAX).min(pattern.max_frames);
        // SAFETY: the program is live as long as `pattern`, and the room is that of the vectors, of which the machine
        // has filled as many entries as it counts.
        let event = unsafe {
            let event = machine.run();
            captures.list.set_len(machine.capture_count as usize);
            captures.frames.set_len(machine.frame_count as usize);
            event
        };
        match event {
            Event::Matched(end) => break Ok(Some(end as usize)),
            Event::Failed => break Ok(None),
            Event::CapturesFull if captures.list.len() >= MOST_CAPTURES => break Err(Refusal::TooManyCaptures),
            Event::CapturesFull => captures.list.reserve(captures.list.len().max(1)),
            Event::FramesFull if machine.frame_room < pattern.max_frames => {
                captures.frames.reserve(captures.frames.len().max(1));
            }
            Event::FramesFull => break Err(Refusal::TooManyPending),
            // Match-time captures are unknown, so there are none.
            Event::Runtime(_) => break Err(Refusal::Unknown),
            Event::OutOfBudget => break Err(Refusal::OutOfBudget),
        }
    };
    captures.fuel = machine.fuel;
    captures.frames.clear();
    if !matches!(end, Ok(Some(_))) {
        captures.list.clear();
    }
    end
}

impl Captures {
    /// What was captured. `pattern` and `subject` are those of the last match.
    pub fn visit<'a>(&'a self, pattern: &Pattern<'a>, subject: &'a [u8]) -> Visit<'a> {
        Visit { list: &self.list, program: pattern.program, subject }
    }
}
