//! Globals written and read back, in the format of all Hekas.

mod support;

use heka_sandbox::Kind;
use proptest::prelude::*;
use std::path::Path;
use support::Rig;

const NOTHING: &str = "\nfunction process_message() return 0 end\n";

/// The statements that a script's globals become.
fn preserved(source: &str) -> String {
    let mut rig = Rig::new(Kind::Filter, &format!("{source}{NOTHING}"));
    String::from_utf8(rig.sandbox.preserve().unwrap()).unwrap()
}

/// What an expression gives in a state that was restored from `data`.
fn restored(source: &str, data: &str, expression: &str) -> Result<String, String> {
    let source = format!("{source}\nfunction process_message() return -1, tostring({expression}) end");
    let mut rig = Rig::with(Kind::Filter, &source, |config| config.memory_limit = 64 << 20).unwrap();
    rig.sandbox.restore(data.as_bytes(), Path::new("x.data"))?;
    rig.run()
}

#[test]
fn every_kind_of_value_comes_back() {
    let source = "t = {1, 2, {x = 'a\\nb'}} u = t nan = 0/0 inf = 1/0 neg = -1/0 exact = 0.1 + 0.2 big = 2^60 yes, no = true, false \
                  s = 'q\"\\\\\\r\\0z' t[true] = 'key' t[1.5] = 'half' t.self = t local hidden = 1 f = function() end \
                  marked = setmetatable({}, {})";
    let data = preserved(source);
    for line in [
        "_G[\"inf\"] = 1/0\n",
        "_G[\"neg\"] = -1/0\n",
        "_G[\"nan\"] = 0/0\n",
        "_G[\"yes\"] = true\n",
        "_G[\"s\"] = \"q\\\"\\\\\\r\\000z\"\n",
    ] {
        assert!(data.contains(line), "{line} in {data}");
    }
    assert!(data.starts_with("if _PRESERVATION_VERSION and _PRESERVATION_VERSION ~= 0 then return end\n"));
    for absent in [
        "hidden",
        "\"f\"",
        "marked",
        "process_message",
        "read_config",
        "_G[\"_G\"]",
        "package",
        "_PRESERVATION_VERSION\"]",
    ] {
        assert!(!data.contains(absent), "{absent} in {data}");
    }
    for (expression, expected) in [
        ("t[1] + t[2]", "3"),
        ("t[3].x == 'a\\nb'", "true"),
        ("t == u and t.self == t", "true"),
        ("nan ~= nan and inf == 1/0 and neg == -1/0", "true"),
        ("exact == 0.1 + 0.2 and big == 2^60", "true"),
        ("s == 'q\"\\\\\\r\\0z'", "true"),
        ("t[true] .. t[1.5]", "keyhalf"),
        ("yes and not no", "true"),
    ] {
        assert_eq!(restored("", &data, expression), Ok(expected.to_owned()), "{expression}");
    }
}

#[test]
fn another_version_is_ignored() {
    let data = preserved("_PRESERVATION_VERSION = 2 n = 5");
    assert!(data.starts_with("if _PRESERVATION_VERSION and _PRESERVATION_VERSION ~= 2 then return end\n"));
    for (version, expected) in [("2", "5"), ("3", "nil"), ("nil", "5")] {
        assert_eq!(restored(&format!("_PRESERVATION_VERSION = {version}"), &data, "n"), Ok(expected.to_owned()));
    }
    assert_eq!(
        restored("_PRESERVATION_VERSION = 2", "_G[\"n\"] = 7\n", "n"),
        Ok("7".to_owned()),
        "without a first line"
    );
}

