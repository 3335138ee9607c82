//! What was captured, one capture at a time: what it is, where it lies, and what is inside.

use super::Recipe;
use crate::program::{Kind, Program, Value};
use crate::values::plain_number;
use crate::vm::{Capture, Form};
use heka_lua::ffi;

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

/// The captures of a match with what they refer to.
#[derive(Clone, Copy)]
pub struct Visit<'a> {
    pub(super) list: &'a [Capture],
    pub(super) program: &'a Program,
    pub(super) subject: &'a [u8],
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
    pub(super) visit: &'a Visit<'a>,
    /// The captures inside.
    next: u32,
    end: u32,
    pub(super) capture: Capture,
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
                Some(recipe) => Known::Named(recipe),
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

    /// How it is made if it is a named value.
    #[inline]
    pub fn recipe(&self) -> Option<Recipe> {
        let at = usize::from(self.capture.key);
        (self.capture.kind == Kind::Named).then(|| self.visit.program.recipes().get(at).copied()).flatten()
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
pub(super) fn text<'a>(value: Value) -> &'a [u8] {
    match value {
        // SAFETY: the pattern keeps its strings alive, and the caller the pattern.
        Value::Text(start, length) => unsafe { std::slice::from_raw_parts(start, length) },
        _ => b"",
    }
}
