//! `lpeg.match`: runs the machine, gives it room, calls match-time captures, and pushes the results.

use crate::compile::Purpose;
use crate::pattern::{self, out_of_budget};
use crate::prepare::prepare;
use crate::program::Kind;
use crate::stack;
use crate::values::Values;
use crate::vm::{Capture, Event, Form, Frame, Machine};
use heka_lua::{Raise, State, ffi, integer, is_none_or_nil, raise};
use std::ffi::{c_int, c_void};

/// Upvalues of `lpeg.match`, beside the metatable of patterns.
const SCRATCH: c_int = ffi::lua_upvalueindex(3);
const TEXT: c_int = ffi::lua_upvalueindex(4);

/// Room that a match begins with.
const CAPTURES: u32 = 32;
const FRAMES: u32 = 32;
/// The largest scratch that is kept from one match to the next, in bytes.
const KEPT: usize = 1 << 18;
/// The longest subject: places in it are 32 bits wide.
const MAX_SUBJECT: usize = u32::MAX as usize - 1;

/// What all functions of a module share: upvalue 2.
#[repr(C)]
pub struct Shared {
    /// Pending calls and choices that a match may have.
    pub max_frames: u32,
    /// Steps paid for and not yet taken.
    pub fuel: i32,
    /// Lua's own `tonumber`.
    pub tonumber: Option<ffi::lua_CFunction>,
}

impl Shared {
    /// The block of the running function's module.
    ///
    /// # Safety
    /// The running function has the block as upvalue 2.
    pub unsafe fn of(state: State) -> &'static mut Shared {
        unsafe { &mut *ffi::lua_touserdata(state, ffi::lua_upvalueindex(2)).cast() }
    }
}

/// Key of the shared block in the registry: the address of this byte, which no script can name.
static SHARED: u8 = 0;

fn shared_key() -> *mut c_void {
    (&raw const SHARED).cast_mut().cast()
}

/// Keeps the shared block at stack index `n` (not relative to the top) for [`shared_of`].
///
/// # Safety
/// `state` is live and has room for two values.
pub unsafe fn keep_shared(state: State, n: c_int) {
    unsafe {
        ffi::lua_pushlightuserdata(state, shared_key());
        ffi::lua_pushvalue(state, n);
        ffi::lua_rawset(state, ffi::LUA_REGISTRYINDEX);
    }
}

/// The block, for a host whose functions lack the upvalue; `None` when the module was never opened.
///
/// # Safety
/// `state` is live and has room for a value.
pub unsafe fn shared_of(state: State) -> Option<&'static Shared> {
    unsafe {
        ffi::lua_pushlightuserdata(state, shared_key());
        ffi::lua_rawget_(state, ffi::LUA_REGISTRYINDEX);
        let shared: *const Shared = ffi::lua_touserdata(state, -1).cast_const().cast();
        ffi::lua_settop(state, -2);
        shared.as_ref()
    }
}

/// Room for frames and captures, in a userdata: they follow.
#[repr(C)]
struct Scratch {
    frames: u32,
    captures: u32,
    /// A match uses it, or was using it when an error ended it.
    busy: bool,
}

impl Scratch {
    unsafe fn push(state: State, frames: u32, captures: u32) -> *mut Scratch {
        unsafe {
            let scratch: *mut Scratch = ffi::lua_newuserdata(state, Scratch::size(frames, captures)).cast();
            scratch.write(Scratch { frames, captures, busy: true });
            scratch
        }
    }

    fn size(frames: u32, captures: u32) -> usize {
        Scratch::OFFSET + frames as usize * size_of::<Frame>() + captures as usize * size_of::<Capture>()
    }

    const OFFSET: usize = size_of::<Scratch>().next_multiple_of(8);

    /// Where the frames and the captures are.
    unsafe fn parts(scratch: *mut Scratch) -> (*mut Frame, *mut Capture) {
        unsafe {
            let frames: *mut Frame = scratch.byte_add(Scratch::OFFSET).cast();
            (frames, frames.add((*scratch).frames as usize).cast())
        }
    }
}

/// A call of `match` in progress. Plain data: any Lua error may end it.
struct Matching {
    state: State,
    /// The stack indices that follow the arguments: the pattern's values, the scratch, the text buffer. The values of
    /// match-time captures follow those.
    env: c_int,
    max_frames: u32,
    scratch: *mut Scratch,
    machine: Machine,
    values: Values,
}

