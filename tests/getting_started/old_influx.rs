//! The write interface that InfluxDB had before version 0.9, which no package has any more.

use crate::support::web::{Reply, serve};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// Sums of the values written, by the series' name.
#[derive(Default)]
struct Written {
    sums: HashMap<String, f64>,
    complaints: Vec<String>,
}

/// The running endpoint.
pub struct OldInflux {
    pub address: String,
    written: Arc<Mutex<Written>>,
}

impl OldInflux {
    pub fn start() -> OldInflux {
        let written: Arc<Mutex<Written>> = Arc::default();
        let shared = written.clone();
        let address = serve(move |request| {
            let written = &mut shared.lock().unwrap();
            // influx_username:influx_password
            let credentials = Some("Basic aW5mbHV4X3VzZXJuYW1lOmluZmx1eF9wYXNzd29yZA==");
            let result = match (request.method.as_str(), request.path.as_str(), request.header("authorization")) {
                ("POST", "/db/stats/series", login) if login == credentials => take(written, &request.body),
                (method, target, login) => Err(format!("{method} {target} {login:?}")),
            };
            match result {
                Ok(()) => Reply::Say(200, String::new(), String::new()),
                Err(why) => {
                    written.complaints.push(why.clone());
                    Reply::Say(400, String::new(), why)
                }
            }
        });
        OldInflux { address, written }
    }

    /// The sum of all values of a series.
    pub fn sum(&self, series: &str) -> f64 {
        self.written.lock().unwrap().sums.get(series).copied().unwrap_or_default()
    }

    /// Requests it could not take.
    pub fn complaints(&self) -> Vec<String> {
        self.written.lock().unwrap().complaints.clone()
    }
}

fn take(written: &mut Written, body: &[u8]) -> Result<(), String> {
    let all: Vec<Value> = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    for series in &all {
        let name = series["name"].as_str().ok_or_else(|| format!("no name: {series}"))?;
        if series["columns"] != serde_json::json!(["time", "value"]) {
            return Err(format!("not the columns time and value: {series}"));
        }
        for point in series["points"].as_array().ok_or_else(|| format!("no points: {series}"))? {
            let (time, value) = (point[0].as_u64(), point[1].as_f64());
            let (Some(1_000_000_000_000..), Some(value)) = (time, value) else {
                return Err(format!("no point: {point}"));
            };
            *written.sums.entry(name.to_owned()).or_default() += value;
        }
    }
    Ok(())
}
