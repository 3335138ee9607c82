//! The daemon's reports on itself, routed like any message.

mod support;

use support::{Site, append, wait_for};

#[test]
fn reports_are_messages_that_name_every_plugin() {
    let site = Site::new(
        "report_interval = 1\n[LogstreamerInput]\nlog_directory = \"$D/logs\"\nfile_match = 'app\\.log'\n\
         [CounterFilter]\n[PayloadEncoder]\nappend_newlines = false\n\
         [report]\ntype = \"FileOutput\"\nmessage_matcher = \"Type == 'heka.all-report' && Logger == 'hekad'\"\n\
         encoder = \"PayloadEncoder\"\npath = \"$D/report\"\nflush_interval = 20\n\
         [memory]\ntype = \"FileOutput\"\nmessage_matcher = \"Type == 'heka.memstat' && Fields[HeapAlloc] > 1000\"\n\
         encoder = \"RstEncoder\"\npath = \"$D/memory\"\nflush_interval = 20\n[RstEncoder]\n",
    );
    append(&site.path("logs/app.log"), b"one\ntwo\n");
    let daemon = site.start();
    let counted = |line: &str| {
        let report: serde_json::Value = serde_json::from_str(line).unwrap();
        report["filters"][0]["ProcessMessageCount"]["value"].as_i64().unwrap_or(0) >= 2
    };
    wait_for("a report that has counted the lines", || {
        String::from_utf8_lossy(&site.read("report")).split_inclusive('\n').any(|l| l.ends_with('\n') && counted(l))
    });
    wait_for("the memory report", || String::from_utf8_lossy(&site.read("memory")).contains("HeapInuse"));
    assert_eq!(daemon.stop(), 0);
    let text = String::from_utf8(site.read("report")).unwrap();
    let report: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    for (category, name) in [
        ("inputs", "LogstreamerInput"),
        ("splitters", "LogstreamerInput-TokenSplitter"),
        ("filters", "CounterFilter"),
        ("encoders", "report-PayloadEncoder"),
        ("outputs", "memory"),
    ] {
        let rows = report[category].as_array().unwrap();
        assert!(rows.iter().any(|row| row["Name"] == name), "{category} {name}: {text}");
    }
}
