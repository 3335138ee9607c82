//! `add_to_payload` and `inject_payload`: text is collected, then sent out.

use crate::host::{Host, host};
use crate::role::Payload;
use crate::{State, ffi};
use heka_lua::{Raise, bytes_at, hooks_of, protect};
use heka_modules::write_number;
use std::ffi::c_int;

/// `add_to_payload(v1, …)`.
pub(crate) unsafe extern "C-unwind" fn add_to_payload(state: State) -> c_int {
    unsafe {
        let last = ffi::lua_gettop(state);
        if last == 0 {
            heka_lua::arg_error(state, 0, c"must have at least one argument");
        }
        crate::host::room(state, 4);
        protect(state, || append(state, 1, last));
    }
    0
}

/// `inject_payload([payload_type [, payload_name [, v1, …]]])`.
pub(crate) unsafe extern "C-unwind" fn inject_payload(state: State) -> c_int {
    unsafe {
        let last = ffi::lua_gettop(state);
        let kind = if last > 0 { heka_lua::bytes(state, 1) } else { b"" };
        let name = if last > 1 { heka_lua::bytes(state, 2) } else { b"" };
        let kind = if kind.is_empty() { b"txt" } else { kind };
        crate::host::room(state, 4);
        protect(state, || {
            append(state, 3, last)?;
            emit(host(state), kind, name)
        });
    }
    0
}

/// Appends the arguments `first` to `last` to the output; all or none.
unsafe fn append(state: State, first: c_int, last: c_int) -> Result<(), Raise> {
    let host = unsafe { host(state) };
    let before = host.output.len();
    for argument in first..=last {
        let result = unsafe { render(state, argument, &mut host.output) };
        if result.is_ok() && host.output_limit > 0 && host.output.len() >= host.output_limit {
            host.output.truncate(before);
            return Err(Raise::here("output_limit exceeded"));
        }
        if let Err(why) = result {
            host.output.truncate(before);
            return Err(Raise::argument(argument, why));
        }
    }
    host.max_output = host.max_output.max(host.output.len());
    Ok(())
}

/// Appends one value as the output functions show it.
unsafe fn render(state: State, at: c_int, out: &mut Vec<u8>) -> Result<(), String> {
    unsafe {
        match ffi::lua_type(state, at) {
            ffi::LUA_TSTRING => out.extend_from_slice(bytes_at(state, at).unwrap_or_default()),
            ffi::LUA_TNUMBER => write_number(ffi::lua_tonumber(state, at), out),
            ffi::LUA_TNIL => out.extend_from_slice(b"nil"),
            ffi::LUA_TBOOLEAN if ffi::lua_toboolean(state, at) != 0 => out.extend_from_slice(b"true"),
            ffi::LUA_TBOOLEAN => out.extend_from_slice(b"false"),
            ffi::LUA_TUSERDATA => match hooks_of(state, at).and_then(|hooks| hooks.render) {
                Some(render) => render(state, at, out).map_err(|error| error.0)?,
                None => return Err("unknown userdata type".to_owned()),
            },
            _ => return Err("unsupported type".to_owned()),
        }
    }
    Ok(())
}

/// Sends out what was collected, if anything was.
fn emit(host: &mut Host, kind: &[u8], name: &[u8]) -> Result<(), Raise> {
    if host.output.is_empty() {
        return Ok(());
    }
    // SAFETY: used within this function alone.
    let Some(role) = (unsafe { host.role() }) else { return Ok(()) };
    let bytes = std::mem::take(&mut host.output);
    let result = role.admit().and_then(|()| {
        host.injected = host.injected.saturating_add(bytes.len());
        crate::inject::within_bounds(host)?;
        role.payload(host.message(), Payload { kind, name, bytes: &bytes })
    });
    // The memory is kept, what was in it is sent.
    host.output = bytes;
    host.output.clear();
    result.map_err(|refusal| Raise::here(format!("inject_payload(){}", refusal.text())))
}