/// `lpeg.match(pattern, subject [, init, …])`.
///
/// # Safety
/// Called by Lua, with the upvalues that the module gives.
pub unsafe extern "C-unwind" fn match_(state: State) -> c_int {
    unsafe {
        let pattern = pattern::check(state, 1);
        let mut length = 0;
        let subject: *const u8 = ffi::luaL_checklstring(state, 2, &mut length).cast();
        if length > MAX_SUBJECT {
            raise(state, Raise::here("subject too long"));
        }
        let init = if is_none_or_nil(state, 3) { 0 } else { start(integer(state, 3), length) };
        let env = ffi::lua_gettop(state) + 1;
        ffi::luaL_checkstack_(state, 8, c"too many arguments".as_ptr());
        let shared = Shared::of(state);
        let program = prepare(state, 1, pattern, shared, Purpose::Values);

        let mut scratch: *mut Scratch = ffi::lua_touserdata(state, SCRATCH).cast();
        if scratch.is_null() || (*scratch).busy {
            scratch = Scratch::push(state, FRAMES, CAPTURES);
            ffi::lua_pushvalue(state, -1);
            ffi::lua_replace(state, SCRATCH);
        } else {
            (*scratch).busy = true;
            ffi::lua_pushvalue(state, SCRATCH);
        }
        ffi::lua_pushnil(state);
        let (frames, captures) = Scratch::parts(scratch);
        let mut matching = Matching {
            state,
            env,
            max_frames: shared.max_frames,
            scratch,
            machine: Machine {
                program,
                subject,
                end: subject.add(length),
                s: subject.add(init),
                pc: (*program).code,
                captures,
                capture_count: 0,
                capture_room: (*scratch).captures,
                frames,
                frame_count: 0,
                frame_room: (*scratch).frames.min(shared.max_frames),
                dynamic: 0,
                fuel: shared.fuel,
            },
            values: Values {
                state,
                program,
                subject,
                captures,
                env,
                dynamic: env + 2,
                text: env + 2,
                text_upvalue: TEXT,
                text_len: 0,
                last_argument: env - 1,
                visits: 0,
                stack: stack::Limit::new(),
            },
        };
        let end = matching.run();
        shared.fuel = matching.machine.fuel;
        let results = match end {
            Some(end) => matching.push_results(end),
            None => {
                ffi::lua_pushnil(state);
                1
            }
        };
        matching.release();
        results
    }
}

/// The place where a match begins: 1 is the first byte, -1 the last one.
fn start(init: i64, length: usize) -> usize {
    let distance = usize::try_from(init.unsigned_abs()).unwrap_or(usize::MAX);
    if init > 0 { (distance - 1).min(length) } else { length.saturating_sub(distance) }
}

impl Matching {
    /// Where the match ends, or `None` when there is none.
    unsafe fn run(&mut self) -> Option<u32> {
        unsafe {
            loop {
                match self.machine.run() {
                    Event::Matched(end) => return Some(end),
                    Event::Failed => return None,
                    Event::CapturesFull => {
                        let Some(captures) = (*self.scratch).captures.checked_mul(2) else {
                            raise(self.state, Raise::here("too many captures"))
                        };
                        self.grow((*self.scratch).frames, captures);
                    }
                    Event::FramesFull => {
                        if self.machine.frame_room >= self.max_frames {
                            raise(self.state, Raise::here("too many pending calls/choices"));
                        }
                        self.grow((*self.scratch).frames.saturating_mul(2), (*self.scratch).captures);
                    }
                    Event::Runtime(open) => {
                        if !self.runtime(open) && !self.machine.fail() {
                            return None;
                        }
                    }
                    Event::OutOfBudget => out_of_budget(self.state),
                }
            }
        }
    }

    /// Moves frames and captures to a larger scratch.
    unsafe fn grow(&mut self, frames: u32, captures: u32) {
        unsafe {
            let state = self.state;
            ffi::luaL_checkstack_(state, 2, c"too many captures".as_ptr());
            let larger = Scratch::push(state, frames, captures);
            let (new_frames, new_captures) = Scratch::parts(larger);
            let machine = &mut self.machine;
            new_frames.copy_from_nonoverlapping(machine.frames, machine.frame_count as usize);
            new_captures.copy_from_nonoverlapping(machine.captures, machine.capture_count as usize);
            (machine.frames, machine.captures) = (new_frames, new_captures);
            machine.frame_room = frames.min(self.max_frames);
            machine.capture_room = captures;
            self.values.captures = new_captures;
            self.scratch = larger;
            ffi::lua_pushvalue(state, -1);
            ffi::lua_replace(state, SCRATCH);
            ffi::lua_replace(state, self.env + 1);
        }
    }

