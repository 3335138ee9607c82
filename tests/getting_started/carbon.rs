//! A real carbon-cache, and the numbers in its whisper files.

use crate::support::peer::{self, Running};
use crate::support::{connect, free_address};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// carbon-cache, which takes lines over TCP and UDP and keeps every second.
pub struct Carbon {
    _running: Running,
    pub address: String,
    python: PathBuf,
    whisper: PathBuf,
}

impl Carbon {
    /// Starts it below `dir`; `None` where the machine lacks it.
    pub fn start(dir: &Path) -> Option<Carbon> {
        let (program, python) = (peer::find("carbon-cache.py")?, peer::find("python")?);
        let address = free_address();
        for folder in ["conf", "whisper", "log"] {
            fs::create_dir_all(dir.join(folder)).unwrap();
        }
        let port = |address: &str| address.rsplit(':').next().unwrap().to_owned();
        let (root, line) = (dir.display(), port(&address));
        let (pickle, query) = (port(&free_address()), port(&free_address()));
        let configuration = format!(
            "[cache]\nSTORAGE_DIR = {root}\nLOCAL_DATA_DIR = {root}/whisper\nCONF_DIR = {root}/conf\nLOG_DIR = {root}/log\n\
             PID_DIR = {root}\nUSER =\nMAX_CACHE_SIZE = inf\nMAX_UPDATES_PER_SECOND = inf\nMAX_CREATES_PER_MINUTE = inf\n\
             LINE_RECEIVER_INTERFACE = 127.0.0.1\nLINE_RECEIVER_PORT = {line}\nENABLE_UDP_LISTENER = True\n\
             UDP_RECEIVER_INTERFACE = 127.0.0.1\nUDP_RECEIVER_PORT = {line}\nPICKLE_RECEIVER_INTERFACE = 127.0.0.1\n\
             PICKLE_RECEIVER_PORT = {pickle}\nCACHE_QUERY_INTERFACE = 127.0.0.1\nCACHE_QUERY_PORT = {query}\n\
             LOG_UPDATES = False\n"
        );
        fs::write(dir.join("conf/carbon.conf"), configuration).unwrap();
        fs::write(dir.join("conf/storage-schemas.conf"), "[all]\npattern = .*\nretentions = 1s:2h\n").unwrap();
        let mut command = Command::new(&python);
        command.arg(program).arg(format!("--config={}", dir.join("conf/carbon.conf").display()));
        command.args(["--nodaemon", "--logfile=-", "start"]).env("GRAPHITE_ROOT", dir);
        let running = Running::start(&mut command, &dir.join("carbon.out"));
        connect(&address);
        Some(Carbon { _running: running, address, python, whisper: dir.join("whisper") })
    }

    /// The sum of all values of a metric; 0 while there is none.
    pub fn sum(&self, metric: &str) -> f64 {
        let file = self.whisper.join(metric.replace('.', "/")).with_extension("wsp");
        if !file.exists() {
            return 0.0;
        }
        let code = "import sys, time, whisper\n\
                    _, values = whisper.fetch(sys.argv[1], int(time.time()) - 7000)\n\
                    print(sum(value for value in values if value is not None))";
        let output = Command::new(&self.python).args(["-c", code]).arg(&file).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().parse().unwrap()
    }
}