#[test]
fn a_circular_buffer_comes_back() {
    let source = "require 'circular_buffer' cb = circular_buffer.new(3, 2, 60) cb:set_header(1, 'count') cb:add(0, 1, 5) cb:add(60e9, 1, 7) alias = cb";
    let data = preserved(source);
    // Whichever of the two names comes first in the table's order makes it, and the other refers to it.
    let made = |name: &str| {
        data.contains(&format!("if _G[\"{name}\"] == nil then _G[\"{name}\"] = circular_buffer.new(3, 2, 60) end"))
    };
    assert!(made("cb") != made("alias"), "{data}");
    let require = "require 'circular_buffer' require 'string'";
    assert_eq!(
        restored(require, &data, "cb:get(0, 1) .. cb:get(60e9, 1) .. tostring(rawequal(cb, alias))"),
        Ok("57true".to_owned())
    );
    let changed = "require 'circular_buffer' cb = circular_buffer.new(5, 2, 60) alias = cb";
    let error = restored(changed, &data, "cb").unwrap_err();
    assert!(error.starts_with("lsb_restore_global_data "), "{error}");
}

#[test]
fn more_constants_than_a_function_may_have() {
    let source = "t = {} function process_message() for i = 1, 70000 do t['k' .. i] = i + 0.5 end return 0 end";
    let mut rig = Rig::with(Kind::Filter, source, |config| config.memory_limit = 0).unwrap();
    rig.run().unwrap();
    rig.sandbox.timer_event(0, &mut rig.taker).ok();
    let mut rig =
        Rig::with(Kind::Filter, source, |config| (config.memory_limit, config.instruction_limit) = (0, 0)).unwrap();
    for _ in 0..2 {
        rig.run().unwrap();
    }
    let mut data =
        String::from("if _PRESERVATION_VERSION and _PRESERVATION_VERSION ~= 7 then return end\n_G[\"t\"] = {}\n");
    for i in 0..150_000 {
        data.push_str(&format!("_G[\"t\"][\"a\\\nkey {i}\"] = {i}.25\n"));
    }
    assert_eq!(restored("_PRESERVATION_VERSION = 7", &data, "t['a\\nkey 149999']"), Ok("149999.25".to_owned()));
    assert_eq!(restored("_PRESERVATION_VERSION = 8", &data, "t"), Ok("nil".to_owned()));
    assert_eq!(restored("", &data, "t['a\\nkey 5']"), Ok("5.25".to_owned()));
}

#[test]
fn damage_is_an_error() {
    for data in ["_G[\"x\"] = ", "error('no')", "\u{1b}Lua", "while true do"] {
        let error = restored("", data, "x").unwrap_err();
        assert!(error.starts_with("lsb_restore_global_data ") && error.len() <= 300, "{error}");
    }
    assert_eq!(restored("", "", "x"), Ok("nil".to_owned()));
}

#[test]
fn restoring_has_no_limits_but_the_script_does_again() {
    let source = "function process_message() local t = {} for i = 1, 1e9 do t[i] = i end end";
    let mut rig = Rig::with(Kind::Filter, source, |config| config.memory_limit = 200_000).unwrap();
    rig.sandbox.restore(b"_G['t'] = {} for i = 1, 300000 do t[i] = i end", Path::new("x.data")).unwrap();
    assert!(rig.sandbox.statistics().memory > 4_000_000);
    assert_eq!(rig.run(), Err("process_message() not enough memory".to_owned()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn texts_and_numbers_come_back(text: Vec<u8>, number: f64) {
        let mut quoted = String::new();
        text.iter().for_each(|byte| quoted.push_str(&format!("\\{byte:03}")));
        let literal = if number.is_nan() { "0/0".to_owned() } else if number.is_infinite() { format!("{}1/0", if number < 0.0 { "-" } else { "" }) } else { format!("{number:e}") };
        let mut rig = Rig::new(Kind::Filter, &format!("s = \"{quoted}\" n = {literal} {NOTHING}"));
        let data = rig.sandbox.preserve().unwrap();
        let check = format!("function process_message() return -1, tostring(s == \"{quoted}\" and (n == {literal} or n ~= n)) end");
        let mut again = Rig::new(Kind::Filter, &check);
        again.sandbox.restore(&data, Path::new("x.data")).unwrap();
        prop_assert_eq!(again.run(), Ok("true".to_owned()));
    }
}
