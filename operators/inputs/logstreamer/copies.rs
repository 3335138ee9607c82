//! Copies: what a rotation makes of a file that it truncates, compresses or has copied in part. A copy goes on where the
//! file was read to, and so it is read to its end before the file that was written again.
//!
//! A file that was truncated and has grown beyond the old position is noticed by the bytes it begins with and by those
//! before the position. When so little was read that both could be any file's, the copy tells: files that have come
//! since, begin with what was read and go on differently.

use super::follow::{Follower, Look, Open};
use super::journal::{Position, WINDOW, hash};
use super::locate::open_at;
use super::reader::{Identity, Reader};
use super::scan::LogFile;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The clock of files is that coarse.
const COARSE: Duration = Duration::from_millis(20);
/// How many bytes of two files are compared to tell them apart.
const COMPARED: usize = 64 * 1024;
/// Of how many files before the open one it is remembered how they begin.
const REMEMBERED: usize = 4;

impl Follower {
    /// How the files before the one at `path` begin now, except those that may be copies of it.
    pub(super) fn heads_before(&self, path: &Path) -> Vec<Vec<u8>> {
        let index = self.files.iter().position(|file| file.path == path).unwrap_or(0);
        let before = self.files[index.saturating_sub(REMEMBERED)..index].iter();
        let heads = before.filter_map(|file| Reader::peek(&file.path, WINDOW).ok()).map(|(head, _)| head);
        let mut heads: Vec<_> = heads.chain(self.open.as_ref().map(|open| open.reader.head.clone())).collect();
        // Looked at last: the file has all that a copy in the making has.
        let own = Reader::peek(path, WINDOW).map(|(head, _)| head).unwrap_or_default();
        heads.retain(|head| !own.starts_with(head));
        heads
    }

    /// Looks for a file with the same bytes as those read so far, under any other name: a compressed or
    /// copied file. Goes on in it if there is one.
    pub(super) fn find_copy(&mut self) -> bool {
        let Some(open) = &self.open else { return false };
        let (offset, head) = (open.reader.offset, &open.reader.head);
        if head.is_empty() {
            return false;
        }
        let at = Position { seek: offset, file_name: String::new(), last_hash: hash(&open.reader.tail) };
        let found = self.others(open).find_map(|path| {
            let reader = open_at(path, &at).ok().flatten()?;
            // Near its beginning a position could be any file's.
            let same = match offset < WINDOW as u64 {
                true => {
                    Reader::peek(path, WINDOW).is_ok_and(|(bytes, _)| bytes.starts_with(head) && open.is_new(&bytes))
                }
                false => reader.is_gzip() || reader.head == *head,
            };
            same.then(|| (path.to_owned(), reader))
        });
        let Some((path, reader)) = found else { return false };
        self.go_on_in_copy(path, reader);
        true
    }

    /// The other files: first those made since the open one was begun, in their order, then the rest, newest first.
    fn others<'a>(&'a self, open: &'a Open) -> impl Iterator<Item = &'a Path> {
        let others = || self.files.iter().map(|file| file.path.as_path()).filter(|path| **path != open.path);
        others().filter(|path| open.is_younger(path)).chain(others().rev().filter(|path| !open.is_younger(path)))
    }

    fn go_on_in_copy(&mut self, path: PathBuf, reader: Reader) {
        let Some(former) = self.open.take() else { return };
        self.trail.copied(path.clone(), self.position, reader.offset, &reader.tail, reader.plain());
        self.dirty = true;
        self.adopt(path, reader, former.known);
        if let Some(open) = &mut self.open {
            open.former = Some(former.path);
            open.began = former.began;
        }
    }

    /// Files have come, and too little of the open file was read to tell whether it is still the same: finds that out,
    /// and goes on in its copy if it is not.
    pub(super) fn reassure(&mut self) -> Look {
        let Some(open) = &mut self.open else { return Look::Again };
        if !std::mem::replace(&mut open.searched, true) {
            return Look::Rescan;
        }
        (open.searched, open.unsure) = (false, false);
        match self.copied_away() {
            Some((path, reader)) => {
                self.trail.overwritten();
                self.go_on_in_copy(path, reader);
                Look::Again
            }
            None => Look::Data,
        }
    }

    /// The copy of the open file behind what was read of it, if the file was written again since.
    fn copied_away(&self) -> Option<(PathBuf, Reader)> {
        let open = self.open.as_ref()?;
        let index = self.files.iter().position(|file| file.path == open.path)?;
        if open.reader.is_gzip() || Identity::at(&open.path).ok()? != Some(open.reader.identity) {
            return None;
        }
        let at = Position { seek: open.reader.offset, file_name: String::new(), last_hash: hash(&open.reader.tail) };
        self.files[..index].iter().map(|file| file.path.as_path()).filter(|path| open.is_younger(path)).find_map(
            |path| {
                let (copy, _) = Reader::peek(path, COMPARED).ok()?;
                // Looked at after the copy: a file that was not truncated has all that its copy has.
                let (own, _) = Reader::peek(&open.path, COMPARED).ok()?;
                let is_copy = copy.starts_with(&open.reader.head) && open.is_new(&copy);
                let reader = (is_copy && !own.starts_with(&copy)).then(|| open_at(path, &at))?.ok()??;
                Some((path.to_owned(), reader))
            },
        )
    }

    /// The file at `path` behind what was read of the open file, if the open file is a copy of it. Files with the
    /// same lines are told apart by their age: a copy is younger.
    pub(super) fn original(&self, path: &Path) -> std::io::Result<Option<Reader>> {
        let Some(open) = self.open.as_ref().filter(|open| open.reader.offset > 0) else { return Ok(None) };
        let at = Position { seek: open.reader.offset, file_name: String::new(), last_hash: hash(&open.reader.tail) };
        Ok(open_at(path, &at)?.filter(|original| {
            let younger = open.reader.created().zip(original.created()).is_some_and(|(copy, age)| copy > age);
            younger && original.head == open.reader.head
        }))
    }
}

impl Open {
    /// Whether the file at `path` was made after this one was begun.
    fn is_younger(&self, path: &Path) -> bool {
        let created = std::fs::metadata(path).and_then(|metadata| metadata.created());
        created.is_ok_and(|created| created + COARSE >= self.began)
    }

    /// Whether a file that begins with `bytes` is none of those that were there before, perhaps compressed by now.
    fn is_new(&self, bytes: &[u8]) -> bool {
        let telling = self.known.iter().filter(|known| known.len() > self.reader.head.len());
        telling.into_iter().all(|known| !bytes.starts_with(known) && !known.starts_with(bytes))
    }
}

/// Whether `file` is the compressed form of the file `own`, which begins with `head`: while a file is being
/// compressed both are there.
pub(super) fn is_twin(own: &LogFile, file: &LogFile, head: &[u8]) -> bool {
    own.rank == file.rank
        && Reader::peek(&file.path, head.len().max(1))
            .is_ok_and(|(bytes, gzip)| bytes.is_empty() || (gzip && head.starts_with(&bytes)))
}
