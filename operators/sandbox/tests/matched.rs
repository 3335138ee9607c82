//! `inject_match` gives the messages that `lpeg.match` and `inject_message` give, by the short way where it can.

mod support;

use heka_message::Flags;
use heka_sandbox::{Kind, Refusal};
use support::Rig;

const IN_LUA: &str = include_str!("support/inject_match.lua");
const PRELUDE: &str = r#"
local lpeg = require "lpeg"
require "string"
local P, R, S, C, Cc, Cf, Cg, Cs, Ct = lpeg.P, lpeg.R, lpeg.S, lpeg.C, lpeg.Cc, lpeg.Cf, lpeg.Cg, lpeg.Cs, lpeg.Ct
local digit, word = R"09", C((1 - P" ") ^ 1)
local number = digit ^ 1 / tonumber
"#;

/// What one call injects, with its fields sorted and without its identity; how many messages went the long way.
fn injected(source: &str) -> (Result<(i64, Vec<String>), String>, u64) {
    let mut rig = Rig::new(Kind::Decoder, source);
    let result =
        rig.call(&support::sample()).map_err(|error| error.split_once(": ").unwrap_or(("", &error)).1.to_owned());
    let result = result.map(|returned| {
        let batch = std::mem::take(&mut rig.taker.builder).finish();
        (returned.status, batch.rows().map(show).collect())
    });
    (result, rig.sandbox.detours())
}

fn show(row: heka_message::RowRef<'_>) -> String {
    let raw = row.raw();
    let mut fields: Vec<String> = row
        .fields()
        .map(|field| {
            let unit = field.raw().representation.is_some().then(|| field.representation().escape_ascii().to_string());
            let values: Vec<_> = field.values().collect();
            format!("{}:{:?}/{unit:?}={values:?}", field.name().escape_ascii(), field.value_type())
        })
        .collect();
    fields.sort();
    let numbers = (
        raw.flags.has(Flags::TIMESTAMP).then(|| row.timestamp()),
        raw.flags.has(Flags::SEVERITY).then(|| row.severity()),
        raw.flags.has(Flags::PID).then(|| row.pid()),
    );
    let texts = [row.msg_type(), row.logger(), row.payload(), row.env_version(), row.hostname()];
    let texts = texts.map(|text| text.escape_ascii().to_string());
    let set = [raw.msg_type, raw.logger, raw.payload, raw.env_version, raw.hostname].map(|span| span.is_some());
    let mut encoded = Vec::new();
    heka_message::write_message(row, &mut encoded);
    format!("{numbers:?} {texts:?} {set:?} {} bytes {fields:#?}", encoded.len())
}

/// Compares the host's function with the one in Lua, and says how many messages went the long way.
fn same(call: &str) -> u64 {
    let body = |before: &str| {
        format!(
            "{PRELUDE}{before}\nlocal function run() return {call} end function process_message() run() return run() and 0 or -1 end"
        )
    };
    let (ours, detours) = injected(&body(""));
    let (expected, _) = injected(&body(IN_LUA));
    assert!(expected.is_ok(), "{call}: {expected:?}");
    assert_eq!(ours, expected, "{call}");
    detours
}

/// The same call as a decoder that `match_decoder` makes, run twice for messages with the subject as payload; how many
/// messages were made without a call into Lua.
fn as_decoder(call: &str, more: &str) -> (Result<(i64, Vec<String>), String>, u64) {
    let arguments = format!(
        "{PRELUDE}local g, s, t, p do local function inject_match(...) g, s, t, p = ... end local _ = {call} end "
    );
    let mut rig = Rig::new(
        Kind::Decoder,
        &format!("{arguments} function process_message() inject_message({{Payload = s}}) return 0 end"),
    );
    rig.call(&support::sample()).expect("a payload");
    let texts = std::mem::take(&mut rig.taker.builder).finish();
    let subject = texts.row(0).payload();

    let mut rig = Rig::new(Kind::Decoder, &format!("{arguments} process_message = match_decoder(g, t, p{more})"));
    let mut builder = heka_message::BatchBuilder::new(subject.to_vec().into());
    builder.row().payload = heka_message::Span::source(0..subject.len());
    let batch = builder.finish();
    rig.taker.builder = heka_message::BatchBuilder::over(&batch);
    let mut result = Ok(0);
    for _ in 0..2 {
        result = result.and_then(|_| rig.call(&batch).map(|returned| returned.status));
    }
    let result = result.map(|status| {
        let batch = std::mem::take(&mut rig.taker.builder).finish();
        (status, batch.rows().map(show).collect())
    });
    (result, rig.sandbox.direct())
}

