//! Compares what came out with what was written.

use crate::support::Site;
use crate::writer::Contents;
use sha1::{Digest, Sha1};
use std::collections::{BTreeMap, BTreeSet};

/// Bytes before a position that identify it.
const WINDOW: usize = 500;

/// The numbers of a run.
#[derive(Default)]
pub struct Account {
    /// Lines that are in the files.
    pub lines: usize,
    /// Lines that a rotation left in no file.
    pub gone: usize,
    /// Files that followed another.
    pub rotations: usize,
    /// Lines that did not come out.
    pub lost: usize,
    /// Lines that came out more than once.
    pub again: usize,
    /// Times the daemon was killed.
    pub kills: usize,
    /// Lines written and not committed when the daemon was killed, over all kills.
    pub uncommitted: usize,
}

impl Account {
    /// Compares, and shows where the order first differs.
    pub fn check(&mut self, site: &Site, contents: &Contents, gone: &str) {
        self.gone = gone.lines().count();
        let out = String::from_utf8(site.read("out")).unwrap();
        let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for line in out.lines() {
            let stream = line.split(' ').next().unwrap();
            found.entry(stream).or_default().push(line);
        }
        for (stream, files) in contents {
            let written = String::from_utf8(files.concat()).unwrap();
            let found = found.remove(stream.as_str()).unwrap_or_default();
            self.lines += written.lines().count();
            self.rotations += files.len() - 1;
            self.compare(written.lines(), gone, &found);
        }
        assert!(found.is_empty(), "what is this: {:?}", found.keys());
    }

    /// Lines come in order; where one does not, only a kill may have gone back.
    fn compare<'a>(&mut self, written: impl Iterator<Item = &'a str>, gone: &'a str, found: &[&str]) {
        let mut gone: BTreeSet<&str> = gone.lines().collect();
        let place: BTreeMap<&str, usize> = written.enumerate().map(|(index, line)| (line, index)).collect();
        let mut count = vec![0usize; place.len()];
        let mut next = 0;
        let mut steps_back = 0;
        for line in found {
            // A line that a kill cut short stands glued to the next one; both come again whole.
            let Some(index) = place.get(line).copied() else {
                // The daemon may have been quicker than the rotation, once.
                if gone.remove(line) {
                    continue;
                }
                assert!(self.kills > 0, "this was never written: {line}");
                continue;
            };
            if index < next {
                steps_back += 1;
                eprintln!("went back from {next} to {index}");
            } else if index > next {
                eprintln!("skipped {} lines from {next} on", index - next);
            }
            count[index] += 1;
            next = index + 1;
        }
        assert!(steps_back <= self.kills, "the order went back {steps_back} times");
        self.lost += count.iter().filter(|count| **count == 0).count();
        self.again += count.iter().map(|count| count.saturating_sub(1)).sum::<usize>();
    }
}

/// Whether the last line of every stream has come out.
pub fn has_last_lines(site: &Site, contents: &Contents) -> bool {
    let out = site.read("out");
    let lines: std::collections::HashSet<&[u8]> = out.split(|byte| *byte == b'\n').collect();
    contents.values().all(|files| {
        let last =
            files.iter().rev().find_map(|file| file.strip_suffix(b"\n")?.split(|byte| *byte == b'\n').next_back());
        last.is_none_or(|line| lines.contains(line))
    })
}

/// Lines written behind the positions in the journals.
pub fn uncommitted(site: &Site, contents: &Contents) -> usize {
    contents.iter().map(|(stream, files)| lines(&files.concat()) - committed(site, stream, files)).sum()
}

/// Lines before the position in the stream's journal, which is found by its hash.
fn committed(site: &Site, stream: &str, files: &[Vec<u8>]) -> usize {
    let journal = site.read(&format!("state/logstreamer/{stream}"));
    let Ok(journal) = serde_json::from_slice::<serde_json::Value>(&journal) else { return 0 };
    let seek = journal["seek"].as_u64().unwrap() as usize;
    // A rotation that is just over may not be noted; at the start of a file any file will do.
    let file = files.iter().position(|file| {
        file.get(..seek).is_some_and(|before| seek > 0 && hash(before) == journal["last_hash"].as_str().unwrap())
    });
    file.map_or(0, |file| lines(&files[..file].concat()) + lines(&files[file][..seek]))
}

fn lines(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte == b'\n').count()
}

fn hash(before: &[u8]) -> String {
    let before = &before[before.len().saturating_sub(WINDOW)..];
    let digest = Sha1::new().chain_update(&[0; WINDOW][before.len()..]).chain_update(before).finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
