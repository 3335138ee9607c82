//! The functions against those of the standard library in the same state, and their limits.

use super::install;
use crate::testing::{Random, Sandbox};
use heka_lua::{ffi, set_budget};
use std::fmt::Write;

/// A state where `C` is the standard library's `string` and `string` is patched.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.run("C = {} for name, f in pairs(string) do C[name] = f end").expect("copied");
    unsafe {
        ffi::lua_settop(sandbox.state, 0);
        ffi::lua_getglobal_(sandbox.state, c"string".as_ptr());
        install(sandbox.state);
        ffi::lua_settop(sandbox.state, 0);
    }
    sandbox
}

fn run(chunk: &str) -> String {
    String::from_utf8_lossy(&sandbox().run(chunk).expect("runs")).into_owned()
}

fn error(chunk: &str) -> String {
    String::from_utf8_lossy(&sandbox().run(chunk).expect_err("fails")).into_owned()
}

/// Defines `same(name, ...)`, which raises when the two libraries differ.
const SAME: &str = r##"
local function show(...)
  local parts = {}
  for i = 1, select("#", ...) do parts[i] = string.format("%q", tostring((select(i, ...)))) end
  return table.concat(parts, " ")
end
local function collect(library, subject, pattern)
  local all = {}
  for a, b, c in library.gmatch(subject, pattern) do
    all[#all + 1] = show(a, b, c)
    if #all > 40 then break end
  end
  return table.concat(all, "|")
end
local function same(name, ...)
  local ours, theirs = show(pcall(string[name], ...)), show(pcall(C[name], ...))
  if ours ~= theirs then error(name .. " " .. show(...) .. "\nours   " .. ours .. "\ntheirs " .. theirs) end
end
local function all_the_same(subject, pattern, replacement, start)
  same("find", subject, pattern, start)
  same("find", subject, pattern, start, true)
  same("match", subject, pattern, start)
  same("gsub", subject, pattern, replacement)
  same("gsub", subject, pattern, replacement, start)
  same("gsub", subject, pattern, {a = "x", b = 1, c = false, [1] = "one", ab = true})
  same("gsub", subject, pattern, function(a, b) return b or a end)
  local ours, theirs = show(pcall(collect, string, subject, pattern)), show(pcall(collect, C, subject, pattern))
  if ours ~= theirs then error("gmatch " .. show(subject, pattern) .. "\nours   " .. ours .. "\ntheirs " .. theirs) end
end
"##;

fn quoted(text: &[u8]) -> String {
    text.iter().fold("\"".to_owned(), |mut quoted, byte| {
        let _ = write!(quoted, "\\{byte:03}");
        quoted
    }) + "\""
}

#[test]
fn random_patterns_do_what_they_do_in_the_reference() {
    const PIECES: &[&str] = &[
        "a", "b", "c", "ab", ".", "%a", "%d", "%S", "%w", "%p", "%x", "%z", "%c", "%l", "%U", "%%", "%.", "%", "[ab]",
        "[^a]", "[a-c]", "[%a_]", "[%]]", "[]]", "[^]]", "[a-", "[", "]", "-", "*", "+", "?", "a*", "b-", ".-", "%d+",
        "a?", "[ab]*", "(", ")", "(a)", "(.-)", "()", "%1", "%2", "%0", "%b()", "%bab", "%b", "%f[a]", "%f[^b]", "%f",
        "^", "$", "\0", "é",
    ];
    const SUBJECTS: &[&str] =
        &["a", "b", "c", "ab", "ba", "(", ")", "1", "22", " ", "_", "]", "-", "%", "\0", "é", "$", "^"];
    const REPLACEMENTS: &[&str] = &["", "x", "%0", "%1", "<%1%2>", "%%", "%", "%9", "a%0b", "%a"];
    let mut random = Random::new(0x5eed_0002);
    let mut text = |pieces: &[&str], most: usize| {
        let count = random.below(most + 1);
        (0..count).map(|_| *random.pick(pieces)).collect::<String>()
    };
    let mut chunk = SAME.to_owned();
    for n in 0..4000 {
        let (subject, pattern, replacement) = (text(SUBJECTS, 8), text(PIECES, 6), text(REPLACEMENTS, 2));
        let _ = writeln!(
            chunk,
            "all_the_same({}, {}, {}, {})",
            quoted(subject.as_bytes()),
            quoted(pattern.as_bytes()),
            quoted(replacement.as_bytes()),
            n % 9 - 3
        );
        // A chunk has a limit of constants.
        if n % 100 == 99 {
            if let Err(error) = sandbox().run(&chunk) {
                panic!("{}", String::from_utf8_lossy(&error));
            }
            chunk = SAME.to_owned();
        }
    }
}

#[test]
fn chosen_calls_do_what_they_do_in_the_reference() {
    let chunk = SAME.to_owned()
        + r##"
        all_the_same("hello world from Lua", "(%w+) (%w+)", "%2 %1", 1)
        all_the_same("key = value, a=b", "(%w+)%s*=%s*(%w+)", "%1:%2", 1)
        all_the_same("THE (quick) fox", "%((%a+)%)", "%1", -6)
        all_the_same("THE (quick) fox", "%f[%a]%a+", "<%0>", 1)
        all_the_same("", "", "x", 1) all_the_same("abc", "", "-", 2) all_the_same("abc", "$", "x", 1)
        all_the_same("aaa", "^a", "b", 1) all_the_same("aaa", "^", "b", 1) all_the_same("a^b", "a^b", "", 1)
        all_the_same("a$b", "a$b", "", 1) all_the_same("x=1;y=2", "()=()", "%1-%2", 1)
        all_the_same(("a"):rep(40), ("(a)"):rep(16), "%1", 1) all_the_same(("a"):rep(40), ("(a)"):rep(33), "%1", 1)
        all_the_same(12345, 3, 9, 1) all_the_same("abc", "b", 5, 1) all_the_same("a\0b\0c", "%z", "0", 1)
        all_the_same("a\0b", "a\0x", "", 1) all_the_same("a\0b", "\0", "", 1) all_the_same("abc", "b\0[", "x", 1)
        for _, bad in ipairs{"(", ")", "%", "[", "[^", "[%", "[a", "(()", "%1", "(%1)", "%b", "%ba", "%f", "%fa", "a)"} do
          all_the_same("aab", bad, "x", 1)
        end
        same("find") same("find", "a") same("find", {}, "a") same("find", "a", {}) same("find", "a", "a", {})
        same("match", nil, "a") same("gmatch", "a") same("gmatch", {}, "a") same("gsub", "a", "a")
        same("gsub", "a", "a", true) same("gsub", "a", "a", nil) same("gsub", "a", "a", "b", {}) same("gsub", "a", "a", true, {})
        same("gsub", "a", "a", function() return {} end) same("gsub", "a", "a", function() error("no") end)
        same("gsub", "a", "a", setmetatable({}, {__index = function(_, key) return key .. key end}))
        same("gsub", "abc", "%w", "%0", 2) same("gsub", "abc", "%w", "%0", -1) same("gsub", "abc", "%w", "%0", 1e10)
        for _, start in ipairs{-1e10, -10, -3, -1, 0, 1, 3, 4, 5, 1e10} do
          same("find", "abc", "", start) same("find", "abc", "c", start) same("match", "abc", ".*", start)
        end
        for _, n in ipairs{-5, 0, 1, 2.9, 100, 3000} do same("rep", "ab", n) same("rep", "", n) end
        same("rep") same("rep", "a") same("rep", "a", {}) same("rep", 7, 3)
        "##;
    if let Err(error) = sandbox().run(&chunk) {
        panic!("{}", String::from_utf8_lossy(&error));
    }
    assert_eq!(
        run("return string.gfind == string.gmatch, ('x').find == string.find, ('a,b'):gsub(',', ';')"),
        "true,true,a;b,1"
    );
}

#[test]
fn exponential_patterns_end_with_the_budget() {
    set_budget(1_000_000, None);
    let pattern = "('a-'):rep(30) .. 'b'";
    assert_eq!(error(&format!("return ('a'):rep(100):find({pattern})")), "instruction_limit exceeded");
    // It stays spent until the next entry.
    assert_eq!(error("return ('a'):rep(1000):match('(.-)%1b')"), "instruction_limit exceeded");
    set_budget(1_000_000, None);
    assert_eq!(error("return ('a'):rep(100000):gsub('.-b', '')"), "instruction_limit exceeded");
    set_budget(1_000_000, None);
    assert_eq!(error("for _ = 1, 1e9 do ('x'):rep(1e6) end"), "instruction_limit exceeded");
    set_budget(u64::MAX, None);
}

#[test]
fn the_native_stack_is_never_exhausted() {
    // The reference crashes on some of these.
    assert_eq!(run("return #('x'):rep(1e6):match('.-$')"), "1000000");
    assert_eq!(run("return ('a'):rep(60000):find(('a?'):rep(60000))"), "1,60000");
    assert_eq!(error("return ('a'):rep(70000):find(('a?'):rep(70000))"), "chunk:1: pattern too complex");
    assert_eq!(
        run("return #('('):rep(100000) .. '', (('('):rep(1e5) .. (')'):rep(1e5)):find('%b()')"),
        "100000,1,200000"
    );
}

#[test]
fn what_does_not_fit_in_memory_is_refused_at_once() {
    for count in ["1e15", "1e18", "1e300"] {
        assert_eq!(error(&format!("return ('abc'):rep({count})")), "not enough memory");
    }
    assert_eq!(run("return (''):rep(1e18), #('abc'):rep(1e6)"), ",3000000");
}
