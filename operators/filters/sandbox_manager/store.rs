//! The working directory: what filters are made of, kept for the next start. A thread of its own writes, because a
//! worker never waits for a disk; what it has been given is on the disk when the store is dropped.

use crate::plugin::Site;
use crate::stats::Counter;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// Changes that may wait for the disk.
const WAITING: usize = 1024;
/// Largest file that is read again, in bytes.
const LARGEST: u64 = 64 << 20;

/// What a filter is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    /// Its full name.
    pub(super) name: String,
    /// Its section.
    pub(super) config: String,
    /// Its script.
    pub(super) script: Arc<[u8]>,
}

enum Job {
    Keep(Kept),
    Remove(String),
    /// The filter has ended by itself: the next start leaves it alone.
    Mark(String, String),
}

/// The files of one manager's filters.
pub(super) struct Store {
    directory: PathBuf,
    jobs: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
}

/// What was found at the start.
pub(super) enum Found {
    /// A filter to run.
    Filter(Kept),
    /// A filter that had ended by itself: its name, and why.
    Ended(String, String),
    /// Files that cannot be used: one line.
    Damaged(String),
}

impl Store {
    /// Opens the directory, making it if need be.
    ///
    /// # Errors
    /// One line.
    pub(super) fn open(directory: PathBuf, site: &Site) -> Result<Store, String> {
        let failed = |error: io::Error| format!("can't use working_directory {}: {error}", directory.display());
        DirBuilder::new().recursive(true).mode(0o700).create(&directory).map_err(failed)?;
        let (jobs, todo) = sync_channel(WAITING);
        let worker = Worker {
            directory: directory.clone(),
            failures: site.stats.counter("StoreFailures", "count"),
            site: site.clone(),
        };
        let thread = std::thread::Builder::new().name("sandbox store".into()).spawn(move || worker.run(&todo));
        Ok(Store { jobs: Some(jobs), thread: Some(thread.map_err(failed)?), directory: directory.clone() })
    }

    /// Where a filter's script is kept.
    pub(super) fn script_path(&self, name: &str) -> PathBuf {
        self.directory.join(format!("{name}.lua"))
    }

    /// What is kept of the filters whose names begin with `prefix`, in the order of their names.
    ///
    /// # Errors
    /// One line: the directory cannot be read.
    pub(super) fn find(&self, prefix: &str) -> Result<Vec<Found>, String> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.directory).map_err(|error| error.to_string())? {
            let file = entry.map_err(|error| error.to_string())?.file_name();
            let name = file.to_str().and_then(|name| name.strip_suffix(".toml"));
            names.extend(name.filter(|name| name.starts_with(prefix) && !name.contains('.')).map(str::to_owned));
        }
        names.sort();
        Ok(names.into_iter().map(|name| self.found(name)).collect())
    }

    fn found(&self, name: String) -> Found {
        if let Ok(why) = fs::read_to_string(self.directory.join(format!("{name}.terminated"))) {
            return Found::Ended(name, why);
        }
        let config = self.directory.join(format!("{name}.toml"));
        let config = read(&config).and_then(|bytes| String::from_utf8(bytes).map_err(|error| error.to_string()));
        match (config, read(&self.script_path(&name))) {
            (Ok(config), Ok(script)) => Found::Filter(Kept { name, config, script: script.into() }),
            (Err(why), _) | (_, Err(why)) => Found::Damaged(format!("{name}: {why}")),
        }
    }

    /// Keeps a filter for the next start.
    ///
    /// # Errors
    /// When too much waits for the disk already.
    pub(super) fn keep(&self, kept: Kept) -> Result<(), String> {
        self.give(Job::Keep(kept))
    }

    /// Removes all that is kept of a filter.
    ///
    /// # Errors
    /// As for [`Self::keep`].
    pub(super) fn remove(&self, name: String) -> Result<(), String> {
        self.give(Job::Remove(name))
    }

    /// Remembers that a filter has ended by itself, and why.
    ///
    /// # Errors
    /// As for [`Self::keep`].
    pub(super) fn mark(&self, name: String, why: String) -> Result<(), String> {
        self.give(Job::Mark(name, why))
    }

    fn give(&self, job: Job) -> Result<(), String> {
        let busy = || format!("{} does not keep up, try again later", self.directory.display());
        self.jobs.as_ref().and_then(|jobs| jobs.try_send(job).ok()).ok_or_else(busy)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A panic there has been reported by itself.
            let _ = thread.join();
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let failed = |error: io::Error| format!("can't read {}: {error}", path.display());
    let size = fs::metadata(path).map_err(failed)?.len();
    if size > LARGEST {
        return Err(format!("{} is larger than {} MiB", path.display(), LARGEST >> 20));
    }
    fs::read(path).map_err(failed)
}

