//! Where a queue lives on disk: folder and file names, and the checkpoint.
//!
//! `<base_dir>/output_queue/<plugin>/` holds `0.log`, `1.log` and so on, each a row of unsigned frames around
//! protobuf messages, and `checkpoint.txt`: the file number and the byte offset of the first message that is
//! not yet delivered, as in `0 17574`.

use crate::plugin::Globals;
use std::collections::BTreeMap;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

const CHECKPOINT: &str = "checkpoint.txt";

/// No queue has come to larger file numbers; whatever names one is damaged. Counting on from them would end
/// with no number left.
const LARGEST_CHECKPOINT: u64 = 1 << 53;
const LARGEST_FILE: u64 = 1 << 62;

/// A place in a queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// The file's number.
    pub file: u64,
    /// Bytes from its beginning.
    pub offset: u64,
}

/// A plugin's name as the name of its queue's folder: everything but letters, digits and `_` of ASCII becomes
/// `_`. Two plugins whose names differ can have the same.
pub fn mangle(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

/// The folder of the queue of the plugin called `name`.
pub fn directory(globals: &Globals, name: &str) -> PathBuf {
    globals.state_path("output_queue").join(mangle(name))
}

/// The path of a queue file.
pub fn file_path(folder: &Path, file: u64) -> PathBuf {
    folder.join(format!("{file}.log"))
}

/// The number in a queue file's name; `None` for names no queue writes.
fn file_number(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".log")?;
    let number: u64 = digits.parse().ok()?;
    (number <= LARGEST_FILE && number.to_string() == digits).then_some(number)
}

/// Creates the queue's folder.
pub fn create_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Creates a queue file, or opens it if it is there, for writing.
pub fn create_file(folder: &Path, file: u64) -> io::Result<File> {
    let path = file_path(folder, file);
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    sync_folder(folder);
    Ok(file)
}

/// Makes names durable; not every file system can.
fn sync_folder(folder: &Path) {
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
}

/// The queue files of a folder, by number, with their lengths.
pub fn scan(folder: &Path) -> io::Result<BTreeMap<u64, u64>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if let Some(number) = entry.file_name().to_str().and_then(file_number) {
            files.insert(number, entry.metadata()?.len());
        }
    }
    Ok(files)
}

/// Reads the checkpoint; `None` when there is none.
///
/// # Errors
/// One line saying what is wrong with it.
pub fn read_checkpoint(folder: &Path) -> Result<Option<Cursor>, String> {
    let path = folder.join(CHECKPOINT);
    match std::fs::read(&path) {
        Ok(bytes) => parse_checkpoint(&bytes).map(Some).map_err(|why| format!("{why} in '{}'", path.display())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("can't read '{}': {error}", path.display())),
    }
}

fn parse_checkpoint(bytes: &[u8]) -> Result<Cursor, &'static str> {
    let text = std::str::from_utf8(bytes).map_err(|_| "invalid checkpoint format")?;
    let mut words = text.split_ascii_whitespace();
    let (Some(file), Some(offset), None) = (words.next(), words.next(), words.next()) else {
        return Err("invalid checkpoint format");
    };
    let file = file.parse().ok().filter(|file| *file <= LARGEST_CHECKPOINT);
    Ok(Cursor {
        file: file.ok_or("invalid checkpoint id")?,
        offset: offset.parse().map_err(|_| "invalid checkpoint offset")?,
    })
}

/// Replaces the checkpoint in one step: whoever reads it finds the old one or the new one.
pub fn write_checkpoint(folder: &Path, cursor: Cursor, durable: bool) -> io::Result<()> {
    let (path, new) = (folder.join(CHECKPOINT), folder.join("checkpoint.txt.new"));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    write!(file, "{} {}", cursor.file, cursor.offset)?;
    if durable {
        file.sync_data()?;
    }
    std::fs::rename(&new, &path)?;
    if durable {
        sync_folder(folder);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_folders() {
        let globals = Globals { base_dir: "/b".into(), ..Globals::default() };
        for (name, folder) in [
            ("TcpOutput", "/b/output_queue/TcpOutput"),
            ("my.out-2_x", "/b/output_queue/my_out_2_x"),
            ("../é", "/b/output_queue/____"),
        ] {
            assert_eq!(directory(&globals, name), PathBuf::from(folder));
        }
    }

    #[test]
    fn only_names_a_queue_writes_count() {
        let cases = [("0.log", Some(0)), ("17.log", Some(17)), ("007.log", None), ("-1.log", None), ("x.log", None)];
        for (name, number) in cases.into_iter().chain([("1.log.gz", None), (".log", None), ("+1.log", None)]) {
            assert_eq!(file_number(name), number, "{name}");
        }
    }

    #[test]
    fn checkpoints_read_and_refused() {
        for (text, file, offset) in [("0 17574", 0, 17574), ("3 0\n", 3, 0), (" 1  2 ", 1, 2)] {
            assert_eq!(parse_checkpoint(text.as_bytes()), Ok(Cursor { file, offset }));
        }
        for (text, error) in [
            ("", "invalid checkpoint format"),
            ("5", "invalid checkpoint format"),
            ("1 2 3", "invalid checkpoint format"),
            ("x 2", "invalid checkpoint id"),
            ("-1 2", "invalid checkpoint id"),
            ("18446744073709551615 0", "invalid checkpoint id"),
            ("1 y", "invalid checkpoint offset"),
            ("1 99999999999999999999", "invalid checkpoint offset"),
        ] {
            assert_eq!(parse_checkpoint(text.as_bytes()), Err(error), "{text:?}");
        }
        assert!(parse_checkpoint(b"\xff\0").is_err());
    }

    #[test]
    fn a_checkpoint_is_replaced_whole() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read_checkpoint(dir.path()), Ok(None));
        for durable in [true, false] {
            let cursor = Cursor { file: 12, offset: 34 + u64::from(durable) };
            write_checkpoint(dir.path(), cursor, durable).unwrap();
            assert_eq!(read_checkpoint(dir.path()), Ok(Some(cursor)));
        }
        assert_eq!(std::fs::read(dir.path().join(CHECKPOINT)).unwrap(), b"12 34", "no newline, as the original");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
