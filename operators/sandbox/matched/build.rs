//! The captures of a match become a row.

use super::field::Shape;
use super::plan::{Header, Place, Plan};
use super::value::{Evaluation, Value};
use super::{Matches, RESULTS, TEMPLATE};
use crate::encode::{Encoder, Form, Refused};
use crate::host::Host;
use crate::inject::output_limit;
use crate::number::write_lua_number;
use crate::{State, ffi};
use heka_lpeg::{Known, Node, Nodes, Pattern, Recipe, Unknown, number_of};
use heka_lua::bytes_at;
use heka_message::{BatchBuilder, Span};
use std::ffi::c_int;

/// How deep tables may lie in each other.
const DEPTH: usize = 16;

/// Why no row was built.
pub(super) enum Stop {
    /// Lua must do it.
    Detour,
    /// The message is refused.
    Refused(Refused),
}

impl From<Unknown> for Stop {
    fn from(_: Unknown) -> Stop {
        Stop::Detour
    }
}

impl From<Refused> for Stop {
    fn from(why: Refused) -> Stop {
        Stop::Refused(why)
    }
}

/// Where the template is.
pub(super) enum TemplateAt {
    /// On the stack, as an argument.
    Stack,
    /// In the plan, with its decoder: nothing is on the stack, and no function was called.
    Plan,
}

/// Appends a row with what was captured and with what the template adds; an estimate of its size as `encode` gives it.
///
/// # Safety
/// The arguments of `inject_match` and the results of functions are on the stack, with room for twelve values more, if
/// the template is there.
pub(super) unsafe fn build(
    state: State,
    builder: &mut BatchBuilder,
    host: &mut Host,
    pattern: &Pattern,
    subject: &[u8],
    plan: usize,
    template: TemplateAt,
) -> Result<usize, Stop> {
    let limit = output_limit(host);
    let Host { matches, scratch, times, times_read, uuids, natives, .. } = host;
    let Matches { captures, plans, results, .. } = matches;
    let plan = plans.list.get_mut(plan).ok_or(Stop::Detour)?;
    plan.rows += 1;
    let start = builder.text_len();
    let source = builder.batch().source();
    let source = (source.as_ptr() as usize, source.len());
    let generation = builder.generation();
    builder.row().set_uuid(uuids.next_uuid());
    if let TemplateAt::Stack = template {
        unsafe { ffi::lua_pushvalue(state, TEMPLATE) };
    }
    let table = unsafe { ffi::lua_gettop(state) };
    let mut row = Build {
        encoder: Encoder { state, builder, scratch, times, table, start, limit, values: 0, elsewhere: 0 },
        evaluation: Evaluation { natives: *natives, results: results.iter(), captures: times_read },
        plan,
        source,
        subject: place_in(source, subject),
        generation,
        headers: 0,
        has_other_names: false,
        has_spread: false,
    };
    let visit = captures.visit(pattern, subject);
    let root = visit.roots().next().ok_or(Stop::Detour)?;
    match root.kind() {
        Known::Table => row.spread(root.children(), 0)?,
        Known::Fold(function) if natives.is_rawset(function) => row.fold(root.children())?,
        _ => return Err(Stop::Detour),
    }
    match template {
        TemplateAt::Stack => unsafe { row.template()? },
        TemplateAt::Plan => row.planned_template(subject)?,
    }
    Ok(row.encoder.size()?)
}

/// Where the text lies in a source of this address and length.
#[inline]
fn place_in((start, length): (usize, usize), text: &[u8]) -> Option<usize> {
    let offset = (text.as_ptr() as usize).wrapping_sub(start);
    (offset <= length && text.len() <= length - offset).then_some(offset)
}

pub(super) struct Build<'a> {
    pub(super) encoder: Encoder<'a>,
    pub(super) evaluation: Evaluation<'a>,
    pub(super) plan: &'a mut Plan,
    /// Address and length of the batch's source.
    source: (usize, usize),
    /// Where the subject lies in it, if it does.
    subject: Option<usize>,
    /// That of the builder, which adds nothing but this row now.
    pub(super) generation: u64,
    /// The headers that captures have set, a bit each.
    headers: u16,
    /// There are fields with names that are no names of captures.
    pub(super) has_other_names: bool,
    /// Tables inside of the captured one were spread.
    has_spread: bool,
}

