//! How the daemon ends when something is in the way: what is not delivered is never taken for delivered, and the
//! end never waits for what cannot come.

mod support;

use heka_operators::plugin::{PluginError, Site as PluginSite};
use heka_operators::registry::TYPES;
use heka_operators::splitters::{Record, Splitter, SplitterSpec};
use heka_settings::Problems;
use hekad::plan::resolve;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
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

/// A script that ends at the line that its configuration names, until it no longer does.
const DIES: &str = "local last = read_config('last') function process_message() \
                    if read_message('Payload') == last .. '\\n' then error('dead') end ANSWER return 0 end";

/// Lines that were read but not made into messages come again, and those of the other input do not.
fn dies_and_goes_on(site: &Site, config: impl Fn(&str) -> String) {
    fs::create_dir(site.path("logs/calm")).unwrap();
    let section = |last: &str| {
        format!(
            "share_dir = \"$D/share\"\n{}[calm]\ntype = \"LogstreamerInput\"\nlog_directory = \"$D/logs/calm\"\n\
             file_match = 'app\\.log'\n[calm_out]\ntype = \"FileOutput\"\nmessage_matcher = \"Logger == 'calm'\"\n\
             encoder = \"PayloadEncoder\"\npath = \"$D/calm\"\nflush_interval = 20\n",
            config(last)
        )
    };
    site.configure(&section("line 70000"));
    append(&site.path("logs/calm/app.log"), b"calm\n");
    let mut daemon = site.start();
    // Epochs are the same for all inputs: what comes in one with the line that is not delivered may come again.
    wait_for("the other input", || text(site, "state/logstreamer/calm").contains("\"seek\":5"));
    append(&site.path("logs/app.log"), lines(150_000).as_bytes());
    assert_eq!(daemon.wait(), 1);
    let errors = text(site, "stderr");
    assert!(errors.contains("comes again after the next start"), "{errors}");
    assert!(!text(site, "out").contains("line 70000\n"));
    site.configure(&section(""));
    let daemon = site.start();
    wait_for("everything", || text(site, "out").ends_with("line 149999\n"));
    assert_eq!(daemon.stop(), 0);
    let out = text(site, "out");
    let position = |line: &str| line.strip_prefix("line ").and_then(|number| number.parse::<usize>().ok());
    let mut seen = vec![0; 150_000];
    out.lines().for_each(|line| seen[position(line).unwrap()] += 1);
    assert_eq!(seen.iter().position(|times| *times == 0), None, "a line was lost");
    assert_eq!(text(site, "calm"), "calm\n", "what another input delivered counts");
}

#[test]
fn what_a_dead_decoder_left_comes_again() {
    let site = Site::new("");
    let script = |last: &str| {
        format!(
            "{}[decoder]\ntype = \"SandboxDecoder\"\nfilename = \"dies.lua\"\n[decoder.config]\nlast = \"{last}\"\n",
            copy("out").replace("file_match", "decoder = \"decoder\"\nfile_match").replace("TRUE", "Logger != 'calm'")
        )
    };
    fs::create_dir_all(site.path("share")).unwrap();
    fs::write(site.path("share/dies.lua"), DIES.replace("ANSWER", "")).unwrap();
    dies_and_goes_on(&site, script);
    assert!(text(&site, "stderr").contains("records were not decoded"), "{}", text(&site, "stderr"));
}

#[test]
fn what_a_dead_encoder_left_comes_again() {
    let site = Site::new("");
    let script = |last: &str| {
        format!(
            "{}[encoder]\ntype = \"SandboxEncoder\"\nfilename = \"dies.lua\"\n[encoder.config]\nlast = \"{last}\"\n",
            copy("out")
                .replace("encoder = \"PayloadEncoder\"", "encoder = \"encoder\"")
                .replace("TRUE", "Logger != 'calm'")
        )
    };
    fs::create_dir_all(site.path("share")).unwrap();
    let answer = "inject_payload('', '', read_message('Payload'))";
    fs::write(site.path("share/dies.lua"), DIES.replace("ANSWER", answer)).unwrap();
    dies_and_goes_on(&site, script);
    assert!(text(&site, "stderr").contains("messages were not delivered"), "{}", text(&site, "stderr"));
}

#[test]
fn an_encoder_that_may_end_does_not_hold_up_positions() {
    let config = |name: &str| {
        format!(
            "share_dir = \"$D/share\"\n{}can_exit = true\n{SECOND}[encoder]\ntype = \"SandboxEncoder\"\n\
             filename = \"dies.lua\"\n[encoder.config]\nlast = \"line 3\"\n",
            copy(name).replacen("encoder = \"PayloadEncoder\"", "encoder = \"encoder\"", 1)
        )
    };
    let site = Site::new(&config("out"));
    fs::create_dir(site.path("share")).unwrap();
    let answer = "inject_payload('', '', read_message('Payload'))";
    fs::write(site.path("share/dies.lua"), DIES.replace("ANSWER", answer)).unwrap();
    append(&site.path("logs/app.log"), lines(10).as_bytes());
    let daemon = site.start();
    wait_for("the other output", || text(&site, "second") == lines(10));
    wait_for("the drops", || {
        daemon.signal(libc::SIGUSR1);
        text(&site, "stdout").contains("Dropped-output-ended: 7")
    });
    assert_eq!(daemon.stop(), 0);
    assert_eq!(text(&site, "out"), lines(3), "what was encoded is delivered");
    let journal = text(&site, "state/logstreamer/LogstreamerInput");
    assert!(journal.contains(&format!("\"seek\":{}", lines(10).len())), "{journal}");
}

/// A splitter with a bug: it panics at the second bytes it sees.
struct Panics(usize);

impl Splitter for Panics {
    fn split(&mut self, data: &[u8], _: bool, records: &mut Vec<Record>) -> usize {
        self.0 += 1;
        assert!(self.0 < 2, "a bug");
        let ends = memchr::memchr_iter(b'\n', data).map(|at| at + 1);
        let mut start = 0;
        records.extend(ends.map(|end| Record::unsigned(std::mem::replace(&mut start, end), end)));
        start
    }

    fn give_up(&mut self, rest: &[u8]) -> usize {
        rest.len()
    }
}

struct PanicsSpec;

impl SplitterSpec for PanicsSpec {
    fn build(&self, _: &PluginSite) -> Result<Box<dyn Splitter>, PluginError> {
        Ok(Box::new(Panics(0)))
    }
}

#[test]
fn what_a_splitter_with_a_bug_left_comes_again() {
    let site = Site::new(&copy("out"));
    append(&site.path("logs/app.log"), lines(100_000).as_bytes());
    let loaded = hekad::config::load(&site.path("hekad.toml"), TYPES, &|_| None).unwrap();
    let mut plan = resolve(&loaded.config, &mut Problems::default()).unwrap();
    plan.inputs[0].splitter.spec = Arc::new(PanicsSpec);
    assert_eq!(hekad::engine::run(plan), 1, "the daemon does not go on without its input");
    assert!(text(&site, "out").lines().count() < 100_000);
    let daemon = site.start();
    wait_for("everything", || text(&site, "out").ends_with("line 99999\n"));
    assert_eq!(daemon.stop(), 0);
    let out = text(&site, "out");
    let seen: std::collections::HashSet<&str> = out.lines().collect();
    assert_eq!(lines(100_000).lines().find(|line| !seen.contains(line)), None, "a line was lost");
}
