//! The dashboard of the real daemon: what it serves, what it counts, and who may see it.

mod support;

use heka_message::framing::write_looped_frame;
use heka_message::{BatchBuilder, FieldValue, write_message};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use support::{PATIENCE, Site, append, connect, free_address, wait_for};

/// A site whose dashboard is at the address that is returned. `$A` in `config` is that address.
fn site(hekad: &str, dashboard: &str, config: &str) -> (Site, String) {
    let address = free_address();
    let share = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("share");
    let site = Site::new(&format!(
        "share_dir = \"{}\"\n{hekad}\n[dashboard]\ntype = \"DashboardOutput\"\naddress = \"{address}\"\n{dashboard}\n{config}",
        share.display()
    ));
    (site, address)
}

/// An answer: the status, the head, the body.
struct Reply {
    status: String,
    head: String,
    body: Vec<u8>,
}

impl Reply {
    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

fn ask_raw(address: &str, request: &[u8]) -> Reply {
    let mut stream = connect(address);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request).unwrap();
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(bytes.len());
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let status = head.get(9..12).unwrap_or_default().to_owned();
    Reply { status, head, body: bytes.get(end + 4..).unwrap_or_default().to_vec() }
}

fn ask(address: &str, path: &str, headers: &str) -> Reply {
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n");
    ask_raw(address, request.as_bytes())
}

/// Asks until the answer is as it must become.
fn wait_reply(address: &str, path: &str, is_right: impl Fn(&Reply) -> bool) -> Reply {
    let mut last = None;
    wait_for(path, || {
        let reply = ask(address, path, "");
        let right = reply.status == "200" && is_right(&reply);
        last = Some(reply);
        right
    });
    last.unwrap()
}

const LINES: &str = r#"
[LogstreamerInput]
log_directory = "$D/logs"
file_match = 'app\.log'
rescan_interval = "100ms"
"#;

const STATUS_DECODER: &str = r#"
require "string"
function process_message()
    local status = string.match(read_message("Payload"), "^(%d+)")
    inject_message{Type = "access", Fields = {status = tonumber(status)}}
    return 0
end
"#;

const DIES: &str = r#"
function process_message()
    inject_payload("txt", "last words", "<script>alert(1)</script>")
    if read_message("Fields[status]") == 666 then return 1, "the\tend\nhas come" end
    return 0
end
"#;

const SANDBOXES: &str = r#"
[status_decoder]
type = "SandboxDecoder"
filename = "$D/decoder.lua"
[http]
type = "SandboxFilter"
filename = "lua_filters/http_status.lua"
message_matcher = "Type == 'access'"
ticker_interval = 1
[dies]
type = "SandboxFilter"
filename = "$D/dies.lua"
message_matcher = "Type == 'access'"
"#;

