//! Follows one stream: reads, hands over and keeps the journal. Where to begin is found by `locate`; what happens at the
//! end of a file is decided in `next`, and what becomes of one that is copied and written again, in `copies`.

use super::journal::{Held, Journal, Position, WINDOW, hash};
use super::locate::{Located, Place, Start, locate};
use super::pattern::FileMatch;
use super::reader::{Available, Identity, Reader};
use super::scan::{LogFile, has_unlisted};
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
    /// When it was begun: a copy of it is not made much earlier.
    pub(super) began: SystemTime,
    /// How the files before it began by then.
    pub(super) known: Vec<Vec<u8>>,
    /// Files have come that the list does not hold, and too little was read of this one to tell it from another.
    pub(super) unsure: bool,
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

/// What the streams of an input share.
pub struct Common {
    /// The input's.
    pub site: Site,
    /// `Hostname` of the messages.
    pub hostname: String,
    /// Where journals are kept.
    pub journals: PathBuf,
    /// Which files belong to which stream.
    pub pattern: FileMatch,
}

/// The files of a stream, as a scan found them.
pub struct Listed {
    /// The files, oldest first.
    pub files: Vec<LogFile>,
    /// When the scan began.
    pub at: SystemTime,
}

/// One stream.
pub struct Follower {
    id: u32,
    pub(super) name: String,
    common: Arc<Common>,
    pub(super) site: Site,
    pub(super) files: Vec<LogFile>,
    /// When the scan that found them began.
    listed_at: SystemTime,
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
    pub fn new(id: u32, name: &str, listed: Listed, common: &Arc<Common>, start: Start) -> Result<Self, String> {
        let site = &common.site;
        let (journal, held) = Journal::open(&common.journals, name)
            .map_err(|error| format!("cannot read the journal of {name}: {error}"))?;
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
            common: common.clone(),
            site: site.clone(),
            files: listed.files,
            listed_at: listed.at,
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
    pub fn set_files(&mut self, listed: Listed) {
        let files = listed.files;
        self.listed_at = listed.at;
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
            Ok(Available::Data) if open.at_end && !open.reader.still_holds() => self.overwritten(edge),
            Ok(Available::Data) if open.unsure => Ok(self.reassure()),
            Ok(Available::Data) => Ok(Look::Data),
            Ok(Available::Shrunk) => self.overwritten(edge),
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
        let (files, since, common, name) = (&self.files, self.listed_at, &self.common, &self.name);
        let unsure = &mut open.unsure;
        // Looked at after reading: what has not come by now was not there then.
        let confirm = || {
            *unsure = offset < WINDOW as u64 && has_unlisted(files, since, &common.pattern, name);
            !*unsure
        };
        let read = match open.reader.read_if(buffer.spare(), confirm) {
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
        let current = self.files.iter().map(at_path).collect::<std::io::Result<Vec<bool>>>()?.into_iter().all(|is| is)
            && !has_unlisted(&self.files, self.listed_at, &self.common.pattern, &self.name);
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
        let known = self.heads_before(&path);
        self.adopt(path, reader, known);
    }

    /// Reads from this file from now on. `known` is how files begin that it is none of.
    pub(super) fn adopt(&mut self, path: PathBuf, reader: Reader, known: Vec<Vec<u8>>) {
        self.site.stats.text(&format!("{}-filename", self.name), path.to_string_lossy());
        self.open = Some(Open {
            path,
            reader,
            known,
            began: SystemTime::now(),
            unsure: false,
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
            hostname: Some(self.common.hostname.clone().into_bytes()),
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
