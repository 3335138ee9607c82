//! The open file: how it comes to be, how bytes get into it, and how what was written in vain gets out again.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, IoSlice, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Modes of what is created; the umask applies.
#[derive(Clone, Copy, Debug)]
pub struct Modes {
    /// Of files.
    pub file: u32,
    /// Of folders.
    pub folder: u32,
}

/// A file open for appending. Pipes and devices are taken as they are: without folder checks, without lengths.
#[derive(Debug)]
pub struct Target {
    path: PathBuf,
    file: File,
    /// For a regular file, its length as far as this process knows.
    length: Option<u64>,
    /// For a regular file, its length when it was last synced.
    synced: Option<u64>,
}

impl Target {
    /// Opens `path`, creating it and its folders. A regular file's folder must be writable, because rotation
    /// and reopening will create files there.
    ///
    /// # Errors
    /// When any of that fails.
    pub fn open(path: &Path, modes: Modes) -> io::Result<Target> {
        match std::fs::metadata(path) {
            Ok(meta) if meta.file_type().is_fifo() => {
                // Open for reading too: then it opens without a reader, and keeps what is in it when one leaves.
                let file = OpenOptions::new().read(true).write(true).custom_flags(libc::O_NONBLOCK).open(path)?;
                return Ok(Target { path: path.to_owned(), file, length: None, synced: None });
            }
            Ok(meta) if !meta.is_file() => {
                let file = OpenOptions::new().append(true).open(path)?;
                return Ok(Target { path: path.to_owned(), file, length: None, synced: None });
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        DirBuilder::new().recursive(true).mode(modes.folder).create(folder)?;
        check_writable(folder)?;
        let file = OpenOptions::new().append(true).create(true).mode(modes.file).open(path)?;
        // The name must survive a crash as well as the bytes; not every file system can promise it.
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
        let length = file.metadata()?.len();
        Ok(Target { path: path.to_owned(), file, length: Some(length), synced: Some(length) })
    }

    /// The path it was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the first of `slices`, as many bytes as fit; 0 when a pipe is full, after waiting a little for room.
    ///
    /// # Errors
    /// When the file takes nothing.
    pub fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<u64> {
        match self.file.write_vectored(slices) {
            Ok(0) => Err(ErrorKind::WriteZero.into()),
            Ok(written) => {
                self.length = self.length.map(|length| length + written as u64);
                Ok(written as u64)
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(0),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.wait_for_room();
                Ok(0)
            }
            Err(error) => Err(error),
        }
    }

    /// Sleeps until the file takes bytes, at most 100 ms.
    fn wait_for_room(&self) {
        let mut poll = libc::pollfd { fd: self.file.as_raw_fd(), events: libc::POLLOUT, revents: 0 };
        // SAFETY: one descriptor, open as long as `self`; the call writes only into the structure. Its result
        // does not matter: the caller tries again either way.
        unsafe { libc::poll(&mut poll, 1, 100) };
    }

    /// Makes everything written durable, where the file is one that can; the last `torn` bytes are the
    /// beginning of a record and do not count.
    ///
    /// # Errors
    /// When what was written may be lost.
    pub fn sync(&mut self, torn: u64) -> io::Result<()> {
        match self.file.sync_data() {
            // Pipes and most devices have nothing to sync.
            Err(error) if matches!(error.raw_os_error(), Some(libc::EINVAL | libc::ENOTSUP | libc::ENOSYS)) => {}
            result => result?,
        }
        if self.length.is_some() {
            // Somebody else may have cut the file short or appended to it.
            let length = self.file.metadata()?.len();
            self.length = Some(length);
            self.synced = Some(length.saturating_sub(torn));
        }
        Ok(())
    }

    /// Takes the last `n` bytes away again. `false` when that cannot be: the file has no length, or somebody
    /// else has changed it meanwhile.
    pub fn take_back(&mut self, n: u64) -> bool {
        self.length.and_then(|length| length.checked_sub(n)).is_some_and(|length| self.cut(length))
    }

    /// Takes back everything since the last sync; `false` as for [`Target::take_back`].
    pub fn take_back_unsynced(&mut self) -> bool {
        self.synced.is_some_and(|synced| self.cut(synced))
    }

    fn cut(&mut self, length: u64) -> bool {
        let unchanged = self.file.metadata().is_ok_and(|meta| Some(meta.len()) == self.length);
        let cut = unchanged && self.file.set_len(length).is_ok();
        if cut {
            self.length = Some(length);
        }
        cut
    }
}

/// Creates and removes a file in `folder`.
fn check_writable(folder: &Path) -> io::Result<()> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let probe = folder.join(format!(".hekad.perm_check{}-{number}", std::process::id()));
    OpenOptions::new().write(true).create(true).truncate(true).open(&probe)?;
    std::fs::remove_file(&probe)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    const MODES: Modes = Modes { file: 0o600, folder: 0o700 };

    fn write(target: &mut Target, text: &str) -> u64 {
        target.write(&[IoSlice::new(text.as_bytes())]).unwrap()
    }

    #[test]
    fn creates_folders_and_file_and_appends() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b/c.log");
        let mut target = Target::open(&path, MODES).unwrap();
        assert_eq!(write(&mut target, "one\n"), 4);
        target.sync(0).unwrap();
        let mut again = Target::open(&path, MODES).unwrap();
        write(&mut again, "two\n");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\ntwo\n");
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(&dir.path().join("a"))), (0o600, 0o700));
        assert_eq!(std::fs::read_dir(dir.path().join("a/b")).unwrap().count(), 1, "the probe is gone");
    }

    #[test]
    fn takes_back_only_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        let mut target = Target::open(&path, MODES).unwrap();
        write(&mut target, "one\ntwo\nth");
        assert!(target.take_back(2));
        target.sync(0).unwrap();
        write(&mut target, "three\n");
        assert!(target.take_back_unsynced());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\ntwo\n");
        write(&mut target, "fo");
        std::fs::write(&path, "cut by somebody else").unwrap();
        assert!(!target.take_back(2) && !target.take_back_unsynced());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "cut by somebody else");
    }

    #[test]
    fn devices_and_pipes_need_no_folder_check() {
        let mut null = Target::open(Path::new("/dev/null"), MODES).unwrap();
        write(&mut null, "gone");
        null.sync(0).unwrap();
        assert!(!null.take_back(1));
        let full = Target::open(Path::new("/dev/full"), MODES).unwrap().write(&[IoSlice::new(b"x")]);
        assert_eq!(full.unwrap_err().kind(), ErrorKind::StorageFull);
    }

    #[test]
    fn says_why_it_cannot_open() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Target::open(dir.path(), MODES).is_err(), "a folder");
        std::fs::write(dir.path().join("file"), "").unwrap();
        assert!(Target::open(&dir.path().join("file/below"), MODES).is_err(), "a folder that is a file");
    }
}
