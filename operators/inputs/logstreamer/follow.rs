//! Follows one stream: finds where to read, reads, hands over and keeps the journal. What happens at the end of
//! a file is decided in `next`.

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
pub(super) struct Place {
    pub(super) at: Position,
    /// When the place was reached: files changed later hold something new.
    pub(super) since: SystemTime,
}

/// When to try again what did not work: at once the first time, then less and less often.
#[derive(Default)]
pub(super) struct Patience {
    next: Option<Instant>,
    pause: Duration,
}

impl Patience {
    /// Whether it is time; if so, the next time is later.
    pub(super) fn allows(&mut self) -> bool {
        let now = Instant::now();
        if self.next.is_some_and(|next| now < next) {
            return false;
        }
        self.pause = (self.pause * 2).clamp(PATIENCE.0, PATIENCE.1);
        self.next = Some(now + self.pause);
        true
    }
}

/// The file that is being read.
pub(super) struct Open {
    pub(super) path: PathBuf,
    pub(super) reader: Reader,
    /// Nothing was there at the last look.
    pub(super) at_end: bool,
    /// Where the file was before it was renamed: a new file is expected there.
    pub(super) former: Option<PathBuf>,
    /// What was at `path` when the tree was last scanned because it was not this file.
    pub(super) replaced_by: Option<Option<Identity>>,
    /// The tree has been scanned since the file was found to be overwritten or no longer at its path.
    pub(super) searched: bool,
    pub(super) patience: Patience,
}

/// One stream.
pub struct Follower {
    id: u32,
    pub(super) name: String,
    pub(super) site: Site,
    hostname: String,
    pub(super) files: Vec<LogFile>,
    start: Start,
    place: Option<Place>,
    pub(super) open: Option<Open>,
    stream: Arc<Stream>,
    /// Length of the first line the stream's key was made of; a shorter one was not complete yet.
    key_of: Option<Vec<u8>>,
    pub(super) position: u64,
    pub(super) trail: Trail,
    journal: Journal,
    pub(super) dirty: bool,
    written: Option<Instant>,
    retry: Patience,
    bytes: Arc<Counter>,
    complaint: String,
    /// The open file is another one than at the last look of the caller.
    changed: bool,
    /// The file to start on, unless a scan shows another one.
    candidate: Option<Candidate>,
}

/// A file that is to be read from its start.
#[derive(PartialEq, Eq)]
struct Candidate {
    path: PathBuf,
    identity: Identity,
    head: Vec<u8>,
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
            candidate: None,
        })
    }

    /// The stream's files, oldest first.
    pub fn files(&self) -> &[LogFile] {
        &self.files
    }

    /// A scan found these files.
    pub fn set_files(&mut self, files: Vec<LogFile>) {
        if files != self.files
            && let Some(open) = &mut self.open
        {
            // What did not work with the old list may work with this one.
            open.patience = Patience::default();
        }
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

    fn attach(&mut self, edge: &InputEdge) -> Look {
        if self.files.is_empty() || !self.retry.allows() {
            return Look::Idle;
        }
        match self.place_to_read() {
            Ok(Located { path, reader, continues, lost, from_start }) => {
                if let Some(lost) = lost {
                    self.site.log.error(format!("{}: {lost}; reading {} from its start", self.name, path.display()));
                }
                self.trail.fresh |= from_start;
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

    /// The file to read, opened at the right place. `NotFound` when a scan may find it.
    fn place_to_read(&mut self) -> std::io::Result<Located> {
        let mut located = locate(&self.files, &self.start, self.place.as_ref())?;
        if !located.continues && located.reader.offset == 0 {
            located.reader = self.decide(&located.path)?.ok_or(ErrorKind::NotFound)?;
        }
        Ok(located)
    }

    /// Opens a file that is to be read from its start, once a scan has confirmed that it is the one. The list is as
    /// old as the last scan. What a rotation has put before the file meanwhile is in the list after the next one,
    /// and as long as the file is the same and begins with the same bytes, nothing has happened to it since.
    pub(super) fn decide(&mut self, path: &Path) -> std::io::Result<Option<Reader>> {
        let reader = Reader::open_and_look(path)?;
        let at_path = |file: &LogFile| Ok::<_, std::io::Error>(Identity::at(&file.path)? == Some(file.identity));
        let current = self.files.iter().map(at_path).collect::<std::io::Result<Vec<bool>>>()?.into_iter().all(|is| is);
        let same = |candidate: &Candidate| {
            candidate.path == path && candidate.identity == reader.identity && reader.head.starts_with(&candidate.head)
        };
        if current && self.candidate.as_ref().is_some_and(same) {
            self.candidate = None;
            return Ok(Some(reader));
        }
        let candidate = Some(Candidate { path: path.to_owned(), identity: reader.identity, head: reader.head.clone() });
        if self.candidate != candidate {
            // What changes may be tried again at once.
            self.retry = Patience::default();
            if let Some(open) = &mut self.open {
                open.patience = Patience::default();
            }
        }
        self.candidate = candidate;
        Ok(None)
    }

    /// Starts on a file. Unless it `continues` where the last one stopped, a partial record is over.
    pub(super) fn begin(&mut self, edge: &InputEdge, path: PathBuf, reader: Reader, continues: bool) {
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
    pub(super) fn adopt(&mut self, path: PathBuf, reader: Reader) {
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

/// Where a stream is read on.
pub(super) struct Located {
    pub(super) path: PathBuf,
    /// Opened at the right place.
    pub(super) reader: Reader,
    /// This is where reading stopped.
    continues: bool,
    /// Why it is not, although there is a position.
    pub(super) lost: Option<String>,
    /// Nothing of the stream has been read before.
    from_start: bool,
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
