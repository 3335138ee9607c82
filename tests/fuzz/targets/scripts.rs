//! What scripts hand to the host: messages made of decoded garbage, patterns, formats, and the state of sketches and
//! buffers read back from bytes.

use super::decoders::decoder;
use super::wire::encoded;
use super::{message, site};
use crate::runner::{Target, outcome};
use heka_message::{BatchBuilder, RowRef};
use heka_settings::{Data, Table};
use std::fs;

/// Runs a script on payloads: an error in it is its own, and says so.
fn run(name: &str, script: &str, seeds: Vec<Vec<u8>>, words: &[&str], runs: u64) {
    let directory = tempfile::tempdir().unwrap();
    let site = site(name, directory.path());
    let path = directory.path().join("script.lua");
    // What fails must fail as an error of Lua.
    let script = format!(
        "require 'string' require 'table' require 'math'\n{script}\nfunction process_message()\n\
         local ok, why = pcall(try, read_message('Payload'))\n\
         if ok then return 0 end\nreturn -1, tostring(why)\nend\n"
    );
    fs::write(&path, script).unwrap();
    let table = Table::default()
        .with("filename", Data::String(path.to_string_lossy().into_owned()))
        .with("memory_limit", Data::Integer(8 << 20));
    let make = || decoder("SandboxDecoder", &table, &site, Vec::new());
    let mut script = make();
    let mut decode = |input: &[u8]| {
        let records = message(input);
        let mut out = BatchBuilder::over(&records);
        let error = script.decode(records.rows().next().unwrap(), &mut out).err();
        if error.as_ref().is_some_and(|error| error.fatal) {
            // Out of instructions or of memory: the next one begins anew.
            script = make();
        }
        let why = error.map(|error| error.message.split(" payload: ").next().unwrap_or_default().to_owned());
        (why, out.finish())
    };
    // Else nothing behind the first call would be tried.
    assert_eq!(decode(&seeds[0]).0, None, "the script fails on its own example");
    let target = Target { name, seeds, words, runs, memory: (24 << 20, 4096) };
    target.run(|input| {
        let (why, batch) = decode(input);
        // Errors that differ in what they quote are the same.
        let why = why.map(|why| why.split(['\'', '"']).step_by(2).map(str::to_owned).collect::<Vec<_>>());
        let shape = |row: RowRef<'_>| {
            let payload = row.payload();
            (row.fields().count(), payload.len().checked_ilog2(), payload[..payload.len().min(16)].to_vec())
        };
        outcome((why, batch.rows().map(shape).collect::<Vec<_>>()))
    });
}

const JSON: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "null",
    "true",
    "1e308",
    "\\u0000",
    "\\ud800",
    "\"Payload\":",
    "\"Fields\":",
    "\"value\":",
    "\"value_type\":",
    "\"representation\":",
    "\"Timestamp\":",
    "\"Uuid\":",
    "\"Severity\":",
    "\"Pid\":",
    "\"name\":",
];

#[test]
fn injected_garbage() {
    let script = "require 'cjson' function try(text) local value = cjson.decode(text) inject_message(value) \
                  inject_payload('txt', 'n', cjson.encode(value)) end";
    let seeds = vec![
        br#"{"Type":"a","Payload":"b","Uuid":"00000000-0000-0000-0000-00000000000a","Timestamp":1,"Pid":2,"Fields":{"a":1,"b":"c","d":[1,2],"e":{"value":[true],"value_type":4,"representation":"x"}}}"#.to_vec(),
        br#"{"Fields":[{"name":"a","value":1},{"name":"a","value":["b","c"],"representation":"d"}]}"#.to_vec(),
    ];
    run("injected_garbage", script, seeds, JSON, 2500);
}

#[test]
fn encoded_messages() {
    let script =
        "function try(text) local message = decode_message(text) inject_message(message) inject_message(text) end";
    run("encoded_messages", script, encoded(), &[], 2500);
}

#[test]
fn written_messages() {
    let script = "function try(text) local name, rest = string.match(text, '^(%S*) (.*)$') \
                  for i = 0, 2 do read_message(name, i, i) end local wrote = {} \
                  for _, value in ipairs{rest, tonumber(rest) or 0, true} do \
                  for index = 0, 1 do wrote[#wrote + 1] = tostring(pcall(write_message, name, value, text, index, index)) end end \
                  inject_payload(name, rest, table.concat(wrote, ' '), tostring(read_message(name))) end";
    let seeds = vec![b"Fields[a] b".to_vec(), b"Payload text".to_vec(), b"Timestamp 5".to_vec(), b"raw x".to_vec()];
    let words =
        &["Fields[", "]", "Uuid", "Severity", "Pid", "Type", "framed", "raw", "creation_timestamp", "size", " "];
    run("written_messages", script, seeds, words, 300);
}

