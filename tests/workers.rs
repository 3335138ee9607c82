//! The same input gives the same output with any number of workers.

mod support;

use heka_message::framing::write_frame;
use heka_message::{BatchBuilder, FieldValue, Span, write_message};
use std::collections::BTreeMap;
use std::io::Write;
use support::{Random, Site, append, connect, free_address, wait_for};

/// Numbers of workers that must make no difference.
const WORKERS: [usize; 4] = [1, 2, 4, 8];

const TEXT_OUTPUT: &str = r#"
[PayloadEncoder]
append_newlines = false
[out]
type = "FileOutput"
message_matcher = "Type != 'heka.counter-output'"
encoder = "PayloadEncoder"
path = "$D/out"
flush_interval = 20
"#;

/// The lines of `text` by their first word, in order.
fn by_source(text: &[u8]) -> BTreeMap<String, Vec<String>> {
    let mut sources: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in String::from_utf8(text.to_vec()).unwrap().lines() {
        let source = line.split(' ').next().unwrap_or_default().to_owned();
        sources.entry(source).or_default().push(line.to_owned());
    }
    sources
}

#[test]
fn lines_of_a_file_are_byte_for_byte_the_same() {
    let text: String = (0..40_000).map(|i| format!("line {i}\n")).collect();
    for workers in WORKERS {
        let input = "[LogstreamerInput]\nlog_directory = \"$D/logs\"\nfile_match = 'app\\.log'\n";
        let site = Site::new(&format!("maxprocs = {workers}\n{input}{TEXT_OUTPUT}"));
        append(&site.path("logs/app.log"), text.as_bytes());
        let daemon = site.start();
        wait_for("all lines", || site.read("out").len() >= text.len());
        assert_eq!(daemon.stop(), 0);
        assert!(site.read("out") == text.as_bytes(), "{workers} workers: the lines are not the ones written");
    }
}

#[test]
fn lines_of_several_files_keep_the_order_of_each() {
    let files: Vec<String> = (0..5).map(|file| format!("file{file}")).collect();
    let text = |file: &str| -> String { (0..10_000).map(|i| format!("{file} {i}\n")).collect() };
    let all: String = files.iter().map(|file| text(file)).collect();
    for workers in WORKERS {
        let input: String = files
            .iter()
            .map(|file| {
                format!("[{file}]\ntype = \"LogstreamerInput\"\nlog_directory = \"$D/logs\"\nfile_match = '{file}'\n")
            })
            .collect();
        let site = Site::new(&format!("maxprocs = {workers}\n{input}{TEXT_OUTPUT}"));
        for file in &files {
            append(&site.path(&format!("logs/{file}")), text(file).as_bytes());
        }
        let daemon = site.start();
        wait_for("all lines", || site.read("out").len() >= all.len());
        assert_eq!(daemon.stop(), 0);
        assert!(by_source(&site.read("out")) == by_source(all.as_bytes()), "{workers} workers");
    }
}

/// Framed messages of one connection; the payload says which one and how many came before.
fn frames(connection: usize, count: usize) -> Vec<u8> {
    let mut builder = BatchBuilder::default();
    for i in 0..count {
        let payload = builder.text(format!("connection{connection} {i}\n").as_bytes());
        let name = builder.text(b"number");
        let row = builder.row();
        row.set_uuid([connection as u8 + 1; 16]);
        row.set_timestamp(1_425_943_801_000_000_000 + i as i64);
        row.payload = payload;
        builder.field(name, Span::NONE, FieldValue::Integer(i as i64));
    }
    let mut out = Vec::new();
    for row in builder.finish().rows() {
        let mut body = Vec::new();
        write_message(row, &mut body);
        write_frame(&body, 65536, &mut out).unwrap();
    }
    out
}

#[test]
fn framed_messages_of_several_connections_keep_the_order_of_each() {
    let (connections, count) = (6, 4000);
    let expected: String =
        (0..connections).flat_map(|c| (0..count).map(move |i| format!("connection{c} {i}\n"))).collect();
    for workers in WORKERS {
        let address = free_address();
        let site = Site::new(&format!("maxprocs = {workers}\n[TcpInput]\naddress = \"{address}\"\n{TEXT_OUTPUT}"));
        let daemon = site.start();
        let streams: Vec<_> = (0..connections).map(|_| connect(&address)).collect();
        std::thread::scope(|scope| {
            for (number, mut stream) in streams.into_iter().enumerate() {
                scope.spawn(move || {
                    // In pieces that end anywhere, so that connections take turns and frames are cut.
                    let (bytes, mut random) = (frames(number, count), Random::new(number as u64));
                    let mut rest = bytes.as_slice();
                    while !rest.is_empty() {
                        let (piece, behind) = rest.split_at(rest.len().min(1 + random.below(20_000) as usize));
                        stream.write_all(piece).unwrap();
                        rest = behind;
                    }
                });
            }
        });
        wait_for("all messages", || site.read("out").len() >= expected.len());
        assert_eq!(daemon.stop(), 0);
        assert!(by_source(&site.read("out")) == by_source(expected.as_bytes()), "{workers} workers");
    }
}