/// Grammars whose captures are all known.
const SHORT: &[&str] = &[
    "inject_match(Ct(Cg(word, 'a') * ' ' * Cg(number, 'b')), 'x 1')",
    "inject_match(Ct(Cg(word, 'a')), '')",
    "inject_match(Ct(Cg(word, 'Type') * ' ' * Cg(number, 'Severity') * ' ' * Cg(word, 'Pid')), 't 3 17')",
    "inject_match(Ct(Cg(word, 'Severity') * ' ' * Cg(number, 'Hostname')), 'x 3')",
    "inject_match(Ct(Cg(digit ^ 1 / '%0000000000', 'Timestamp')), '1427403209')",
    "inject_match(Ct(Cg(Cs((P'a' / 'b' + 1) ^ 0), 'Payload')), 'banana')",
    "inject_match(Ct(Cg(P'x' ^ 0, 'a') * Cg(Cc'c' * Cc'd', 'b') * Cg(Cc(true), 'c') * Cg(Cc(2.5), 'd')), 'xx')",
    "inject_match(Ct(Cg(Ct(Cg(number, 'value') * Cg(Cc'B', 'representation')), 'size')), '12')",
    "inject_match(Ct(Cg(Ct(Cg(number, 'value') * Cg(Cc(2), 'value_type') * Cg(Cc'x', 'name')), 'size')), '12')",
    "inject_match(Ct(Cg(Ct(Cg(word, 'value') * Cg(Cc(1), 'value_type')), 'bytes')), 'abc')",
    "inject_match(Ct(Cg(Ct((number * P' ' ^ -1) ^ 1), 'list') * Cg(Ct(Cc'a' * Cc'b'), 'texts')), '1 2 3')",
    "inject_match(Ct(Cg(Ct(Cg(Ct(Cc'a' * Cc'b'), 'value') * Cg(Cc'u', 'representation')), 'texts')), '')",
    "inject_match(Ct(Cg(Ct(Cg(number, 'tid') * Cg(Cc(3), 'Pid')), 'Fields')), '12')",
    "inject_match(Ct(Cg(Ct(Cg(number, 'tid') * Cg(Cc(3), 'p')), 'in')), '1', nil, {['in'] = 'Fields', p = 'Pid'})",
    "inject_match(Ct(Cg(number, 't') * Cg(word, 'u')), '12x', nil, {t = 'Timestamp+', u = false})",
    "inject_match(Ct(Cg(word, 'Type')), 'x', nil, {})",
    "inject_match(Ct(Cg(word, 'a')), 'x', {Type = 't', Severity = 3, Hostname = 'h', Fields = {b = 1, c = {value = 2}}})",
    "inject_match(Ct(Cg(word, 'Type')), 'x', {Type = 't', Payload = 'p', Fields = {{name = 'n', value = 1}}})",
    "inject_match(Ct(Cg(word, 'Uuid')), '0123456789abcdef')",
    "inject_match(Ct(Cg(word, 'a')), 'x', nil, {a = function(a) return {b = a, Type = 'T', c = {1, 2}} end})",
    "inject_match(Ct(Cg(word, 'a')), 'x', nil, {a = function() end})",
    "inject_match(Ct(Cg(word / function(a) return a .. '!', 2 end, 'a')), 'x')",
    "inject_match(Ct(Cg(word / string.upper, 'a') * Cg(Cc(1) * Cc(2) / function(a, b) return {a, b} end, 'b')), 'x')",
    "inject_match(Ct(Cg(C(1) / function(a) return {value = a, representation = 'r'} end, 'Type') * Cg(1, 'b')), 'xy')",
    "inject_match(Ct(Cg(Ct(Cg(1, 'k') * C(1)) / function(t) return t.k .. t[1] end, 'a')), 'xy')",
    "inject_match(Ct(Cg(Ct(Cg(C(1), 'k')), 'a')), 'x', nil, {a = function(t) return {b = t.k} end})",
    "inject_match(Ct(Cg(P'-' / '0' / tonumber, 'zero') * Cg((P'1' + '2' / '3') / tonumber, 'n')), '-1')",
    "inject_match(Cf(Ct'' * Cg(word * ' ' * number * P' ' ^ -1) ^ 1, rawset), 'a 1 b 2')",
    "inject_match(Cf(Ct'' * Cg(word * ' ' * Ct(number * ',' * number)) ^ 1, rawset), 'a 1,2', {Type = 't'})",
    "inject_match(Ct(Cg(number, 'a')), '99999999999999999999')",
    "inject_match(Ct(Cg(C(1), 'a') * Cg(C(1), 'b') * Cg(C(1), 'a')), 'xyz')",
    "inject_match(Ct(Cg(C(1), 'a') * Cg(Cc(nil), 'a')), 'x')",
    "inject_match(Ct(Cg(C(1), 'Pid') * Cg(C(1), 'Pid')), '12')",
];

