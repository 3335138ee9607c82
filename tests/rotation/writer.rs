//! A program that logs, and the rotation of its logs.

use crate::scheme::Scheme;
use crate::support::{Random, Site, wait_for};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, RwLock};
use std::time::Duration;

/// Rotations in a run at least.
const ROTATIONS: u64 = 30;
/// Lines between two rotations, about.
const LINES: u64 = 800;
/// The stream of the schemes that have only one.
const ONLY: &str = "LogstreamerInput";

/// What has been written: for each stream, the contents of its files one after the other.
pub type Contents = BTreeMap<String, Vec<Vec<u8>>>;

/// What has been written, shared with the test.
#[derive(Default)]
pub struct Log {
    contents: Mutex<Contents>,
    /// Lines that a rotation left in no file: nobody need have read them.
    gone: Mutex<String>,
}

impl Log {
    /// Nothing is written while `look` looks.
    pub fn with_contents<T>(&self, look: impl FnOnce(&Contents) -> T) -> T {
        look(&self.contents.lock().unwrap())
    }

    /// The lines that are in no file.
    pub fn gone(&self) -> String {
        self.gone.lock().unwrap().clone()
    }
}

/// The program.
pub struct Writer<'a> {
    site: &'a Site,
    log: &'a Log,
    up: &'a RwLock<()>,
    enough: &'a AtomicBool,
    random: Random,
    /// Lines written so far, by stream.
    lines: BTreeMap<String, u64>,
}

impl<'a> Writer<'a> {
    /// It rotates until there is `enough`. It holds `up` where the daemon must neither be stopped nor killed.
    pub fn new(site: &'a Site, log: &'a Log, up: &'a RwLock<()>, enough: &'a AtomicBool, random: Random) -> Self {
        Writer { site, log, up, enough, random, lines: BTreeMap::new() }
    }