#[test]
fn sandboxes_show_and_end() {
    let lines = LINES.to_owned() + "decoder = \"status_decoder\"\n";
    let (site, address) = site("", "ticker_interval = 1", &(lines + SANDBOXES));
    fs::write(site.path("decoder.lua"), STATUS_DECODER).unwrap();
    fs::write(site.path("dies.lua"), DIES).unwrap();
    append(&site.path("logs/app.log"), b"200\n200\n503\n");
    let daemon = site.start();
    let graph = wait_reply(&address, "/data/http.HTTPStatus.cbuf", |reply| !reply.body.is_empty());
    assert_eq!(graph.header("content-type"), Some("text/plain; charset=utf-8"));
    assert!(graph.text().contains("\"column_info\":[{\"name\":\"HTTP_100\""), "{}", graph.text());
    assert!(site.read("state/dashboard/data/http.HTTPStatus.cbuf").starts_with(b"{"));
    let entry = r#"{"Name":"http","Outputs":[{"Name":"HTTP Status","Filename":"data/http.HTTPStatus.cbuf"}]}"#;
    let list = wait_reply(&address, "/data/sandboxes.json", |reply| {
        reply.text().contains(entry) && reply.text().contains("\"Filename\":\"data/dies.lastwords.txt\"")
    });
    let tag = list.header("etag").unwrap();
    assert_eq!(ask(&address, "/data/sandboxes.json?_=1", &format!("If-None-Match: {tag}\r\n")).status, "304");
    assert_eq!(ask(&address, "/data/dies.lastwords.txt", "").text(), "<script>alert(1)</script>");
    // The report has a row for everything, and members for each row.
    let report = wait_reply(&address, "/data/heka_report.json", |reply| {
        reply.json()["filters"].as_array().is_some_and(|rows| {
            rows.iter().any(|row| row["Name"] == "http" && row["ProcessMessageCount"]["value"] == 3)
        })
    });
    assert!(report.body.ends_with(b"}\n"));
    for (category, rows) in report.json().as_object().unwrap() {
        for row in rows.as_array().unwrap().iter().filter(|row| !row["Name"].as_str().unwrap().ends_with("Chan")) {
            let count = &row["ProcessMessageCount"];
            assert!(count["value"].is_i64() && count["representation"] == "count", "{category}: {row}");
        }
    }
    // The end of one of them.
    assert_eq!(ask(&address, "/data/heka_sandbox_termination.tsv", "").status, "404");
    append(&site.path("logs/app.log"), b"666\n");
    let ends = wait_reply(&address, "/data/heka_sandbox_termination.tsv", |reply| reply.body.ends_with(b"\n"));
    let columns: Vec<String> = ends.text().trim_end().split('\t').map(str::to_owned).collect();
    assert_eq!((columns.len(), columns[1].as_str()), (3, "dies"), "{columns:?}");
    assert!(columns[0].parse::<i64>().unwrap() > 1_700_000_000 && columns[2].contains("the\\tend\\nhas come"));
    wait_reply(&address, "/data/sandboxes.json", |reply| !reply.text().contains("\"dies\""));
    assert_eq!(ask(&address, "/data/dies.lastwords.txt", "").status, "200", "its data stays");
    let flow = wait_reply(&address, "/data/flow.json", |reply| node(&reply.json(), "filter dies")["error"].is_string());
    assert!(node(&flow.json(), "filter dies")["error"].as_str().unwrap().contains("Terminated"), "{}", flow.text());
    let listing = ask(&address, "/data/", "").text();
    assert!(listing.contains("<a href=\"./http.HTTPStatus.cbuf\">"), "{listing}");
    assert_eq!(daemon.stop(), 0);
    // What ended stays on record; what was running is no longer claimed to be.
    append(&site.path("state/dashboard/data/mine.txt"), b"mine");
    let daemon = site.start();
    assert_eq!(wait_reply(&address, "/data/heka_sandbox_termination.tsv", |_| true).text(), ends.text());
    assert_eq!(ask(&address, "/data/mine.txt", "").text(), "mine");
    assert_eq!(daemon.stop(), 0);
    let log = fs::read_to_string(site.path("stdout")).unwrap_or_default() + &daemon_log(&site);
    assert!(!log.contains("may see the dashboard"), "only this machine can: {log}");
}

fn daemon_log(site: &Site) -> String {
    String::from_utf8_lossy(&site.read("stderr")).into_owned()
}

/// The node called `name` in a sample.
fn node(flow: &Value, name: &str) -> Value {
    let nodes = flow["nodes"].as_array().cloned().unwrap_or_default();
    nodes.into_iter().find(|node| node["name"] == name).unwrap_or_default()
}

fn edge(flow: &Value, from: &str, to: &str) -> Value {
    let edges = flow["edges"].as_array().cloned().unwrap_or_default();
    edges.into_iter().find(|edge| edge["from"] == from && edge["to"] == to).unwrap_or_default()
}

