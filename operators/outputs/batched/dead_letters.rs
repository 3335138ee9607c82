//! A file of the records that the other side does not want, with the reason of each, for somebody to look at and to
//! send again.
//!
//! Every line is a JSON object: `time`, `output`, `reason`, and `record`, or `record_base64` when the record is no
//! text. `jq -j .record FILE` gives the records back.

use super::Record;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fs::OpenOptions;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The file, and how large it may become.
#[derive(Clone, Debug)]
pub(in crate::outputs) struct DeadLetters {
    pub path: PathBuf,
    pub most_bytes: u64,
}

/// One line of the file.
pub(super) fn line(output: &str, reason: &str, record: &Record) -> Vec<u8> {
    let (key, text) = match std::str::from_utf8(record.as_slice()) {
        Ok(text) => ("record", text.to_owned()),
        Err(_) => ("record_base64", STANDARD.encode(record.as_slice())),
    };
    let time = jiff::Timestamp::now().to_string();
    let mut line = serde_json::json!({ "time": time, "output": output, "reason": reason, key: text }).to_string();
    line.push('\n');
    line.into_bytes()
}

impl DeadLetters {
    /// Appends the lines that there is room for, and makes sure that they stay; how many. The file is opened each
    /// time, so that it may be moved away.
    ///
    /// # Errors
    /// When it cannot be written; some of the lines may be in it.
    pub(super) async fn append(&self, lines: Vec<Vec<u8>>) -> io::Result<usize> {
        let DeadLetters { path, most_bytes } = self.clone();
        tokio::task::spawn_blocking(move || append(&path, most_bytes, &lines)).await.map_err(io::Error::other)?
    }
}

fn append(path: &Path, most_bytes: u64, lines: &[Vec<u8>]) -> io::Result<usize> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
    let mut length = file.metadata()?.len();
    let mut text = Vec::new();
    // A line that a crash has cut short must not spoil the next.
    if length > 0 {
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            text.push(b'\n');
        }
    }
    length += text.len() as u64;
    let mut fitting = 0;
    for line in lines {
        length += line.len() as u64;
        if length > most_bytes {
            break;
        }
        text.extend_from_slice(line);
        fitting += 1;
    }
    if fitting > 0 {
        file.write_all(&text)?;
        file.sync_data()?;
    }
    Ok(fitting)
}
