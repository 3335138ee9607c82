//! The helpers as a native module uses them.

use crate::*;
use std::ffi::{CStr, c_int};

struct Counter(i64);

impl Userdata for Counter {
    const NAME: &'static CStr = c"test.counter";
    const METHODS: &'static [(&'static CStr, ffi::lua_CFunction)] = &[(c"add", add)];
}

static HOOKS: Hooks = Hooks { render: Some(render), serialise: None };

unsafe fn render(state: State, n: c_int, out: &mut Vec<u8>) -> Result<(), RenderError> {
    let counter = unsafe { test::<Counter>(state, n) }.ok_or_else(|| RenderError("not a counter".to_owned()))?;
    out.extend_from_slice(counter.0.to_string().as_bytes());
    Ok(())
}

unsafe extern "C-unwind" fn make(state: State) -> c_int {
    unsafe {
        let start = opt_integer(state, 1, 0);
        new(state, || Counter(start));
        ffi::lua_getmetatable(state, -1);
        set_hooks(state, &HOOKS);
        ffi::lua_settop(state, -2);
    }
    1
}

unsafe extern "C-unwind" fn add(state: State) -> c_int {
    unsafe {
        let counter = check::<Counter>(state, 1);
        let by = integer(state, 2);
        let sum = protect(state, || match by {
            0 => Err(Raise::argument(2, "must not be 0")),
            13 => panic!("a bug"),
            by => counter.0.checked_add(by).ok_or_else(|| Raise::here("too large")),
        });
        counter.0 = sum;
        ffi::lua_pushnumber(state, sum as f64);
    }
    1
}

/// Runs a chunk with `counter` defined; its result or error as text, and what the hook makes of a userdata result.
fn run(chunk: &str) -> Result<String, String> {
    unsafe {
        let state = ffi::luaL_newstate();
        ffi::luaL_openlibs(state);
        ffi::lua_pushcclosure(state, make, 0);
        ffi::lua_setfield(state, ffi::LUA_GLOBALSINDEX, c"counter".as_ptr());
        let loaded = ffi::luaL_loadbuffer(state, chunk.as_ptr().cast(), chunk.len(), c"=chunk".as_ptr());
        let failed = loaded != 0 || ffi::lua_pcall(state, 0, 1, 0) != 0;
        let mut text = Vec::new();
        match hooks_of(state, -1).and_then(|hooks| hooks.render) {
            Some(render) => render(state, -1, &mut text).expect("rendered"),
            None => text.extend_from_slice(bytes_at(state, -1).unwrap_or(b"?")),
        }
        ffi::lua_close(state);
        let text = String::from_utf8(text).expect("text");
        if failed { Err(text) } else { Ok(text) }
    }
}

#[test]
fn userdata_keeps_its_value_and_shows_it_through_its_hook() {
    assert_eq!(run("local c = counter(40) c:add(2) return c"), Ok("42".to_owned()));
}

#[test]
fn errors_carry_the_position_and_the_argument() {
    let error = |chunk| run(chunk).expect_err("an error");
    assert_eq!(error("counter():add(0)"), "chunk:1: bad argument #1 to 'add' (must not be 0)");
    assert_eq!(error("\ncounter(9.2e18):add(9.2e18)"), "chunk:2: too large");
    assert_eq!(error("counter().add({}, 1)"), "chunk:1: bad argument #1 to 'add' (test.counter expected, got table)");
}

#[test]
fn a_panic_is_an_error_that_the_host_hears_of() {
    assert!(!panicked());
    assert_eq!(run("return tostring(pcall(counter().add, counter(), 13))"), Ok("false".to_owned()));
    assert!(panicked());
    assert!(!panicked());
}

#[test]
fn a_finaliser_called_by_hand_does_no_harm() {
    let chunk = "local c = counter() local gc = getmetatable(c).__gc gc(c) gc({}) gc(io.stdout) \
                 return tostring(select(2, pcall(c.add, c, 1)))";
    assert_eq!(run(chunk), Ok("bad argument #1 to '?' (test.counter expected, got userdata)".to_owned()));
}

#[test]
fn a_spent_budget_stays_spent_until_the_next_entry() {
    set_budget(10, None);
    assert!(spend(9));
    assert!(!spend(1));
    assert!(!spend(0));
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    set_budget(u64::MAX, Some(&stop));
    assert!(spend(1));
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    assert!(!spend(1));
    set_budget(u64::MAX, None);
    assert!(spend(u64::MAX - 1));
}

static PAIR: Block = Block {
    name: c"test.pair",
    methods: &[(c"sum", pair_sum)],
    metamethods: &[],
    hooks: Some(&Hooks { render: Some(render_pair), serialise: None }),
};

unsafe fn render_pair(state: State, n: c_int, out: &mut Vec<u8>) -> Result<(), RenderError> {
    let block = unsafe { PAIR.test(state, n) }.ok_or_else(|| RenderError("not a pair".to_owned()))?;
    let [a, b] = unsafe { *block.cast::<[f64; 2]>() };
    out.extend_from_slice(format!("{a} and {b}").as_bytes());
    Ok(())
}

unsafe extern "C-unwind" fn pair_new(state: State) -> c_int {
    unsafe { new_block(state, 16, 1).cast::<[f64; 2]>().write([3.0, 4.0]) }
    1
}

unsafe extern "C-unwind" fn pair_sum(state: State) -> c_int {
    unsafe {
        let [a, b] = *PAIR.check(state, 1, 1).cast::<[f64; 2]>();
        ffi::lua_pushnumber(state, a + b);
    }
    1
}

#[test]
fn a_block_is_checked_by_its_metatable() {
    let run = |chunk: &str| unsafe {
        let state = ffi::luaL_newstate();
        ffi::luaL_openlibs(state);
        PAIR.push_metatable(state);
        ffi::lua_createtable(state, 0, 1);
        set_closures(state, &[(c"new", pair_new)], 1);
        ffi::lua_setfield(state, ffi::LUA_GLOBALSINDEX, c"pair".as_ptr());
        ffi::luaL_loadbuffer(state, chunk.as_ptr().cast(), chunk.len(), c"=chunk".as_ptr());
        ffi::lua_pcall(state, 0, 1, 0);
        let mut text = Vec::new();
        match hooks_of(state, -1).and_then(|hooks| hooks.render) {
            Some(render) => render(state, -1, &mut text).expect("rendered"),
            None => text.extend_from_slice(bytes_at(state, -1).unwrap_or(b"?")),
        }
        ffi::lua_close(state);
        String::from_utf8(text).expect("text")
    };
    assert_eq!(run("return tostring(pair.new():sum())"), "7");
    assert_eq!(run("return pair.new()"), "3 and 4");
    assert_eq!(run("pair.new().sum(5)"), "chunk:1: bad argument #1 to 'sum' (test.pair expected, got number)");
    assert_eq!(
        run("pair.new().sum(io.stdout)"),
        "chunk:1: bad argument #1 to 'sum' (test.pair expected, got userdata)"
    );
    assert_eq!(run("return tostring(getmetatable(pair.new()) == getmetatable(pair.new()))"), "true");
}
