//! The functions that the host gives to scripts, argument by argument.

mod support;

use heka_message::{BatchBuilder, FieldValue, Span};
use heka_sandbox::{ConfigValue, Kind, Refusal};
use support::{Rig, eval, sample, values};

/// What an expression gives, or the text of its error without the position.
fn outcome(kind: Kind, expression: &str) -> String {
    let source = format!(
        "function process_message() local r = {{pcall(function() return {expression} end)}} \
         if r[1] then return -1, tostring(r[2]) end return -1, 'error: ' .. tostring(r[2]) end"
    );
    let text = Rig::new(kind, &source).run().unwrap();
    match text.strip_prefix("error: ") {
        Some(error) => format!("error: {}", error.split_once(": ").map_or(error, |(_, rest)| rest)),
        None => text,
    }
}

#[test]
fn read_config_gives_scalars() {
    let source = "local function show(k) return tostring(read_config(k)) .. type(read_config(k)) end \
                  text = show('s') .. show('n') .. show('b') .. show('none') .. show('N') \
                  function process_message() return -1, text end";
    let list = [
        ("s", ConfigValue::String(b"a\0b".to_vec())),
        ("n", ConfigValue::Number(1.5)),
        ("b", ConfigValue::Bool(false)),
        ("unused", ConfigValue::Bool(true)),
    ];
    let mut rig = Rig::with(Kind::Filter, source, |config| config.values = values(&list)).unwrap();
    assert_eq!(rig.run(), Ok("a\0bstring1.5numberfalsebooleannilnilnilnil".to_owned()));
    assert_eq!(rig.sandbox.unread_config(), ["unused"]);
    for call in ["read_config()", "read_config('a', 'b')"] {
        assert_eq!(outcome(Kind::Filter, call), "error: read_config() must have a single argument");
    }
}

#[test]
fn read_message_gives_every_header_and_field() {
    let cases = [
        ("read_message('Uuid')", "00010203-0405-0607-0809-0a0b0c0d0e0f"),
        ("read_message('Type')", "type"),
        ("read_message('Logger')", "logger"),
        ("#read_message('Payload')", "8"),
        ("read_message('EnvVersion') == ''", "true"),
        ("read_message('Hostname')", "host"),
        ("read_message('Timestamp') == 1425943801123456789", "true"),
        ("read_message('Severity')", "6"),
        ("read_message('Pid')", "42"),
        ("read_message('Fields[a]')", "10"),
        ("read_message('Fields[a]', 0, 1)", "20"),
        ("read_message('Fields[a]', 0, 2)", "nil"),
        ("read_message('Fields[a]', 1)", "1.5"),
        ("read_message('Fields[a]', 2)", "nil"),
        ("#read_message('Fields[s]')", "5"),
        ("read_message('Fields[b]') == '\\255'", "true"),
        ("read_message('Fields[flag]')", "true"),
        ("read_message('Fields[none]')", "nil"),
        ("read_message('Fields[]')", "nil"),
        ("read_message('framed')", "nil"),
        ("read_message('size')", "nil"),
        ("read_message('Fields[a')", "nil"),
        ("#read_message('raw') > 50", "true"),
        ("read_message(5)", "nil"),
        ("read_message()", "error: read_message() incorrect number of arguments"),
        ("read_message(1, 2, 3, 4)", "error: read_message() incorrect number of arguments"),
        ("read_message(nil)", "error: bad argument #1 to 'read_message' (string expected, got nil)"),
        ("read_message('a', -1)", "error: bad argument #2 to 'read_message' (field index must be >= 0)"),
        ("read_message('a', 0, -1)", "error: bad argument #3 to 'read_message' (array index must be >= 0)"),
    ];
    for (expression, expected) in cases {
        // The name of a function is only known to Lua when it is not called in tail position.
        let expression = format!("(function() local r = {expression} return r end)()");
        assert_eq!(outcome(Kind::Filter, &expression), expected, "{expression}");
    }
}

