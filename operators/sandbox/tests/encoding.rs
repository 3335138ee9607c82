//! Tables to protobuf, byte by byte.

mod support;

use heka_sandbox::Kind;
use support::Rig;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What the table becomes behind its identity, as hexadecimal digits, or the error without its position.
fn encoded(table: &str) -> Result<String, String> {
    let source = format!("function process_message() inject_message({table}) return 0 end");
    let mut rig = Rig::new(Kind::Encoder, &source);
    rig.run().map_err(|error| error.split_once(":1: ").unwrap().1.to_owned())?;
    let bytes = rig.injected().remove(0);
    assert_eq!(bytes[..2], [0x0a, 0x10]);
    Ok(hex(&bytes[18..]))
}

#[test]
fn the_contracts_examples() {
    let spaced = |text: &str| text.replace([' ', '\n'], "");
    let cases = [
        ("{Timestamp=1e9, Type='t', Severity=6, Fields={a='x'}}", "10 80 94 eb dc 03 1a 01 74 28 06 52 06 0a 01 61 22 01 78"),
        (
            "{Timestamp = 1e9, Fields = {number=1, numbers={value={1,2,3}, representation='count'}, string='string', \
             strings={'s1','s2','s3'}, bool=true, bools={true,false,false}}}",
            "10 80 94 eb dc 03
             52 13 0a 06 6e 75 6d 62 65 72 10 03 39 00 00 00 00 00 00 f0 3f
             52 2c 0a 07 6e 75 6d 62 65 72 73 10 03 1a 05 63 6f 75 6e 74 3a 18 00 00 00 00 00 00 f0 3f 00 00 00 00 00 00 00 40 00 00 00 00 00 00 08 40
             52 0e 0a 05 62 6f 6f 6c 73 10 04 42 03 01 00 00
             52 0a 0a 04 62 6f 6f 6c 10 04 40 01
             52 10 0a 06 73 74 72 69 6e 67 22 06 73 74 72 69 6e 67
             52 15 0a 07 73 74 72 69 6e 67 73 22 02 73 31 22 02 73 32 22 02 73 33",
        ),
        ("{Fields={ms={value=5, value_type=2}}}", "52 08 0a 02 6d 73 10 02 30 05"),
        ("{Fields={i={value={1,2,3}, value_type=2}}}", "52 0a 0a 01 69 10 02 32 03 01 02 03"),
        ("{Fields={b={true,false}}}", "52 09 0a 01 62 10 04 42 02 01 00"),
        ("{Fields={b={value='abc', value_type=1}}}", "52 0a 0a 01 62 10 01 2a 03 61 62 63"),
        ("{Fields={{name='a', value=1.5, representation='s'}, {name='a', value='x'}}}",
         "52 11 0a 01 61 10 03 1a 01 73 39 00 00 00 00 00 00 f8 3f 52 06 0a 01 61 22 01 78"),
        ("{Fields={a={value={value={value='deep', representation='r'}}}}}", "52 0c 0a 01 61 1a 01 72 22 04 64 65 65 70"),
        ("{Fields={{name='a', value='x'}, nil, {name='b', value='y'}}}", "52 06 0a 01 61 22 01 78"),
        ("{Fields={[2]='x'}}", "52 06 0a 01 32 22 01 78"),
        ("{Type=5.5, Logger={}, Payload=true, Severity='3', Pid='x', Bogus=1, [1]=2}", "1a 03 35 2e 35 28 03"),
        ("{Type=''}", "1a 00"),
        ("{Timestamp='12', Severity=-1, Pid=1.9}", "10 0c 28 ff ff ff ff ff ff ff ff ff 01 40 01"),
        ("setmetatable({Type='t'}, {__index={Severity=6, Type='no'}})", "1a 01 74 28 06"),
        ("{Fields='no table'}", ""),
        ("{Fields={a=''}}", "52 05 0a 01 61 22 00"),
    ];
    for (table, expected) in cases {
        assert_eq!(encoded(table), Ok(spaced(expected)), "{table}");
    }
}

