//! Wakes the input when a file grows or a directory gets a new entry, so that nobody has to look all the time.
//! It is only a hint: what is missed here (network file systems, a full queue) is found by the next check.

use std::collections::HashMap;
use std::ffi::{CString, OsStr};
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use tokio::io::unix::AsyncFd;

/// How reliably changes of a file are announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Announced {
    /// Every write through this kernel, and no other kernel can write.
    Always,
    /// On a file system that others may write to as well, or that is not known.
    Perhaps,
    /// The kernel has no more watches to give.
    Never,
}

/// Directories watched only because a log file may appear there; in others one is found by the next scan.
const MOST_DIRECTORIES: usize = 1000;

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Something happened to the file that this stream reads.
    File(u32),
    /// A directory has a new entry.
    Entry(PathBuf),
    /// Too much happened to tell.
    Lost,
}

enum Watched {
    Stream(u32),
    Directory(PathBuf),
}

/// The kernel's notifications for one input.
pub struct Watch {
    fd: AsyncFd<File>,
    watched: HashMap<i32, Watched>,
    files: HashMap<u32, i32>,
    directories: HashMap<PathBuf, i32>,
}

impl Watch {
    /// Starts watching nothing; needs a runtime.
    ///
    /// # Errors
    /// When the kernel has no more of them to give.
    pub fn new() -> std::io::Result<Self> {
        // SAFETY: no pointers are passed; a valid descriptor belongs to nobody else yet.
        let fd = unsafe {
            let fd = libc::inotify_init1(libc::IN_NONBLOCK | libc::IN_CLOEXEC);
            if fd < 0 {
                return Err(std::io::Error::last_os_error());
            }
            OwnedFd::from_raw_fd(fd)
        };
        // SAFETY: the file is owned by the registration and neither replaced nor closed before it.
        let fd = unsafe { AsyncFd::register(File::from(fd))? };
        Ok(Watch { fd, watched: HashMap::new(), files: HashMap::new(), directories: HashMap::new() })
    }

    fn add(&self, path: &[u8], mask: u32) -> Option<i32> {
        let path = CString::new(path).ok()?;
        // SAFETY: the path is a valid C string for the length of the call.
        let wd = unsafe { libc::inotify_add_watch(self.fd.get_ref().as_raw_fd(), path.as_ptr(), mask) };
        (wd >= 0).then_some(wd)
    }

    fn remove(&mut self, wd: i32) {
        self.watched.remove(&wd);
        // SAFETY: no pointers are passed. It fails when the kernel has removed the watch itself.
        unsafe { libc::inotify_rm_watch(self.fd.get_ref().as_raw_fd(), wd) };
    }

    /// Watches the file that a stream reads now, instead of the one before.
    pub fn follow(&mut self, stream: u32, file: &File) -> Announced {
        if let Some(wd) = self.files.remove(&stream) {
            self.remove(wd);
        }
        // By descriptor: the name may already belong to another file.
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        let wd = self.add(path.as_bytes(), libc::IN_MODIFY | libc::IN_ATTRIB | libc::IN_MOVE_SELF);
        let Some(wd) = wd else { return Announced::Never };
        self.watched.insert(wd, Watched::Stream(stream));
        self.files.insert(stream, wd);
        if is_local(file) { Announced::Always } else { Announced::Perhaps }
    }

    /// Watches a directory for new entries.
    pub fn directory(&mut self, path: &Path) {
        if self.directories.contains_key(path) {
            return;
        }
        let mask = libc::IN_CREATE | libc::IN_MOVED_TO | libc::IN_ONLYDIR;
        if let Some(wd) = self.add(path.as_os_str().as_bytes(), mask) {
            self.watched.insert(wd, Watched::Directory(path.to_owned()));
            self.directories.insert(path.to_owned(), wd);
        }
    }

    /// Watches a directory and all below it, each before it is searched, so that nothing new is missed.
    pub fn tree(&mut self, path: &Path) {
        if self.directories.len() >= MOST_DIRECTORIES {
            return;
        }
        self.directory(path);
        let Ok(entries) = std::fs::read_dir(path) else { return };
        for entry in entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
            self.tree(&entry.path());
        }
    }

    /// Waits for events and adds them to `events`.
    pub async fn wait(&mut self, events: &mut Vec<Event>) {
        let Ok(mut ready) = self.fd.readable().await else {
            // The runtime is going away; so is the caller.
            return std::future::pending().await;
        };
        ready.clear_ready();
        drop(ready);
        let mut buffer = [0; 16 * 1024];
        while let Ok(length @ 1..) = self.fd.get_ref().read(&mut buffer) {
            self.parse(&buffer[..length], events);
        }
    }

    /// Reads the kernel's records: watch, mask, cookie, length of the name, the name padded with zeros.
    fn parse(&mut self, mut bytes: &[u8], events: &mut Vec<Event>) {
        while let Some((header, rest)) = bytes.split_first_chunk::<16>() {
            let word = |at: usize| u32::from_ne_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
            let (wd, mask, length) = (word(0) as i32, word(4), word(12) as usize);
            let (name, rest) = rest.split_at(length.min(rest.len()));
            bytes = rest;
            if mask & libc::IN_Q_OVERFLOW != 0 {
                events.push(Event::Lost);
            }
            let event = match self.watched.get(&wd) {
                Some(Watched::Stream(stream)) => Event::File(*stream),
                Some(Watched::Directory(path)) => {
                    let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
                    Event::Entry(path.join(OsStr::from_bytes(name)))
                }
                None => continue,
            };
            if mask & libc::IN_IGNORED != 0 {
                self.watched.remove(&wd);
                self.directories.retain(|_, kept| *kept != wd);
                self.files.retain(|_, kept| *kept != wd);
            }
            if events.last() != Some(&event) {
                events.push(event);
            }
        }
    }
}

/// Whether the file lies on a file system that only this kernel writes to.
fn is_local(file: &File) -> bool {
    // SAFETY: all zeros is a valid value of this plain C structure.
    let mut about: libc::statfs = unsafe { std::mem::zeroed() };
    // SAFETY: the descriptor is open and the structure outlives the call.
    let failed = unsafe { libc::fstatfs(file.as_raw_fd(), &mut about) } != 0;
    // ext4, btrfs, tmpfs, xfs, f2fs, zfs: the magic numbers of statfs(2).
    const LOCAL: [u64; 6] = [0xef53, 0x9123_683e, 0x0102_1994, 0x5846_5342, 0xf2f5_2010, 0x2fc1_2fc1];
    !failed && u64::try_from(about.f_type).is_ok_and(|kind| LOCAL.contains(&kind))
}
