//! What is wrong with a configuration, and where: the unit of every diagnostic.

/// A range of bytes in one of the files of a configuration. `file` is an index into the daemon's list of
/// sources; [`Place::NOWHERE`] stands for a value no file holds (a default).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// Index of the file in the order of loading.
    pub file: u32,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Place {
    /// The place of values that stand in no file.
    pub const NOWHERE: Place = Place { file: u32::MAX, start: 0, end: 0 };
}

impl Default for Place {
    fn default() -> Self {
        Place::NOWHERE
    }
}

/// Whether a problem stops the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Loading goes on and the user is told.
    Warning,
    /// The configuration is refused, after all of it has been read.
    Error,
}

/// One thing wrong: rendered like a compiler's message by whoever holds the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Whether it stops the start.
    pub level: Level,
    /// Where it stands.
    pub place: Place,
    /// The cause, one line.
    pub message: String,
    /// The remedy, one line.
    pub help: Option<String>,
    /// Other places that matter, each with what it is.
    pub also: Vec<(Place, String)>,
}

impl Problem {
    /// A problem that refuses the configuration.
    pub fn error(place: Place, message: impl Into<String>) -> Self {
        Problem { level: Level::Error, place, message: message.into(), help: None, also: Vec::new() }
    }

    /// A problem the user is told of.
    pub fn warning(place: Place, message: impl Into<String>) -> Self {
        Problem { level: Level::Warning, ..Problem::error(place, message) }
    }

    /// Adds the remedy.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds another place that matters.
    pub fn also(mut self, place: Place, note: impl Into<String>) -> Self {
        self.also.push((place, note.into()));
        self
    }
}

/// All problems found so far: reading never stops at the first.
#[derive(Clone, Debug, Default)]
pub struct Problems {
    list: Vec<Problem>,
    owner: Option<String>,
}

impl Problems {
    /// An empty list for the section called `owner`, which messages then name.
    pub fn of(owner: impl Into<String>) -> Self {
        Problems { list: Vec::new(), owner: Some(owner.into()) }
    }

    /// The section that is being read, if the list was made for one.
    pub fn owner(&self) -> Option<&str> {
        self.owner.as_deref()
    }

    /// How many of the problems refuse the configuration.
    pub fn errors(&self) -> usize {
        self.list.iter().filter(|p| p.level == Level::Error).count()
    }

    /// Changes every problem found so far.
    pub fn map(mut self, change: impl FnMut(Problem) -> Problem) -> Self {
        self.list = self.list.into_iter().map(change).collect();
        self
    }

    /// Notes one problem.
    pub fn push(&mut self, problem: Problem) {
        self.list.push(problem);
    }

    /// Whether nothing at all was found.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether anything found refuses the configuration.
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|p| p.level == Level::Error)
    }

    /// The problems, in the order found.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.list.iter()
    }

    /// Moves the problems of `other` behind these.
    pub fn append(&mut self, mut other: Problems) {
        self.list.append(&mut other.list);
    }

    /// The problems in the order of the text they stand in.
    pub fn into_sorted(mut self) -> Vec<Problem> {
        self.list.sort_by_key(|p| p.place);
        self.list
    }
}
