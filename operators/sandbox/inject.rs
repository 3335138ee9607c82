//! `inject_message`: a table, or an encoded message, becomes a row of a batch.

use crate::encode::{Refused, encode};
use crate::host::{Host, host};
use crate::role::{Refusal, Role};
use crate::{State, ffi};
use heka_lua::{Raise, protect, raise};
use heka_message::{Mark, message_len, read_message};
use std::ffi::{CStr, c_int};

/// Bytes that one call may inject: far more than any call should, and far less than a batch can hold.
const CALL_LIMIT: usize = 256 << 20;

/// The headers of a message as keys of a table.
const HEADERS: [&CStr; 10] =
    [c"Uuid", c"Timestamp", c"Type", c"Logger", c"Severity", c"Payload", c"EnvVersion", c"Pid", c"Hostname", c"Fields"];

/// `inject_message(table | string)`.
pub(crate) unsafe extern "C-unwind" fn inject_message(state: State) -> c_int {
    unsafe {
        let kind = ffi::lua_type(state, 1);
        let is_text = kind == ffi::LUA_TSTRING || kind == ffi::LUA_TNUMBER;
        if ffi::lua_gettop(state) != 1 || !(is_text || kind == ffi::LUA_TTABLE) {
            raise(state, Raise::here("inject_message() takes a single string or table argument"));
        }
        crate::host::room(state, 16);
        if is_text {
            // Also turns a number into its text, as everywhere in Lua.
            let bytes = heka_lua::bytes(state, 1);
            protect(state, || inject_encoded(host(state), bytes));
        } else {
            flatten(state);
            protect(state, || inject_table(state));
        }
    }
    0
}

/// Replaces a table that has a metatable by a plain one with what its metamethods say.
unsafe fn flatten(state: State) {
    unsafe {
        if ffi::lua_getmetatable(state, 1) == 0 {
            return;
        }
        ffi::lua_settop(state, 1);
        ffi::lua_createtable(state, 0, HEADERS.len() as c_int);
        for header in HEADERS {
            ffi::lua_getfield_(state, 1, header.as_ptr());
            ffi::lua_setfield(state, 2, header.as_ptr());
        }
        ffi::lua_replace(state, 1);
    }
}

pub(crate) fn refused(refusal: Refusal) -> Raise {
    Raise::here(format!("inject_message(){}", refusal.text()))
}

/// Refuses what would let one call fill the memory.
pub(crate) fn within_bounds(host: &Host) -> Result<(), Refusal> {
    if host.injected > CALL_LIMIT { Err(Refusal::TooMuch) } else { Ok(()) }
}

fn inject_encoded(host: &mut Host, bytes: &[u8]) -> Result<(), Raise> {
    if bytes.is_empty() {
        return Ok(());
    }
    // SAFETY: used within this function alone.
    let Some(role) = (unsafe { host.role() }) else { return Ok(()) };
    role.admit().map_err(refused)?;
    host.injected = host.injected.saturating_add(bytes.len());
    within_bounds(host).map_err(refused)?;
    if let Some(done) = role.encoded(bytes) {
        return done.map_err(refused);
    }
    let builder = role.builder();
    let mark = builder.mark();
    let wire = builder.text(bytes);
    let result = read_message(builder, bytes, wire).map_err(|_| Refusal::Unmarshal);
    let result = result.and_then(|()| role.message(host.message()));
    if result.is_err() {
        role.builder().rollback(mark);
    }
    result.map_err(refused)
}

/// The table is at index 1.
pub(crate) unsafe fn inject_table(state: State) -> Result<(), Raise> {
    let host = unsafe { host(state) };
    // SAFETY: used within this function alone.
    let Some(role) = (unsafe { host.role() }) else { return Ok(()) };
    role.admit().map_err(refused)?;
    let limit = output_limit(host);
    let builder = role.builder();
    let mark = builder.mark();
    let size = unsafe { encode(state, builder, host, limit) };
    settle(host, role, mark, size)
}

/// Hands the row that was begun at `mark` to the role, if it was encoded and is short enough, or else takes it back.
/// `size` is an estimate that is never below the encoded length.
pub(crate) fn settle(
    host: &mut Host,
    role: &mut dyn Role,
    mark: Mark,
    size: Result<usize, Refused>,
) -> Result<(), Raise> {
    let limit = output_limit(host);
    let too_long = || Raise::here("inject_message() output_limit exceeded");
    let result = size.map_err(|why| match why {
        Some(why) => Raise::here(format!("inject_message() could not encode protobuf - {why}")),
        None => too_long(),
    });
    let result = result.and_then(|estimate| {
        let builder = role.builder();
        let last = builder.len() - 1;
        // The exact length is only computed when it might matter.
        let length = if estimate < limit { estimate } else { message_len(builder.batch().row(last)) };
        if length >= limit {
            return Err(too_long());
        }
        host.max_output = host.max_output.max(length);
        host.injected = host.injected.saturating_add(length);
        within_bounds(host).and_then(|()| role.message(host.message())).map_err(refused)
    });
    match &result {
        Ok(()) => host.output.clear(),
        Err(_) => role.builder().rollback(mark),
    }
    result
}

/// Bytes that an encoded message must stay below.
pub(crate) fn output_limit(host: &Host) -> usize {
    if host.output_limit == 0 { CALL_LIMIT } else { host.output_limit }
}
