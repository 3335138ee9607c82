//! The companion tools against a real daemon, and against each other.

mod support;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use support::{Daemon, Site, append, free_address, wait_for};

const CAT: &str = env!("CARGO_BIN_EXE_heka-cat");
const FLOOD: &str = env!("CARGO_BIN_EXE_heka-flood");
const INJECT: &str = env!("CARGO_BIN_EXE_heka-inject");
const LOGSTREAMER: &str = env!("CARGO_BIN_EXE_heka-logstreamer");

fn run(tool: &str, arguments: &[&str]) -> Output {
    Command::new(tool).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A daemon that listens with `options` and writes what matches to files of frames.
fn receiver(options: &str, outputs: &[(&str, &str)]) -> (Site, Daemon, String) {
    let address = free_address();
    let outputs: String = outputs
        .iter()
        .map(|(name, rest)| {
            format!(
                "[{name}]\ntype = \"FileOutput\"\nencoder = \"ProtobufEncoder\"\npath = \"$D/{name}\"\n\
                 flush_interval = 20\n{rest}\n"
            )
        })
        .collect();
    let site = Site::new(&options.replace("ADDRESS", &address));
    let config = std::fs::read_to_string(site.path("hekad.toml")).unwrap() + &outputs;
    std::fs::write(site.path("hekad.toml"), config.replace("$D", site.dir.path().to_str().unwrap())).unwrap();
    let daemon = site.start();
    wait_for("the listener", || std::net::TcpStream::connect(&address).is_ok());
    (site, daemon, address)
}

/// Runs a test of heka-flood.
fn flood(site: &Site, address: &str, options: &str) -> Output {
    let config = site.path("flood.toml");
    std::fs::write(&config, format!("[default]\nip_address = \"{address}\"\n{options}")).unwrap();
    run(FLOOD, &["-config", config.to_str().unwrap(), "-test=default"])
}

/// What `heka-cat -format count` says it processed and matched.
fn count(file: &Path, matcher: &str) -> (u64, u64) {
    let run = run(CAT, &["-format=count", "-match", matcher, file.to_str().unwrap()]);
    assert!(run.status.success() && run.stdout.is_empty(), "{run:?}");
    let said = text(&run.stderr);
    let numbers: Vec<u64> = said
        .rsplit_once("Processed: ")
        .unwrap()
        .1
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|number| number.parse().ok())
        .collect();
    (numbers[0], numbers[1])
}

#[test]
fn what_is_flooded_is_counted_exactly() {
    let (site, daemon, address) = receiver(
        "[TcpInput]\naddress = \"ADDRESS\"\n[TcpInput.retries]\nmax_retries = 0\n",
        &[("all", "message_matcher = \"TRUE\"")],
    );
    let sent =
        flood(&site, &address, "num_messages = 20000\nvariable_size_messages = false\nstatic_message_size = 200\n");
    assert!(sent.status.success(), "{sent:?}");
    assert!(text(&sent.stdout).contains("Clean shutdown:  20000  messages sent;  20000  messages delivered."));
    wait_for("all messages", || count(&site.path("all"), "TRUE") == (20000, 20000));
    let more = flood(&site, &address, "num_messages = 300\nvariable_size_messages = true\nascii_only = true\n");
    assert!(more.status.success(), "{more:?}");
    wait_for("the others", || count(&site.path("all"), "Logger == 'flood'") == (20300, 300));
    assert_eq!(daemon.stop(), 0);
    assert_eq!(count(&site.path("all"), "Type == 'hekabench' && EnvVersion == '0.8'"), (20300, 20000));
}

#[test]
fn damaged_and_oversized_messages_cost_nothing_but_themselves() {
    let (site, daemon, address) = receiver(
        "max_message_size = 4000\n[TcpInput]\naddress = \"ADDRESS\"\n",
        &[("all", "message_matcher = \"TRUE\"")],
    );
    let options = "num_messages = 1000\nstatic_message_size = 300\nmax_message_size = 4000\n\
                   oversized_percentage = 10\n";
    let sent = flood(&site, &address, options);
    assert!(text(&sent.stdout).contains("1000  messages sent;  900  messages delivered."), "{sent:?}");
    wait_for("the good ones", || count(&site.path("all"), "TRUE") == (900, 900));
    // A damaged byte may make a message unreadable, or only different; the frames after it are found again.
    let sent = flood(&site, &address, "num_messages = 1000\nstatic_message_size = 300\ncorrupt_percentage = 5\n");
    assert!(text(&sent.stdout).contains("1000  messages sent;  950  messages delivered."), "{sent:?}");
    let inject = run(INJECT, &["-heka", &address, "-type=the.end"]);
    assert!(inject.status.success(), "{inject:?}");
    wait_for("the end", || count(&site.path("all"), "Type == 'the.end'").1 == 1);
    assert_eq!(daemon.stop(), 0);
    let (all, _) = count(&site.path("all"), "TRUE");
    assert!((900 + 900..=1902).contains(&all), "{all}");
}

