//! String and substitution captures: text put together in a buffer that lies on the Lua stack.

use super::Values;
use crate::program::{Kind, Value};
use crate::vm::Form;
use heka_lua::{Raise, State, ffi, push_bytes, raise};
use std::ffi::{CStr, c_int};

/// Captures that a format can name, the whole match among them.
const MAX_PIECES: usize = 10;
/// Bytes in a new buffer.
const ROOM: usize = 1024;
/// The largest buffer that is kept from one match to the next.
const KEPT: usize = 1 << 18;

/// The buffer, in a userdata: its bytes follow.
#[repr(C)]
struct Buffer {
    room: usize,
    /// A match uses it, or was using it when an error ended it.
    busy: bool,
}

impl Buffer {
    fn bytes(&mut self) -> *mut u8 {
        // The userdata goes on behind the header.
        unsafe { (&raw mut *self).add(1).cast() }
    }
}

/// What a format can refer to.
#[derive(Clone, Copy)]
enum Piece {
    Text {
        start: u32,
        end: u32,
    },
    /// The capture at this index.
    Capture(u32),
}

unsafe fn new_buffer(state: State, room: usize) -> *mut Buffer {
    unsafe {
        let buffer: *mut Buffer = ffi::lua_newuserdata(state, size_of::<Buffer>() + room).cast();
        buffer.write(Buffer { room, busy: true });
        buffer
    }
}

impl Values {
    /// Gives the buffer back for the next match.
    pub unsafe fn release_text(&mut self) {
        unsafe {
            let buffer: *mut Buffer = ffi::lua_touserdata(self.state, self.text).cast();
            if let Some(buffer) = buffer.as_mut() {
                buffer.busy = false;
                if buffer.room > KEPT {
                    ffi::lua_pushnil(self.state);
                } else {
                    ffi::lua_pushvalue(self.state, self.text);
                }
                ffi::lua_replace(self.state, self.text_upvalue);
            }
        }
    }

