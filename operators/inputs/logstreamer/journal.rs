//! Where a stream's position is kept between runs: one small JSON file a stream, replaced as a whole so that a
//! crash leaves either the old position or the new one.

use serde::{Deserialize, Serialize};
use sha1::{Digest, Sha1};
use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// How many bytes before a position identify it.
pub const WINDOW: usize = 500;

/// A place in a file, in the format of the journal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Bytes consumed; of the decompressed data when the file is compressed.
    #[serde(default)]
    pub seek: u64,
    /// Full path of the file.
    #[serde(default)]
    pub file_name: String,
    /// [`hash`] of the bytes before `seek`.
    #[serde(default)]
    pub last_hash: String,
}

/// SHA-1 in hexadecimal over the last [`WINDOW`] bytes of `before`, with zeros in front when there are fewer.
pub fn hash(before: &[u8]) -> String {
    let before = &before[before.len().saturating_sub(WINDOW)..];
    let mut sha = Sha1::new();
    sha.update(&[0; WINDOW][before.len()..]);
    sha.update(before);
    sha.finalize().iter().fold(String::with_capacity(40), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The journal of one stream.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    saved: Option<Position>,
}

/// What a journal held when it was opened.
#[derive(Debug, PartialEq, Eq)]
pub enum Held {
    /// No position.
    Nothing,
    /// A position, and when it was written.
    Position(Position, SystemTime),
    /// Something that is no position; why, and, once it is opened, what became of the file.
    Damage(String),
}

impl Journal {
    /// Opens the journal of the stream called `name`. A damaged file is set aside under another name.
    ///
    /// # Errors
    /// When the file is there but cannot be read.
    pub fn open(directory: &Path, name: &str) -> std::io::Result<(Self, Held)> {
        let path = directory.join(file_name(name));
        let (saved, held) = match peek(directory, name)? {
            Held::Position(position, written) => (Some(position.clone()), Held::Position(position, written)),
            Held::Nothing => (None, Held::Nothing),
            Held::Damage(why) => {
                let mut aside = path.clone().into_os_string();
                aside.push(".damaged");
                let fate = match std::fs::rename(&path, &aside) {
                    Ok(()) => format!("kept as {}", Path::new(&aside).display()),
                    Err(error) => format!("cannot be set aside: {error}"),
                };
                (None, Held::Damage(format!("{why}; {fate}")))
            }
        };
        Ok((Journal { path, saved }, held))
    }

    /// Replaces the position, unless it is the one already there.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn save(&mut self, position: &Position) -> std::io::Result<()> {
        if self.saved.as_ref() == Some(position) {
            return Ok(());
        }
        let mut name = std::ffi::OsString::from(".new.");
        name.push(self.path.file_name().unwrap_or_default());
        let temporary = self.path.with_file_name(name);
        let mut file =
            std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o660).open(&temporary)?;
        file.write_all(&serde_json::to_vec(position)?)?;
        std::fs::rename(&temporary, &self.path)?;
        self.saved = Some(position.clone());
        Ok(())
    }
}

/// What the journal of the stream called `name` holds; nothing is changed.
///
/// # Errors
/// When the file is there but cannot be read.
pub fn peek(directory: &Path, name: &str) -> std::io::Result<Held> {
    let path = directory.join(file_name(name));
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Held::Nothing),
        Err(error) => return Err(error),
    };
    if text.trim_ascii().is_empty() {
        return Ok(Held::Nothing);
    }
    Ok(match serde_json::from_slice::<Position>(&text) {
        Ok(position) => {
            let written = std::fs::metadata(&path).and_then(|m| m.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
            Held::Position(position, written)
        }
        Err(why) => Held::Damage(format!("journal {} is damaged ({why})", path.display())),
    })
}

/// The journal's file name: the stream's name, with what a file name cannot hold written as `%XX`. Different
/// names stay different; names too long for a file keep their beginning and get a hash.
fn file_name(stream: &str) -> String {
    let bytes = stream.as_bytes();
    let mut name = String::with_capacity(stream.len());
    for (at, c) in stream.char_indices() {
        let looks_encoded =
            c == '%' && bytes.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let dots = c == '.' && (stream == "." || stream == "..");
        if c == '/' || c == '\0' || looks_encoded || dots {
            let _ = write!(name, "%{:02X}", u32::from(c));
        } else {
            name.push(c);
        }
    }
    if name.is_empty() {
        name.push('%');
    }
    if name.len() > 200 {
        let cut = (0..=150).rev().find(|at| name.is_char_boundary(*at)).unwrap_or(0);
        name.truncate(cut);
        name.push('%');
        name.push_str(&hash(&Sha1::digest(stream)));
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_kept_in_the_format_users_have() {
        let directory = tempfile::tempdir().unwrap();
        let (mut journal, held) = Journal::open(directory.path(), "app").unwrap();
        assert_eq!(held, Held::Nothing);
        let position = Position { seek: 11, file_name: "/var/log/app.log".into(), last_hash: hash(b"alpha\nbeta\n") };
        journal.save(&position).unwrap();
        let text = std::fs::read_to_string(directory.path().join("app")).unwrap();
        assert_eq!(
            text,
            r#"{"seek":11,"file_name":"/var/log/app.log","last_hash":"12635b6dd5f471b1f335a66d23192f7921d93d04"}"#
        );
        let (_, held) = Journal::open(directory.path(), "app").unwrap();
        assert!(matches!(held, Held::Position(kept, _) if kept == position));
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "no temporary file is left");
    }

    #[test]
    fn nothing_hashes_as_zeros() {
        assert_eq!(hash(b""), "fc56d4b3c72a8bfe593373c740d558ec1340ac73");
    }

    #[test]
    fn a_damaged_journal_is_set_aside() {
        let directory = tempfile::tempdir().unwrap();
        for (text, damaged) in [("", false), (" \n", false), ("{\"seek\":1", true), ("[]x", true)] {
            std::fs::write(directory.path().join("app"), text).unwrap();
            let (_, held) = Journal::open(directory.path(), "app").unwrap();
            assert_eq!(matches!(held, Held::Damage(_)), damaged, "{text:?}");
            assert_eq!(matches!(held, Held::Nothing), !damaged, "{text:?}");
        }
        assert_eq!(std::fs::read(directory.path().join("app.damaged")).unwrap(), b"[]x");
    }

    #[test]
    fn every_stream_name_is_a_file_name_of_its_own() {
        let long = "x".repeat(300);
        let cases = [
            ("app", "app"),
            ("a/b", "a%2Fb"),
            ("a%2Fb", "a%252Fb"),
            ("100%", "100%"),
            ("..", "%2E%2E"),
            ("../x", "..%2Fx"),
            ("", "%"),
        ];
        for (stream, file) in cases {
            assert_eq!(file_name(stream), file);
        }
        assert!(file_name(&long).len() < 255);
        assert_ne!(file_name(&long), file_name(&format!("{long}y")));
    }
}