#[test]
fn signed_messages_reach_who_asks_for_their_signer() {
    let (site, daemon, address) = receiver(
        "[TcpInput]\naddress = \"ADDRESS\"\nsplitter = \"signed\"\n\
         [signed]\ntype = \"HekaFramingSplitter\"\n[signed.signer.ops_2]\nhmac_key = \"secret\"\n",
        &[("all", "message_matcher = \"TRUE\""), ("ops", "message_matcher = \"TRUE\"\nmessage_signer = \"ops\"")],
    );
    let signer = |key: &str| {
        format!(
            "num_messages = 100\nsigned_percentage = 50\n[default.signer]\nname = \"ops\"\nhmac_hash = \"sha1\"\n\
             hmac_key = \"{key}\"\nversion = 2\n"
        )
    };
    assert!(flood(&site, &address, &signer("secret")).status.success());
    wait_for("all", || count(&site.path("all"), "TRUE").0 == 100);
    wait_for("the signed half", || count(&site.path("ops"), "TRUE").0 == 50);
    // With the wrong key, half of them are forgeries.
    assert!(flood(&site, &address, &signer("guess")).status.success());
    wait_for("the unsigned half", || count(&site.path("all"), "TRUE").0 == 150);
    assert_eq!(daemon.stop(), 0);
    assert_eq!((count(&site.path("all"), "TRUE").0, count(&site.path("ops"), "TRUE").0), (150, 50));
}

#[test]
fn datagrams_are_flooded_one_by_one() {
    let (site, daemon, address) = receiver(
        "[TcpInput]\naddress = \"ADDRESS\"\n[UdpInput]\naddress = \"ADDRESS\"\nsplitter = \"HekaFramingSplitter\"\n\
         decoder = \"ProtobufDecoder\"\n",
        &[("all", "message_matcher = \"TRUE\"")],
    );
    let options = "sender = \"udp\"\nnum_messages = 200\nstatic_message_size = 100\nmessage_interval = \"1ms\"\n";
    let sent = flood(&site, &address, options);
    assert!(sent.status.success(), "{sent:?}");
    wait_for("all datagrams", || count(&site.path("all"), "TRUE") == (200, 200));
    assert_eq!(daemon.stop(), 0);
}

#[test]
fn messages_travel_over_tls() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let pem = made.cert.pem() + &made.signing_key.serialize_pem();
    let (site, daemon, address) = {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("both.pem");
        std::fs::write(&path, pem).unwrap();
        let path = path.display().to_string();
        let (site, daemon, address) = receiver(
            &format!(
                "[TcpInput]\naddress = \"ADDRESS\"\nuse_tls = true\n[TcpInput.tls]\ncert_file = \"{path}\"\n\
                 key_file = \"{path}\"\n"
            ),
            &[("all", "message_matcher = \"TRUE\"")],
        );
        std::fs::copy(&path, site.path("both.pem")).unwrap();
        (site, daemon, address)
    };
    let tls = |rest: &str| format!("num_messages = 500\nuse_tls = true\n[default.tls]\n{rest}\n");
    let trusted = format!("server_name = \"localhost\"\nroot_cafile = \"{}\"", site.path("both.pem").display());
    let sent = flood(&site, &address, &tls(&trusted));
    assert!(sent.status.success(), "{sent:?}");
    wait_for("all messages", || count(&site.path("all"), "TRUE") == (500, 500));
    // Who cannot prove who he is gets nothing.
    let refused = flood(&site, &address, &tls(&format!("root_cafile = \"{}\"", site.path("both.pem").display())));
    assert!(!refused.status.success() && text(&refused.stderr).contains("TLS handshake failed"), "{refused:?}");
    assert_eq!(daemon.stop(), 0);
    assert_eq!(count(&site.path("all"), "TRUE").0, 500);
}

