//! What the scenarios share: a folder, the inputs in it, and whether everything went well.

use crate::Result;
use crate::generate::{nginx, protobuf};
use crate::options::Options;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// How long a program may take over one scenario.
pub const PATIENCE: Duration = Duration::from_secs(300);

const SEED: u64 = 0x853c_49e6_748f_ea9b;

/// A generated file.
#[derive(Clone, Debug)]
pub struct Input {
    /// Where it is; alone in its folder.
    pub path: PathBuf,
    /// Lines or messages.
    pub records: u64,
    /// Its length.
    pub bytes: u64,
}

/// One run.
pub struct Bench {
    /// What to run.
    pub options: Options,
    dir: TempDir,
    nginx: Option<Input>,
    protobuf: Option<Input>,
    failures: u32,
}

impl Bench {
    /// Makes the folder.
    ///
    /// # Errors
    /// When that fails.
    pub fn new(options: Options) -> Result<Bench> {
        Ok(Bench { options, dir: tempfile::tempdir()?, nginx: None, protobuf: None, failures: 0 })
    }

    /// The folder of this run; everything in it goes when the run ends.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// An empty folder called `name`, without what an earlier scenario has left there.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn fresh(&self, name: &str) -> io::Result<PathBuf> {
        let path = self.dir().join(name);
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => fs::create_dir(&path)?,
        }
        Ok(path)
    }

    /// The access log, generated when it is first wanted.
    ///
    /// # Errors
    /// When there is no room for it.
    pub fn nginx(&mut self) -> Result<Input> {
        let lines = self.options.scale(5_000_000, 100_000);
        once(&mut self.nginx, self.dir.path(), "nginx", lines, nginx::write)
    }

    /// The framed messages, generated when they are first wanted.
    ///
    /// # Errors
    /// When there is no room for them.
    pub fn protobuf(&mut self) -> Result<Input> {
        let messages = self.options.scale(1_000_000, 20_000);
        once(&mut self.protobuf, self.dir.path(), "protobuf", messages, protobuf::write)
    }

    /// Says what went wrong; the run goes on, and fails at its end.
    pub fn fail(&mut self, why: &str) {
        self.failures += 1;
        eprintln!("FAILED: {why}");
        for log in fs::read_dir(self.dir()).into_iter().flatten().flatten() {
            if log.path().extension().is_some_and(|extension| extension == "stderr") {
                let text = fs::read_to_string(log.path()).unwrap_or_default();
                let lines: Vec<_> = text.lines().collect();
                for line in &lines[lines.len().saturating_sub(10)..] {
                    eprintln!("    {}: {line}", log.file_name().to_string_lossy());
                }
            }
        }
    }

    /// Whether anything went wrong.
    pub fn failed(&self) -> bool {
        self.failures > 0
    }
}

fn once(
    slot: &mut Option<Input>,
    dir: &Path,
    name: &str,
    records: u64,
    write: fn(&mut BufWriter<File>, u64, u64) -> io::Result<u64>,
) -> Result<Input> {
    if slot.is_none() {
        let folder = dir.join(name);
        fs::create_dir(&folder)?;
        let path = folder.join("input.log");
        let mut file = BufWriter::with_capacity(1 << 20, File::create(&path)?);
        let bytes = write(&mut file, records, SEED)?;
        file.flush()?;
        *slot = Some(Input { path, records, bytes });
    }
    slot.clone().ok_or_else(|| "an input was not kept".into())
}