#[test]
fn grammars() {
    let script = "require 're' require 'lpeg' function try(text) local made = re.compile(text) \
                  inject_payload('txt', 'n', tostring(made:match(text)), tostring(made:match('aab\\n'))) end";
    let seeds = [
        "{[a-z]+ -> 'x'} / .",
        "s <- 'a' s 'b' / ''",
        "{| {:n: %d+ :} |}",
        "!. / &'x' .*",
        "{~ ('a' -> 'b' / .)* ~}",
        "s <- {:a: 'a'* :} 'b' =a",
    ];
    let seeds = seeds.map(|seed| seed.as_bytes().to_vec()).to_vec();
    let words =
        &["<-", "->", "=>", "{|", "|}", "{:", ":}", "{~", "~}", "%nl", "^3", "^-3", "*", "+", "?", "[^a]", "/", "!"];
    run("grammars", script, seeds, words, 1500);
}

#[test]
fn structs() {
    let script = "require 'struct' function try(text) local format, rest = string.match(text, '^(.-)%z(.*)$') \
                  struct.size(format) inject_payload('t', 'n', struct.unpack(format, rest)) \
                  inject_payload('t', 'n', struct.pack(format, 1, 2, rest, rest)) end";
    let seeds =
        vec![b"<i4>I8\0abcdefghijkl".to_vec(), b"!8bhl\0abcdefghijklmnop".to_vec(), b"Bc0s\0\x03abcd\0".to_vec()];
    let words = &["<", ">", "!16", "i4", "I8", "c0", "s", "d", "f", "x", "b", "999999999"];
    run("structs", script, seeds, words, 2500);
}

#[test]
fn circular_buffers() {
    let script = "require 'circular_buffer' function try(text) local buffer = circular_buffer.new(20, 2, 1) \
                  buffer:set_header(1, text, 'count', 'max') buffer:fromstring(text) buffer:add(1e9, 1, 1) \
                  inject_payload('cbuf', 'n', buffer, buffer:format('cbufd')) end";
    let words = &["nan", " ", "1.5", "inf", "-1", "\n", "1e9", "0x10"];
    let seeds = vec![("1000000000 5 ".to_owned() + &"nan 1 ".repeat(20)).into_bytes(), b"0 0 1".to_vec()];
    run("circular_buffers", script, seeds, words, 2500);
}

#[test]
fn sketches() {
    let script = "require 'bloom_filter' require 'cuckoo_filter' require 'hyperloglog' function try(text) \
                  local seen, whole = {}, string.rep(text, math.ceil(16384 / #text)) \
                  for _, make in ipairs{function() return bloom_filter.new(20, 0.01) end, function() return cuckoo_filter.new(64) end, \
                  function() return hyperloglog.new() end} do \
                  for _, length in ipairs{#text, 28, 128, 256, 264, 12288, 12304} do local one = make() \
                  seen[#seen + 1] = tostring(pcall(one.fromstring, one, #text, string.sub(whole, 1, length))) \
                  one:add(text) one:add(1.5) seen[#seen + 1] = one:count() end end \
                  inject_payload('t', 'n', table.concat(seen, ' ')) end";
    run("sketches", script, vec![b"0123456789abcdef".to_vec(), vec![0xff; 64], vec![0; 256]], &[], 400);
}

#[test]
fn sax() {
    let words = &["#", "A", "P", "AB#D", "\u{0}"];
    let script = "require 'sax' function try(text) local values = {string.byte(text, 1, 200)} local seen = {} \
                  for letters = 2, 17, 5 do \
                  local _, word = pcall(sax.word.new, text, letters) \
                  local _, other = pcall(sax.word.new, values, #text % 9, letters) \
                  local _, window = pcall(sax.window.new, #text % 40, #text % 7, letters) \
                  seen[#seen + 1] = tostring(word == other) \
                  pcall(function() window:add(values) window:add(tonumber(text)) seen[#seen + 1] = tostring(window) end) \
                  seen[#seen + 1] = tostring(pcall(sax.mindist, word, window)) end \
                  inject_payload('t', 'n', table.concat(seen, ' ')) end";
    run("sax", script, vec![b"AB#D".to_vec(), b"CCCCDDDDAAAABBBB".to_vec()], words, 1500);
}
