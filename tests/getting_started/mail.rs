//! A real SMTP server, and the mails it took.

use crate::support::peer::{self, Running};
use crate::support::{connect, free_address};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Python's aiosmtpd, which refuses the first mail for the time being.
pub struct MailServer {
    _running: Running,
    pub address: String,
    folder: PathBuf,
}

impl MailServer {
    /// Starts it below `dir`, for the user of the configuration; `None` where the machine lacks it.
    pub fn start(dir: &Path) -> Option<MailServer> {
        peer::find("aiosmtpd")?;
        let python = peer::find("python")?;
        fs::create_dir_all(dir).unwrap();
        let address = free_address();
        let port = address.rsplit(':').next().unwrap();
        let mut command = Command::new(python);
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/getting_started/mail_server.py"));
        command.arg(port).arg(dir).args(["test", "testpw"]);
        let running = Running::start(&mut command, &dir.join("mail_server.out"));
        connect(&address);
        Some(MailServer { _running: running, address, folder: dir.to_owned() })
    }

    /// The mails it has taken, as they came.
    pub fn mails(&self) -> Vec<String> {
        let is_mail = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "eml");
        let mut files: Vec<_> =
            fs::read_dir(&self.folder).unwrap().map(|entry| entry.unwrap().path()).filter(is_mail).collect();
        files.sort();
        files.into_iter().map(|file| fs::read_to_string(file).unwrap()).collect()
    }
}
