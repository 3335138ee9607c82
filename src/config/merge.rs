//! Several files, one configuration.

use super::section::Section;
use heka_settings::{Data, Entry, Problem, Problems, Table};

/// `[hekad]` of several files, key by key: a later file's value stands.
pub fn hekad(parts: Vec<Entry>, problems: &mut Problems) -> Table {
    let mut merged = Table::default();
    for part in parts {
        let Data::Table(table) = part.value.data else {
            let message =
                format!("can't decode common config for 'hekad': expected a section, found {}", part.value.type_name());
            problems.push(Problem::error(part.place, message));
            continue;
        };
        merged.place = part.place;
        // Within one file, a key given twice in different cases is an error, which later reading finds.
        let earlier = merged.entries.len();
        for entry in table.entries {
            let known = merged.entries[..earlier].iter().position(|e| e.key.eq_ignore_ascii_case(&entry.key));
            match known {
                Some(at) => merged.entries[at] = entry,
                None => merged.entries.push(entry),
            }
        }
    }
    merged
}

/// The sections of all files. Two plugins of one category cannot share a name.
pub fn sections(parts: impl IntoIterator<Item = Section>, problems: &mut Problems) -> Vec<Section> {
    let mut merged: Vec<Section> = Vec::new();
    let mut seen = std::collections::HashMap::new();
    for section in parts {
        match seen.entry((section.category(), section.name.clone())) {
            std::collections::hash_map::Entry::Vacant(free) => {
                free.insert(merged.len());
                merged.push(section);
            }
            std::collections::hash_map::Entry::Occupied(taken) => {
                let first = &merged[*taken.get()];
                let what = section.category().name().to_ascii_lowercase();
                problems.push(
                    Problem::error(section.place, format!("the {what} '{}' is defined twice", section.name))
                        .also(first.place, "first defined here")
                        .help("keep one of the two, or give one another name and the line `type`"),
                );
            }
        }
    }
    merged
}
