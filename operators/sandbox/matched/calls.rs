//! The functions of a grammar, and those that places name, called before the row is built: building must not meet an
//! error of Lua's.

use super::plan::Place;
use super::{GRAMMAR, PLACES};
use crate::host::host;
use crate::{State, ffi};
use heka_lpeg::{Captures, Constant, Known, Node, Nodes, Pattern, Recipe, Source, push_value};
use heka_lua::{Raise, protect, push_bytes, raise};
use std::ffi::c_int;

/// How deep captures may lie in each other.
const DEPTH: usize = 32;

/// Calls what has to be called, and leaves the results on the stack. `false` when that is for Lua to do.
///
/// # Safety
/// The arguments of `inject_match` are in place, and `pattern` has just matched. May raise an error.
pub(super) unsafe fn make(state: State, pattern: &Pattern, subject: &[u8], plan: usize) -> bool {
    unsafe {
        let matches = &mut host(state).matches;
        matches.results.clear();
        if !matches.plans.list[plan].calls {
            return true;
        }
        matches.busy = true;
        // Nobody matches while this is busy, so the captures stay what they are.
        let captures: *const Captures = &matches.captures;
        let visit = (*captures).visit(pattern, subject);
        let is_done = Calls { state, plan }.walk(visit.roots(), 0);
        host(state).matches.busy = false;
        is_done
    }
}

struct Calls {
    state: State,
    plan: usize,
}

impl Calls {
    /// Makes the calls among the captures and inside them.
    unsafe fn walk(&self, nodes: Nodes<'_>, depth: usize) -> bool {
        unsafe {
            if depth > DEPTH {
                return false;
            }
            for node in nodes {
                let is_done = match node.kind() {
                    Known::Named(Recipe { name, .. }) if self.place(name) == Place::Function => {
                        self.hand_over(name, &node, depth)
                    }
                    Known::Named(Recipe { source: Source::Call, key, .. }) => {
                        self.is_left_alone(&node, key, None) || self.call(&node, key, depth, true)
                    }
                    Known::Named(_) => true,
                    Known::Group(Some(_)) if self.place(node.key()) == Place::Function => {
                        self.hand_over(node.key(), &node, depth)
                    }
                    // Nobody wants what is inside.
                    Known::Nothing => true,
                    Known::Call(function) => {
                        let key = node.key();
                        self.is_left_alone(&node, key, function) || self.call(&node, key, depth, true)
                    }
                    _ => self.walk(node.children(), depth + 1),
                };
                if !is_done {
                    return false;
                }
            }
            true
        }
    }

    unsafe fn place(&self, name: u16) -> Place {
        let plan = unsafe { &host(self.state).matches.plans.list[self.plan] };
        plan.entries.get(usize::from(name).wrapping_sub(1)).map_or(Place::Field, |entry| entry.place)
    }

    /// Whether the row is built without calling the function: `tonumber`, and times, which are remembered here if they
    /// can only be read by Lua.
    unsafe fn is_left_alone(&self, node: &Node<'_>, key: u16, function: Option<ffi::lua_CFunction>) -> bool {
        unsafe {
            let state = self.state;
            let host = host(state);
            if function.is_some_and(|function| host.natives.is_tonumber(function)) {
                return true;
            }
            let plan = &host.matches.plans.list[self.plan];
            let entry = plan.entries.get(usize::from(key).wrapping_sub(1));
            let Some(clock) = entry.and_then(|entry| entry.clock) else { return false };
            let text = node.text();
            if protect(state, || Ok(clock.read(text, &mut host.times_read))).is_none() {
                crate::host::room(state, 4);
                push_value(state, GRAMMAR, key);
                push_bytes(state, text);
                ffi::lua_call(state, 1, 0);
            }
            true
        }
    }

    /// Gives what was captured under a name to the function that is its place.
    unsafe fn hand_over(&self, name: u16, group: &Node<'_>, depth: usize) -> bool {
        unsafe {
            let state = self.state;
            let top = ffi::lua_gettop(state);
            crate::host::room(state, 6);
            push_value(state, GRAMMAR, name);
            ffi::lua_rawget_(state, PLACES);
            if self.push_named(group, depth).is_none() {
                return false;
            }
            debug_assert_eq!(ffi::lua_gettop(state), top + 2);
            ffi::lua_call(state, 1, 1);
            if ffi::lua_type(state, -1) > ffi::LUA_TNIL && ffi::lua_type(state, -1) != ffi::LUA_TTABLE {
                raise(state, Raise::here("inject_match() a function of the places must return a table or nil"));
            }
            host(state).matches.results.push((group.place(), top + 1));
            true
        }
    }

    /// Calls the function of a capture. Its first result stays, noted if it is wanted when the row is built; all of
    /// them stay if not.
    unsafe fn call(&self, node: &Node<'_>, key: u16, depth: usize, is_noted: bool) -> bool {
        unsafe {
            let state = self.state;
            let top = ffi::lua_gettop(state);
            crate::host::room(state, 6);
            push_value(state, GRAMMAR, key);
            let Some(count) = self.push_inside(node, depth) else { return false };
            ffi::lua_call(state, count, ffi::LUA_MULTRET);
            if is_noted {
                if ffi::lua_gettop(state) == top {
                    return false;
                }
                ffi::lua_settop(state, top + 1);
                host(state).matches.results.push((node.place(), top + 1));
            }
            true
        }
    }

