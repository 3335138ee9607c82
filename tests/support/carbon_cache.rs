//! A `carbon-cache` of Graphite in a directory of its own, and the points in its Whisper files.

use super::peer::{self, Running};
use super::{free_address, wait_for};
use std::collections::BTreeMap;
use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Values by name and time.
pub type Points = BTreeMap<(String, u32), f64>;

/// Where one is installed, and the directory it works in.
pub struct CarbonCache {
    dir: PathBuf,
    script: PathBuf,
    /// Where it takes lines over TCP and UDP.
    pub address: String,
}

impl CarbonCache {
    /// Configures one below `dir`; `None` on a machine without Carbon.
    pub fn configure(dir: &Path) -> Option<CarbonCache> {
        let script = peer::find("carbon-cache.py")?;
        let (address, query) = (free_address(), free_address());
        let port = |address: &str| address.rsplit_once(':').unwrap().1.to_owned();
        fs::create_dir_all(dir.join("conf")).unwrap();
        fs::write(
            dir.join("conf/carbon.conf"),
            format!(
                "[cache]\nSTORAGE_DIR = {dir}\nCONF_DIR = {dir}/conf\nLOG_DIR = {dir}/log\nPID_DIR = {dir}\n\
                 LOCAL_DATA_DIR = {dir}/whisper\nLINE_RECEIVER_INTERFACE = 127.0.0.1\nLINE_RECEIVER_PORT = {line}\n\
                 ENABLE_UDP_LISTENER = True\nUDP_RECEIVER_INTERFACE = 127.0.0.1\nUDP_RECEIVER_PORT = {line}\n\
                 PICKLE_RECEIVER_PORT = 0\nCACHE_QUERY_INTERFACE = 127.0.0.1\nCACHE_QUERY_PORT = {query}\n\
                 MAX_CREATES_PER_MINUTE = inf\nMAX_UPDATES_PER_SECOND = inf\nENABLE_LOGROTATION = False\n",
                dir = dir.display(),
                line = port(&address),
                query = port(&query),
            ),
        )
        .unwrap();
        fs::write(dir.join("conf/storage-schemas.conf"), "[all]\npattern = .*\nretentions = 1s:1d\n").unwrap();
        Some(CarbonCache { dir: dir.to_owned(), script, address })
    }

    /// Starts it, and waits until it takes connections.
    pub fn start(&self) -> Running {
        let python = self.script.with_file_name("python");
        let mut command = Command::new(if python.is_file() { python } else { "python3".into() });
        command.arg(&self.script).arg("--nodaemon").arg(format!("--config={}/conf/carbon.conf", self.dir.display()));
        command.arg(format!("--pidfile={}/pid", self.dir.display())).arg("start").env("GRAPHITE_ROOT", &self.dir);
        // What a killed one has left would keep the next from starting.
        let _ = fs::remove_file(self.dir.join("pid"));
        let running = Running::start(&mut command, &self.dir.join("output"));
        wait_for("Carbon", || TcpStream::connect(&self.address).is_ok());
        running
    }

    /// All points in its files.
    pub fn points(&self) -> Points {
        let mut points = Points::new();
        read_folder(&self.dir.join("whisper"), "", &mut points);
        points
    }

    /// The sum of all values of a metric; 0 while there is none.
    pub fn sum(&self, metric: &str) -> f64 {
        let file = self.dir.join("whisper").join(metric.replace('.', "/")).with_extension("wsp");
        let mut points = Points::new();
        read_whisper(&fs::read(file).unwrap_or_default(), metric, &mut points);
        points.values().sum()
    }

    pub fn output(&self) -> String {
        fs::read_to_string(self.dir.join("output")).unwrap_or_default()
    }
}

fn read_folder(folder: &Path, prefix: &str, points: &mut Points) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            // What Carbon says about itself.
            if name != "carbon" {
                read_folder(&entry.path(), &format!("{prefix}{name}."), points);
            }
        } else if let Some(name) = name.strip_suffix(".wsp") {
            read_whisper(&fs::read(entry.path()).unwrap(), &format!("{prefix}{name}"), points);
        }
    }
}

/// The points of a Whisper file with one archive: a header of 16 bytes, where the archive is (12 bytes), then points of
/// a time and a value, all with the most significant byte first.
fn read_whisper(file: &[u8], name: &str, points: &mut Points) {
    // A file that is just being made is shorter.
    for point in file.get(28..).unwrap_or_default().chunks_exact(12) {
        let time = u32::from_be_bytes(point[..4].try_into().unwrap());
        if time != 0 {
            points.insert((name.to_owned(), time), f64::from_be_bytes(point[4..].try_into().unwrap()));
        }
    }
}
