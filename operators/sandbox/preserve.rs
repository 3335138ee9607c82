//! Writing a state's globals as Lua statements, in the format that every Heka reads.

use crate::{State, ffi};
use heka_lua::{bytes_at, hooks_of};
use heka_modules::write_lua_number;
use std::collections::HashMap;
use std::ffi::{CStr, c_int, c_void};

/// Bytes that a script's data may take when written: tables that refer to each other by long names multiply.
const MOST: usize = 256 << 20;

/// Collects the statements. Lives outside of all frames that a Lua error may leave.
pub(crate) struct Preserver {
    out: Vec<u8>,
    /// How each table and userdata is named that was written.
    seen: HashMap<*const c_void, Box<[u8]>>,
    /// The name of the value under way, and the lengths of its prefixes.
    path: Vec<u8>,
    prefixes: Vec<usize>,
    error: Option<String>,
}

/// What becomes of a value.
enum Step {
    Done,
    /// It is a table whose entries come next.
    Enter,
}

impl Preserver {
    pub(crate) fn new() -> Self {
        let (seen, path) = (HashMap::new(), b"_G".to_vec());
        Preserver { out: Vec::new(), seen, path, prefixes: Vec::new(), error: None }
    }

    /// The statements, or why they cannot be written.
    pub(crate) fn finish(self) -> Result<Vec<u8>, String> {
        self.error.map_or(Ok(self.out), Err)
    }

    unsafe fn version(&mut self, state: State, at: c_int) {
        let version = if unsafe { ffi::lua_type(state, at) } == ffi::LUA_TNUMBER {
            unsafe { ffi::lua_tonumber(state, at) as i64 }
        } else {
            0
        };
        self.out =
            format!("if _PRESERVATION_VERSION and _PRESERVATION_VERSION ~= {version} then return end\n").into_bytes();
    }

    /// Writes the value at the top, whose key is below it; `globals` is the globals' address.
    unsafe fn entry(&mut self, state: State, globals: *const c_void) -> Result<Step, String> {
        unsafe {
            let kind = ffi::lua_type(state, -1);
            let address = ffi::lua_topointer(state, -1);
            match kind {
                ffi::LUA_TTABLE if address == globals || ffi::lua_getmetatable(state, -1) != 0 => {
                    // The metatable is above the table; whoever calls sets the stack right.
                    return Ok(Step::Done);
                }
                ffi::LUA_TUSERDATA if hooks_of(state, -1).and_then(|hooks| hooks.serialise).is_none() => {
                    return Ok(Step::Done);
                }
                ffi::LUA_TSTRING | ffi::LUA_TNUMBER | ffi::LUA_TBOOLEAN | ffi::LUA_TTABLE | ffi::LUA_TUSERDATA => {}
                _ => return Ok(Step::Done),
            }
            if self.prefixes.len() == 1 && bytes_at(state, -2) == Some(b"_PRESERVATION_VERSION") {
                return Ok(Step::Done);
            }
            let length = self.path.len();
            self.key(state)?;
            let step = self.value(state, kind, address)?;
            if let Step::Done = step {
                self.path.truncate(length);
            }
            if self.out.len() > MOST {
                return Err(format!("data takes more than {} MiB", MOST >> 20));
            }
            Ok(step)
        }
    }

    /// Extends the path by the key below the top.
    unsafe fn key(&mut self, state: State) -> Result<(), String> {
        self.path.push(b'[');
        unsafe {
            match ffi::lua_type(state, -2) {
                ffi::LUA_TSTRING => quote(bytes_at(state, -2).unwrap_or_default(), &mut self.path),
                ffi::LUA_TNUMBER => write_lua_number(ffi::lua_tonumber(state, -2), &mut self.path),
                ffi::LUA_TBOOLEAN => write_bool(ffi::lua_toboolean(state, -2), &mut self.path),
                kind => {
                    let name = CStr::from_ptr(ffi::lua_typename(state, kind)).to_string_lossy();
                    return Err(format!("serialize_data cannot preserve type '{name}'"));
                }
            }
        }
        self.path.push(b']');
        Ok(())
    }

