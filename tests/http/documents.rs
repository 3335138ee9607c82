//! From a file to a bulk interface, over everything that can go wrong: every document is there, once.

use crate::bulk::{Behaviour, Bulk};
use crate::support::{Random, Site, append, peer, wait_for};
use std::time::Duration;

const PATIENT: Behaviour = Behaviour { failures: 0, types: true, most_bytes: usize::MAX };

fn config(server: &str, more: &str) -> String {
    format!(
        "[LogstreamerInput]\nlog_directory = \"$D/logs\"\nfile_match = 'app\\.log'\n\
         [ESJsonEncoder]\nid = \"%{{UUID}}\"\nindex = \"App\"\n\
         [ElasticSearchOutput]\nmessage_matcher = \"Type == 'logfile'\"\nserver = \"http://{server}\"\n\
         encoder = \"ESJsonEncoder\"\nhttp_timeout = 500\n{more}"
    )
}

/// The lines with these numbers; one in 97 is poison.
fn lines(numbers: std::ops::Range<usize>) -> String {
    numbers.map(|n| if n % 97 == 0 { format!("{n:06} poison\n") } else { format!("{n:06} \"x\\\t é\n") }).collect()
}

fn wholesome(total: usize) -> Vec<String> {
    lines(0..total).lines().filter(|line| !line.contains("poison")).map(str::to_owned).collect()
}

/// Starts it again and again while lines are written, and in the end everything must be there, once.
fn survive(more: &str, behaviour: Behaviour, rounds: usize, crash: bool) {
    let bulk = Bulk::start(behaviour);
    let site = Site::new(&config(&bulk.address, more));
    let mut random = Random::new(3);
    let mut written = 0;
    let mut write = |site: &Site, n: usize| {
        append(&site.path("logs/app.log"), lines(written..written + n).as_bytes());
        written += n;
        written
    };
    for _ in 0..rounds {
        let daemon = site.start();
        for _ in 0..3 {
            write(&site, 200);
            std::thread::sleep(Duration::from_millis(random.below(300)));
        }
        if crash {
            daemon.crash();
        } else {
            // At a stop, an output that makes no progress gives up; what it has not delivered comes again.
            daemon.stop();
        }
    }
    let daemon = site.start();
    let total = write(&site, 200);
    let expected = wholesome(total);
    wait_for("all documents", || bulk.payloads().len() == expected.len());
    let poison = total.div_ceil(97);
    wait_for("all refusals", || {
        let letters = String::from_utf8_lossy(&site.read("state/dead.json")).into_owned();
        let mut seen: Vec<usize> = letters
            .lines()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
            .filter_map(|letter| letter["record"].as_str()?.split("\"Payload\":\"").nth(1)?.get(..6)?.parse().ok())
            .collect();
        seen.sort_unstable();
        seen.dedup();
        assert!(seen.iter().all(|n| n % 97 == 0), "{seen:?}");
        seen.len() == poison
    });
    assert_eq!(daemon.stop(), 0);
    assert_eq!(bulk.payloads(), expected);
    let store = bulk.store();
    assert!(store.wrong.is_empty(), "{:?}", store.wrong);
    eprintln!(
        "{total} lines, {} stored, {} stored again, {} refused, {} requests, failures: {:?}",
        store.documents.len(),
        store.again,
        store.refused,
        store.requests,
        store.failures
    );
    assert!(store.refused >= poison);
}

#[test]
fn every_document_is_stored_once_over_failures_and_crashes() {
    let behaviour = Behaviour { failures: 15, types: false, most_bytes: 30_000 };
    let more = "flush_count = 100\nflush_interval = 50\ndead_letter_file = \"dead.json\"\nuse_buffering = false\n";
    survive(more, behaviour, 8, true);
}

#[test]
fn and_over_stops_with_a_queue_on_disk() {
    let behaviour = Behaviour { failures: 15, types: true, most_bytes: usize::MAX };
    let more = "flush_count = 30\nflush_interval = 20\ngzip = true\ndead_letter_file = \"dead.json\"\n";
    survive(more, behaviour, 3, false);
    survive(more, behaviour, 3, true);
}

#[test]
fn a_server_that_comes_late_gets_everything_and_a_stop_sends_what_is_pending() {
    let bulk = Bulk::start(PATIENT);
    // The flush timer alone would never send it.
    let site = Site::new(&config(&bulk.address, "flush_count = 1000000\nflush_interval = 3600000\n"));
    append(&site.path("logs/app.log"), lines(1..50).as_bytes());
    let daemon = site.start();
    wait_for("the input", || String::from_utf8_lossy(&site.read("stdout")).contains("Input started"));
    wait_for("the queue", || {
        std::fs::metadata(site.path("state/output_queue/ElasticSearchOutput/0.log"))
            .is_ok_and(|file| file.len() > 49 * 40)
    });
    assert_eq!(daemon.stop(), 0);
    assert_eq!(bulk.payloads(), lines(1..50).lines().collect::<Vec<_>>());
}

/// Writes with the official client, and reads what it and the daemon have written.
const CLIENT: &str = r#"
import sys
from elasticsearch import Elasticsearch, helpers
es = Elasticsearch("http://" + sys.argv[1])
print(helpers.bulk(es, ({"_index": "client", "_id": str(n), "Payload": "p%d" % n} for n in range(300)))[0])
print(es.count(index="client")["count"], es.count(index="app")["count"])
print(repr(es.get(index="app", id=sys.argv[2])["_source"]["Payload"]))
"#;

#[test]
fn the_official_client_finds_what_was_delivered() {
    let Some(python) = peer::find("python") else { return };
    let bulk = Bulk::start(Behaviour { types: false, ..PATIENT });
    let site = Site::new(&config(&bulk.address, "flush_interval = 50\n"));
    append(&site.path("logs/app.log"), lines(1..90).as_bytes());
    let daemon = site.start();
    wait_for("the documents", || bulk.store().documents.len() == 89);
    assert_eq!(daemon.stop(), 0);
    let id = {
        let store = bulk.store();
        let found = store.documents.iter().find(|(_, document)| document["Payload"] == "000007 \"x\\\t é\n");
        found.expect("line 7").0.1.clone()
    };
    let run = std::process::Command::new(python).args(["-c", CLIENT, &bulk.address, &id]).output().unwrap();
    let text = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    assert_eq!(text, "300\n300 89\n'000007 \"x\\\\\\t é\\n'\n");
    assert!(bulk.store().wrong.is_empty());
}