#[test]
fn what_filters_inject_is_the_same() {
    let filters = r#"
[lines]
type = "CounterFilter"
message_matcher = "Type == 'logfile'"
ticker_interval = 1
[sevens]
type = "CounterFilter"
message_matcher = "Type == 'logfile' && Payload =~ /7\n$/"
ticker_interval = 1
[counts]
type = "FileOutput"
message_matcher = "Type == 'heka.counter-output'"
encoder = "RstEncoder"
path = "$D/counts"
flush_interval = 20
[RstEncoder]
"#;
    let text: String = (0..30_000).map(|i| format!("line {i}\n")).collect();
    for workers in WORKERS {
        let inputs: String = ["a", "b"]
            .iter()
            .map(|name| {
                format!(
                    "[{name}]\ntype = \"LogstreamerInput\"\nlog_directory = \"$D/logs\"\nfile_match = '{name}\\.log'\n"
                )
            })
            .collect();
        let site = Site::new(&format!("maxprocs = {workers}\n{inputs}{filters}{TEXT_OUTPUT}"));
        for name in ["a", "b"] {
            append(&site.path(&format!("logs/{name}.log")), text.as_bytes());
        }
        let daemon = site.start();
        wait_for("the last count of each filter", || {
            let last = last_counts(&site.read("counts"));
            last.get("lines") == Some(&60_000) && last.get("sevens") == Some(&6000)
        });
        assert_eq!(daemon.stop(), 0);
        // A tick may fall between two lines; what it says must then be less than the next, never more than all.
        let last = last_counts(&site.read("counts"));
        assert_eq!(last, BTreeMap::from([("lines".to_owned(), 60_000), ("sevens".to_owned(), 6000)]), "{workers}");
    }
}

/// Sums up the lines of each source so that their order shows, and says how far it is at every thousandth.
const SUMS: &str = r#"
require "string"
local sums, counts = {}, {}
local function say(source)
    inject_payload("txt", "sums", source, " ", counts[source], " ", sums[source], "\n")
end
function process_message()
    local text = read_message("Payload")
    local source = string.match(text, "^%S+")
    local sum = sums[source] or 7
    for i = 1, #text do sum = (sum * 31 + string.byte(text, i)) % 4294967291 end
    sums[source], counts[source] = sum, (counts[source] or 0) + 1
    if counts[source] % 1000 == 0 then say(source) end
    return 0
end
function timer_event(ns)
    for _, source in ipairs{"a", "b"} do say(source) end
end
"#;

/// What the script says of `count` lines of a source.
fn sums(source: &str, count: usize) -> Vec<String> {
    let (mut sum, mut said) = (7u64, Vec::new());
    for i in 0..count {
        for byte in line(source, i).bytes() {
            sum = (sum * 31 + u64::from(byte)) % 4_294_967_291;
        }
        if (i + 1) % 1000 == 0 || i + 1 == count {
            said.push(format!("{source} {} {sum}", i + 1));
        }
    }
    said
}

fn line(source: &str, number: usize) -> String {
    format!("{source} {number}\n")
}

#[test]
fn scripts_see_the_lines_of_each_source_in_order_and_the_last_tick_behind_them_all() {
    let count = 8500;
    for workers in WORKERS {
        let inputs: String = ["a", "b"]
            .iter()
            .map(|name| {
                format!(
                    "[{name}]\ntype = \"LogstreamerInput\"\nlog_directory = \"$D/logs\"\nfile_match = '{name}\\.log'\n\
                     decoder = \"copy\"\n"
                )
            })
            .collect();
        let site = Site::new(&format!(
            "maxprocs = {workers}\nshare_dir = \"$D\"\n{inputs}\
             [copy]\ntype = \"SandboxDecoder\"\nfilename = \"copy.lua\"\n\
             [sums]\ntype = \"SandboxFilter\"\nfilename = \"sums.lua\"\nmessage_matcher = \"Type == 'line'\"\n\
             timer_event_on_shutdown = true\n\
             [PayloadEncoder]\nappend_newlines = false\n[out]\ntype = \"FileOutput\"\npath = \"$D/out\"\n\
             message_matcher = \"Logger == 'sums'\"\nencoder = \"PayloadEncoder\"\nflush_interval = 20\n\
             [lines]\ntype = \"FileOutput\"\npath = \"$D/lines\"\n\
             message_matcher = \"Type == 'line'\"\nencoder = \"PayloadEncoder\"\nflush_interval = 20\n"
        ));
        std::fs::write(site.path("sums.lua"), SUMS).unwrap();
        let copy =
            "function process_message() inject_message{Type = 'line', Payload = read_message('Payload')} return 0 end";
        std::fs::write(site.path("copy.lua"), copy).unwrap();
        let text = |source| (0..count).map(|i| line(source, i)).collect::<String>();
        for source in ["a", "b"] {
            append(&site.path(&format!("logs/{source}.log")), text(source).as_bytes());
        }
        let all = text("a").len() + text("b").len();
        let daemon = site.start();
        wait_for("all lines", || site.read("lines").len() >= all);
        assert_eq!(daemon.stop(), 0);
        let expected: BTreeMap<_, _> = ["a", "b"].map(|source| (source.to_owned(), sums(source, count))).into();
        assert_eq!(by_source(&site.read("out")), expected, "{workers} workers");
    }
}

/// The last count that each filter reported; they only grow.
fn last_counts(reports: &[u8]) -> BTreeMap<String, u64> {
    let (mut counts, mut logger) = (BTreeMap::new(), String::new());
    for line in String::from_utf8_lossy(reports).lines() {
        if let Some(name) = line.strip_prefix(":Logger: ") {
            name.clone_into(&mut logger);
        } else if let Some(count) = line.strip_prefix(":Payload: Got ").and_then(|rest| rest.split(' ').next()) {
            let Ok(count) = count.parse() else { continue };
            assert!(counts.insert(logger.clone(), count).is_none_or(|before| before < count), "{logger}: {count}");
        }
    }
    counts
}
