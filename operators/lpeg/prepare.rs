//! From a pattern to its program: compiled at the first match, and kept in the pattern's environment.

use crate::compile::{Purpose, TooBig, compile};
use crate::grammar::fail;
use crate::matching::Shared;
use crate::pattern::Header;
use crate::program::{Parts, Program, Value};
use crate::tree::{OPEN, Tag, Tree, each_key};
use heka_lua::{Raise, State, Userdata, bytes_at, ffi, protect};
use std::ffi::{CStr, c_int};

/// What the compiler reads and makes. It lies in a userdata, so that an error in between leaks nothing.
#[derive(Default)]
struct Workshop {
    values: Vec<Value>,
    tonumber: Vec<bool>,
    parts: Parts,
}

impl Userdata for Workshop {
    const NAME: &'static CStr = c"lpeg-compiler";
    const METHODS: &'static [(&'static CStr, ffi::lua_CFunction)] = &[];
}

/// Pushes the table of values of the pattern at stack index `n` and returns its program for a purpose, which lives as
/// long as the table.
///
/// # Safety
/// `pattern` is at stack index `n`, which is not relative to the top; there is room for eight values. Raises a Lua
/// error when the pattern cannot be compiled.
pub unsafe fn prepare(
    state: State,
    n: c_int,
    pattern: &mut Header,
    shared: &Shared,
    purpose: Purpose,
) -> *const Program {
    unsafe {
        let program = pattern.programs[purpose as usize];
        if !program.is_null() {
            if push_if_kept(state, n, pattern, purpose) {
                return program;
            }
            // The environment was exchanged by force: the programs may be gone.
            pattern.programs = [std::ptr::null(); 2];
        }
        make(state, n, pattern, shared, purpose)
    }
}

/// Pushes the environment if it holds the program for a purpose.
unsafe fn push_if_kept(state: State, n: c_int, pattern: &Header, purpose: Purpose) -> bool {
    unsafe {
        let program = pattern.programs[purpose as usize];
        ffi::lua_getfenv(state, n);
        ffi::lua_rawgeti_(state, -1, place(pattern, purpose));
        let is_kept = !program.is_null() && ffi::lua_touserdata(state, -1).cast_const().cast() == program;
        ffi::lua_settop(state, if is_kept { -2 } else { -3 });
        is_kept
    }
}

/// Where the program for a purpose lies in the environment.
fn place(pattern: &Header, purpose: Purpose) -> c_int {
    // There are at most 2¹⁶ values.
    pattern.values as c_int + 1 + purpose as c_int
}

/// Gives the pattern an environment of its own and pushes it. Texts, functions and tables are in it once: parts that
/// are used often have brought theirs each time.
unsafe fn push_values(state: State, n: c_int, pattern: &mut Header) {
    unsafe {
        let count = pattern.values as c_int;
        ffi::lua_getfenv(state, n);
        let old = ffi::lua_gettop(state);
        // The new key of each value, and, in the array part, that of each old key.
        ffi::lua_createtable(state, count, count);
        let keys = old + 1;
        let mut kept = 0;
        for key in 1..=count {
            ffi::lua_rawgeti_(state, old, key);
            // Numbers would be keys of the array part, and zeros of either sign are one key to a table.
            let is_once = matches!(ffi::lua_type(state, -1), ffi::LUA_TNIL | ffi::LUA_TNUMBER);
            if !is_once {
                ffi::lua_pushvalue(state, -1);
                ffi::lua_rawget_(state, keys);
                if ffi::lua_type(state, -1) == ffi::LUA_TNUMBER {
                    ffi::lua_rawseti_(state, keys, key);
                    ffi::lua_settop(state, keys);
                    continue;
                }
                ffi::lua_settop(state, keys + 1);
            }
            kept += 1;
            ffi::lua_pushnumber(state, f64::from(kept));
            ffi::lua_rawseti_(state, keys, key);
            if !is_once {
                ffi::lua_pushnumber(state, f64::from(kept));
                ffi::lua_rawset(state, keys);
            }
            ffi::lua_settop(state, keys);
        }
        ffi::lua_createtable(state, kept + 1, 0);
        let env = keys + 1;
        let new_key = |key: c_int| {
            ffi::lua_rawgeti_(state, keys, key);
            let new = ffi::lua_tonumber(state, -1);
            ffi::lua_settop(state, env);
            new
        };
        for key in 1..=count {
            let new = new_key(key) as c_int;
            ffi::lua_rawgeti_(state, old, key);
            ffi::lua_rawseti_(state, env, new);
        }
        // Nothing raises an error from here on: keys and environment change together.
        each_key(pattern.words_mut(), |key| new_key(c_int::from(key)) as u16);
        pattern.values = kept as u32;
        ffi::lua_pushvalue(state, env);
        ffi::lua_setfenv(state, n);
        ffi::lua_replace(state, old);
        ffi::lua_settop(state, old);
    }
}