const COUNTED: &str = r#"
[CounterFilter]
message_matcher = "Type == 'logfile'"
ticker_interval = 0
[some]
type = "FileOutput"
message_matcher = "Type == 'logfile' && Payload =~ /7\n$/"
encoder = "PayloadEncoder"
path = "$D/some"
flush_interval = 20
[PayloadEncoder]
[queued]
type = "FileOutput"
message_matcher = "Type == 'logfile'"
encoder = "PayloadEncoder"
path = "$D/queued"
flush_interval = 20
use_buffering = true
[fails]
type = "FileOutput"
message_matcher = "Type == 'logfile' && Payload == 'line 1\n'"
encoder = "ScriptEncoder"
path = "$D/fails"
[ScriptEncoder]
type = "SandboxEncoder"
filename = "$D/fails.lua"
[decoded]
type = "SandboxDecoder"
filename = "$D/decoder.lua"
"#;

#[test]
fn the_flow_counts_what_runs_on_one_worker_and_on_two() {
    for workers in [1, 2] {
        let lines = LINES.to_owned() + "decoder = \"decoded\"\n";
        let (site, address) = site(&format!("maxprocs = {workers}"), "ticker_interval = 0", &(lines + COUNTED));
        // Every tenth line is refused, and so never a message.
        let decoder = "function process_message() local p = read_message('Payload') \
                       if p:find('3\\n$') then return -1, 'refused' end write_message('Type', 'logfile') return 0 end";
        let decoder = decoder.replace("p:find", "string.find").replace("string.find('", "string.find(p, '");
        fs::write(site.path("decoder.lua"), format!("require 'string' {decoder}")).unwrap();
        fs::write(site.path("fails.lua"), "function process_message() return -1, 'no' end").unwrap();
        let text: String = (0..5000).map(|n| format!("line {n}\n")).collect();
        append(&site.path("logs/app.log"), text.as_bytes());
        let daemon = site.start();
        let done = |reply: &Reply| {
            let flow = reply.json();
            let delivered = edge(&flow, "output queued", "checkpoint queued")["messages"] == 4500;
            let taken = edge(&flow, "output some", "checkpoint")["messages"] == 500;
            delivered && taken && edge(&flow, "output queued.buffer", "checkpoint")["messages"] == 4500
        };
        let reply = wait_reply(&address, "/data/flow.json", done);
        let flow = reply.json();
        let read = "LogstreamerInput";
        let (split, decode) = (format!("split {read}-TokenSplitter"), format!("decode {read}-decoded"));
        let messages = [
            (format!("input {read}"), 5000),
            (split.clone(), 5000),
            (decode.clone(), 4500),
            ("router".to_owned(), 4500),
            ("match CounterFilter".to_owned(), 4500),
            ("filter CounterFilter".to_owned(), 4500),
            ("match some".to_owned(), 4500),
            ("output some".to_owned(), 500),
            ("match queued".to_owned(), 4500),
            ("output queued.buffer".to_owned(), 4500),
            ("split queued.queue-HekaFramingSplitter".to_owned(), 4500),
            ("decode queued.queue-ProtobufDecoder".to_owned(), 4500),
            ("output queued".to_owned(), 4500),
            ("output fails".to_owned(), 1),
            ("injected".to_owned(), 0),
        ];
        for (name, count) in messages {
            assert_eq!(node(&flow, &name)["messages"], count, "{name} on {workers}: {}", reply.text());
        }
        let edges = [
            (format!("input {read}"), split.clone(), 5000),
            (split, decode.clone(), 5000),
            ("router".to_owned(), "match some".to_owned(), 4500),
            ("match some".to_owned(), "output some".to_owned(), 500),
            ("match fails".to_owned(), "output fails".to_owned(), 1),
            ("match queued".to_owned(), "output queued.buffer".to_owned(), 4500),
            ("decode queued.queue-ProtobufDecoder".to_owned(), "output queued".to_owned(), 4500),
            ("filter CounterFilter".to_owned(), "injected".to_owned(), 0),
            ("filter CounterFilter".to_owned(), "checkpoint".to_owned(), 4500),
        ];
        for (from, to, count) in edges {
            assert_eq!(edge(&flow, &from, &to)["messages"], count, "{from} → {to} on {workers}: {}", reply.text());
        }
        assert_eq!(node(&flow, &format!("input {read}"))["bytes"], text.len());
        assert_eq!(node(&flow, "output some")["bytes"], fs::metadata(site.path("some")).unwrap().len());
        assert_eq!((&node(&flow, &decode)["failures"], &node(&flow, &decode)["dropped"]), (&500.into(), &500.into()));
        assert_eq!(node(&flow, "output fails")["dropped"], 1);
        assert_eq!(node(&flow, "output queued.buffer")["queue"]["unit"], "B");
        assert_eq!(node(&flow, "output some")["holds_since"], Value::Null);
        assert!(flow["time"].as_f64().unwrap() >= flow["started"].as_f64().unwrap());
        // Every name is one of the graph's, which is what the daemon draws.
        let graph = ask(&address, "/data/graph.json", "");
        assert_eq!(graph.text(), String::from_utf8_lossy(&site.run(&["-dump-graph=json"]).stdout));
        let names = |value: &Value| value.as_array().unwrap().iter().map(|n| n["name"].to_string()).collect();
        let pairs =
            |value: &Value| value.as_array().unwrap().iter().map(|e| format!("{} {}", e["from"], e["to"])).collect();
        let (drawn, sampled): (BTreeSet<String>, BTreeSet<String>) =
            (names(&graph.json()["nodes"]), names(&flow["nodes"]));
        assert!(sampled.is_subset(&drawn), "{:?}", sampled.difference(&drawn));
        let (drawn, sampled): (BTreeSet<String>, BTreeSet<String>) =
            (pairs(&graph.json()["edges"]), pairs(&flow["edges"]));
        assert!(sampled.is_subset(&drawn), "{:?}", sampled.difference(&drawn));
        assert_eq!(daemon.stop(), 0);
    }
}

