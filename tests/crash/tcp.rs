//! From a file to a TCP peer that stalls and drops connections while the daemon is killed again and again.

use crate::peer::{LINE, Ledger, Peer};
use crate::queue::unread;
use crate::support::{Random, Site, append, wait_for};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Bytes that TcpOutput keeps for the next connection: more than the peer's kernel holds unread.
const WINDOW: usize = 256 * 1024;
/// Bytes that an output may have unacknowledged.
const UNACKNOWLEDGED: usize = 4 * 1024 * 1024;
/// What one block may exceed a limit by.
const BLOCK: usize = 256 * 1024;

fn config(peer: &Peer, buffering: bool) -> String {
    format!(
        "[LogstreamerInput]\nlog_directory = \"$D/logs\"\nfile_match = 'app\\.log'\n\
         [PayloadEncoder]\nappend_newlines = false\n\
         [TcpOutput]\nmessage_matcher = \"TRUE\"\nencoder = \"PayloadEncoder\"\naddress = \"{}\"\n\
         use_buffering = {buffering}\nreplay_window = {WINDOW}\n",
        peer.address
    )
}

#[test]
fn fifty_crashes_in_front_of_a_bad_peer_lose_no_line() {
    survive(false, 50);
}

#[test]
fn nor_with_a_queue_on_disk() {
    survive(true, 15);
}

/// Lines that are not committed: a restart delivers them, again if they were delivered. Those not committed by
/// the input, and those that are in the queue behind its reader's checkpoint.
fn uncommitted(site: &Site, written: u64) -> u64 {
    let journal = site.read("state/logstreamer/LogstreamerInput");
    let seek = serde_json::from_slice::<serde_json::Value>(&journal)
        .ok()
        .and_then(|journal| journal["seek"].as_u64())
        .unwrap_or(0);
    // A queued line is longer than the line.
    written - seek / LINE as u64 + unread(site, "TcpOutput") / LINE as u64
}

/// Writes lines while the daemon is killed `crashes` times; in the end the peers must have read every line.
fn survive(buffering: bool, crashes: u64) {
    let ledger = Arc::new(Mutex::new(Ledger::default()));
    let written = Arc::new(AtomicU64::new(0));
    let mut random = Random::new(u64::from(buffering));
    let site = Site::new("");
    let mut uncommitted_at_crashes = 0;
    let mut peers = Vec::new();
    for crash in 0..crashes {
        let peer = Peer::start(&ledger, &written, random.below(4), Random::new(crash));
        site.configure(&config(&peer, buffering));
        let daemon = site.start();
        for _ in 0..4 {
            let start = written.load(Ordering::SeqCst);
            let end = start + 1000 + random.below(3000);
            let text: String = (start..end).map(|i| format!("{i:0>width$}\n", width = LINE - 1)).collect();
            append(&site.path("logs/app.log"), text.as_bytes());
            written.store(end, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(random.below(160)));
        }
        peer.kill(daemon);
        uncommitted_at_crashes += uncommitted(&site, written.load(Ordering::SeqCst));
        // It goes on reading what the dead daemon left, beside the peer of the next one.
        peers.push(peer);
    }
    let peer = Peer::start(&ledger, &written, 0, Random::new(crashes));
    site.configure(&config(&peer, buffering));
    let printed = site.read("stdout").len();
    let daemon = site.start();
    wait_for("the last start", || String::from_utf8_lossy(&site.read("stdout")[printed..]).contains("Input started"));
    peers.into_iter().for_each(Peer::join);
    let written = written.load(Ordering::SeqCst);
    wait_for("the last line", || ledger.lock().unwrap().complete == written);
    assert_eq!(daemon.stop(), 0, "{}", String::from_utf8_lossy(&site.read("stderr")));
    peer.join();
    let ledger = ledger.lock().unwrap();
    let lost = written - ledger.counts.iter().filter(|count| **count > 0).count() as u64;
    let Ledger { drops, replayed, most_replayed, recovered, .. } = *ledger;
    eprintln!(
        "buffering {buffering}: {written} lines, {crashes} crashes, {drops} connections dropped, {lost} lost; again: \
         {replayed} because of drops ({most_replayed} at most after one), {recovered} because of crashes, when \
         {uncommitted_at_crashes} were not committed"
    );
    assert_eq!(lost, 0);
    assert!(drops > 0 && replayed > 0, "the peer was well-behaved");
    let in_flight = ((WINDOW + UNACKNOWLEDGED + BLOCK) / LINE) as u64;
    assert!(most_replayed <= in_flight, "{most_replayed} lines came again after one connection broke");
    assert!(recovered <= uncommitted_at_crashes, "more came again than can have been in flight");
}