#[test]
fn what_is_unset_reads_as_documented() {
    let mut builder = BatchBuilder::default();
    builder.row();
    let batch = builder.finish();
    let source = "function process_message() local t = '' for _, k in ipairs{'Uuid', 'Type', 'Payload', 'Timestamp', 'Severity', 'Pid', 'raw'} \
                  do t = t .. tostring(read_message(k)) .. ',' end return -1, t end";
    let read = |kind| Rig::new(kind, source).call(&batch).unwrap().error.unwrap();
    assert_eq!(read(Kind::Decoder), ",,,nil,nil,nil,nil,");
    assert_eq!(read(Kind::Filter), ",,,nil,nil,nil,,");
    let mut rig = Rig::new(
        Kind::Filter,
        "t = tostring(read_message('Type')) .. tostring((read_next_field())) \
        function timer_event() t = t .. tostring(read_message('Payload')) .. tostring((read_next_field())) end \
        function process_message() return -1, t end",
    );
    rig.sandbox.timer_event(5, &mut rig.taker).unwrap();
    assert_eq!(rig.run(), Ok("nilnilnilnil".to_owned()));
}

#[test]
fn read_next_field_walks_all_fields_and_starts_anew() {
    let source = "function process_message() local t = '' while true do local ty, n, v, r, c = read_next_field() \
                  if not ty then break end t = t .. ty .. n .. tostring(v) .. r .. c .. ' ' end \
                  for i = 1, 3 do assert(select('#', read_next_field()) == 5 and read_next_field() == nil) end return -1, t end";
    let mut rig = Rig::new(Kind::Filter, source);
    let once = rig.run().unwrap();
    assert_eq!(once.replace('\0', "0"), "2a10ms2 0ste0xt1 3a1.51 1b\u{fffd}1 4flagtrue1 ");
    assert_eq!(rig.run(), Ok(once));
    assert_eq!(outcome(Kind::Filter, "read_next_field(1)"), "error: read_next_field() takes no arguments");
}

#[test]
fn write_message_changes_what_is_read_afterwards() {
    let cases = [
        ("('Type', 'new')", "read_message('Type')", "new"),
        ("('Payload', 'a\\0b')", "#read_message('Payload')", "3"),
        ("('EnvVersion', '1')", "read_message('EnvVersion')", "1"),
        (
            "('Uuid', '11111111-2222-3333-4444-555555555555')",
            "read_message('Uuid')",
            "11111111-2222-3333-4444-555555555555",
        ),
        ("('Uuid', 'sixteen bytes ok')", "read_message('Uuid')", "73697874-6565-6e20-6279-746573206f6b"),
        ("('Timestamp', 5)", "read_message('Timestamp')", "5"),
        ("('Timestamp', '0x7b')", "read_message('Timestamp')", "123"),
        ("('Timestamp', '2015-03-09T23:30:01Z')", "read_message('Timestamp') == 1425943801e9", "true"),
        ("('Severity', 3.9)", "read_message('Severity')", "3"),
        ("('Severity', '-2')", "read_message('Severity')", "-2"),
        ("('Pid', '77')", "read_message('Pid')", "77"),
        ("('Fields[new]', 'x', 'unit')", "read_message('Fields[new]')", "x"),
        ("('Fields[new]', true)", "read_message('Fields[new]')", "true"),
        ("('Fields[s]', 'y')", "read_message('Fields[s]')", "y"),
        ("('Fields[s]', 'y', '', 0, 1)", "read_message('Fields[s]', 0, 1)", "y"),
        ("('Fields[a]', 7.9)", "read_message('Fields[a]')", "7"),
        ("('Fields[a]', 8, '', 0, 2)", "read_message('Fields[a]', 0, 2)", "8"),
        ("('Fields[a]', 9, '', 1)", "read_message('Fields[a]', 1)", "9"),
        ("('Fields[a]', 9, '', 2)", "read_message('Fields[a]', 2)", "9"),
        ("('Fields[b]', 'bytes')", "read_message('Fields[b]')", "bytes"),
        ("('Fields[a]', nil)", "read_message('Fields[a]')", "1.5"),
        ("('Fields[a]', nil, '', 0, 0)", "read_message('Fields[a]')", "20"),
        ("('Fields[none]', nil)", "read_message('Fields[none]')", "nil"),
    ];
    for (arguments, read, expected) in cases {
        for kind in [Kind::Decoder, Kind::Encoder] {
            let expression = format!("(function() write_message{arguments} return {read} end)()");
            assert_eq!(outcome(kind, &expression), expected, "{arguments}");
        }
    }
}