unsafe fn make(state: State, n: c_int, pattern: &mut Header, shared: &Shared, purpose: Purpose) -> *const Program {
    unsafe {
        if pattern.tree().has(OPEN) {
            refuse_open_call(state, n, pattern.tree());
        }
        let other = if purpose == Purpose::Values { Purpose::Visit } else { Purpose::Values };
        if !push_if_kept(state, n, pattern, other) {
            pattern.programs = [std::ptr::null(); 2];
            push_values(state, n, pattern);
        }
        let count = pattern.values as c_int;
        let env = ffi::lua_gettop(state);
        let workshop = heka_lua::new(state, Workshop::default);
        workshop.tonumber.push(false);
        let own = shared.tonumber;
        for key in 1..=count {
            ffi::lua_rawgeti_(state, env, key);
            workshop.values.push(value(state));
            let function = ffi::lua_tocfunction(state, -1).map(|function| function as usize);
            workshop.tonumber.push(function.is_some() && function == own.map(|own| own as usize));
            ffi::lua_settop(state, -2);
        }
        let size = protect(state, || {
            let values = std::mem::take(&mut workshop.values);
            let made = compile(pattern.tree(), values, &workshop.tonumber, purpose);
            workshop.parts = made.map_err(|TooBig| Raise::here("pattern too big"))?;
            Ok(workshop.parts.size())
        });
        let block = ffi::lua_newuserdata(state, size);
        let program = workshop.parts.write(block.cast());
        *workshop = Workshop::default();
        ffi::lua_rawseti_(state, env, place(pattern, purpose));
        ffi::lua_settop(state, env);
        pattern.programs[purpose as usize] = program;
        program
    }
}

/// The value at the top of the stack.
unsafe fn value(state: State) -> Value {
    unsafe {
        match ffi::lua_type(state, -1) {
            ffi::LUA_TNIL => Value::Nil,
            ffi::LUA_TBOOLEAN => Value::Boolean(ffi::lua_toboolean(state, -1) != 0),
            ffi::LUA_TNUMBER => Value::Number(ffi::lua_tonumber(state, -1)),
            ffi::LUA_TSTRING => {
                let text = bytes_at(state, -1).unwrap_or_default();
                Value::Text(text.as_ptr(), text.len())
            }
            ffi::LUA_TFUNCTION => ffi::lua_tocfunction(state, -1).map_or(Value::Other, Value::Native),
            _ => Value::Other,
        }
    }
}

unsafe fn refuse_open_call(state: State, n: c_int, tree: Tree) -> ! {
    /// The first open call in the order of the text.
    fn first_open(tree: Tree) -> Option<u16> {
        if tree.tag() == Tag::OpenCall {
            return Some(tree.key());
        }
        tree.children().filter(|child| child.has(OPEN)).find_map(first_open)
    }
    unsafe {
        ffi::lua_getfenv(state, n);
        ffi::lua_rawgeti_(state, -1, c_int::from(first_open(tree).unwrap_or(0)));
        fail(state, b"rule '", ffi::lua_gettop(state), b"' used outside a grammar")
    }
}
