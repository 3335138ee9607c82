//! How the daemon ends when something is in the way: what is not delivered is never taken for delivered, and the
//! end never waits for what cannot come.

mod support;

use std::fs;
use std::io::Read;
use std::path::Path;
use support::{Daemon, Site, append, wait_for};

/// Copies lines to `$D/<path>`. A shutdown may take longer than any test waits.
fn copy(path: &str) -> String {
    format!(
        "shutdown_deadline = \"1h\"\n[LogstreamerInput]\nlog_directory = \"$D/logs\"\nfile_match = 'app\\.log'\n\
         [PayloadEncoder]\nappend_newlines = false\n\
         [FileOutput]\nmessage_matcher = \"TRUE\"\nencoder = \"PayloadEncoder\"\npath = \"$D/{path}\"\n\
         flush_interval = 20\n"
    )
}

/// What a file beside the first output also gets.
const SECOND: &str = "[second]\ntype = \"FileOutput\"\nmessage_matcher = \"TRUE\"\nencoder = \"PayloadEncoder\"\n\
                      path = \"$D/second\"\nflush_interval = 20\n";

fn text(site: &Site, name: &str) -> String {
    String::from_utf8_lossy(&site.read(name)).into_owned()
}

fn lines(n: usize) -> String {
    (0..n).map(|i| format!("line {i}\n")).collect()
}

/// A FIFO that is open and not read, so that an output that writes to it stalls.
fn stalled_pipe(path: &Path) -> fs::File {
    let name = std::ffi::CString::new(path.to_str().unwrap()).unwrap();
    // SAFETY: the name is a C string that outlives the call.
    assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
    fs::OpenOptions::new().read(true).write(true).open(path).unwrap()
}

/// A daemon whose output stalls with the inputs' budget used up.
fn stalled(site: &Site) -> (fs::File, Daemon, usize) {
    let pipe = stalled_pipe(&site.path("pipe"));
    let input = "x".repeat(199) + "\n";
    let count = 200_000;
    append(&site.path("logs/app.log"), input.repeat(count).as_bytes());
    let daemon = site.start();
    wait_for("the start", || text(site, "stdout").contains("Input started: LogstreamerInput"));
    // Reading stops when no share of the budget is left: then what is free no longer changes.
    let mut last = (String::new(), 0);
    wait_for("the stall", || {
        daemon.signal(libc::SIGUSR1);
        std::thread::sleep(std::time::Duration::from_millis(20));
        let free = text(site, "stdout").rsplit_once("inputRecycleChan:").map(|(_, report)| report.to_owned());
        let free: String = free.unwrap_or_default().lines().take(3).collect();
        last = if free == last.0 { (free, last.1 + 1) } else { (free, 0) };
        last.1 > 20 && !last.0.contains("InChanLength: 12288")
    });
    (pipe, daemon, count * 200)
}

/// Reads what a daemon started again delivers, to the end.
fn rest_comes(site: &Site, pipe: &mut fs::File, bytes: usize) {
    let daemon = site.start();
    let mut buffer = vec![0; 1 << 20];
    let mut seen = 0;
    while seen < bytes {
        seen += pipe.read(&mut buffer).unwrap();
    }
    assert_eq!(daemon.stop(), 0);
}

#[test]
fn an_output_that_ended_for_good_ends_the_daemon_at_once_and_nothing_counts_as_delivered() {
    // A directory cannot be written to.
    let site = Site::new(&format!("{}{SECOND}", copy("logs")));
    append(&site.path("logs/app.log"), lines(1000).as_bytes());
    assert_eq!(site.start().wait(), 1);
    let (info, errors) = (text(&site, "stdout"), text(&site, "stderr"));
    assert!(info.contains("Plugin 'FileOutput': has stopped, shutting down."), "{info}");
    assert!(info.contains("Shutdown complete.") && !errors.contains("did not finish"), "{info}{errors}");
    site.configure(&format!("{}{SECOND}", copy("out")));
    let daemon = site.start();
    wait_for("everything", || text(&site, "out").ends_with("line 999\n"));
    assert_eq!(daemon.stop(), 0);
    assert_eq!(text(&site, "out"), lines(1000));
    // At least once, and in order.
    assert!(text(&site, "second").ends_with(&lines(1000)));
}

#[test]
fn an_output_that_may_exit_does_not_hold_up_what_others_deliver() {
    let site = Site::new(&format!("{}can_exit = true\n{SECOND}", copy("logs")));
    append(&site.path("logs/app.log"), lines(10).as_bytes());
    let daemon = site.start();
    wait_for("the other output", || text(&site, "second") == lines(10));
    wait_for("the drops", || {
        daemon.signal(libc::SIGUSR1);
        text(&site, "stdout").contains("Dropped-output-ended: 10")
    });
    assert_eq!(daemon.stop(), 0);
    // Dropped by a rule with a name: that is done with, and does not come again.
    site.configure(&format!("{}{SECOND}", copy("out")));
    append(&site.path("logs/app.log"), b"more\n");
    let daemon = site.start();
    wait_for("more", || text(&site, "out").ends_with("more\n"));
    assert_eq!(daemon.stop(), 0);
    assert_eq!(text(&site, "out"), "more\n");
}

#[test]
fn a_second_interrupt_leaves_what_hangs_and_keeps_what_was_delivered() {
    let site = Site::new(&format!("{}{SECOND}", copy("pipe")));
    let (mut pipe, mut daemon, bytes) = stalled(&site);
    daemon.signal(libc::SIGINT);
    wait_for("the shutdown", || text(&site, "stdout").contains("Shutdown initiated."));
    daemon.signal(libc::SIGINT);
    assert_eq!(daemon.wait(), 1);
    let errors = text(&site, "stderr");
    assert!(errors.contains("FileOutput") && errors.contains("messages were not delivered"), "{errors}");
    rest_comes(&site, &mut pipe, bytes);
}

#[test]
fn a_wedged_daemon_reports_saves_and_ends_on_demand() {
    let site = Site::new(&copy("pipe"));
    let (mut pipe, mut daemon, bytes) = stalled(&site);
    daemon.signal(libc::SIGUSR2);
    assert_eq!(daemon.wait(), 1);
    let info = text(&site, "stdout");
    let (_, after) = info.split_once("Sandbox abort initiated.").unwrap();
    assert!(after.contains("========[heka.all-report]========") && after.contains("Shutdown initiated."), "{after}");
    rest_comes(&site, &mut pipe, bytes);
}

#[test]
fn the_same_demand_works_while_a_shutdown_hangs() {
    let site = Site::new(&copy("pipe"));
    let (_pipe, mut daemon, _) = stalled(&site);
    daemon.signal(libc::SIGTERM);
    wait_for("the shutdown", || text(&site, "stdout").contains("Shutdown initiated."));
    daemon.signal(libc::SIGUSR2);
    assert_eq!(daemon.wait(), 1);
}

#[test]
fn a_daemon_that_is_alive_refuses_to_abort() {
    for workers in [1, 3] {
        let site = Site::new(&format!("maxprocs = {workers}\n{}", copy("out")));
        append(&site.path("logs/app.log"), b"one\n");
        let daemon = site.start();
        wait_for("the line", || text(&site, "out") == "one\n");
        daemon.signal(libc::SIGUSR2);
        wait_for("the answer", || {
            text(&site, "stderr")
                .contains("Can't save sandboxes while router is processing messages, use regular shutdown.")
        });
        append(&site.path("logs/app.log"), b"two\n");
        wait_for("the next line", || text(&site, "out") == "one\ntwo\n");
        assert_eq!(daemon.stop(), 0);
    }
}
