//! The documents below `data`: written to disk so that a reader sees one whole version, numbered so that whoever
//! watches learns what has changed since he last looked.

use super::folder::{Folder, Stamp, join};
use ring::digest::{SHA256, digest};
use std::collections::BTreeMap;
use std::fs::{self, Metadata, OpenOptions};
use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// All documents that this run has written or announced.
pub(super) struct Documents {
    folder: Folder,
    index: Mutex<Index>,
    /// The number of the newest change.
    changes: watch::Sender<u64>,
}

#[derive(Default)]
struct Index {
    entries: BTreeMap<String, Entry>,
    /// The names by the numbers of their newest changes.
    order: BTreeMap<u64, String>,
    newest: u64,
}

struct Entry {
    version: String,
    /// The file as it was written; absent for what is only announced.
    stamp: Option<Stamp>,
    change: u64,
}

/// A document that has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub name: String,
    pub version: String,
}

/// The version of a document: different for different content.
pub(super) fn version_of(content: &[u8]) -> String {
    let hash = digest(&SHA256, content);
    hash.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

impl Documents {
    /// Documents that lie in `folder`.
    pub(super) fn new(folder: Folder) -> Self {
        Documents { folder, index: Mutex::default(), changes: watch::Sender::new(0) }
    }

    /// Where they lie.
    pub(super) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Writes a document, unless it says the same already.
    ///
    /// # Errors
    /// What the system says; the old version stays then.
    pub(super) fn publish(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let version = version_of(content);
        let path = join(self.folder.path(), name);
        let is_same = |metadata: &Metadata| self.version(name, metadata).as_ref() == Some(&version);
        if fs::symlink_metadata(&path).is_ok_and(|metadata| is_same(&metadata)) {
            return Ok(());
        }
        // Hidden, so that it is not served; one name, so that a crash leaves no more than one behind.
        let new = join(self.folder.path(), ".new");
        let written = fs::write(&new, content).and_then(|()| fs::rename(&new, &path));
        if let Err(error) = written {
            let _ = fs::remove_file(&new);
            return Err(error);
        }
        let stamp = Stamp::of(&fs::symlink_metadata(&path)?);
        self.note(name, version, Some(stamp));
        Ok(())
    }

    /// Appends to a document. When it would grow beyond `limit`, what is there becomes the document `old` first.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn append(&self, name: &str, line: &[u8], limit: u64, old: &str) -> io::Result<()> {
        let path = join(self.folder.path(), name);
        let length = fs::symlink_metadata(&path).map_or(0, |metadata| metadata.len());
        if length > 0 && length + line.len() as u64 > limit {
            fs::rename(&path, join(self.folder.path(), old))?;
        }
        // One write, so that local readers see whole lines.
        OpenOptions::new().create(true).append(true).open(&path)?.write_all(line)?;
        self.adopt(name)
    }

    /// Takes note of a document that is there already.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn adopt(&self, name: &str) -> io::Result<()> {
        let path = join(self.folder.path(), name);
        let content = fs::read(&path)?;
        let stamp = Stamp::of(&fs::symlink_metadata(&path)?);
        self.note(name, version_of(&content), Some(stamp));
        Ok(())
    }

    /// Says that a document that is not on disk has this version.
    pub(super) fn announce(&self, name: &str, version: &str) {
        let is_same = self.index().entries.get(name).is_some_and(|entry| entry.version == version);
        if !is_same {
            self.note(name, version.to_owned(), None);
        }
    }

    /// The version of a file that is served as `name`: that of its content, where it is as this run wrote it.
    pub(super) fn version(&self, name: &str, metadata: &Metadata) -> Option<String> {
        let stamp = Stamp::of(metadata);
        self.index().entries.get(name).filter(|entry| entry.stamp == Some(stamp)).map(|entry| entry.version.clone())
    }

    /// What has changed after the change `seen`, oldest first, and the number of the newest change.
    pub(super) fn since(&self, seen: u64) -> (Vec<Change>, u64) {
        let index = self.index();
        let change = |name: &String| {
            let version = index.entries.get(name).map(|entry| entry.version.clone()).unwrap_or_default();
            Change { name: name.clone(), version }
        };
        let changes = index.order.range(seen + 1..).map(|(_, name)| change(name)).collect();
        (changes, index.newest)
    }

    /// Tells of each change.
    pub(super) fn watch(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn note(&self, name: &str, version: String, stamp: Option<Stamp>) {
        let mut index = self.index();
        index.newest += 1;
        let change = index.newest;
        if let Some(before) = index.entries.insert(name.to_owned(), Entry { version, stamp, change }) {
            index.order.remove(&before.change);
        }
        index.order.insert(change, name.to_owned());
        drop(index);
        self.changes.send_replace(change);
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        // A panic elsewhere may at worst cost one change its notice.
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(documents: &Documents, seen: u64) -> String {
        documents.since(seen).0.into_iter().map(|change| change.name).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn watchers_learn_the_newest_of_what_they_missed() {
        let dir = tempfile::tempdir().unwrap();
        let documents = Documents::new(Folder::new(dir.path()));
        documents.publish("a", b"1").unwrap();
        documents.publish("b", b"1").unwrap();
        let (_, seen) = documents.since(0);
        documents.publish("a", b"2").unwrap();
        documents.announce("flow.json", "v1");
        documents.publish("a", b"3").unwrap();
        documents.publish("b", b"1").unwrap();
        documents.announce("flow.json", "v1");
        assert_eq!(names(&documents, 0), "b flow.json a");
        assert_eq!(names(&documents, seen), "flow.json a", "what is the same has not changed");
        let newest = documents.since(seen).0.into_iter().find(|change| change.name == "a").unwrap();
        assert_eq!(newest.version, version_of(b"3"));
        assert_eq!(*documents.watch().borrow(), documents.since(0).1);
    }

    #[test]
    fn a_file_that_somebody_else_changed_is_not_what_was_written() {
        let dir = tempfile::tempdir().unwrap();
        let documents = Documents::new(Folder::new(dir.path()));
        let path = dir.path().join("a");
        documents.publish("a", b"ours").unwrap();
        assert_eq!(documents.version("a", &fs::metadata(&path).unwrap()), Some(version_of(b"ours")));
        fs::write(&path, b"theirs").unwrap();
        assert_eq!(documents.version("a", &fs::metadata(&path).unwrap()), None);
        documents.publish("a", b"ours").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"ours", "and is replaced");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left behind");
    }

    #[test]
    fn a_log_is_rotated_and_no_line_is_cut() {
        let dir = tempfile::tempdir().unwrap();
        let documents = Documents::new(Folder::new(dir.path()));
        for line in ["one\n", "two\n", "three\n", "a line beyond all limits\n", "five\n"] {
            documents.append("log", line.as_bytes(), 10, "log.1").unwrap();
        }
        assert_eq!(fs::read_to_string(dir.path().join("log")).unwrap(), "five\n");
        assert_eq!(fs::read_to_string(dir.path().join("log.1")).unwrap(), "a line beyond all limits\n");
        assert_eq!(names(&documents, 0), "log");
    }

    #[test]
    fn what_cannot_be_written_leaves_the_old_version() {
        let dir = tempfile::tempdir().unwrap();
        let documents = Documents::new(Folder::new(dir.path()));
        documents.publish("a", b"1").unwrap();
        fs::create_dir(dir.path().join("folder")).unwrap();
        assert!(documents.publish("folder", b"1").is_err());
        assert!(documents.publish("no/such/folder", b"1").is_err());
        assert_eq!(names(&documents, 0), "a");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }
}
