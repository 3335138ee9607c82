//! The operators and constructors that scripts build patterns with.

use crate::pattern::{self, Extra, Header, check};
use crate::set::Set;
use crate::tree::{CAPTURES, NOFAIL, NULLABLE, Tag};
use heka_lua::{State, arg_error, bytes, ffi, integer};
use std::ffi::{CStr, c_int};

/// The largest look-behind in bytes.
const MAX_BEHIND: u64 = 255;
/// The largest number of an extra argument or of a numbered capture.
const MAX_NUMBER: i64 = i16::MAX as i64;

/// The functions of the module that make patterns.
pub const CONSTRUCTORS: &[(&CStr, ffi::lua_CFunction)] = &[
    (c"P", convert),
    (c"S", set),
    (c"R", ranges),
    (c"V", rule),
    (c"B", behind),
    (c"C", simple),
    (c"Cc", constants),
    (c"Cp", position),
    (c"Cs", substitution),
    (c"Ct", table),
    (c"Cg", group),
    (c"Cb", backref),
    (c"Cf", fold),
    (c"Carg", argument),
    (c"Cmt", runtime),
];

/// The metamethods of patterns.
pub const OPERATORS: &[(&CStr, ffi::lua_CFunction)] = &[
    (c"__mul", sequence),
    (c"__add", choice),
    (c"__sub", difference),
    (c"__unm", not),
    (c"__len", and),
    (c"__pow", repeat),
    (c"__div", divide),
];

/// Returns the pattern at argument `n` as it is.
unsafe fn same(state: State, n: c_int) -> c_int {
    unsafe { ffi::lua_pushvalue(state, n) };
    1
}

unsafe fn both(state: State) -> [&'static Header; 2] {
    unsafe {
        let parts: [&Header; 2] = [check(state, 1), check(state, 2)];
        // An operator called by hand may have been given more.
        ffi::lua_settop(state, 2);
        parts
    }
}

unsafe extern "C-unwind" fn convert(state: State) -> c_int {
    unsafe {
        ffi::luaL_checkany(state, 1);
        check(state, 1);
        same(state, 1)
    }
}

unsafe extern "C-unwind" fn set(state: State) -> c_int {
    unsafe {
        let mut set = Set::EMPTY;
        bytes(state, 1).iter().for_each(|&byte| set.insert(byte));
        pattern::set(state, &set);
    }
    1
}

unsafe extern "C-unwind" fn ranges(state: State) -> c_int {
    unsafe {
        let mut set = Set::EMPTY;
        for n in 1..=ffi::lua_gettop(state) {
            let &[first, last] = bytes(state, n) else { arg_error(state, n, c"range must have two characters") };
            (first..=last).for_each(|byte| set.insert(byte));
        }
        pattern::set(state, &set);
    }
    1
}

unsafe extern "C-unwind" fn rule(state: State) -> c_int {
    unsafe {
        if heka_lua::is_none_or_nil(state, 1) {
            arg_error(state, 1, c"non-nil value expected");
        }
        pattern::leaf_with(state, Tag::OpenCall, 1);
    }
    1
}

unsafe extern "C-unwind" fn behind(state: State) -> c_int {
    unsafe {
        let tree = check(state, 1).tree();
        let Some(length) = tree.fixed_len() else { arg_error(state, 1, c"pattern may not have fixed length") };
        if tree.has(CAPTURES) {
            arg_error(state, 1, c"pattern have captures");
        }
        if length > MAX_BEHIND {
            arg_error(state, 1, c"pattern too long to look behind");
        }
        pattern::wrap(state, 1, Tag::Behind, Extra::Nothing);
    }
    1
}

unsafe extern "C-unwind" fn sequence(state: State) -> c_int {
    unsafe {
        let [left, right] = both(state).map(|part| part.tree().tag());
        match (left, right) {
            (Tag::False, _) | (_, Tag::True) => same(state, 1),
            (Tag::True, _) => same(state, 2),
            _ => {
                pattern::join(state, Tag::Seq, 1, 2);
                1
            }
        }
    }
}

unsafe extern "C-unwind" fn choice(state: State) -> c_int {
    unsafe {
        let [left, right] = both(state).map(|part| part.tree());
        if let (Some(left), Some(right)) = (left.as_set(), right.as_set()) {
            pattern::set(state, &(left | right));
            return 1;
        }
        if left.has(NOFAIL) || right.tag() == Tag::False {
            return same(state, 1);
        }
        if left.tag() == Tag::False {
            return same(state, 2);
        }
        pattern::join(state, Tag::Choice, 1, 2);
    }
    1
}

unsafe extern "C-unwind" fn difference(state: State) -> c_int {
    unsafe {
        let [left, right] = both(state).map(|part| part.tree());
        if let (Some(left), Some(right)) = (left.as_set(), right.as_set()) {
            pattern::set(state, &(left - right));
            return 1;
        }
        pattern::wrap(state, 2, Tag::Not, Extra::Nothing);
        pattern::join(state, Tag::Seq, 3, 1);
    }
    1
}