#[test]
fn refused_writes_say_why_in_the_log() {
    let cases = [
        ("('Uuid', 'x')", "Bad UUID string."),
        ("('Timestamp', '')", "Empty timestamp string."),
        ("('Timestamp', 'x')", "Can't parse timestamp string."),
        ("('Severity', 'x')", "Can't parse severity value."),
        ("('Pid', '99999999999')", "Can't parse PID value."),
        ("('Bogus', 'x')", "Bad field name."),
        ("('Type', 5)", "Bad field name."),
        ("('Type', nil)", "Bad field name."),
        ("('Type', true)", "Bad field name."),
        ("('Fields[a]', 'x')", "type error, 'a' is an integer field"),
        ("('Fields[s]', 1)", "type error, 's' is a string field"),
        ("('Fields[b]', 1)", "type error, 'b' is a bytes field"),
        ("('Fields[flag]', 1)", "type error, 'flag' is an boolean field"),
        ("('Fields[a]', 1, '', 3)", "bad field index"),
        ("('Fields[a]', nil, '', 3)", "bad field index"),
        ("('Fields[a]', 1, '', 0, 3)", "bad array index"),
        ("('Fields[a]', nil, '', 0, 2)", "bad array index"),
        ("('Fields[new]', 1, '', 0, 1)", "bad array index"),
    ];
    for (arguments, reason) in cases {
        let source = format!("function process_message() write_message{arguments} return 0 end");
        let mut rig = Rig::new(Kind::Decoder, &source);
        let error = rig.run().unwrap_err();
        assert!(error.ends_with("test.lua:1: write_message() failed"), "{error}");
        assert_eq!(rig.taker.lines, [format!("write_message() {reason}")], "{arguments}");
    }
    for (arguments, text) in [
        ("('a')", "write_message() incorrect number of arguments"),
        ("('a', {})", "write_message() only accepts numeric, string, or boolean field values, or nil to delete"),
        ("('a', 1, '', -1)", "bad argument #4 to 'write_message' (field index must be >= 0)"),
        ("('a', 1, '', 0, -1)", "bad argument #5 to 'write_message' (array index must be >= 0)"),
    ] {
        let expression = format!("(function() write_message{arguments} end)()");
        assert_eq!(outcome(Kind::Decoder, &expression), format!("error: {text}"));
    }
    let rig = Rig::with(
        Kind::Decoder,
        "ok = pcall(write_message, 'Payload', 'x') function process_message() return 0 end",
        |_| (),
    );
    assert_eq!(rig.unwrap().loaded, ["write_message() No sandbox pack."]);
}

#[test]
fn values_are_rendered_as_documented() {
    let source = "function process_message() add_to_payload('a\\0', 1, 0.5, nil, true, false, 3e9) inject_payload('t', 'n', 'x') return 0 end";
    let mut rig = Rig::new(Kind::Filter, source);
    rig.run().unwrap();
    assert_eq!(rig.taker.payloads, [("t".to_owned(), "n".to_owned(), b"a\x0010.5niltruefalse3000000000x".to_vec())]);
    let cases = [
        ("add_to_payload()", "bad argument #0 to 'add_to_payload' (must have at least one argument)"),
        ("add_to_payload('x', {})", "bad argument #2 to 'add_to_payload' (unsupported type)"),
        ("add_to_payload(print or type)", "bad argument #1 to 'add_to_payload' (unsupported type)"),
        ("inject_payload(nil)", "bad argument #1 to 'inject_payload' (string expected, got nil)"),
        ("inject_payload('', {})", "bad argument #2 to 'inject_payload' (string expected, got table)"),
        ("inject_payload('', '', {})", "bad argument #3 to 'inject_payload' (unsupported type)"),
    ];
    for (call, text) in cases {
        assert_eq!(outcome(Kind::Filter, &format!("(function() {call} end)()")), format!("error: {text}"), "{call}");
    }
    let userdata = eval(Kind::Output, "newproxy(true)").unwrap();
    assert!(userdata.starts_with("userdata: "));
}

