//! Filters that are loaded into the running daemon by its tools: what they do, who may load them, what they cannot do.

mod support;

use heka_message::framing::write_signed_frame;
use heka_message::{BatchBuilder, FieldValue, HashFunction, Key, Signer, write_message};
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::process::{Command, Output};
use support::{Daemon, Site, append, connect, free_address, wait_for};

const SBMGR: &str = env!("CARGO_BIN_EXE_heka-sbmgr");
const SBMGRLOAD: &str = env!("CARGO_BIN_EXE_heka-sbmgrload");
const FLOOD: &str = env!("CARGO_BIN_EXE_heka-flood");

/// A daemon that obeys `ops`, and knows `dev` as well.
struct Managed {
    site: Site,
    address: String,
}

impl Managed {
    fn new(options: &str, manager: &str, outputs: &[(&str, &str)]) -> Managed {
        let address = free_address();
        let outputs: String = outputs
            .iter()
            .map(|(name, matcher)| {
                format!(
                    "[{name}]\ntype = \"FileOutput\"\nmessage_matcher = \"{matcher}\"\nencoder = \"PayloadEncoder\"\n\
                     path = \"$D/{name}\"\nflush_interval = 20\n"
                )
            })
            .collect();
        let site = Site::new(&format!(
            "share_dir = \"$D/share\"\nreport_interval = 1\n{options}\n\
             [TcpInput]\naddress = \"{address}\"\nsplitter = \"signed\"\n\
             [signed]\ntype = \"HekaFramingSplitter\"\n[signed.signer.ops_2]\nhmac_key = \"secret\"\n\
             [signed.signer.dev_0]\nhmac_key = \"public\"\n\
             [LogstreamerInput]\nlog_directory = \"$D/logs\"\nfile_match = 'app\\.log'\nrescan_interval = \"100ms\"\n\
             [mgr]\ntype = \"SandboxManagerFilter\"\nmessage_signer = \"ops\"\n{manager}\n\
             [PayloadEncoder]\n{outputs}\
             [report]\ntype = \"FileOutput\"\nmessage_matcher = \"Type == 'heka.all-report'\"\n\
             encoder = \"PayloadEncoder\"\npath = \"$D/report\"\nflush_interval = 20\n",
        ));
        let managed = Managed { site, address };
        managed.tool("ops", "name = \"ops\"\nhmac_hash = \"sha1\"\nhmac_key = \"secret\"\nversion = 2\n");
        managed
    }

    /// Writes a configuration for the tools.
    fn tool(&self, name: &str, signer: &str) {
        let signer = if signer.is_empty() { String::new() } else { format!("[signer]\n{signer}") };
        fs::write(self.site.path(&format!("{name}.toml")), format!("ip_address = \"{}\"\n{signer}", self.address))
            .unwrap();
    }

    fn start(&self) -> Daemon {
        // Reports of an earlier run are no news.
        let _ = fs::remove_file(self.site.path("report"));
        let daemon = self.site.start();
        drop(connect(&self.address));
        daemon
    }

    fn run(&self, tool: &str, signer: &str, arguments: &[&str]) -> Output {
        let config = format!("-config={}", self.site.path(&format!("{signer}.toml")).display());
        Command::new(tool).arg(config).args(arguments).current_dir(self.site.dir.path()).output().unwrap()
    }

    /// Loads a filter with the real tool.
    fn load(&self, signer: &str, section: &str, script: &str) -> Output {
        fs::write(self.site.path("filter.toml"), section).unwrap();
        fs::write(self.site.path("filter.lua"), script).unwrap();
        self.run(SBMGR, signer, &["-action=load", "-scriptconfig=filter.toml", "-script=filter.lua"])
    }

    fn unload(&self, signer: &str, name: &str) -> Output {
        self.run(SBMGR, signer, &["-action=unload", "-filtername", name])
    }

    fn text(&self, name: &str) -> String {
        String::from_utf8_lossy(&self.site.read(name)).into_owned()
    }

    /// Waits for a report whose rows of filters are as wanted, and gives them.
    fn wait_for_rows(&self, what: &str, wanted: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let mut found = Vec::new();
        wait_for(what, || {
            let text = self.text("report");
            let Some(line) = text.lines().rfind(|line| line.starts_with('{') && line.ends_with('}')) else {
                return false;
            };
            let report: Value = serde_json::from_str(line).unwrap();
            found = report["filters"].as_array().unwrap().clone();
            wanted(&found)
        });
        found
    }

    fn wait_for_log(&self, line: &str) {
        wait_for(line, || self.text("stderr").contains(line) || self.text("stdout").contains(line));
    }
}

