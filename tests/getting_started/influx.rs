//! A real influxd 1.x: its native write API, its graphite listener, and its queries.

use crate::support::peer::{self, Running};
use crate::support::{PATIENCE, connect, free_address};
use serde_json::Value;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// The database that the native API writes to.
pub const NATIVE: &str = "stats";
/// The database that the graphite listener writes to.
pub const GRAPHITE: &str = "graphite";

/// influxd with both databases.
pub struct Influx {
    _running: Running,
    /// Where its HTTP interface is.
    pub http: String,
    /// Where it takes Graphite's lines.
    pub graphite: String,
}

impl Influx {
    /// Starts it below `dir`; `None` where the machine lacks it.
    pub fn start(dir: &Path) -> Option<Influx> {
        let program = peer::find("influxd")?;
        std::fs::create_dir_all(dir).unwrap();
        let (http, graphite, rpc) = (free_address(), free_address(), free_address());
        let root = dir.display();
        let configuration = format!(
            "reporting-disabled = true\nbind-address = \"{rpc}\"\n\
             [meta]\ndir = \"{root}/meta\"\n\
             [data]\ndir = \"{root}/data\"\nwal-dir = \"{root}/wal\"\nquery-log-enabled = false\n\
             [monitor]\nstore-enabled = false\n\
             [http]\nbind-address = \"{http}\"\nlog-enabled = false\n\
             [[graphite]]\nenabled = true\nbind-address = \"{graphite}\"\nprotocol = \"tcp\"\ndatabase = \"{GRAPHITE}\"\n\
             batch-timeout = \"100ms\"\n"
        );
        let file = dir.join("influxdb.conf");
        std::fs::write(&file, configuration).unwrap();
        let running = Running::start(Command::new(program).arg("-config").arg(&file), &dir.join("influxd.out"));
        connect(&http);
        connect(&graphite);
        let influx = Influx { _running: running, http, graphite };
        // Quoted, since the name is a word of the query language.
        let created = influx.query("", &format!("CREATE DATABASE \"{NATIVE}\""));
        assert!(created.pointer("/results/0").is_some_and(|result| result.get("error").is_none()), "{created}");
        Some(influx)
    }

    /// The answer to a query.
    pub fn query(&self, database: &str, query: &str) -> Value {
        let target = format!("/query?db={database}&q={}", encode(query));
        let mut stream = TcpStream::connect(&self.http).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(stream, "POST {target} HTTP/1.0\r\nHost: influx\r\nContent-Length: 0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer to {query}: {answer}"));
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
    }

    /// The sum of all points of a measurement; 0 while there is none.
    pub fn sum(&self, database: &str, measurement: &str) -> f64 {
        let answer = self.query(database, &format!("SELECT SUM(value) FROM \"{measurement}\""));
        answer.pointer("/results/0/series/0/values/0/1").and_then(Value::as_f64).unwrap_or_default()
    }

    /// Waits until `sum` is what it should be.
    pub fn wait_for_sum(&self, database: &str, measurement: &str, expected: f64) {
        let end = Instant::now() + PATIENCE;
        loop {
            let sum = self.sum(database, measurement);
            if sum == expected {
                return;
            }
            assert!(Instant::now() < end, "{database}: {measurement} is {sum}, not {expected}");
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
    }
}

fn encode(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => encoded.push(byte as char),
            // Writing to a String cannot fail.
            _ => drop(write!(encoded, "%{byte:02X}")),
        }
    }
    encoded
}
