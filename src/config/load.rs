//! From a path to a configuration: every file read, every problem found.

use super::common;
use super::document;
use super::env::{self, Env};
use super::hekad::HekadSettings;
use super::legacy;
use super::merge;
use super::offsets::Text;
use super::render;
use super::section::{Contents, Section, read_document};
use super::source::Sources;
use heka_operators::registry::PluginType;
use heka_settings::{Place, Problem, Problems, Table};
use std::path::Path;

/// A whole configuration.
pub struct Config {
    /// The files it came from.
    pub sources: Sources,
    /// `[hekad]`.
    pub hekad: HekadSettings,
    /// The plugins: the user's in the order of files and lines, then those the daemon adds.
    pub sections: Vec<Section>,
}

/// A configuration that can be used.
pub struct Loaded {
    /// It.
    pub config: Config,
    /// What the user should know: old forms, options without effect.
    pub warnings: Vec<Problem>,
}

impl Loaded {
    /// The warnings as text for a terminal; empty when there are none.
    pub fn render_warnings(&self) -> String {
        render::render(&self.config.sources, &self.warnings)
    }
}

/// A configuration that cannot be used, with all that is wrong with it. Displays as text for a terminal.
#[derive(Debug)]
pub struct Refused {
    /// The files.
    pub sources: Sources,
    /// Errors and warnings.
    pub problems: Vec<Problem>,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&render::render(&self.sources, &self.problems))
    }
}

impl std::error::Error for Refused {}

/// Plugins that exist without a section, each with its type's defaults, unless a section has their name.
const AUTOMATIC: [&str; 6] = [
    "ProtobufDecoder",
    "ProtobufEncoder",
    "TokenSplitter",
    "PatternGroupingSplitter",
    "HekaFramingSplitter",
    "NullSplitter",
];

/// Loads the configuration at `path`, a file or a directory.
///
/// # Errors
/// When anything in it is wrong; all that is wrong is found in one pass.
pub fn load(path: &Path, types: &[&'static PluginType], env: Env<'_>) -> Result<Loaded, Refused> {
    let mut problems = Problems::default();
    let sources = Sources::read(path, &mut problems);
    load_sources(sources, problems, types, env)
}

/// Loads a configuration whose files have been read; `problems` is what went wrong by then.
///
/// # Errors
/// As for [`load`].
pub fn load_sources(
    sources: Sources,
    mut problems: Problems,
    types: &[&'static PluginType],
    env: Env<'_>,
) -> Result<Loaded, Refused> {
    let mut hekad = Vec::new();
    let mut sections = Vec::new();
    for (index, file) in sources.files.iter().enumerate() {
        // There cannot be 2³² files: each is a directory entry.
        let text = env::substitute(&Text::new(index as u32, file.text.clone()), env, &mut problems);
        let contents = read_text(&text, types);
        hekad.extend(contents.hekad);
        sections.extend(contents.sections);
        problems.append(contents.problems);
    }
    let hekad_table = merge::hekad(hekad, &mut problems);
    let hekad = HekadSettings::read_section(&hekad_table, &mut problems);
    let mut sections = merge::sections(sections, &mut problems);
    if sections.is_empty() && !problems.has_errors() {
        problems.push(
            Problem::error(Place::NOWHERE, "Empty configuration, exiting.")
                .help("give at least one section of a plugin; in a directory, files must end in .toml"),
        );
    }
    add_automatic(&mut sections, types, &mut problems);
    for section in &sections {
        let max = hekad.max_record_size();
        common::check_sizes(&section.name, &section.table, &section.common, max, &mut problems);
    }
    if problems.has_errors() {
        return Err(Refused { sources, problems: problems.into_sorted() });
    }
    Ok(Loaded { config: Config { sources, hekad, sections }, warnings: problems.into_sorted() })
}

fn add_automatic(sections: &mut Vec<Section>, types: &[&'static PluginType], problems: &mut Problems) {
    for plugin in AUTOMATIC.iter().filter_map(|name| types.iter().find(|t| t.name == *name)) {
        if !sections.iter().any(|s| s.name == plugin.name && s.category() == plugin.category()) {
            let section = Section::make(plugin.name.to_owned(), Place::NOWHERE, plugin, Table::default(), problems);
            sections.push(section);
        }
    }
}

/// Reads a document as TOML, and where that finds errors, in the original's dialect as well: the reading with
/// fewer errors counts. So old documents keep their meaning, and new ones have all of TOML.
fn read_text(text: &Text, types: &[&'static PluginType]) -> Contents {
    let modern = document::parse(text).map(|root| read_document(root, types));
    if let Ok(contents) = &modern
        && !contents.problems.has_errors()
    {
        return modern.unwrap_or_else(refused);
    }
    let legacy = text.then(legacy::rewrite(&text.text));
    let legacy = document::parse(&legacy).map(|root| read_document(root, types));
    match (modern, legacy) {
        (Ok(modern), Ok(legacy)) if legacy.problems.errors() < modern.problems.errors() => legacy,
        (Ok(modern), _) => modern,
        (Err(_), Ok(legacy)) => legacy,
        // The reading that got further knows better what is wrong.
        (Err(modern), Err(legacy)) => refused(if legacy.place > modern.place { legacy } else { modern }),
    }
}

fn refused(problem: Problem) -> Contents {
    let mut contents = Contents::default();
    contents.problems.push(problem);
    contents
}