#[test]
fn an_identity_has_sixteen_bytes_or_is_made() {
    let source = "function process_message() require 'string' inject_message{Uuid = string.rep('u', 16)} inject_message{Uuid = 'short'} inject_message{} return 0 end";
    let mut rig = Rig::new(Kind::Filter, source);
    rig.run().unwrap();
    let messages = rig.injected();
    assert_eq!(messages[0], b"\x0a\x10uuuuuuuuuuuuuuuu");
    assert_ne!(messages[1], messages[2]);
    assert!(messages[1..].iter().all(|m| m[8] >> 4 == 4 && m[10] >> 6 == 0b10), "version 4");
}

#[test]
fn what_cannot_be_encoded_is_said() {
    let cases = [
        ("{Fields={a={1,'x'}}}", "array has mixed types"),
        ("{Fields={a={1,true}}}", "array has mixed types"),
        ("{Fields={a={{1}}}}", "unsupported array type: table"),
        ("{Fields={a={type}}}", "unsupported array type: function"),
        ("{Fields={a={}}}", "unsupported type: nil"),
        ("{Fields={a={representation='x'}}}", "unsupported type: nil"),
        ("{Fields={a=type}}", "unsupported type: function"),
        ("{Fields={a={value='x', value_type=2}}}", "invalid string value_type: 2"),
        ("{Fields={a={value=1, value_type=1}}}", "invalid numeric value_type: 1"),
        ("{Fields={a={value=true, value_type=3}}}", "invalid boolean value_type: 3"),
        ("{Fields={[true]='x'}}", "field name must be a string"),
        ("{Fields={{value='x'}}}", "field name must be a string"),
        ("{Fields={{name=5, value='x'}}}", "field name must be a string"),
        ("{Fields={{name='a', value='x'}, 'y'}}", "field name must be a string"),
        ("(function() local t = {} t.value = t return {Fields={a=t}} end)()", "unsupported type: table"),
        ("(function() local t = {} t[1] = t return {Fields={a={t}}} end)()", "unsupported array type: table"),
    ];
    for (table, text) in cases {
        assert_eq!(encoded(table), Err(format!("inject_message() could not encode protobuf - {text}")), "{table}");
    }
}

#[test]
fn a_message_may_be_as_long_as_the_limit_says() {
    let run = |length: usize| {
        let source = format!(
            "require 'string' local p = string.rep('x', {length}) function process_message() inject_message{{Payload = p}} return 0 end"
        );
        let mut rig = Rig::with(Kind::Filter, &source, |config| config.output_limit = 1000).unwrap();
        rig.run().map_err(|error| error.split_once(":1: ").unwrap().1.to_owned())
    };
    // 18 bytes of identity, 3 before the payload.
    assert_eq!(run(999 - 21), Ok(String::new()));
    assert_eq!(run(1000 - 21), Err("inject_message() output_limit exceeded".into()));
    let payload = |length: usize| {
        let source = format!(
            "require 'string' local p = string.rep('x', {length}) function process_message() add_to_payload(p) return 0 end"
        );
        let mut rig = Rig::with(Kind::Filter, &source, |config| config.output_limit = 1000).unwrap();
        rig.run().map_err(|error| error.split_once(":1: ").unwrap().1.to_owned())
    };
    assert_eq!((payload(999), payload(1000)), (Ok(String::new()), Err("output_limit exceeded".into())));
}

#[test]
fn lists_of_small_values_fill_a_message() {
    let source = "function process_message() local t = {} for i = 1, 40000 do t[i] = true end inject_message{Fields = {t = t}} return 0 end";
    let mut rig = Rig::new(Kind::Filter, source);
    rig.run().unwrap();
    assert!(rig.injected()[0].len() > 40000);
}
