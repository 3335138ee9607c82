//! The whole output, asked over real connections.

use super::options::{DashboardOutputSettings, spec};
use super::server::Limits;
use super::*;
use crate::outputs::harness::{Harness, number, site, wait_until};
use crate::plugin::Site;
use crate::stats::Reading;
use crate::tls::testing::Authority;
use crate::tls::{client_config, server_name};
use heka_message::{BatchBuilder, FieldValue, write_message};
use heka_settings::{Data, Problems, Settings, Table, Value};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use tempfile::TempDir;

/// A dashboard that runs, with its folders.
struct Rig {
    dir: TempDir,
    site: Site,
    harness: Harness,
}

impl Rig {
    fn new(options: Table) -> Rig {
        Rig::with(options, |_| ())
    }

    fn with(options: Table, change: impl Fn(&mut Dashboard)) -> Rig {
        let dir = tempfile::tempdir().unwrap();
        let page = dir.path().join("page");
        fs::create_dir(&page).unwrap();
        for (name, text) in [("index.html", "<p>page"), ("app.js", "1"), ("icon.svg", "<svg/>")] {
            fs::write(page.join(name), text).unwrap();
        }
        fs::write(dir.path().join("secret"), "secret").unwrap();
        let text = |text: &str| Data::String(text.to_owned());
        let options = options.with("static_directory", text(page.to_str().unwrap()));
        let options = match options.get("address") {
            None => options.with("address", text("127.0.0.1:0")),
            Some(_) => options,
        };
        let mut problems = Problems::default();
        let spec = spec(&options, &mut problems);
        assert!(problems.is_empty(), "{problems:?}");
        let site = site("dashboard", dir.path());
        let mut dashboard = spec.dashboard(&site).unwrap();
        change(&mut dashboard);
        let harness = Harness::start_at(site.clone(), Box::new(dashboard));
        Rig { dir, site, harness }
    }

    fn address(&self) -> String {
        let mut found = None;
        wait_until("the address", || {
            let readings = self.site.stats.read();
            found = readings.into_iter().find_map(|(name, reading)| match reading {
                Reading::Text(url) if name == "Address" => url.split('/').nth(2).map(str::to_owned),
                _ => None,
            });
            found.is_some()
        });
        found.unwrap()
    }

    fn send(&mut self, messages: &[Vec<u8>]) {
        let ticket = self.harness.send(messages);
        self.harness.wait_acked(ticket);
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream
    }

    /// Sends bytes as they are, and gives what comes until the end of the connection.
    fn raw(&self, request: &[u8]) -> String {
        let mut stream = self.connect();
        stream.write_all(request).unwrap();
        let mut reply = Vec::new();
        // A server that refuses may close before it has read everything.
        let _ = stream.read_to_end(&mut reply);
        String::from_utf8_lossy(&reply).into_owned()
    }

    fn get(&self, path: &str) -> String {
        self.raw(request("GET", path, "").as_bytes())
    }
}

fn request(method: &str, path: &str, headers: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n")
}

fn status(reply: &str) -> &str {
    reply.get(9..12).unwrap_or(reply)
}

