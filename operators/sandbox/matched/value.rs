//! The first value of a capture, as `lpeg.match` would give it.

use super::build::Stop;
use super::plan::Entry;
use crate::host::Natives;
use heka_lpeg::{Captures, Constant, Known, Node, Recipe, Source, number_of};
use std::ffi::c_int;

/// A value, where it is.
#[derive(Clone, Copy)]
pub(super) enum Value<'a> {
    Nil,
    Text(&'a [u8]),
    /// A constant, with its key in the pattern.
    Constant(&'a [u8], u16),
    /// A text that has yet to be put together.
    Rendered(Node<'a>),
    Number(f64),
    Boolean(bool),
    Table(Node<'a>),
    /// The index on the Lua stack.
    Stack(c_int),
}

/// What evaluating takes.
pub(super) struct Evaluation<'a> {
    pub(super) natives: Natives,
    /// What functions returned, by the place of their capture, and how far that is used up.
    pub(super) results: std::slice::Iter<'a, (u32, c_int)>,
    pub(super) captures: &'a mut Captures,
}

impl Evaluation<'_> {
    /// The first value of a named group, or of anything that has one.
    #[inline]
    pub(super) fn of_group<'n>(&mut self, group: &Node<'n>, entries: &[Entry]) -> Result<Value<'n>, Stop> {
        let mut children = group.children();
        let Some(first) = children.next() else { return Ok(Value::Text(group.text())) };
        if let Some(value) = self.of(&first, entries)? {
            return Ok(value);
        }
        for child in children {
            if let Some(value) = self.of(&child, entries)? {
                return Ok(value);
            }
        }
        Ok(Value::Text(group.text()))
    }

    /// The value of a named value, without its representation.
    #[inline]
    pub(super) fn of_named<'n>(
        &mut self,
        node: &Node<'n>,
        recipe: Recipe,
        entries: &[Entry],
    ) -> Result<Value<'n>, Stop> {
        Ok(match recipe.source {
            Source::Text => Value::Text(node.text()),
            Source::Number => node.number()?.map_or(Value::Nil, Value::Number),
            Source::Constant => constant(node.constant(recipe.key), recipe.key),
            Source::Call => self.of_call(node, recipe.key, entries)?,
        })
    }

    /// The first value of a capture; `None` when it has none.
    pub(super) fn of<'n>(&mut self, node: &Node<'n>, entries: &[Entry]) -> Result<Option<Value<'n>>, Stop> {
        Ok(Some(match node.kind() {
            Known::Text => Value::Text(node.text()),
            Known::Number => node.number()?.map_or(Value::Nil, Value::Number),
            Known::Constant(of) => constant(of, node.key()),
            Known::Position => Value::Number(node.start() as f64 + 1.0),
            Known::Group(Some(_)) | Known::Named(_) | Known::Nothing => return Ok(None),
            Known::Group(None) => self.of_group(node, entries)?,
            Known::Table => Value::Table(*node),
            Known::Format(_) | Known::Substitution => Value::Rendered(*node),
            Known::Call(Some(function)) if self.natives.is_tonumber(function) => self.converted(node, entries)?,
            Known::Call(_) => self.of_call(node, node.key(), entries)?,
            Known::Fold(_) => return Err(Stop::Detour),
        }))
    }

    /// What the function with this key makes of the match.
    fn of_call<'n>(&mut self, node: &Node<'n>, key: u16, entries: &[Entry]) -> Result<Value<'n>, Stop> {
        Ok(match entries.get(usize::from(key).wrapping_sub(1)).and_then(|entry| entry.clock) {
            // SAFETY: the plan keeps the grammar alive, and that its functions.
            Some(clock) => Value::Number(unsafe { clock.read(node.text(), self.captures) }.ok_or(Stop::Detour)?),
            None => Value::Stack(self.result(node.place())?),
        })
    }

    /// `tonumber` of the only value inside.
    fn converted<'n>(&mut self, node: &Node<'n>, entries: &[Entry]) -> Result<Value<'n>, Stop> {
        if node.children().count() > 1 {
            return Err(Stop::Detour);
        }
        let mut rendered = Vec::new();
        let number = match self.of_group(node, entries)? {
            Value::Number(number) => Some(number),
            Value::Text(text) | Value::Constant(text, _) => number_of(text)?,
            Value::Rendered(node) => {
                node.render(&mut rendered)?;
                number_of(&rendered)?
            }
            _ => return Err(Stop::Detour),
        };
        Ok(number.map_or(Value::Nil, Value::Number))
    }

    /// What the function of the capture at this place returned: results come in the order of the captures, and those
    /// of captures whose values nobody wants are passed over.
    pub(super) fn result(&mut self, place: u32) -> Result<c_int, Stop> {
        let found = self.results.find(|(at, _)| *at >= place);
        found.filter(|(at, _)| *at == place).map(|(_, index)| *index).ok_or(Stop::Detour)
    }
}

fn constant(constant: Constant<'_>, key: u16) -> Value<'_> {
    match constant {
        Constant::Text(text) => Value::Constant(text, key),
        Constant::Number(number) => Value::Number(number),
        Constant::Boolean(truth) => Value::Boolean(truth),
        Constant::Nil => Value::Nil,
    }
}
