//! A real nginx with an access log in its combined format, a load tool for it, and rotation as logrotate does it.

use crate::support::peer::{self, Running};
use crate::support::{connect, free_address};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

/// nginx, serving a page and failing on demand.
pub struct Nginx {
    running: Running,
    address: String,
    logs: PathBuf,
    load_tool: PathBuf,
    loads: AtomicUsize,
}

impl Nginx {
    /// Starts it below `dir`, with its log in `logs`; `None` where the machine lacks it or its load tool.
    pub fn start(dir: &Path, logs: &Path) -> Option<Nginx> {
        let (program, load_tool) = (peer::find("nginx")?, peer::find("ab")?);
        let address = free_address();
        fs::create_dir_all(dir.join("pages")).unwrap();
        fs::write(dir.join("pages/index.html"), "<p>hello</p>\n").unwrap();
        let (root, log) = (dir.display(), logs.join("access.log").display().to_string());
        let temp: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("  {kind}_temp_path {root}/{kind};\n"))
            .concat();
        let configuration = format!(
            "daemon off;\nmaster_process off;\nworker_processes 1;\npid {root}/nginx.pid;\nerror_log {root}/error.log;\n\
             events {{ worker_connections 256; }}\n\
             http {{\n{temp}  access_log {log} combined;\n  keepalive_requests 1000000;\n\
             \x20 server {{\n    listen {address};\n    root {root}/pages;\n    location /broken {{ return 500; }}\n  }}\n}}\n"
        );
        let file = dir.join("nginx.conf");
        fs::write(&file, configuration).unwrap();
        let mut command = Command::new(program);
        command.arg("-p").arg(dir).arg("-c").arg(&file).arg("-e").arg(dir.join("error.log"));
        let running = Running::start(&mut command, &dir.join("nginx.out"));
        connect(&address);
        Some(Nginx { running, address, logs: logs.to_owned(), load_tool, loads: AtomicUsize::new(0) })
    }

    /// Has the load tool make `requests` requests for `path`, and waits for it. Each load has a number of its own: two
    /// logs of one second with the same lines, byte for byte, would be one log to anybody.
    pub fn load(&self, path: &str, requests: usize) {
        let number = self.loads.fetch_add(1, Ordering::Relaxed);
        let url = format!("http://{}{path}?{number}", self.address);
        let mut command = Command::new(&self.load_tool);
        command.args(["-q", "-k", "-c", "4", "-n", &requests.to_string(), &url]).stdin(Stdio::null());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Moves every log one number up, compresses what was `access.log.1`, and has nginx begin a new log.
    pub fn rotate(&self) {
        let numbered = |number: usize| match number {
            0 => self.logs.join("access.log"),
            1 => self.logs.join("access.log.1"),
            _ => self.logs.join(format!("access.log.{number}.gz")),
        };
        let oldest = (0..).find(|number| !numbered(*number).exists()).unwrap();
        for number in (0..oldest).rev() {
            if number == 1 {
                compress(&numbered(1), &numbered(2));
            } else {
                fs::rename(numbered(number), numbered(number + 1)).unwrap();
            }
        }
        self.running.signal(libc::SIGUSR1);
        crate::support::wait_for("nginx's new log", || numbered(0).exists());
    }
}

/// Compresses as `gzip` does: under another name first, with the time of the original, which is removed last.
fn compress(from: &Path, to: &Path) {
    let partial = to.with_extension("part");
    let mut encoder = GzEncoder::new(fs::File::create(&partial).unwrap(), Compression::default());
    encoder.write_all(&fs::read(from).unwrap()).unwrap();
    let file = encoder.finish().unwrap();
    file.set_modified(fs::metadata(from).unwrap().modified().unwrap()).unwrap();
    fs::rename(&partial, to).unwrap();
    fs::remove_file(from).unwrap();
}

/// The lines of all logs, compressed or not: what the pipeline has to deliver.
pub fn lines(logs: &Path) -> Vec<String> {
    let mut text = String::new();
    for entry in fs::read_dir(logs).unwrap() {
        let path = entry.unwrap().path();
        let mut file = fs::File::open(&path).unwrap();
        if path.extension().is_some_and(|extension| extension == "gz") {
            GzDecoder::new(file).read_to_string(&mut text).unwrap();
        } else {
            file.read_to_string(&mut text).unwrap();
        }
    }
    text.lines().map(str::to_owned).collect()
}
