//! Tables to grammars: rules collected, calls bound to rules, and the result checked.

use crate::pattern::{self, Shape};
use crate::rules::{self, Fault};
use crate::tree::{self, NOT_FIXED, Tag};
use heka_lua::{Raise, State, ffi, protect, push_bytes, raise};
use std::ffi::{CStr, c_int};

/// Rules in a grammar.
pub const MAX_RULES: usize = 200;

/// Pushes the grammar that the table at stack index `table` (not relative to the top) stands for. Entry 1 is the
/// initial rule, or its name.
///
/// # Safety
/// `state` is live. Raises a Lua error when the table is no grammar.
pub unsafe fn push(state: State, table: c_int) {
    unsafe {
        ffi::luaL_checkstack_(state, 12, c"grammar has too many rules".as_ptr());
        // The numbers of the rules, by name. The rules' names and patterns follow it in pairs.
        ffi::lua_createtable(state, 0, 0);
        let numbers = ffi::lua_gettop(state);
        let count = collect(state, table, numbers);
        let mut shape = Shape { words: 2, depth: 0, weight: 3, values: 0 };
        for rule in 0..count {
            let inner = rule_at(state, numbers, rule).shape();
            shape.words += 1 + inner.words;
            shape.depth = shape.depth.max(inner.depth + 2);
            shape.weight += inner.weight + 1;
            shape.values += inner.values + 1;
        }
        let words = pattern::push(state, shape).words_mut();
        ffi::lua_createtable(state, shape.values as c_int, 0);
        words[0] = tree::word(Tag::Grammar, 0, 0, shape.words as u32);
        words[1] = count as u64;
        let (mut at, mut values) = (2, 0);
        for rule in 0..count {
            let inner = rule_at(state, numbers, rule);
            pattern::copy_values(state, name_index(numbers, rule) + 1, inner.values, values);
            let name = values + inner.values + 1;
            ffi::lua_pushvalue(state, name_index(numbers, rule));
            ffi::lua_rawseti_(state, -2, name as c_int);
            let size = 1 + inner.words().len();
            words[at] = tree::word(Tag::Rule, 0, name as u16, size as u32);
            tree::copy(inner.words(), &mut words[at + 1..at + size], values as u16);
            at += size;
            values = name;
        }
        bind(state, words, numbers);
        ffi::lua_setfenv(state, -2);
        let fault = protect(state, || rules::check(words).map_err(|_| Raise::here("instruction_limit exceeded")));
        if let Some(fault) = fault {
            let (before, rule, after): (&[u8], usize, &[u8]) = match fault {
                Fault::LeftRecursion(rule) => (b"rule '", rule, b"' may be left recursive"),
                Fault::TooManyLeftCalls => raise(state, Raise::here("too many left calls in grammar")),
                Fault::EmptyLoop(rule) => (b"empty loop in rule '", rule, b"'"),
            };
            fail(state, before, name_index(numbers, rule), after);
        }
        ffi::lua_replace(state, numbers);
        ffi::lua_settop(state, numbers);
    }
}

fn name_index(numbers: c_int, rule: usize) -> c_int {
    // There are at most `MAX_RULES` rules.
    numbers + 1 + 2 * rule as c_int
}

unsafe fn rule_at(state: State, numbers: c_int, rule: usize) -> &'static pattern::Header {
    // `collect` put a pattern there.
    unsafe { &*ffi::lua_touserdata(state, name_index(numbers, rule) + 1).cast() }
}

/// Pushes the name and the pattern of every rule, the initial one first, and numbers them in the table at `numbers`.
unsafe fn collect(state: State, table: c_int, numbers: c_int) -> usize {
    unsafe {
        ffi::lua_rawgeti_(state, table, 1);
        if ffi::lua_isstring(state, -1) != 0 {
            ffi::lua_pushvalue(state, -1);
            ffi::lua_gettable_(state, table);
        } else {
            ffi::lua_pushnumber(state, 1.0);
            ffi::lua_insert(state, -2);
        }
        if pattern::test(state, -1).is_none() {
            if ffi::lua_type(state, -1) == ffi::LUA_TNIL {
                raise(state, Raise::here("grammar has no initial rule"));
            }
            fail(state, b"initial rule '", numbers + 1, b"' is not a pattern");
        }
        number(state, numbers, 1);
        let mut count = 1;
        ffi::lua_pushnil(state);
        while ffi::lua_next(state, table) != 0 {
            let is_initial = ffi::lua_type(state, -2) == ffi::LUA_TNUMBER && ffi::lua_tonumber(state, -2) == 1.0;
            if is_initial || ffi::lua_equal(state, -2, numbers + 1) != 0 {
                ffi::lua_settop(state, -2);
                continue;
            }
            if pattern::test(state, -1).is_none() {
                fail(state, b"rule '", ffi::lua_gettop(state) - 1, b"' is not a pattern");
            }
            count += 1;
            if count > MAX_RULES {
                heka_lua::arg_error(state, table, c"grammar has too many rules");
            }
            ffi::luaL_checkstack_(state, 12, c"grammar has too many rules".as_ptr());
            number(state, numbers, count);
            // The name stays below its pattern, and a copy of it asks for the next one.
            ffi::lua_pushvalue(state, -2);
        }
        count
    }
}

/// Enters the rule whose name and pattern are at the top into the table of numbers.
unsafe fn number(state: State, numbers: c_int, rule: usize) {
    unsafe {
        ffi::lua_pushvalue(state, -2);
        ffi::lua_pushnumber(state, rule as f64);
        ffi::lua_rawset(state, numbers);
    }
}

/// Turns open calls into calls. The table of values is at the top.
unsafe fn bind(state: State, words: &mut [u64], numbers: c_int) {
    tree::each_node(words, |words, at| unsafe {
        let node = tree::Tree::new(&words[at..]);
        if node.tag() != Tag::OpenCall {
            return;
        }
        let key = node.key();
        ffi::lua_rawgeti_(state, -1, c_int::from(key));
        ffi::lua_pushvalue(state, -1);
        ffi::lua_rawget_(state, numbers);
        if ffi::lua_type(state, -1) == ffi::LUA_TNIL {
            fail(state, b"rule '", ffi::lua_gettop(state) - 1, b"' undefined in given grammar");
        }
        let rule = ffi::lua_tonumber(state, -1) as u32 - 1;
        ffi::lua_settop(state, -3);
        words[at] = tree::word(Tag::Call, 0, key, rule);
        words[at + 1] = NOT_FIXED;
    });
}

/// Raises an error that names the value at stack index `name`.
pub unsafe fn fail(state: State, before: &[u8], name: c_int, after: &[u8]) -> ! {
    unsafe {
        ffi::luaL_where(state, 1);
        push_bytes(state, before);
        if ffi::lua_isstring(state, name) != 0 {
            ffi::lua_pushvalue(state, name);
        } else {
            push_bytes(state, b"(a ");
            push_bytes(state, CStr::from_ptr(ffi::luaL_typename(state, name)).to_bytes());
            push_bytes(state, b")");
            ffi::lua_concat(state, 3);
        }
        push_bytes(state, after);
        ffi::lua_concat(state, 4);
        ffi::lua_error(state)
    }
}
