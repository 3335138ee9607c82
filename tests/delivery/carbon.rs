//! CarbonOutput to Carbon itself: every point is in Graphite's files in the end.

use crate::support::carbon_cache::{CarbonCache, Points};
use crate::support::{Site, append, wait_for};
use std::time::{SystemTime, UNIX_EPOCH};

fn site(carbon: impl FnOnce(&Site) -> Option<CarbonCache>, options: &str) -> Option<(Site, CarbonCache)> {
    let site = Site::new("");
    let carbon = carbon(&site)?;
    site.configure(&format!(
        "[LogstreamerInput]\nlog_directory = \"$D/logs\"\nfile_match = 'a\\.log'\n\
         [CarbonOutput]\nmessage_matcher = \"TRUE\"\naddress = \"{}\"\n{options}",
        carbon.address
    ));
    Some((site, carbon))
}

/// Writes that many points into the log, with a line that is none behind each hundred, and notes them.
fn write(site: &Site, round: u32, names: u32, points: u32, all: &mut Points) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as u32;
    let mut text = String::new();
    for i in 0..points {
        let name = format!("heka.round{round}.m{:03}", i % names);
        let (time, value) = (now - 10 - i / names, f64::from(i) + 0.5);
        text.push_str(&format!("{name} {value} {time}\n"));
        all.insert((name, time), value);
        if i % 100 == 99 {
            text.push_str("no point\n");
        }
    }
    append(&site.path("logs/a.log"), text.as_bytes());
}

fn all_there(carbon: &CarbonCache, all: &Points) {
    wait_for("every point", || carbon.points().len() >= all.len());
    // What came twice has changed nothing.
    wait_for("the same points", || carbon.points() == *all);
}

/// Points written while Carbon runs, while it is down, and while it is killed.
fn over_restarts(options: &str, kill: bool) {
    let Some((site, carbon)) = site(|site| CarbonCache::configure(&site.path("carbon")), options) else { return };
    let mut all = Points::new();
    let first = carbon.start();
    let daemon = site.start();
    write(&site, 1, 50, 5000, &mut all);
    all_there(&carbon, &all);
    first.end();
    write(&site, 2, 50, 2000, &mut all);
    wait_for("an attempt", || daemon.log().contains("can't connect") || daemon.log().contains("writing to"));
    let second = carbon.start();
    all_there(&carbon, &all);
    if kill {
        write(&site, 3, 50, 5000, &mut all);
        second.signal(libc::SIGKILL);
        drop(second);
        let _third = carbon.start();
        write(&site, 4, 50, 1000, &mut all);
        all_there(&carbon, &all);
        assert_eq!(daemon.stop(), 0);
    } else {
        assert_eq!(daemon.stop(), 0);
    }
    let log = String::from_utf8_lossy(&site.read("stderr")).into_owned();
    assert!(log.contains("malformed statmetric line: 'no point'"), "{log}\n{}", carbon.output());
}

#[test]
fn carbon_has_every_point_over_its_restarts() {
    over_restarts("", false);
}

#[test]
fn with_keep_alive_not_even_a_kill_loses_a_point() {
    over_restarts("tcp_keep_alive = true\n", true);
}

#[test]
fn points_in_datagrams_arrive() {
    let udp = "protocol = \"udp\"\ndatagram_size = 1400\n";
    let Some((site, carbon)) = site(|site| CarbonCache::configure(&site.path("carbon")), udp) else { return };
    let mut all = Points::new();
    let _carbon = carbon.start();
    let daemon = site.start();
    write(&site, 1, 10, 500, &mut all);
    all_there(&carbon, &all);
    assert_eq!(daemon.stop(), 0);
}

#[test]
fn statistics_reach_carbon_as_they_are() {
    let accumulated = "[StatAccumInput]\nticker_interval = 1\n[lines]\ntype = \"StatFilter\"\n\
        message_matcher = \"Type == 'logfile'\"\n[lines.Metric.n]\ntype = \"Counter\"\nname = \"lines\"\nvalue = \"1\"\n";
    let statistics = format!("tcp_keep_alive = true\n{accumulated}");
    let Some((site, carbon)) = site(|site| CarbonCache::configure(&site.path("carbon")), &statistics) else { return };
    // Only the statistics.
    let config = String::from_utf8(site.read("hekad.toml")).unwrap();
    let config = config.replace("message_matcher = \"TRUE\"", "message_matcher = \"Type == 'heka.statmetric'\"");
    std::fs::write(site.path("hekad.toml"), config).unwrap();
    let _carbon = carbon.start();
    let sum = || -> f64 {
        let points = carbon.points();
        points.iter().filter(|((name, _), _)| name == "stats.counters.lines.count").map(|(_, value)| value).sum()
    };
    let mut written = 0;
    for round in 1..=3 {
        append(&site.path("logs/a.log"), "a line\n".repeat(1000).as_bytes());
        written += 1000;
        let daemon = site.start();
        wait_for("the count", || sum() >= f64::from(written));
        assert_eq!(daemon.stop(), 0);
        assert_eq!(sum(), f64::from(written), "round {round}");
        // Carbon keeps one value for a second.
        std::thread::sleep(std::time::Duration::from_millis(1100));
    }
}
