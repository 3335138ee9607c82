//! A start with a queue on disk that is nearly full: what would fill it further waits until it drains.

mod support;

use heka_message::{BatchBuilder, framing::write_frame, write_message};
use std::io::Read;
use std::net::TcpListener;
use support::{Site, append, free_address, wait_for};

const LIMIT: usize = 400_000;

/// Framed messages of somewhat more than nine tenths of the limit, and how many.
fn backlog() -> (Vec<u8>, usize) {
    let mut builder = BatchBuilder::default();
    let payload = builder.text(&[b'x'; 1000]);
    builder.row().payload = payload;
    let batch = builder.finish();
    let mut body = Vec::new();
    write_message(batch.row(0), &mut body);
    let (mut bytes, mut count) = (Vec::new(), 0);
    while bytes.len() < LIMIT / 100 * 95 {
        write_frame(&body, 65536, &mut bytes).unwrap();
        count += 1;
    }
    (bytes, count)
}

fn site(address: &str, full_action: &str) -> Site {
    let site = Site::new(&format!(
        "full_buffer_max_retries = 2\nshutdown_deadline = \"1h\"\n\
         [LogstreamerInput]\nlog_directory = \"$D/logs\"\nfile_match = 'app\\.log'\n\
         [PayloadEncoder]\nappend_newlines = false\n\
         [TcpOutput]\naddress = \"{address}\"\nmessage_matcher = \"TRUE\"\nencoder = \"PayloadEncoder\"\n\
         [TcpOutput.buffering]\nmax_buffer_size = {LIMIT}\nfull_action = \"{full_action}\"\n"
    ));
    std::fs::create_dir_all(site.path("state/output_queue/TcpOutput")).unwrap();
    append(&site.path("state/output_queue/TcpOutput/0.log"), &backlog().0);
    append(&site.path("logs/app.log"), b"the line\n");
    site
}

fn log(site: &Site, name: &str) -> String {
    String::from_utf8_lossy(&site.read(name)).into_owned()
}

const DELAY: &str = "Plugin 'TcpOutput': Delaying start while trying to relieve back-pressure...";
const STARTED: &str = "Input started: LogstreamerInput";

#[test]
fn a_queue_that_does_not_drain_and_may_not_fill_ends_the_daemon() {
    let site = site(&free_address(), "shutdown");
    assert_eq!(site.start().wait(), 1);
    let (info, errors) = (log(&site, "stdout"), log(&site, "stderr"));
    assert!(info.contains(DELAY) && !info.contains(STARTED), "{info}");
    assert!(errors.contains("back-pressure not resolving: triggering shutdown"), "{errors}");
    // Nothing is lost of what was in it.
    assert_eq!(site.read("state/output_queue/TcpOutput/0.log").len(), backlog().0.len());
}

#[test]
fn a_queue_that_does_not_drain_but_may_block_does_not_prevent_the_start() {
    let site = site(&free_address(), "block");
    let mut daemon = site.start();
    wait_for("the start", || log(&site, "stdout").contains(STARTED));
    assert!(log(&site, "stdout").contains(DELAY));
    daemon.signal(libc::SIGINT);
    daemon.wait();
}

#[test]
fn a_queue_that_drains_is_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let site = site(&listener.local_addr().unwrap().to_string(), "shutdown");
    let daemon = site.start();
    let (mut peer, _) = listener.accept().unwrap();
    let reader = std::thread::spawn(move || {
        let mut all = Vec::new();
        peer.read_to_end(&mut all).unwrap();
        all
    });
    wait_for("the start", || log(&site, "stdout").contains(STARTED));
    wait_for("an empty queue", || {
        daemon.signal(libc::SIGUSR1);
        log(&site, "stdout").rsplit_once("QueueBytes:").is_some_and(|(_, rest)| rest.starts_with(" 0\n"))
    });
    assert_eq!(daemon.stop(), 0);
    let all = reader.join().unwrap();
    assert!(log(&site, "stdout").contains(DELAY));
    assert_eq!(all.len(), backlog().1 * 1000 + b"the line\n".len());
    assert!(all.ends_with(b"the line\n"));
}

#[test]
fn a_stop_is_heard_while_the_start_waits() {
    let site = site(&free_address(), "shutdown");
    site.configure(
        &std::fs::read_to_string(site.path("hekad.toml"))
            .unwrap()
            .split_once("log_flags = 0\n")
            .map(|(_, rest)| rest.replace("full_buffer_max_retries = 2", "full_buffer_max_retries = 100000"))
            .unwrap(),
    );
    let mut daemon = site.start();
    wait_for("the delay", || log(&site, "stdout").contains(DELAY));
    daemon.signal(libc::SIGINT);
    daemon.wait();
    assert!(!log(&site, "stdout").contains(STARTED));
}
