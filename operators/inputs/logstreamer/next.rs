//! What comes after the end of a file's data: more of it, the file that follows, the place the file was moved
//! to, or its beginning once more. Rotation may be under way at any moment, so nothing is believed that was not
//! seen twice.

use super::copies::is_twin;
use super::follow::{Follower, Look, Patience};
use super::reader::{Available, Identity};
use super::scan::LogFile;
use crate::inputs::InputEdge;
use std::io::ErrorKind;
use std::path::PathBuf;

impl Follower {
    /// At the end of the data: whether another file follows.
    pub(super) fn next_file(&mut self, edge: &InputEdge) -> std::io::Result<Look> {
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
        self.trail.vanished();
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
    pub(super) fn overwritten(&mut self, edge: &InputEdge) -> std::io::Result<Look> {
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
        match self.decide(&path) {
            Ok(Some(reader)) => {
                self.report_overwritten();
                self.begin(edge, path, reader, false);
            }
            Ok(None) => return Ok(self.rescan()),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                // Truncated and removed: nothing of it is left to read.
                self.open = None;
            }
            Err(error) => return Err(error),
        }
        Ok(Look::Again)
    }

    /// The open file was truncated, and there is no copy: what was not read by then is gone.
    fn report_overwritten(&self) {
        let Some(open) = &self.open else { return };
        let (name, path, offset) = (&self.name, open.path.display(), open.reader.offset);
        let unread = open.reader.largest.saturating_sub(offset);
        self.site.stats.counter("TruncatedFiles", "count").add(1);
        if unread > 0 {
            self.site.stats.drops("truncated-bytes").add(unread as usize);
            self.site.log.error(format!(
                "{name}: {path} was truncated at byte {offset}; at least {unread} bytes behind it were not read, and no \
                 copy of them is there"
            ));
        } else {
            self.site.log.info(format!("{name}: {path} was truncated behind byte {offset} and is read from its start"));
        }
    }

    /// Asks for a scan, unless that has not helped just now.
    fn rescan(&mut self) -> Look {
        let Some(open) = &mut self.open else { return Look::Rescan };
        if !open.patience.allows() {
            return Look::Idle;
        }
        open.searched = true;
        Look::Rescan
    }

    /// Ends the open file and starts on `path`, after making sure that nothing is left and nothing moved.
    fn go_on(&mut self, edge: &InputEdge, path: PathBuf, in_place: bool) -> std::io::Result<Look> {
        // Until the newest file has content the writer may still hold the old one.
        let newest = self.files.last().is_none_or(|file| file.path == path);
        if newest && std::fs::metadata(&path).is_ok_and(|metadata| metadata.len() == 0) {
            return Ok(Look::Idle);
        }
        // A copy that is being made ends where the copying has come to; the file that is copied goes on there.
        if in_place && let Some(original) = self.original(&path)? {
            self.begin(edge, path, original, true);
            return Ok(Look::Again);
        }
        let next = match self.decide(&path) {
            Ok(Some(next)) => next,
            Ok(None) => return Ok(self.rescan()),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(self.rescan()),
            Err(error) => return Err(std::io::Error::new(error.kind(), format!("{}: {error}", path.display()))),
        };
        let Some(open) = &mut self.open else { return Ok(Look::Again) };
        // A rotation may be under way: the open file must still be where the list says, seen after the opening.
        if in_place && Identity::at(&open.path)? != Some(open.reader.identity) {
            return Ok(self.rescan());
        }
        // Looked at last: what was written before the next file got its first byte is there by now.
        match open.reader.available()? {
            Available::Data => return Ok(Look::Data),
            Available::End => self.begin(edge, path, next, false),
            Available::Shrunk => {}
        }
        Ok(Look::Again)
    }
}