fn section(name: &str, matcher: &str, rest: &str) -> String {
    format!("[{name}]\ntype = \"SandboxFilter\"\nmessage_matcher = \"{matcher}\"\n{rest}")
}

fn row<'a>(rows: &'a [Value], name: &str) -> Option<&'a Value> {
    rows.iter().find(|row| row["Name"] == name)
}

fn number(row: &Value, field: &str) -> i64 {
    row[field]["value"].as_i64().unwrap_or(-1)
}

const COUNTER: &str = "lines = 0\n\
    function process_message() lines = lines + 1 return 0 end\n\
    function timer_event(ns) inject_payload('txt', 'lines', lines) end\n";

#[test]
fn a_filter_is_loaded_kept_over_a_restart_and_unloaded() {
    let managed = Managed::new(
        "",
        "max_filters = 2",
        &[("counted", "Logger == 'mgr-line_counter'"), ("told", "Type == 'heka.terminated'")],
    );
    let daemon = managed.start();
    let counter =
        section("line counter", "Logger == 'LogstreamerInput'", "ticker_interval = 1\npreserve_data = true\n")
            .replace("[line counter]", "[\"line counter\"]");
    let loaded = managed.load("ops", &counter, COUNTER);
    assert!(loaded.status.success() && loaded.stderr.is_empty(), "{loaded:?}");
    // Once it is kept, a crash does not matter either.
    wait_for("the file", || managed.site.path("state/sbxmgrs/mgr-line_counter.toml").exists());
    daemon.crash();
    let daemon = managed.start();
    append(&managed.site.path("logs/app.log"), b"one\ntwo\n");
    wait_for("the count", || managed.text("counted").lines().any(|line| line == "2"));
    let rows = managed.wait_for_rows("the filter's row", |rows| {
        row(rows, "mgr-line_counter").is_some_and(|row| number(row, "ProcessMessageCount") == 2)
    });
    let (manager, filter) = (row(&rows, "mgr").unwrap(), row(&rows, "mgr-line_counter").unwrap());
    assert_eq!((number(manager, "RunningFilters"), number(manager, "ProcessMessageCount")), (1, 0));
    for field in ["Memory", "MaxMemory", "MaxInstructions", "InjectMessageCount", "TimerEventSamples"] {
        assert!(number(filter, field) > 0, "{field}: {filter}");
    }
    assert!(number(filter, "InChanCapacity") == 0 && number(filter, "MatchAvgDuration") >= 0, "{filter}");
    daemon.signal(libc::SIGUSR1);
    managed.wait_for_log("\nmgr-line_counter:\n    InChanCapacity: 0\n");
    // A name that is taken.
    assert!(managed.load("ops", &counter, COUNTER).status.success());
    managed.wait_for_log("loadSandbox failed: mgr-line_counter is already running");
    assert_eq!(daemon.stop(), 0);

    append(&managed.site.path("logs/app.log"), b"three\n");
    let daemon = managed.start();
    wait_for("the count of all runs", || managed.text("counted").lines().any(|line| line == "3"));
    assert!(managed.unload("ops", "line counter").status.success());
    let told = "mgr-line_counter (type SandboxFilter) terminated. Error: Filter unloaded.";
    wait_for("the end", || managed.text("told").trim() == told);
    managed.wait_for_rows("the row to go", |rows| row(rows, "mgr-line_counter").is_none());
    assert_eq!(daemon.stop(), 0);
    let left = |folder: &str| fs::read_dir(managed.site.path(folder)).unwrap().count();
    assert_eq!((left("state/sbxmgrs"), left("state/sandbox_preservation")), (0, 0));
}

/// A control message to load `name`, signed by `signer`, `age` seconds old.
fn frame(signer: (&str, u32, &str), name: &str, age: i64) -> Vec<u8> {
    let mut builder = BatchBuilder::default();
    let [msg_type, payload] = [&b"heka.control.sandbox"[..], COUNTER.as_bytes()].map(|text| builder.text(text));
    let row = builder.row();
    row.set_uuid([7; 16]);
    row.set_timestamp(hekad::engine::now_ns() - age * 1_000_000_000);
    (row.msg_type, row.payload) = (msg_type, payload);
    for (field, value) in [("action", "load"), ("config", &section(name, "TRUE", ""))] {
        let [field, empty] = [field, ""].map(|text| builder.text(text.as_bytes()));
        builder.field(field, empty, FieldValue::String(value.as_bytes()));
    }
    let (mut body, mut frame) = (Vec::new(), Vec::new());
    write_message(builder.finish().row(0), &mut body);
    let (signer, version, key) = signer;
    let key = Key::new(key.as_bytes());
    let signer = Signer { name: signer.into(), version, hash: HashFunction::Sha1, key };
    write_signed_frame(&body, &signer, 65536, &mut frame).unwrap();
    frame
}

