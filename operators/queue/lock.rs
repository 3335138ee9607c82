//! Keeps two daemons, or two plugins whose names mangle alike, from sharing a queue.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// A lock on a queue's folder. The kernel lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub struct Lock(#[allow(dead_code, reason = "held open for the lock on it")] File);

impl Lock {
    /// Takes the lock.
    ///
    /// # Errors
    /// One line, naming the process that has it when that is the reason.
    pub fn take(folder: &Path) -> Result<Lock, String> {
        let path = folder.join("lock");
        let failed = |error: std::io::Error| format!("can't lock queue '{}': {error}", folder.display());
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(failed)?;
        // SAFETY: the descriptor is open as long as `file`.
        if unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) } != 0 {
            let error = std::io::Error::last_os_error();
            if error.kind() != std::io::ErrorKind::WouldBlock {
                return Err(failed(error));
            }
            let mut owner = String::new();
            let _ = file.read_to_string(&mut owner);
            let owner =
                owner.trim().parse::<u32>().map_or("another process".to_owned(), |pid| format!("process {pid}"));
            return Err(format!("queue '{}' is in use by {owner}: give each its own base_dir", folder.display()));
        }
        // Only for the message above: that it cannot be written is no reason to refuse.
        let _ = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
        Ok(Lock(file))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_owner_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let lock = Lock::take(dir.path()).unwrap();
        let refused = Lock::take(dir.path()).unwrap_err();
        assert!(refused.contains(&format!("in use by process {}", std::process::id())), "{refused}");
        drop(lock);
        Lock::take(dir.path()).unwrap();
    }
}
