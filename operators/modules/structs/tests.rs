//! The module as scripts see it.

use crate::testing::{Sandbox, error, run};
use proptest::prelude::*;

/// What an expression packs, in hexadecimal.
fn packed(arguments: &str) -> String {
    run(&format!(
        "require 'struct' return (struct.pack({arguments}):gsub('.', function(c) return ('%02x'):format(c:byte()) end))"
    ))
}

fn unpacked(arguments: &str) -> String {
    run(&format!("require 'struct' return struct.unpack({arguments})"))
}

#[test]
fn packs_as_c_does() {
    for (arguments, bytes) in [
        ("'>Ihb', 1, -2, 3", "00000001fffe03"),
        ("'<Ihb', 1, -2, 3", "01000000feff03"),
        ("'bB', -1, 255", "ffff"),
        ("'>hH', -32768, 65535", "8000ffff"),
        ("'>l', 2^53", "0020000000000000"),
        ("'>T', 5", "0000000000000005"),
        ("'>i3', -2", "fffffe"),
        ("'>i16', -2", "fffffffffffffffffffffffffffffffe"),
        ("'<I2', 258", "0201"),
        ("'>f', 1.5", "3fc00000"),
        ("'<d', -2", "00000000000000c0"),
        ("'s', 'ab'", "616200"),
        ("'c2', 'abc'", "6162"),
        ("'c0', 'abc'", "616263"),
        ("'>Bc0', 3, 'abc'", "03616263"),
        ("'bxb', 1, 2", "010002"),
        ("'! bi', 1, 2", "0100000002000000"),
        ("'!4bd', 1, 2", "010000000000000000000040"),
        ("'!2bi', 1, 2", "010002000000"),
        ("'b >h <h', 1, 2, 3", "0100020300"),
        ("''", ""),
        ("'b\\0h', 1", "01"),
        ("'b', '7'", "07"),
    ] {
        assert_eq!(packed(arguments), bytes, "{arguments}");
    }
}

#[test]
fn unpacks_what_was_packed() {
    for (arguments, values) in [
        ("'>Ihb', '\\0\\0\\0\\1\\255\\254\\3'", "1,-2,3,8"),
        ("'>I4', '\\255\\255\\255\\255'", "4294967295,5"),
        ("'>i3', '\\255\\255\\254'", "-2,4"),
        ("'>i16', ('\\255'):rep(16)", "-1,17"),
        ("'i0', 'x'", "0,1"),
        ("'>Bc0', '\\3abcd'", "abc,5"),
        ("'>Bc0b', '\\0\\7'", ",7,3"),
        ("'ss', 'ab\\0\\0'", "ab,,5"),
        ("'c2', 'abc', 2", "bc,4"),
        ("'bxb', '\\1\\9\\2'", "1,2,4"),
        ("'!bi', '\\1\\0\\0\\0\\2\\0\\0\\0'", "1,2,9"),
        ("'>f', '\\63\\192\\0\\0'", "1.5,5"),
        ("'', ''", "1"),
        ("'', '', 7", "7"),
    ] {
        assert_eq!(unpacked(arguments), values, "{arguments}");
    }
}

#[test]
fn sizes_are_known_for_fixed_formats() {
    for (format, size) in [("'>Ihb'", "7"), ("'!bi'", "8"), ("'c10x'", "11"), ("'!8bd'", "16"), ("''", "0")] {
        assert_eq!(run(&format!("require 'struct' return struct.size({format})")), size, "{format}");
    }
    assert_eq!(run("require 'struct' return struct.size(('c2147483647'):rep(100))"), "214748364700");
}

#[test]
fn bad_formats_and_data_are_errors() {
    for (call, text) in [
        ("pack('y', 1)", "invalid format option 'y'"),
        ("size('q')", "invalid format option 'q'"),
        ("unpack('h', 'x')", "bad argument #2 to 'unpack' (data string too short)"),
        ("unpack('c5', 'x')", "bad argument #2 to 'unpack' (data string too short)"),
        ("unpack('b', 'x', 1e300)", "bad argument #2 to 'unpack' (data string too short)"),
        ("unpack('!8bd', 'x', 2^53)", "bad argument #2 to 'unpack' (data string too short)"),
        ("unpack('b', 'x', 0)", "bad argument #3 to 'unpack' (position must be 1 or greater)"),
        ("unpack('b', 'x', -5)", "bad argument #3 to 'unpack' (position must be 1 or greater)"),
        ("unpack('b', 'x', 0/0)", "bad argument #3 to 'unpack' (position must be 1 or greater)"),
        ("unpack('bc0', '\\255x')", "bad argument #2 to 'unpack' (data string too short)"),
        ("unpack('dc0', struct.pack('d', 0/0))", "bad argument #2 to 'unpack' (data string too short)"),
        ("unpack('dc0', struct.pack('d', 1e300))", "bad argument #2 to 'unpack' (data string too short)"),
        ("unpack('c0', 'x')", "format 'c0' needs a previous size"),
        ("unpack('sc0', '5\\0aaaaa')", "format 'c0' needs a previous size"),
        ("unpack('s', 'abc')", "unfinished string in data"),
        ("size('s')", "bad argument #1 to 'size' (option 's' has no fixed size)"),
        ("size('c0')", "bad argument #1 to 'size' (option 'c0' has no fixed size)"),
        ("pack('i33', 1)", "integral size 33 is larger than limit of 32"),
        ("pack('!3')", "alignment 3 is not a power of 2"),
        ("pack('!0')", "alignment 0 is not a power of 2"),
        ("pack('c99999999999', 'x')", "integral size overflow"),
        ("pack('c3', 'ab')", "bad argument #2 to 'pack' (string too short)"),
        ("pack('b')", "bad argument #2 to 'pack' (number expected, got no value)"),
        ("pack('bb', 1)", "bad argument #3 to 'pack' (number expected, got no value)"),
        ("pack('b', {})", "bad argument #2 to 'pack' (number expected, got table)"),
        ("unpack(('b'):rep(9000), ('x'):rep(9000))", "stack overflow (too many results)"),
    ] {
        assert_eq!(error(&format!("require 'struct' struct.{call}")), format!("chunk:1: {text}"), "{call}");
    }
}

proptest! {
    #[test]
    fn numbers_come_back(value: i64, size in 1usize..=8, big: bool) {
        let unused = 64 - 8 * size as u32;
        // As a double holds it.
        let value = ((value << unused) >> unused) >> 11;
        let order = if big { '>' } else { '<' };
        let chunk = format!(
            "require 'struct'
             return ('%.0f,%d'):format(struct.unpack('{order}i{size}', struct.pack('{order}i{size}', {value})))"
        );
        let text = run(&chunk);
        prop_assert_eq!(text, format!("{value},{}", size + 1));
    }

    #[test]
    fn no_format_and_no_data_harm(format in "[bBhHlLTiIfdscx0-9!<> y]{0,12}", data in prop::collection::vec(any::<u8>(), 0..40), position in 0u32..50) {
        let data: String = data.iter().map(|byte| format!("\\{byte:03}")).collect();
        // Whether it raises or returns is its own affair; it must end, and not reach outside the data.
        let chunk = format!("require 'struct'
            local f, s = '{format}', '{data}'
            pcall(struct.size, f) pcall(struct.unpack, f, s, {position}) pcall(struct.pack, f, 1, s, 2, s, -3)
            return 'done'");
        prop_assert_eq!(Sandbox::new().run(&chunk), Ok(b"done".to_vec()));
    }
}
