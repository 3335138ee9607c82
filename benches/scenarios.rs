//! Whole-daemon measurements: CPU per line and peak memory, beside `wc -l` on the same file in the same run.
//!
//! `cargo bench --bench scenarios` runs 5 million generated nginx lines; `-- --smoke` a fiftieth of them, to show
//! that it still works. Ratios between rows of one run mean something; the rows themselves depend on the machine.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// One measured row.
struct Row {
    name: &'static str,
    seconds: f64,
    cpu: f64,
    peak_mib: f64,
}

fn main() {
    let smoke = std::env::args().any(|argument| argument == "--smoke");
    let lines: u64 = if smoke { 100_000 } else { 5_000_000 };
    let dir = tempfile::tempdir().expect("a temporary directory");
    fs::create_dir(dir.path().join("logs")).expect("a folder for the log");
    let log = dir.path().join("logs/access.log");
    let bytes = generate(&log, lines).expect("room for the generated log");
    println!("{lines} nginx lines, {:.1} MB", bytes as f64 / 1e6);
    println!("{:<34} {:>10} {:>9} {:>12} {:>9}", "scenario", "lines/s", "MB/s", "CPU µs/line", "peak MiB");
    let rows = [
        physical(&log),
        daemon("read -> nothing", dir.path(), bytes, 1, NOTHING),
        daemon("read -> counter and /dev/null", dir.path(), bytes, 1, COUNT_AND_WRITE),
        daemon("the same, 2 workers", dir.path(), bytes, 2, COUNT_AND_WRITE),
        daemon("read -> regex -> /dev/null", dir.path(), bytes, 1, REGEX),
    ];
    for row in rows {
        println!(
            "{:<34} {:>10.0} {:>9.0} {:>12.3} {:>9.1}",
            row.name,
            lines as f64 / row.seconds,
            bytes as f64 / 1e6 / row.seconds,
            row.cpu * 1e6 / lines as f64,
            row.peak_mib
        );
    }
}

const NOTHING: &str = "[LogOutput]\nmessage_matcher = \"FALSE\"\nencoder = \"PayloadEncoder\"\n";
const COUNT_AND_WRITE: &str = "[CounterFilter]\nticker_interval = 1\n[FileOutput]\nmessage_matcher = \"Type == 'logfile'\"\n\
    encoder = \"PayloadEncoder\"\npath = \"/dev/null\"\n";
const REGEX: &str = "[FileOutput]\nmessage_matcher = \"Payload =~ /\\\" 5\\\\d\\\\d /\"\nencoder = \"PayloadEncoder\"\n\
    path = \"/dev/null\"\n";

/// Writes seeded lines in nginx's combined format; returns their bytes.
fn generate(path: &Path, lines: u64) -> std::io::Result<u64> {
    const PATHS: [&str; 6] =
        ["/", "/cart", "/login", "/api/v1/items?page=3", "/static/app.3f9a.js", "/search?q=green+tea"];
    const AGENTS: [&str; 3] = [
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
        "curl/8.5.0",
    ];
    let mut file = BufWriter::with_capacity(1 << 20, fs::File::create(path)?);
    let mut state = 0x853c_49e6_748f_ea9bu64;
    let mut random = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for i in 0..lines {
        let status = [200, 200, 200, 200, 304, 404, 500][random(7) as usize];
        writeln!(
            file,
            "192.0.2.{} - - [09/Mar/2015:{:02}:{:02}:{:02} +0000] \"GET {} HTTP/1.1\" {status} {} \"https://shop.example.net/\" \"{}\"",
            random(250),
            i / 3600 % 24,
            i / 60 % 60,
            i % 60,
            PATHS[random(6) as usize],
            random(60_000),
            AGENTS[random(3) as usize],
        )?;
    }
    file.flush()?;
    Ok(fs::metadata(path)?.len())
}

/// What merely reading and finding newlines costs.
fn physical(log: &Path) -> Row {
    let begin = Instant::now();
    let mut child = Command::new("wc").arg("-l").arg(log).stdout(Stdio::null()).spawn().expect("wc");
    let mut cpu = 0.0;
    while child.try_wait().expect("wc").is_none() {
        cpu = usage(&child).map_or(cpu, |(cpu, _)| cpu);
        std::thread::sleep(Duration::from_millis(1));
    }
    Row { name: "wc -l", seconds: begin.elapsed().as_secs_f64(), cpu, peak_mib: 2.0 }
}

fn daemon(name: &'static str, dir: &Path, bytes: u64, workers: usize, consumers: &str) -> Row {
    let dir_text = dir.display();
    let config = format!(
        "[hekad]\nmaxprocs = {workers}\nbase_dir = \"{dir_text}/state\"\n[bench]\ntype = \"LogstreamerInput\"\n\
         log_directory = \"{dir_text}/logs\"\nfile_match = 'access\\.log'\n[PayloadEncoder]\nappend_newlines = false\n{consumers}"
    );
    let path: PathBuf = dir.join("hekad.toml");
    fs::write(&path, config).expect("a configuration");
    let _ = fs::remove_dir_all(dir.join("state"));
    let begin = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_hekad"))
        .arg(format!("-config={}", path.display()))
        .stdout(Stdio::null())
        .spawn()
        .expect("hekad");
    // The position is written down when everything before it is delivered: that is the end of the work.
    let journal = dir.join("state/logstreamer/bench");
    let goal = format!("\"seek\":{bytes},");
    let mut measured = (0.0, 0.0);
    while !fs::read_to_string(&journal).is_ok_and(|text| text.contains(&goal)) {
        measured = usage(&child).expect("hekad ended early");
        assert!(begin.elapsed() < Duration::from_secs(600), "{name}: not done after ten minutes");
        std::thread::sleep(Duration::from_millis(5));
    }
    let seconds = begin.elapsed().as_secs_f64();
    measured = usage(&child).unwrap_or(measured);
    child.kill().expect("hekad runs");
    child.wait().expect("hekad ends");
    Row { name, seconds, cpu: measured.0, peak_mib: measured.1 }
}

/// Seconds of CPU and peak memory in MiB of a running process.
fn usage(child: &Child) -> Option<(f64, f64)> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).ok()?;
    let after_name: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    let ticks: f64 = after_name.get(11)?.parse::<f64>().ok()? + after_name.get(12)?.parse::<f64>().ok()?;
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: f64 = peak.and_then(|text| text.split_whitespace().next()?.parse().ok()).unwrap_or(0.0);
    // SAFETY: asks for a constant of the system.
    let per_second = unsafe { libc::sysconf(libc::_SC_CLK_TCK) } as f64;
    Some((ticks / per_second, kib / 1024.0))
}
