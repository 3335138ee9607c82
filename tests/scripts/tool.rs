//! `heka-sbtest` with scripts of every kind.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

pub const TOOL: &str = env!("CARGO_BIN_EXE_heka-sbtest");

/// The shipped scripts.
pub fn share() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("share")
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs the tool in a directory with this on its standard input.
pub fn run(directory: &Path, arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(TOOL)
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // A tool that ends early does not read it all.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

/// A directory with a script.
struct Place(tempfile::TempDir);

impl Place {
    fn new(script: &str) -> Self {
        let place = Place(tempfile::tempdir().unwrap());
        place.write("test.lua", script);
        place
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.path().join(name), text).unwrap();
    }

    fn run(&self, arguments: &str, input: impl AsRef<[u8]>) -> Output {
        let share = format!("-share={}", share().display());
        let arguments: Vec<&str> = arguments.split(' ').chain([share.as_str()]).collect();
        run(self.0.path(), &arguments, input.as_ref())
    }
}

const DECODER: &str = r#"require "string"
function process_message()
    local text = read_message("Payload")
    if string.find(text, "bad") then return -1, "no good" end
    if string.find(text, "die") then error("dead") end
    inject_message{Type = read_config("type"), Timestamp = tonumber(string.match(text, "%d+")) * 1e9, Payload = text}
    return 0
end
"#;

#[test]
fn a_decoder_shows_messages_failures_and_what_they_cost() {
    let place = Place::new(DECODER);
    let run = place.run("-type decoder -script test.lua -set type=t -format json -costs", "1 one\nbad\n2 two");
    assert_eq!(run.status.code(), Some(1));
    let lines: Vec<serde_json::Value> =
        text(&run.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines.len(), &lines[0]["type"], &lines[1]["payload"]), (2, &"t".into(), &"2 two".into()));
    let said = text(&run.stderr);
    assert!(said.contains("Failed parsing: no good payload: bad\n"), "{said}");
    assert!(said.contains("process_message 2: -1 \"no good\" ("), "{said}");
    assert!(said.contains("3 messages, 0 timer events, 1 failed; at most "), "{said}");
    let last = text(&place.run("-type decoder -script test.lua -set type=7 -format payload", "1\n2\n").stdout);
    assert_eq!(last, "1\n2\n");
}

#[test]
fn errors_name_the_scripts_line_and_end_with_their_own_status() {
    let place = Place::new(DECODER);
    let run = place.run("-type decoder -script test.lua", "1\ndie\n3\n");
    let said = text(&run.stderr);
    assert_eq!(run.status.code(), Some(4), "{said}");
    assert!(said.contains("FATAL: process_message() ") && said.contains("test.lua:5: dead"), "{said}");
    assert!(text(&run.stdout).contains(":Payload: 1"), "what came before is shown");
    place.write("test.lua", "function process_message(");
    let run = place.run("-type filter -script test.lua", "");
    assert_eq!(run.status.code(), Some(3));
    assert!(text(&run.stderr).starts_with("Init() ") && text(&run.stderr).contains("test.lua:1:"), "{run:?}");
    for (arguments, why) in [
        ("-type bogus -script test.lua", "invalid value \"bogus\" for flag -type"),
        ("-type filter", "give the script with -script"),
        ("-script test.lua", "give either -config and -section, or -type and -script"),
        ("-type filter -script test.lua -set x", "\"x\" is not of the form key=value"),
        ("-type filter -script test.lua -match Type", "matcher - "),
        ("-type filter -script test.lua -option bogus=1", "unknown config setting for 'test': bogus"),
        ("-type filter -script test.lua -read=backwards", "invalid value \"backwards\" for flag -read"),
        ("-config missing.toml", "missing.toml"),
    ] {
        let run = place.run(arguments, "");
        assert_eq!(run.status.code(), Some(2), "{arguments}: {run:?}");
        assert!(text(&run.stderr).contains(why), "{arguments}: {run:?}");
    }
    place.write("test.lua", "function process_message() return 0 end");
    let run = place.run("-type filter -script test.lua -input none", "");
    assert_eq!(run.status.code(), Some(5), "{run:?}");
}

const COUNTER: &str = r#"
n = 0
function process_message() n = n + 1 return 0 end
function timer_event(ns) inject_payload("txt", "count", ns / 1e9, " ", n, "\n") end
"#;

#[test]
fn scripts_in_a_row_are_a_pipeline_with_timer_events_in_its_own_time() {
    let place = Place::new(DECODER);
    place.write("counter.lua", COUNTER);
    let decoded = place.run("-type decoder -script test.lua -format heka", "5 a\n15 b\n16 c\n47 d\n");
    assert!(decoded.status.success() && decoded.stdout[0] == 0x1e);
    let counted = place.run("-type filter -script counter.lua -tick 10 -format payload", &decoded.stdout);
    assert_eq!(text(&counted.stdout), "10 1\n20 3\n30 3\n40 3\n50 4\n");
    let last = place.run("-type filter -script counter.lua -tick 0 -format payload", &decoded.stdout);
    assert_eq!(text(&last.stdout), "47 4\n");
    let some = "-type filter -script counter.lua -tick 0 -format payload -match";
    let share = format!("-share={}", share().display());
    let arguments: Vec<&str> = some.split(' ').chain(["Payload =~ /a|d/", share.as_str()]).collect();
    assert_eq!(text(&run(place.0.path(), &arguments, &decoded.stdout).stdout), "47 2\n");
    let garbled = place.run("-type filter -script counter.lua -read frames", b"\x1e\x02\x08\x01\x1f\xff");
    assert_eq!(garbled.status.code(), Some(1), "{garbled:?}");
}

