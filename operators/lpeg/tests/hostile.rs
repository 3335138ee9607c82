//! What a script may try: patterns and subjects that would take the process with them if nothing were limited.

mod host;

use heka_lua::set_budget;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

fn eval(text: &str) -> Result<String, String> {
    host::run(&host::Chunk { name: "test", text, arguments: &[], functions: &[] })
}

/// The error of a chunk, without the place it happened at.
fn error(text: &str) -> String {
    let error = eval(&format!("local lpeg = require 'lpeg' {text}")).expect_err(text);
    error.split_once(": ").map_or(error.as_str(), |(_, text)| text).to_owned()
}

fn value(text: &str) -> String {
    eval(&format!("local lpeg = require 'lpeg' {text}")).expect(text)
}

#[test]
fn patterns_that_are_too_large_are_refused() {
    for (text, expected) in [
        ("return lpeg.P(1) ^ 1e9", "pattern too big"),
        ("return lpeg.P'ab' ^ -1e9", "pattern too big"),
        ("return lpeg.P'ab' ^ 1e300", "pattern too big"),
        ("return lpeg.P(1e12)", "pattern too big"),
        ("local p = lpeg.P'ab' * lpeg.C'c' for i = 1, 40 do p = p * p end", "pattern too big"),
        ("local p = lpeg.P'ab' + lpeg.C'c' for i = 1, 40 do p = p * 'x' + p end", "pattern too big"),
        ("local p = lpeg.P'ab' for i = 1, 40 do p = p ^ 10 * 'x' end", "pattern too big"),
        ("return lpeg.P(('x'):rep(1e7))", "pattern too big"),
        ("local p = lpeg.Cc(1) for i = 1, 40 do p = p * p end", "too many Lua values in pattern"),
        ("local p = lpeg.P'a' for i = 1, 1e6 do p = -p end", "pattern nested too deeply"),
        ("local p = lpeg.P'a' for i = 1, 1e6 do p = (p * 'x' + 'y') end", "pattern nested too deeply"),
        ("local g = lpeg.P'a' for i = 1, 1e6 do g = lpeg.P { g } end", "pattern nested too deeply"),
    ] {
        assert_eq!(error(text), expected, "{text}");
    }
}

#[test]
fn patterns_as_deep_as_allowed_compile_and_match() {
    for wrap in
        ["-(-p)", "lpeg.C(p)", "lpeg.Ct(p)", "(p * 'x') ^ -1", "#p * 1 + 'y'", "lpeg.P { p }", "(p * 'x' + 'y')"]
    {
        let text = format!(
            "lpeg.setmaxstack(2000) local p = lpeg.P'a' for i = 1, 600 do local ok, q = pcall(function() return {wrap} end) \
             if not ok then break end p = q end return tostring(p:match'a' ~= false)"
        );
        assert_eq!(value(&text), "true", "{wrap}");
    }
}

#[test]
fn long_chains_are_flat() {
    assert_eq!(
        value(
            "local p = lpeg.P(false) for i = 1, 5000 do p = p + ('w' .. i .. '.') end return tostring(p:match'w4321.')"
        ),
        "7"
    );
    assert_eq!(
        value("local p = lpeg.P'' for i = 1, 5000 do p = p * ('w' .. i) end return tostring(p:match'w1w2')"),
        "nil"
    );
    assert_eq!(
        value("local p = lpeg.P'' for i = 1, 3000 do p = ('w' .. i) * p end return tostring(p:match'w1w2')"),
        "nil"
    );
}

#[test]
fn pending_choices_and_calls_are_limited() {
    let grammar = "local g = lpeg.P { '(' * lpeg.V(1) * ')' + 'x' }";
    assert_eq!(error(&format!("{grammar} g:match(('('):rep(1e6))")), "too many pending calls/choices");
    assert_eq!(value(&format!("{grammar} return tostring(g:match(('('):rep(90) .. 'x' .. (')'):rep(90)))")), "182");
    assert_eq!(
        error(&format!("{grammar} lpeg.setmaxstack(5) g:match(('('):rep(9))")),
        "too many pending calls/choices"
    );
    let deep = "lpeg.setmaxstack(1e6) return tostring(g:match(('('):rep(4e5) .. 'x' .. (')'):rep(4e5)))";
    assert_eq!(value(&format!("{grammar} {deep}")), "800002");
}

#[test]
fn captures_in_captures_are_limited_by_the_native_stack() {
    for capture in [
        "lpeg.C",
        "lpeg.Ct",
        "lpeg.Cs",
        "(function(p) return p / '%1' end)",
        "(function(p) return p / print end)",
        "(function(p) return lpeg.Cf(p, print) end)",
        "lpeg.Cg",
        "(function(p) return p / 1 end)",
        "(function(p) return p / {} end)",
    ] {
        let text = format!(
            "lpeg.setmaxstack(1e7) local g = lpeg.P {{ {capture}('(' * lpeg.V(1) * ')' + lpeg.Cc(1)) }} \
            g:match(('('):rep(1e5) .. (')'):rep(1e5))"
        );
        let error = error(&text);
        assert!(
            error == "subcapture nesting too deep" || error == "stack overflow (too many captures)",
            "{capture}: {error}"
        );
    }
    let fine = "lpeg.setmaxstack(1000) local g = lpeg.P { lpeg.Ct('(' * lpeg.V(1) * ')' + lpeg.Cc(1)) } \
        return type(g:match(('('):rep(150) .. (')'):rep(150)))";
    assert_eq!(value(fine), "table");
}

