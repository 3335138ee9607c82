//! The reference of all settings, written from the same tables that read them: one page a category.

use super::buffering::BufferingKeys;
use super::common::{self, SectionKeys};
use super::hekad::HekadSettings;
use heka_operators::registry::{Category, Defaults, PluginType};
use heka_settings::{Data, Kind, Setting, Settings};
use std::fmt::Write;
use std::path::Path;

/// The first line of every page.
const NOTE: &str = "<!-- Written by `hekad -reference docs/reference` from the tables in the code: change those. -->";

/// Levels of sub-sections shown; a guard, no plugin nests as deeply.
const MAX_DEPTH: usize = 6;

/// All pages: file name and text.
pub fn pages(types: &[&'static PluginType]) -> Vec<(String, String)> {
    let mut pages = vec![("README.md".to_owned(), index(types)), ("hekad.md".to_owned(), daemon())];
    pages.extend(Category::ALL.map(|category| (file_name(category), page(category, types))));
    pages
}

/// Writes all pages into a directory, which is created if need be.
///
/// # Errors
/// When the directory or a page cannot be written.
pub fn write(dir: &Path, types: &[&'static PluginType]) -> std::io::Result<()> {
    std::fs::create_dir_all(dir)?;
    pages(types).into_iter().try_for_each(|(name, text)| std::fs::write(dir.join(name), text))
}

fn file_name(category: Category) -> String {
    format!("{}s.md", category.name().to_ascii_lowercase())
}

fn of_category(category: Category, types: &[&'static PluginType]) -> Vec<&'static PluginType> {
    let mut found: Vec<_> = types.iter().copied().filter(|t| t.category() == category).collect();
    found.sort_by_key(|t| t.name);
    found
}

// Writing to a `String` cannot fail, here and below.
fn index(types: &[&'static PluginType]) -> String {
    let mut out = format!("{NOTE}\n# Reference of settings\n\n* [The daemon](hekad.md): the section `[hekad]`\n");
    for category in Category::ALL {
        let _ = writeln!(out, "* [{}s]({})", category.name(), file_name(category));
        for plugin in of_category(category, types) {
            let link = format!("{}#{}", file_name(category), plugin.name.to_ascii_lowercase());
            let _ = writeln!(out, "  * [{}]({link}): {}", plugin.name, one_line(plugin.summary));
        }
    }
    out
}

fn daemon() -> String {
    let mut out = format!("{NOTE}\n# The daemon\n\nThe section `[hekad]` concerns the daemon as a whole. It may be ");
    out.push_str(
        "left out. When several files have it, they are merged key by key, and the last file's value counts.\n",
    );
    options(HekadSettings::table(), &|setting| (setting.default_data)(), "hekad", 0, &mut out);
    out
}

fn page(category: Category, types: &[&'static PluginType]) -> String {
    let name = category.name();
    let mut out =
        format!("{NOTE}\n# {name}s\n\n## Common options\n\nEvery {} section has these.\n", name.to_lowercase());
    let common: Vec<Setting> = SectionKeys::table().iter().chain(common::table(category)).copied().collect();
    options(&common, &|setting| common::default_of(setting, category, &Defaults::NONE), "x", 0, &mut out);
    for plugin in of_category(category, types) {
        let _ = writeln!(out, "\n## {}\n\n{}", plugin.name, plugin.summary.trim());
        let own = (plugin.settings)();
        let differing = differing_defaults(plugin, category, own);
        if !differing.is_empty() {
            let _ = writeln!(out, "\nCommon options with a default of its own: {}.", differing.join(", "));
        }
        if plugin.defaults.frames_protobuf && !own.iter().any(|s| s.name == "use_framing") {
            out.push_str("\nMessages are framed when the encoder writes protobuf, unless `use_framing` is given.\n");
        }
        if own.is_empty() {
            out.push_str("\nNo options of its own.\n");
        }
        options(own, &|setting| (setting.default_data)(), plugin.name, 0, &mut out);
    }
    out
}

fn differing_defaults(plugin: &PluginType, category: Category, own: &[Setting]) -> Vec<String> {
    let mut all: Vec<(String, Option<Data>, Option<Data>)> = common::table(category)
        .iter()
        .filter(|setting| !own.iter().any(|s| s.name == setting.name))
        .map(|setting| {
            let of = |defaults| common::default_of(setting, category, defaults);
            (setting.name.to_owned(), of(&plugin.defaults), of(&Defaults::NONE))
        })
        .collect();
    if let Some((file_size, updates)) = plugin.defaults.buffering {
        let [file, _, _, update, ..] = BufferingKeys::table() else { return Vec::new() };
        all.push((format!("buffering.{}", file.name), Some(Data::Integer(file_size as i64)), None));
        all.push((format!("buffering.{}", update.name), Some(Data::Integer(updates.into())), None));
    }
    let differing = all.into_iter().filter(|(_, own, global)| own != global);
    differing.filter_map(|(name, own, _)| own.map(|data| format!("`{name} = {data}`"))).collect()
}

/// A table of options, then one for each sub-section among them.
fn options(table: &[Setting], default: &dyn Fn(&Setting) -> Option<Data>, owner: &str, depth: usize, out: &mut String) {
    if table.is_empty() {
        return;
    }
    out.push_str("\n| option | type | default | meaning |\n|---|---|---|---|\n");
    for setting in table {
        let default = match default(setting) {
            Some(data) => format!("`{data}`"),
            // A type of a plugin's own that does not say how its default is written.
            None if !setting.default.is_empty() && !matches!(setting.kind, Kind::Section(_)) => {
                format!("`{}`", setting.default)
            }
            None => "–".to_owned(),
        };
        let cells = [format!("`{}`", setting.name), kind_text(&setting.kind), default, one_line(setting.help)];
        let _ = writeln!(out, "| {} |", cells.map(|cell| cell.replace('|', "\\|")).join(" | "));
    }
    for setting in table {
        let (inner, suffix) = match &setting.kind {
            Kind::Map(Kind::Section(inner)) => (inner, ".*"),
            Kind::Section(inner) | Kind::List(Kind::Section(inner)) => (inner, ""),
            _ => continue,
        };
        if depth < MAX_DEPTH {
            let path = format!("{owner}.{}{suffix}", setting.name);
            let _ = writeln!(out, "\n### `{path}`");
            options(inner(), &|setting| (setting.default_data)(), &path, depth + 1, out);
        }
    }
}

fn kind_text(kind: &Kind) -> String {
    match kind {
        Kind::String => "string".to_owned(),
        Kind::Integer { min: i64::MIN, max: i64::MAX } => "integer".to_owned(),
        Kind::Integer { min, max } if *max >= i64::from(u32::MAX) => format!("integer, at least {min}"),
        Kind::Integer { min, max } => format!("integer, {min} to {max}"),
        Kind::Float => "number".to_owned(),
        Kind::Bool => "boolean".to_owned(),
        Kind::Duration => "duration".to_owned(),
        Kind::Regex => "regular expression".to_owned(),
        Kind::Octal => "octal digits in quotes".to_owned(),
        Kind::Choice(words) => words.iter().map(|word| format!("`\"{word}\"`")).collect::<Vec<_>>().join(", "),
        Kind::List(kind) => format!("list of {}", kind_text(kind)),
        Kind::Map(Kind::Any) => "sub-section, any keys".to_owned(),
        Kind::Map(kind) => format!("sub-section, any keys; each {}", kind_text(kind)),
        Kind::Section(_) => "sub-section".to_owned(),
        Kind::Any => "any".to_owned(),
    }
}

/// A docstring on one line, as tables need it.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