#[test]
fn a_configurations_section_runs_with_its_settings_and_keeps_its_data_where_told() {
    let place = Place::new(COUNTER);
    place.write(
        "hekad.toml",
        "[hekad]\nshare_dir = \"nowhere\"\n[lines]\ntype = \"RegexSplitter\"\ndelimiter = ';'\n[counter]\ntype = \"SandboxFilter\"\nfilename = \
         \"test.lua\"\nmessage_matcher = \"Logger == 'sample' && Payload != 'no'\"\nticker_interval = 60\npreserve_data = true\n\
         instruction_limit = 100\n[PayloadEncoder]\n",
    );
    let dot = format!("-share={}", place.0.path().display());
    let run = |arguments: &str, input: &str| {
        let all: Vec<&str> = arguments.split(' ').chain([dot.as_str()]).collect();
        run(place.0.path(), &all, input.as_bytes())
    };
    let arguments = "-config hekad.toml -splitter lines -format payload -tick 0";
    for _ in 0..2 {
        let output = run(arguments, "a;no;b;");
        assert!(text(&output.stdout).ends_with(" 2\n"), "no data is kept unless told where: {output:?}");
    }
    let kept = format!("{arguments} -state state");
    assert!(text(&run(&kept, "a;no;b;").stdout).ends_with(" 2\n"));
    assert!(text(&run(&kept, "c;").stdout).ends_with(" 3\n"));
    assert!(place.0.path().join("state/sandbox_preservation/counter.data").exists());
    let strict = run(&format!("{arguments} -option instruction_limit=8"), "a;");
    assert_eq!(strict.status.code(), Some(4), "{strict:?}");
    assert!(text(&strict.stderr).contains("instruction_limit exceeded"), "{strict:?}");
    let wrong = run("-config hekad.toml -section PayloadEncoder", "");
    assert!(text(&wrong.stderr).contains("'PayloadEncoder' is a PayloadEncoder, which runs no script"), "{wrong:?}");
    let missing = run("-config hekad.toml -section other", "");
    assert!(text(&missing.stderr).contains("there is no section 'other'; the scripts are: counter"), "{missing:?}");
}

#[test]
fn a_filter_meets_the_limits_of_the_daemon() {
    let place = Place::new(
        "function process_message() inject_payload('txt', 'n', 'x') inject_payload('txt', 'n', 'y') return 0 end",
    );
    let run = place.run("-type filter -script test.lua", "a\n");
    assert_eq!(run.status.code(), Some(4));
    assert!(text(&run.stderr).contains("inject_payload() exceeded InjectMessage count"), "{run:?}");
    assert!(text(&run.stdout).contains(":Type: heka.sandbox-terminated"), "{run:?}");
    place.write("test.lua", "function process_message() inject_payload('txt', 'n', 'x') return 0 end");
    let run = place.run("-type filter -script test.lua -match TRUE", "a\n");
    assert!(text(&run.stderr).contains("creates a circular reference"), "{run:?}");
}

#[test]
fn encoders_inputs_and_outputs_run_too() {
    let place = Place::new(
        "function process_message() if read_message('Payload') == 'skip\\n' then return -2 end \
         inject_payload('', '', '<', read_message('Payload')) return 0 end",
    );
    let run = place.run("-type encoder -script test.lua", "a\nskip\nb\n");
    assert_eq!((text(&run.stdout).as_str(), run.status.code()), ("<a\n<b\n", Some(0)));
    place.write(
        "test.lua",
        "n = 0 function process_message() while true do n = n + 1 inject_message{Payload = 'line ' .. n .. '\\n'} end end",
    );
    let run = place.run("-type input -script test.lua -count 3 -format payload", "");
    assert_eq!((text(&run.stdout).as_str(), run.status.code()), ("line 1\nline 2\nline 3\n", Some(0)), "{run:?}");
    place.write(
        "test.lua",
        "require 'io' local f = io.open('out', 'w') \
         function process_message() f:write(read_message('Payload')) return 0 end function timer_event() f:write('end\\n') f:close() end",
    );
    let run = place.run("-type output -script test.lua -tick 0", "a\nb\n");
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    assert_eq!(std::fs::read_to_string(place.0.path().join("out")).unwrap(), "a\nb\nend\n");
}

#[test]
fn a_case_says_which_step_is_not_as_written() {
    let place = Place::new(DECODER);
    place.write(
        "case.toml",
        "[config]\ntype = \"t\"\n[[step]]\nmessage = {Payload = \"1 a\"}\nemits = [{Type = \"t\", Timestamp = 1000000000, Payload = \"1 a\"}]\n\
         [[step]]\nmessage = {Payload = \"bad\"}\nstatus = -1\nerror = \"no good\"\n",
    );
    let run = place.run("-type decoder -script test.lua -input case.toml", "");
    assert_eq!((text(&run.stdout).as_str(), run.status.code()), ("step 1: ok\nstep 2: ok\n", Some(0)), "{run:?}");
    let case = std::fs::read_to_string(place.0.path().join("case.toml")).unwrap().replace("no good", "good");
    place.write("case.toml", &case);
    let run = place.run("-type decoder -script test.lua -input case.toml", "");
    assert_eq!((text(&run.stdout).as_str(), run.status.code()), ("step 1: ok\n", Some(1)));
    assert!(text(&run.stderr).contains("case.toml: step 2: returned the error Some(\"no good\")"), "{run:?}");
}
