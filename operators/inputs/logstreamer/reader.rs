//! Reads one file from a position on, plain or gzip, and remembers what identifies the place it has reached.

use super::journal::{WINDOW, hash};
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{BufReader, Read};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

/// What a compressed file begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// What a file is, whatever its name: device and inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity(u64, u64);

impl Identity {
    /// What is at `path` now; `None` when nothing is.
    ///
    /// # Errors
    /// When that cannot be found out.
    pub fn at(path: &Path) -> std::io::Result<Option<Self>> {
        match std::fs::metadata(path) {
            Ok(metadata) => Ok(Some(Identity::of(&metadata))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Which file the metadata is of.
    pub fn of(metadata: &std::fs::Metadata) -> Self {
        Identity(metadata.dev(), metadata.ino())
    }
}

/// Whether there is something to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Available {
    /// Data.
    Data,
    /// Everything has been read.
    End,
    /// What has been read is not there any more: the file was truncated or overwritten.
    Shrunk,
}

enum Source {
    Plain,
    Gzip { decoder: Box<MultiGzDecoder<BufReader<Arc<File>>>>, done: bool },
}

/// An open file.
pub struct Reader {
    source: Source,
    file: Arc<File>,
    /// What the file is.
    pub identity: Identity,
    /// Bytes read, of the decompressed data.
    pub offset: u64,
    /// The file's first bytes, as far as they are known: at most [`WINDOW`].
    pub head: Vec<u8>,
    /// The bytes before `offset`: at most [`WINDOW`].
    pub tail: Vec<u8>,
    /// The largest size of the file that was seen.
    pub largest: u64,
    /// When the file had last been changed as its end was reached and compared with `tail`.
    compared: Option<SystemTime>,
}

impl Reader {
    /// Opens the file at its beginning.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(std::io::ErrorKind::IsADirectory.into());
        }
        let identity = Identity::of(&metadata);
        Ok(Reader {
            source: Source::Plain,
            file: Arc::new(file),
            identity,
            offset: 0,
            head: Vec::new(),
            tail: Vec::new(),
            largest: metadata.len(),
            compared: None,
        })
    }

    /// Opens the file at its beginning and remembers its first bytes, so that it is noticed when the file is
    /// overwritten before they are read.
    ///
    /// # Errors
    /// What the system says.
    pub fn open_and_look(path: &Path) -> std::io::Result<Self> {
        let mut reader = Reader::open(path)?;
        reader.head = reader.window(reader.size()?.min(WINDOW as u64))?;
        if reader.head.starts_with(&GZIP) {
            reader.head.clear();
        }
        Ok(reader)
    }

    /// Opens the file at a position, if the bytes before it are those the position was taken behind.
    ///
    /// # Errors
    /// What the system says.
    pub fn open_at(path: &Path, seek: u64, last_hash: &str) -> std::io::Result<Option<Self>> {
        let mut reader = Reader::open(path)?;
        Ok((seek == 0 || (reader.skip_to(seek)? && hash(&reader.tail) == last_hash)).then_some(reader))
    }

    /// Opens the file behind what it held when its size on disk was `size`, or now if that is not given. A
    /// compressed file does not grow, and is opened at its end.
    ///
    /// # Errors
    /// What the system says.
    pub fn open_behind(path: &Path, size: Option<u64>) -> std::io::Result<Self> {
        let mut reader = Reader::open(path)?;
        reader.look_for_gzip()?;
        let end = match (reader.is_gzip(), size) {
            (true, _) => u64::MAX,
            (false, Some(size)) => size,
            (false, None) => reader.size()?,
        };
        reader.skip_to(end)?;
        Ok(reader)
    }

    /// Reads on until `seek` bytes have been read; says whether there were that many.
    fn skip_to(&mut self, seek: u64) -> std::io::Result<bool> {
        self.look_for_gzip()?;
        if self.is_gzip() {
            let mut buffer = vec![0; 64 * 1024];
            while self.offset < seek {
                let wanted = (seek - self.offset).min(buffer.len() as u64) as usize;
                if self.read(&mut buffer[..wanted])? == 0 {
                    return Ok(false);
                }
            }
            return Ok(true);
        }
        if self.file.metadata()?.len() < seek {
            return Ok(false);
        }
        let window = seek.min(WINDOW as u64) as usize;
        self.head = self.window(window as u64)?;
        self.tail = self.window(seek)?;
        self.offset = seek;
        // A file that shrinks meanwhile gives less.
        Ok(self.tail.len() == window)
    }

    /// The bytes before `end` of a plain file, at most [`WINDOW`] of them.
    fn window(&self, end: u64) -> std::io::Result<Vec<u8>> {
        read_window(&self.file, end)
    }

    /// The handle, for reading bytes again: compressed files have none.
    pub fn plain(&self) -> Option<Arc<File>> {
        matches!(self.source, Source::Plain).then(|| self.file.clone())
    }

    /// The handle, for watching it.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Whether the file is compressed, as far as its first bytes have been seen.
    pub fn is_gzip(&self) -> bool {
        matches!(self.source, Source::Gzip { .. })
    }

    /// When the file was last changed.
    pub fn modified(&self) -> SystemTime {
        self.file.metadata().and_then(|metadata| metadata.modified()).unwrap_or(SystemTime::UNIX_EPOCH)
    }