#[test]
fn who_holds_others_up_is_shown() {
    let output = "[PayloadEncoder]\n[stalls]\ntype = \"TcpOutput\"\nmessage_matcher = \"Type == 'logfile'\"\n\
                  encoder = \"PayloadEncoder\"\nuse_buffering = false\naddress = \"$D\"\n";
    let peer = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let output = output.replace("$D", &peer.local_addr().unwrap().to_string());
    let (site, address) = site("", "ticker_interval = 0", &(LINES.to_owned() + &output));
    let line = [b'x'; 1000];
    let text: Vec<u8> = (0..20_000).flat_map(|_| line.iter().copied().chain([b'\n'])).collect();
    append(&site.path("logs/app.log"), &text);
    let mut daemon = site.start();
    let reply = wait_reply(&address, "/data/flow.json", |reply| {
        let flow = reply.json();
        let lag = edge(&flow, "match stalls", "output stalls")["lag_ms"].as_u64().unwrap_or(0);
        lag > 300 && edge(&flow, "match stalls", "output stalls")["waiting"].as_u64().unwrap_or(0) > 1000
    });
    let stalled = node(&reply.json(), "output stalls");
    assert!(stalled["holds_since"].as_f64().unwrap() <= reply.json()["time"].as_f64().unwrap(), "{stalled}");
    assert!(stalled["queue"]["length"].as_u64().unwrap() > 1000, "{stalled}");
    daemon.signal(libc::SIGKILL);
    daemon.wait();
}

#[test]
fn changes_are_pushed() {
    let (site, address) = site("", "ticker_interval = 1", LINES);
    let daemon = site.start();
    let mut stream = connect(&address);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"GET /events HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n").unwrap();
    let mut seen = String::new();
    let count = |seen: &str, event: &str| seen.matches(&format!("event: {event}\ndata: {{\"version\":\"")).count();
    let mut bytes = [0; 4096];
    while count(&seen, "report") < 2 || count(&seen, "flow") < 2 {
        let n = stream.read(&mut bytes).unwrap();
        assert!(n > 0, "the stream ended: {seen}");
        seen.push_str(&String::from_utf8_lossy(&bytes[..n]));
    }
    assert_eq!((count(&seen, "graph"), count(&seen, "sandboxes")), (1, 1), "{seen}");
    // The version is the tag of the document.
    let graph = ask(&address, "/data/graph.json", "");
    let version = graph.header("etag").unwrap().trim_matches('"').to_owned();
    assert!(seen.contains(&format!("event: graph\ndata: {{\"version\":\"{version}\"}}\n\n")), "{seen}");
    assert_eq!(daemon.stop(), 0, "an open stream does not hold up the end");
}

