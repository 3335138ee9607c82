//! The table of a plugin's settings, and the macro that declares it.

use crate::{Data, Kind, Problem, Problems, Table};

/// One option: what the reference says of it and what the schema allows.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The key.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// The default as Rust source text; empty when the option is optional, `required` when it must be given.
    pub default: &'static str,
    /// The default as a configuration would hold it; `None` when there is none.
    pub default_data: fn() -> Option<Data>,
    /// The reference's text, one or more lines.
    pub help: &'static str,
}

/// A struct of settings declared with [`settings!`](crate::settings).
pub trait Settings: Sized {
    /// The options, in the order declared.
    fn table() -> &'static [Setting];
    /// Reads a section. What cannot be read is noted in `problems` and replaced by its default, so that all
    /// problems of a configuration are found in one pass; keys this table does not know are not its business
    /// (see [`refuse_unknown`]).
    fn read(table: &Table, problems: &mut Problems) -> Self;
}

/// Notes every key of `table` that none of `known` declares, with the nearest known key as the remedy, and
/// every key that is set a second time in another case.
pub fn refuse_unknown(table: &Table, known: &[&[Setting]], problems: &mut Problems) {
    let names = || known.iter().flat_map(|t| t.iter()).map(|s| s.name);
    let owner = problems.owner().map(|name| format!(" for '{name}'")).unwrap_or_default();
    for entry in &table.entries {
        let Some(name) = names().find(|n| n.eq_ignore_ascii_case(&entry.key)) else {
            let problem = Problem::error(entry.place, format!("unknown config setting{owner}: {}", entry.key));
            problems.push(match nearest(&entry.key, names()) {
                Some(name) => problem.help(format!("did you mean `{name}`?")),
                None => problem.help("remove the line, or see the reference for this plugin's settings"),
            });
            continue;
        };
        if let Some(first) = table.get(name).filter(|first| first.key != entry.key) {
            problems.push(
                Problem::error(entry.place, format!("`{}` and `{}` are the same setting", first.key, entry.key))
                    .also(first.place, "already set here")
                    .help("keep one of the two"),
            );
        }
    }
}

/// The candidate closest to `word`, if any is close enough to be a slip of the keyboard.
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .map(|c| (distance(&word.to_ascii_lowercase(), &c.to_ascii_lowercase()), c))
        .filter(|(d, c)| *d <= 1 + c.len().min(word.len()) / 4)
        .min_by_key(|(d, _)| *d)
        .map(|(_, c)| c)
}

/// Levenshtein's distance over bytes.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let cost = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = cost.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

/// Declares a struct of settings: the fields, their defaults and their documentation are the option table.
///
/// A field reads `name: Type = default,` where the default is any expression convertible into the type, or
/// `name: Type,` for a type with `Default` (an `Option`, a list, a map). A key that is no Rust name is given
/// as `name as "key": Type = default`.
#[macro_export]
macro_rules! settings {
    ($(#[doc = $doc:expr])* $vis:vis struct $name:ident {
        $( $(#[doc = $help:expr])* $field:ident $(as $key:literal)? : $type:ty $(= $default:expr)? ),* $(,)?
    }) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug, PartialEq)]
        $vis struct $name { $( $(#[doc = $help])* pub $field: $type ),* }

        impl $crate::Settings for $name {
            fn table() -> &'static [$crate::Setting] {
                const TABLE: &[$crate::Setting] = &[ $( $crate::Setting {
                    name: $crate::settings!(@key $field $($key)?),
                    kind: <$type as $crate::SettingType>::KIND,
                    default: $crate::settings!(@text $($default)?),
                    default_data: || {
                        let default: $type = $crate::settings!(@default $type $(, $default)?);
                        $crate::SettingType::to_data(&default)
                    },
                    help: concat!($($help, "\n"),*),
                } ),* ];
                TABLE
            }
            fn read(table: &$crate::Table, problems: &mut $crate::Problems) -> Self {
                let _ = (table, &problems);
                $name { $( $field: table
                    .get($crate::settings!(@key $field $($key)?))
                    .and_then(|entry| <$type as $crate::SettingType>::from_value(&entry.value, problems))
                    .unwrap_or_else(|| $crate::settings!(@default $type $(, $default)?)) ),* }
            }
        }

        impl Default for $name {
            fn default() -> Self {
                $name { $( $field: $crate::settings!(@default $type $(, $default)?) ),* }
            }
        }
    };
    (@key $field:ident) => { stringify!($field) };
    (@key $field:ident $key:literal) => { $key };
    (@text) => { "" };
    (@text $default:expr) => { stringify!($default) };
    (@default $type:ty) => { <$type as Default>::default() };
    (@default $type:ty, $default:expr) => { <$type as From<_>>::from($default) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Data, Map};
    use std::time::Duration;

    settings! {
        /// Test options.
        struct Demo {
            /// Where to listen.
            address: String = "here",
            /// How often.
            every: Duration = Duration::from_secs(3),
            /// A key Rust does not allow.
            kind as "type": Option<String>,
            /// Free keys.
            headers: Map<Vec<String>>,
        }
    }

    #[test]
    fn a_table_reads_defaults_and_values() {
        let mut problems = Problems::default();
        let table =
            Table::default().with("ADDRESS", Data::String("there".into())).with("type", Data::String("x".into()));
        let demo = Demo::read(&table, &mut problems);
        assert_eq!(demo, Demo { address: "there".into(), kind: Some("x".into()), ..Demo::default() });
        assert!(problems.is_empty());
        assert_eq!(Demo::table()[2].name, "type");
        assert_eq!(Demo::table()[0].help.trim(), "Where to listen.");
    }

    #[test]
    fn every_problem_is_found_at_once() {
        let mut problems = Problems::default();
        let table = Table::default().with("address", Data::Integer(1)).with("every", Data::String("3x".into()));
        let demo = Demo::read(&table, &mut problems);
        refuse_unknown(&table.with("adress", Data::Bool(true)), &[Demo::table()], &mut problems);
        assert_eq!(demo, Demo::default());
        let texts: Vec<_> = problems.iter().map(|p| (p.message.as_str(), p.help.as_deref())).collect();
        assert_eq!(texts[2], ("unknown config setting: adress", Some("did you mean `address`?")));
        assert_eq!(texts.len(), 3);
    }
}
