//! What scripts find: libraries by kind, `require`, times, and what is missing.

mod support;

use heka_sandbox::Kind;
use support::{Rig, eval};

const RESTRICTED: [Kind; 3] = [Kind::Decoder, Kind::Filter, Kind::Encoder];
const TRUSTED: [Kind; 2] = [Kind::Input, Kind::Output];

#[test]
fn base_functions_by_kind() {
    let everyone = "_G _VERSION assert error gcinfo getfenv getmetatable ipairs module next pairs pcall rawequal rawget \
                    rawset require select setfenv setmetatable tonumber tostring type unpack xpcall package";
    let trusted = "collectgarbage coroutine newproxy";
    let nobody = "dofile load loadfile loadstring print string table math os io debug";
    for (kinds, has_trusted) in [(&RESTRICTED[..], false), (&TRUSTED[..], true)] {
        for kind in kinds {
            for name in everyone.split_whitespace() {
                assert_ne!(eval(*kind, name), Ok("nil".into()), "{kind:?} lacks {name}");
            }
            for name in trusted.split_whitespace() {
                assert_eq!(eval(*kind, &format!("{name} ~= nil")), Ok(has_trusted.to_string()), "{kind:?} {name}");
            }
            for name in nobody.split_whitespace() {
                assert_eq!(eval(*kind, name), Ok("nil".into()), "{kind:?} has {name}");
            }
        }
    }
    let keys = "(function() local s = '' for k in pairs(package) do s = s .. k end return s end)()";
    assert_eq!(eval(Kind::Filter, keys), Ok("seeall".into()));
}

#[test]
fn host_functions_by_kind() {
    let all = "read_config decode_message date_to_ns read_message read_next_field inject_message inject_match \
               inject_payload add_to_payload write_message match_decoder";
    let missing = [
        (Kind::Decoder, ""),
        (Kind::Filter, "write_message"),
        (Kind::Encoder, ""),
        (Kind::Input, "read_message read_next_field inject_payload add_to_payload write_message match_decoder"),
        (Kind::Output, "inject_message inject_match inject_payload add_to_payload write_message match_decoder"),
    ];
    for (kind, missing) in missing {
        for name in all.split_whitespace() {
            let expected = !missing.split_whitespace().any(|m| m == name);
            assert_eq!(eval(kind, &format!("{name} ~= nil")), Ok(expected.to_string()), "{kind:?} {name}");
        }
        assert_eq!(eval(kind, "output"), Ok("nil".into()));
    }
}

#[test]
fn a_missing_function_is_a_nil_global() {
    let error = eval(Kind::Filter, "write_message('Payload', 'x')").unwrap_err();
    assert!(error.starts_with("process_message() "), "{error}");
    assert!(error.ends_with("test.lua:2: attempt to call global 'write_message' (a nil value)"), "{error}");
}

#[test]
fn libraries_come_with_require() {
    for (kind, expression, result) in [
        (Kind::Filter, "require('string') == string", "true"),
        (Kind::Filter, "require('string') and ('x'):rep(2)", "xx"),
        (Kind::Filter, "pcall(function() return ('x'):rep(2) end)", "false"),
        (Kind::Filter, "require('table').concat({1, 2}, ' ')", "1 2"),
        (Kind::Filter, "require('math').mod(5, 3) .. type(math.random())", "2number"),
        (Kind::Filter, "require('table').getn({1, 2, 3})", "3"),
        (Kind::Filter, "require('os').getenv", "nil"),
        (Kind::Filter, "require('os').execute", "nil"),
        (Kind::Input, "require('os').getenv ~= nil and os.exit == nil and os.setlocale == nil", "true"),
        (Kind::Output, "require('io').open ~= nil", "true"),
        (Kind::Filter, "require('string') == require('string')", "true"),
        (Kind::Filter, "getmetatable(require('table')) ~= nil", "true"),
    ] {
        assert_eq!(eval(kind, expression), Ok(result.into()), "{expression}");
    }
}

/// The text of an error without its position.
fn error(expression: &str) -> String {
    let source = format!(
        "function process_message()\n local ok, why = pcall(function() return {expression} end)\n return -1, why\nend"
    );
    let text = Rig::new(Kind::Filter, &source).run().unwrap();
    text.split_once(": ").map(|(_, rest)| rest.to_owned()).unwrap_or(text)
}

#[test]
fn what_require_refuses() {
    assert_eq!(error("require('io')"), "module 'io' disabled");
    assert_eq!(error("require('x-y')"), "invalid module name 'x-y'");
    assert_eq!(error("require('../../etc/passwd')"), "invalid module name '../../etc/passwd'");
    assert!(eval(Kind::Filter, "require('coroutine')").is_err());
    let modules = |config: &mut heka_sandbox::Config| config.modules = vec!["/lm".into(), "/n".into()];
    for (name, text) in [
        (
            "unknown",
            "module 'unknown' not found:\n\tno file '/lm/unknown.lua'\n\tno file '/n/unknown.lua'\n\tno file '/lm/unknown.so'\n\tno file '/n/unknown.so'",
        ),
        (
            "foo.bar",
            "module 'foo.bar' not found:\n\tno file '/lm/foo/bar.lua'\n\tno file '/n/foo/bar.lua'\n\tno file '/lm/foo/bar.so'\n\tno file '/n/foo/bar.so'\n\tno file '/lm/foo.so'\n\tno file '/n/foo.so'",
        ),
    ] {
        let source = format!("local ok, why = pcall(require, '{name}') function process_message() return -1, why end");
        let mut rig = Rig::with(Kind::Filter, &source, modules).unwrap();
        assert_eq!(rig.run(), Ok(text.to_owned()));
    }
}