/// A message in a frame.
fn framed(logger: &[u8], name: &str, kind: &str, payload: &[u8]) -> Vec<u8> {
    let mut builder = BatchBuilder::default();
    let texts = [b"heka.sandbox-output", logger, payload].map(|text| builder.text(text));
    let row = builder.row();
    [row.msg_type, row.logger, row.payload] = texts;
    row.set_uuid([1; 16]);
    row.set_timestamp(1);
    for (key, value) in [("payload_name", name), ("payload_type", kind)] {
        let (key, empty) = (builder.text(key.as_bytes()), builder.text(b""));
        builder.field(key, empty, FieldValue::String(value.as_bytes()));
    }
    let (mut message, mut frame) = (Vec::new(), Vec::new());
    write_message(builder.batch().row(0), &mut message);
    write_looped_frame(&message, 0, 65536, &mut frame).unwrap();
    frame
}

#[test]
fn forged_messages_write_nowhere_else() {
    let tcp = free_address();
    let input = format!("[TcpInput]\naddress = \"{tcp}\"\n[CounterFilter]\nticker_interval = 0\n");
    for (only_local, expected) in [(false, 9), (true, 1)] {
        let (site, address) = site("", &format!("ticker_interval = 1\nonly_local = {only_local}"), &input);
        let daemon = site.start();
        let loggers: [&[u8]; 9] = [
            b"../../../escaped",
            b"/tmp/escaped",
            b"..",
            b".",
            b"",
            b"a/../../../../escaped",
            b"nul\0\xff\n",
            b"<img src=x onerror=alert(1)>",
            b"CounterFilter",
        ];
        let mut stream = connect(&tcp);
        for logger in loggers {
            stream.write_all(&framed(logger, "../n", "h/t/m/l", b"<script>alert(1)</script>")).unwrap();
        }
        let list = wait_reply(&address, "/data/sandboxes.json", |reply| {
            reply.json()["sandboxes"].as_array().is_some_and(|list| list.len() == expected)
        });
        assert!(!list.text().contains('<'), "{}", list.text());
        for sandbox in list.json()["sandboxes"].as_array().unwrap() {
            let file = sandbox["Outputs"][0]["Filename"].as_str().unwrap();
            let file = file.strip_prefix("data/").unwrap();
            assert!(site.path(&format!("state/dashboard/data/{file}")).is_file(), "{file}");
            let encoded: String = file.bytes().map(|byte| format!("%{byte:02x}")).collect();
            let reply = ask(&address, &format!("/data/{encoded}"), "");
            assert_eq!(reply.header("content-type"), Some("text/plain; charset=utf-8"), "{file}");
            assert_eq!(reply.text(), "<script>alert(1)</script>");
        }
        let mut found: Vec<_> = fs::read_dir(site.path("state/dashboard/data")).unwrap().collect();
        found.retain(|entry| {
            entry.as_ref().is_ok_and(|entry| !entry.file_name().to_string_lossy().starts_with("heka_"))
        });
        assert_eq!(found.len(), expected + 1, "{found:?}");
        let report = ask(&address, "/data/heka_report.json", "").text();
        assert!(!only_local || report.contains("Dropped-foreign-output"), "{report}");
        assert_eq!(daemon.stop(), 0);
    }
}

