//! What an input would do if it were started now: its streams, their files, and where each would be read on.
//! Nothing is changed.

use super::LogstreamerSettings;
use super::journal::{Held, peek};
use super::locate::{Place, Start, locate};
use super::pattern::FileMatch;
use super::scan::{LogFile, scan};
use std::path::{Path, PathBuf};

/// What one section finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    /// The streams, by name.
    pub streams: Vec<StreamSurvey>,
    /// What the input would complain of, one line each.
    pub complaints: Vec<String>,
}

/// One stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamSurvey {
    /// Its name.
    pub name: String,
    /// Its files, oldest first.
    pub files: Vec<PathBuf>,
    /// The file that would be read first.
    pub first: PathBuf,
    /// From which of its bytes on; of the decompressed data when the file is compressed.
    pub seek: u64,
}

/// Looks at what the input of the section called `section` would find. Positions are looked for in `journals`,
/// unless the settings name a directory.
///
/// # Errors
/// One line: which setting is wrong, or that there is no log directory.
pub fn survey(settings: &LogstreamerSettings, section: &str, journals: &Path) -> Result<Survey, String> {
    let root = std::fs::canonicalize(&settings.log_directory)
        .map_err(|error| format!("log_directory {}: {error}", settings.log_directory))?;
    let pattern = FileMatch::new(&root, settings, section)?;
    let journals = settings.journal_directory.as_ref().map_or(journals, Path::new);
    let start = if settings.initial_tail { Start::Newest } else { Start::Oldest };
    let found = scan(&root, &pattern, settings.oldest_duration);
    let mut survey = Survey { streams: Vec::new(), complaints: found.unordered };
    survey.complaints.extend(found.skipped);
    for (name, files) in found.streams {
        match stream(&name, &files, &start, journals, &mut survey.complaints) {
            Ok(stream) => survey.streams.push(stream),
            Err(error) => survey.complaints.push(format!("{name}: {error}")),
        }
    }
    Ok(survey)
}

fn stream(
    name: &str,
    files: &[LogFile],
    start: &Start,
    journals: &Path,
    complaints: &mut Vec<String>,
) -> std::io::Result<StreamSurvey> {
    let place = match peek(journals, name)? {
        Held::Position(at, since) => Some(Place { at, since }),
        Held::Nothing => None,
        Held::Damage(why) => {
            complaints.push(format!("{name}: {why}; it is read as if it had no position"));
            None
        }
    };
    let located = locate(files, start, place.as_ref())?;
    complaints.extend(located.lost.map(|lost| format!("{name}: {lost}")));
    let files = files.iter().map(|file| file.path.clone()).collect();
    Ok(StreamSurvey { name: name.to_owned(), files, first: located.path, seek: located.reader.offset })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::logstreamer::journal::{Journal, Position, hash};
    use heka_settings::Placed;
    use std::fs;

    #[test]
    fn a_survey_finds_what_a_start_would_read_and_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let (logs, journals) = (dir.path().join("logs"), dir.path().join("journals"));
        fs::create_dir_all(&journals).unwrap();
        fs::create_dir(&logs).unwrap();
        let logs = fs::canonicalize(logs).unwrap();
        for (name, text) in [("a.log", "new\n"), ("a.log.1", "older\n"), ("b.log", "b\n"), ("c.log", "c\n")] {
            fs::write(logs.join(name), text).unwrap();
        }
        let mut settings = LogstreamerSettings {
            log_directory: logs.to_string_lossy().into_owned(),
            file_match: Some(Placed::nowhere(r"(?P<name>\w)\.log\.?(?P<seq>\d*)".to_owned())),
            priority: vec!["^seq".to_owned()],
            differentiator: vec!["name".to_owned()],
            ..LogstreamerSettings::default()
        };
        // The position was taken in `a.log` before it was renamed.
        let at =
            Position { seek: 3, file_name: logs.join("a.log").to_string_lossy().into_owned(), last_hash: hash(b"old") };
        Journal::open(&journals, "a").unwrap().0.save(&at).unwrap();
        fs::write(journals.join("b"), "{damaged").unwrap();
        let before = fs::read_dir(&journals).unwrap().count();
        let found = survey(&settings, "section", &journals).unwrap();
        let shown: Vec<_> = found.streams.iter().map(|s| (s.name.as_str(), s.first.clone(), s.seek)).collect();
        let path = |name: &str| logs.join(name);
        assert_eq!(shown, [("a", path("a.log.1"), 3), ("b", path("b.log"), 0), ("c", path("c.log"), 0)]);
        assert_eq!(found.streams[0].files, [path("a.log.1"), path("a.log")]);
        assert!(found.complaints.len() == 1 && found.complaints[0].contains("is damaged"), "{found:?}");
        assert_eq!(fs::read_dir(&journals).unwrap().count(), before);
        settings.initial_tail = true;
        let found = survey(&settings, "section", &journals).unwrap();
        assert_eq!((&found.streams[2].first, found.streams[2].seek), (&path("c.log"), 2));
        settings.log_directory = "/no/such/directory".to_owned();
        assert!(survey(&settings, "section", &journals).unwrap_err().starts_with("log_directory /no/such"));
    }
}
