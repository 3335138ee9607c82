//! LogstreamerInput: follows log files through rotation, truncation and compression.
//!
//! A *stream* is a row of files that together are one run of bytes; the newest is being written to. `pattern`
//! says what a path means, `scan` finds the files of each stream, `run` visits the streams, `locate` finds where to
//! begin, `follow` reads one, `next` ends its files, `copies` knows what rotations copy, `reader` reads one file.
//! Positions are written by `journal` only when the engine says that everything before them is done; `trail` leads from
//! there back to a file. `watch` tells when to look again. `survey` says what all of this would find now.

mod copies;
mod follow;
mod journal;
mod locate;
mod next;
mod pattern;
mod reader;
mod run;
mod scan;
mod survey;
#[cfg(test)]
mod tests;
mod trail;
mod watch;

pub use survey::{StreamSurvey, Survey, survey};

use crate::inputs::{Input, InputSpec};
use crate::plugin::{PluginError, Site};
use crate::registry::{Defaults, Make, PluginType};
use heka_settings::{Map, Place, Placed, Problem, Problems, Settings, settings};
use pattern::FileMatch;
use run::Logstreamer;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

settings! {
    /// Options of LogstreamerInput.
    pub struct LogstreamerSettings {
        /// Root of the recursive scan; it must exist when the daemon starts.
        log_directory: String = "/var/log",
        /// Regular expression for the paths below `log_directory`; required.
        file_match: Option<Placed<String>>,
        /// Groups of `file_match` that order files from oldest to newest, most important first; `^` before a
        /// name reverses it.
        priority: Vec<String>,
        /// Pieces of the stream's name: names of groups stand for the captured text, everything else for itself.
        /// The section's name when empty.
        differentiator: Vec<String>,
        /// For each group, numbers that order its texts.
        translation: Map<Placed<Map<i64>>>,
        /// Files last changed longer ago than this are ignored; `0` ignores none.
        oldest_duration: Duration = Duration::from_secs(720 * 3600),
        /// How often the tree is searched for new files.
        rescan_interval: Placed<Duration> = Placed::nowhere(Duration::from_secs(60)),
        /// How often files are looked at when nothing announces new data.
        check_data_interval: Placed<Duration> = Placed::nowhere(Duration::from_millis(250)),
        /// Where positions are kept; `logstreamer` below `base_dir` when absent.
        journal_directory: Option<String>,
        /// Streams without a stored position start at the end of their newest file.
        initial_tail: bool = false,
        /// `Hostname` of the messages; the daemon's when absent.
        hostname: Option<String>,
    }
}

/// The plugin type.
pub static TYPE: PluginType = PluginType {
    name: "LogstreamerInput",
    summary: "Follows log files through rotation, truncation and compression.",
    settings: LogstreamerSettings::table,
    defaults: Defaults { splitter: Some("TokenSplitter"), ..Defaults::NONE },
    make: Make::Input(|table, problems| {
        Arc::new(Spec { settings: LogstreamerSettings::read(table, problems), place: table.place })
    }),
};

struct Spec {
    settings: LogstreamerSettings,
    place: Place,
}

impl InputSpec for Spec {
    fn check(&self, site: &Site, problems: &mut Problems) {
        let settings = &self.settings;
        if let Err(why) = FileMatch::new(Path::new("/"), settings, &site.name) {
            let place = settings.file_match.as_ref().map_or(self.place, |pattern| pattern.place);
            problems.push(Problem::error(place, why));
        }
        let intervals =
            [("rescan_interval", &settings.rescan_interval), ("check_data_interval", &settings.check_data_interval)];
        for (name, interval) in intervals {
            if interval.value.is_zero() {
                problems.push(
                    Problem::error(interval.place, format!("`{name}` must not be zero"))
                        .help("leave it out, or write for example \"1s\""),
                );
            }
        }
    }

    fn build(&self, site: &Site) -> Result<Box<dyn Input>, PluginError> {
        Ok(Box::new(Logstreamer::new(&self.settings, site).map_err(PluginError::fatal)?))
    }
}