/// Grammars in which something is captured and dropped.
const DROPPED: &[&str] = &[
    "inject_match(Ct(Cg(C(1), 'a') * (Cg(C(1), 'b') * C(1)) / 0), 'xyz')",
    "inject_match(Ct(Cg(C(C(1) * 'y' / 0), 'a')), 'xy')",
    "inject_match(Ct(Cg(Ct(C(1) * C(1) / 0 * C(1)), 'a')), 'xyz')",
    "inject_match(Ct(Cg(C(1) * (C(1) / 0) / '%1%0', 'a')), 'xy')",
    "inject_match(Ct(Cg(Cs((C'x' / 0 + P'y' / 'z') ^ 0), 'a')), 'xyx')",
];

/// What only Lua can tell.
const LONG: &[&str] = &[
    "inject_match(Ct(Cg(C(1), 'Pid') * Cg(C(1), 'Pid')), '1x')",
    "inject_match(Ct(Cg(Ct(Cg(C(1), 'b')), 'a') * Cg(C(1), 'b')), 'xx', nil, {a = 'Fields'})",
    "inject_match(Ct(Cg(C(1) / {x = 'y'}, 'a')), 'x')",
    "inject_match(Ct(Cg(C(1), 'a') * Cg(lpeg.Cb'a', 'b')), 'x')",
    "inject_match(Ct(Cg(P' 0x10' / tonumber, 'a')), ' 0x10')",
    "inject_match(Ct(Cg(lpeg.Cmt(C(1), function(_, i, a) return i, a end), 'a')), 'x')",
    "inject_match(Cf(Ct'' * Cg(word * ' ' * number * P' ' ^ -1) ^ 1, rawset), 'a 1 a 2')",
    "inject_match(Cf(Ct'' * Cg(word * ' ' * number * P' ' ^ -1) ^ 1, rawset), 'Pid 1', nil, {Pid = 'Pid'})",
    "inject_match(Ct(Cg(word, 'a')), 'x', {Fields = {a = 'y'}})",
    "inject_match(Ct(Cg(word, 'a') * Cg(Cc'z', 'b')), 'x', nil, {a = function() return {b = 'z'} end})",
    "inject_match(Ct(Cg(Ct(Cg(C(1), 'value') * Cg(C(1), 'value')), 'a')), 'xx')",
];

#[test]
fn known_captures_take_the_short_way() {
    for call in SHORT.iter().chain(DROPPED) {
        assert_eq!(same(call), 0, "{call}");
    }
}

