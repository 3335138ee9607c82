//! Configurations of the tools: the same files, environment and dialect as the daemon's, without its plugins.

use super::document;
use super::env::{self, Env};
use super::legacy;
use super::load::Refused;
use super::offsets::Text;
use super::source::Sources;
use heka_settings::{Data, Problems, Table};
use std::path::Path;

/// Loads the file or directory at `path` as one table. A section that several files have is the last file's.
///
/// # Errors
/// What cannot be read, or is neither TOML nor the original's dialect of it.
pub fn load_table(path: &Path, env: Env<'_>) -> Result<(Sources, Table), Refused> {
    let mut problems = Problems::default();
    let sources = Sources::read(path, &mut problems);
    let mut all = Table::default();
    for (index, file) in sources.files.iter().enumerate() {
        // There cannot be 2³² files: each is a directory entry.
        let text = env::substitute(&Text::new(index as u32, file.text.clone()), env, &mut problems);
        let read = document::parse(&text).or_else(|modern| {
            let legacy = text.then(legacy::rewrite(&text.text));
            // The reading that got further knows better what is wrong.
            document::parse(&legacy).map_err(|legacy| if legacy.place > modern.place { legacy } else { modern })
        });
        match read {
            Ok(table) => {
                for entry in table.entries {
                    all.entries.retain(|earlier| earlier.key != entry.key);
                    all.entries.push(entry);
                }
            }
            Err(problem) => problems.push(problem),
        }
    }
    if problems.has_errors() {
        return Err(Refused { sources, problems: problems.into_sorted() });
    }
    Ok((sources, all))
}

/// The sections of a table, in the order of the files.
pub fn sections(table: &Table) -> impl Iterator<Item = (&str, &Table)> {
    table.entries.iter().filter_map(|entry| match &entry.value.data {
        Data::Table(section) => Some((entry.key.as_str(), section)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_merged_by_section_and_read_in_both_dialects() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a.toml"), "[one]\nx = 1\n[two]\nx = '%ENV[WHERE]'\n").unwrap();
        // A bare name with a colon is the dialect's.
        std::fs::write(dir.path().join("b.toml"), "[tcp:5565]\n[one]\ny = 2\n").unwrap();
        let env = |name: &str| (name == "WHERE").then(|| "here".to_owned());
        let (_, table) = load_table(dir.path(), &env).ok().unwrap();
        let names: Vec<_> = sections(&table).map(|(name, _)| name).collect();
        assert_eq!(names, ["two", "tcp:5565", "one"]);
        assert_eq!(
            Data::Table(table).to_string(),
            r#"{ "two" = { "x" = "here" }, "tcp:5565" = {}, "one" = { "y" = 2 } }"#
        );
        std::fs::write(dir.path().join("c.toml"), "[three\n").unwrap();
        let refused = load_table(dir.path(), &env).unwrap_err().to_string();
        assert!(refused.contains("c.toml:1"), "{refused}");
        assert!(load_table(Path::new("/no/such/file"), &env).is_err());
    }
}