    unsafe fn value(&mut self, state: State, kind: c_int, address: *const c_void) -> Result<Step, String> {
        let Preserver { out, seen, path, .. } = self;
        if matches!(kind, ffi::LUA_TTABLE | ffi::LUA_TUSERDATA) {
            if let Some(name) = seen.get(&address) {
                for part in [path.as_slice(), b" = ", name, b"\n"] {
                    out.extend_from_slice(part);
                }
                return Ok(Step::Done);
            }
            seen.insert(address, path.as_slice().into());
        }
        if kind == ffi::LUA_TUSERDATA {
            let serialise = unsafe { hooks_of(state, -1) }.and_then(|hooks| hooks.serialise);
            if let Some(serialise) = serialise {
                unsafe { serialise(state, ffi::lua_gettop(state), path, out) }.map_err(|error| error.0)?;
                if !out.ends_with(b"\n") {
                    out.push(b'\n');
                }
            }
            return Ok(Step::Done);
        }
        out.extend_from_slice(path);
        out.extend_from_slice(b" = ");
        unsafe {
            match kind {
                ffi::LUA_TSTRING => quote(bytes_at(state, -1).unwrap_or_default(), out),
                ffi::LUA_TNUMBER => write_lua_number(ffi::lua_tonumber(state, -1), out),
                ffi::LUA_TBOOLEAN => write_bool(ffi::lua_toboolean(state, -1), out),
                _ => out.extend_from_slice(b"{}"),
            }
        }
        out.push(b'\n');
        Ok(if kind == ffi::LUA_TTABLE { Step::Enter } else { Step::Done })
    }
}

fn write_bool(truth: c_int, out: &mut Vec<u8>) {
    out.extend_from_slice(if truth != 0 { b"true" } else { b"false" });
}

/// Appends a text as Lua's `%q` does.
fn quote(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for &byte in text {
        match byte {
            b'"' | b'\\' | b'\n' => out.extend_from_slice(&[b'\\', byte]),
            b'\r' => out.extend_from_slice(b"\\r"),
            0 => out.extend_from_slice(b"\\000"),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

/// Walks the globals; the argument points to a [`Preserver`]. Raises only when the stack cannot grow.
///
/// # Safety
/// Called by `lua_cpcall` with that pointer, which is used by nobody else meanwhile.
pub(crate) unsafe extern "C-unwind" fn preserve(state: State) -> c_int {
    unsafe {
        let preserver = ffi::lua_touserdata(state, 1).cast::<Preserver>();
        ffi::lua_pushstring_(state, c"_PRESERVATION_VERSION".as_ptr());
        ffi::lua_rawget_(state, ffi::LUA_GLOBALSINDEX);
        (*preserver).version(state, 2);
        ffi::lua_settop(state, 1);
        ffi::lua_pushvalue(state, ffi::LUA_GLOBALSINDEX);
        let globals = ffi::lua_topointer(state, 2);
        (*preserver).prefixes.push(2);
        ffi::lua_pushnil(state);
        // The stack holds, for each table entered, the table and the key under way; nothing recurses.
        loop {
            ffi::luaL_checkstack_(state, 8, c"tables nested too deeply".as_ptr());
            let top = ffi::lua_gettop(state);
            if ffi::lua_next(state, top - 1) == 0 {
                // Only the table is left of this level; below it is the key of the one above.
                ffi::lua_settop(state, top - 2);
                let p = &mut *preserver;
                p.prefixes.pop();
                let Some(&length) = p.prefixes.last() else { return 0 };
                p.path.truncate(length);
                continue;
            }
            match (*preserver).entry(state, globals) {
                Ok(Step::Done) => ffi::lua_settop(state, top),
                Ok(Step::Enter) => {
                    let p = &mut *preserver;
                    p.prefixes.push(p.path.len());
                    ffi::lua_pushnil(state);
                }
                Err(why) => {
                    (*preserver).error = Some(why);
                    return 0;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_quoted_as_lua_does() {
        let mut out = Vec::new();
        quote(b"a\"b\\c\nd\re\0f\xff", &mut out);
        assert_eq!(out, b"\"a\\\"b\\\\c\\\nd\\re\\000f\xff\"");
    }
}