#[test]
fn everything_else_goes_round_by_lua() {
    for call in LONG {
        assert_ne!(same(call), 0, "{call}");
    }
}

#[test]
fn a_decoder_makes_the_same_messages_mostly_without_lua() {
    let mut direct = 0;
    for call in SHORT.iter().chain(DROPPED).chain(LONG) {
        let body = format!(
            "{PRELUDE}{IN_LUA}\nlocal function run() return {call} end function process_message() run() return run() and 0 or -1 end"
        );
        let (made, without_lua) = as_decoder(call, "");
        assert_eq!(made, injected(&body).0, "{call}");
        direct += u64::from(without_lua == 2);
    }
    assert!(direct > 20, "only {direct} of the calls went without Lua");
}

/// Captures and alternatives of them, to be named at random.
const CAPTURES: &[&str] = &[
    "C(1)",
    "1",
    "P'x' ^ 0",
    "number",
    "(number + C(1))",
    "(number + '-')",
    "digit * digit / tonumber",
    "Cc'k'",
    "Cc(7)",
    "Cc(true)",
    "(C'x' + P'-' * Cc'none' + number)",
    "Ct(Cg(number, 'value') * Cg(Cc'B', 'representation'))",
    "Ct(Cg(Cc'u', 'representation') * Cg(C(1), 'value'))",
    "(Ct(Cg(number, 'value') * Cg(Cc'B', 'representation')) + Ct(Cg(1, 'value') * Cg(Cc's', 'representation')))",
    "(Ct(Cg(number, 'value') * Cg(Cc'B', 'representation')) + C(1))",
    "Ct(Cg(number, 'value') * Cg(Cc(2), 'value_type') * Cg(Cc'B', 'representation'))",
    "Ct(Cg(Ct(Cg(number, 'value') * Cg(Cc'B', 'representation')), 'value'))",
    "Ct(C(1) * C(1))",
    "(C(1) / 0)",
    "(P(1) / string.upper)",
    "((C(1) * 'y' / 0) / string.upper + C(1))",
    "(P(1) / function(text) return {value = text, representation = 'f'} end)",
    "Cs((P'x' / 'z' + 1) * P(1) ^ -1)",
    "Cg(C(1))",
    "C(1) * Cg(C(1), 'inside')",
];
const NAMES: &[&str] = &["a", "b", "c", "Type", "Pid", "Severity", "Payload", "Timestamp", "Hostname"];
const PLACES: &[&str] = &[
    "nil",
    "{}",
    "{a = 'Hostname', b = false}",
    "{a = 'Timestamp+', b = 'Pid', Payload = 'Payload'}",
    "{c = 'Fields', Type = 'Type'}",
    "{a = function(value) return {Type = type(value), made = 1} end}",
];

#[test]
fn random_grammars_make_the_same_messages_by_every_way() {
    let mut state = 20_u64;
    let mut random = |n: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % n
    };
    let (mut made, mut direct) = (0, 0);
    for _ in 0..250 {
        let fields: Vec<String> = (0..1 + random(4))
            .map(|_| format!("Cg({}, '{}')", CAPTURES[random(CAPTURES.len())], NAMES[random(NAMES.len())]))
            .collect();
        let subject: String = (0..random(10)).map(|_| ["x", "y", "1", "23", "-", "4"][random(6)]).collect();
        let template = ["nil", "{Type = 't', Pid = 4}", "{Fields = {f = 1}, Hostname = 'h'}"][random(3)];
        let places = PLACES[random(PLACES.len())];
        let call = format!("inject_match(Ct({}), '{subject}', {template}, {places})", fields.join(" * "));
        let body = |before: &str| {
            format!(
                "{PRELUDE}{before}\nlocal function run() return {call} end function process_message() run() return run() and 0 or -1 end"
            )
        };
        // What Lua refuses has texts and positions of its own.
        let (expected, _) = injected(&body(IN_LUA));
        let (ours, _) = injected(&body(""));
        let (decoded, without_lua) = as_decoder(&call, "");
        // A list is not spread, which the function in Lua does not know.
        let is_nameless = ours.as_ref().is_err_and(|why| why == "inject_match() every capture needs a name");
        match expected {
            Ok(expected) if !is_nameless => {
                made += usize::from(expected.0 == 0);
                direct += usize::from(expected.0 == 0 && without_lua == 2);
                assert_eq!(ours.as_ref(), Ok(&expected), "{call}");
                assert_eq!(decoded, Ok(expected), "as a decoder: {call}");
            }
            _ => assert!(ours.is_err() && decoded.is_err(), "{call}: {ours:?} {decoded:?}"),
        }
    }
    assert!(made > 60 && direct > 20, "{made} messages were made, {direct} of them without Lua");
}

