//! statsd lines in, statistics out, through the real binary: nothing is lost over stops and starts.

mod clients;
#[path = "../support/mod.rs"]
mod support;

use std::net::{SocketAddr, UdpSocket};
use support::{Site, append, wait_for};

/// A UDP address nobody listens on right now.
fn free_address() -> SocketAddr {
    support::free_address().parse().unwrap()
}

/// The sum of all values of a stat in Graphite's lines.
fn sum(text: &[u8], stat: &str) -> f64 {
    let text = String::from_utf8_lossy(text);
    let of = |line: &str| {
        let mut words = line.split(' ');
        (words.next() == Some(stat)).then(|| words.next().and_then(|value| value.parse::<f64>().ok())).flatten()
    };
    text.lines().filter_map(of).sum()
}

const OUTPUT: &str = "[StatAccumInput]\nticker_interval = 1\n[PayloadEncoder]\nappend_newlines = false\n\
    [FileOutput]\nmessage_matcher = \"Type == 'heka.statmetric'\"\nencoder = \"PayloadEncoder\"\npath = \"$D/out\"\n\
    flush_interval = 20\n";

#[test]
fn two_inputs_add_up_in_one_accumulator_over_stops_and_starts() {
    let (first, second) = (free_address(), free_address());
    let site = Site::new(&format!(
        "maxprocs = 2\n[one]\ntype = \"StatsdInput\"\naddress = \"{first}\"\n\
         [two]\ntype = \"StatsdInput\"\naddress = \"{second}\"\n{OUTPUT}"
    ));
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    for round in 1..=3 {
        let daemon = site.start();
        let started = |site: &Site| String::from_utf8_lossy(&site.read("stdout")).matches("Input started: ").count();
        wait_for("the inputs", || started(&site) == 3 * round);
        for address in [first, second] {
            // What is sent before the socket is bound is lost by nature.
            wait_for("the socket", || {
                let probe = UdpSocket::bind("127.0.0.1:0").unwrap();
                probe.connect(address).unwrap();
                probe.send(b"probe:1|c").is_ok() && probe.send(b"probe:1|c").is_ok()
            });
        }
        for i in 0..500 {
            let text = format!("hits:1|c\nhits:2|c|@0.5\ntime:{i}|ms\nwho:{}|s\nnonsense\n", i % 7);
            socket.send_to(text.as_bytes(), if i % 2 == 0 { first } else { second }).unwrap();
        }
        assert_eq!(daemon.stop(), 0);
    }
    let out = site.read("out");
    assert_eq!(sum(&out, "stats.counters.hits.count"), 3.0 * 500.0 * 5.0);
    assert_eq!(sum(&out, "stats.timers.time.count"), 1500.0);
    assert!(sum(&out, "stats.sets.who.count") >= 21.0);
    let log =
        String::from_utf8_lossy(&site.read("stderr")).into_owned() + &String::from_utf8_lossy(&site.read("stdout"));
    assert!(log.contains("can't parse message: nonsense"), "{log}");
}

#[test]
fn metrics_of_messages_are_complete_when_the_daemon_stops() {
    let site = Site::new(&format!(
        "[LogstreamerInput]\nlog_directory = \"$D/logs\"\nfile_match = 'a\\.log'\n\
         [lines]\ntype = \"StatFilter\"\nmessage_matcher = \"Type == 'logfile'\"\n\
         [lines.Metric.lines]\ntype = \"Counter\"\nname = \"lines.%Logger%\"\nvalue = \"1\"\n{OUTPUT}"
    ));
    let count = |site: &Site| sum(&site.read("out"), "stats.counters.lines.LogstreamerInput.count");
    let mut written = 0;
    for round in 1..=3 {
        let text: String = (0..20_000).map(|i| format!("line {i}\n")).collect();
        append(&site.path("logs/a.log"), text.as_bytes());
        written += 20_000;
        let daemon = site.start();
        // Stopped while some of it is on its way.
        let log = || String::from_utf8_lossy(&site.read("stdout")).into_owned();
        wait_for("the input", || log().matches("Input started: LogstreamerInput").count() == round);
        assert_eq!(daemon.stop(), 0);
    }
    let daemon = site.start();
    let log = || String::from_utf8_lossy(&site.read("stdout")).into_owned();
    wait_for("the input", || log().matches("Input started: LogstreamerInput").count() == 4);
    wait_for("the rest", || count(&site) >= f64::from(written));
    assert_eq!(daemon.stop(), 0);
    assert_eq!(count(&site), f64::from(written));
}

#[test]
fn whoever_submits_names_an_accumulator_that_exists() {
    let site = Site::new(
        "[StatsdInput]\nstat_accum_name = \"Accum\"\n[LogstreamerInput]\nlog_directory = \"/tmp\"\nfile_match = 'x'\n",
    );
    let run = site.run(&["-check"]);
    assert!(!run.status.success());
    let text = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(text.contains("No Input named 'Accum'") && text.contains("hekad.toml:"), "{text}");
}
