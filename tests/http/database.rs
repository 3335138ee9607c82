//! Lines and series into InfluxDB, by the scripts that are shipped.

use crate::support::web::{Reply, Request, ask, serve};
use crate::support::{Site, append, free_address, peer, wait_for};
use std::process::Command;
use std::sync::{Arc, Mutex};

const DECODER: &str = r#"
require "string"
function process_message()
    local host, name, value, seconds = string.match(read_message("Payload"), "^(%S+) (%S+) (%S+) (%d+)\n$")
    if not host then return -1, "no sample" end
    inject_message{Type = "stats", Hostname = host, Timestamp = seconds * 1e9, Fields = {[name] = tonumber(value)}}
    return 0
end
"#;

/// Samples from a log through the line encoder to `address`.
fn site(address: &str, more: &str) -> Site {
    let share = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("share");
    let site = Site::new(&format!(
        "share_dir = \"{}\"\n\
         [LogstreamerInput]\nlog_directory = \"$D/logs\"\nfile_match = 'app\\.log'\ndecoder = \"samples\"\n\
         [samples]\ntype = \"SandboxDecoder\"\nfilename = \"$D/samples.lua\"\n\
         [lines]\ntype = \"SandboxEncoder\"\nfilename = \"lua_encoders/schema_influx_line.lua\"\n\
         [lines.config]\nskip_fields = \"**all_base**\"\ntag_fields = \"Hostname\"\ntimestamp_precision = \"s\"\n\
         [HttpOutput]\nmessage_matcher = \"Type == 'stats'\"\naddress = \"{address}\"\nencoder = \"lines\"\n{more}",
        share.display()
    ));
    std::fs::write(site.path("samples.lua"), DECODER).unwrap();
    site
}

fn samples(n: usize) -> String {
    (0..n).map(|i| format!("web{} load {i}.5 {}\n", i % 3, 1_425_943_801 + i)).collect()
}

#[test]
fn version_1_stores_what_is_sent() {
    let Some(program) = peer::find("influxd") else { return };
    let (http, rpc) = (free_address(), free_address());
    let site = site(&format!("http://{http}/write?db=samples&precision=s"), "flush_count = 50\nflush_interval = 100\n");
    let dir = site.dir.path().display();
    std::fs::write(
        site.path("influxd.conf"),
        format!(
            "reporting-disabled = true\nbind-address = \"{rpc}\"\n[meta]\ndir = \"{dir}/meta\"\n\
             [data]\ndir = \"{dir}/data\"\nwal-dir = \"{dir}/wal\"\n[http]\nbind-address = \"{http}\"\nlog-enabled = false\n"
        ),
    )
    .unwrap();
    let mut command = Command::new(program);
    let running =
        peer::Running::start(command.arg("-config").arg(site.path("influxd.conf")), &site.path("influxd.log"));
    append(&site.path("logs/app.log"), samples(500).as_bytes());
    let daemon = site.start();
    // The database is made only after the first attempt has failed: samples wait for it.
    let log = || String::from_utf8_lossy(&site.read("stderr")).into_owned();
    wait_for("a complaint", || log().contains("HttpOutput"));
    wait_for("the server", || ask(&http, "GET", "/ping").is_ok());
    wait_for("the complaint about the database", || {
        log().contains("database not found") || log().contains("can't connect")
    });
    let made = ask(&http, "POST", "/query?q=CREATE+DATABASE+samples").unwrap();
    assert_eq!(made.0, 200, "{}", made.1);
    let query = "/query?db=samples&q=SELECT+count(value),sum(value)+FROM+%22load%22+GROUP+BY+%22Hostname%22";
    let answer = || serde_json::from_str::<serde_json::Value>(&ask(&http, "GET", query).unwrap().1).unwrap();
    let total = |column: usize| -> f64 {
        let answer = answer();
        let series = answer["results"][0]["series"].as_array().cloned().unwrap_or_default();
        series.iter().filter_map(|series| series["values"][0][column].as_f64()).sum()
    };
    wait_for("all samples", || total(1) == 500.0);
    assert_eq!(total(2), (0..500).map(|i| f64::from(i) + 0.5).sum::<f64>());
    assert_eq!(answer()["results"][0]["series"].as_array().unwrap().len(), 3);
    assert_eq!(daemon.stop(), 0);
    running.end();
}

/// A server that keeps what it is sent.
fn listener() -> (String, Arc<Mutex<Vec<Request>>>) {
    let got = Arc::new(Mutex::new(Vec::new()));
    let seen = got.clone();
    let address = serve(move |request| {
        seen.lock().unwrap().push(request);
        Reply::Say(204, String::new(), String::new())
    });
    (address, got)
}

#[test]
fn version_2_is_given_its_token_and_lines() {
    let (address, got) = listener();
    let more = "token = \"se-cret==\"\ntoken_type = \"Token\"\nflush_count = 1000\nflush_interval = 200\ngzip = true\n";
    let site = site(&format!("http://{address}/api/v2/write?org=me&bucket=stats&precision=s"), more);
    append(&site.path("logs/app.log"), samples(100).as_bytes());
    let daemon = site.start();
    let text = || got.lock().unwrap().iter().map(|request| request.text()).collect::<Vec<_>>().join("\n");
    wait_for("all lines", || text().lines().filter(|line| !line.is_empty()).count() == 100);
    assert_eq!(daemon.stop(), 0);
    let expected: Vec<String> =
        (0..100).map(|i| format!("load,Hostname=web{} value={i}.500000 {}", i % 3, 1_425_943_801 + i)).collect();
    assert_eq!(text().lines().filter(|line| !line.is_empty()).collect::<Vec<_>>(), expected);
    let got = got.lock().unwrap();
    assert!(got.len() < 100, "lines share requests");
    for request in got.iter() {
        assert_eq!(request.path, "/api/v2/write?org=me&bucket=stats&precision=s");
        assert_eq!(request.header("authorization"), Some("Token se-cret=="));
    }
}

#[test]
fn before_version_0_9_there_were_series() {
    let (address, got) = listener();
    let share = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("share");
    let site = Site::new(&format!(
        "share_dir = \"{}\"\n[StatAccumInput]\nticker_interval = 1\nemit_in_fields = true\n\
         [series]\ntype = \"SandboxEncoder\"\nfilename = \"lua_encoders/statmetric_influx.lua\"\n\
         [HttpOutput]\nmessage_matcher = \"Type == 'heka.statmetric'\"\naddress = \"http://{address}/db/stats/series\"\n\
         encoder = \"series\"\n",
        share.display()
    ));
    let daemon = site.start();
    wait_for("a request", || !got.lock().unwrap().is_empty());
    assert_eq!(daemon.stop(), 0);
    let request = got.lock().unwrap()[0].clone();
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/db/stats/series"));
    let series: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    let series = series.as_array().unwrap();
    assert!(!series.is_empty());
    for one in series {
        assert!(one["name"].is_string() && one["columns"] == serde_json::json!(["time", "value"]), "{one}");
        let point = one["points"][0].as_array().unwrap();
        assert!(point.len() == 2 && point.iter().all(serde_json::Value::is_number), "{one}");
    }
}