#[test]
fn a_decoder_keeps_the_payload_if_it_is_told_to() {
    for (call, payload) in [
        ("inject_match(Ct(Cg(word, 'a')), 'x y', {Type = 't'})", "x y"),
        ("inject_match(Ct(Cg(word, 'Payload')), 'x y', {Type = 't'})", "x"),
        // By way of Lua.
        ("inject_match(Ct(Cg(word / function(a) return a end, 'a')), 'x y')", "x y"),
    ] {
        let (made, _) = as_decoder(call, ", true");
        let rows = made.unwrap().1;
        assert!(rows.iter().all(|row| row.contains(&format!("\"{payload}\""))), "{call}: {rows:?}");
    }
}

#[test]
fn a_decoder_takes_the_template_as_it_was() {
    let source = format!(
        "{PRELUDE}local t = {{Type = 'before'}} local decode = match_decoder(Ct(Cg(word, 'a')), t)
         t.Type = 'after'
         local calls = 0
         function process_message()
             calls = calls + 1
             if calls == 3 then process_message = decode end
             return decode()
         end"
    );
    let mut rig = Rig::new(Kind::Decoder, &source);
    for call in 1..=6 {
        assert_eq!(rig.call(&support::sample()).unwrap().status, 0);
        // From the fourth call on the function itself is `process_message`.
        assert_eq!(rig.sandbox.direct(), u64::max(call, 3) - 3);
    }
    let made = std::mem::take(&mut rig.taker.builder).finish();
    assert_eq!(made.len(), 6);
    assert!(made.rows().all(|row| row.msg_type() == b"before"));
}

#[test]
fn a_decoders_mistakes_are_errors_as_of_any_function() {
    for (call, text) in [
        ("match_decoder('x')", "bad argument #1 to 'match_decoder' (pattern expected)"),
        ("match_decoder(P'x', 1)", "bad argument #2 to 'match_decoder' (table expected, got number)"),
        ("match_decoder(P'x', {}, 'x')", "bad argument #3 to 'match_decoder' (table expected, got string)"),
        (
            "match_decoder(Ct(Cg(C(1), 'a')), {}, {a = 'Bogus'})",
            "bad argument #3 to 'match_decoder' (the place of 'a' is neither a header, 'Fields', false nor a function)",
        ),
        ("match_decoder(Ct(C(1)))()", "inject_match() every capture needs a name"),
        ("match_decoder(Ct(Cg(C(1), 'a')), {Payload = ('x'):rep(70000)})()", "inject_message() output_limit exceeded"),
    ] {
        let error = error(call);
        assert!(error.ends_with(text), "{call}: {error}");
    }
    // What ends a script ends it, by whichever way its decoder is run.
    let source = format!("{PRELUDE}process_message = match_decoder(Ct(Cg(C(1), 'a')), {{Payload = ('x'):rep(70000)}})");
    let mut rig = Rig::new(Kind::Decoder, &source);
    let error = rig.run().unwrap_err();
    assert_eq!(error, "process_message() inject_message() output_limit exceeded");
    assert!(!rig.sandbox.is_alive() && rig.taker.builder.is_empty());
}