    /// The numbers of the rotations, from 1 on.
    fn rotations(&self) -> impl Iterator<Item = u64> + use<'a> {
        let enough = self.enough;
        (1..).take_while(|rotation| *rotation <= ROTATIONS || !enough.load(Ordering::SeqCst))
    }

    pub fn run(mut self, scheme: Scheme) {
        match scheme {
            Scheme::Rename | Scheme::RenameGzip | Scheme::DelayedGzip => self.rename(scheme),
            Scheme::CopyTruncate | Scheme::CopyTruncateGzip => self.copy_and_truncate(scheme),
            Scheme::CopyTruncateBusy => self.copy_and_truncate_busily(),
            Scheme::RenameToDate => self.rename_to_date(),
            Scheme::Dated => self.dated(),
            Scheme::Recreate => self.recreate(),
            Scheme::Streams => self.streams(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.site.path("logs").join(name)
    }

    /// Opens a file for appending and begins a new content of the stream.
    fn create(&mut self, stream: &str, name: &str) -> File {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let file = fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
        self.log.contents.lock().unwrap().entry(stream.to_owned()).or_default().push(Vec::new());
        file
    }

    /// Writes lines, a few at a time, to the content of the stream that has `later` ones behind it.
    fn write_to(&mut self, stream: &str, file: &mut File, lines: u64, later: usize) {
        let mut left = lines;
        while left > 0 {
            let piece = left.min(1 + self.random.below(60));
            left -= piece;
            let number = self.lines.entry(stream.to_owned()).or_default();
            let text: String = (*number..*number + piece).map(|i| format!("{stream} {i} of the lines\n")).collect();
            *number += piece;
            let mut contents = self.log.contents.lock().unwrap();
            // Some lines reach the file in two parts.
            let cut = self.random.below(text.len() as u64) as usize;
            file.write_all(&text.as_bytes()[..cut]).unwrap();
            file.write_all(&text.as_bytes()[cut..]).unwrap();
            let files = contents.get_mut(stream).unwrap();
            let index = files.len() - 1 - later;
            files[index].extend_from_slice(text.as_bytes());
            drop(contents);
            if self.random.below(4) == 0 {
                std::thread::sleep(Duration::from_millis(self.random.below(8)));
            }
        }
    }

    fn write(&mut self, stream: &str, file: &mut File, lines: u64) {
        self.write_to(stream, file, lines, 0);
    }

    fn some_lines(&mut self) -> u64 {
        1 + self.random.below(2 * LINES)
    }

    /// `app.log.1` becomes `app.log.2` and so on, whether compressed or not.
    fn move_up(&self, name: &str, rotations: u64) {
        for number in (1..rotations).rev() {
            for ending in ["", ".gz"] {
                let from = self.path(&format!("{name}.{number}{ending}"));
                if from.exists() {
                    fs::rename(from, self.path(&format!("{name}.{}{ending}", number + 1))).unwrap();
                }
            }
        }
    }

    /// As the gzip program does it: the compressed file grows beside the other, which is then removed.
    fn gzip(&mut self, name: &str) {
        let from = self.path(name);
        let content = fs::read(&from).unwrap();
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&content).unwrap();
        let compressed = encoder.finish().unwrap();
        let mut to = File::create(self.path(&format!("{name}.gz"))).unwrap();
        for piece in compressed.chunks(compressed.len().div_ceil(3).max(1)) {
            to.write_all(piece).unwrap();
            std::thread::sleep(Duration::from_millis(self.random.below(6)));
        }
        fs::remove_file(from).unwrap();
    }

    fn rename(&mut self, scheme: Scheme) {
        let mut file = self.create(ONLY, "app.log");
        for rotation in self.rotations() {
            let lines = self.some_lines();
            self.write(ONLY, &mut file, lines);
            if scheme == Scheme::DelayedGzip && rotation > 1 {
                self.gzip("app.log.1");
            }
            self.move_up("app.log", rotation);
            fs::rename(self.path("app.log"), self.path("app.log.1")).unwrap();
            // Until it is told, the program writes to the file it has open; and nobody says when the new one is there.
            let lines = self.random.below(100);
            self.write(ONLY, &mut file, lines);
            let mut next = self.create(ONLY, "app.log");
            let lines = self.random.below(100);
            self.write_to(ONLY, &mut file, lines, 1);
            std::mem::swap(&mut file, &mut next);
            if scheme == Scheme::RenameGzip {
                self.gzip("app.log.1");
            }
        }
        self.write(ONLY, &mut file, LINES);
    }

    fn copy_and_truncate(&mut self, scheme: Scheme) {
        let mut file = self.create(ONLY, "app.log");
        // A copy is known by its age, and the clock of files is coarse.
        std::thread::sleep(Duration::from_millis(20));
        for rotation in self.rotations() {
            let lines = self.some_lines();
            self.write(ONLY, &mut file, lines);
            self.move_up("app.log", rotation);
            // In place and piece by piece, as logrotate copies.
            let content = fs::read(self.path("app.log")).unwrap();
            let mut copy = File::create(self.path("app.log.1")).unwrap();
            for piece in content.chunks(content.len().div_ceil(3).max(1)) {
                copy.write_all(piece).unwrap();
                std::thread::sleep(Duration::from_millis(self.random.below(4)));
            }
            file.set_len(0).unwrap();
            self.log.contents.lock().unwrap().entry(ONLY.to_owned()).or_default().push(Vec::new());
            if scheme == Scheme::CopyTruncateGzip {
                let lines = self.random.below(100);
                self.write(ONLY, &mut file, lines);
                self.gzip("app.log.1");
            }
        }
        self.write(ONLY, &mut file, LINES);
    }

    fn copy_and_truncate_busily(&mut self) {
        let mut file = self.create(ONLY, "app.log");
        // A copy is known by its age, and the clock of files is coarse.
        std::thread::sleep(Duration::from_millis(20));
        let rotations = self.rotations();
        let (site, log, done) = (self.site, self.log, AtomicBool::new(false));
        let path = |name: String| site.path("logs").join(name);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for rotation in rotations {
                    std::thread::sleep(Duration::from_millis(10 + rotation % 7));
                    for number in (1..rotation).rev() {
                        let to = path(format!("app.log.{}", number + 1));
                        fs::rename(path(format!("app.log.{number}")), to).unwrap();
                    }
                    let copied = fs::copy(path("app.log".to_owned()), path("app.log.1".to_owned())).unwrap() as usize;
                    let mut contents = log.contents.lock().unwrap();
                    fs::File::options().write(true).open(path("app.log".to_owned())).unwrap().set_len(0).unwrap();
                    let files = contents.get_mut(ONLY).unwrap();
                    // What the copy lacks; a line that it has in part is lost, too.
                    let last = files.last_mut().unwrap();
                    let whole = last[..copied].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
                    let lost = last.split_off(whole);
                    files.push(Vec::new());
                    log.gone.lock().unwrap().push_str(std::str::from_utf8(&lost).unwrap());
                }
                done.store(true, Ordering::SeqCst);
            });
            while !done.load(Ordering::SeqCst) {
                self.write(ONLY, &mut file, 60);
            }
        });
        self.write(ONLY, &mut file, LINES);
    }

    fn rename_to_date(&mut self) {
        let mut file = self.create(ONLY, "app.log");
        for day in self.rotations() {
            let lines = self.some_lines();
            self.write(ONLY, &mut file, lines);
            fs::rename(
                self.path("app.log"),
                self.path(&format!("app-{:04}{:02}{:02}.log", 2014 + day / 336, day / 28 % 12 + 1, day % 28 + 1)),
            )
            .unwrap();
            let lines = self.random.below(100);
            self.write(ONLY, &mut file, lines);
            file = self.create(ONLY, "app.log");
        }
        self.write(ONLY, &mut file, LINES);
    }

    fn dated(&mut self) {
        let (months, parts) = (["aug", "SEPTEMBER", "Oct"], ["Night", "morning", "NOON", "evening"]);
        for rotation in self.rotations() {
            let (day, part) = (rotation / 4, parts[rotation as usize % 4]);
            let (year, day, month) = (2014 + day / 6, 9 + day % 2, months[day as usize / 2 % 3]);
            let mut file = self.create(ONLY, &format!("{year}/{month}/{day:02}-{part}.log"));
            let lines = self.some_lines();
            self.write(ONLY, &mut file, lines);
        }
    }

    fn recreate(&mut self) {
        let up = self.up;
        let mut file = self.create(ONLY, "app.log");
        for _ in self.rotations() {
            let lines = self.some_lines();
            self.write(ONLY, &mut file, lines);
            let running = up.read().unwrap();
            self.write(ONLY, &mut file, 1);
            self.wait_for_last_line();
            // The daemon has the file open. These it may not have seen yet when the name is gone.
            self.write(ONLY, &mut file, 50);
            fs::remove_file(self.path("app.log")).unwrap();
            let lines = self.random.below(50);
            self.write(ONLY, &mut file, lines);
            file = self.create(ONLY, "app.log");
            self.write(ONLY, &mut file, 1);
            self.wait_for_last_line();
            drop(running);
        }
        self.write(ONLY, &mut file, LINES);
    }

    fn wait_for_last_line(&self) {
        let last = format!("{ONLY} {} of the lines\n", self.lines[ONLY] - 1);
        wait_for("a line to come out", || {
            let Ok(mut out) = File::open(self.site.path("out")) else { return false };
            let length = out.metadata().unwrap().len();
            out.seek(SeekFrom::Start(length.saturating_sub(1024))).unwrap();
            let mut end = Vec::new();
            out.read_to_end(&mut end).unwrap();
            end.ends_with(last.as_bytes())
        });
    }

    fn streams(&mut self) {
        let mut open: Vec<(String, String, File, u64)> = Vec::new();
        for step in self.rotations() {
            // New ones come from time to time.
            if step < 10 || step % 20 == 0 {
                let (host, app) = (format!("host-{}", step / 3), ["web", "db", "mail"][step as usize % 3]);
                let (stream, name) = (format!("{host}.{app}"), format!("{host}/{app}.log"));
                let file = self.create(&stream, &name);
                open.push((stream, name, file, 0));
            }
            let index = self.random.below(open.len() as u64) as usize;
            let (stream, name, mut file, mut rotations) = open.swap_remove(index);
            let lines = 1 + self.random.below(100);
            self.write(&stream, &mut file, lines);
            if self.random.below(3) == 0 {
                rotations += 1;
                self.move_up(&name, rotations);
                fs::rename(self.path(&name), self.path(&format!("{name}.1"))).unwrap();
                file = self.create(&stream, &name);
            }
            open.push((stream, name, file, rotations));
        }
        // An empty newest file would leave the old one open, rightly; every stream ends with a line.
        for (stream, _, mut file, _) in open {
            self.write(&stream, &mut file, 1);
        }
    }
}