#[test]
fn payloads_have_defaults_and_empty_ones_are_not_sent() {
    let source = "function process_message() inject_payload() inject_payload('', 'n') add_to_payload('x') inject_payload() \
                  inject_payload('', 'n', 'y') return 0 end";
    let mut rig = Rig::new(Kind::Filter, source);
    rig.run().unwrap();
    let text = |s: &str| s.to_owned();
    assert_eq!(rig.taker.payloads, [(text("txt"), text(""), b"x".to_vec()), (text("txt"), text("n"), b"y".to_vec())]);
}

#[test]
fn text_is_collected_over_calls_and_an_injected_table_drops_it() {
    let source = "function process_message() add_to_payload('x') return 0 end \
                  function timer_event(ns) if ns == 1 then inject_message{} end inject_payload('', '', ns) end";
    let mut rig = Rig::new(Kind::Filter, source);
    rig.run().unwrap();
    rig.run().unwrap();
    rig.sandbox.timer_event(2, &mut rig.taker).unwrap();
    rig.run().unwrap();
    rig.sandbox.timer_event(1, &mut rig.taker).unwrap();
    let sent: Vec<_> = rig.taker.payloads.iter().map(|(_, _, bytes)| bytes.as_slice()).collect();
    assert_eq!(sent, [&b"xx2"[..], b"1"]);
}

#[test]
fn refusals_become_errors() {
    for (refusal, text) in [
        (Refusal::Count, " exceeded InjectMessage count"),
        (Refusal::Loops, " exceeded MaxMsgLoops"),
        (Refusal::Circular, " creates a circular reference (matches this plugin's message_matcher)"),
        (Refusal::Aborted, " aborted"),
        (Refusal::Unsupported, " unknown error"),
    ] {
        for (call, name) in
            [("inject_message{}", "inject_message()"), ("inject_payload('', '', 'x')", "inject_payload()")]
        {
            let mut rig = Rig::new(Kind::Filter, &format!("function process_message() {call} return 0 end"));
            rig.taker.refuse = Some(refusal);
            let error = rig.run().unwrap_err();
            assert!(error.ends_with(&format!("test.lua:1: {name}{text}")), "{error}");
            assert_eq!(rig.sandbox.is_alive(), refusal == Refusal::Aborted, "an abort leaves the data alone");
            assert!(rig.taker.builder.is_empty(), "what was refused is taken back");
        }
    }
    for call in ["inject_message()", "inject_message(nil)", "inject_message({}, 1)", "inject_message(true)"] {
        assert_eq!(outcome(Kind::Filter, call), "error: inject_message() takes a single string or table argument");
    }
    assert_eq!(outcome(Kind::Filter, "inject_message('')"), "nil");
    assert_eq!(outcome(Kind::Filter, "inject_message('x')"), "error: inject_message() protobuf unmarshal failed");
}

#[test]
fn a_time_handed_back_is_the_exact_time() {
    let source = "function process_message() local t = read_message('Timestamp') inject_message{Timestamp = t} \
                  inject_message{Timestamp = t + 1000} inject_message{Timestamp = decode_message(read_message('raw')).Timestamp} return 0 end \
                  function timer_event(ns) inject_message{Timestamp = ns} end";
    let mut rig = Rig::new(Kind::Filter, source);
    rig.run().unwrap();
    rig.sandbox.timer_event(1_425_943_801_123_456_001, &mut rig.taker).unwrap();
    let batch = std::mem::take(&mut rig.taker.builder).finish();
    let times: Vec<i64> = batch.rows().map(|row| row.timestamp()).collect();
    assert_eq!(
        (times[0], times[2], times[3]),
        (1_425_943_801_123_456_789, 1_425_943_801_123_456_789, 1_425_943_801_123_456_001)
    );
    assert!(times[1] != times[0] + 1000, "a number that was not given is what it is");
}

#[test]
fn while_loading_nothing_is_injected_and_everything_is_logged() {
    let source = "add_to_payload('from ', 'add') inject_payload('t', 'n') output('from output') inject_payload() inject_message{Payload = 'm'} \
                  assert(read_message('Type') == nil) function process_message() return -1, tostring(output) end";
    let mut rig = Rig::new(Kind::Filter, source);
    assert_eq!(
        rig.loaded,
        [
            "payload_type: t",
            "payload_name: n",
            "payload: from add",
            "payload_type: txt",
            "payload_name: ",
            "payload: from output",
            "payload_type: ",
            "payload_name: ",
            "payload: m",
        ]
    );
    assert_eq!(rig.run(), Ok("nil".to_owned()));
    let mut own =
        Rig::new(Kind::Filter, "function output() return 'own' end function process_message() return -1, output() end");
    assert_eq!(own.run(), Ok("own".to_owned()));
}

