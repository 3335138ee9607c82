//! A client that asks a server of the daemon's for one thing at a time, and may ask for anything at all.

use super::{PATIENCE, connect, wait_for};
use serde_json::Value;
use std::io::{Read, Write};

/// An answer: the status, the head, the body.
pub struct Reply {
    pub status: String,
    pub head: String,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

/// Sends bytes as they are.
pub fn ask_raw(address: &str, request: &[u8]) -> Reply {
    let mut stream = connect(address);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request).unwrap();
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(bytes.len());
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let status = head.get(9..12).unwrap_or_default().to_owned();
    Reply { status, head, body: bytes.get(end + 4..).unwrap_or_default().to_vec() }
}

/// Asks for a path, with more headers.
pub fn ask(address: &str, path: &str, headers: &str) -> Reply {
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n");
    ask_raw(address, request.as_bytes())
}

/// Asks until the answer is as it must become.
pub fn wait_reply(address: &str, path: &str, is_right: impl Fn(&Reply) -> bool) -> Reply {
    let mut last = None;
    wait_for(path, || {
        let reply = ask(address, path, "");
        let right = reply.status == "200" && is_right(&reply);
        last = Some(reply);
        right
    });
    last.unwrap()
}
