//! Follows one stream: decides which file to read, from where, and when to go on to the next.

use super::journal::{Held, Journal, Position, hash};
use super::reader::{Available, Identity, Reader};
use super::scan::LogFile;
use super::trail::Trail;
use crate::inputs::{Chunk, ChunkBuf, ChunkEnd, Credit, InputEdge, Stream};
use crate::plugin::Site;
use crate::stats::Counter;
use sha1::{Digest, Sha1};
use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// The journal of a stream is written at most this often.
const JOURNAL_EVERY: Duration = Duration::from_millis(100);
/// Bounds of the pause before something that failed is tried again.
const PATIENCE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(60));
/// A compressed file that ends early is taken for damaged when nobody has written to it for this long.
const UNFINISHED: Duration = Duration::from_secs(10);

/// What a look at a stream found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// There is something to read.
    Data,
    /// Something changed; look again.
    Again,
    /// The list of files may be out of date: scan, then look again.
    Rescan,
    /// Nothing to do.
    Idle,
}

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
struct Place {
    at: Position,
    /// When the place was reached: files changed later hold something new.
    since: SystemTime,
}

/// When to try again what did not work: at once the first time, then less and less often.
#[derive(Default)]
struct Patience {
    next: Option<Instant>,
    pause: Duration,
}

impl Patience {
    /// Whether it is time; if so, the next time is later.
    fn allows(&mut self) -> bool {
        let now = Instant::now();
        if self.next.is_some_and(|next| now < next) {
            return false;
        }
        self.pause = (self.pause * 2).clamp(PATIENCE.0, PATIENCE.1);
        self.next = Some(now + self.pause);
        true
    }
}

struct Open {
    path: PathBuf,
    reader: Reader,
    /// Nothing was there at the last look.
    at_end: bool,
    /// Where the file was before it was renamed: a new file is expected there.
    former: Option<PathBuf>,
    /// What was at `path` when the tree was last scanned because it was not this file.
    replaced_by: Option<Option<Identity>>,
    /// The tree has been scanned since the file was found to be overwritten.
    searched: bool,
    patience: Patience,
}

/// One stream.
pub struct Follower {
    id: u32,
    name: String,
    site: Site,
    hostname: String,
    files: Vec<LogFile>,
    start: Start,
    place: Option<Place>,
    open: Option<Open>,
    stream: Arc<Stream>,
    /// Length of the first line the stream's key was made of; a shorter one was not complete yet.
    key_of: Option<Vec<u8>>,
    position: u64,
    trail: Trail,
    journal: Journal,
    dirty: bool,
    written: Option<Instant>,
    retry: Patience,
    bytes: Arc<Counter>,
    complaint: String,
    /// The open file is another one than at the last look of the caller.
    changed: bool,
}