#[test]
fn nobody_else_can_load_anything() {
    let managed = Managed::new("", "max_filters = 10", &[]);
    let daemon = managed.start();
    let filter = |name: &str| section(name, "TRUE", "");
    managed.tool("unsigned", "");
    let sent = managed.load("unsigned", &filter("unsigned"), COUNTER);
    assert!(sent.status.success() && String::from_utf8_lossy(&sent.stderr).contains("is not signed"), "{sent:?}");
    // The splitter drops what is forged; what somebody else has signed comes as far as the manager.
    managed.tool("forged", "name = \"ops\"\nhmac_key = \"guess\"\nversion = 2\n");
    managed.tool("other", "name = \"dev\"\nhmac_key = \"public\"\n");
    for signer in ["forged", "other"] {
        assert!(managed.load(signer, &filter(signer), COUNTER).status.success());
    }
    let mut stream = connect(&managed.address);
    let ops = ("ops", 2, "secret");
    let mut changed = frame(ops, "changed", 0);
    *changed.last_mut().unwrap() ^= 1;
    for frame in [changed, frame(ops, "late", 6), frame(ops, "early", -7), frame(ops, "good", 4)] {
        stream.write_all(&frame).unwrap();
    }
    let rows = managed.wait_for_rows("the good one", |rows| row(rows, "mgr-good").is_some());
    let manager = row(&rows, "mgr").unwrap();
    let dropped = ["unsigned", "skew", "load-failed"].map(|rule| number(manager, &format!("Dropped-control-{rule}")));
    assert_eq!((number(manager, "RunningFilters"), dropped), (1, [2, 2, 0]), "{manager}");
    managed.wait_for_log("Refused control message: it is not signed by `message_signer`");
    managed.wait_for_log("Discarded control message: 6 seconds skew");
    assert!(managed.unload("other", "good").status.success());
    managed
        .wait_for_rows("the third refusal", |rows| number(row(rows, "mgr").unwrap(), "Dropped-control-unsigned") == 3);
    // What the tool can see by itself it does not send.
    let wrong = managed.run(SBMGR, "ops", &["-action=reload"]);
    assert_eq!(wrong.status.code(), Some(2), "{wrong:?}");
    assert_eq!(daemon.stop(), 0);
}