#[test]
fn a_flood_without_end_ends_in_order_when_interrupted() {
    let (site, daemon, address) =
        receiver("[TcpInput]\naddress = \"ADDRESS\"\n", &[("all", "message_matcher = \"TRUE\"")]);
    let config = site.path("flood.toml");
    std::fs::write(&config, format!("[default]\nip_address = \"{address}\"\nmessage_interval = \"1ms\"\n")).unwrap();
    let child = Command::new(FLOOD)
        .args(["-config", config.to_str().unwrap(), "-test", "default"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for("some messages", || count(&site.path("all"), "TRUE").0 > 20);
    // SAFETY: the child has not been waited for, so its id is its own.
    assert_eq!(unsafe { libc::kill(child.id() as i32, libc::SIGINT) }, 0);
    let said = child.wait_with_output().unwrap();
    assert!(said.status.success());
    let said = text(&said.stdout);
    let (_, sent) = said.split_once("Clean shutdown:  ").unwrap();
    let sent: u64 = sent.split_once(' ').unwrap().0.parse().unwrap();
    wait_for("exactly what was sent", || count(&site.path("all"), "TRUE").0 == sent);
    assert_eq!(daemon.stop(), 0);
}

#[test]
fn one_message_is_injected_as_described() {
    let (site, daemon, address) =
        receiver("[TcpInput]\naddress = \"ADDRESS\"\n", &[("all", "message_matcher = \"TRUE\"")]);
    let arguments = ["-heka", &address, "--type=a.b", "-payload", "say \"hi\"", "-severity=3", "-pid=7", "-hostname=h"];
    let run_inject = run(INJECT, &arguments);
    assert!(run_inject.status.success() && run_inject.stdout.is_empty(), "{run_inject:?}");
    let file = site.path("all");
    wait_for("the message", || count(&file, "Type == 'a.b'").1 == 1);
    assert_eq!(daemon.stop(), 0);
    let shown = run(CAT, &["-format", "json", file.to_str().unwrap()]);
    let message: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert_eq!(message["logger"], "Inject Client");
    assert_eq!(
        (&message["payload"], &message["severity"], &message["pid"]),
        (&"say \"hi\"".into(), &3.into(), &7.into())
    );
    assert_eq!(message["hostname"], "h");
    let shown = text(&run(CAT, &[file.to_str().unwrap()]).stdout);
    assert!(shown.starts_with("Timestamp: ") && shown.ends_with("Severity: 3\nFields: []\n\n"), "{shown}");
}

#[test]
fn tools_say_what_is_wrong_and_fail() {
    let nobody = free_address();
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    std::fs::write(path("flood.toml"), format!("[default]\nip_address = \"{nobody}\"\n")).unwrap();
    std::fs::write(path("bad.toml"), "[default\n").unwrap();
    std::fs::write(path("empty"), "").unwrap();
    let (missing, empty) = (path("missing"), path("empty"));
    let output = format!("-output={}", path("no/such/folder"));
    let (flood_config, bad_config) =
        (format!("-config={}", path("flood.toml")), format!("-config={}", path("bad.toml")));
    let heka = format!("-heka={nobody}");
    let cases: &[(&str, &[&str], i32, &str)] = &[
        (INJECT, &[&heka], 1, "Error creating sender: "),
        (INJECT, &["-severity=high"], 2, "invalid value \"high\" for flag -severity"),
        (FLOOD, &[&flood_config], 1, "Error creating sender: "),
        (FLOOD, &[&flood_config, "-test=other"], 1, "Configuration test: 'other' was not found"),
        (FLOOD, &[&bad_config], 1, "Error decoding config file"),
        (CAT, &[], 1, "Usage: heka-cat [flags] <file>"),
        (CAT, &[&empty, &empty], 1, "Usage: heka-cat"),
        (CAT, &["-bogus", &empty], 2, "flag provided but not defined: -bogus"),
        (CAT, &["-match=Type ==", &empty], 2, "Match specification - "),
        (CAT, &[&missing], 3, "missing"),
        (CAT, &[&output, &empty], 4, "no/such/folder"),
        (CAT, &["-max-message-size=4294967295", &empty], 8, "Message size is too large"),
        (CAT, &[dir.path().to_str().unwrap()], 6, "can't read"),
        (LOGSTREAMER, &[&bad_config], 1, "Error decoding config file"),
    ];
    for (tool, arguments, code, said) in cases {
        let run = run(tool, arguments);
        assert_eq!(run.status.code(), Some(*code), "{tool} {arguments:?}: {run:?}");
        assert!(text(&run.stderr).contains(said), "{tool} {arguments:?}: {run:?}");
    }
    for tool in [INJECT, FLOOD, LOGSTREAMER] {
        let help = run(tool, &[]);
        assert!(help.status.success() && text(&help.stdout).starts_with("Usage of heka-"), "{help:?}");
    }
}

#[test]
fn frames_are_extracted_followed_and_found_behind_garbage() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("frames");
    let frame = |kind: &str| {
        let body = [&[0x1a, kind.len() as u8], kind.as_bytes()].concat();
        let mut out = Vec::new();
        heka_message::framing::write_frame(&body, 65536, &mut out).unwrap();
        out
    };
    let mut unreadable = Vec::new();
    heka_message::framing::write_frame(b"\xff", 65536, &mut unreadable).unwrap();
    append(&file, &[&frame("a"), b"garbage".as_slice(), &unreadable, &frame("b"), &frame("a")].concat());
    let name = file.to_str().unwrap();
    let shown = run(CAT, &["-format=heka", "-match=Type == 'a'", name]);
    assert_eq!(shown.stdout, [frame("a"), frame("a")].concat());
    let said = text(&shown.stderr);
    let first = format!("Input:{name}  Offset:0  Match:Type == 'a'  Format:heka  Tail:false  Output:\n");
    assert!(said.starts_with(&first), "{said}");
    assert!(said.contains("Corruption detected at offset: 8 bytes: 7\n"), "{said}");
    assert!(said.contains("Error unmarshalling message at offset: 15 error: "), "{said}");
    assert!(said.ends_with("Processed: 4, matched: 2 messages\n"), "{said}");
    // From an offset, into a file that is followed.
    let copy = dir.path().join("copy");
    let mut child = Command::new(CAT)
        .args(["-tail", "-format", "heka", "-offset=21", "-output", copy.to_str().unwrap(), name])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let read = || std::fs::read(&copy).unwrap_or_default();
    wait_for("what is there", || read() == [frame("b"), frame("a")].concat());
    let next = frame("next");
    append(&file, &next[..4]);
    append(&file, &next[4..]);
    wait_for("what comes", || read().ends_with(&next));
    child.kill().unwrap();
    child.wait().unwrap();
    // Who stops reading is no reason to complain.
    let many = frame("many").repeat(100_000);
    std::fs::File::create(&file).unwrap().write_all(&many).unwrap();
    let mut child = Command::new(CAT).arg(name).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let end = child.wait_with_output().unwrap();
    assert!(end.status.success() && !text(&end.stderr).contains("panicked"), "{end:?}");
}

#[test]
fn streams_are_shown_as_the_daemon_would_read_them() {
    let site = Site::new(
        "[web]\ntype = \"LogstreamerInput\"\nlog_directory = \"$D/logs\"\n\
         file_match = '(?P<name>\\w+)\\.log\\.?(?P<seq>\\d*)'\npriority = [\"^seq\"]\ndifferentiator = [\"web-\", \"name\"]\n\
         [PayloadEncoder]\nappend_newlines = false\n\
         [FileOutput]\nmessage_matcher = \"TRUE\"\nencoder = \"PayloadEncoder\"\npath = \"$D/out\"\nflush_interval = 20\n",
    );
    append(&site.path("logs/a.log"), b"one\ntwo\n");
    let daemon = site.start();
    wait_for("the lines", || site.read("out") == b"one\ntwo\n");
    assert_eq!(daemon.stop(), 0);
    std::fs::rename(site.path("logs/a.log"), site.path("logs/a.log.1")).unwrap();
    append(&site.path("logs/a.log"), b"three\n");
    append(&site.path("logs/b.log"), b"four\n");
    let shown = run(LOGSTREAMER, &["-config", site.path("hekad.toml").to_str().unwrap()]);
    let logs = std::fs::canonicalize(site.path("logs")).unwrap();
    let logs = logs.display();
    let expected = format!(
        "Found 2 Logstream(s) for section [web].\n\n\
         Logstream name: [web-a]\nStream Choosing Filename: {logs}/a.log.1, SeekPosition: 8\n\
         Files: 2 (printing oldest to newest)\n\t{logs}/a.log.1\n\t{logs}/a.log\n\n\
         Logstream name: [web-b]\nStream Choosing Filename: {logs}/b.log, SeekPosition: 0\n\
         Files: 1 (printing oldest to newest)\n\t{logs}/b.log\n\n"
    );
    assert_eq!(text(&shown.stdout), expected, "{}", text(&shown.stderr));
    assert!(shown.status.success());
}
