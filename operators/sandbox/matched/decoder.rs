//! `match_decoder`: a `process_message` that does nothing but match and inject, which the host runs without a call into
//! Lua.
//!
//! To Lua it is a function like any other. When it is the script's `process_message`, needs no function of Lua's and
//! meets nothing unusual, [`direct`] does what it does. In all other cases, errors among them, it is called.

use super::build::{TemplateAt, build};
use super::template::Template;
use super::{GRAMMAR, PLACES, SUBJECT, TEMPLATE, check_tables, plan, run};
use crate::config::Kind;
use crate::host::{host, room};
use crate::inject::settle;
use crate::{State, ffi};
use heka_lua::{Raise, guard, push_bytes, raise};
use std::ffi::{c_int, c_void};

/// The function of a plan.
pub(super) struct Decoder {
    function: *const c_void,
    /// Keeps it alive.
    pub(super) anchor: c_int,
    pub(super) template: Template,
    /// Its messages have the payload that they were made of.
    pub(super) keeps_payload: bool,
}

/// Stack index of the last argument of `match_decoder`, behind those of `inject_match`.
const KEEPS_PAYLOAD: c_int = 5;

/// `match_decoder(grammar, template, places, keeps_payload)` → a function that matches the payload of the current
/// message, injects what was captured as `inject_match` does, and returns 0, or -1 where it does not match. The template
/// is taken as it is now.
pub(crate) unsafe extern "C-unwind" fn match_decoder(state: State) -> c_int {
    unsafe {
        ffi::lua_settop(state, 4);
        room(state, 24);
        // As `inject_match` has them.
        ffi::lua_pushnil(state);
        ffi::lua_insert(state, SUBJECT);
        let Some(pattern) = heka_lpeg::pattern_at(state, GRAMMAR) else {
            raise(state, Raise::argument(1, "pattern expected"))
        };
        check_tables(state, [(TEMPLATE, 2), (PLACES, 3)]);
        copy_template(state);
        let known = plan::known(state).map(|(at, _)| at);
        let at = match known {
            Some(at) => Some(at),
            None => plan::make(state, pattern, 3),
        };
        for upvalue in [GRAMMAR, TEMPLATE, PLACES, KEEPS_PAYLOAD] {
            ffi::lua_pushvalue(state, upvalue);
        }
        ffi::lua_pushcclosure(state, decode, 4);
        if let Some(at) = at {
            keep(state, at);
        }
    }
    1
}

/// Makes the function at the top the decoder of the plan, if that has none and the template is a plain one.
unsafe fn keep(state: State, at: usize) {
    unsafe {
        if host(state).matches.plans.list[at].decoder.is_some() {
            return;
        }
        ffi::lua_pushvalue(state, -1);
        // This may raise an error, so it comes before there is anything to be freed.
        let anchor = ffi::luaL_ref(state, ffi::LUA_REGISTRYINDEX);
        let Some(template) = Template::read(state, TEMPLATE) else {
            return ffi::luaL_unref(state, ffi::LUA_REGISTRYINDEX, anchor);
        };
        let matches = &mut host(state).matches;
        matches.plans.list[at].decoder = Some(Decoder {
            function: ffi::lua_topointer(state, -1),
            anchor,
            template,
            keeps_payload: ffi::lua_toboolean(state, KEEPS_PAYLOAD) != 0,
        });
        matches.decoder = Some(at);
    }
}

/// Replaces the template by a copy that the script cannot change.
unsafe fn copy_template(state: State) {
    unsafe {
        ffi::lua_createtable(state, 0, 4);
        let copy = ffi::lua_gettop(state);
        if ffi::lua_type(state, TEMPLATE) == ffi::LUA_TTABLE {
            ffi::lua_pushnil(state);
            while ffi::lua_next(state, TEMPLATE) != 0 {
                ffi::lua_pushvalue(state, copy + 1);
                ffi::lua_insert(state, copy + 2);
                ffi::lua_rawset(state, copy);
            }
        }
        ffi::lua_replace(state, TEMPLATE);
    }
}

/// The function as Lua calls it.
unsafe extern "C-unwind" fn decode(state: State) -> c_int {
    unsafe {
        ffi::lua_settop(state, 0);
        room(state, 24);
        ffi::lua_pushvalue(state, ffi::lua_upvalueindex(1));
        ffi::lua_pushnil(state);
        ffi::lua_pushvalue(state, ffi::lua_upvalueindex(2));
        ffi::lua_pushvalue(state, ffi::lua_upvalueindex(3));
        if let (true, Some(message)) = (ffi::lua_toboolean(state, ffi::lua_upvalueindex(4)) != 0, host(state).message())
        {
            push_bytes(state, b"Payload");
            push_bytes(state, message.payload());
            ffi::lua_rawset(state, TEMPLATE);
        }
        let matches = run(state, plan::known(state));
        ffi::lua_pushnumber(state, if matches { 0.0 } else { -1.0 });
    }
    1
}

/// What the function at the top of the stack returns for the current message, when it is a decoder that can do without
/// Lua; its message is injected then. `None` when it has to be called.
///
/// # Safety
/// `state` is live, and a call has begun.
pub(crate) unsafe fn direct(state: State) -> Option<i64> {
    unsafe {
        let host = host(state);
        // Refusals of filters are counted, so they must be met once.
        let at = host.matches.decoder.filter(|_| host.kind == Kind::Decoder)?;
        let plan = host.matches.plans.list.get(at)?;
        let decoder = plan.decoder.as_ref()?;
        if plan.calls || decoder.function != ffi::lua_topointer(state, -1) {
            return None;
        }
        let pattern = plan.pattern;
        // The row of the call, which lives longer than this.
        let subject: *const [u8] = host.message()?.payload();
        let status = guard(|| {
            let subject = &*subject;
            let end = heka_lpeg::match_captures(&pattern, subject, 0, &mut host.matches.captures).ok()?;
            if end.is_none() {
                return Some(-1);
            }
            let role = host.role()?;
            role.admit().ok()?;
            let builder = role.builder();
            let mark = builder.mark();
            host.matches.results.clear();
            match build(state, builder, host, &pattern, subject, at, TemplateAt::Plan) {
                Ok(size) => settle(host, role, mark, Ok(size)).ok().map(|()| 0),
                Err(_) => {
                    role.builder().rollback(mark);
                    None
                }
            }
        })
        .flatten();
        host.matches.direct += u64::from(status.is_some());
        status
    }
}