    /// Size of the file in bytes.
    ///
    /// # Errors
    /// What the system says.
    pub fn size(&self) -> std::io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// Whether there is something to read.
    ///
    /// # Errors
    /// What the system says.
    pub fn available(&mut self) -> std::io::Result<Available> {
        match &self.source {
            Source::Gzip { done: true, .. } => return Ok(Available::End),
            Source::Gzip { .. } => return Ok(Available::Data),
            Source::Plain => {}
        }
        let metadata = self.file.metadata()?;
        if metadata.len() >= self.offset {
            self.largest = self.largest.max(metadata.len());
        }
        Ok(match metadata.len().cmp(&self.offset) {
            std::cmp::Ordering::Greater => Available::Data,
            std::cmp::Ordering::Less => Available::Shrunk,
            std::cmp::Ordering::Equal => {
                // Truncated and grown to the same length again?
                let modified = metadata.modified().ok();
                match self.compared == modified || self.still_holds() {
                    true => {
                        self.compared = modified;
                        Available::End
                    }
                    false => Available::Shrunk,
                }
            }
        })
    }

    /// Whether the file still begins with the bytes it began with, and those before `offset` are those that were read: a
    /// file can be truncated and grow beyond the old offset between two looks.
    pub fn still_holds(&self) -> bool {
        let same = |end: u64, bytes: &[u8]| self.window(end).is_ok_and(|window| window == bytes);
        self.is_gzip()
            || (same(self.head.len() as u64, &self.head)
                && (self.offset <= self.head.len() as u64 || same(self.offset, &self.tail)))
    }

    /// Counts a compressed file as read to its end.
    pub fn give_up(&mut self) {
        if let Source::Gzip { done, .. } = &mut self.source {
            *done = true;
        }
    }

    /// The first bytes of the (decompressed) file, as many as there are up to `length`.
    ///
    /// # Errors
    /// What the system says.
    pub fn peek(path: &Path, length: usize) -> std::io::Result<(Vec<u8>, bool)> {
        let mut reader = Reader::open(path)?;
        let mut bytes = vec![0; length];
        let mut filled = 0;
        while filled < length {
            match reader.read(&mut bytes[filled..]) {
                // A compressed file that is still being written ends early.
                Ok(0) | Err(_) => break,
                Ok(n) => filled += n,
            }
        }
        bytes.truncate(filled);
        Ok((bytes, reader.is_gzip()))
    }

    /// When the file was made, where the file system keeps that.
    pub fn created(&self) -> Option<SystemTime> {
        self.file.metadata().and_then(|metadata| metadata.created()).ok()
    }

    /// Reads what comes next; 0 at the end, and when the file has been overwritten.
    ///
    /// # Errors
    /// What the system or the decompressor says; `offset` then still counts what was handed out.
    pub fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.read_if(buffer, || true)
    }

    /// Reads what comes next if it is `confirmed` afterwards that it belongs here; else that counts as the end.
    ///
    /// # Errors
    /// As [`read`](Reader::read).
    pub fn read_if(&mut self, buffer: &mut [u8], confirmed: impl FnOnce() -> bool) -> std::io::Result<usize> {
        if self.offset == 0 {
            self.look_for_gzip()?;
        }
        let read = match &mut self.source {
            // Compared after reading: what is still there now was there then.
            Source::Plain => match self.file.read_at(buffer, self.offset)? {
                read if self.still_holds() && confirmed() => read,
                _ => 0,
            },
            Source::Gzip { decoder, done } => {
                let read = decoder.read(buffer)?;
                *done = read == 0 && !buffer.is_empty();
                read
            }
        };
        let bytes = buffer.get(..read).unwrap_or_default();
        if self.head.len() < WINDOW
            && let Some(known) = (self.head.len() as u64).checked_sub(self.offset)
            && let Some(new) = bytes.get(known as usize..)
        {
            self.head.extend_from_slice(&new[..new.len().min(WINDOW - self.head.len())]);
        }
        push_window(&mut self.tail, bytes);
        self.offset += read as u64;
        Ok(read)
    }

    fn look_for_gzip(&mut self) -> std::io::Result<()> {
        let mut magic = [0; 2];
        if !self.is_gzip() && self.file.read_at(&mut magic, 0)? == 2 && magic == GZIP {
            let decoder = Box::new(MultiGzDecoder::new(BufReader::with_capacity(64 * 1024, self.file.clone())));
            self.source = Source::Gzip { decoder, done: false };
        }
        Ok(())
    }
}

/// The bytes before `end`, at most [`WINDOW`] of them.
///
/// # Errors
/// What the system says.
pub fn read_window(file: &File, end: u64) -> std::io::Result<Vec<u8>> {
    let start = end.saturating_sub(WINDOW as u64);
    let mut window = vec![0; (end - start) as usize];
    let mut filled = 0;
    while filled < window.len() {
        match file.read_at(&mut window[filled..], start + filled as u64)? {
            0 => break,
            n => filled += n,
        }
    }
    window.truncate(filled);
    Ok(window)
}

/// Appends to a window and cuts it to the last [`WINDOW`] bytes.
pub fn push_window(window: &mut Vec<u8>, bytes: &[u8]) {
    if bytes.len() >= WINDOW {
        window.clear();
        window.extend_from_slice(&bytes[bytes.len() - WINDOW..]);
    } else {
        let excess = (window.len() + bytes.len()).saturating_sub(WINDOW);
        window.drain(..excess);
        window.extend_from_slice(bytes);
    }
}
