//! Captures to Lua values.
//!
//! Everything here may raise a Lua error, because captures call functions of scripts and strings cost memory: frames
//! hold plain data only, and buffers are userdata on the Lua stack.

mod number;
mod text;

use crate::pattern::out_of_budget;
use crate::program::{Kind, Program, Value};
use crate::stack;
use crate::vm::{Capture, Form};
use heka_lua::{Raise, State, ffi, push_bytes, raise, spend};
use std::ffi::c_int;

pub use number::plain as plain_number;

/// Captures visited between payments.
const PERIOD: u32 = 256;

/// What the captures of a match refer to.
pub struct Values {
    pub state: State,
    pub program: *const Program,
    pub subject: *const u8,
    pub captures: *const Capture,
    /// Stack index of the pattern's table of Lua values.
    pub env: c_int,
    /// Stack index below the values of match-time captures.
    pub dynamic: c_int,
    /// Stack index for the buffer of texts, and its upvalue.
    pub text: c_int,
    pub text_upvalue: c_int,
    /// Bytes in use in that buffer.
    pub text_len: usize,
    /// Stack index of the last argument of `match`.
    pub last_argument: c_int,
    /// Visits since the last payment.
    pub visits: u32,
    pub stack: stack::Limit,
}

/// Arguments of `match` before the extra ones.
const FIXED_ARGUMENTS: c_int = 3;

impl Values {
    #[inline(always)]
    fn at(&self, at: u32) -> Capture {
        // SAFETY: `at` is an index in the list, or the index of an end that the list has.
        unsafe { *self.captures.add(at as usize) }
    }

    #[inline(always)]
    fn is_end(&self, at: u32) -> bool {
        self.at(at).form == Form::Close
    }

    /// The index behind the capture at `at`.
    fn after(&self, at: u32) -> u32 {
        let capture = self.at(at);
        1 + if capture.form == Form::Full { at } else { capture.link }
    }