/// Runs a call in a decoder's script; its error without the position.
fn error(call: &str) -> String {
    let (result, _) = injected(&format!("{PRELUDE}function process_message() return {call} and 0 or -1 end"));
    result.unwrap_err()
}

#[test]
fn mistakes_are_told_as_by_inject_message() {
    for (call, text) in [
        ("inject_match('x', 'x')", "bad argument #1 to 'inject_match' (pattern expected)"),
        ("inject_match(P'x', {})", "bad argument #2 to 'inject_match' (string expected, got table)"),
        ("inject_match(P'x', 'x', 1)", "bad argument #3 to 'inject_match' (table expected, got number)"),
        ("inject_match(P'x', 'x')", "inject_match() the grammar must capture a table"),
        ("inject_match(Ct(C(1)), 'x')", "inject_match() every capture needs a name"),
        (
            "inject_match(Ct(Cg(Ct(C(1) * number), 'a')), 'x1')",
            "inject_message() could not encode protobuf - array has mixed types",
        ),
        (
            "inject_match(Ct(Cg(Ct(Cg(C(1), 'value') * Cg(Cc(3), 'value_type')), 'a')), 'x')",
            "inject_message() could not encode protobuf - invalid string value_type: 3",
        ),
        (
            "inject_match(Ct(Cg(C(1), 'a')), 'x', {Fields = {b = print or inject_match}})",
            "inject_message() could not encode protobuf - unsupported type: function",
        ),
        (
            "inject_match(Ct(Cg(C(1), 'a')), ('x'):rep(70000):gsub('x', '%0') and ('x'):rep(70000), {Payload = ('x'):rep(70000)})",
            "inject_message() output_limit exceeded",
        ),
        ("inject_match(Ct(Cg(P(1) ^ 0, 'a')), ('x'):rep(70000))", "inject_message() output_limit exceeded"),
        (
            "inject_match(Ct(Cg(C(1), 'a')), 'x', nil, {a = function() return 5 end})",
            "inject_match() a function of the places must return a table or nil",
        ),
        (
            "inject_match(Ct(Cg(C(1), 'a')), 'x', nil, {a = 'Bogus'})",
            "bad argument #4 to 'inject_match' (the place of 'a' is neither a header, 'Fields', false nor a function)",
        ),
        ("inject_match(P{'(' * lpeg.V(1) * ')' + ''}, ('('):rep(1000))", "too many pending calls/choices"),
        (
            "inject_match(Ct(((P'a' * P'a' ^ -1 * 'a') ^ 0 * 'b' + Cg(C(1), 'a')) ^ 0), ('a'):rep(20000))",
            "instruction_limit exceeded",
        ),
    ] {
        let error = error(call);
        assert!(error.ends_with(text), "{call}: {error}");
    }
}

#[test]
fn a_refusal_of_the_plugin_is_an_error_and_takes_the_row_back() {
    let source =
        format!("{PRELUDE}local g = Ct(Cg(C(1), 'a')) function process_message() inject_match(g, 'x') return 0 end");
    let mut rig = Rig::new(Kind::Filter, &source);
    rig.taker.refuse = Some(Refusal::Count);
    let error = rig.run().unwrap_err();
    assert!(error.ends_with("inject_message() exceeded InjectMessage count"), "{error}");
    assert_eq!(rig.taker.builder.len(), 0);
}

#[test]
fn the_payload_is_the_subject_when_there_is_none() {
    let source = format!(
        "{PRELUDE}local g = Ct(Cg(word, 'a')) function process_message() return inject_match(g) and 0 or -1 end"
    );
    let mut rig = Rig::new(Kind::Decoder, &source);
    let mut builder = heka_message::BatchBuilder::new("one two".as_bytes().to_vec().into());
    builder.row().payload = heka_message::Span::source(4..7);
    let batch = builder.finish();
    rig.taker.builder = heka_message::BatchBuilder::over(&batch);
    rig.sandbox.process_message(Some(batch.row(0)), &mut rig.taker).unwrap();
    let made = std::mem::take(&mut rig.taker.builder).finish();
    let field = made.row(0).fields().next().unwrap();
    assert_eq!(field.value(0), Some(heka_message::FieldValue::String(b"two")));
    // Nothing but the name was copied.
    assert_eq!(made.row(0).fields().count(), 1);
    assert!(made.footprint() < 7 + 1024);
}

