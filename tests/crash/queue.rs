//! What a dead daemon left in a queue on disk.

use crate::support::Site;

const QUEUES: &str = "state/output_queue";

/// Bytes in the queue of `output` behind its checkpoint; 0 without a queue.
pub fn unread(site: &Site, output: &str) -> u64 {
    std::fs::read_dir(site.path(&format!("{QUEUES}/{output}")))
        .map(|files| files.map(|file| unread_of(site, output, &file.unwrap())).sum())
        .unwrap_or(0)
}

/// Bytes of a file of the queue that are behind the checkpoint: `number offset`.
fn unread_of(site: &Site, output: &str, file: &std::fs::DirEntry) -> u64 {
    let Some(number) = file.path().file_stem().and_then(|stem| stem.to_str()?.parse::<u64>().ok()) else { return 0 };
    let checkpoint = String::from_utf8(site.read(&format!("{QUEUES}/{output}/checkpoint.txt"))).unwrap();
    let mut parts = checkpoint.split_whitespace().map(|part| part.parse::<u64>().unwrap());
    let (current, offset) = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    let length = file.metadata().unwrap().len();
    match number.cmp(&current) {
        std::cmp::Ordering::Less => 0,
        std::cmp::Ordering::Equal => length.saturating_sub(offset),
        std::cmp::Ordering::Greater => length,
    }
}
