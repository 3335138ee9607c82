//! The same texts through the C library, when this machine has it: the same values in the same order, the same errors.
//!
//! Known differences, which the generator avoids: nulls are left out here; control characters in strings are refused here; NaN and infinities
//! are refused with another text, and written as JavaScript names them.

use crate::testing::{Random, Sandbox, peer};
use std::fmt::Write;

/// Decodes each case, writes the value in table order, and encodes it again.
const DRIVER: &str = r#"
local cjson = require "cjson"
local function show(v)
  if type(v) == "string" then return string.format("%q", v) end
  if type(v) ~= "table" then return type(v) == "number" and string.format("%.17g", v) or tostring(v) end
  local parts = {}
  for k, item in pairs(v) do parts[#parts + 1] = show(k) .. "=" .. show(item) end
  return "{" .. table.concat(parts, ",") .. "}"
end
local out = {}
for i, text in ipairs(cases) do
  local ok, v = pcall(cjson.decode, text)
  out[#out + 1] = tostring(ok) .. show(v)
  if ok then out[#out + 1] = show(select(2, pcall(cjson.encode, v))):gsub("Infinity", "Inf") end
end
"#;

fn text(random: &mut Random) -> Vec<u8> {
    let mut text = Vec::new();
    value(random, &mut text, 0);
    if random.below(3) == 0 && !text.is_empty() {
        // Damage: a byte changed, dropped, or the end cut off.
        let at = random.below(text.len());
        match random.below(3) {
            0 => text[at] = *random.pick(b"{}[],:\"\\ tfn0-eu/x"),
            1 => drop(text.remove(at)),
            _ => text.truncate(at),
        }
    }
    text
}

/// Mostly few; sometimes more than wait for their container's end.
fn elements(random: &mut Random) -> usize {
    let most = if random.below(30) == 0 { 70 } else { 9 };
    random.below(most)
}

fn value(random: &mut Random, text: &mut Vec<u8>, depth: usize) {
    const NUMBERS: &[&str] = &[
        "0",
        "-0",
        "1",
        "-17",
        "3.25",
        "1e3",
        "1E-7",
        "0x1F",
        "007",
        "123456789012345678",
        "0.1",
        "2.5e-308",
        "1.",
        "-.5",
        "9007199254740993",
        "1e22",
        "123456.789e10",
        "4.35",
        "0.000001234567890123456789",
        "8.5e",
        "+3",
    ];
    match random.below(if depth > 4 { 4 } else { 7 }) {
        0 => text.extend_from_slice(random.pick(NUMBERS).as_bytes()),
        1 => text.extend_from_slice(random.pick(&["true", "false", "tru"]).as_bytes()),
        2 | 3 => string(random, text),
        4 | 5 => {
            text.push(b'{');
            for n in 0..elements(random) {
                text.extend_from_slice(if n > 0 { b"," } else { b" " });
                string(random, text);
                text.extend_from_slice(random.pick(&[":", " : ", ":  "]).as_bytes());
                value(random, text, depth + 1);
            }
            text.push(b'}');
        }
        _ => {
            text.push(b'[');
            for n in 0..elements(random) {
                text.extend_from_slice(if n > 0 { b"," } else { b"" });
                value(random, text, depth + 1);
            }
            text.push(b']');
        }
    }
}

fn string(random: &mut Random, text: &mut Vec<u8>) {
    const PIECES: &[&str] = &[
        "a",
        "name",
        "id",
        "Hostname",
        "x y",
        "é",
        "\\n",
        "\\\\",
        "\\\"",
        "\\/",
        "/",
        "\\u0041",
        "\\u20ac",
        "\\ud83d\\ude00",
        "\\ud83d",
        "\\uZZ",
        "a longer piece of text, as messages have it",
        "\u{7f}",
        "\\t\\b\\f\\r",
    ];
    text.push(b'"');
    for _ in 0..random.below(4) {
        // The pieces that are no escapes are rare.
        let piece = random.pick(PIECES);
        let broken = piece.contains("uZZ") || *piece == "\\ud83d";
        if !broken || random.below(10) == 0 {
            text.extend_from_slice(piece.as_bytes());
        }
    }
    text.push(b'"');
}

#[test]
fn agrees_with_the_c_library() {
    let mut random = Random::new(0x5eed_0001);
    let mut chunk = String::from("local cases = {\n");
    for _ in 0..4000 {
        chunk.push('"');
        for byte in text(&mut random) {
            let _ = write!(chunk, "\\{byte:03}");
        }
        chunk.push_str("\",\n");
    }
    chunk.push_str("}\n");
    let chunk = chunk + DRIVER;
    let Some(theirs) = peer("cjson", &format!("{chunk}\nio.write(table.concat(out, '\\n'))")) else { return };
    let ours = Sandbox::new().run(&format!("{chunk}\nreturn table.concat(out, '\\n')")).expect("runs");
    let lines = |text: &[u8]| String::from_utf8_lossy(text).lines().map(str::to_owned).collect::<Vec<_>>();
    let (ours, theirs) = (lines(&ours), lines(&theirs));
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_eq!(ours, theirs);
    }
    assert_eq!(ours.len(), theirs.len());
}
