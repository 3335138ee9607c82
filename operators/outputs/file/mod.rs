//! `FileOutput`: appends encoded messages to a file, durably, with a choice of when to flush and when to begin
//! a new file.

mod backlog;
mod flush;
mod rotation;
mod target;
mod write;

use crate::outputs::{Output, OutputSpec};
use crate::plugin::{PluginError, Site};
use crate::registry::{Defaults, Make, PluginType};
use flush::FlushRule;
use heka_settings::{Octal, OneOf, Place, Problem, Problems, Settings, Table, Words, settings};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rotation::Rotation;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use target::{Modes, Target};

/// The type's entry in the registry.
pub static TYPE: PluginType = PluginType {
    name: "FileOutput",
    summary: "Appends encoded messages to a file, flushed by count and time, optionally a new file every so many hours.",
    settings: FileSettings::table,
    defaults: Defaults { frames_protobuf: true, ..Defaults::NONE },
    make: Make::Output(read),
};

/// `AND`, `OR`.
#[derive(Debug)]
pub struct FlushOperator;

impl Words for FlushOperator {
    const WORDS: &'static [&'static str] = &["AND", "OR"];
}

settings! {
    /// Options of `FileOutput`.
    pub struct FileSettings {
        /// The file to append to. With `rotation_interval` it may hold strftime codes, which the beginning of
        /// the current interval replaces, in the local time zone. Required.
        path: String,
        /// Mode of files it creates, in octal; the umask applies.
        perm: Octal = Octal(0o644),
        /// Mode of folders it creates, in octal; the umask applies.
        folder_perm: Octal = Octal(0o700),
        /// Milliseconds after which a batch may be flushed; 0 is no timer.
        flush_interval: u32 = 1000u32,
        /// Messages after which a batch may be flushed; at least 1.
        flush_count: u32 = 1u32,
        /// Whether a flush takes both `flush_interval` and `flush_count`, or either.
        flush_operator: OneOf<FlushOperator> = "AND",
        /// Hours after which a new file begins, counted from local midnight: 1, 4, 12 or 24; 0 for never.
        rotation_interval: u32 = 0u32,
    }
}

fn read(table: &Table, problems: &mut Problems) -> Arc<dyn OutputSpec> {
    let settings = FileSettings::read(table, problems);
    let place = |key: &str| table.get(key).map_or(table.place, |entry| entry.value.place);
    let mut refuse = |place: Place, message: &str, help: &str| {
        problems.push(Problem::error(place, message).help(help));
    };
    if settings.path.is_empty() {
        refuse(place("path"), "FileOutput needs a `path`", "add for example path = \"/var/log/heka/out.log\"");
    }
    if settings.flush_count == 0 {
        let message = "Parameter 'flush_count' needs to be greater 1.";
        refuse(place("flush_count"), message, "1 is the smallest value");
    }
    if !rotation::INTERVALS.contains(&settings.rotation_interval) {
        let message = "Parameter 'rotation_interval' must be one of: 0, 1, 4, 12, 24.";
        refuse(place("rotation_interval"), message, "the value counts hours");
    }
    Arc::new(settings)
}

impl FileSettings {
    fn modes(&self) -> Modes {
        Modes { file: self.perm.0, folder: self.folder_perm.0 }
    }

    fn flush_rule(&self) -> FlushRule {
        FlushRule {
            count: u64::from(self.flush_count.max(1)),
            interval: (self.flush_interval > 0).then(|| Duration::from_millis(u64::from(self.flush_interval))),
            either: self.flush_operator.word() == "OR",
        }
    }
}

impl OutputSpec for FileSettings {
    fn build(&self, _: &Site) -> Result<Box<dyn Output>, PluginError> {
        let rotation = Rotation::new(&self.path, self.rotation_interval, TimeZone::system());
        let path = rotation.as_ref().map_or_else(|| PathBuf::from(&self.path), |r| r.path(Timestamp::now()));
        let target = Target::open(&path, self.modes()).map_err(|error| {
            PluginError::fatal(format!("FileOutput '{}' error opening file: {error}", path.display()))
        })?;
        Ok(Box::new(write::FileOutput::new(target, self.modes(), self.flush_rule(), rotation)))
    }
}

#[cfg(test)]
mod tests;
