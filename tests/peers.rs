//! TcpOutput to a peer that misbehaves: what the peer reads in the end is everything, at least once.

mod support;

use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use support::{PATIENCE, Site, append};

/// Reads lines off one connection after the other until `lines` different ones have come; tells how many there
/// were and how many came again. Every third connection is dropped with bytes unread, every second is left alone
/// for a while first.
fn misbehaving_peer(listener: TcpListener, lines: usize) -> Receiver<(usize, usize)> {
    let (done, result) = channel();
    std::thread::spawn(move || {
        let mut seen: HashSet<String> = HashSet::new();
        let mut again = 0;
        for (number, connection) in listener.incoming().enumerate() {
            if number % 2 == 1 {
                std::thread::sleep(Duration::from_millis(60));
            }
            let mut reader = BufReader::new(connection.unwrap());
            let mut line = String::new();
            let mut read = 0;
            while reader.read_line(&mut line).is_ok_and(|n| n > 0) {
                if line.ends_with('\n') && !seen.insert(line.clone()) {
                    again += 1;
                }
                line.clear();
                read += 1;
                if seen.len() == lines {
                    let _ = done.send((seen.len(), again));
                    return;
                }
                if number % 3 == 0 && read == 700 && number < 30 {
                    break;
                }
            }
        }
    });
    result
}

fn run(buffering: bool) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let site = Site::new(&format!(
        "[LogstreamerInput]\nlog_directory = \"$D/logs\"\nfile_match = 'app\\.log'\n\
         [PayloadEncoder]\nappend_newlines = false\n\
         [TcpOutput]\nmessage_matcher = \"TRUE\"\nencoder = \"PayloadEncoder\"\naddress = \"{address}\"\n\
         use_buffering = {buffering}\n"
    ));
    let lines = 20_000;
    let result = misbehaving_peer(listener, lines);
    let daemon = site.start();
    for round in 0..10 {
        let text: String = (0..2000).map(|i| format!("{round} {i}\n")).collect();
        append(&site.path("logs/app.log"), text.as_bytes());
        std::thread::sleep(Duration::from_millis(30));
    }
    let (seen, again) =
        result.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("lines are missing:\n{}", daemon.log()));
    eprintln!("buffering {buffering}: {seen} lines, 0 lost, {again} delivered again");
    assert_eq!(seen, lines);
}

#[test]
fn a_peer_that_drops_unread_bytes_loses_nothing() {
    run(false);
}

#[test]
fn nor_through_a_queue_on_disk() {
    run(true);
}
