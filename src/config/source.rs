//! Which files a configuration is made of, and their text as the user wrote it.

use heka_settings::{Place, Problem, Problems};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Largest configuration file, in bytes: far above any real one, far below what offsets can count.
const MAX_FILE: u64 = 64 << 20;

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Its path, as reached from the path given on the command line.
    pub path: PathBuf,
    /// Its text. Bytes that are no UTF-8 were refused and stand here as replacement characters.
    pub text: String,
}

/// All files of a configuration, in the order of loading. [`Place::file`] is an index into them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// The files.
    pub files: Vec<SourceFile>,
}

impl Sources {
    /// Reads a file, or all files of a directory whose names end in `.toml`, in byte order of their names and
    /// without descending. What cannot be read is noted.
    pub fn read(path: &Path, problems: &mut Problems) -> Sources {
        let mut sources = Sources::default();
        let paths = match list(path) {
            Ok(paths) => paths,
            Err(why) => {
                problems.push(Problem::error(Place::NOWHERE, why));
                return sources;
            }
        };
        for path in paths {
            let bytes = match read_file(&path) {
                Ok(bytes) => bytes,
                Err(why) => {
                    let message = format!("Error opening config file: {}: {why}", path.display());
                    problems.push(Problem::error(Place::NOWHERE, message));
                    continue;
                }
            };
            let text = String::from_utf8(bytes).unwrap_or_else(|error| {
                let start = error.utf8_error().valid_up_to() as u32;
                let place = Place { file: sources.files.len() as u32, start, end: start };
                problems.push(
                    Problem::error(place, "Error decoding config file: these bytes are no UTF-8")
                        .help("save the file in UTF-8"),
                );
                String::from_utf8_lossy(error.as_bytes()).into_owned()
            });
            sources.files.push(SourceFile { path, text });
        }
        sources
    }

    /// Sources that stand in no file system: each pair is a path and a text.
    pub fn from_texts<'a>(texts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Sources {
        let file = |(path, text): (&str, &str)| SourceFile { path: path.into(), text: text.to_owned() };
        Sources { files: texts.into_iter().map(file).collect() }
    }

    /// The file a place is in, if it is in one.
    pub fn file(&self, place: Place) -> Option<&SourceFile> {
        self.files.get(place.file as usize)
    }
}

fn list(path: &Path) -> Result<Vec<PathBuf>, String> {
    let info = std::fs::metadata(path).map_err(|why| match why.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => {
            format!("Error opening config file: {}: {why}", path.display())
        }
        _ => format!("Error fetching config file info: {}: {why}", path.display()),
    })?;
    if !info.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let opening = |why: io::Error| format!("Error opening config directory: {}: {why}", path.display());
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(path).map_err(opening)? {
        let name = entry.map_err(opening)?.file_name();
        if name.as_encoded_bytes().ends_with(b".toml") {
            paths.push(path.join(name));
        }
    }
    paths.sort_by(|a, b| a.as_os_str().as_encoded_bytes().cmp(b.as_os_str().as_encoded_bytes()));
    Ok(paths)
}

fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(io::Error::other(format!("larger than {} MiB", MAX_FILE >> 20)));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_read_in_byte_order_and_not_below() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["b.toml", "B.toml", "a.toml", "10.toml", "9.toml", "x.toml.bak", "notes.txt"] {
            std::fs::write(dir.path().join(name), name).unwrap();
        }
        std::fs::create_dir(dir.path().join("sub")).unwrap();
        std::fs::write(dir.path().join("sub/z.toml"), "").unwrap();
        let mut problems = Problems::default();
        let sources = Sources::read(dir.path(), &mut problems);
        let texts: Vec<_> = sources.files.iter().map(|f| f.text.as_str()).collect();
        assert_eq!(texts, ["10.toml", "9.toml", "B.toml", "a.toml", "b.toml"]);
        assert!(problems.is_empty());
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("d.toml")).unwrap();
        std::fs::write(dir.path().join("e.toml"), b"a = \"\xff\"").unwrap();
        let mut problems = Problems::default();
        let sources = Sources::read(dir.path(), &mut problems);
        Sources::read(&dir.path().join("missing.toml"), &mut problems);
        let found: Vec<_> = problems.iter().map(|p| (p.message.as_str(), p.place.start)).collect();
        assert!(found[0].0.starts_with("Error opening config file: ") && found[0].0.contains("d.toml"), "{found:?}");
        assert_eq!(found[1], ("Error decoding config file: these bytes are no UTF-8", 5));
        assert!(found[2].0.starts_with("Error opening config file: "), "{found:?}");
        assert_eq!(sources.files.len(), 1);
    }
}