#[test]
fn modules_are_loaded_once_and_marked() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
    write("plain.lua", "#!/usr/bin/lua\nlocal M = {n = 0} setfenv(1, M) function up() n = n + 1 return n end return M");
    write("old.lua", "module(..., package.seeall)\nfunction name() return _NAME end");
    write("none.lua", "x_was_set = true");
    write("bad.lua", "x = = 1");
    write("circle.lua", "require 'circle'");
    std::fs::create_dir(directory.path().join("a")).unwrap();
    write("a/b.lua", "return {name = ...}");
    write("compiled.lua", "\x1bLua binary");
    let eval = |expression: &str| {
        let source = format!("function process_message() return -1, tostring({expression}) end");
        let path = directory.path().to_owned();
        Rig::with(Kind::Filter, &source, |config| config.modules = vec![path]).unwrap().run()
    };
    let ok = |expression: &str| eval(expression).unwrap();
    assert_eq!(ok("require('plain').up() + require('plain').up()"), "3");
    assert_eq!(ok("require('old').name()"), "old");
    assert_eq!(ok("require('none')"), "true");
    assert_eq!(ok("require('a.b').name"), "a.b");
    assert_eq!(ok("next(getmetatable(require('plain')))"), "nil");
    let error = |expression: &str| eval(&format!("select(2, pcall(function() return {expression} end))")).unwrap();
    let bad = format!(
        "error loading module 'bad' from file '{0}/bad.lua':\n\t{0}/bad.lua:1: unexpected symbol near '='",
        directory.path().display()
    );
    assert!(error("require('bad')").ends_with(&bad), "{}", error("require('bad')"));
    assert!(error("require('circle')").contains("loop or previous error loading module 'circle'"));
    assert!(error("require('compiled')").contains("precompiled code is refused"));
}

#[test]
fn times_are_utc_and_strict() {
    for (expression, result) in [
        ("require('os').date('%Y-%m-%d %H:%M:%S', 1425942301)", "2015-03-09 23:05:01"),
        ("require('os').date('!%H', 1425942301)", "23"),
        ("require('os').time{year=2015, month=3, day=9, hour=23, min=5, sec=1}", "1425942301"),
        ("require('os').time{year=2015, month=3, day=9}", "1425902400"),
        ("require('os').date('*t', 1425942301).hour", "23"),
        ("require('os').date('*t', 1425942301).isdst", "false"),
        ("math.abs(require('os').time() - 1.7e9) < 1e9", "true"),
    ] {
        assert_eq!(eval(Kind::Filter, &format!("require('math') and {expression}")), Ok(result.into()), "{expression}");
    }
    assert_eq!(error("require('os').date('%Q')"), "bad argument #1 to 'date' (invalid conversion specifier '%Q')");
    assert_eq!(error("require('os').date('%Ed')"), "bad argument #1 to 'date' (invalid conversion specifier '%Ed')");
    assert_eq!(error("require('os').time{year=2015, month=1}"), "field 'day' missing in date table");
}

#[test]
fn the_process_keeps_its_time_zone() {
    let zone = || std::env::var_os("TZ");
    // What the process takes for local time is asked of the C library, which a script's host must leave alone.
    let local = || {
        let mut parts = std::mem::MaybeUninit::<libc::tm>::zeroed();
        // SAFETY: the time and the parts live through the call, which fills them in.
        unsafe { libc::localtime_r(&1_425_942_301, parts.as_mut_ptr()) };
        // SAFETY: zeros are valid as well.
        unsafe { parts.assume_init() }.tm_hour
    };
    let before = (zone(), local());
    assert_eq!(eval(Kind::Filter, "require('os').date('%H', 1425942301)"), Ok("23".into()));
    assert_eq!((zone(), local()), before);
}

#[test]
fn random_numbers_belong_to_the_script() {
    let twice = "(function() local m = require('math') m.randomseed(7) local a = m.random(1000) m.randomseed(7) \
                 return a == m.random(1000) end)()";
    assert_eq!(eval(Kind::Filter, twice), Ok("true".into()));
    let bounds = "(function() local m = require('math') for i = 1, 1000 do local r = m.random(3, 5) \
                  assert(r >= 3 and r <= 5 and r % 1 == 0) assert(m.random(2) <= 2) r = m.random() assert(r >= 0 and r < 1) \
                  end return 'ok' end)()";
    assert_eq!(eval(Kind::Filter, bounds), Ok("ok".into()));
    assert_eq!(error("require('math').random(0)"), "bad argument #1 to 'random' (interval is empty)");
    assert_eq!(error("require('math').random(2, 1)"), "bad argument #2 to 'random' (interval is empty)");
}

#[test]
fn tables_keep_the_order_of_reference_lua() {
    let order = "(function() local s = '' for k in pairs{number=1, numbers=2, string=3, strings=4, bool=5, bools=6} do \
                 s = s .. k .. ' ' end return s end)()";
    assert_eq!(eval(Kind::Filter, order), Ok("number numbers bools bool string strings ".into()));
}
