//! Scripts in the real daemon: a whole pipeline of them with a restart, hostile ones beside good ones, and what
//! becomes of the daemon when one cannot go on.

mod support;

use std::fs;
use support::{Site, append, wait_for};

/// A site with these scripts in its `share_dir`.
fn site(config: &str, scripts: &[(&str, &str)]) -> Site {
    let site = Site::new(&format!("share_dir = \"$D/share\"\n{config}"));
    fs::create_dir(site.path("share")).unwrap();
    for (name, text) in scripts {
        fs::write(site.path(&format!("share/{name}")), text).unwrap();
    }
    site
}

fn text(site: &Site, name: &str) -> String {
    String::from_utf8_lossy(&site.read(name)).into_owned()
}

const LINES: &str = r#"
[LogstreamerInput]
log_directory = "$D/logs"
file_match = 'app\.log'
rescan_interval = "100ms"
splitter = "TokenSplitter"
[TokenSplitter]
"#;

const DECODER: &str = r#"
require "string"
local seen = 0
function process_message()
    local level, rest = string.match(read_message("Payload"), "^(%a+): (.*)\n$")
    if not level then return -1, "no level" end
    seen = seen + 1
    inject_message{Type = "app", Payload = rest, Fields = {level = level, length = {value = #rest, value_type = 2, representation = "B"}}}
    return 0
end
"#;

const COUNTER: &str = r#"
_PRESERVATION_VERSION = read_config("preservation_version")
levels = {}
bytes = 0
function process_message()
    local level = read_message("Fields[level]")
    levels[level] = (levels[level] or 0) + 1
    bytes = bytes + read_message("Fields[length]")
    return 0
end
function timer_event(ns)
    add_to_payload("error=", levels.error, " info=", levels.info, " bytes=", bytes)
    inject_payload("txt", "levels")
end
"#;

const ENCODER: &str = r#"
function process_message()
    inject_payload("", "", read_message("Logger"), "/", read_message("Fields[payload_name]"), " ", read_message("Payload"), "\n")
    return 0
end
"#;

const PIPELINE: &str = r#"
[decoder]
type = "SandboxDecoder"
filename = "decoder.lua"
[counter]
type = "SandboxFilter"
filename = "counter.lua"
message_matcher = "Type == 'app'"
preserve_data = true
timer_event_on_shutdown = true
[counter.config]
preservation_version = 3
[encoder]
type = "SandboxEncoder"
filename = "encoder.lua"
[levels]
type = "FileOutput"
message_matcher = "Type == 'heka.sandbox-output'"
encoder = "encoder"
path = "$D/levels"
flush_interval = 20
[PayloadEncoder]
[lines]
type = "FileOutput"
message_matcher = "Type == 'app'"
encoder = "PayloadEncoder"
path = "$D/lines"
flush_interval = 20
"#;

#[test]
fn a_pipeline_of_scripts_goes_on_behind_a_restart() {
    let lines = LINES.replace("splitter =", "decoder = \"decoder\"\nsplitter =");
    let scripts = [("decoder.lua", DECODER), ("counter.lua", COUNTER), ("encoder.lua", ENCODER)];
    let site = site(&format!("{lines}{PIPELINE}"), &scripts);
    let log = site.path("logs/app.log");
    append(&log, b"error: disk\nno level here\ninfo: fine\ninfo: good\n");
    let daemon = site.start();
    wait_for("the lines", || text(&site, "lines") == "disk\nfine\ngood\n");
    assert_eq!(daemon.stop(), 0);
    assert_eq!(text(&site, "levels"), "counter/levels error=1 info=2 bytes=12\n");
    assert!(
        text(&site, "stderr").contains("Failed parsing: no level payload: no level here"),
        "{}",
        text(&site, "stderr")
    );
    let data = text(&site, "state/sandbox_preservation/counter.data");
    assert!(data.starts_with("if _PRESERVATION_VERSION and _PRESERVATION_VERSION ~= 3 then return end\n"), "{data}");
    append(&log, b"error: again\n");
    let daemon = site.start();
    wait_for("the new line", || text(&site, "lines").ends_with("again\n"));
    assert_eq!(daemon.stop(), 0);
    assert!(text(&site, "levels").ends_with("counter/levels error=2 info=2 bytes=17\n"), "{}", text(&site, "levels"));
}

const SPINS: &str = "function process_message() while true do pcall(function() while true do end end) end end";
const GROWS: &str = "t = {} function process_message() while true do t[#t + 1] = {} end end";
const LOOPS: &str = "function process_message() inject_payload('txt', 'n', 'x') return 0 end";
const TICKS_BADLY: &str = "function process_message() return 0 end function timer_event() local function deep() return deep() + 1 end deep() end";

#[test]
fn hostile_scripts_end_alone() {
    let hostile = [("spins", SPINS), ("grows", GROWS), ("loops", LOOPS), ("ticks", TICKS_BADLY)];
    let section = |(name, _): &(&str, &str)| {
        format!(
            "[{name}]\ntype = \"SandboxFilter\"\nfilename = \"{name}.lua\"\nmessage_matcher = \"TRUE\"\nticker_interval = 1\n"
        )
    };
    let sections: String = hostile.iter().map(section).collect();
    let config = format!(
        r#"{LINES}{sections}
[good]
type = "SandboxFilter"
filename = "good.lua"
message_matcher = "Logger == 'LogstreamerInput'"
ticker_interval = 1
[PayloadEncoder]
[all]
type = "FileOutput"
message_matcher = "Logger == 'LogstreamerInput'"
encoder = "PayloadEncoder"
path = "$D/all"
flush_interval = 20
[ends]
type = "FileOutput"
message_matcher = "Type == 'heka.sandbox-terminated'"
encoder = "PayloadEncoder"
path = "$D/ends"
flush_interval = 20
[ticks_seen]
type = "FileOutput"
message_matcher = "Type == 'heka.sandbox-output' && Logger == 'good'"
encoder = "PayloadEncoder"
path = "$D/ticks"
flush_interval = 20
"#
    )
    .replace("[PayloadEncoder]\n", "[PayloadEncoder]\nappend_newlines = true\n");
    let good = "n, ticks = 0, 0 function process_message() n = n + 1 return 0 end \
                function timer_event() ticks = ticks + 1 inject_payload('txt', 'n', n, ' ', ticks) end";
    let scripts: Vec<(String, &str)> =
        hostile.iter().chain(&[("good", good)]).map(|(name, script)| (format!("{name}.lua"), *script)).collect();
    let scripts: Vec<(&str, &str)> = scripts.iter().map(|(name, script)| (name.as_str(), *script)).collect();
    let site = site(&config, &scripts);
    let log = site.path("logs/app.log");
    let daemon = site.start();
    let mut expected = String::new();
    for batch in 0..20 {
        let lines: String = (0..500).map(|i| format!("{batch} {i}\n")).collect();
        append(&log, lines.as_bytes());
        expected.push_str(&lines);
    }
    wait_for("all lines", || text(&site, "all").lines().filter(|line| !line.is_empty()).count() >= 10_000);
    wait_for("all ends", || text(&site, "ends").lines().count() >= hostile.len());
    let total = format!("10000 {}", "");
    wait_for("a tick that has seen every line", || text(&site, "ticks").lines().any(|line| line.starts_with(&total)));
    assert_eq!(daemon.stop(), 0, "hostile filters may end without ending the daemon");
    let all: String =
        text(&site, "all").lines().filter(|line| !line.is_empty()).map(|line| format!("{line}\n")).collect();
    assert!(all == expected, "every line, in order, once");
    let ends = text(&site, "ends");
    for reason in [
        "process_message() instruction_limit exceeded\n",
        "process_message() not enough memory\n",
        "inject_payload() creates a circular reference (matches this plugin's message_matcher)\n",
        "stack overflow",
    ] {
        assert!(ends.contains(reason), "{reason} in {ends}");
    }
    let ticks: Vec<usize> =
        text(&site, "ticks").lines().filter_map(|line| line.split_once(' ')?.1.parse().ok()).collect();
    assert!(ticks.iter().copied().eq(1..=ticks.len()), "no tick is missed: {ticks:?}");
    let log = text(&site, "stdout");
    assert!(log.contains("Plugin 'spins': has stopped, exiting plugin without shutting down."), "{log}");
}

const FILE: &str = "encoder = \"PayloadEncoder\"\nflush_interval = 20\n[PayloadEncoder]\nappend_newlines = false\n";

#[test]
fn a_slow_script_holds_nobody_else_up() {
    // Several milliseconds a message, and only just within its limit.
    let slow = "n = 0 function process_message() for i = 1, 800000 do end n = n + 1 \
                inject_payload('txt', 'n', 'seen', n, '\\n') return 0 end";
    let site = site(
        &format!(
            "{LINES}[slow]\ntype = \"SandboxFilter\"\nfilename = \"slow.lua\"\nmessage_matcher = \"Type == 'logfile'\"\n\
             [seen]\ntype = \"FileOutput\"\nmessage_matcher = \"Logger == 'slow'\"\npath = \"$D/seen\"\n\
             encoder = \"PayloadEncoder\"\nflush_interval = 20\n\
             [out]\ntype = \"FileOutput\"\nmessage_matcher = \"Type == 'logfile'\"\npath = \"$D/out\"\n{FILE}"
        ),
        &[("slow.lua", slow)],
    );
    // Three chunks: a filter that took all it was given would have seen two of them before the last one got through.
    let lines: String = (0..600).map(|i| format!("{i:0>1023}\n")).collect();
    append(&site.path("logs/app.log"), lines.as_bytes());
    let daemon = site.start();
    wait_for("all lines", || site.read("out").len() >= lines.len());
    let seen = text(&site, "seen").lines().count();
    assert!(seen < 300, "the script has seen {seen} lines when the last is written");
    wait_for("the script's first lines", || !site.read("seen").is_empty());
    daemon.crash();
}

#[test]
fn what_a_script_makes_of_messages_takes_their_place_in_the_budget() {
    let makes = "require 'string' local more = string.rep('x', 1000) function process_message() \
                 inject_payload('txt', 'n', read_message('Payload'), more) return 0 end";
    let site = site(
        &format!(
            "{LINES}[makes]\ntype = \"SandboxFilter\"\nfilename = \"makes.lua\"\nmessage_matcher = \"Type == 'logfile'\"\n\
             [out]\ntype = \"FileOutput\"\nmessage_matcher = \"Logger == 'makes'\"\npath = \"$D/pipe\"\n{FILE}"
        ),
        &[("makes.lua", makes)],
    );
    let _pipe = site.fifo("pipe");
    let lines: String = (0..400_000).map(|i| format!("{i:0>99}\n")).collect();
    append(&site.path("logs/app.log"), lines.as_bytes());
    let daemon = site.start();
    // Reading stops when the budget is spent: then memory no longer moves.
    let mut last = (0, 0);
    wait_for("the stall", || {
        let now = daemon.peak_memory();
        last = if now == last.0 { (now, last.1 + 1) } else { (now, 0) };
        last.1 > 300
    });
    assert!(last.0 < 256 << 20, "{} MiB while nobody reads what the script makes", last.0 >> 20);
    daemon.crash();
}

#[test]
fn the_news_of_an_end_gets_through_where_nothing_else_may_loop_any_more() {
    let filter = |name: &str, matcher: &str| {
        format!("[{name}]\ntype = \"SandboxFilter\"\nfilename = \"{name}.lua\"\nmessage_matcher = \"{matcher}\"\n")
    };
    let config = format!(
        "max_message_loops = 1\n{LINES}{}{}{}[PayloadEncoder]\nappend_newlines = true\n[ends]\ntype = \"FileOutput\"\n\
         message_matcher = \"Type == 'heka.sandbox-terminated'\"\nencoder = \"PayloadEncoder\"\npath = \"$D/ends\"\n\
         flush_interval = 20\n",
        filter("answers", "Logger == 'LogstreamerInput'"),
        filter("ends_late", "Logger == 'answers'"),
        filter("mourns", "Type == 'heka.sandbox-terminated'"),
    );
    let answers = "function process_message() inject_message{Type = 'x'} return 0 end";
    let scripts = [
        ("answers.lua", answers),
        ("ends_late.lua", "function process_message() return 1, 'late' end"),
        ("mourns.lua", "function process_message() return 1, 'moved by ' .. read_message('Payload') end"),
    ];
    let site = site(&config, &scripts);
    append(&site.path("logs/app.log"), b"one\n");
    let daemon = site.start();
    // The answer is in the only round there is, the first end in the next, what it moves in the one after.
    wait_for("both ends", || text(&site, "ends") == "late\nmoved by late\n");
    assert_eq!(daemon.stop(), 0);
}

#[test]
fn a_decoder_that_ends_takes_the_daemon_down_with_its_name_and_the_others_data() {
    let lines = LINES.replace("splitter =", "decoder = \"decoder\"\nsplitter =");
    let decoder =
        "function process_message() if read_message('Payload') == 'die\\n' then error('dead') end return 0 end";
    let keeper = "n = 0 function process_message() n = n + 1 return 0 end";
    let config = format!(
        "{lines}[decoder]\ntype = \"SandboxDecoder\"\nfilename = \"decoder.lua\"\n[keeper]\ntype = \"SandboxFilter\"\n\
         filename = \"keeper.lua\"\nmessage_matcher = \"TRUE\"\npreserve_data = true\n[PayloadEncoder]\n[out]\ntype = \"FileOutput\"\n\
         message_matcher = \"TRUE\"\nencoder = \"PayloadEncoder\"\npath = \"$D/out\"\nflush_interval = 20\n"
    );
    let site = site(&config, &[("decoder.lua", decoder), ("keeper.lua", keeper)]);
    append(&site.path("logs/app.log"), b"one\n");
    let mut daemon = site.start();
    wait_for("the first line", || text(&site, "out").starts_with("one\n"));
    append(&site.path("logs/app.log"), b"die\n");
    assert_eq!(daemon.wait(), 1);
    let log = text(&site, "stderr");
    assert!(log.contains("the script decoder.lua has ended: process_message() ") && log.contains("FATAL: "), "{log}");
    assert!(text(&site, "state/sandbox_preservation/keeper.data").contains("_G[\"n\"] = 1\n"));
}

#[test]
fn scripts_read_and_deliver_themselves() {
    let input = "require 'string' function process_message() for i = 1, 1000 do inject_message{Type = 'made', Payload = 'line ' .. i, Fields = {n = i}} end return 0 end";
    let output = "require 'io' local file = io.open(read_config('path'), 'w') \
                  function process_message() file:write(read_message('Payload'), ' ', read_message('Logger'), ' ', read_message('Fields[n]'), '\\n') return 0 end \
                  function timer_event() file:write('the end\\n') file:flush() end";
    let config = "[made]\ntype = \"SandboxInput\"\nfilename = \"input.lua\"\ndecoder = \"ignored\"\nsplitter = \"ignored\"\n\
                  [delivers]\ntype = \"SandboxOutput\"\nfilename = \"output.lua\"\nmessage_matcher = \"Type == 'made'\"\nencoder = \"ignored\"\n\
                  timer_event_on_shutdown = true\n[delivers.config]\npath = \"$D/delivered\"\n\
                  [PayloadEncoder]\n[out]\ntype = \"FileOutput\"\nmessage_matcher = \"TRUE\"\nencoder = \"PayloadEncoder\"\npath = \"$D/out\"\nflush_interval = 20\n";
    let site = site(config, &[("input.lua", input), ("output.lua", output)]);
    let daemon = site.start();
    wait_for("all messages", || text(&site, "out").contains("line 1000"));
    wait_for("the input's end", || text(&site, "stdout").contains("Input 'made': single run completed"));
    assert_eq!(daemon.stop(), 0, "{}", text(&site, "stderr"));
    let expected: String = (1..=1000).map(|i| format!("line {i} made {i}\n")).collect();
    assert_eq!(text(&site, "delivered"), expected + "the end\n");
}

#[test]
fn a_script_that_cannot_be_loaded_refuses_the_start() {
    let common = "[PayloadEncoder]\n[out]\ntype = \"FileOutput\"\nmessage_matcher = \"TRUE\"\nencoder = \"ENCODER\"\npath = \"$D/out\"\n";
    for (section, encoder) in [
        ("[bad]\ntype = \"SandboxFilter\"\nfilename = \"bad.lua\"\nmessage_matcher = \"TRUE\"\n", "PayloadEncoder"),
        ("[bad]\ntype = \"SandboxInput\"\nfilename = \"bad.lua\"\nretries = {max_retries = 0}\n", "PayloadEncoder"),
        ("[bad]\ntype = \"SandboxOutput\"\nfilename = \"bad.lua\"\nmessage_matcher = \"TRUE\"\n", "PayloadEncoder"),
        ("[bad]\ntype = \"SandboxEncoder\"\nfilename = \"bad.lua\"\n", "bad"),
    ] {
        let input =
            "[TcpInput]\naddress = \"127.0.0.1:0\"\nsplitter = \"TokenSplitter\"\ndecoder = \"\"\n[TokenSplitter]\n";
        let config = format!("{input}{section}{}", common.replace("ENCODER", encoder));
        let site = site(&config, &[("bad.lua", "error('not today')")]);
        assert_eq!(site.start().wait(), 1, "{section}");
        assert!(text(&site, "stderr").contains("Init() ") && text(&site, "stderr").contains("not today"), "{section}");
    }
}

#[test]
fn wrong_sections_are_refused_with_their_remedies() {
    let cases = [
        ("[f]\ntype = \"SandboxFilter\"\nmessage_matcher = \"TRUE\"\n", "`filename` is missing"),
        (
            "[f]\ntype = \"SandboxFilter\"\nmessage_matcher = \"TRUE\"\nfilename = \"x\"\nscript_type = \"js\"\n",
            "unsupported script type: js",
        ),
        (
            "[e]\ntype = \"SandboxEncoder\"\nfilename = \"x\"\ncan_exit = true\n",
            "unknown config setting for 'e': can_exit",
        ),
        ("[d]\ntype = \"SandboxDecoder\"\nfilename = \"x\"\n[d.config]\ntz = 5\n", "expected a string, found integer"),
    ];
    for (section, message) in cases {
        let output = site(section, &[]).run(&["-check"]);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && errors.contains(message), "{errors}");
    }
}

#[test]
fn a_tick_may_inject_whatever_its_filter_processed_before() {
    let first = "function process_message() inject_message{Type = 'one'} return 0 end";
    let second = "n = 0 function process_message() n = n + 1 return 0 end \
                  function timer_event() inject_payload('txt', 'n', n) end";
    let config = format!(
        "{LINES}[first]\ntype = \"SandboxFilter\"\nfilename = \"first.lua\"\nmessage_matcher = \"Logger == 'LogstreamerInput'\"\n\
         [second]\ntype = \"SandboxFilter\"\nfilename = \"second.lua\"\nmessage_matcher = \"Type == 'heka.sandbox.one'\"\n\
         ticker_interval = 1\n[PayloadEncoder]\n[out]\ntype = \"FileOutput\"\nmessage_matcher = \"Logger == 'second'\"\n\
         encoder = \"PayloadEncoder\"\npath = \"$D/out\"\nflush_interval = 20\n"
    );
    // The first filter's messages are in the last round that there is: what the second made of one would be refused.
    let site = Site::new(&format!("share_dir = \"$D/share\"\nmax_message_loops = 1\n{config}"));
    fs::create_dir(site.path("share")).unwrap();
    fs::write(site.path("share/first.lua"), first).unwrap();
    fs::write(site.path("share/second.lua"), second).unwrap();
    append(&site.path("logs/app.log"), b"one\n");
    let daemon = site.start();
    wait_for("a tick behind the message", || text(&site, "out").lines().any(|line| line == "1"));
    assert_eq!(daemon.stop(), 0, "{}", text(&site, "stderr"));
    assert!(!text(&site, "stdout").contains("Plugin 'second': has stopped"));
}

#[test]
fn a_decoder_that_preserves_its_data_has_one_instance_whatever_is_asked_for() {
    let decoder = r#"
        count = 0
        function process_message()
            count = count + 1
            write_message("Fields[count]", count)
            return 0
        end"#;
    let lines = LINES.replace("splitter =", "decoder = \"counting\"\ndecode_workers = 4\nsplitter =");
    let config = format!(
        "maxprocs = 4\n{lines}[counting]\ntype = \"SandboxDecoder\"\n\
         filename = \"counting.lua\"\npreserve_data = true\n[PayloadEncoder]\nappend_newlines = false\n[out]\ntype = \"FileOutput\"\n\
         message_matcher = \"Fields[count] > 0\"\nencoder = \"PayloadEncoder\"\npath = \"$D/out\"\nflush_interval = 20\n"
    );
    let site = site(&config, &[("counting.lua", decoder)]);
    let lines: String = (0..5000).map(|i| format!("line {i}\n")).collect();
    for round in 1..=2 {
        append(&site.path("logs/app.log"), lines.as_bytes());
        let daemon = site.start();
        wait_for("all lines", || site.read("out").len() == lines.len() * round);
        assert_eq!(daemon.stop(), 0);
        let folder = fs::read_dir(site.path("state/sandbox_preservation")).unwrap();
        let files: Vec<_> = folder.map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap()).collect();
        let count = format!("_G[\"count\"] = {}\n", 5000 * round);
        assert!(files.len() == 1 && files[0].contains(&count), "{files:?}");
    }
}
