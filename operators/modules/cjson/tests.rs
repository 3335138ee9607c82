//! The module as scripts see it.

use super::set_output_limit;
use crate::testing::{Sandbox, error, run};
use proptest::prelude::*;

fn encode(expression: &str) -> String {
    run(&format!("require 'cjson' return cjson.encode({expression})"))
}

fn encode_error(expression: &str) -> String {
    run(&format!("require 'cjson' return select(2, pcall(cjson.encode, {expression}))"))
}

fn decode(text: &str) -> String {
    run(&format!(
        "require 'cjson'
         local function show(v)
           if type(v) ~= 'table' then return type(v) == 'string' and string.format('%q', v) or tostring(v) end
           local parts = {{}}
           for k, item in pairs(v) do parts[#parts + 1] = tostring(k) .. '=' .. show(item) end
           return '{{' .. table.concat(parts, ' ') .. '}}'
         end
         return show(cjson.decode([=[{text}]=]))"
    ))
}

fn decode_error(text: &str) -> String {
    run(&format!("require 'cjson' return select(2, pcall(cjson.decode, [=[{text}]=]))"))
}

#[test]
fn encodes_tables_as_scripts_expect() {
    for (value, text) in [
        ("{value=1}", r#"{"value":1}"#),
        ("{1,2,3}", "[1,2,3]"),
        ("{x=1,_m=1,_private={1,2}}", r#"{"x":1,"_m":1,"_private":[1,2]}"#),
        (r#"{["special\tcharacters"]="\"\t\r\n\b\f\\/"}"#, r#"{"special\tcharacters":"\"\t\r\n\b\f\\\/"}"#),
        ("{}", "{}"),
        ("{{}, {{}}}", "[{},[{}]]"),
        ("{[1.5]=1}", r#"{"1.5":1}"#),
        ("{[0]=1}", r#"{"0":1}"#),
        ("{1, nil, 3}", "[1,null,3]"),
        ("{[10]=1}", "[null,null,null,null,null,null,null,null,null,1]"),
        ("{cjson.null, true, false}", "[null,true,false]"),
        ("nil", "null"),
        ("'a'", "\"a\""),
        ("'\\0\\1\\31\\127\\200'", "\"\\u0000\\u0001\\u001f\\u007f\u{fffd}\""),
        ("123456789012345678", "1.2345678901235e+17"),
        ("-0", "-0"),
        ("0.1", "0.1"),
        ("1/3", "0.33333333333333"),
        ("12345678901234", "12345678901234"),
    ] {
        assert_eq!(encode(value), text, "{value}");
    }
}

#[test]
fn refuses_what_json_cannot_say() {
    for (value, text) in [
        ("0/0", "Cannot serialise number: must not be NaN or Infinity"),
        ("{1/0}", "Cannot serialise number: must not be NaN or Infinity"),
        ("{[1/0]=1}", "Cannot serialise number: must not be NaN or Infinity"),
        ("{[true]=1}", "Cannot serialise boolean: table key must be a number or string"),
        ("{[{}]=1}", "Cannot serialise table: table key must be a number or string"),
        ("{[11]=1}", "Cannot serialise table: excessively sparse array"),
        ("print", "Cannot serialise function: type not supported"),
        ("{io.stdout}", "Cannot serialise userdata: type not supported"),
        ("(function() local t = {} t[1] = t return t end)()", "Cannot serialise, excessive nesting (1001)"),
        ("(function() local t = {} t.t = t return t end)()", "Cannot serialise, excessive nesting (1001)"),
        ("1, 2", "bad argument #1 to '?' (expected 1 argument)"),
    ] {
        assert_eq!(encode_error(value), text, "{value}");
    }
    assert_eq!(
        error("require 'cjson' cjson.encode({print})"),
        "chunk:1: Cannot serialise function: type not supported"
    );
}

#[test]
fn decodes_values() {
    for (text, value) in [
        ("5", "5"),
        (" [1,null,3] ", "{1=1 3=3}"),
        ("null", "nil"),
        ("[]", "{}"),
        ("{}", "{}"),
        (r#"{"a":{"b":[true,false,{}]},"c":""}"#, r#"{a={b={1=true 2=false 3={}}} c=""}"#),
        (r#"{"a":1,"a":null}"#, "{}"),
        ("0x10", "16"),
        ("nan", "nan"),
        ("-Infinity", "-inf"),
        ("007", "7"),
        ("-1.5e3", "-1500"),
        (r#""\u00e9\ud83d\ude00\/\b""#, "\"é😀/\u{8}\""),
        (r#"["a\\","b"]"#, r#"{1="a\\" 2="b"}"#),
    ] {
        assert_eq!(decode(text), value, "{text}");
    }
    assert_eq!(run("require 'cjson' return cjson.decode('[5]\\0\\0rest')[1]"), "5");
    assert_eq!(run("require 'cjson' return #cjson.decode('\"\\\\u0000\"')"), "1");
}

#[test]
fn says_what_it_expected_and_where() {
    for (text, error) in [
        ("", "Expected value but found T_END at character 1"),
        ("[1,2", "Expected comma or array end but found T_END at character 5"),
        ("[1,]", "Expected value but found T_ARR_END at character 4"),
        (r#"{"a" 1}"#, "Expected colon but found T_NUMBER at character 6"),
        (r#"{"a":1"#, "Expected comma or object end but found T_END at character 7"),
        ("{'a'}", "Expected object key string but found invalid token at character 2"),
        ("1 x", "Expected the end but found invalid token at character 3"),
        ("{1}", "Expected object key string but found T_NUMBER at character 2"),
        ("\"a", "Expected value but found unexpected end of string at character 3"),
        (r#""\q""#, "Expected value but found invalid escape code at character 2"),
        (r#"["\u12x4"]"#, "Expected value but found invalid unicode escape code at character 3"),
        (r#""\ud800x""#, "Expected value but found invalid unicode escape code at character 2"),
        ("\"a\tb\"", "Expected value but found invalid control character at character 3"),
        ("-", "Expected value but found invalid number at character 1"),
        ("/* c */", "Expected value but found invalid token at character 1"),
    ] {
        assert_eq!(decode_error(text), error, "{text}");
    }
    let utf16 = "require 'cjson' return select(2, pcall(cjson.decode, '5\\0'))";
    assert_eq!(run(utf16), "JSON parser does not support UTF-16 or UTF-32");
    let nil = "require 'cjson' return select(2, pcall(cjson.decode, nil))";
    assert_eq!(run(nil), "bad argument #1 to '?' (string expected, got nil)");
    assert_eq!(decode_error("1]=], [=[2"), "bad argument #1 to '?' (expected 1 argument)");
    let none = "require 'cjson' return select(2, pcall(cjson.decode))";
    assert_eq!(run(none), "bad argument #1 to '?' (expected 1 argument)");
}

#[test]
fn depth_is_limited_in_both_directions_whatever_the_setting() {
    let nested = |depth: usize, open: &str, close: &str| {
        format!(
            "require 'cjson' cjson.decode_max_depth(2147483647) cjson.encode_max_depth(2147483647)
                 local ok, v = pcall(cjson.decode, ('{open}'):rep({depth}) .. '{close}')
                 if not ok then return v end
                 return pcall(cjson.encode, v)"
        )
    };
    assert_eq!(decode_error(&"[".repeat(1001)), "Found too many nested data structures (1001) at character 1001");
    assert!(decode_error(&"[".repeat(1000)).starts_with("Expected value but found T_END at character 1001"));
    let text = run(&nested(100_000, "[", ""));
    assert!(text.starts_with("Found too many nested data structures ("), "{text}");
    let text = run(&nested(100_000, "{\"a\":", ""));
    assert!(text.starts_with("Found too many nested data structures ("), "{text}");
    let cyclic = "require 'cjson' cjson.encode_max_depth(2147483647) local t = {} t[1] = t t[2] = {a = t}
                  return select(2, pcall(cjson.encode, t))";
    assert!(run(cyclic).starts_with("Cannot serialise, excessive nesting ("));
}

#[test]
fn settings_return_what_holds() {
    for (call, result) in [
        ("encode_sparse_array()", "false,2,10"),
        ("encode_sparse_array(nil)", "false,2,10"),
        ("encode_sparse_array('on', 3, 4)", "true,3,4"),
        ("encode_max_depth()", "1000"),
        ("encode_max_depth(5)", "5"),
        ("decode_max_depth(nil)", "1000"),
        ("encode_number_precision()", "14"),
        ("encode_number_precision(17)", "17"),
        ("encode_invalid_numbers()", "false"),
        ("encode_invalid_numbers('null')", "null"),
        ("encode_invalid_numbers(true)", "true"),
        ("decode_invalid_numbers()", "true"),
        ("decode_null('on')", "true"),
        ("decode_null(false)", "false"),
        ("_VERSION", "2.1.0"),
        ("_NAME", "cjson"),
    ] {
        assert_eq!(run(&format!("require 'cjson' return cjson.{call}")), result, "{call}");
    }
    for (call, error) in [
        ("encode_max_depth, 0", "bad argument #1 to '?' (expected integer between 1 and 2147483647)"),
        ("encode_max_depth, 0/0", "bad argument #1 to '?' (expected integer between 1 and 2147483647)"),
        ("encode_max_depth, 1, 2", "bad argument #2 to '?' (found too many arguments)"),
        ("encode_max_depth, 'x'", "bad argument #1 to '?' (number expected, got string)"),
        ("encode_number_precision, 18", "bad argument #1 to '?' (expected integer between 1 and 17)"),
        ("encode_sparse_array, nil, -1", "bad argument #2 to '?' (expected integer between 0 and 2147483647)"),
        ("encode_invalid_numbers, 'x'", "bad argument #1 to '?' (invalid option 'x')"),
        ("decode_null, {}", "bad argument #1 to '?' (string expected, got table)"),
    ] {
        assert_eq!(run(&format!("require 'cjson' return select(2, pcall(cjson.{call}))")), error, "{call}");
    }
}

#[test]
fn settings_take_effect() {
    for (chunk, result) in [
        ("cjson.encode_sparse_array(true) return cjson.encode{[100]=1}", r#"{"100":1}"#),
        ("cjson.encode_number_precision(3) return cjson.encode{1234.5, 1/3}", "[1.23e+03,0.333]"),
        ("cjson.encode_invalid_numbers(true) return cjson.encode{0/0,1/0,-1/0}", "[NaN,Infinity,-Infinity]"),
        ("cjson.encode_invalid_numbers('null') return cjson.encode{0/0,1/0}", "[null,null]"),
        ("cjson.decode_null(true) return cjson.decode('[null]')[1] == cjson.null", "true"),
        (
            "cjson.decode_invalid_numbers(false) return select(2, pcall(cjson.decode, '0x1'))",
            "Expected value but found invalid number at character 1",
        ),
        (
            "cjson.decode_invalid_numbers(false) return select(2, pcall(cjson.decode, 'nan'))",
            "Expected value but found invalid token at character 1",
        ),
        (
            "cjson.decode_max_depth(2) return select(2, pcall(cjson.decode, '[[{}]]'))",
            "Found too many nested data structures (3) at character 3",
        ),
    ] {
        assert_eq!(run(&format!("require 'cjson' {chunk}")), result, "{chunk}");
    }
}

#[test]
fn the_host_limits_the_output() {
    let sandbox = Sandbox::new();
    // Safety: the stack is empty and nothing else runs.
    unsafe { set_output_limit(sandbox.state, 10) };
    let run = |chunk: &str| sandbox.run(&format!("require 'cjson' {chunk}"));
    assert_eq!(run("return cjson.encode(('x'):rep(7))"), Ok(b"\"xxxxxxx\"".to_vec()));
    assert_eq!(run("return cjson.encode(('x'):rep(8))"), Err(b"strbuf output_limit exceeded".to_vec()));
    unsafe { set_output_limit(sandbox.state, 65536) };
    assert_eq!(run("return #cjson.encode(('x'):rep(65533))"), Ok(b"65535".to_vec()));
    assert_eq!(run("return cjson.encode(('x'):rep(65534))"), Err(b"strbuf output_limit exceeded".to_vec()));
    let sparse = "cjson.encode_sparse_array(false, 0) return cjson.encode{[1e15] = 1}";
    assert_eq!(run(sparse), Err(b"strbuf output_limit exceeded".to_vec()));
    unsafe { set_output_limit(sandbox.state, 0) };
    assert_eq!(run("return #cjson.encode(('x'):rep(1e6))"), Ok(b"1000002".to_vec()));
}

#[test]
fn scripts_may_not_spend_more_than_their_budget() {
    heka_lua::set_budget(100_000, None);
    let sparse = "require 'cjson' cjson.encode_sparse_array(false, 0) return cjson.encode{[1e15] = 1}";
    assert_eq!(error(sparse), "instruction_limit exceeded");
    heka_lua::set_budget(u64::MAX, None);
}

proptest! {
    #[test]
    fn no_text_harms(text in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"{}[]:,\"\\ue0-+.nft ".to_vec())], 0..40)) {
        let quoted: String = text.iter().map(|byte| format!("\\{byte:03}")).collect();
        // What is read is written and read again; the second text is the first again.
        let chunk = format!("require 'cjson'
            local ok, value = pcall(cjson.decode, '{quoted}')
            if not ok then return type(value) == 'string' and value:find('at character %d+$') ~= nil or value end
            local ok, text = pcall(cjson.encode, value)
            return not ok and text:find('^Cannot serialise') ~= nil or cjson.encode(cjson.decode(text)) == text");
        let result = run(&chunk);
        prop_assert!(result == "true" || result == "JSON parser does not support UTF-16 or UTF-32", "{}", result);
    }
}

/// Whether `pairs` and `#` see what decoding the members or elements made as they see what assigning them makes, and
/// still do when both grow further.
fn lies_as_if_assigned(members: &[(Option<String>, Option<u8>)], depth: usize) {
    let mut text = "{\"d\":".repeat(depth);
    let mut assignments = String::new();
    let object = members.first().is_some_and(|(key, _)| key.is_some());
    text.push(if object { '{' } else { '[' });
    for (n, (key, value)) in members.iter().enumerate() {
        text.push_str(if n > 0 { "," } else { "" });
        if let Some(key) = key {
            // A key with an escape is another way into the table.
            text.push_str(&format!("\"{}\":", key.replacen('b', "\\u0062", 1)));
        }
        let place = key.as_ref().map_or((n + 1).to_string(), |key| format!("'{key}'"));
        text.push_str(&value.map_or("null".into(), |value| value.to_string()));
        let value = value.map_or("nil".into(), |value| value.to_string());
        assignments.push_str(&format!("assigned[{place}] = {value}\n"));
    }
    text.push(if object { '}' } else { ']' });
    text.push_str(&"}".repeat(depth));
    let answer = run(&format!(
        "require 'cjson'
         collectgarbage 'stop'
         local decoded, assigned = cjson.decode([=[{text}]=]), {{}}
         for _ = 1, {depth} do decoded = decoded.d end
         {assignments}
         local function order(t)
           local seen = {{#t}}
           for k, v in pairs(t) do seen[#seen + 1] = tostring(k) .. '=' .. v end
           return table.concat(seen, ' ')
         end
         for n = 0, 40 do
           if n > 0 then decoded['more' .. n], assigned['more' .. n] = n, n end
           if order(decoded) ~= order(assigned) then
             return n .. ' more: ' .. order(decoded) .. ', not ' .. order(assigned)
           end
         end
         return 'same'"
    ));
    assert_eq!(answer, "same", "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn objects_lie_as_if_assigned_key_by_key(
        members in prop::collection::vec(("[a-z]{0,8}|[a-c]{1,2}|[a-z]{30,70}", prop::option::weighted(0.9, 0..9_u8)), 0..80),
        few in 0_usize..80,
        depth in 0_usize..20,
    ) {
        let members: Vec<_> = members.into_iter().take(few).map(|(key, value)| (Some(key), value)).collect();
        lies_as_if_assigned(&members, depth);
    }

    #[test]
    fn arrays_lie_as_if_assigned_one_by_one(
        elements in prop::collection::vec(prop::option::weighted(0.95, 0..9_u8), 0..80),
        depth in 0_usize..20,
    ) {
        let elements: Vec<_> = elements.into_iter().map(|value| (None, value)).collect();
        lies_as_if_assigned(&elements, depth);
    }
}