#[test]
fn decode_message_tells_what_is_wrong() {
    let cases = [
        ("decode_message()", "bad argument #0 to 'decode_message' (must have one string argument)"),
        ("decode_message({})", "bad argument #0 to 'decode_message' (must have one string argument)"),
        ("decode_message('x', 'y')", "bad argument #0 to 'decode_message' (must have one string argument)"),
        ("decode_message('short')", "invalid message, too short"),
        ("decode_message('\\10\\16' .. s(16) .. '\\16\\1\\88\\1')", "error in tag: 11 wiretype: 0 offset: 20"),
        ("decode_message('\\10\\15' .. s(15) .. '\\16\\1\\16\\1')", "error in tag: 1 wiretype: 2 offset: 0"),
        ("decode_message('\\16\\1\\26\\17' .. s(17))", "missing required field uuid: not found timestamp: found"),
        (
            "decode_message('\\10\\16' .. s(16) .. '\\26\\1x')",
            "missing required field uuid: found timestamp: not found",
        ),
        ("decode_message('\\10\\16' .. s(16) .. '\\26\\255')", "error in tag: 3 wiretype: 2 offset: 18"),
        (
            "decode_message('\\255\\255\\255\\255\\255\\255\\255\\255\\255\\255\\255\\255\\255\\255\\255\\255\\255\\255\\255\\255')",
            "error in tag: 0 wiretype: 0 offset: 0",
        ),
    ];
    for (call, text) in cases {
        let source = format!(
            "local string = require 'string' local function s(n) return string.rep('u', n) end \
             function process_message() local ok, why = pcall(function() local r = {call} return r end) return -1, why end"
        );
        let error = Rig::new(Kind::Filter, &source).run().unwrap();
        assert_eq!(error.split_once(": ").unwrap().1, text, "{call}");
    }
}

#[test]
fn a_decoded_message_can_be_injected_again() {
    let source = "function process_message() local m = decode_message(read_message('raw')) \
                  assert(m.Type == 'type' and m.Pid == 42 and m.Fields[1].name == 'a' and m.Fields[1].value[2] == 20) \
                  assert(m.Fields[1].value_type == 2 and m.Fields[1].representation == 'ms' and m.EnvVersion == nil) \
                  assert(m.Fields[5].value[1] == true) inject_message(m) return 0 end";
    let mut rig = Rig::new(Kind::Filter, source);
    rig.run().unwrap();
    let batch = sample();
    let mut expected = Vec::new();
    heka_message::write_message(batch.row(0), &mut expected);
    let injected = rig.injected().remove(0);
    // Plain strings come back without their default type.
    let plain = |bytes: &[u8]| bytes.iter().filter(|b| **b != 0).count();
    assert!(plain(&expected) - plain(&injected) <= 6, "{expected:?}\n{injected:?}");
    let mut again = Rig::new(
        Kind::Filter,
        "function process_message() inject_message(decode_message(read_message('raw'))) return 0 end",
    );
    let mut builder = BatchBuilder::new(injected.clone().into());
    heka_message::read_message(&mut builder, &injected, Span::source(0..injected.len())).unwrap();
    again.call(&builder.finish()).unwrap();
    assert_eq!(again.injected(), [injected], "what a script made stays as it is");
}

#[test]
fn negative_numbers_survive() {
    let mut builder = BatchBuilder::default();
    let name = builder.text(b"n");
    builder.row().set_uuid([1; 16]);
    builder.last_row().unwrap().set_timestamp(-5);
    builder.last_row().unwrap().set_pid(-3);
    builder.field(name, Span::NONE, FieldValue::Integer(-7));
    let source = "function process_message() local m = decode_message(read_message('raw')) return -1, m.Timestamp .. ' ' .. m.Pid .. ' ' .. m.Fields[1].value[1] end";
    assert_eq!(Rig::new(Kind::Filter, source).call(&builder.finish()).unwrap().error.unwrap(), "-5 -3 -7");
}
