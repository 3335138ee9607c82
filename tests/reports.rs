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
         encoder = \"RstEncoder\"\npath = \"$D/memory\"\nflush_interval = 20\n[RstEncoder]\n\
         [framed]\ntype = \"FileOutput\"\nmessage_matcher = \"Type == 'logfile'\"\n\
         encoder = \"ProtobufEncoder\"\npath = \"$D/framed\"\nuse_buffering = true\n",
    );
    append(&site.path("logs/app.log"), b"one\ntwo\n");
    let daemon = site.start();
    let counted = |line: &str| {
        let report: serde_json::Value = serde_json::from_str(line).unwrap();
        let count = |row: &serde_json::Value| row["ProcessMessageCount"]["value"].as_i64().unwrap_or(0);
        let encoders = report["encoders"].as_array().unwrap();
        count(&report["filters"][0]) >= 2
            && encoders.iter().any(|row| row["Name"] == "framed-ProtobufEncoder" && count(row) == 2)
    };
    wait_for("a report that has counted the lines", || {
        String::from_utf8_lossy(&site.read("report")).split_inclusive('\n').any(|l| l.ends_with('\n') && counted(l))
    });
    wait_for("the memory report", || String::from_utf8_lossy(&site.read("memory")).contains("HeapInuse"));
    daemon.signal(libc::SIGUSR1);
    wait_for("the text", || String::from_utf8_lossy(&site.read("stdout")).contains("\n========\n"));
    assert_eq!(daemon.stop(), 0);
    let text = String::from_utf8(site.read("report")).unwrap();
    let report: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    let fields: &[&str] =
        &["InChanCapacity", "InChanLength", "MatchChanCapacity", "MatchChanLength", "LeakCount", "MatchAvgDuration"];
    for (category, name, fields) in [
        ("globals", "inputRecycleChan", &fields[..2]),
        ("globals", "injectRecycleChan", &fields[..2]),
        ("globals", "Router", &["InChanCapacity", "InChanLength", "ProcessMessageCount"]),
        ("inputs", "LogstreamerInput", &[]),
        ("splitters", "LogstreamerInput-TokenSplitter", &["ProcessMessageCount", "Dropped-record-too-long"]),
        ("decoders", "framed.queue-ProtobufDecoder", &["ProcessMessageCount", "ProcessMessageAvgDuration"]),
        ("filters", "CounterFilter", fields),
        ("encoders", "report-PayloadEncoder", &["Dropped-encode-failure"]),
        ("encoders", "framed-ProtobufEncoder", &["ProcessMessageCount", "ProcessMessageFailures"]),
        ("outputs", "memory", fields),
        ("outputs", "framed", &["InChanLength", "QueueBytes", "QueueFiles", "Dropped-queue-full"]),
    ] {
        let rows = report[category].as_array().unwrap();
        let row = rows.iter().find(|row| row["Name"] == name);
        let row = row.unwrap_or_else(|| panic!("{category} {name}: {text}"));
        for field in fields {
            assert!(row[field]["value"].is_number() && row[field]["representation"].is_string(), "{field}: {row}");
        }
    }
    let router = report["globals"].as_array().unwrap().iter().find(|row| row["Name"] == "Router").unwrap();
    assert!(router["ProcessMessageCount"]["value"].as_i64().unwrap() >= 2, "{router}");
    // The text: categories in the original's order, and of each row first what the original showed.
    let shown = String::from_utf8(site.read("stdout")).unwrap();
    let (_, shown) = shown.split_once("========[heka.all-report]========\n").unwrap();
    let headers: Vec<&str> = shown.lines().filter(|line| line.starts_with("====") && line.len() > 8).collect();
    let expected = ["Globals", "Inputs", "Splitters", "Decoders", "Filters", "Outputs", "Encoders"];
    assert_eq!(headers, expected.map(|name| format!("===={name}====")));
    let (_, filter) = shown.split_once("\nCounterFilter:\n").unwrap();
    let keys: Vec<&str> = filter.lines().take(8).filter_map(|line| line.trim().split(':').next()).collect();
    let first = ["InChanCapacity", "InChanLength", "MatchChanCapacity", "MatchChanLength", "MatchAvgDuration"];
    assert_eq!(keys[..7], [&first[..], &["ProcessMessageCount", "InjectMessageCount"]].concat());
}