impl Build<'_> {
    /// Places named captures.
    fn spread(&mut self, nodes: Nodes<'_>, depth: usize) -> Result<(), Stop> {
        for node in nodes {
            match node.recipe() {
                Some(recipe) => {
                    if !self.plain_field(&node, recipe)? {
                        self.place(recipe.name, &node, Some(recipe), depth)?;
                    }
                }
                None if node.is_named() => self.place(node.key(), &node, None, depth)?,
                None if matches!(node.kind(), Known::Nothing) => {}
                None => return Err(Stop::Detour),
            }
        }
        Ok(())
    }

    /// Places a capture, whose name is the pattern's value with this key.
    fn place(&mut self, key: u16, node: &Node<'_>, recipe: Option<Recipe>, depth: usize) -> Result<(), Stop> {
        let entry = self.plan.entry(key).ok_or(Stop::Detour)?;
        let (place, same) = (entry.place, entry.same);
        let rows = self.plan.rows;
        let first = self.plan.entry(same).ok_or(Stop::Detour)?;
        let is_again = std::mem::replace(&mut first.seen, rows) == rows;
        if is_again {
            // The last of equal names in a table wins; between tables Lua's order decides.
            match place {
                _ if depth > 0 || self.has_spread => return Err(Stop::Detour),
                Place::Field => self.remove_field(node.text_of(key)),
                Place::Header(_) => {}
                _ => return Err(Stop::Detour),
            }
        }
        match place {
            Place::Nowhere => return Ok(()),
            Place::Function => {
                let result = self.evaluation.result(node.place())?;
                return unsafe { self.spread_result(result) };
            }
            _ => {}
        }
        let value = match recipe {
            Some(recipe) => self.evaluation.of_named(node, recipe, &self.plan.entries)?,
            None => self.value_of(node)?,
        };
        let representation = recipe.map_or(0, |recipe| recipe.representation);
        if matches!(value, Value::Nil) {
            // As if it were not there; a table would be there.
            let is_gone = representation == 0 && !(is_again && place != Place::Field);
            return if is_gone { Ok(()) } else { Err(Stop::Detour) };
        }
        match place {
            Place::Field => self.named_field(key, representation, node, value),
            Place::Header(header) => {
                // A table is no header, but has its place.
                self.headers |= 1 << header as u16;
                let is_set = representation == 0 && self.header(header, value)?;
                if is_again && !is_set { Err(Stop::Detour) } else { Ok(()) }
            }
            Place::Both(header) => {
                self.headers |= 1 << header as u16;
                if representation == 0 {
                    self.header(header, value)?;
                }
                self.named_field(key, representation, node, value)
            }
            Place::Spread => match value {
                Value::Table(table) if depth < DEPTH => {
                    self.has_spread = true;
                    self.spread(table.children(), depth + 1)
                }
                Value::Table(_) | Value::Stack(_) => Err(Stop::Detour),
                _ if representation > 0 => Err(Stop::Detour),
                _ => Ok(()),
            },
            Place::Nowhere | Place::Function => Ok(()),
        }
    }

    #[inline]
    pub(super) fn value_of<'n>(&mut self, group: &Node<'n>) -> Result<Value<'n>, Stop> {
        self.evaluation.of_group(group, &self.plan.entries)
    }

    /// The text as a range of the source, if it lies there, or else in the arena.
    #[inline]
    pub(super) fn text(&mut self, text: &[u8]) -> Span {
        match place_in(self.source, text) {
            Some(offset) => {
                self.encoder.elsewhere += text.len();
                Span::source(offset..offset + text.len())
            }
            None => self.encoder.builder.text(text),
        }
    }

    /// The text of the pattern's value with this key, which is in the batch once for all rows.
    #[inline]
    pub(super) fn kept(&mut self, key: u16) -> Result<Span, Stop> {
        let generation = self.generation;
        let pattern = self.plan.pattern;
        let entry = self.plan.entry(key).ok_or(Stop::Detour)?;
        if entry.generation != generation {
            let text = pattern.text(key).ok_or(Stop::Detour)?;
            (entry.span, entry.generation) = (self.encoder.builder.text_again(text, entry.span), generation);
        }
        self.encoder.elsewhere += entry.span.len();
        Ok(entry.span)
    }

    /// The text of a capture.
    #[inline]
    pub(super) fn captured(&mut self, node: &Node<'_>) -> Span {
        match self.subject {
            Some(subject) => {
                let (start, end) = (node.start(), node.end());
                self.encoder.elsewhere += end - start;
                Span::source(subject + start..subject + end)
            }
            None => self.text(node.text()),
        }
    }

    pub(super) fn rendered(&mut self, node: &Node<'_>) -> Result<Span, Stop> {
        let mut result = Ok(());
        let span = self.encoder.builder.text_with(|out| result = node.render(out));
        result?;
        Ok(span)
    }

    /// Sets a header, and says whether it is certain that the value had the right type.
    fn header(&mut self, header: Header, value: Value<'_>) -> Result<bool, Stop> {
        self.headers |= 1 << header as u16;
        if let Value::Stack(index) = value {
            let (state, table) = (self.encoder.state, self.encoder.table);
            unsafe {
                ffi::lua_settop(state, table + 1);
                ffi::lua_pushvalue(state, index);
                self.encoder.header(header.name())?;
                ffi::lua_settop(state, table);
                return Ok(ffi::lua_type(state, index) == ffi::LUA_TNUMBER);
            }
        }
        match header {
            Header::Timestamp | Header::Severity | Header::Pid => {
                let number = match value {
                    Value::Number(number) => Some(number),
                    Value::Text(text) | Value::Constant(text, _) => number_of(text)?,
                    Value::Rendered(node) => {
                        self.encoder.scratch.clear();
                        node.render(self.encoder.scratch)?;
                        number_of(self.encoder.scratch)?
                    }
                    _ => None,
                };
                let times = self.encoder.times;
                let (Some(number), Some(row)) = (number, self.encoder.builder.last_row()) else { return Ok(false) };
                match header {
                    Header::Timestamp => row.set_timestamp(times.take(number)),
                    Header::Severity => row.set_severity(number as i64 as i32),
                    _ => row.set_pid(number as i64 as i32),
                }
            }
            _ => {
                let span = match value {
                    Value::Text(text) => self.text(text),
                    Value::Constant(_, key) => self.kept(key)?,
                    Value::Rendered(node) => self.rendered(&node)?,
                    Value::Number(number) if header != Header::Uuid => {
                        self.encoder.builder.text_with(|out| write_lua_number(number, out))
                    }
                    _ => return Ok(false),
                };
                let uuid = self.encoder.builder.batch().text(span).try_into().ok();
                let Some(row) = self.encoder.builder.last_row() else { return Ok(false) };
                match header {
                    Header::Type => row.msg_type = span,
                    Header::Logger => row.logger = span,
                    Header::Payload => row.payload = span,
                    Header::EnvVersion => row.env_version = span,
                    Header::Hostname => row.hostname = span,
                    _ => {
                        if let Some(uuid) = uuid {
                            row.set_uuid(uuid);
                        }
                    }
                }
            }
        }
        self.encoder.size()?;
        Ok(true)
    }

    fn remove_field(&mut self, name: &[u8]) {
        let batch = self.encoder.builder.batch();
        let known = batch.row(batch.len() - 1).fields().position(|field| field.name() == name);
        if let Some(index) = known {
            self.encoder.builder.remove_field(index);
        }
    }

    /// Whether the row has a field of this name.
    pub(super) fn has_field(&self, name: &[u8]) -> bool {
        let batch = self.encoder.builder.batch();
        let row = batch.row(batch.len() - 1);
        row.fields().any(|field| field.name() == name)
    }

    /// The entries of the table that a function returned, at this index: headers by their names, or fields.
    unsafe fn spread_result(&mut self, index: c_int) -> Result<(), Stop> {
        let (state, table) = (self.encoder.state, self.encoder.table);
        unsafe {
            if ffi::lua_type(state, index) != ffi::LUA_TTABLE {
                return Ok(());
            }
            self.has_other_names = true;
            // The key lies where the encoder has those of fields.
            ffi::lua_settop(state, table + 2);
            ffi::lua_pushnil(state);
            while ffi::lua_next(state, index) != 0 {
                let name = bytes_at(state, table + 3).ok_or(Stop::Detour)?;
                if let Some(header) = Header::named(name) {
                    self.headers |= 1 << header as u16;
                    // The encoder wants the value one below; the key must not be lost.
                    ffi::lua_pushvalue(state, table + 4);
                    ffi::lua_replace(state, table + 2);
                    self.encoder.header(name)?;
                } else if self.has_field(name) {
                    return Err(Stop::Detour);
                } else {
                    let name = self.encoder.builder.text(name);
                    self.encoder.value(Form { name, value_type: None, representation: None })?;
                }
                ffi::lua_settop(state, table + 3);
            }
            ffi::lua_settop(state, table);
        }
        Ok(())
    }

    /// `Cf(Ct"" * Cg(name * value) ^ 0, rawset)`
    fn fold(&mut self, mut nodes: Nodes<'_>) -> Result<(), Stop> {
        let is_empty = |node: Node<'_>| matches!(node.kind(), Known::Table) && node.children().next().is_none();
        // Whether there are places for such names only Lua can tell.
        if !self.plan.places.is_null() || !nodes.next().is_some_and(is_empty) {
            return Err(Stop::Detour);
        }
        self.has_other_names = true;
        for node in nodes {
            let mut inside = node.children();
            let (Known::Group(None), Some(key), Some(value), None) =
                (node.kind(), inside.next(), inside.next(), inside.next())
            else {
                return Err(Stop::Detour);
            };
            let (Known::Text, None) = (key.kind(), key.children().next()) else { return Err(Stop::Detour) };
            let name = key.text();
            if self.has_field(name) || super::plan::place_of(name).is_some() {
                return Err(Stop::Detour);
            }
            let value = self.evaluation.of(&value, &self.plan.entries)?.ok_or(Stop::Detour)?;
            let name = self.text(name);
            self.field(&Shape::plain(name), &value, 0)?;
        }
        Ok(())
    }

    /// What the template has, which is in the plan, and the captures have not set.
    fn planned_template(&mut self, subject: &[u8]) -> Result<(), Stop> {
        let decoder = self.plan.decoder.as_mut().ok_or(Stop::Detour)?;
        self.encoder.elsewhere += decoder.template.apply(self.encoder.builder, self.generation, self.headers);
        if decoder.keeps_payload && self.headers & (1 << Header::Payload as u16) == 0 {
            let payload = self.text(subject);
            if let Some(row) = self.encoder.builder.last_row() {
                row.payload = payload;
            }
        }
        Ok(())
    }

    /// What the template has, and the captures have not set.
    unsafe fn template(&mut self) -> Result<(), Stop> {
        debug_assert!(self.encoder.table >= RESULTS);
        let state = self.encoder.state;
        unsafe {
            if ffi::lua_type(state, TEMPLATE) != ffi::LUA_TTABLE {
                return Ok(());
            }
            let headers = self.headers;
            let count = |builder: &BatchBuilder| builder.batch().row(builder.len() - 1).fields().count();
            let captured = count(self.encoder.builder);
            self.encoder
                .message(|name| Header::named(name).is_none_or(|header| headers & (1 << header as u16) == 0))?;
            let batch = self.encoder.builder.batch();
            let row = batch.row(batch.len() - 1);
            let mut added = row.fields().skip(captured);
            if added.any(|field| row.fields().take(captured).any(|other| other.name() == field.name())) {
                return Err(Stop::Detour);
            }
        }
        Ok(())
    }
}