#[test]
fn quotas_hold_and_what_cannot_be_loaded_is_told() {
    let managed = Managed::new(
        "",
        "max_filters = 2\nmemory_limit = 100000",
        &[
            ("told", "Type == 'heka.sandbox-terminated' && Fields[plugin] == 'mgr'"),
            ("ends", "Fields[plugin] =~ /^mgr-/"),
        ],
    );
    let daemon = managed.start();
    let greedy = "t = {} function process_message() for i = 1, 10000 do t[#t + 1] = {} end return 0 end";
    for (name, script) in [
        ("syntax", "function process_message( return 0 end"),
        ("io", "require 'io'"),
        ("greedy", &format!("{greedy} process_message()")),
        ("endless", "while true do end"),
    ] {
        assert!(managed.load("ops", &section(name, "TRUE", "memory_limit = 0\n"), script).status.success());
    }
    let two = section("a", "TRUE", "") + &section("b", "TRUE", "");
    for (name, text) in [("two", two), ("bogus", section("bogus", "TRUE", "bogus = 1\n")), ("no", "[no".to_owned())] {
        let sent = managed.load("ops", &text, COUNTER);
        let warned = String::from_utf8_lossy(&sent.stderr).contains("the daemon may refuse");
        assert!(sent.status.success() && warned, "{name}: {sent:?}");
    }
    wait_for("all refusals", || managed.text("told").lines().filter(|line| !line.is_empty()).count() == 7);
    let told = managed.text("told");
    for why in [
        "mgr-syntax.lua:1: ",
        "module 'io' disabled",
        "not enough memory",
        "instruction_limit exceeded",
        "loadSandbox failed: expected the section of one filter, found 2 sections and options",
        "loadSandbox failed: line 4: unknown config setting for 'bogus': bogus",
        "loadSandbox failed: line 1: Error decoding config file: this header does not end",
    ] {
        assert!(told.contains(why), "{why} in {told}");
    }
    for name in ["../../escapes", "second", "third"] {
        let name = format!("\"{name}\"");
        assert!(managed.load("ops", &section(&name, "Type == 'logfile'", ""), greedy).status.success());
    }
    managed.wait_for_log("mgr attempted to load more than 2 filters");
    append(&managed.site.path("logs/app.log"), b"one\n");
    wait_for("both ends", || managed.text("ends").matches("process_message() not enough memory").count() == 2);
    assert_eq!(daemon.stop(), 0);
    let mut files: Vec<String> = fs::read_dir(managed.site.path("state/sbxmgrs"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    let expected = ["mgr-______escapes", "mgr-second"];
    assert_eq!(files, expected.map(|name| ["lua", "terminated", "toml"].map(|kind| format!("{name}.{kind}"))).concat());
    // The next start leaves alone what had ended.
    let daemon = managed.start();
    managed.wait_for_log("mgr-second is not run again, it had ended: ");
    managed.wait_for_rows("a report", |rows| row(rows, "mgr").is_some_and(|row| number(row, "RunningFilters") == 0));
    assert_eq!(daemon.stop(), 0);
}

#[test]
fn hostile_filters_disturb_no_sibling() {
    let managed = Managed::new(
        "",
        "max_filters = 10",
        &[("seen", "Logger == 'mgr-good'"), ("ends", "Type == 'heka.sandbox-terminated'")],
    );
    let daemon = managed.start();
    let good = "n, ticks = 0, 0 function process_message() n = n + 1 return 0 end \
                function timer_event() ticks = ticks + 1 inject_payload('txt', 'n', n, ' ', ticks) end";
    let hostile = [
        ("spins", "function process_message() while true do pcall(function() while true do end end) end end"),
        ("grows", "t = {} function process_message() while true do t[#t + 1] = {} end end"),
        ("dawdles", "function process_message() for i = 1, 300000 do end return 0 end"),
        ("loops", "function process_message() inject_message{Type = 'logfile'} return 0 end"),
        ("forges", "function process_message() inject_message{Type = 'heka.control.sandbox'} error('done') end"),
        (
            "ticks",
            "function process_message() return 0 end function timer_event() local function d() return d() + 1 end d() end",
        ),
    ];
    let load = |name: &str, matcher: &str, script: &str| {
        assert!(managed.load("ops", &section(name, matcher, "ticker_interval = 1\n"), script).status.success());
    };
    load("good", "Logger == 'LogstreamerInput'", good);
    for (name, script) in hostile {
        load(name, if name == "loops" { "TRUE" } else { "Type == 'logfile'" }, script);
    }
    managed.wait_for_log("Loading: mgr-ticks");
    for batch in 0..20 {
        let lines: String = (0..500).map(|i| format!("{batch} {i}\n")).collect();
        append(&managed.site.path("logs/app.log"), lines.as_bytes());
    }
    wait_for("all ends", || managed.text("ends").lines().filter(|line| !line.is_empty()).count() == hostile.len());
    wait_for("a tick that has seen every line", || managed.text("seen").lines().any(|line| line.starts_with("10000 ")));
    let ends = managed.text("ends");
    assert!(ends.contains("sandbox is running slowly and blocking the router"), "{ends}");
    let rows =
        managed.wait_for_rows("the good one alone", |rows| number(row(rows, "mgr").unwrap(), "RunningFilters") == 1);
    assert!(row(&rows, "mgr-good").is_some());
    assert_eq!(daemon.stop(), 0);
    let seen = managed.text("seen");
    let ticks: Vec<usize> = seen.lines().filter_map(|line| line.split_once(' ')?.1.parse().ok()).collect();
    assert!(!ticks.is_empty() && ticks.iter().copied().eq(1..=ticks.len()), "no tick is missed: {ticks:?}");
    assert!(
        seen.lines().all(|line| line.is_empty() || line.split(' ').next().unwrap().parse::<usize>().unwrap() <= 10_000)
    );
}

#[test]
fn hundreds_of_filters_come_work_and_go() {
    const FILTERS: usize = 200;
    let managed = Managed::new("maxprocs = 3", &format!("max_filters = {FILTERS}"), &[]);
    let daemon = managed.start();
    let loaded = managed.run(SBMGRLOAD, "ops", &["-action=load", &format!("-num={}", FILTERS + 3)]);
    assert!(loaded.status.success(), "{loaded:?}");
    managed.wait_for_rows("all filters", |rows| {
        let manager = row(rows, "mgr").unwrap();
        number(manager, "RunningFilters") == FILTERS as i64 && number(manager, "Dropped-control-max-filters") == 3
    });
    let flood = managed.site.path("flood.toml");
    let options = "num_messages = 1000\nstatic_message_size = 100\n";
    fs::write(&flood, format!("[default]\nip_address = \"{}\"\n{options}", managed.address)).unwrap();
    let sent = Command::new(FLOOD).arg(format!("-config={}", flood.display())).output().unwrap();
    assert!(sent.status.success(), "{sent:?}");
    let counters = |rows: &[Value], count: i64| {
        let counters = rows.iter().filter(|row| row["Name"].as_str().unwrap().starts_with("mgr-CounterSandbox"));
        counters.filter(|row| number(row, "ProcessMessageCount") == count).count()
    };
    let rows = managed.wait_for_rows("all messages in all filters", |rows| counters(rows, 1000) == FILTERS);
    assert!(row(&rows, "mgr-CounterSandbox1").is_some() && row(&rows, "mgr-CounterSandbox201").is_none());
    assert_eq!(daemon.stop(), 0);
    let daemon = managed.start();
    managed.wait_for_rows("all filters again", |rows| counters(rows, 0) == FILTERS);
    let unloaded = managed.run(SBMGRLOAD, "ops", &["-action=unload", &format!("-num={FILTERS}")]);
    assert!(unloaded.status.success(), "{unloaded:?}");
    managed.wait_for_rows("all to go", |rows| number(row(rows, "mgr").unwrap(), "RunningFilters") == 0);
    assert_eq!(daemon.stop(), 0);
    assert_eq!(fs::read_dir(managed.site.path("state/sbxmgrs")).unwrap().count(), 0);
}

#[test]
fn the_tools_speak_tls_and_say_what_is_wrong() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let managed = Managed::new("", "max_filters = 2", &[]);
    let pem = made.cert.pem() + &made.signing_key.serialize_pem();
    fs::write(managed.site.path("server.pem"), pem).unwrap();
    fs::write(managed.site.path("ca.pem"), made.cert.pem()).unwrap();
    let config = managed.text("hekad.toml");
    let tls = "use_tls = true\n[TcpInput.tls]\ncert_file = \"$D/server.pem\"\nkey_file = \"$D/server.pem\"\n[signed]\n"
        .replace("$D", managed.site.dir.path().to_str().unwrap());
    fs::write(managed.site.path("hekad.toml"), config.replace("[signed]\n", &tls)).unwrap();
    let config = managed
        .text("ops.toml")
        .replace("[signer]", "use_tls = true\n[tls]\nserver_name = \"localhost\"\nroot_cafile = \"ca.pem\"\n[signer]");
    fs::write(managed.site.path("ops.toml"), &config).unwrap();
    fs::write(managed.site.path("stranger.toml"), config.replace("root_cafile = \"ca.pem\"\n", "")).unwrap();
    let nobody = managed.unload("ops", "x");
    assert!(String::from_utf8_lossy(&nobody.stderr).starts_with("Error creating sender: "), "{nobody:?}");
    let daemon = managed.start();
    let stranger = managed.load("stranger", &section("secret", "TRUE", ""), COUNTER);
    assert!(String::from_utf8_lossy(&stranger.stderr).contains("TLS"), "{stranger:?}");
    let sent = managed.load("ops", &section("secret", "FALSE", ""), COUNTER);
    assert!(sent.status.success() && !stranger.status.success(), "{sent:?}");
    managed.wait_for_rows("the filter", |rows| row(rows, "mgr-secret").is_some());
    assert_eq!(daemon.stop(), 0);
}

#[test]
fn the_example_works_as_its_comments_say() {
    let example = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("configs/dynamic");
    let managed = Managed::new("", "max_filters = 1", &[]);
    let copied = |name: &str, to: &str| {
        let text = fs::read_to_string(example.join(name)).unwrap();
        let state = managed.site.path("state").display().to_string();
        fs::write(
            managed.site.path(to),
            text.replace("127.0.0.1:5565", &managed.address).replace("target/dynamic", &state),
        )
        .unwrap();
    };
    copied("hekad.toml", "hekad.toml");
    copied("sbmgr.toml", "ops.toml");
    let daemon = managed.start();
    let text = |name: &str| fs::read_to_string(example.join(name)).unwrap();
    let loaded = managed.load("ops", &text("counter.toml"), &text("counter.lua"));
    assert!(loaded.status.success() && loaded.stderr.is_empty(), "{loaded:?}");
    managed.wait_for_log("Loading: manager-orders");
    let sent =
        Command::new(env!("CARGO_BIN_EXE_heka-inject")).args(["-heka", &managed.address, "-type=order"]).output();
    assert!(sent.unwrap().status.success());
    managed.wait_for_log("1 orders so far");
    assert!(managed.unload("ops", "orders").status.success());
    managed.wait_for_log("manager-orders (type SandboxFilter) terminated. Error: Filter unloaded.");
    assert_eq!(daemon.stop(), 0);
}
