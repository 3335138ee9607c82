//! Matching from Rust, without making a Lua value: for hosts that take what a grammar captures straight to where it
//! goes.
//!
//! [`pattern_at`] finds the compiled pattern of a Lua value, [`match_captures`] runs it, and [`Captures::visit`] shows
//! what it captured. This works for patterns whose captures need no Lua to evaluate ([`Pattern::is_known`]): texts,
//! positions, numbers by `tonumber`, constants, groups, tables, string and substitution captures. Calls of functions are
//! the visitor's to make or to know. For any other pattern the host calls `lpeg.match`, which gives the same values.

mod render;

use crate::compile::Purpose;
use crate::matching;
use crate::pattern::Header;
use crate::prepare::prepare;
use crate::program::{Kind, Program, Value};
pub use crate::program::{Recipe, Source};
use crate::values::plain_number;
use crate::vm::{Capture, Event, Form, Frame, Machine};
use heka_lua::{State, ffi};
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

/// What a capture is.
#[derive(Clone, Copy, Debug)]
pub enum Known<'a> {
    /// `C`: its text, then the values of the captures inside.
    Text,
    /// `Cp`: `start` + 1.
    Position,
    /// `Cc` with one value.
    Constant(Constant<'a>),
    /// A named group of one simple value, as the recipe says: see [`Node::recipe`]. There is nothing inside.
    Named(Recipe),
    /// `Cg`, with its name if it has one: the values inside, or its text if there are none.
    Group(Option<&'a [u8]>),
    /// `Ct`: named groups inside are fields, the other values are numbered from 1.
    Table,
    /// `/ "format"`: see [`Node::render`].
    Format(&'a [u8]),
    /// `Cs`: see [`Node::render`].
    Substitution,
    /// `/ tonumber` on the text: see [`Node::number`].
    Number,
    /// `/ f`, with the function itself if it is native: its arguments are the values inside, or the text if there are
    /// none. [`push_value`] gives it by its key.
    Call(Option<ffi::lua_CFunction>),
    /// `/ 0`: no values, whatever is inside.
    Nothing,
    /// `Cf` with a native function: it is called with the value so far and the values of each group behind the first.
    Fold(ffi::lua_CFunction),
}

/// A constant of a pattern.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Constant<'a> {
    Nil,
    Boolean(bool),
    Number(f64),
    Text(&'a [u8]),
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

    /// How its named values are made.
    pub fn recipes(&self) -> &'lua [Recipe] {
        self.program.recipes()
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

/// The captures of a match with what they refer to.
#[derive(Clone, Copy)]
pub struct Visit<'a> {
    list: &'a [Capture],
    program: &'a Program,
    subject: &'a [u8],
}

impl Visit<'_> {
    /// The captures that are in no other.
    pub fn roots(&self) -> Nodes<'_> {
        Nodes { visit: self, next: 0, end: self.list.len() as u32 }
    }
}

/// Captures side by side, in the order of the subject.
#[derive(Clone, Copy)]
pub struct Nodes<'a> {
    visit: &'a Visit<'a>,
    next: u32,
    end: u32,
}

impl<'a> Iterator for Nodes<'a> {
    type Item = Node<'a>;

    #[inline]
    fn next(&mut self) -> Option<Node<'a>> {
        if self.next >= self.end {
            return None;
        }
        let at = self.next;
        let capture = *self.visit.list.get(at as usize)?;
        self.next = 1 + if capture.form == Form::Full { at } else { capture.link };
        Some(Node { visit: self.visit, next: at + 1, end: self.next.saturating_sub(1), capture })
    }
}

/// A capture.
#[derive(Clone, Copy)]
pub struct Node<'a> {
    visit: &'a Visit<'a>,
    /// The captures inside.
    next: u32,
    end: u32,
    capture: Capture,
}

/// The value cannot be told without Lua.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unknown;