unsafe extern "C-unwind" fn not(state: State) -> c_int {
    unsafe { unary(state, Tag::Not, Extra::Nothing) }
}

unsafe extern "C-unwind" fn and(state: State) -> c_int {
    unsafe { unary(state, Tag::And, Extra::Nothing) }
}

unsafe extern "C-unwind" fn repeat(state: State) -> c_int {
    unsafe {
        let pattern = check(state, 1);
        let n = integer(state, 2);
        let count = u32::try_from(n.unsigned_abs()).unwrap_or(u32::MAX);
        if n < 0 {
            return unary(state, Tag::AtMost, Extra::Count(count));
        }
        if pattern.tree().has(NULLABLE) {
            heka_lua::raise(state, heka_lua::Raise::here("loop body may accept empty string"));
        }
        unary(state, Tag::Star, Extra::Count(count))
    }
}

unsafe extern "C-unwind" fn divide(state: State) -> c_int {
    unsafe {
        check(state, 1);
        match ffi::lua_type(state, 2) {
            ffi::LUA_TFUNCTION => unary(state, Tag::Function, Extra::Value(2)),
            ffi::LUA_TTABLE => unary(state, Tag::Query, Extra::Value(2)),
            ffi::LUA_TSTRING => unary(state, Tag::Str, Extra::Value(2)),
            ffi::LUA_TNUMBER => match integer(state, 2) {
                n @ 0..=MAX_NUMBER => unary(state, Tag::Numbered, Extra::Key(n as u16)),
                _ => arg_error(state, 1, c"invalid number"),
            },
            _ => arg_error(state, 2, c"invalid replacement value"),
        }
    }
}

unsafe fn unary(state: State, tag: Tag, extra: Extra) -> c_int {
    unsafe {
        check(state, 1);
        pattern::wrap(state, 1, tag, extra);
    }
    1
}

unsafe extern "C-unwind" fn simple(state: State) -> c_int {
    unsafe { unary(state, Tag::Simple, Extra::Nothing) }
}

unsafe extern "C-unwind" fn substitution(state: State) -> c_int {
    unsafe { unary(state, Tag::Subst, Extra::Nothing) }
}

unsafe extern "C-unwind" fn table(state: State) -> c_int {
    unsafe { unary(state, Tag::Table, Extra::Nothing) }
}

/// Names are strings; a number is taken for the string it renders to, and any other value for itself.
unsafe fn name(state: State, n: c_int) {
    unsafe {
        if ffi::lua_type(state, n) == ffi::LUA_TNUMBER {
            ffi::lua_tolstring(state, n, std::ptr::null_mut());
        }
    }
}

unsafe extern "C-unwind" fn group(state: State) -> c_int {
    unsafe {
        check(state, 1);
        if heka_lua::is_none_or_nil(state, 2) {
            return unary(state, Tag::Group, Extra::Nothing);
        }
        name(state, 2);
        unary(state, Tag::Group, Extra::Value(2))
    }
}

unsafe extern "C-unwind" fn backref(state: State) -> c_int {
    unsafe {
        ffi::luaL_checkany(state, 1);
        name(state, 1);
        pattern::leaf_with(state, Tag::Backref, 1);
    }
    1
}

unsafe extern "C-unwind" fn fold(state: State) -> c_int {
    unsafe {
        check(state, 1);
        ffi::luaL_checktype(state, 2, ffi::LUA_TFUNCTION);
        unary(state, Tag::Fold, Extra::Value(2))
    }
}

unsafe extern "C-unwind" fn runtime(state: State) -> c_int {
    unsafe {
        check(state, 1);
        ffi::luaL_checktype(state, 2, ffi::LUA_TFUNCTION);
        unary(state, Tag::Runtime, Extra::Value(2))
    }
}

unsafe extern "C-unwind" fn position(state: State) -> c_int {
    unsafe { pattern::leaf(state, Tag::Position, 0, 0) };
    1
}

unsafe extern "C-unwind" fn argument(state: State) -> c_int {
    unsafe {
        match integer(state, 1) {
            n @ 1..=MAX_NUMBER => pattern::leaf(state, Tag::Arg, n as u16, 0),
            _ => arg_error(state, 1, c"invalid argument index"),
        }
    }
    1
}

unsafe extern "C-unwind" fn constants(state: State) -> c_int {
    unsafe {
        let count = ffi::lua_gettop(state);
        match count {
            0 => pattern::leaf(state, Tag::True, 0, 0),
            1 => pattern::leaf_with(state, Tag::Const, 1),
            _ => {
                // Several constants are the values of a group.
                pattern::leaf_with(state, Tag::Const, 1);
                for n in 2..=count {
                    pattern::leaf_with(state, Tag::Const, n);
                    pattern::join(state, Tag::Seq, count + 1, count + 2);
                    ffi::lua_replace(state, count + 1);
                    ffi::lua_settop(state, count + 1);
                }
                pattern::wrap(state, count + 1, Tag::Group, Extra::Nothing);
            }
        }
    }
    1
}