#[test]
fn matches_in_matches_are_limited() {
    let text = "local p local n = 0 p = lpeg.Cmt('', function() n = n + 1 return p:match'' end) p:match''";
    assert!(error(text).contains("stack overflow"), "{}", error(text));
    let text = "lpeg.setmaxstack(1e6) local p p = lpeg.P { lpeg.Ct('(' * lpeg.V(1) * ')' + lpeg.P'' / function() return p:match(('('):rep(100) .. (')'):rep(100)) end) } \
        p:match(('('):rep(100) .. (')'):rep(100))";
    let error = error(text);
    assert!(error.contains("stack overflow") || error.contains("too deep"), "{error}");
}

/// Steps for the tests of the budget: far fewer than the work they try.
const STEPS: u64 = 1_000_000;

#[test]
fn work_is_paid_for() {
    for text in [
        // matching
        "local a = lpeg.P'a' lpeg.match(((a ^ 0 * 'b') + 1) ^ 0, ('a'):rep(1e5))",
        "local p = lpeg.P'x' for i = 1, 8 do p = (p + 'y') ^ 1 * lpeg.P'z' ^ -1 + 1 end \
         lpeg.match((p ^ 0 * '!' + 1) ^ 0, ('xyz'):rep(1e5))",
        "lpeg.setmaxstack(1000) lpeg.match(lpeg.P { 'a' * lpeg.V(1) * 'b' + 'a' * lpeg.V(1) * 'c' + 'a' }, ('a'):rep(60))",
        "lpeg.match((lpeg.P(1) ^ 0 * 'x' + 1) ^ 0, ('a'):rep(1e6))",
        "lpeg.match((lpeg.S'abc' ^ 0 * 'x' + 1) ^ 0, ('a'):rep(1e6))",
        "lpeg.match(((lpeg.S'ab' * 1) ^ 50000 * 'x' + 1) ^ 0, ('a'):rep(2e5))",
        "lpeg.match((lpeg.P(('a'):rep(1e5)) * 'x' + 1) ^ 0, ('a'):rep(1e6))",
        // evaluating captures
        "local p = lpeg.Cs'' for i = 1, 200 do p = p / '%1%1' end lpeg.match(p, '')",
        "local p = lpeg.Cg(1, 'x') * lpeg.Cg(lpeg.Cp(), 'y') ^ -20000 * (lpeg.Cb'x' / tostring) ^ -5000 lpeg.match(lpeg.Ct(p), 'a')",
        "local p = lpeg.Cg(lpeg.Cc'', 'x0') for i = 1, 60 do \
         p = p * lpeg.Cg(lpeg.Cs(lpeg.Cb('x' .. i - 1) * lpeg.Cb('x' .. i - 1)), 'x' .. i) end \
         lpeg.match(p * lpeg.Cb'x60', '')",
        // building
        "local p = lpeg.P'ab' ^ 0 * 'c' for i = 1, 14 do p = p * p end for i = 1, 1e9 do p = p * 1 end",
    ] {
        set_budget(STEPS, None);
        assert_eq!(error(text), "instruction_limit exceeded", "{text}");
    }
    set_budget(u64::MAX, None);
}

#[test]
fn a_match_is_ended_by_the_stop_flag() {
    let stop = Arc::new(AtomicBool::new(false));
    set_budget(u64::MAX, Some(&stop));
    let thread = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(20));
        stop.store(true, Ordering::Relaxed);
    });
    let text = "lpeg.setmaxstack(1000) lpeg.match(lpeg.P { 'a' * lpeg.V(1) * 'b' + 'a' * lpeg.V(1) * 'c' + 'a' }, ('a'):rep(60))";
    assert_eq!(error(text), "instruction_limit exceeded");
    thread.join().expect("joined");
    set_budget(u64::MAX, None);
}

#[test]
fn memory_is_from_lua_and_comes_back() {
    // What a pattern, its program and a match use shows in Lua's count, and is gone when the pattern is.
    let text = "
        local function used() collectgarbage() collectgarbage() return collectgarbage('count') end
        lpeg.match('', '')
        local before = used()
        local p = lpeg.P(('x'):rep(1e5))
        local built = used() - before
        p:match('')
        local compiled = used() - before - built
        local wide = lpeg.Ct(lpeg.C(1) ^ 0 / 0)
        wide:match(('x'):rep(1e6))
        p, wide = nil, nil
        local left = used() - before
        return tostring(built > 90 and compiled > 90 and left < 100)";
    assert_eq!(value(text), "true");
}

#[test]
fn a_pattern_survives_what_is_done_to_it_by_force() {
    assert_eq!(
        value("local p = lpeg.C(lpeg.P'a') p:match'a' debug.setfenv(p, {}) collectgarbage() return p:match'a'"),
        "a"
    );
    assert_eq!(
        error("local p = lpeg.C'a' debug.setmetatable(io.stdout, {}) lpeg.match(io.stdout, 'a')"),
        "bad argument #1 to 'match' (lpeg-pattern expected, got userdata)"
    );
    assert_eq!(value("return tostring(getmetatable(lpeg.P'a').__gc)"), "nil");
}