impl<'a> Node<'a> {
    /// What it is.
    #[inline]
    pub fn kind(&self) -> Known<'a> {
        let value = || self.visit.program.value(self.capture.key);
        match self.capture.kind {
            Kind::Simple => Known::Text,
            Kind::Position => Known::Position,
            Kind::Table => Known::Table,
            Kind::Subst => Known::Substitution,
            Kind::Tonumber if self.next >= self.end => Known::Number,
            Kind::Const => Known::Constant(self.constant(self.capture.key)),
            Kind::Str => Known::Format(text(value())),
            Kind::Numbered => Known::Nothing,
            Kind::Function | Kind::Fold | Kind::Tonumber => match (self.capture.kind, value()) {
                (Kind::Fold, Value::Native(function)) => Known::Fold(function),
                (_, Value::Native(function)) => Known::Call(Some(function)),
                _ => Known::Call(None),
            },
            Kind::Named => match self.recipe() {
                Some((_, recipe)) => Known::Named(recipe),
                None => Known::Nothing,
            },
            // The kinds left make a pattern unknown, all but groups.
            _ => Known::Group((self.capture.key > 0).then(|| text(value()))),
        }
    }

    /// The key of its Lua value in the pattern, 0 without one: of a name, a constant, a format or a function.
    #[inline]
    pub fn key(&self) -> u16 {
        self.capture.key
    }

    /// How it is made if it is a named value, and the recipe's index among those of the pattern.
    #[inline]
    pub fn recipe(&self) -> Option<(usize, Recipe)> {
        let at = usize::from(self.capture.key);
        if self.capture.kind != Kind::Named {
            return None;
        }
        Some((at, *self.visit.program.recipes().get(at)?))
    }

    /// The text that is the value with this key of the pattern.
    #[inline]
    pub fn text_of(&self, key: u16) -> &'a [u8] {
        text(self.visit.program.value(key))
    }

    /// The constant with this key of the pattern.
    #[inline]
    pub fn constant(&self, key: u16) -> Constant<'a> {
        match self.visit.program.value(key) {
            Value::Boolean(value) => Constant::Boolean(value),
            Value::Number(value) => Constant::Number(value),
            value @ Value::Text(..) => Constant::Text(text(value)),
            _ => Constant::Nil,
        }
    }

    /// Whether it is a group with a name, which is the value with its key.
    #[inline]
    pub fn is_named(&self) -> bool {
        self.capture.kind == Kind::Group && self.capture.key > 0
    }

    /// Where it stands in the list of captures, which is in the order of the subject.
    pub fn place(&self) -> u32 {
        self.next - 1
    }

    /// Where its match begins in the subject.
    pub fn start(&self) -> usize {
        self.capture.start as usize
    }

    /// Where its match ends.
    #[inline]
    pub fn end(&self) -> usize {
        match self.capture.form {
            Form::Full => self.capture.link as usize,
            _ => self.visit.list.get(self.capture.link as usize).map_or(self.start(), |close| close.start as usize),
        }
    }

    /// The text of its match.
    #[inline]
    pub fn text(&self) -> &'a [u8] {
        self.visit.subject.get(self.start()..self.end()).unwrap_or_default()
    }

    /// The captures inside.
    #[inline]
    pub fn children(&self) -> Nodes<'a> {
        Nodes { visit: self.visit, next: self.next, end: self.end }
    }

    /// The number that `tonumber` makes of its text, `None` for nil.
    #[inline]
    pub fn number(&self) -> Result<Option<f64>, Unknown> {
        number_of(self.text())
    }
}

/// The number that `tonumber` makes of a text, `None` for nil.
///
/// # Errors
/// Only Lua can tell.
pub fn number_of(text: &[u8]) -> Result<Option<f64>, Unknown> {
    if let Some(value) = plain_number(text) {
        return Ok(Some(value));
    }
    if text.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-')) {
        // Decimal texts are read alike by everyone who rounds to the nearest.
        return Ok(std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()));
    }
    let begins = text.iter().find(|byte| !matches!(byte, b' ' | b'\t'..=b'\r'));
    if !begins.is_some_and(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'+' | b'-' | b'i' | b'I' | b'n' | b'N')) {
        return Ok(None);
    }
    // Blanks, hexadecimal digits, names of special values: Lua knows.
    Err(Unknown)
}

/// The text of a value.
fn text<'a>(value: Value) -> &'a [u8] {
    match value {
        // SAFETY: the pattern keeps its strings alive, and the caller the pattern.
        Value::Text(start, length) => unsafe { std::slice::from_raw_parts(start, length) },
        _ => b"",
    }
}
