//! `--dump-graph` draws what timely really builds.

mod support;

use heka_operators::registry::TYPES;
use heka_settings::Problems;
use hekad::cli::GraphFormat as Format;
use hekad::config::{Sources, load_sources};
use hekad::plan::{Graph, Plan, dump, resolve};
use support::Site;

const CONFIG: &str = r#"
[hekad]
maxprocs = 3
[web]
type = "LogstreamerInput"
log_directory = "/tmp"
file_match = 'x\.log'
[db]
type = "LogstreamerInput"
log_directory = "/tmp"
file_match = 'y\.log'
[framed]
type = "TcpInput"
address = "127.0.0.1:5565"
[few]
type = "TcpInput"
address = "127.0.0.1:5566"
decode_workers = 2
[one]
type = "TcpInput"
address = "127.0.0.1:5567"
synchronous_decode = true
[CounterFilter]
[rare]
type = "CounterFilter"
message_matcher = "Type == \"a\" && Payload =~ /<b>/"
ticker_interval = 0
[PayloadEncoder]
[LogOutput]
message_matcher = "TRUE"
encoder = "PayloadEncoder"
[file]
type = "FileOutput"
message_matcher = "Fields[x] == 1"
encoder = "PayloadEncoder"
path = "/dev/null"
[buffered]
type = "FileOutput"
message_matcher = "TRUE"
encoder = "ProtobufEncoder"
path = "/dev/null"
use_buffering = true
[counted]
type = "CounterFilter"
use_buffering = true
"#;

fn plan(text: &str) -> Plan {
    let loaded = load_sources(Sources::from_texts([("a.toml", text)]), Problems::default(), TYPES, &|_| None)
        .map_err(|r| r.problems)
        .unwrap();
    let mut problems = Problems::default();
    let plan = resolve(&loaded.config, &mut problems);
    plan.unwrap_or_else(|| panic!("{:?}", problems.into_sorted()))
}

#[test]
fn the_plan_is_what_timely_builds() {
    let without_filters = "[web]\ntype = \"LogstreamerInput\"\nfile_match = 'x'\n[PayloadEncoder]\n\
        [LogOutput]\nmessage_matcher = \"TRUE\"\nencoder = \"PayloadEncoder\"\n";
    let without_consumers = "[web]\ntype = \"LogstreamerInput\"\nfile_match = 'x'\n";
    let with_queues = "[web]\ntype = \"LogstreamerInput\"\nfile_match = 'x'\n[PayloadEncoder]\n\
        [LogOutput]\nmessage_matcher = \"TRUE\"\nencoder = \"PayloadEncoder\"\nuse_buffering = true\n\
        [CounterFilter]\nuse_buffering = true\n";
    for text in [CONFIG, without_filters, without_consumers, with_queues] {
        let drawn = Graph::of(&plan(text)).sorted();
        let built = hekad::engine::built_graph(plan(text)).sorted();
        assert_eq!(drawn, built);
        assert!(drawn.nodes.iter().any(|node| node == "input web"));
        // Order is restored where several workers decode, and only there.
        let ordered: Vec<_> = drawn.nodes.iter().filter(|node| node.starts_with("order ")).collect();
        assert!(text != CONFIG || ordered == ["order few", "order framed"], "{ordered:?}");
    }
}

#[test]
fn every_format_shows_every_node_and_quotes_what_users_write() {
    let plan = plan(CONFIG);
    let graph = Graph::of(&plan);
    let json: serde_json::Value = serde_json::from_str(&dump(&plan, Format::Json)).unwrap();
    assert_eq!(json["nodes"].as_array().unwrap().len(), graph.nodes.len());
    assert_eq!(json["edges"].as_array().unwrap().len(), graph.edges.len());
    assert_eq!(json["workers"], 3);
    let dot = dump(&plan, Format::Dot);
    assert!(dot.starts_with("digraph") && dot.contains(r#"Type == \"a\" && Payload =~ /<b>/"#), "{dot}");
    let mermaid = dump(&plan, Format::Mermaid);
    assert!(mermaid.contains("Type == &quot;a&quot; &amp;&amp; Payload =~ /&lt;b>/"), "{mermaid}");
    for node in &graph.nodes {
        assert!(dot.contains(node.as_str()) && mermaid.contains(node.as_str()), "{node}");
    }
}

#[test]
fn the_command_prints_it_without_running_anything() {
    let site = Site::new("[LogstreamerInput]\nfile_match = 'x'\nlog_directory = \"$D/nowhere\"\n");
    let run = site.run(&["--dump-graph=mermaid"]);
    assert!(run.status.success(), "{run:?}");
    assert!(String::from_utf8(run.stdout).unwrap().contains("input LogstreamerInput"));
    assert!(!site.path("state").exists());
}