#[test]
fn no_path_leads_out() {
    let (site, address) = site("", "", "");
    let daemon = site.start();
    wait_reply(&address, "/", |reply| reply.text().contains("app.js"));
    fs::write(site.path("state/secret"), "secret").unwrap();
    std::os::unix::fs::symlink("../../secret", site.path("state/dashboard/data/link")).unwrap();
    let paths: &[&[u8]] = &[
        b"/../secret",
        b"/data/../../secret",
        b"/data/%2e%2e/%2e%2e/secret",
        b"/data/..%2f..%2fsecret",
        b"/data/%252e%252e%252fsecret",
        b"/data/..\\..\\secret",
        b"/data/\xc0\xae\xc0\xae/secret",
        b"/data/link",
        b"//etc/passwd",
        b"/%2fetc%2fpasswd",
        b"/data/\0",
        b"/data/%00",
        b"/data/%zz",
        b"\xff\xfe\xfd",
        b"http://other/../secret",
    ];
    for path in paths {
        let reply = ask_raw(&address, &[b"GET ", *path, b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"].concat());
        let shown = String::from_utf8_lossy(path);
        assert!(["400", "404"].contains(&reply.status.as_str()), "{shown}: {}", reply.head);
        assert!(!reply.text().contains("secret") && !reply.text().contains("root:"), "{shown}: {}", reply.text());
    }
    for garbage in [&b"\0\0\0\0\r\n\r\n"[..], b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", &[0xff; 5000]] {
        let reply = ask_raw(&address, &[garbage, b"\r\n\r\n"].concat());
        assert!(reply.head.is_empty() || reply.status.starts_with('4'), "{}", reply.head);
    }
    assert_eq!(ask(&address, "/", "").status, "200");
    assert_eq!(daemon.stop(), 0);
}

#[test]
fn strangers_are_asked_who_they_are() {
    let (site, address) =
        site("", "username = \"ops\"\npassword = \"pw\"\ntoken = \"t\"\nheaders = {X-Frame-Options = [\"DENY\"]}", "");
    let daemon = site.start();
    drop(connect(&address));
    for path in ["/", "/data/flow.json", "/events"] {
        let reply = ask(&address, path, "");
        assert_eq!((reply.status.as_str(), reply.header("x-frame-options")), ("401", Some("DENY")), "{path}");
    }
    for who in ["Basic b3BzOnB3", "Bearer t"] {
        let reply = ask(&address, "/", &format!("Authorization: {who}\r\n"));
        assert_eq!((reply.status.as_str(), reply.header("x-frame-options")), ("200", Some("DENY")), "{who}");
        assert!(reply.header("content-security-policy").unwrap().contains("script-src 'self'"));
    }
    assert_eq!(daemon.stop(), 0);
}

#[test]
fn two_dashboards_share_the_reports_and_a_port_in_use_is_told() {
    let second =
        "[second]\ntype = \"DashboardOutput\"\naddress = \"$A\"\nworking_directory = \"second\"\nticker_interval = 7\n";
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let second = second.replace("$A", &taken.local_addr().unwrap().to_string());
    let (site, address) = site("", "ticker_interval = 1", &second);
    let graph = String::from_utf8(site.run(&["-dump-graph=json"]).stdout).unwrap();
    assert_eq!(graph.matches("\"name\": \"input hekad-report\"").count(), 1, "{graph}");
    let daemon = site.start();
    wait_for("the complaint", || daemon_log(&site).contains("Plugin 'second' error: Listening failed: 127.0.0.1:"));
    let report = wait_reply(&address, "/data/heka_report.json", |_| true);
    assert!(report.text().contains("Address already in use"), "{}", report.text());
    wait_for("the second's files", || site.path("state/second/data/heka_report.json").is_file());
    drop(taken);
    assert_eq!(daemon.stop(), 0);
    let _ = TcpStream::connect(&address).map(|_| panic!("it still listens"));
}

/// The page in a browser, with this daemon behind it; see share/dashboard/test/browser.
#[test]
fn the_page_works_in_a_browser() {
    let (node, browser) = (support::peer::find("node"), support::peer::find("chromium"));
    let driver = support::peer::node_package("playwright-core");
    let (Some(node), Some(browser), Some(_)) = (node, browser, driver) else { return };
    let dashboard = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("share/dashboard");
    let ran = std::process::Command::new(node)
        .args(["--test", "test/browser/hekad.test.mjs"])
        .current_dir(dashboard)
        .env("HEKAD", env!("CARGO_BIN_EXE_hekad"))
        .env("HEKA_PEERS", support::peer::folder())
        .env("CHROMIUM", browser)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{said}{}", String::from_utf8_lossy(&ran.stderr));
    assert!(said.contains("skipped 0"), "{said}");
}
