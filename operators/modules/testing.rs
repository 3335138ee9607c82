//! Lua chunks as tests: a plain state with the modules preloaded.

use crate::MODULES;
use heka_lua::{RenderError, State, bytes_at, ffi, hooks_of, panicked, push_bytes};
use std::ffi::c_int;
use std::io::Write;
use std::process::{Command, Stdio};

/// A state with the standard libraries and our modules behind `require`.
pub struct Sandbox {
    pub state: State,
}

impl Sandbox {
    pub fn new() -> Sandbox {
        unsafe {
            let state = ffi::luaL_newstate();
            ffi::luaL_openlibs(state);
            ffi::lua_getglobal_(state, c"package".as_ptr());
            ffi::lua_getfield_(state, -1, c"preload".as_ptr());
            for module in MODULES {
                ffi::lua_pushcclosure(state, module.open, 0);
                ffi::lua_setfield(state, -2, module.name.as_ptr());
            }
            ffi::lua_settop(state, 0);
            Sandbox { state }
        }
    }

    /// Gives scripts what the host gives them: `render(userdata)` and `serialise(userdata, key)`, by the hooks.
    pub fn with_hooks(self) -> Sandbox {
        unsafe {
            ffi::lua_pushcclosure(self.state, render, 0);
            ffi::lua_setfield(self.state, ffi::LUA_GLOBALSINDEX, c"render".as_ptr());
            ffi::lua_pushcclosure(self.state, serialise, 0);
            ffi::lua_setfield(self.state, ffi::LUA_GLOBALSINDEX, c"serialise".as_ptr());
        }
        self
    }

    /// Runs a chunk; its results as `tostring` shows them, with commas between, or its error.
    pub fn run(&self, chunk: &str) -> Result<Vec<u8>, Vec<u8>> {
        let state = self.state;
        unsafe {
            ffi::lua_settop(state, 0);
            let loaded = ffi::luaL_loadbuffer(state, chunk.as_ptr().cast(), chunk.len(), c"=chunk".as_ptr());
            let failed = loaded != 0 || ffi::lua_pcall(state, 0, ffi::LUA_MULTRET, 0) != 0;
            let mut text = Vec::new();
            for n in 1..=ffi::lua_gettop(state) {
                if n > 1 {
                    text.push(b',');
                }
                ffi::lua_getglobal_(state, c"tostring".as_ptr());
                ffi::lua_pushvalue(state, n);
                ffi::lua_call(state, 1, 1);
                text.extend_from_slice(bytes_at(state, -1).unwrap_or(b"?"));
                ffi::lua_settop(state, -2);
            }
            assert!(!panicked(), "a native function panicked");
            if failed { Err(text) } else { Ok(text) }
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        unsafe { ffi::lua_close(self.state) }
    }
}

unsafe extern "C-unwind" fn render(state: State) -> c_int {
    let mut out = Vec::new();
    unsafe {
        let top = ffi::lua_gettop(state);
        let hook = hooks_of(state, -1).and_then(|hooks| hooks.render);
        if let Err(RenderError(text)) = hook.map_or(Ok(()), |hook| hook(state, -1, &mut out)) {
            out = [b"error: ", text.as_bytes()].concat();
        }
        assert_eq!(ffi::lua_gettop(state), top);
        push_bytes(state, &out);
    }
    1
}

unsafe extern "C-unwind" fn serialise(state: State) -> c_int {
    let mut out = Vec::new();
    unsafe {
        let hook = hooks_of(state, 1).and_then(|hooks| hooks.serialise);
        let key = bytes_at(state, 2).unwrap_or_default();
        if let Err(RenderError(text)) = hook.map_or(Ok(()), |hook| hook(state, 1, key, &mut out)) {
            out = [b"error: ", text.as_bytes()].concat();
        }
        assert_eq!(ffi::lua_gettop(state), 2);
        push_bytes(state, &out);
    }
    1
}

/// Runs a chunk in a new state; what it returns as text.
pub fn run(chunk: &str) -> String {
    match Sandbox::new().with_hooks().run(chunk) {
        Ok(text) => String::from_utf8_lossy(&text).into_owned(),
        Err(error) => panic!("{}\n{chunk}", String::from_utf8_lossy(&error)),
    }
}

/// Runs a chunk in a new state; the error it raises.
pub fn error(chunk: &str) -> String {
    match Sandbox::new().with_hooks().run(chunk) {
        Ok(text) => panic!("returned {}\n{chunk}", String::from_utf8_lossy(&text)),
        Err(error) => String::from_utf8_lossy(&error).into_owned(),
    }
}

/// What reference Lua with the C module `module` prints for a chunk, or `None` when this machine lacks it.
/// With `HEKA_REQUIRE_PEERS=1` that is a failure.
pub fn peer(module: &str, chunk: &str) -> Option<Vec<u8>> {
    let required = std::env::var_os("HEKA_REQUIRE_PEERS").is_some_and(|value| value == "1");
    let found = Command::new("lua5.1").args(["-e", &format!("require '{module}'")]).output();
    if !found.is_ok_and(|output| output.status.success()) {
        assert!(!required, "lua5.1 with {module} is required");
        eprintln!("skipped: this machine has no lua5.1 with {module}");
        return None;
    }
    let mut child =
        Command::new("lua5.1").arg("-").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("lua5.1 starts");
    // Lua reads all of its chunk before it writes anything.
    child.stdin.take().expect("piped").write_all(chunk.as_bytes()).expect("written");
    let output = child.wait_with_output().expect("lua5.1 ends");
    assert!(output.status.success(), "the peer failed");
    Some(output.stdout)
}

/// Reproducible random choices.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub fn next(&mut self) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }
}