    /// Pushes the values inside a capture, or its text if there are none.
    unsafe fn push_inside(&self, node: &Node<'_>, depth: usize) -> Option<c_int> {
        unsafe {
            let top = ffi::lua_gettop(self.state);
            for child in node.children() {
                self.push(&child, depth + 1)?;
            }
            if ffi::lua_gettop(self.state) == top {
                push_bytes(self.state, node.text());
            }
            Some(ffi::lua_gettop(self.state) - top)
        }
    }

    /// Pushes the value that was captured under a name.
    unsafe fn push_named(&self, node: &Node<'_>, depth: usize) -> Option<()> {
        unsafe {
            let state = self.state;
            let top = ffi::lua_gettop(state);
            let Some(recipe) = node.recipe() else {
                self.push_inside(node, depth)?;
                // The first value is the one.
                ffi::lua_settop(state, top + 1);
                return Some(());
            };
            crate::host::room(state, 6);
            if recipe.representation > 0 {
                ffi::lua_createtable(state, 0, 2);
                push_bytes(state, b"value");
            }
            let value = ffi::lua_gettop(state) + 1;
            match recipe.source {
                Source::Text => push_bytes(state, node.text()),
                Source::Number => self.push_number(node)?,
                Source::Constant => self.push_constant(node.constant(recipe.key)),
                Source::Call => {
                    // Without a result the text would be the value: rare enough for Lua.
                    if !self.call(node, recipe.key, depth, false) || ffi::lua_gettop(state) < value {
                        return None;
                    }
                    ffi::lua_settop(state, value);
                }
            }
            if recipe.representation > 0 {
                ffi::lua_rawset(state, top + 1);
                push_bytes(state, b"representation");
                push_value(state, GRAMMAR, recipe.representation);
                ffi::lua_rawset(state, top + 1);
            }
            Some(())
        }
    }

    unsafe fn push_constant(&self, constant: Constant<'_>) {
        let state = self.state;
        unsafe {
            match constant {
                Constant::Nil => ffi::lua_pushnil(state),
                Constant::Boolean(truth) => ffi::lua_pushboolean(state, c_int::from(truth)),
                Constant::Number(number) => ffi::lua_pushnumber(state, number),
                Constant::Text(text) => push_bytes(state, text),
            }
        }
    }

    unsafe fn push_number(&self, node: &Node<'_>) -> Option<()> {
        match node.number().ok()? {
            Some(number) => unsafe { ffi::lua_pushnumber(self.state, number) },
            None => unsafe { ffi::lua_pushnil(self.state) },
        }
        Some(())
    }

    /// Pushes a table of what is captured inside.
    unsafe fn push_table(&self, node: &Node<'_>, depth: usize) -> Option<()> {
        unsafe {
            let state = self.state;
            ffi::lua_createtable(state, 0, 0);
            let table = ffi::lua_gettop(state);
            let mut next = 1;
            for child in node.children() {
                let name = match child.kind() {
                    Known::Group(Some(_)) => Some(child.key()),
                    Known::Named(recipe) => Some(recipe.name),
                    _ => None,
                };
                if let Some(name) = name {
                    push_value(state, GRAMMAR, name);
                    self.push_named(&child, depth + 1)?;
                    ffi::lua_rawset(state, table);
                    continue;
                }
                self.push(&child, depth + 1)?;
                let count = ffi::lua_gettop(state) - table;
                for at in (0..count).rev() {
                    ffi::lua_rawseti_(state, table, next + at);
                }
                next += count;
            }
            Some(())
        }
    }

    /// Pushes all values of a capture; `None` when it has some that only Lua can make.
    unsafe fn push(&self, node: &Node<'_>, depth: usize) -> Option<()> {
        unsafe {
            let state = self.state;
            if depth > DEPTH {
                return None;
            }
            crate::host::room(state, 6);
            match node.kind() {
                Known::Text => {
                    push_bytes(state, node.text());
                    for child in node.children() {
                        self.push(&child, depth + 1)?;
                    }
                }
                Known::Position => ffi::lua_pushnumber(state, node.start() as f64 + 1.0),
                Known::Constant(constant) => self.push_constant(constant),
                Known::Number => self.push_number(node)?,
                Known::Group(Some(_)) | Known::Named(_) | Known::Nothing => {}
                Known::Group(None) => {
                    self.push_inside(node, depth + 1)?;
                }
                Known::Format(_) | Known::Substitution => {
                    let is_rendered = protect(state, || {
                        let scratch = &mut host(state).scratch;
                        scratch.clear();
                        Ok(node.render(scratch).is_ok())
                    });
                    if !is_rendered {
                        return None;
                    }
                    push_bytes(state, &host(state).scratch);
                }
                Known::Call(_) => {
                    if !self.call(node, node.key(), depth + 1, false) {
                        return None;
                    }
                }
                Known::Table => self.push_table(node, depth)?,
                Known::Fold(_) => return None,
            }
            Some(())
        }
    }
}
