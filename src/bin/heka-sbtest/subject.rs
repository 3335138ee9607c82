//! What is run: a section of a configuration, or one made of the command line.

use crate::show::Tally;
use crate::{FLAGS, Failure, USAGE};
use heka_matcher::{Compiler, Matcher, Predicates};
use heka_message::RowRef;
use heka_operators::log::Log;
use heka_operators::plugin::{Globals, Site};
use heka_operators::registry::{self, TYPES};
use heka_operators::script::{ScriptSettings, Watch};
use heka_operators::stats::Stats;
use heka_sandbox::{Config, Kind};
use heka_settings::{Data, Place, Problems, Settings, Table};
use hekad::config::render::render;
use hekad::config::{Common, HekadSettings, Section, Sources, load, process_env};
use hekad::flags::Given;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The types of scripts by what `-type` calls them.
const KINDS: [(&str, &str, Kind); 5] = [
    ("decoder", "SandboxDecoder", Kind::Decoder),
    ("filter", "SandboxFilter", Kind::Filter),
    ("encoder", "SandboxEncoder", Kind::Encoder),
    ("input", "SandboxInput", Kind::Input),
    ("output", "SandboxOutput", Kind::Output),
];

/// A script with everything around it.
pub struct Subject {
    pub kind: Kind,
    pub section: Section,
    pub site: Site,
    /// Cuts the input; found by `-splitter`.
    pub splitter: Option<Section>,
    /// Which messages the script gets; all of them without.
    matcher: Option<(Matcher, Arc<Predicates>)>,
}

impl Subject {
    pub fn find(given: &Given, tally: &Arc<Tally>) -> Result<Subject, Failure> {
        let has = |flag| given.value(flag).is_some_and(|value| !value.is_empty());
        let (mut section, sections, sources, mut globals) = match (has("config"), has("type")) {
            (true, false) => configured(given)?,
            (false, true) => described(given)?,
            _ => {
                let why = "give either -config and -section, or -type and -script";
                return Err(Failure::usage(FLAGS.error(why)));
            }
        };
        let Some((.., kind)) = KINDS.iter().find(|(_, name, _)| *name == section.plugin.name) else {
            let why = format!("'{}' is a {}, which runs no script", section.name, section.plugin.name);
            return Err(Failure::usage(why));
        };
        change(&mut section, given, *kind, &sources)?;
        if given.has("share") {
            globals.share_dir = absolute(given.or_default("share"))?;
        }
        if has("state") {
            globals.base_dir = absolute(given.or_default("state"))?;
        }
        let looking = tally.clone();
        globals.watch = Watch::new(move |called, used| looking.call(called, used));
        let site = Site {
            name: section.name.clone(),
            globals: Arc::new(globals),
            stats: Arc::new(Stats::default()),
            log: Log::new("Plugin", &section.name),
        };
        let splitter = match given.text("splitter") {
            name if name.is_empty() => None,
            name => Some(splitter(&name, sections)?),
        };
        let matcher = matcher(given, &section)?;
        Ok(Subject { kind: *kind, section, site, splitter, matcher })
    }

    /// Whether the script gets a message.
    pub fn wants(&self, message: RowRef<'_>) -> bool {
        self.matcher.as_ref().is_none_or(|(matcher, predicates)| matcher.matches(predicates, message))
    }

