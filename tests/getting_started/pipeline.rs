//! The shipped configuration, with the addresses and paths of one test instead of those it has.

use crate::support::{Daemon, Site, free_address, wait_for};
use std::fs;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};

/// What takes the place of what the configuration says.
pub struct Places {
    pub carbon: String,
    pub influx: String,
    pub elastic: String,
    pub mail: String,
    pub old_influx: String,
}

impl Default for Places {
    /// Addresses where nobody listens.
    fn default() -> Self {
        let nobody = || free_address();
        Places { carbon: nobody(), influx: nobody(), elastic: nobody(), mail: nobody(), old_influx: nobody() }
    }
}

/// `configs/getting_started` in a directory of its own.
pub struct Pipeline {
    pub site: Site,
    pub logs: PathBuf,
    pub statsd: String,
    pub dashboard: String,
}

impl Pipeline {
    /// The configuration at `places`, with sections of the test's own behind it.
    pub fn new(places: &Places, more: &str) -> Pipeline {
        let mut site = Site::new("");
        let logs = site.path("logs");
        let (statsd, dashboard) = (free_datagram_address(), free_address());
        site.config = site.path("getting_started");
        fs::create_dir(&site.config).unwrap();
        let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let replaced = [
            ("/var/cache/hekad", text(&site.path("state"))),
            ("/usr/share/heka", text(&repository.join("share"))),
            ("/var/log/nginx", text(&logs)),
            ("http://127.0.0.1:8086/db", format!("http://{}/db", places.old_influx)),
            ("http://127.0.0.1:8086/write", format!("http://{}/write", places.influx)),
            ("http://127.0.0.1:9200", format!("http://{}", places.elastic)),
            ("127.0.0.1:8125", statsd.clone()),
            ("127.0.0.1:4352", dashboard.clone()),
            ("127.0.0.1:2003", places.carbon.clone()),
            ("127.0.0.1:25", places.mail.clone()),
        ];
        let mut found = [false; 10];
        for entry in fs::read_dir(repository.join("configs/getting_started")).unwrap() {
            let path = entry.unwrap().path();
            // Comments name places, too; they are nobody's business here.
            let lines = fs::read_to_string(&path).unwrap();
            let mut lines: Vec<String> =
                lines.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect();
            for (found, (from, to)) in found.iter_mut().zip(&replaced) {
                for line in lines.iter_mut().filter(|line| line.contains(&format!("\"{from}"))) {
                    *line = line.replace(&format!("\"{from}"), &format!("\"{to}"));
                    *found = true;
                }
            }
            fs::write(site.config.join(path.file_name().unwrap()), lines.join("\n")).unwrap();
        }
        assert_eq!(found, [true; 10], "the configuration does not name what the test replaces");
        fs::write(site.config.join("more.toml"), more).unwrap();
        Pipeline { site, logs, statsd, dashboard }
    }

    /// Starts the daemon and waits until it listens.
    pub fn start(&self) -> Daemon {
        let daemon = self.site.start();
        wait_for("the StatsdInput", || UdpSocket::bind(&self.statsd).is_err());
        crate::support::connect(&self.dashboard);
        daemon
    }

    /// A file that the dashboard shows, once it is there and `wanted`.
    pub fn shown(&self, file: &str, wanted: impl Fn(&str) -> bool) -> String {
        let path = self.site.path("state/dashboard/data").join(file);
        let mut text = String::new();
        wait_for(file, || {
            text = fs::read_to_string(&path).unwrap_or_default();
            wanted(&text)
        });
        text
    }
}

/// An address no datagrams are received at right now.
fn free_datagram_address() -> String {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// The sum of a column of a circular buffer's text, counted from 0.
pub fn column_sum(cbuf: &str, column: usize) -> f64 {
    let rows = cbuf.lines().filter(|line| !line.starts_with('{'));
    rows.filter_map(|row| row.split('\t').nth(column)?.parse::<f64>().ok()).filter(|value| !value.is_nan()).sum()
}