    /// The buffer: this match's own, or the one kept from another match, or a new one.
    unsafe fn buffer(&mut self) -> &'static mut Buffer {
        unsafe {
            let mut buffer: *mut Buffer = ffi::lua_touserdata(self.state, self.text).cast();
            if buffer.is_null() {
                buffer = ffi::lua_touserdata(self.state, self.text_upvalue).cast();
                ffi::luaL_checkstack_(self.state, 2, c"too many captures".as_ptr());
                if buffer.is_null() || (*buffer).busy {
                    buffer = new_buffer(self.state, ROOM);
                } else {
                    (*buffer).busy = true;
                    ffi::lua_pushvalue(self.state, self.text_upvalue);
                }
                ffi::lua_replace(self.state, self.text);
            }
            &mut *buffer
        }
    }

    unsafe fn add(&mut self, bytes: &[u8]) {
        unsafe {
            let mut buffer = self.buffer();
            let length = self.text_len + bytes.len();
            if length > buffer.room {
                ffi::luaL_checkstack_(self.state, 2, c"too many captures".as_ptr());
                let larger = new_buffer(self.state, (2 * buffer.room).max(length));
                (*larger).bytes().copy_from_nonoverlapping(buffer.bytes(), self.text_len);
                ffi::lua_replace(self.state, self.text);
                buffer = &mut *larger;
            }
            buffer.bytes().add(self.text_len).copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
            self.text_len = length;
        }
    }

    /// Pushes the text from `start` on, and takes it out of the buffer.
    pub unsafe fn push_text(&mut self, start: usize) {
        unsafe {
            if self.text_len == start {
                return push_bytes(self.state, b"");
            }
            let bytes = std::slice::from_raw_parts(self.buffer().bytes().add(start), self.text_len - start);
            self.text_len = start;
            push_bytes(self.state, bytes);
        }
    }

    /// Adds the text of the string capture at `at`.
    pub unsafe fn add_string(&mut self, at: &mut u32) {
        unsafe {
            if self.stack.is_reached() {
                raise(self.state, Raise::here("subcapture nesting too deep"));
            }
            let format = match (*self.program).value(self.at(*at).key) {
                Value::Text(start, length) => std::slice::from_raw_parts(start, length),
                _ => b"",
            };
            let mut pieces = [Piece::Capture(0); MAX_PIECES];
            let count = self.pieces(at, &mut pieces, 0);
            let mut rest = format;
            while let Some(escape) = rest.iter().position(|&byte| byte == b'%') {
                self.add(&rest[..escape]);
                // A lone `%` at the end stands for a NUL, as in a C string.
                let next = rest.get(escape + 1).copied().unwrap_or(0);
                rest = rest.get(escape + 2..).unwrap_or_default();
                if !next.is_ascii_digit() {
                    self.add(&[next]);
                    continue;
                }
                let number = usize::from(next - b'0');
                match pieces[..count].get(number) {
                    None => raise(self.state, Raise::here(format!("invalid capture index ({number})"))),
                    Some(&Piece::Text { start, end }) => self.add(self.slice(start, end)),
                    Some(&Piece::Capture(mut capture)) => {
                        if !self.add_first(&mut capture, c"capture") {
                            raise(self.state, Raise::here(format!("no values in capture index {number}")));
                        }
                    }
                }
            }
            self.add(rest);
        }
    }

    /// Lists the match of the capture at `at` and what is captured inside, as far as formats can name it.
    unsafe fn pieces(&mut self, at: &mut u32, pieces: &mut [Piece; MAX_PIECES], count: usize) -> usize {
        unsafe {
            self.visit();
            let capture = self.at(*at);
            let mut next = count + 1;
            *at += 1;
            if capture.form != Form::Full {
                while !self.is_end(*at) {
                    if next >= MAX_PIECES {
                        self.visit();
                        *at = self.after(*at);
                    } else if self.at(*at).kind == Kind::Simple {
                        next = self.pieces(at, pieces, next);
                    } else {
                        pieces[next] = Piece::Capture(*at);
                        *at = self.after(*at);
                        next += 1;
                    }
                }
                *at += 1;
            }
            pieces[count] = Piece::Text { start: capture.start, end: self.end_before(*at) };
            next
        }
    }

    /// Adds the text of the substitution capture at `at`.
    pub unsafe fn add_substitution(&mut self, at: &mut u32) {
        unsafe {
            let capture = self.at(*at);
            *at += 1;
            if capture.form == Form::Full {
                return self.add(self.slice(capture.start, capture.link));
            }
            if self.stack.is_reached() {
                raise(self.state, Raise::here("subcapture nesting too deep"));
            }
            let mut from = capture.start;
            while !self.is_end(*at) {
                let next = self.at(*at).start;
                self.add(self.slice(from, next));
                from = if self.add_first(at, c"replacement") { self.end_before(*at) } else { next };
            }
            self.add(self.slice(from, self.at(*at).start));
            *at += 1;
        }
    }

    /// Adds the first value of the capture at `at`; `false` when it has none.
    unsafe fn add_first(&mut self, at: &mut u32, what: &CStr) -> bool {
        unsafe {
            let capture = self.at(*at);
            match capture.kind {
                Kind::Simple if capture.form == Form::Full => {
                    *at += 1;
                    self.add(self.slice(capture.start, capture.link));
                }
                Kind::Str => self.add_string(at),
                Kind::Subst => self.add_substitution(at),
                _ => {
                    let count: c_int = self.push(at);
                    if count == 0 {
                        return false;
                    }
                    ffi::lua_settop(self.state, -count);
                    if ffi::lua_isstring(self.state, -1) == 0 {
                        let found = ffi::luaL_typename(self.state, -1);
                        ffi::luaL_error(self.state, c"invalid %s value (a %s)".as_ptr(), what.as_ptr(), found);
                    }
                    let mut length = 0;
                    let start = ffi::lua_tolstring(self.state, -1, &mut length);
                    self.add(std::slice::from_raw_parts(start.cast(), length));
                    ffi::lua_settop(self.state, -2);
                }
            }
            self.visit();
            true
        }
    }
}