impl Follower {
    /// Opens the stream's journal. `start` is for streams without a position.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn new(
        id: u32,
        name: &str,
        files: Vec<LogFile>,
        site: &Site,
        hostname: &str,
        journals: &Path,
        start: Start,
    ) -> Result<Self, String> {
        let (journal, held) =
            Journal::open(journals, name).map_err(|error| format!("cannot read the journal of {name}: {error}"))?;
        let place = match held {
            Held::Position(at, since) => Some(Place { at, since }),
            Held::Nothing => None,
            Held::Damage(what) => {
                site.log.error(format!("{what}; {name} is read as if it had no position"));
                None
            }
        };
        Ok(Follower {
            id,
            name: name.to_owned(),
            site: site.clone(),
            hostname: hostname.to_owned(),
            files,
            start,
            place,
            open: None,
            stream: Arc::default(),
            key_of: None,
            position: 0,
            trail: Trail::default(),
            journal,
            dirty: false,
            written: None,
            retry: Patience::default(),
            bytes: site.stats.counter(&format!("{name}-bytes"), "count"),
            complaint: String::new(),
            changed: false,
        })
    }

    /// The stream's files, oldest first.
    pub fn files(&self) -> &[LogFile] {
        &self.files
    }

    /// A scan found these files.
    pub fn set_files(&mut self, files: Vec<LogFile>) {
        self.files = files;
    }

    /// The open file, if it is another one than at the last call.
    pub fn take_changed(&mut self) -> Option<&File> {
        std::mem::take(&mut self.changed).then_some(())?;
        self.open.as_ref().map(|open| open.reader.file())
    }

    /// Looks whether there is something to read. Ends files and opens others.
    pub fn look(&mut self, edge: &InputEdge) -> Look {
        let Some(open) = &mut self.open else { return self.attach(edge) };
        let look = match open.reader.available() {
            Ok(Available::Data) if !open.at_end || open.reader.still_holds() => Ok(Look::Data),
            Ok(Available::Data | Available::Shrunk) => self.overwritten(edge),
            Ok(Available::End) => {
                open.at_end = true;
                self.next_file(edge)
            }
            Err(error) => Err(error),
        };
        look.unwrap_or_else(|error| {
            self.complain(format!("{}: {error}", self.name));
            Look::Idle
        })
    }

    /// Reads into `buffer` and hands it over.
    pub fn read(&mut self, edge: &InputEdge, mut buffer: ChunkBuf, credit: Credit) {
        let Some(open) = &mut self.open else { return };
        let offset = open.reader.offset;
        let before = open.reader.tail.clone();
        let read = match open.reader.read(buffer.spare()) {
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => return,
            Err(error) => return self.failed(&error),
        };
        open.at_end = read == 0;
        if read == 0 {
            return;
        }
        buffer.advance(read);
        self.trail.read(self.position, &before, buffer.as_ref(), open.reader.plain());
        self.identify();
        self.complaint.clear();
        self.retry = Patience::default();
        self.bytes.add(read);
        let (bytes, credit) = shrink(edge, buffer, credit);
        let position = self.position;
        self.position += read as u64;
        edge.send(Chunk {
            bytes,
            stream: self.stream.clone(),
            position,
            offset,
            end: ChunkEnd::More,
            packets: Vec::new(),
            received: now(),
            credit: Some(credit),
        });
    }

    /// Everything up to `position` is done.
    pub fn commit(&mut self, position: u64) {
        self.trail.commit(position);
        self.dirty = true;
    }

    /// When the journal wants to be written, if it does.
    pub fn due(&self) -> Option<Instant> {
        self.dirty.then(|| self.written.map_or_else(Instant::now, |written| written + JOURNAL_EVERY))
    }

    /// Writes the journal if it is due, or, with `force`, if there is anything to write.
    pub fn flush(&mut self, force: bool) {
        if !self.dirty || (!force && self.due().is_some_and(|due| Instant::now() < due)) {
            return;
        }
        self.dirty = false;
        self.written = Some(Instant::now());
        if let Some(position) = self.trail.position()
            && let Err(error) = self.journal.save(&position)
        {
            self.dirty = !force;
            self.complain(format!("cannot write the journal of {}: {error}", self.name));
        }
    }

    // ---- opening -----------------------------------------------------------------------------------------

    fn attach(&mut self, edge: &InputEdge) -> Look {
        if self.files.is_empty() || !self.retry.allows() {
            return Look::Idle;
        }
        match self.locate() {
            Ok((path, reader, continues)) => {
                self.begin(edge, path, reader, continues);
                Look::Again
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Look::Rescan,
            Err(error) => {
                self.complain(format!("{}: {error}; the position is kept", self.name));
                Look::Idle
            }
        }
    }

    /// The file to read, opened at the right place; and whether that is where reading stopped.
    fn locate(&mut self) -> std::io::Result<(PathBuf, Reader, bool)> {
        let newest = self.files.last().map(|file| file.path.clone()).ok_or(ErrorKind::NotFound)?;
        let oldest = self.files.first().map_or_else(|| newest.clone(), |file| file.path.clone());
        let Some(Place { at, since }) = &self.place else {
            let (path, reader) = match &self.start {
                Start::Oldest => (oldest.clone(), Reader::open(&oldest)?),
                Start::Newest => (newest.clone(), Reader::open_behind(&newest, None)?),
                Start::Behind(path, size) => (path.clone(), Reader::open_behind(path, Some(*size))?),
            };
            return Ok((path, reader, false));
        };
        let recorded = Path::new(&at.file_name);
        let others = self.files.iter().rev().map(|file| file.path.as_path()).filter(|path| *path != recorded);
        let listed = self.files.iter().any(|file| file.path == recorded);
        for path in listed.then_some(recorded).into_iter().chain(others) {
            if let Some(reader) = open_at(path, at)? {
                return Ok((path.to_owned(), reader, true));
            }
        }
        // Whatever was changed after the position was noted has not been read; what was not, has been.
        let unread = |path: &Path| std::fs::metadata(path).and_then(|m| m.modified()).is_ok_and(|time| time > *since);
        let path = self.files.iter().map(|file| &file.path).find(|path| unread(path)).unwrap_or(&newest).clone();
        self.site.log.error(format!(
            "{}: byte {} of {} is in none of the stream's files; reading {} from its start",
            self.name,
            at.seek,
            at.file_name,
            path.display()
        ));
        let reader = Reader::open(&path)?;
        Ok((path, reader, false))
    }

    /// Starts on a file. Unless it `continues` where the last one stopped, a partial record is over.
    fn begin(&mut self, edge: &InputEdge, path: PathBuf, reader: Reader, continues: bool) {
        if !continues && self.position > 0 {
            self.end_of_file(edge);
        }
        self.trail.begin(path.clone(), self.position, reader.offset, &reader.tail);
        self.dirty = true;
        self.place = None;
        self.key_of = None;
        self.adopt(path, reader);
    }

    /// Reads from this file from now on; its bytes are the same as those read so far.
    fn adopt(&mut self, path: PathBuf, reader: Reader) {
        self.site.stats.text(&format!("{}-filename", self.name), path.to_string_lossy());
        self.open = Some(Open {
            path,
            reader,
            at_end: false,
            former: None,
            replaced_by: None,
            searched: false,
            patience: Patience::default(),
        });
        self.changed = true;
        self.identify();
    }

    /// Gives the stream the key of the open file: a hash of its first line, which stays when the file is
    /// renamed or compressed.
    fn identify(&mut self) {
        let Some(open) = &self.open else { return };
        let head = open.reader.head.as_slice();
        let line = memchr::memchr(b'\n', head).map_or(head, |newline| &head[..=newline]);
        if self.key_of.as_deref() == Some(line) {
            return;
        }
        let digest = Sha1::new().chain_update(&self.name).chain_update([0]).chain_update(line).finalize();
        let key = digest.iter().take(8).fold(0, |key, byte| key << 8 | u64::from(*byte));
        self.key_of = Some(line.to_vec());
        self.stream = Arc::new(Stream {
            id: self.id,
            token: (self.id + 1).to_string(),
            logger: self.name.clone().into_bytes(),
            msg_type: Some(b"logfile".to_vec()),
            hostname: Some(self.hostname.clone().into_bytes()),
            key,
            ..Stream::default()
        });
    }

    /// Tells the splitter that a partial record will not be completed.
    fn end_of_file(&self, edge: &InputEdge) {
        edge.send(Chunk {
            bytes: ChunkBuf::default(),
            stream: self.stream.clone(),
            position: self.position,
            offset: self.open.as_ref().map_or(0, |open| open.reader.offset),
            end: ChunkEnd::Packet,
            packets: Vec::new(),
            received: now(),
            credit: None,
        });
    }

    // ---- going on ----------------------------------------------------------------------------------------

    /// At the end of the data: whether another file follows.
    fn next_file(&mut self, edge: &InputEdge) -> std::io::Result<Look> {
        let Some(open) = &mut self.open else { return Ok(Look::Again) };
        let here = Identity::at(&open.path)?;
        if here != Some(open.reader.identity) {
            if open.replaced_by != Some(here) {
                open.replaced_by = Some(here);
                open.patience = Patience::default();
            }
            // The first time this scans at once; when that did not help, again and again, more and more seldom.
            return if std::mem::take(&mut open.searched) {
                self.moved(edge, here)
            } else if open.patience.allows() {
                open.searched = true;
                Ok(Look::Rescan)
            } else {
                Ok(Look::Idle)
            };
        }
        let index = self.files.iter().position(|file| file.path == open.path);
        let following = index.and_then(|index| {
            let own = &self.files[index];
            self.files[index + 1..].iter().find(|file| !is_twin(own, file, &open.reader.head))
        });
        if let Some(file) = following {
            let path = file.path.clone();
            return self.go_on(edge, path, true);
        }
        // Renamed and the last of the list: the file that takes its place may have come after the scan.
        let expected = open.former.as_deref().is_some_and(
            |former| matches!(Identity::at(former), Ok(Some(identity)) if identity != open.reader.identity),
        );
        Ok(if expected && open.patience.allows() { Look::Rescan } else { Look::Idle })
    }

    /// The open file is no longer at its path: finds where it is now, or what follows it.
    fn moved(&mut self, edge: &InputEdge, here: Option<Identity>) -> std::io::Result<Look> {
        let Some(open) = &mut self.open else { return Ok(Look::Again) };
        let own = open.reader.identity;
        let renamed = self.files.iter().find(|file| matches!(Identity::at(&file.path), Ok(Some(id)) if id == own));
        if let Some(file) = renamed {
            open.former = Some(std::mem::replace(&mut open.path, file.path.clone()));
            open.replaced_by = None;
            open.patience = Patience::default();
            self.trail.renamed(file.path.clone());
            self.dirty = true;
            self.site.stats.text(&format!("{}-filename", self.name), file.path.to_string_lossy());
            return Ok(Look::Again);
        }
        if self.find_copy() {
            return Ok(Look::Again);
        }
        let Some(open) = &self.open else { return Ok(Look::Again) };
        // Gone without a trace. What was changed later than it is what follows.
        let last = open.reader.modified();
        let later = |file: &&LogFile| {
            std::fs::metadata(&file.path).and_then(|metadata| metadata.modified()).is_ok_and(|time| time > last)
        };
        let replacement = || self.files.iter().find(|file| here.is_some() && file.path == open.path);
        match self.files.iter().find(later).or_else(replacement) {
            Some(file) => {
                let path = file.path.clone();
                self.go_on(edge, path, false)
            }
            None => Ok(Look::Idle),
        }
    }

    /// The open file was truncated, and perhaps written again: goes on in a copy of it if there is one, else
    /// from its start.
    fn overwritten(&mut self, edge: &InputEdge) -> std::io::Result<Look> {
        let Some(open) = &mut self.open else { return Ok(Look::Again) };
        if !std::mem::replace(&mut open.searched, true) {
            return Ok(Look::Rescan);
        }
        self.trail.overwritten();
        if self.find_copy() {
            return Ok(Look::Again);
        }
        let Some(open) = &self.open else { return Ok(Look::Again) };
        let path = open.path.clone();
        match Reader::open(&path) {
            Ok(reader) => self.begin(edge, path, reader, false),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                // Truncated and removed: nothing of it is left to read.
                self.open = None;
            }
            Err(error) => return Err(error),
        }
        Ok(Look::Again)
    }

    /// Looks for a file with the same bytes as those read so far, under any other name: a compressed or
    /// copied file. Goes on in it if there is one.
    fn find_copy(&mut self) -> bool {
        let Some(open) = &self.open else { return false };
        if open.reader.offset == 0 {
            return false;
        }
        let at = Position { seek: open.reader.offset, file_name: String::new(), last_hash: hash(&open.reader.tail) };
        let others = self.files.iter().rev().map(|file| &file.path).filter(|path| **path != open.path);
        let found = others.into_iter().find_map(|path| {
            let reader = open_at(path, &at).ok().flatten()?;
            (reader.head == open.reader.head || reader.is_gzip()).then(|| (path.clone(), reader))
        });
        let Some((path, reader)) = found else { return false };
        let former = open.path.clone();
        self.trail.renamed(path.clone());
        self.dirty = true;
        self.adopt(path, reader);
        if let Some(open) = &mut self.open {
            open.former = Some(former);
        }
        true
    }

    /// Ends the open file and starts on `path`, after making sure that nothing is left and nothing moved.
    fn go_on(&mut self, edge: &InputEdge, path: PathBuf, in_place: bool) -> std::io::Result<Look> {
        let Some(open) = &mut self.open else { return Ok(Look::Again) };
        let next = match Reader::open(&path) {
            Ok(next) => next,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(if open.patience.allows() { Look::Rescan } else { Look::Idle });
            }
            Err(error) => return Err(std::io::Error::new(error.kind(), format!("{}: {error}", path.display()))),
        };
        // A rotation may be under way: both files must still be where the list says, seen after the opening.
        let settled = (!in_place || Identity::at(&open.path)? == Some(open.reader.identity))
            && Identity::at(&path)? == Some(next.identity)
            && next.identity != open.reader.identity;
        if !settled {
            return Ok(if open.patience.allows() { Look::Rescan } else { Look::Idle });
        }
        // Until the newest file has content the writer may still hold the old one.
        let newest = self.files.last().is_none_or(|file| file.path == path);
        if newest && next.size()? == 0 {
            return Ok(Look::Idle);
        }
        // Looked at last: what was written before the next file got its first byte is there by now.
        match open.reader.available()? {
            Available::Data => return Ok(Look::Data),
            Available::End => self.begin(edge, path, next, false),
            Available::Shrunk => {}
        }
        Ok(Look::Again)
    }

    // ---- failing -----------------------------------------------------------------------------------------

    /// A read failed: the position is kept and tried again, except in a compressed file that is damaged.
    fn failed(&mut self, error: &std::io::Error) {
        let Some(open) = &mut self.open else { return };
        let damaged = open.reader.is_gzip()
            && matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::UnexpectedEof)
            && open.reader.modified().elapsed().is_ok_and(|age| age > UNFINISHED);
        let what = format!("{}: {} at byte {}: {error}", self.name, open.path.display(), open.reader.offset);
        if damaged {
            open.reader.give_up();
            self.site.stats.drops("damaged-file").add(1);
            return self.complain(format!("{what}; the rest of the file is skipped"));
        }
        self.place = Some(Place {
            at: Position {
                seek: open.reader.offset,
                file_name: open.path.to_string_lossy().into_owned(),
                last_hash: hash(&open.reader.tail),
            },
            since: SystemTime::now(),
        });
        self.open = None;
        // The first attempt to go on waits, too: the error is likely to be still there.
        self.retry.allows();
        self.complain(format!("{what}; the position is kept"));
    }

    /// Logs what is wrong, once until something else is.
    fn complain(&mut self, what: String) {
        if self.complaint != what {
            self.site.log.error(&what);
            self.complaint = what;
        }
    }
}

/// Opens a file at a position if it is the right one; a damaged or vanished file is not.
fn open_at(path: &Path, at: &Position) -> std::io::Result<Option<Reader>> {
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

/// Whether `file` is the compressed form of the file `own`, which begins with `head`: while a file is being
/// compressed both are there.
fn is_twin(own: &LogFile, file: &LogFile, head: &[u8]) -> bool {
    own.rank == file.rank
        && Reader::peek(&file.path, head.len().max(1))
            .is_ok_and(|(bytes, gzip)| bytes.is_empty() || (gzip && head.starts_with(&bytes)))
}

/// Little bytes in a large buffer move to one of their size, so that a trickle does not use up the budget.
fn shrink(edge: &InputEdge, buffer: ChunkBuf, credit: Credit) -> (ChunkBuf, Credit) {
    if buffer.len() > 16 * 1024 {
        return (buffer, credit);
    }
    match edge.credits().try_take(buffer.len()) {
        Some(small) => (ChunkBuf::copy_of(buffer.as_ref()), small),
        None => (buffer, credit),
    }
}

fn now() -> i64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}