    /// Tells which messages the script would receive itself; nothing without a matcher.
    pub fn own_match(&self) -> Option<impl Fn(RowRef<'_>) -> bool + Send + use<>> {
        let (matcher, predicates) = self.matcher.clone()?;
        Some(move |row: RowRef<'_>| matcher.matches(&predicates, row))
    }

    /// Seconds between two ticks that the section asks for; 0: none.
    pub fn ticker_interval(&self) -> u64 {
        match &self.section.common {
            Common::Filter(common) | Common::Output(common) => common.ticker_interval,
            _ => 0,
        }
    }

    /// The script's sandbox, for cases, which have no plugin around it.
    pub fn sandbox_config(&self) -> Result<Config, Failure> {
        // The section has been checked, so nothing is wrong with it.
        let settings = ScriptSettings::read(&self.section.table, &mut Problems::default());
        Ok(settings.config(self.kind, &self.site))
    }
}

type Found = (Section, Vec<Section>, Sources, Globals);

/// The section of a configuration.
fn configured(given: &Given) -> Result<Found, Failure> {
    let loaded = load(Path::new(given.or_default("config")), TYPES, &process_env).map_err(Failure::usage)?;
    eprint!("{}", loaded.render_warnings());
    let config = loaded.config;
    let name = given.text("section");
    let scripts: Vec<&str> = config.sections.iter().filter(|s| is_script(s)).map(|s| s.name.as_str()).collect();
    let wanted = match name.as_str() {
        "" if scripts.len() == 1 => scripts[0],
        "" => return Err(Failure::usage(format!("give -section; the scripts are: {}", scripts.join(", ")))),
        name => name,
    };
    // Names are unique only within a category: the script of that name is meant.
    let named = || config.sections.iter().filter(|section| section.name == wanted);
    match named().find(|section| is_script(section)).or_else(|| named().next()) {
        Some(section) => Ok((section.clone(), config.sections.clone(), config.sources, config.hekad.globals())),
        None => Err(Failure::usage(format!("there is no section '{wanted}'; the scripts are: {}", scripts.join(", ")))),
    }
}

fn is_script(section: &Section) -> bool {
    KINDS.iter().any(|(_, name, _)| *name == section.plugin.name)
}

/// A section made of the command line.
fn described(given: &Given) -> Result<Found, Failure> {
    let word = given.text("type");
    let Some((_, type_name, _)) = KINDS.iter().find(|(name, ..)| *name == word) else {
        return Err(Failure::usage(FLAGS.error(format!("invalid value {word:?} for flag -type"))));
    };
    let script = given.value("script").filter(|script| !script.is_empty());
    let script = script.ok_or_else(|| Failure::usage(FLAGS.error("give the script with -script")))?;
    let path = absolute(script)?;
    let name = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let mut table = Table::default().with("filename", Data::String(path.to_string_lossy().into_owned()));
    if matches!(*type_name, "SandboxFilter" | "SandboxOutput") {
        table = table.with("message_matcher", Data::String("TRUE".to_owned()));
    }
    // The registry has all five.
    let plugin = registry::find(type_name).ok_or_else(|| Failure::usage(format!("there is no {type_name}")))?;
    let section = Section::make(name, Place::NOWHERE, plugin, table, &mut Problems::default());
    let hekad = HekadSettings::read_section(&Table::default(), &mut Problems::default());
    Ok((section, Vec::new(), Sources::default(), hekad.globals()))
}

/// Makes the section anew with what the command line says otherwise.
fn change(section: &mut Section, given: &Given, kind: Kind, sources: &Sources) -> Result<(), Failure> {
    let mut table = section.table.clone();
    let set = |table: &mut Table, key: &str, data: Data| {
        let known = table.get(key).map(|entry| entry.key.clone());
        table.entries.retain(|entry| Some(&entry.key) != known.as_ref());
        *table = std::mem::take(table).with(key, data);
    };
    for option in given.all("option") {
        let (key, data) = assignment(option)?;
        set(&mut table, &key, data);
    }
    let mut config = match table.get("config").map(|entry| &entry.value.data) {
        Some(Data::Table(config)) => config.clone(),
        _ => Table::default(),
    };
    for value in given.all("set") {
        let (key, data) = assignment(value)?;
        // Names of values are told apart by case.
        config.entries.retain(|entry| entry.key != key);
        config = config.with(&key, data);
    }
    set(&mut table, "config", Data::Table(config));
    if given.value("state").is_none_or(OsStr::is_empty) {
        set(&mut table, "preserve_data", Data::Bool(false));
    }
    if kind == Kind::Output && given.has("tick") {
        // An output's clock is the wall's: on demand there is only the event at the end.
        set(&mut table, "timer_event_on_shutdown", Data::Bool(true));
    }
    let mut problems = Problems::default();
    *section = Section::make(section.name.clone(), section.place, section.plugin, table, &mut problems);
    if problems.has_errors() {
        return Err(Failure(USAGE, render(sources, &problems.into_sorted())));
    }
    Ok(())
}

/// `key=value`: a truth value, a number, or else text; quotes make anything text.
fn assignment(given: &OsStr) -> Result<(String, Data), Failure> {
    let text = given.to_string_lossy();
    let Some((key, value)) = text.split_once('=').filter(|(key, _)| !key.is_empty()) else {
        return Err(Failure::usage(FLAGS.error(format!("{text:?} is not of the form key=value"))));
    };
    let quoted = |quote| value.strip_prefix(quote).and_then(|value: &str| value.strip_suffix(quote));
    let data = match (value, quoted('"').or_else(|| quoted('\''))) {
        (_, Some(inner)) => Data::String(inner.to_owned()),
        ("true", _) => Data::Bool(true),
        ("false", _) => Data::Bool(false),
        _ => match (value.parse(), value.parse()) {
            (Ok(integer), _) => Data::Integer(integer),
            (_, Ok(float)) if value.starts_with(|c: char| c.is_ascii_digit() || c == '-') => Data::Float(float),
            _ => Data::String(value.to_owned()),
        },
    };
    Ok((key.to_owned(), data))
}

/// The splitter of a configuration, or else the type, called `name`.
fn splitter(name: &str, sections: Vec<Section>) -> Result<Section, Failure> {
    let is_splitter = |section: &Section| section.category() == registry::Category::Splitter;
    if let Some(section) = sections.into_iter().find(|section| section.name == name && is_splitter(section)) {
        return Ok(section);
    }
    let plugin = registry::find(name).filter(|plugin| plugin.category() == registry::Category::Splitter);
    let plugin = plugin.ok_or_else(|| Failure::usage(format!("there is no splitter '{name}'")))?;
    let mut problems = Problems::default();
    let section = Section::make(name.to_owned(), Place::NOWHERE, plugin, Table::default(), &mut problems);
    match problems.has_errors() {
        true => Err(Failure(USAGE, render(&Sources::default(), &problems.into_sorted()))),
        false => Ok(section),
    }
}

/// The matcher of the command line, or of a configuration's section.
fn matcher(given: &Given, section: &Section) -> Result<Option<(Matcher, Arc<Predicates>)>, Failure> {
    let of_section = match &section.common {
        Common::Filter(common) | Common::Output(common) if given.has("config") => common.message_matcher.as_ref(),
        _ => None,
    };
    let text = match (given.text("match"), of_section) {
        (text, _) if !text.is_empty() => text,
        (_, Some(placed)) => placed.value.clone(),
        _ => return Ok(None),
    };
    let mut compiler = Compiler::new();
    // Whoever signed the sample is no part of it.
    let matcher = compiler.compile(&text, None).map_err(|error| Failure::usage(format!("matcher - {error}")))?;
    Ok(Some((matcher, compiler.finish_uncached())))
}

fn absolute(path: &OsStr) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|error| Failure::usage(format!("{}: {error}", path.display())))
}
