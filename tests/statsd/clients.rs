//! Lines as the clients that programs use make them: what is flushed is exactly what they meant, over stops and starts.

use crate::support::peer::{find, node_package};
use crate::support::{Daemon, Site, wait_for};
use crate::{free_address, sum};
use std::path::Path;
use std::process::Command;

/// Lines that one run of all clients sends, by input.
const LINES: (u64, u64) = (
    // Python's: 50 + 50 + 2 hits, 100 times, 100 users, 20 + 20 samples, 2 parts, 5 gauges, of which the negative one
    // takes two lines.
    (102 + 100 + 100 + 40 + 2 + 6)
        // The others: 102 hits, 100 times, 100 users, 3 gauges, 10 sizes; hot-shots 40 samples and two more.
        + 2 * (102 + 100 + 100 + 3 + 10) + 40 + 2,
    3,
);

fn script(program: &Path, name: &str) -> Command {
    let mut command = Command::new(program);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/statsd").join(name));
    command
}

/// What the daemon says of itself; asked for now, and perhaps of a moment ago.
fn report(site: &Site, daemon: &Daemon) -> String {
    daemon.signal(libc::SIGUSR1);
    std::thread::sleep(std::time::Duration::from_millis(50));
    let text = String::from_utf8_lossy(&site.read("stdout")).into_owned();
    text.rsplit_once("[heka.all-report]").map(|(_, report)| report.to_owned()).unwrap_or_default()
}

/// The lines that an input has taken.
fn taken(site: &Site, daemon: &Daemon, input: &str) -> u64 {
    let report = report(site, daemon);
    let Some((_, report)) = report.split_once(&format!("\n{input}:\n")) else { return 0 };
    let line = report.lines().find_map(|line| line.trim().strip_prefix("ProcessMessageCount: "));
    line.and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[test]
fn clients_of_python_and_node_agree_with_what_is_flushed() {
    let (Some(python), Some(client), Some(_shots), Some(node)) =
        (find("python3"), node_package("statsd-client"), node_package("hot-shots"), find("node"))
    else {
        return;
    };
    let packages = client.parent().unwrap().to_owned();
    let has_client = Command::new(&python).args(["-c", "import statsd"]).output().unwrap().status.success();
    assert!(has_client || std::env::var_os("HEKA_REQUIRE_PEERS").is_none(), "Python has no package statsd");
    if !has_client {
        eprintln!("skipped: Python has no package statsd; tests/fetch-peers fetches it");
        return;
    }
    let (plain, tagged) = (free_address(), free_address());
    // Nothing is flushed but at the stop, so that sets and percentiles are known as well.
    let site = Site::new(&format!(
        "[plain]\ntype = \"StatsdInput\"\naddress = \"{plain}\"\nstat_accum_name = \"sums\"\n\
         [tagged]\ntype = \"StatsdInput\"\naddress = \"{tagged}\"\nstat_accum_name = \"sums\"\ntags = \"fields\"\n\
         [sums]\ntype = \"StatAccumInput\"\nticker_interval = 86400\npercent_threshold = [50, 99.9]\n\
         histogram_bins = [10, 50]\n[PayloadEncoder]\nappend_newlines = false\n\
         [FileOutput]\nmessage_matcher = \"Type == 'heka.statmetric' && Fields[env] == NIL\"\n\
         encoder = \"PayloadEncoder\"\npath = \"$D/out\"\nflush_interval = 20\n\
         [labelled]\ntype = \"FileOutput\"\nmessage_matcher = \"Fields[env] == 'prod' && Fields[zone] == 'b'\"\n\
         encoder = \"PayloadEncoder\"\npath = \"$D/labelled\"\nflush_interval = 20\n"
    ));
    let rounds = 3;
    for _ in 0..rounds {
        std::fs::write(site.path("stdout"), "").unwrap();
        let daemon = site.start();
        // Before that a signal would end it.
        wait_for("the daemon", || String::from_utf8_lossy(&site.read("stdout")).contains("Input started: sums"));
        // Lines that come before the sockets are bound are lost by nature.
        wait_for("the sockets", || report(&site, &daemon).matches("\n    Address: ").count() >= 2);
        let ran = script(&python, "client.py").arg(plain.port().to_string()).output().unwrap();
        assert!(ran.status.success(), "{ran:?}");
        let ports = [plain.port().to_string(), tagged.port().to_string()];
        let ran = script(&node, "client.js").arg(&packages).args(ports).output().unwrap();
        assert!(ran.status.success(), "{ran:?}");
        wait_for("all lines", || {
            let taken = (taken(&site, &daemon, "plain"), taken(&site, &daemon, "tagged"));
            eprintln!("{taken:?} lines of {LINES:?}");
            taken == LINES
        });
        assert_eq!(daemon.stop(), 0);
    }
    let (out, labelled) = (site.read("out"), site.read("labelled"));
    let total = |stat: &str| sum(&out, stat) / f64::from(rounds);
    for client in ["py", "sc", "hs"] {
        assert_eq!(total(&format!("stats.counters.{client}.hits.count")), 103.0, "{client}");
        assert_eq!(total(&format!("stats.sets.{client}.users.count")), 7.0, "{client}");
        assert_eq!(total(&format!("stats.gauges.{client}.level")), 7.5, "{client}");
        let numbers = [("count", 100.0), ("sum", 5050.0), ("mean", 50.5), ("upper_50", 50.0), ("upper_99_9", 100.0)];
        let bins = [("histogram.bin_10", 9.0), ("histogram.bin_50", 40.0), ("histogram.bin_inf", 51.0)];
        for (part, wanted) in numbers.into_iter().chain(bins) {
            assert_eq!(total(&format!("stats.timers.{client}.time.{part}")), wanted, "{client} {part}");
        }
    }
    for client in ["sc", "hs"] {
        assert_eq!(total(&format!("stats.timers.{client}.sizes.sum")), 55.0);
    }
    for client in ["py", "hs"] {
        // What was sent of the samples stands for all of them.
        assert_eq!(total(&format!("stats.counters.{client}.sampled.count")), 200.0, "{client}");
        assert_eq!(total(&format!("stats.timers.{client}.slow.count")), 200.0, "{client}");
        assert_eq!(total(&format!("stats.timers.{client}.slow.mean")), 320.5, "{client}");
    }
    assert_eq!(total("stats.gauges.py.low"), -7.0);
    assert_eq!(total("stats.timers.hs.spread.count"), 1.0);
    assert_eq!(total("stats.counters.hs.dropped.tags.count"), 1.0);
    // The daemon says a count in whole numbers; the rate has the rest.
    assert_eq!(total("stats.counters.py.part.count"), 0.0);
    assert_eq!(sum(&labelled, "stats.counters.requests.count") / f64::from(rounds), 4.0);
    assert_eq!(sum(&labelled, "stats.gauges.load"), 0.0);
}