/// The thread's side.
struct Worker {
    directory: PathBuf,
    failures: Arc<Counter>,
    site: Site,
}

impl Worker {
    fn run(&self, jobs: &Receiver<Job>) {
        for job in jobs {
            let result = match &job {
                // The section comes last: without it there is no filter.
                Job::Keep(kept) => self
                    .remove(&kept.name)
                    .and_then(|_| self.write(&format!("{}.lua", kept.name), &kept.script))
                    .and_then(|()| self.write(&format!("{}.toml", kept.name), kept.config.as_bytes())),
                Job::Remove(name) => self.remove(name).map(|removed| {
                    if removed == 0 {
                        self.site.log.info(format!("there is no filter {name} to unload"));
                    }
                }),
                Job::Mark(name, why) => self.write(&format!("{name}.terminated"), why.as_bytes()),
            };
            if let Err(error) = result {
                self.failures.add(1);
                let what = match job {
                    Job::Keep(kept) => format!("{} runs, but is not kept for the next start", kept.name),
                    Job::Remove(name) => format!("the files of {name} cannot be removed"),
                    Job::Mark(name, _) => format!("{name} has ended, but the next start will run it again"),
                };
                self.site.log.error(format!("{what}: {}: {error}", self.directory.display()));
            }
        }
    }

    /// Puts a file in place at once: whoever reads finds all of it or nothing.
    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let (path, beside) = (self.directory.join(name), self.directory.join(format!("{name}.new")));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, &path)?;
        File::open(&self.directory)?.sync_all()
    }

    /// Removes the files of a filter and says how many there were.
    fn remove(&self, name: &str) -> io::Result<usize> {
        let prefix = format!("{name}.");
        let mut removed = 0;
        for entry in fs::read_dir(&self.directory)? {
            let file = entry?.file_name();
            if file.as_encoded_bytes().starts_with(prefix.as_bytes()) {
                fs::remove_file(self.directory.join(file))?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outputs::harness::{number, site};
    use std::os::unix::fs::PermissionsExt;

    fn kept(name: &str, script: &str) -> Kept {
        Kept { name: name.into(), config: format!("[{name}]"), script: script.as_bytes().into() }
    }

    fn found(store: &Store) -> Vec<String> {
        let describe = |found| match found {
            Found::Filter(kept) => format!("{} {}", kept.name, String::from_utf8_lossy(&kept.script)),
            Found::Ended(name, why) => format!("{name} ended: {why}"),
            Found::Damaged(why) => why,
        };
        store.find("m-").unwrap().into_iter().map(describe).collect()
    }

    #[test]
    fn what_is_kept_is_found_again_until_it_is_removed() {
        let base = tempfile::tempdir().unwrap();
        let site = site("m", base.path());
        let directory = base.path().join("a/b");
        let store = Store::open(directory.clone(), &site).unwrap();
        for name in ["m-b", "m-a", "m-c", "other-x", "m-d"] {
            store.keep(kept(name, "one")).unwrap();
        }
        store.keep(kept("m-b", "two")).unwrap();
        store.mark("m-c".into(), "why not".into()).unwrap();
        store.remove("m-d".into()).unwrap();
        drop(store);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&directory), mode(&directory.join("m-a.lua"))), (0o700, 0o600));
        let store = Store::open(directory.clone(), &site).unwrap();
        assert_eq!(found(&store), ["m-a one", "m-b two", "m-c ended: why not"]);
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 9, "nothing half written is left");
        // To load it again is to forget how it had ended.
        store.keep(kept("m-c", "three")).unwrap();
        drop(store);
        fs::remove_file(directory.join("m-a.lua")).unwrap();
        let store = Store::open(directory.clone(), &site).unwrap();
        let found = found(&store);
        assert!(found[0].starts_with("m-a: can't read ") && found[2] == "m-c three", "{found:?}");
    }

    #[test]
    fn a_disk_that_fails_is_told() {
        let base = tempfile::tempdir().unwrap();
        let site = site("m", base.path());
        let store = Store::open(base.path().join("gone"), &site).unwrap();
        fs::remove_dir(base.path().join("gone")).unwrap();
        store.keep(kept("m-a", "one")).unwrap();
        drop(store);
        assert_eq!(number(&site, "StoreFailures"), 1);
        fs::write(base.path().join("file"), "").unwrap();
        let refused = Store::open(base.path().join("file"), &site).map(|_| ()).unwrap_err();
        assert!(refused.starts_with("can't use working_directory "), "{refused}");
    }
}
