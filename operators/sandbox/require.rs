//! `require`: the standard libraries and the bundled modules by name, Lua modules by path.

use crate::environment::{mark, remove};
use crate::host::{host, room};
use crate::{State, ffi};
use heka_lua::{Raise, protect, push_bytes, raise};
use std::ffi::{CStr, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The standard libraries.
const STANDARD: &[heka_lua::Module] = &[
    heka_lua::Module { name: c"string", open: ffi::luaopen_string },
    heka_lua::Module { name: c"table", open: ffi::luaopen_table },
    heka_lua::Module { name: c"math", open: ffi::luaopen_math },
    heka_lua::Module { name: c"os", open: ffi::luaopen_os },
    heka_lua::Module { name: c"io", open: ffi::luaopen_io },
];

/// What `os` loses for all scripts, and for those that are not trusted.
const OS: &[&CStr] = &[c"exit", c"setlocale"];
const OS_TRUSTED: &[&CStr] = &[c"getenv", c"execute", c"remove", c"rename", c"tmpname"];

/// Marks a module that is being loaded: the address of this byte.
static LOADING: u8 = 0;

fn loading() -> *mut c_void {
    (&raw const LOADING).cast_mut().cast()
}

/// The module that is built in, if there is one of that name.
fn built_in(name: &[u8]) -> Option<&'static heka_lua::Module> {
    let all = STANDARD.iter().chain(heka_lpeg::MODULES).chain(heka_modules::MODULES);
    all.into_iter().find(|module| module.name.to_bytes() == name)
}

/// `require(name)`.
pub(crate) unsafe extern "C-unwind" fn require(state: State) -> c_int {
    unsafe {
        let name = heka_lua::bytes(state, 1);
        room(state, 10);
        ffi::lua_settop(state, 1);
        ffi::lua_getfield_(state, ffi::LUA_REGISTRYINDEX, c"_LOADED".as_ptr());
        ffi::lua_pushvalue(state, 1);
        ffi::lua_rawget_(state, 2);
        if ffi::lua_toboolean(state, 3) != 0 {
            if ffi::lua_touserdata(state, 3) == loading() {
                raise(state, quoted(b"loop or previous error loading module", name, b""));
            }
            return 1;
        }
        ffi::lua_settop(state, 2);
        if !name.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.')) {
            raise(state, quoted(b"invalid module name", name, b""));
        }
        let kind = host(state).kind;
        if name == b"io" && !kind.is_trusted() {
            raise(state, quoted(b"module", name, b" disabled"));
        }
        let module = built_in(name);
        match module {
            Some(module) => ffi::lua_pushcclosure(state, module.open, 0),
            None => protect(state, || load(state, name)),
        }
        set_loaded(state, |state| ffi::lua_pushlightuserdata(state, loading()));
        ffi::lua_pushvalue(state, 1);
        ffi::lua_call(state, 1, 1);
        if ffi::lua_type(state, 3) != ffi::LUA_TNIL {
            set_loaded(state, |state| ffi::lua_pushvalue(state, 3));
        }
        ffi::lua_settop(state, 2);
        ffi::lua_pushvalue(state, 1);
        ffi::lua_rawget_(state, 2);
        if ffi::lua_touserdata(state, 3) == loading() {
            ffi::lua_settop(state, 2);
            ffi::lua_pushboolean(state, 1);
            set_loaded(state, |state| ffi::lua_pushvalue(state, 3));
        }
        if ffi::lua_type(state, 3) == ffi::LUA_TTABLE {
            if module.is_some() {
                adapt(state, name, kind.is_trusted());
            }
            mark(state, 3);
        }
    }
    1
}

/// Sets the loaded table's entry for the module to what `push` pushes.
unsafe fn set_loaded(state: State, push: impl FnOnce(State)) {
    unsafe {
        let top = ffi::lua_gettop(state);
        // The value is pushed below while its index still holds.
        push(state);
        ffi::lua_pushvalue(state, 1);
        ffi::lua_insert(state, top + 1);
        ffi::lua_rawset(state, 2);
    }
}

