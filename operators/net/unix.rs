//! Sockets in the file system, and abstract ones, whose names start with `@` and live nowhere.

use socket2::{Domain, SockAddr, Socket, Type};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The file of a socket; removed when dropped, unless it has been replaced meanwhile.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    inode: u64,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if std::fs::symlink_metadata(&self.path).is_ok_and(|meta| meta.ino() == self.inode) {
            // Whoever took it away first has done what was wanted.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// The address that a path, or an abstract name behind `@`, stands for.
///
/// # Errors
/// When it is empty or longer than socket addresses can be.
pub fn address(path: &str) -> io::Result<SockAddr> {
    match path.strip_prefix('@') {
        Some(name) => SockAddr::unix(format!("\0{name}")),
        None if path.is_empty() => Err(io::Error::new(ErrorKind::InvalidInput, "the socket's path is empty")),
        None => SockAddr::unix(path),
    }
}

/// Makes a socket of `kind` at `path`. A file left behind by a process that is gone is replaced; one that
/// somebody listens on is not. Anybody may write to the new one (mode 0666).
///
/// # Errors
/// The system's.
pub fn bind(kind: Type, path: &str) -> io::Result<(Socket, Option<SocketFile>)> {
    let socket = Socket::new(Domain::UNIX, kind, None)?;
    let address = address(path)?;
    if path.starts_with('@') {
        socket.bind(&address)?;
        return Ok((socket, None));
    }
    let path = Path::new(path);
    if let Err(error) = socket.bind(&address) {
        if error.kind() != ErrorKind::AddrInUse || !is_stale(kind, path, &address) {
            return Err(error);
        }
        std::fs::remove_file(path)?;
        socket.bind(&address)?;
    }
    let file = SocketFile { path: path.to_owned(), inode: std::fs::symlink_metadata(path)?.ino() };
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o666))?;
    Ok((socket, Some(file)))
}

/// Whether the file is a socket that nobody listens on.
fn is_stale(kind: Type, path: &Path, address: &SockAddr) -> bool {
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|meta| meta.file_type().is_socket());
    is_socket
        && Socket::new(Domain::UNIX, kind, None).is_ok_and(|probe| {
            // A listener whose queue is full would make a blocking probe wait.
            let _ = probe.set_nonblocking(true);
            probe.connect(address).is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_file_is_replaced_and_a_live_one_is_not() {
        for kind in [Type::DGRAM, Type::STREAM] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("h.sock");
            let text = path.to_str().unwrap();
            let (first, file) = bind(kind, text).unwrap();
            if kind == Type::STREAM {
                first.listen(1).unwrap();
            }
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o666);
            assert_eq!(bind(kind, text).err().map(|e| e.kind()), Some(ErrorKind::AddrInUse));
            drop(first);
            std::mem::forget(file);
            let (_second, file) = bind(kind, text).unwrap();
            drop(file);
            assert!(!path.exists());
            std::fs::write(&path, "precious").unwrap();
            assert!(bind(kind, text).is_err());
            assert_eq!(std::fs::read(&path).unwrap(), b"precious");
        }
    }

    #[test]
    fn impossible_paths_are_refused() {
        assert!(address("").is_err());
        assert!(address(&"x".repeat(200)).is_err());
        assert!(bind(Type::DGRAM, "/no/such/directory/x").is_err());
    }
}
