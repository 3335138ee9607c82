//! Finds where a stream is to be read on: the file that holds its position, whatever it is called now, or where a
//! stream without a position starts.

use super::journal::Position;
use super::reader::Reader;
use super::scan::LogFile;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Where a stream without a position starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// At the beginning of its oldest file.
    Oldest,
    /// At the end of its newest file.
    Newest,
    /// Behind what this file held when it had this size.
    Behind(PathBuf, u64),
}

/// Where to go on reading, when no file is open.
pub(super) struct Place {
    pub(super) at: Position,
    /// When the place was reached: files changed later hold something new.
    pub(super) since: SystemTime,
}

/// Where a stream is read on.
pub(super) struct Located {
    pub(super) path: PathBuf,
    /// Opened at the right place.
    pub(super) reader: Reader,
    /// This is where reading stopped.
    pub(super) continues: bool,
    /// Why it is not, although there is a position.
    pub(super) lost: Option<String>,
    /// Nothing of the stream has been read before.
    pub(super) from_start: bool,
}

/// The file of a stream to read, opened at the right place. `start` is for streams without a position.
pub(super) fn locate(files: &[LogFile], start: &Start, place: Option<&Place>) -> std::io::Result<Located> {
    if let Some((path, reader)) = place.map_or(Ok(None), |place| find(files, &place.at))? {
        return Ok(Located { path, reader, continues: true, lost: None, from_start: false });
    }
    let newest = files.last().map(|file| file.path.clone()).ok_or(ErrorKind::NotFound)?;
    let oldest = files.first().map_or_else(|| newest.clone(), |file| file.path.clone());
    let never_read = place.is_none_or(|place| place.at.seek == 0 && place.at.last_hash.is_empty());
    let Some(Place { at, since }) = place.filter(|_| !never_read) else {
        let (path, reader, from_start) = match start {
            Start::Newest if place.is_none() => (newest.clone(), Reader::open_behind(&newest, None)?, false),
            Start::Behind(path, size) if place.is_none() => {
                (path.clone(), Reader::open_behind(path, Some(*size))?, false)
            }
            _ => (oldest.clone(), Reader::open(&oldest)?, true),
        };
        return Ok(Located { path, reader, continues: false, lost: None, from_start });
    };
    // Whatever was changed after the position was noted has not been read; what was not, has been. The clock of files
    // is coarse.
    let unread = |path: &Path| std::fs::metadata(path).and_then(|m| m.modified()).is_ok_and(|time| time >= *since);
    let changed = files.iter().map(|file| &file.path).find(|path| unread(path));
    let recorded = || files.iter().map(|file| &file.path).find(|path| **path == *at.file_name);
    let path = changed.or_else(|| recorded().filter(|_| at.seek == 0)).unwrap_or(&newest).clone();
    let lost = (at.seek > 0).then(|| format!("byte {} of {} is in none of the stream's files", at.seek, at.file_name));
    let reader = Reader::open(&path)?;
    Ok(Located { path, reader, continues: false, lost, from_start: false })
}

/// The file that holds a position, which its last bytes identify; the start of a file could be any file's.
fn find(files: &[LogFile], at: &Position) -> std::io::Result<Option<(PathBuf, Reader)>> {
    if at.seek == 0 {
        return Ok(None);
    }
    let recorded = Path::new(&at.file_name);
    let listed = files.iter().any(|file| file.path == recorded);
    let others = files.iter().rev().map(|file| file.path.as_path()).filter(|path| *path != recorded);
    for path in listed.then_some(recorded).into_iter().chain(others) {
        if let Some(reader) = open_at(path, at)? {
            return Ok(Some((path.to_owned(), reader)));
        }
    }
    Ok(None)
}

/// Opens a file at a position if it is the right one; a damaged or vanished file is not.
pub(super) fn open_at(path: &Path, at: &Position) -> std::io::Result<Option<Reader>> {
    match Reader::open_at(path, at.seek, &at.last_hash) {
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::NotFound | ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::UnexpectedEof
            ) =>
        {
            Ok(None)
        }
        other => other.map_err(|error| std::io::Error::new(error.kind(), format!("{}: {error}", path.display()))),
    }
}
