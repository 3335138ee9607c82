//! The value of a capture becomes a field of the row under way.

use super::build::{Build, Stop};
use super::plan::{Part, Place};
use super::value::Value;
use crate::encode::Form;
use crate::ffi;
use heka_lpeg::{Known, Node, Recipe, Source};
use heka_message::{FieldValue, Span, ValueType};
use std::ffi::c_int;

/// How deep tables may lie in each other.
const DEPTH: usize = 16;

/// The name and the type of a field to be.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    name: Span,
    value_type: Option<f64>,
    representation: Span,
}

impl Shape {
    pub(super) fn plain(name: Span) -> Shape {
        Shape { name, value_type: None, representation: Span::NONE }
    }
}

impl Build<'_> {
    /// Appends the field that most captures are: a text or a number, named once, with a place of its own. `false` when
    /// it is another.
    #[inline]
    pub(super) fn plain_field(&mut self, node: &Node<'_>, recipe: Recipe) -> Result<bool, Stop> {
        let Recipe { name, representation, source, .. } = recipe;
        let (rows, generation) = (self.plan.rows, self.generation);
        let entry = self.plan.entry(name).ok_or(Stop::Detour)?;
        if entry.place != Place::Field || entry.same != name || entry.seen == rows || self.has_other_names {
            return Ok(false);
        }
        let number = match source {
            Source::Text => None,
            Source::Number => match node.number()? {
                None => return Ok(false),
                number => number,
            },
            Source::Constant | Source::Call => return Ok(false),
        };
        entry.seen = rows;
        let known = (entry.generation == generation).then_some(entry.span);
        let name = match known {
            Some(span) => {
                self.encoder.elsewhere += span.len();
                span
            }
            None => self.kept(name)?,
        };
        let representation = self.representation(representation)?;
        self.encoder.values += 1;
        match number {
            Some(number) => self.encoder.builder.script_number(name, representation, number),
            None => {
                let text = self.captured(node);
                self.encoder.builder.script_text(name, representation, text);
            }
        }
        self.encoder.size()?;
        Ok(true)
    }

    /// The representation with this key, none for 0.
    #[inline]
    fn representation(&mut self, key: u16) -> Result<Span, Stop> {
        if key == 0 { Ok(Span::NONE) } else { self.kept(key) }
    }

    /// Appends a field by the keys of its name and its representation.
    pub(super) fn named_field(
        &mut self,
        name: u16,
        representation: u16,
        node: &Node<'_>,
        value: Value<'_>,
    ) -> Result<(), Stop> {
        if self.has_other_names && self.has_field(node.text_of(name)) {
            return Err(Stop::Detour);
        }
        let name = self.kept(name)?;
        let representation = self.representation(representation)?;
        self.field(&Shape { name, value_type: None, representation }, &value, 0)
    }

    pub(super) fn field(&mut self, shape: &Shape, value: &Value<'_>, depth: usize) -> Result<(), Stop> {
        match *value {
            Value::Text(text) if shape.value_type.is_none() => {
                self.encoder.values += 1;
                let text = self.text(text);
                self.encoder.builder.script_text(shape.name, shape.representation, text);
                Ok(self.encoder.size().map(drop)?)
            }
            Value::Number(number) if shape.value_type.is_none() => {
                self.encoder.values += 1;
                self.encoder.builder.script_number(shape.name, shape.representation, number);
                Ok(())
            }
            Value::Table(ref table) if depth < DEPTH => self.table(*shape, table, depth),
            Value::Table(_) | Value::Nil => Err(Stop::Detour),
            Value::Stack(index) => unsafe { self.stack_field(*shape, index) },
            _ => {
                self.open(*shape, value)?;
                self.add(*value)
            }
        }
    }

    /// Begins a field for values of the type of this one.
    fn open(&mut self, shape: Shape, value: &Value<'_>) -> Result<(), Stop> {
        let given = shape.value_type.map(|number| number as i64);
        let value_type = match (value, given) {
            (Value::Text(_) | Value::Constant(..) | Value::Rendered(_), None | Some(0)) => ValueType::String,
            (Value::Text(_) | Value::Constant(..) | Value::Rendered(_), Some(1)) => ValueType::Bytes,
            (Value::Number(_), None | Some(3)) => ValueType::Double,
            (Value::Number(_), Some(2)) => ValueType::Integer,
            (Value::Boolean(_), None | Some(4)) => ValueType::Bool,
            _ => return Err(Stop::Detour),
        };
        let field = self.encoder.builder.open_field(shape.name, shape.representation, value_type);
        field.explicit_type = value_type != ValueType::String;
        field.unpacked = true;
        Ok(())
    }

    /// Appends a value to the field under way.
    fn add(&mut self, value: Value<'_>) -> Result<(), Stop> {
        self.encoder.values += 1;
        let value = match value {
            Value::Text(text) => self.text(text),
            Value::Constant(_, key) => self.kept(key)?,
            Value::Rendered(node) => self.rendered(&node)?,
            Value::Number(number) => {
                let value_type = self.encoder.builder.last_field().map(|field| field.value_type);
                self.encoder.builder.add_value(match value_type {
                    Some(ValueType::Integer) => FieldValue::Integer(number as i64),
                    _ => FieldValue::Double(number),
                });
                return Ok(());
            }
            Value::Boolean(truth) => {
                self.encoder.builder.add_value(FieldValue::Bool(truth));
                return Ok(());
            }
            Value::Nil | Value::Table(_) | Value::Stack(_) => return Err(Stop::Detour),
        };
        self.encoder.builder.add_span(value);
        Ok(self.encoder.size().map(drop)?)
    }

    /// `{value = …, representation = …}`, or a list.
    fn table(&mut self, mut shape: Shape, table: &Node<'_>, depth: usize) -> Result<(), Stop> {
        let mut inner = None;
        let mut is_list = false;
        for node in table.children() {
            let (name, recipe) = match node.recipe() {
                Some(recipe) => (recipe.name, Some(recipe)),
                None if node.is_named() => (node.key(), None),
                None => {
                    if !matches!(node.kind(), Known::Nothing) {
                        // A list goes before an object.
                        self.element(shape, &node, &mut is_list)?;
                    }
                    continue;
                }
            };
            let part = self.plan.part(name);
            if part == Part::Other {
                continue;
            }
            let value = match recipe {
                Some(recipe) if recipe.representation > 0 => return Err(Stop::Detour),
                Some(recipe) => self.evaluation.of_named(&node, recipe, &self.plan.entries)?,
                None => self.value_of(&node)?,
            };
            match (part, value) {
                (Part::Value, _) if inner.is_some() => return Err(Stop::Detour),
                (Part::Value, value) => inner = Some(value),
                (Part::Representation, Value::Constant(_, key)) => {
                    shape.representation = self.kept(key)?;
                }
                (Part::Representation, Value::Text(text)) => shape.representation = self.text(text),
                (Part::ValueType, Value::Number(number)) => shape.value_type = Some(number),
                _ => return Err(Stop::Detour),
            }
        }
        match (is_list, inner) {
            (true, None) => Ok(()),
            (false, Some(value)) => self.field(&shape, &value, depth + 1),
            _ => Err(Stop::Detour),
        }
    }

    /// Appends the value of a capture in a list, the first of which opens the field.
    fn element(&mut self, shape: Shape, node: &Node<'_>, is_list: &mut bool) -> Result<(), Stop> {
        let has_more = matches!(node.kind(), Known::Text | Known::Group(None)) && node.children().next().is_some();
        let value = self.evaluation.of(node, &self.plan.entries)?.filter(|_| !has_more).ok_or(Stop::Detour)?;
        if !std::mem::replace(is_list, true) {
            self.open(shape, &value)?;
            return self.add(value);
        }
        let value_type = self.encoder.builder.last_field().map(|field| field.value_type);
        let fits = match value {
            Value::Text(_) | Value::Constant(..) | Value::Rendered(_) => {
                matches!(value_type, Some(ValueType::String | ValueType::Bytes))
            }
            Value::Number(_) => matches!(value_type, Some(ValueType::Double | ValueType::Integer)),
            Value::Boolean(_) => value_type == Some(ValueType::Bool),
            _ => false,
        };
        if fits { self.add(value) } else { Err(Stop::Detour) }
    }

    /// A field whose value a function returned.
    unsafe fn stack_field(&mut self, shape: Shape, index: c_int) -> Result<(), Stop> {
        let Shape { name, value_type, representation } = shape;
        if representation.is_some() {
            return Err(Stop::Detour);
        }
        let (state, table) = (self.encoder.state, self.encoder.table);
        unsafe {
            ffi::lua_settop(state, table + 3);
            ffi::lua_pushvalue(state, index);
            self.encoder.value(Form { name, value_type, representation: None })?;
            ffi::lua_settop(state, table);
        }
        Ok(())
    }
}