fn header<'a>(reply: &'a str, name: &str) -> Option<&'a str> {
    let head = reply.split("\r\n\r\n").next()?;
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn body(reply: &str) -> &str {
    reply.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

fn message(kind: &str, logger: &str, payload: &[u8], fields: &[(&str, &str)]) -> Vec<u8> {
    let mut builder = BatchBuilder::default();
    let texts = [kind.as_bytes(), logger.as_bytes(), payload].map(|text| builder.text(text));
    let row = builder.row();
    [row.msg_type, row.logger, row.payload] = texts;
    row.set_uuid([7; 16]);
    row.set_timestamp(1_409_886_000_000_000_000);
    for (name, value) in fields {
        let (name, empty) = (builder.text(name.as_bytes()), builder.text(b""));
        builder.field(name, empty, FieldValue::String(value.as_bytes()));
    }
    let mut bytes = Vec::new();
    write_message(builder.batch().row(0), &mut bytes);
    bytes
}

fn output(filter: &str, name: &str, kind: &str, payload: &[u8]) -> Vec<u8> {
    message("heka.sandbox-output", filter, payload, &[("payload_name", name), ("payload_type", kind)])
}

fn report() -> Vec<u8> {
    message("heka.all-report", "hekad", b"{\"globals\":[]}\n", &[])
}

const LIST: &str = "{\"sandboxes\":[{\"Name\":\"F\",\"Outputs\":[{\"Name\":\"HTTP Status\",\
                    \"Filename\":\"data/F.HTTPStatus.cbuf\"}]}]}\n";

#[test]
fn documents_come_and_change_as_messages_do() {
    let mut rig = Rig::new(Table::default());
    for name in ["heka_report.json", "sandboxes.json", "heka_sandbox_termination.tsv", "F.HTTPStatus.cbuf"] {
        assert_eq!(status(&rig.get(&format!("/data/{name}"))), "404", "{name}");
    }
    rig.send(&[output("F", "HTTP Status", "cbuf", b"P\n\xff")]);
    let reply = rig.get("/data/F.HTTPStatus.cbuf?_=1");
    assert_eq!((status(&reply), body(&reply)), ("200", "P\n\u{fffd}"));
    assert_eq!(header(&reply, "content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(header(&reply, "cache-control"), Some("no-cache"));
    assert_eq!(fs::read(rig.dir.path().join("dashboard/data/F.HTTPStatus.cbuf")).unwrap(), b"P\n\xff");
    assert_eq!(status(&rig.get("/data/sandboxes.json")), "404", "before the first report there is no list");
    rig.send(&[report()]);
    assert_eq!(body(&rig.get("/data/sandboxes.json")), LIST);
    let reply = rig.get("/data/heka_report.json");
    assert_eq!((header(&reply, "content-type"), body(&reply)), (Some("application/json"), "{\"globals\":[]}\n"));
    let tag = header(&reply, "etag").unwrap().to_owned();
    let conditional = request("GET", "/data/heka_report.json", &format!("If-None-Match: {tag}\r\n"));
    let reply = rig.raw(conditional.as_bytes());
    assert_eq!((status(&reply), body(&reply), header(&reply, "etag")), ("304", "", Some(tag.as_str())));
    rig.send(&[message("heka.all-report", "hekad", b"{}", &[])]);
    let reply = rig.raw(conditional.as_bytes());
    assert_eq!((status(&reply), body(&reply)), ("200", "{}"));
    let head = rig.raw(request("HEAD", "/data/heka_report.json", "").as_bytes());
    assert_eq!((status(&head), body(&head), header(&head, "content-length")), ("200", "", Some("2")));
    // The end of a filter: a line for the record, and no longer in the list.
    rig.send(&[message("heka.sandbox-terminated", "hekad", b"boom", &[("plugin", "F")])]);
    let reply = rig.get("/data/heka_sandbox_termination.tsv");
    assert_eq!(body(&reply), "1409886000\tF\tboom\n");
    assert_eq!(header(&reply, "content-type"), Some("text/tab-separated-values"));
    assert_eq!(body(&rig.get("/data/sandboxes.json")), "{\"sandboxes\":[]}\n");
    assert_eq!(status(&rig.get("/data/F.HTTPStatus.cbuf")), "200", "its data stays");
    rig.send(&[b"not a message".to_vec(), message("other", "x", b"", &[])]);
    assert_eq!(number(&rig.site, "Dropped-not-a-message") + number(&rig.site, "Dropped-nothing-to-show"), 2);
    assert_eq!(number(&rig.site, "ProcessMessageCount"), 4);
    rig.harness.end().unwrap();
}

#[test]
fn the_page_and_what_the_user_put_beside_it_are_served() {
    let rig = Rig::new(Table::default());
    let beside = rig.dir.path().join("dashboard");
    fs::create_dir(beside.join("mine")).unwrap();
    fs::write(beside.join("mine/index.html"), "mine").unwrap();
    fs::write(beside.join("data/mine.html"), "<script>").unwrap();
    let html = "text/html; charset=utf-8";
    let cases = [
        ("/", "200", html, "no-cache", "<p>page"),
        ("/?v=1", "200", html, "no-cache", "<p>page"),
        ("/app.js", "200", "text/javascript; charset=utf-8", "no-cache", "1"),
        ("/app.js?v=abc", "200", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable", "1"),
        ("/icon.svg", "200", "image/svg+xml", "no-cache", "<svg/>"),
        ("/mine/", "200", html, "no-cache", "mine"),
        ("/data/mine.html", "200", "text/plain; charset=utf-8", "no-cache", "<script>"),
    ];
    for (path, expected, kind, cache, text) in cases {
        let reply = rig.get(path);
        assert_eq!((status(&reply), body(&reply)), (expected, text), "{path}");
        assert_eq!(
            (header(&reply, "content-type"), header(&reply, "cache-control")),
            (Some(kind), Some(cache)),
            "{path}"
        );
        assert!(header(&reply, "etag").is_some() && header(&reply, "last-modified").is_some());
    }
    let moves = [("/index.html?x=1", "./?x=1"), ("/mine", "./mine/"), ("/data", "./data/")];
    for (path, to) in moves {
        let reply = rig.get(path);
        assert_eq!((status(&reply), header(&reply, "location")), ("301", Some(to)), "{path}");
    }
    let list = rig.get("/data/");
    assert!(body(&list).contains("<a href=\"./mine.html\">mine.html</a>"), "{list}");
    let reply = rig.raw(request("POST", "/", "Content-Length: 0\r\n").as_bytes());
    assert_eq!((status(&reply), header(&reply, "allow")), ("405", Some("GET, HEAD")));
    rig.harness.end().unwrap();
}

#[test]
fn no_path_leads_out() {
    let rig = Rig::new(Table::default());
    let data = rig.dir.path().join("dashboard/data");
    std::os::unix::fs::symlink("../../secret", data.join("link")).unwrap();
    std::os::unix::fs::symlink(rig.dir.path(), data.join("up")).unwrap();
    std::os::unix::fs::symlink(rig.dir.path().join("secret"), rig.dir.path().join("page/link")).unwrap();
    fs::write(data.join(".hidden"), "secret").unwrap();
    let paths: &[&[u8]] = &[
        b"/../secret",
        b"/data/../../secret",
        b"/data/../secret",
        b"/%2e%2e/secret",
        b"/data/%2e%2e/%2E%2e/secret",
        b"/data/..%2f..%2fsecret",
        b"/data/..%5c..%5csecret",
        b"/data/..\\..\\secret",
        b"/data/%252e%252e/secret",
        b"/data/\xc0\xae\xc0\xae/secret",
        b"/data/%c0%ae%c0%ae/secret",
        b"/data/link",
        b"/data/up/secret",
        b"/link",
        b"/data/.hidden",
        b"/data/./heka_report.json",
        b"//etc/passwd",
        b"/data//etc/passwd",
        b"/data/%00",
        b"/data/\x00",
        b"/data/x\x01y",
        b"/data/%",
        b"/data/%zz",
        b"etc/passwd",
        b"*",
        b"http://x/../secret",
        b"http://x/data/../../secret",
        b"\xff\xfe",
    ];
    for path in paths {
        let request = [b"GET ", *path, b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"].concat();
        let reply = rig.raw(&request);
        let shown = String::from_utf8_lossy(path);
        assert!(["400", "404"].contains(&status(&reply)), "{shown}: {reply}");
        assert!(!body(&reply).contains("secret") && !body(&reply).contains("root:"), "{shown}: {reply}");
    }
    assert_eq!(status(&rig.get("/")), "200");
    rig.harness.end().unwrap();
}

#[test]
fn every_answer_has_the_headers() {
    let list =
        |values: &[&str]| Data::Array(values.iter().map(|v| Value::new(Data::String((*v).to_owned()))).collect());
    let headers = Table::default().with("X-Frame-Options", list(&["DENY"])).with("referrer-policy", list(&["a", "b"]));
    let mut rig = Rig::new(Table::default().with("headers", Data::Table(headers)));
    rig.send(&[output("F", "evil", "html", b"<script>alert(1)</script>"), output("F", "", "js", b"1")]);
    for path in ["/", "/data/", "/data/F.evil.html", "/data/F..js", "/nowhere", "/index.html", "/%", "/events"] {
        let mut stream = rig.connect();
        stream.write_all(request("GET", path, "").as_bytes()).unwrap();
        let mut head = [0; 4096];
        let read = stream.read(&mut head).unwrap();
        let reply = String::from_utf8_lossy(&head[..read]).into_owned();
        assert_eq!(header(&reply, "x-frame-options"), Some("DENY"), "{path}");
        assert_eq!(header(&reply, "x-content-type-options"), Some("nosniff"), "{path}");
        assert!(
            header(&reply, "content-security-policy").is_some_and(|policy| policy.starts_with("default-src 'none'"))
        );
        let policies: Vec<_> =
            reply.lines().filter(|line| line.to_lowercase().starts_with("referrer-policy")).collect();
        assert_eq!(policies.len(), 2, "{policies:?}");
        if path.starts_with("/data/F") {
            assert_eq!(header(&reply, "content-type"), Some("text/plain; charset=utf-8"), "{path}");
        }
    }
    rig.harness.end().unwrap();
}

#[test]
fn strangers_see_nothing() {
    let text = |text: &str| Data::String(text.to_owned());
    let options = Table::default().with("username", text("ops")).with("password", text("pw")).with("token", text("t"));
    let rig = Rig::new(options);
    for path in ["/", "/data/", "/data/heka_report.json", "/events", "/nowhere"] {
        let reply = rig.get(path);
        assert_eq!(status(&reply), "401", "{path}");
        assert!(header(&reply, "www-authenticate").is_some_and(|asked| asked.starts_with("Basic ")));
        let reply = rig.raw(request("POST", path, "").as_bytes());
        assert_eq!(status(&reply), "401", "{path}");
    }
    for given in ["Basic b3BzOnB3", "Bearer t"] {
        let reply = rig.raw(request("GET", "/", &format!("Authorization: {given}\r\n")).as_bytes());
        assert_eq!((status(&reply), body(&reply)), ("200", "<p>page"));
    }
    rig.harness.end().unwrap();
}

#[test]
fn a_port_in_use_is_reported_and_messages_go_on() {
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap().to_string();
    let mut rig = Rig::new(Table::default().with("address", Data::String(address.clone())));
    let trouble = |rig: &Rig| {
        rig.site.stats.read().into_iter().find_map(|(name, reading)| match reading {
            Reading::Text(text) if name == "Error" => Some(text),
            _ => None,
        })
    };
    wait_until("the report", || trouble(&rig).is_some());
    assert!(trouble(&rig).unwrap().contains(&address));
    rig.send(&[report()]);
    drop(other);
    let reply = rig.get("/data/heka_report.json");
    assert_eq!(status(&reply), "200");
    assert_eq!(trouble(&rig), None);
    rig.harness.end().unwrap();
}

#[test]
fn who_says_or_takes_nothing_is_given_up() {
    let short = Duration::from_millis(100);
    let rig = Rig::with(Table::default().with("max_connections", Data::Integer(2)), |dashboard| {
        let limits = Limits { handshake: short, headers: short, stall: short };
        if let Some(server) = &mut dashboard.server {
            server.limits = limits;
        }
    });
    // More connections than there may be, none of which ever asks for anything whole.
    let mut slow: Vec<TcpStream> = (0..5).map(|_| rig.connect()).collect();
    slow.iter_mut().for_each(|stream| stream.write_all(b"GET / HTTP/1.1\r\nHost:").unwrap());
    assert_eq!(status(&rig.get("/")), "200", "the next one gets its turn");
    // Headers without an end.
    let endless = [b"GET / HTTP/1.1\r\n".to_vec(), b"X-Filler: filler\r\n".repeat(100_000)].concat();
    let mut stream = rig.connect();
    let _ = stream.write_all(&endless);
    let mut reply = Vec::new();
    let _ = stream.read_to_end(&mut reply);
    assert!(reply.is_empty() || reply.starts_with(b"HTTP/1.1 431"), "{}", String::from_utf8_lossy(&reply));
    // A large file that nobody takes.
    let large = fs::File::create(rig.dir.path().join("dashboard/data/large")).unwrap();
    large.set_len(64 << 20).unwrap();
    let mut stalled = rig.connect();
    stalled.write_all(request("GET", "/data/large", "").as_bytes()).unwrap();
    wait_until("the end of all connections", || number(&rig.site, "OpenConnections") == 0);
    drop(stalled);
    rig.harness.end().unwrap();
}

#[test]
fn events_follow_the_documents() {
    let mut rig = Rig::new(Table::default());
    rig.send(&[report()]);
    let mut stream = rig.connect();
    stream.write_all(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut seen = String::new();
    let mut read_until = |stream: &mut TcpStream, what: &str| {
        let mut bytes = [0; 1000];
        while !seen.contains(what) {
            let n = stream.read(&mut bytes).unwrap();
            assert!(n > 0, "ended before {what}: {seen}");
            seen.push_str(&String::from_utf8_lossy(&bytes[..n]));
        }
        seen.clone()
    };
    let first = read_until(&mut stream, "event: ping");
    assert_eq!(header(&first, "content-type"), Some("text/event-stream"));
    assert_eq!(header(&first, "cache-control"), Some("no-store"));
    assert!(first.contains("event: report\n") && first.contains("event: sandboxes\n"), "{first}");
    rig.send(&[output("F", "a\nb", "txt", b"1")]);
    let then = read_until(&mut stream, "data/F.ab.txt");
    assert!(then.contains("event: output\ndata: {\"file\":\"data/F.ab.txt\",\"version\":\""), "{then}");
    // So many readers, and no more.
    let mut readers: Vec<TcpStream> = (0..63).map(|_| rig.connect()).collect();
    for reader in &mut readers {
        reader.write_all(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut start = [0; 12];
        reader.read_exact(&mut start).unwrap();
        assert_eq!(&start, b"HTTP/1.1 200");
    }
    assert_eq!(status(&rig.get("/events")), "503");
    drop(stream);
    wait_until("a free place", || {
        let mut next = rig.connect();
        next.write_all(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut start = [0; 12];
        next.read_exact(&mut start).unwrap();
        &start == b"HTTP/1.1 200"
    });
    rig.harness.end().unwrap();
}

#[tokio::test]
async fn it_speaks_tls() {
    let authority = Authority::new();
    let text = |text: String| Data::String(text);
    let tls = Table::default()
        .with("cert_file", text(authority.path("server.pem")))
        .with("key_file", text(authority.path("server.key")));
    let rig = Rig::new(Table::default().with("use_tls", Data::Bool(true)).with("tls", Data::Table(tls)));
    let connector = tokio_rustls::TlsConnector::from(client_config(&authority.client()).unwrap());
    let name = server_name(&authority.client(), "localhost").unwrap();
    let address = rig.address();
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let mut stream = connector.connect(name, stream).await.unwrap();
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    stream.write_all(request("GET", "/", "").as_bytes()).await.unwrap();
    let mut reply = String::new();
    let _ = stream.read_to_string(&mut reply).await;
    assert_eq!((status(&reply), body(&reply)), ("200", "<p>page"));
    rig.harness.end().unwrap();
}

#[test]
fn what_the_user_and_former_runs_left_stays() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("dashboard/data");
    fs::create_dir_all(&data).unwrap();
    for name in ["mine.txt", "heka_report.json", "sandboxes.json", "Old.x.cbuf", "heka_sandbox_termination.tsv", ".new"]
    {
        fs::write(data.join(name), "1\tF\tx\n").unwrap();
    }
    fs::write(dir.path().join("dashboard/mine.html"), "mine").unwrap();
    let options = Table::default().with("static_directory", Data::String(dir.path().to_str().unwrap().to_owned()));
    let site = site("dashboard", dir.path());
    let dashboard = spec(&options, &mut Problems::default()).dashboard(&site).unwrap();
    let mut left: Vec<_> = fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["Old.x.cbuf", "heka_sandbox_termination.tsv", "mine.txt"]);
    assert!(dir.path().join("dashboard/mine.html").exists());
    drop(dashboard);
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let text = |text: &str| Data::String(text.to_owned());
    let list = |value: &str| Data::Array(vec![Value::new(Data::String(value.to_owned()))]);
    let headers = |name: &str, value: &str| Data::Table(Table::default().with(name, list(value)));
    let cases = [
        ("address", text("4352"), "missing port in address `4352`"),
        ("max_connections", Data::Integer(0), "nobody could connect"),
        ("username", text("ops"), "`username` and `password` need each other"),
        ("password", text("pw"), "`username` and `password` need each other"),
        ("headers", headers("no name", "x"), "`no name` is no name of a header"),
        ("headers", headers("X-Y", "a\nb"), "a value of `X-Y` cannot be in a header"),
    ];
    for (option, value, expected) in cases {
        let mut problems = Problems::default();
        spec(&Table::default().with(option, value), &mut problems);
        assert_eq!(problems.iter().map(|p| p.message.as_str()).collect::<Vec<_>>(), [expected]);
    }
    assert!(DashboardOutputSettings::table().iter().all(|setting| !setting.help.is_empty()));
    let dir = tempfile::tempdir().unwrap();
    let missing = Table::default().with("static_directory", text(dir.path().join("no").to_str().unwrap()));
    let error = spec(&missing, &mut Problems::default()).dashboard(&site("dashboard", dir.path())).err().unwrap();
    assert!(!error.retry && error.message.contains("static_directory"), "{error}");
}