    fn slice(&self, start: u32, end: u32) -> &'static [u8] {
        // SAFETY: captures lie inside the subject, which stays on the Lua stack during the call.
        unsafe { std::slice::from_raw_parts(self.subject.add(start as usize), (end - start) as usize) }
    }

    /// The place behind the capture that ends before index `next`.
    fn end_before(&self, next: u32) -> u32 {
        let last = self.at(next - 1);
        if last.form == Form::Full { last.link } else { last.start }
    }

    #[inline(always)]
    unsafe fn visit(&mut self) {
        self.visits += 1;
        if self.visits == PERIOD {
            self.visits = 0;
            if !spend(u64::from(PERIOD)) {
                unsafe { out_of_budget(self.state) }
            }
        }
    }

    unsafe fn push_value(&self, key: u16) {
        unsafe { ffi::lua_rawgeti_(self.state, self.env, c_int::from(key)) }
    }

    unsafe fn push_slice(&self, start: u32, end: u32) {
        unsafe { push_bytes(self.state, self.slice(start, end)) }
    }

    /// Pushes the values of the capture at `at`, and moves `at` behind it. Returns their number.
    ///
    /// # Safety
    /// The list of captures is whole, and the stack indices are as said.
    pub unsafe fn push(&mut self, at: &mut u32) -> c_int {
        unsafe {
            self.visit();
            let state = self.state;
            ffi::luaL_checkstack_(state, 4, c"too many captures".as_ptr());
            let capture = self.at(*at);
            match capture.kind {
                Kind::Simple if capture.form == Form::Full => {
                    *at += 1;
                    self.push_slice(capture.start, capture.link);
                    1
                }
                Kind::Simple => {
                    let count = self.push_nested(at, true);
                    // The whole match is the first value.
                    ffi::lua_insert(state, -count);
                    count
                }
                Kind::Group if capture.key == 0 => self.push_nested(at, false),
                Kind::Group => {
                    *at = self.after(*at);
                    0
                }
                Kind::Position => {
                    *at += 1;
                    ffi::lua_pushnumber(state, f64::from(capture.start) + 1.0);
                    1
                }
                Kind::Const => {
                    *at += 1;
                    self.push_value(capture.key);
                    1
                }
                Kind::Runtime => {
                    *at += 1;
                    ffi::lua_pushvalue(state, self.dynamic + c_int::from(capture.key));
                    1
                }
                Kind::Table => self.push_table(at),
                Kind::Tonumber if capture.form == Form::Full => {
                    *at += 1;
                    number::push(state, self.slice(capture.start, capture.link));
                    1
                }
                Kind::Function | Kind::Tonumber => {
                    let top = ffi::lua_gettop(state);
                    self.push_value(capture.key);
                    let count = self.push_nested(at, false);
                    ffi::lua_call(state, count, ffi::LUA_MULTRET);
                    ffi::lua_gettop(state) - top
                }
                Kind::Str => {
                    let start = self.text_len;
                    self.add_string(at);
                    self.push_text(start);
                    1
                }
                Kind::Subst => {
                    let start = self.text_len;
                    self.add_substitution(at);
                    self.push_text(start);
                    1
                }
                Kind::Query => self.push_query(at),
                Kind::Numbered => self.push_numbered(at),
                // Only in programs that are visited.
                Kind::Named => {
                    *at += 1;
                    0
                }
                Kind::Fold => self.push_fold(at),
                Kind::Backref => self.push_backref(at),
                Kind::Arg => self.push_argument(at),
            }
        }
    }

    /// Pushes the values of the captures inside the one at `at`; the whole match if there are none, or last if
    /// `with_whole`.
    unsafe fn push_nested(&mut self, at: &mut u32, with_whole: bool) -> c_int {
        unsafe {
            let capture = self.at(*at);
            *at += 1;
            if capture.form == Form::Full {
                self.push_slice(capture.start, capture.link);
                return 1;
            }
            if self.stack.is_reached() {
                raise(self.state, Raise::here("subcapture nesting too deep"));
            }
            let mut count = 0;
            while !self.is_end(*at) {
                count += self.push(at);
            }
            if with_whole || count == 0 {
                ffi::luaL_checkstack_(self.state, 4, c"too many captures".as_ptr());
                self.push_slice(capture.start, self.at(*at).start);
                count += 1;
            }
            *at += 1;
            count
        }
    }

    /// As `push_nested`, but only the first value.
    unsafe fn push_first_nested(&mut self, at: &mut u32) {
        unsafe {
            let count = self.push_nested(at, false);
            ffi::lua_settop(self.state, -count);
        }
    }

    unsafe fn push_table(&mut self, at: &mut u32) -> c_int {
        unsafe {
            let capture = self.at(*at);
            *at += 1;
            if capture.form == Form::Full {
                ffi::lua_createtable(self.state, 0, 0);
                return 1;
            }
            if self.stack.is_reached() {
                raise(self.state, Raise::here("subcapture nesting too deep"));
            }
            let (mut positional, mut named) = (0, 0);
            let mut inside = *at;
            while !self.is_end(inside) {
                self.visit();
                let child = self.at(inside);
                *(if child.kind == Kind::Group && child.key > 0 { &mut named } else { &mut positional }) += 1;
                inside = self.after(inside);
            }
            ffi::lua_createtable(self.state, positional, named);
            let table = ffi::lua_gettop(self.state);
            let mut count = 0;
            while !self.is_end(*at) {
                let child = self.at(*at);
                if child.kind == Kind::Group && child.key > 0 {
                    ffi::luaL_checkstack_(self.state, 4, c"too many captures".as_ptr());
                    self.push_value(child.key);
                    self.push_first_nested(at);
                    ffi::lua_rawset(self.state, table);
                } else {
                    let values = self.push(at);
                    for value in (1..=values).rev() {
                        ffi::lua_rawseti_(self.state, table, count + value);
                    }
                    count += values;
                }
            }
            *at += 1;
            1
        }
    }

    unsafe fn push_query(&mut self, at: &mut u32) -> c_int {
        unsafe {
            self.push_value(self.at(*at).key);
            self.push_first_nested(at);
            ffi::lua_gettable_(self.state, -2);
            if ffi::lua_type(self.state, -1) == ffi::LUA_TNIL {
                ffi::lua_settop(self.state, -3);
                return 0;
            }
            ffi::lua_remove(self.state, -2);
            1
        }
    }

    unsafe fn push_numbered(&mut self, at: &mut u32) -> c_int {
        unsafe {
            let number = c_int::from(self.at(*at).key);
            if number == 0 {
                *at = self.after(*at);
                return 0;
            }
            let count = self.push_nested(at, false);
            if count < number {
                raise(self.state, Raise::here(format!("no capture '{number}'")));
            }
            ffi::lua_pushvalue(self.state, number - count - 1);
            ffi::lua_replace(self.state, -count - 1);
            ffi::lua_settop(self.state, -count);
            1
        }
    }

    unsafe fn push_fold(&mut self, at: &mut u32) -> c_int {
        unsafe {
            let capture = self.at(*at);
            *at += 1;
            let values = if capture.form == Form::Full || self.is_end(*at) { 0 } else { self.fold_from(at) };
            if values == 0 {
                raise(self.state, Raise::here("no initial value for fold capture"));
            }
            ffi::lua_settop(self.state, -values);
            while !self.is_end(*at) {
                self.push_value(capture.key);
                ffi::lua_insert(self.state, -2);
                let values = self.push(at);
                ffi::lua_call(self.state, values + 1, 1);
            }
            *at += 1;
            1
        }
    }

    /// The values that a fold begins with.
    unsafe fn fold_from(&mut self, at: &mut u32) -> c_int {
        unsafe {
            if self.stack.is_reached() {
                raise(self.state, Raise::here("subcapture nesting too deep"));
            }
            self.push(at)
        }
    }

    unsafe fn push_argument(&mut self, at: &mut u32) -> c_int {
        unsafe {
            let number = c_int::from(self.at(*at).key);
            *at += 1;
            if number + FIXED_ARGUMENTS > self.last_argument {
                raise(self.state, Raise::here(format!("reference to absent argument #{number}")));
            }
            ffi::lua_pushvalue(self.state, number + FIXED_ARGUMENTS);
            1
        }
    }

    unsafe fn push_backref(&mut self, at: &mut u32) -> c_int {
        unsafe {
            if self.stack.is_reached() {
                raise(self.state, Raise::here("subcapture nesting too deep"));
            }
            let mut group = self.find_group(*at);
            *at += 1;
            self.push_nested(&mut group, false)
        }
    }

    /// The last named group that ended before the back reference at `at`, outside of which it stands, with its name.
    unsafe fn find_group(&mut self, at: u32) -> u32 {
        unsafe {
            let name = self.at(at).key;
            let mut group = at;
            while group > 0 {
                self.visit();
                group -= 1;
                if self.is_end(group) {
                    group = self.at(group).link;
                } else if self.at(group).form == Form::Open {
                    // It stands around the reference.
                    continue;
                }
                let capture = self.at(group);
                if capture.kind == Kind::Group && capture.key > 0 && self.same_name(capture.key, name) {
                    return group;
                }
            }
            let text = match (*self.program).value(name) {
                Value::Text(start, length) => std::slice::from_raw_parts(start, length),
                _ => b"(null)",
            };
            ffi::luaL_where(self.state, 1);
            push_bytes(self.state, b"back reference '");
            push_bytes(self.state, text);
            push_bytes(self.state, b"' not found");
            ffi::lua_concat(self.state, 4);
            ffi::lua_error(self.state)
        }
    }

    unsafe fn same_name(&self, a: u16, b: u16) -> bool {
        unsafe {
            match ((*self.program).value(a), (*self.program).value(b)) {
                // Lua keeps one copy of equal strings.
                (Value::Text(a, _), Value::Text(b, _)) => a == b,
                _ => {
                    self.push_value(a);
                    self.push_value(b);
                    let same = ffi::lua_equal(self.state, -1, -2) != 0;
                    ffi::lua_settop(self.state, -3);
                    same
                }
            }
        }
    }
}