/// Makes a built-in module, whose table is at index 3, what scripts may have, and a global of its name: preserved
/// data refers to modules by their names.
unsafe fn adapt(state: State, name: &[u8], is_trusted: bool) {
    unsafe {
        match name {
            b"os" => {
                remove(state, 3, OS);
                if !is_trusted {
                    remove(state, 3, OS_TRUSTED);
                }
                crate::time::install(state);
            }
            b"math" => crate::random::install(state),
            b"string" => heka_modules::strings::install(state),
            b"table" => crate::safe::install_table(state),
            b"cjson" => heka_modules::cjson::set_output_limit(state, host(state).output_limit),
            _ => {}
        }
        push_bytes(state, name);
        ffi::lua_pushvalue(state, 3);
        ffi::lua_rawset(state, ffi::LUA_GLOBALSINDEX);
    }
}

/// `what 'name'behind`.
fn quoted(what: &[u8], name: &[u8], behind: &[u8]) -> Raise {
    Raise::Here([what, b" '", name, b"'", behind].concat())
}

/// Pushes the function of a Lua module found in the directories.
unsafe fn load(state: State, name: &[u8]) -> Result<(), Raise> {
    // Only letters, digits, underscores and dots are left.
    let text = String::from_utf8_lossy(name);
    let file = text.replace('.', "/");
    let modules = unsafe { &host(state).modules };
    let mut tried = Vec::new();
    let lua = |directory: &PathBuf| directory.join(format!("{file}.lua"));
    for path in modules.iter().map(lua) {
        match std::fs::read(&path) {
            Ok(source) => {
                return unsafe { load_source(state, &source, &path) }.map_err(|why| {
                    let mut error = quoted(b"error loading module", name, b" from file '");
                    if let Raise::Here(text) = &mut error {
                        text.extend_from_slice(path.as_os_str().as_bytes());
                        text.extend_from_slice(b"':\n\t");
                        text.extend_from_slice(&why);
                    }
                    error
                });
            }
            Err(_) => tried.push(path),
        }
    }
    tried.extend(modules.iter().map(|directory| directory.join(format!("{file}.so"))));
    if let Some((root, _)) = text.split_once('.') {
        tried.extend(modules.iter().map(|directory| directory.join(format!("{root}.so"))));
    }
    let mut message = [b"module '", name, b"' not found:"].concat();
    for path in tried {
        message.extend_from_slice(b"\n\tno file '");
        message.extend_from_slice(path.as_os_str().as_bytes());
        message.push(b'\'');
    }
    Err(Raise::Here(message))
}

/// Pushes the function of a Lua source, or gives the error. Never raises.
///
/// # Safety
/// `state` is live and has room for two values.
pub(crate) unsafe fn load_source(state: State, source: &[u8], path: &Path) -> Result<(), Vec<u8>> {
    // As Lua's own loader, pass over a first line that is the shell's.
    let source = match source.first() {
        Some(b'#') => source.iter().position(|&byte| byte == b'\n').map_or(&b""[..], |end| &source[end..]),
        _ => source,
    };
    if source.starts_with(ffi::LUA_SIGNATURE) {
        return Err(b"precompiled code is refused: give the source".to_vec());
    }
    let mut name = vec![b'@'];
    name.extend(path.as_os_str().as_bytes().iter().filter(|&&byte| byte != 0));
    name.push(0);
    unsafe {
        let status = ffi::luaL_loadbuffer(state, source.as_ptr().cast(), source.len(), name.as_ptr().cast());
        if status == ffi::LUA_OK {
            return Ok(());
        }
        let why = heka_lua::bytes_at(state, -1).unwrap_or(b"not loaded").to_vec();
        ffi::lua_settop(state, -2);
        Err(why)
    }
}