#[test]
fn functions_may_call_inject_match_themselves() {
    let call = "inject_match(Ct(Cg(C(1) / function(a) inject_match(Ct(Cg(C(1), 'inner')), a) return a .. a end, 'outer')), 'x')";
    let (result, _) = injected(&format!("{PRELUDE}function process_message() return {call} and 0 or -1 end"));
    let (status, rows) = result.unwrap();
    assert_eq!((status, rows.len()), (0, 2));
    assert!(rows[0].contains("inner") && rows[1].contains("outer"), "{rows:?}");
    // An error in a function leaves nothing behind.
    let failing = "pcall(inject_match, Ct(Cg(C(1) / error, 'a')), 'x')";
    let (result, detours) = injected(&format!(
        "{PRELUDE}function process_message() {failing} {failing} return inject_match(Ct(Cg(C(1), 'a')), 'x') and 0 or -1 end"
    ));
    assert_eq!(result.unwrap().1.len(), 1);
    assert!(detours <= 2);
}

#[test]
fn many_grammars_are_forgotten_in_turn() {
    let source = format!(
        "{PRELUDE}function process_message() for i = 1, 100 do inject_match(Ct(Cg(C(1), 'a' .. i)), 'x', nil, {{}}) end return 0 end"
    );
    let mut rig = Rig::new(Kind::Decoder, &source);
    rig.run().unwrap();
    let memory = rig.sandbox.statistics().memory;
    for _ in 0..20 {
        rig.run().unwrap();
    }
    assert!(rig.taker.builder.len() > 100);
    let after = rig.sandbox.statistics().memory;
    assert!(after < memory + 2_000_000, "{memory} to {after}");
}

#[test]
fn times_are_what_lua_makes_of_them() {
    let source = r#"
        local lpeg = require "lpeg"
        require "string"
        local dt = require "date_time"
        local function check(grammar, text)
            local expected = dt.time_to_ns(grammar:match(text))
            local pattern = dt.as_ns(grammar)
            for _ = 1, 2 do
                local ns = pattern:match(text)
                if ns ~= expected then
                    error(text .. ": " .. tostring(ns) .. " instead of " .. tostring(expected), 0)
                end
            end
        end
        local function two(n) return string.format("%02d", n) end
        function process_message()
            for i = 1, 500 do
                local year, month, day = 1900 + i * 7 % 300, 1 + i % 12, 1 + i % 31
                local clock = two(i % 24) .. ":" .. two(i % 60) .. ":" .. two(i % 61)
                local date = string.format("%04d-%02d-%02d", year, month, day)
                check(dt.rfc3339, date .. "T" .. clock .. "." .. i .. "-0" .. i % 10 .. ":30")
                check(dt.rfc3339, date .. "t" .. clock .. "Z")
                check(dt.pgsql_timestamp, date .. " " .. clock)
                check(dt.build_strftime_grammar("%y %b %e %I:%M:%S %p"), two(i % 100) .. " Feb  3 " .. two(i % 13) .. ":30:15 PM")
                check(dt.build_strftime_grammar("%F %l %p %Z"), date .. " " .. two(i % 13) .. " AM PST")
                check(dt.build_strftime_grammar("%s"), tostring(i * 12345))
                check(dt.rfc3164_timestamp, "Feb " .. 1 + i % 28 .. " " .. clock)
            end
            return 0
        end"#;
    let modules = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../share/lua_modules");
    let mut rig = Rig::with(Kind::Decoder, source, |config| {
        config.modules.push(modules);
        config.instruction_limit = 0;
    })
    .unwrap();
    assert_eq!(rig.call(&support::sample()).map(|returned| returned.status), Ok(0));
}
