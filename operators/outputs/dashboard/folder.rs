//! A folder that is served: files are opened one segment at a time and never through a symbolic link, so that no
//! path, and no race with whoever may write there, leads out of it.

use std::ffi::{CString, OsStr};
use std::fs::{File, Metadata};
use std::io::{self, ErrorKind};
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A folder on disk.
#[derive(Clone, Debug)]
pub(super) struct Folder(PathBuf);

/// What a path below a folder names.
pub(super) enum Found {
    /// A regular file.
    File(File, Metadata),
    /// A folder.
    Folder(Vec<Entry>),
}

/// An entry of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub name: Vec<u8>,
    pub is_folder: bool,
}

/// What changes whenever a file is replaced or written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    inode: u64,
    size: u64,
    /// Nanoseconds since the UNIX epoch.
    modified: i128,
}

impl Stamp {
    pub(super) fn of(metadata: &Metadata) -> Self {
        let modified = i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec());
        Stamp { inode: metadata.ino(), size: metadata.size(), modified }
    }

    /// The stamp as an entity tag, for files whose content is not known otherwise.
    pub(super) fn version(&self) -> String {
        format!("{:x}-{:x}-{:x}", self.inode, self.size, self.modified)
    }
}

impl Folder {
    /// The folder at `path`, which may itself be a link.
    pub(super) fn new(path: impl Into<PathBuf>) -> Self {
        Folder(path.into())
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Opens what `segments` name.
    ///
    /// # Errors
    /// What the system says; `NotFound` also for links and for what is neither file nor folder.
    pub(super) fn open(&self, segments: &[Vec<u8>]) -> io::Result<Found> {
        let mut at = File::open(&self.0)?;
        for segment in segments {
            at = open_at(&at, segment)?;
        }
        let metadata = at.metadata()?;
        match metadata.file_type() {
            kind if kind.is_file() => Ok(Found::File(at, metadata)),
            kind if kind.is_dir() => Ok(Found::Folder(entries(&at)?)),
            _ => Err(ErrorKind::NotFound.into()),
        }
    }
}

/// Opens `name` in the folder `at`.
fn open_at(at: &File, name: &[u8]) -> io::Result<File> {
    let name = CString::new(name).map_err(|_| io::Error::from(ErrorKind::NotFound))?;
    // Not blocking: a FIFO would wait for its writer.
    let flags = libc::O_RDONLY | libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC | libc::O_NOCTTY;
    // SAFETY: the name is a C string that outlives the call, and the descriptor is open.
    let descriptor = unsafe { libc::openat(at.as_raw_fd(), name.as_ptr(), flags) };
    if descriptor < 0 {
        let error = io::Error::last_os_error();
        return Err(match error.raw_os_error() {
            // A link, a file where a folder must be, a socket, a name that no file can have.
            Some(libc::ELOOP | libc::ENOTDIR | libc::ENXIO | libc::ENAMETOOLONG) => ErrorKind::NotFound.into(),
            _ => error,
        });
    }
    // SAFETY: the descriptor was just opened, and nobody else has it.
    Ok(unsafe { File::from_raw_fd(descriptor) })
}

/// The entries of an open folder, sorted, without hidden ones and links.
fn entries(folder: &File) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(format!("/proc/self/fd/{}", folder.as_raw_fd()))? {
        let entry = entry?;
        let (name, kind) = (entry.file_name().into_vec(), entry.file_type()?);
        if !name.starts_with(b".") && (kind.is_file() || kind.is_dir()) {
            entries.push(Entry { name, is_folder: kind.is_dir() });
        }
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

/// The path of `name` in `folder`.
pub(super) fn join(folder: &Path, name: &str) -> PathBuf {
    folder.join(OsStr::from_bytes(name.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn open(folder: &Folder, path: &str) -> String {
        let segments: Vec<Vec<u8>> = path.split('/').filter(|s| !s.is_empty()).map(|s| s.as_bytes().to_vec()).collect();
        match folder.open(&segments) {
            Ok(Found::File(file, _)) => io::read_to_string(file).unwrap(),
            Ok(Found::Folder(entries)) => {
                let names = entries
                    .iter()
                    .map(|e| format!("{}{}", String::from_utf8_lossy(&e.name), if e.is_folder { "/" } else { "" }));
                names.collect::<Vec<_>>().join(" ")
            }
            Err(error) => format!("{:?}", error.kind()),
        }
    }

    #[test]
    fn links_sockets_and_pipes_are_not_there() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        std::fs::create_dir_all(root.join("sub")).unwrap();
        for (name, text) in [("secret", "s"), ("root/a.txt", "a"), ("root/sub/b.txt", "b"), ("root/.hidden", "h")] {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        symlink("../secret", root.join("link")).unwrap();
        symlink("..", root.join("up")).unwrap();
        symlink("sub", root.join("inner")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap();
        let fifo = CString::new(root.join("fifo").into_os_string().into_vec()).unwrap();
        // SAFETY: the name is a C string that outlives the call.
        assert_eq!(unsafe { libc::mkfifo(fifo.as_ptr(), 0o600) }, 0);
        symlink(&root, dir.path().join("served")).unwrap();
        let folder = Folder::new(dir.path().join("served"));
        let cases = [
            ("", "a.txt sub/"),
            ("a.txt", "a"),
            ("sub/b.txt", "b"),
            ("sub", "b.txt"),
            ("link", "NotFound"),
            ("up/secret", "NotFound"),
            ("inner/b.txt", "NotFound"),
            ("a.txt/b", "NotFound"),
            ("socket", "NotFound"),
            ("fifo", "NotFound"),
            ("gone", "NotFound"),
            (&"x".repeat(300), "NotFound"),
        ];
        for (path, expected) in cases {
            assert_eq!(open(&folder, path), expected, "{path}");
        }
    }

    #[test]
    fn a_stamp_changes_with_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        let stamp = |text: &str| {
            std::fs::write(&path, text).unwrap();
            Stamp::of(&std::fs::metadata(&path).unwrap()).version()
        };
        assert_ne!(stamp("a"), stamp("bc"));
    }
}
