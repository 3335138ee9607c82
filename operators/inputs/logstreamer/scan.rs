//! Finds the files below the log directory and groups them into streams.

use super::pattern::FileMatch;
use super::reader::Identity;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The clock of files is that coarse.
const COARSE: Duration = Duration::from_millis(20);

/// One file of a stream.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogFile {
    /// Orders the files of a stream: smaller is older.
    pub rank: Vec<i64>,
    /// Its full path; decides between equal ranks.
    pub path: PathBuf,
    /// Which file was there when the tree was scanned.
    pub identity: Identity,
}

/// What one walk through the tree found.
#[derive(Debug, Default)]
pub struct Found {
    /// The files of each stream, oldest first.
    pub streams: BTreeMap<String, Vec<LogFile>>,
    /// Streams that cannot be ordered.
    pub unordered: Vec<String>,
    /// Files left out because their name cannot be understood.
    pub skipped: Vec<String>,
    /// Files left out because they are too old, with their size.
    pub stale: Vec<(PathBuf, u64)>,
}

/// Walks the tree below `root`; files last changed `oldest` ago or earlier are left out, none when it is zero.
pub fn scan(root: &Path, pattern: &FileMatch, oldest: Duration) -> Found {
    let mut found = Found::default();
    let horizon = match oldest.is_zero() {
        true => None,
        false => SystemTime::now().checked_sub(oldest),
    };
    walk(root, &mut |path| visit(path, pattern, horizon, &mut found));
    let mut ordered = BTreeMap::new();
    for (name, mut files) in std::mem::take(&mut found.streams) {
        files.sort();
        if files.len() > 1 && !pattern.orders() {
            let list: Vec<_> = files.iter().map(|file| file.path.display().to_string()).collect();
            found.unordered.push(format!(
                "Found multiple logfiles without Priority to sort on for name: {name}, filematch: {}, files: {}",
                pattern.as_str(),
                list.join(", ")
            ));
        } else {
            ordered.insert(name, files);
        }
    }
    found.streams = ordered;
    found
}

/// Whether there are files of the stream called `name` that the scan which began `at` that time did not find where they
/// are now. Looks only into directories that may have changed since: a rotation puts its files beside each other.
pub fn has_unlisted(files: &[LogFile], at: SystemTime, pattern: &FileMatch, name: &str) -> bool {
    let mut directories: Vec<&Path> = files.iter().filter_map(|file| file.path.parent()).collect();
    directories.sort_unstable();
    directories.dedup();
    directories.into_iter().any(|directory| {
        let changed = std::fs::metadata(directory).and_then(|metadata| metadata.modified());
        if changed.is_ok_and(|changed| changed + COARSE < at) {
            return false;
        }
        let Ok(entries) = std::fs::read_dir(directory) else { return false };
        entries.flatten().map(|entry| entry.path()).any(|path| {
            matches!(pattern.read(&path), Some(Ok(matched)) if matched.stream == name)
                && Identity::at(&path).is_ok_and(|now| {
                    now.is_some_and(|now| !files.iter().any(|file| file.path == path && file.identity == now))
                })
        })
    })
}

fn visit(path: PathBuf, pattern: &FileMatch, horizon: Option<SystemTime>, found: &mut Found) {
    let matched = match pattern.read(&path) {
        None => return,
        Some(Err(why)) => {
            found.skipped.push(format!("{} is skipped: {why}", path.display()));
            return;
        }
        Some(Ok(matched)) => matched,
    };
    // Through links: a link to a log file counts, one to a directory does not.
    let Ok(metadata) = std::fs::metadata(&path) else { return };
    if metadata.is_dir() {
        return;
    }
    if horizon.is_some_and(|horizon| metadata.modified().map_or(true, |modified| modified <= horizon)) {
        found.stale.push((path, metadata.len()));
        return;
    }
    found.streams.entry(matched.stream).or_default().push(LogFile {
        rank: matched.rank,
        path,
        identity: Identity::of(&metadata),
    });
}

/// Visits everything that is no directory, in lexical order; what cannot be read is passed over.
fn walk(directory: &Path, visit: &mut impl FnMut(PathBuf)) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    let mut entries: Vec<_> = entries.flatten().collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => walk(&entry.path(), visit),
            Ok(_) => visit(entry.path()),
            Err(_) => {}
        }
    }
}
