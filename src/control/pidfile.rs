//! The pid file: refuses a second daemon, removed at the end.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// A pid file of this process; removed when dropped.
#[derive(Debug)]
pub struct PidFile {
    path: PathBuf,
}

impl PidFile {
    /// Writes this process's id to `path`.
    ///
    /// # Errors
    /// When the file names a process that runs, holds no number, or cannot be written.
    pub fn create(path: &Path) -> Result<Self, String> {
        match std::fs::read_to_string(path) {
            Ok(text) => {
                let pid: i32 = text
                    .trim()
                    .parse()
                    .map_err(|error| format!("Error reading proccess id from pidfile '{}': {error}", path.display()))?;
                if is_running(pid) {
                    return Err(format!("Process {pid} is already running."));
                }
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(format!("Error reading pidfile '{}': {error}", path.display())),
        }
        std::fs::write(path, std::process::id().to_string())
            .map_err(|error| format!("Error writing pidfile '{}': {error}", path.display()))?;
        Ok(PidFile { path: path.to_owned() })
    }
}

/// Whether a process with this id exists, whoever owns it.
fn is_running(pid: i32) -> bool {
    if pid <= 0 || pid as u32 == std::process::id() {
        return false;
    }
    // SAFETY: signal 0 only asks whether the process exists.
    let sent = unsafe { libc::kill(pid, 0) };
    sent == 0 || std::io::Error::last_os_error().raw_os_error() == Some(libc::EPERM)
}

impl Drop for PidFile {
    fn drop(&mut self) {
        // Nothing is left to tell when it cannot be removed; the next start finds the process gone.
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_live_owner_is_respected_and_a_dead_one_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pid");
        std::fs::write(&path, "1\n").unwrap();
        assert_eq!(PidFile::create(&path).unwrap_err(), "Process 1 is already running.");
        std::fs::write(&path, "x").unwrap();
        assert!(PidFile::create(&path).unwrap_err().starts_with("Error reading proccess id"));
        let mut child = std::process::Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        std::fs::write(&path, child.id().to_string()).unwrap();
        let file = PidFile::create(&path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), std::process::id().to_string());
        drop(file);
        assert!(!path.exists());
    }
}