    /// Calls the function of the match-time capture that begins at index `open` of the list. `false` when it says that
    /// the match fails here.
    unsafe fn runtime(&mut self, open: u32) -> bool {
        unsafe {
            let state = self.state;
            let dynamic = self.values.dynamic;
            let captures = self.machine.captures;
            let here = self.machine.offset();
            // What failures have dropped since the last function returned still lies above.
            ffi::lua_settop(state, dynamic + self.machine.dynamic as c_int);
            ffi::luaL_checkstack_(state, 4, c"too many runtime captures".as_ptr());
            let count = self.machine.capture_count;
            let function = (*captures.add(open as usize)).key;
            // The machine left room for the end of the capture.
            captures.add(count as usize).write(Capture {
                start: here,
                link: open,
                key: 0,
                kind: Kind::Group,
                form: Form::Close,
            });
            let group = &mut *captures.add(open as usize);
            (group.kind, group.key, group.link) = (Kind::Group, 0, count);
            // Values that this capture takes as its own arguments.
            let inside = (open + 1..count).map(|at| &*captures.add(at as usize));
            let first = inside
                .filter(|entry| entry.kind == Kind::Runtime && entry.form == Form::Full)
                .map(|entry| c_int::from(entry.key))
                .next();

            ffi::lua_rawgeti_(state, self.env, c_int::from(function));
            ffi::lua_pushvalue(state, 2);
            ffi::lua_pushnumber(state, f64::from(here) + 1.0);
            let mut at = open;
            let arguments = self.values.push(&mut at);
            // Another match must not pay with this one's steps.
            Shared::of(state).fuel = 0;
            ffi::lua_call(state, arguments + 2, ffi::LUA_MULTRET);

            self.machine.capture_count = open;
            let mut results = dynamic + self.machine.dynamic as c_int + 1;
            if let Some(first) = first {
                // The results move down over the values that were used.
                let top = ffi::lua_gettop(state);
                ffi::luaL_checkstack_(state, 1, c"too many runtime captures".as_ptr());
                let target = dynamic + first;
                for (from, to) in (results..=top).zip(target..) {
                    ffi::lua_pushvalue(state, from);
                    ffi::lua_replace(state, to);
                }
                ffi::lua_settop(state, target + top - results);
                results = target;
                self.machine.dynamic = first as u32 - 1;
            }
            if ffi::lua_toboolean(state, results) == 0 {
                ffi::lua_settop(state, results - 1);
                return false;
            }
            let mut end = here;
            if ffi::lua_type(state, results) != ffi::LUA_TBOOLEAN {
                let place = (ffi::lua_tonumber(state, results) as i64).saturating_sub(1);
                let length = self.machine.end.offset_from(self.machine.subject) as i64;
                if place < i64::from(here) || place > length {
                    raise(state, Raise::here("invalid position returned by match-time capture"));
                }
                end = place as u32;
                self.machine.s = self.machine.subject.add(place as usize);
            }
            ffi::lua_remove(state, results);
            let values = (ffi::lua_gettop(state) + 1 - results) as u32;
            if values > 0 {
                self.add_dynamic(open, end, values);
            }
            true
        }
    }

    /// Lists the values at the top of the stack as captures at `end`, in the group that begins at index `open`.
    unsafe fn add_dynamic(&mut self, open: u32, end: u32, values: u32) {
        unsafe {
            let close = open + values + 1;
            self.machine.capture_count = open + 1;
            while close >= self.machine.capture_room {
                self.grow((*self.scratch).frames, (*self.scratch).captures.saturating_mul(2));
            }
            let captures = self.machine.captures;
            (*captures.add(open as usize)).link = close;
            for value in 1..=values {
                // The Lua stack of a function is far shorter than 2¹⁶.
                let key = (self.machine.dynamic + value) as u16;
                let entry = Capture { start: end, link: end, key, kind: Kind::Runtime, form: Form::Full };
                captures.add((open + value) as usize).write(entry);
            }
            let entry = Capture { start: end, link: open, key: 0, kind: Kind::Group, form: Form::Close };
            captures.add(close as usize).write(entry);
            self.machine.capture_count = close + 1;
            self.machine.dynamic += values;
        }
    }

    /// Pushes the values of all captures; the place behind the match if there are none.
    unsafe fn push_results(&mut self, end: u32) -> c_int {
        unsafe {
            let (mut at, mut results) = (0, 0);
            while at < self.machine.capture_count {
                results += self.values.push(&mut at);
            }
            ffi::luaL_checkstack_(self.state, 4, c"too many captures".as_ptr());
            if results == 0 {
                ffi::lua_pushnumber(self.state, f64::from(end) + 1.0);
                results = 1;
            }
            self.values.release_text();
            results
        }
    }

    /// Gives the scratch back for the next match.
    unsafe fn release(&mut self) {
        unsafe {
            let scratch = &mut *self.scratch;
            scratch.busy = false;
            if Scratch::size(scratch.frames, scratch.captures) > KEPT {
                ffi::lua_pushnil(self.state);
                ffi::lua_replace(self.state, SCRATCH);
            }
        }
    }
}
