//! The types a setting can have, how each is read from a value, and how it describes itself.

use crate::{Data, Place, Problem, Problems, Settings, Table, Value, format_duration, parse_duration};
use std::time::Duration;

/// What a setting holds, as shown in the reference and the JSON schema.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Text.
    String,
    /// An integer within bounds.
    Integer {
        /// Smallest value allowed.
        min: i64,
        /// Largest value allowed.
        max: i64,
    },
    /// A floating point number; integers widen.
    Float,
    /// `true` or `false`.
    Bool,
    /// Text such as `1.5h`.
    Duration,
    /// Text that is a regular expression.
    Regex,
    /// Text of octal digits.
    Octal,
    /// One word out of a list.
    Choice(&'static [&'static str]),
    /// A list of values of one kind.
    List(&'static Kind),
    /// A sub-section with free keys and values of one kind.
    Map(&'static Kind),
    /// A sub-section with options of its own.
    Section(fn() -> &'static [crate::Setting]),
    /// Any value, handed on untouched.
    Any,
}

/// A Rust type that a setting can have.
pub trait SettingType: Sized {
    /// How the type describes itself.
    const KIND: Kind;
    /// Reads a value; problems are noted, and `None` means the default stands in.
    fn from_value(value: &Value, problems: &mut Problems) -> Option<Self>;
    /// Writes the value as a configuration would hold it, so that the reference and the schema can show a
    /// default; `None` stands for "nothing", the default of an optional setting.
    fn to_data(&self) -> Option<Data> {
        None
    }
}

fn mismatch(value: &Value, wanted: &str, problems: &mut Problems) {
    problems.push(Problem::error(value.place, format!("expected {wanted}, found {}", value.type_name())).help(
        match value.data {
            Data::Integer(_) | Data::Float(_) | Data::Bool(_) if wanted.starts_with("a string") => "put it in quotes",
            Data::String(_) if wanted.contains("integer") || wanted.contains("boolean") => "remove the quotes",
            _ => "change the value's type",
        },
    ));
}

impl SettingType for String {
    const KIND: Kind = Kind::String;
    fn from_value(value: &Value, problems: &mut Problems) -> Option<Self> {
        match &value.data {
            Data::String(text) => Some(text.clone()),
            _ => {
                mismatch(value, "a string", problems);
                None
            }
        }
    }
    fn to_data(&self) -> Option<Data> {
        Some(Data::String(self.clone()))
    }
}

impl SettingType for bool {
    const KIND: Kind = Kind::Bool;
    fn from_value(value: &Value, problems: &mut Problems) -> Option<Self> {
        match value.data {
            Data::Bool(b) => Some(b),
            _ => {
                mismatch(value, "a boolean", problems);
                None
            }
        }
    }
    fn to_data(&self) -> Option<Data> {
        Some(Data::Bool(*self))
    }
}

impl SettingType for f64 {
    const KIND: Kind = Kind::Float;
    fn from_value(value: &Value, problems: &mut Problems) -> Option<Self> {
        match value.data {
            Data::Float(f) => Some(f),
            Data::Integer(i) => Some(i as f64),
            _ => {
                mismatch(value, "a number", problems);
                None
            }
        }
    }
    fn to_data(&self) -> Option<Data> {
        Some(Data::Float(*self))
    }
}

macro_rules! integers {
    ($($t:ty),*) => {$(
        impl SettingType for $t {
            const KIND: Kind = Kind::Integer {
                min: if (<$t>::MIN as i128) < i64::MIN as i128 { i64::MIN } else { <$t>::MIN as i64 },
                max: if (<$t>::MAX as i128) > i64::MAX as i128 { i64::MAX } else { <$t>::MAX as i64 },
            };
            fn from_value(value: &Value, problems: &mut Problems) -> Option<Self> {
                let Data::Integer(i) = value.data else {
                    mismatch(value, "an integer", problems);
                    return None;
                };
                <$t>::try_from(i).map_err(|_| {
                    problems.push(Problem::error(value.place, format!("{i} is out of range"))
                        .help(format!("use a value from {} to {}", <$t>::MIN, <$t>::MAX)));
                }).ok()
            }
            fn to_data(&self) -> Option<Data> {
                // A default beyond 63 bits cannot be written in a configuration; the largest that can stands in.
                Some(Data::Integer(i64::try_from(*self).unwrap_or(i64::MAX)))
            }
        }
    )*};
}
integers!(u8, u16, u32, u64, usize, i32, i64);

impl SettingType for Duration {
    const KIND: Kind = Kind::Duration;
    fn from_value(value: &Value, problems: &mut Problems) -> Option<Self> {
        if let Data::Integer(number) = value.data {
            problems.push(
                Problem::error(value.place, "expected a duration, found integer")
                    .help(format!("put a unit behind it and both in quotes: \"{number}s\" for seconds")),
            );
            return None;
        }
        let text = String::from_value(value, problems)?;
        parse_duration(&text)
            .map_err(|why| {
                problems.push(Problem::error(value.place, why).help("write for example \"30s\" or \"2h45m\""))
            })
            .ok()
    }
    fn to_data(&self) -> Option<Data> {
        Some(Data::String(format_duration(*self)))
    }
}

impl<T: SettingType> SettingType for Option<T> {
    const KIND: Kind = T::KIND;
    fn from_value(value: &Value, problems: &mut Problems) -> Option<Self> {
        T::from_value(value, problems).map(Some)
    }
    fn to_data(&self) -> Option<Data> {
        self.as_ref().and_then(T::to_data)
    }
}

impl<T: SettingType> SettingType for Vec<T> {
    const KIND: Kind = Kind::List(&T::KIND);
    fn from_value(value: &Value, problems: &mut Problems) -> Option<Self> {
        let Data::Array(items) = &value.data else {
            mismatch(value, "an array", problems);
            return None;
        };
        let all: Vec<Option<T>> = items.iter().map(|item| T::from_value(item, problems)).collect();
        all.into_iter().collect()
    }
    fn to_data(&self) -> Option<Data> {
        Some(Data::Array(self.iter().filter_map(|item| item.to_data().map(Value::new)).collect()))
    }
}

/// A sub-section with free keys, in file order.
#[derive(Clone, Debug, PartialEq)]
pub struct Map<T>(pub Vec<(String, T)>);

impl<T> Default for Map<T> {
    fn default() -> Self {
        Map(Vec::new())
    }
}

impl<T: SettingType> SettingType for Map<T> {
    const KIND: Kind = Kind::Map(&T::KIND);
    fn from_value(value: &Value, problems: &mut Problems) -> Option<Self> {
        let Data::Table(table) = &value.data else {
            mismatch(value, "a section", problems);
            return None;
        };
        let all: Vec<Option<(String, T)>> =
            table.entries.iter().map(|e| T::from_value(&e.value, problems).map(|v| (e.key.clone(), v))).collect();
        all.into_iter().collect::<Option<Vec<_>>>().map(Map)
    }
    fn to_data(&self) -> Option<Data> {
        let items = self.0.iter().filter_map(|(key, value)| value.to_data().map(|data| (key.as_str(), data)));
        Some(Data::Table(items.fold(Table::default(), |table, (key, data)| table.with(key, data))))
    }
}

/// The untouched value, for options whose keys the user invents.
impl SettingType for Value {
    const KIND: Kind = Kind::Any;
    fn from_value(value: &Value, _: &mut Problems) -> Option<Self> {
        Some(value.clone())
    }
    fn to_data(&self) -> Option<Data> {
        Some(self.data.clone())
    }
}

/// The untouched sub-section.
impl SettingType for Table {
    const KIND: Kind = Kind::Map(&Kind::Any);
    fn from_value(value: &Value, problems: &mut Problems) -> Option<Self> {
        match &value.data {
            Data::Table(table) => Some(table.clone()),
            _ => {
                mismatch(value, "a section", problems);
                None
            }
        }
    }
    fn to_data(&self) -> Option<Data> {
        Some(Data::Table(self.clone()))
    }
}

/// A sub-section whose options are a [`Settings`] of their own.
#[derive(Clone, Debug, PartialEq)]
pub struct Nested<T>(pub T);

impl<T: Settings> SettingType for Nested<T> {
    const KIND: Kind = Kind::Section(T::table);
    fn from_value(value: &Value, problems: &mut Problems) -> Option<Self> {
        let Data::Table(table) = &value.data else {
            mismatch(value, "a section", problems);
            return None;
        };
        crate::refuse_unknown(table, &[T::table()], problems);
        Some(Nested(T::read(table, problems)))
    }
}

/// A value that remembers where it stands, for checks that come after reading.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed<T> {
    /// What was written.
    pub value: T,
    /// Where; [`Place::NOWHERE`] for a default.
    pub place: Place,
}

impl<T> Placed<T> {
    /// A default.
    pub fn nowhere(value: T) -> Self {
        Placed { value, place: Place::NOWHERE }
    }
}

impl<T: SettingType> SettingType for Placed<T> {
    const KIND: Kind = T::KIND;
    fn from_value(value: &Value, problems: &mut Problems) -> Option<Self> {
        T::from_value(value, problems).map(|inner| Placed { value: inner, place: value.place })
    }
    fn to_data(&self) -> Option<Data> {
        self.value.to_data()
    }
}

/// A regular expression, checked when read.
#[derive(Clone, Debug)]
pub struct Pattern(pub regex::bytes::Regex);

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl SettingType for Pattern {
    const KIND: Kind = Kind::Regex;
    fn from_value(value: &Value, problems: &mut Problems) -> Option<Self> {
        let text = String::from_value(value, problems)?;
        regex::bytes::Regex::new(&text)
            .map(Pattern)
            .map_err(|e| {
                problems.push(
                    Problem::error(value.place, format!("not a regular expression: {}", last_line(&e.to_string())))
                        .help("the syntax is RE2's; quote it with '…' so that backslashes stay"),
                );
            })
            .ok()
    }
    fn to_data(&self) -> Option<Data> {
        Some(Data::String(self.0.as_str().to_owned()))
    }
}

fn last_line(text: &str) -> String {
    text.lines().last().unwrap_or(text).trim_start_matches("error: ").to_owned()
}

/// File permissions written as octal text, for example `"644"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Octal(pub u32);

impl SettingType for Octal {
    const KIND: Kind = Kind::Octal;
    fn from_value(value: &Value, problems: &mut Problems) -> Option<Self> {
        let text = String::from_value(value, problems)?;
        u32::from_str_radix(&text, 8).ok().filter(|mode| *mode <= 0o7777).map(Octal).or_else(|| {
            problems.push(
                Problem::error(value.place, format!("`{text}` is no octal file mode"))
                    .help("write three or four digits from 0 to 7, for example \"644\""),
            );
            None
        })
    }
    fn to_data(&self) -> Option<Data> {
        Some(Data::String(format!("{:o}", self.0)))
    }
}

/// A list of words, for [`OneOf`].
pub trait Words {
    /// The words allowed.
    const WORDS: &'static [&'static str];
}

/// One word out of a list; compares and prints as the word.
#[derive(Debug)]
pub struct OneOf<W: Words> {
    word: &'static str,
    list: std::marker::PhantomData<W>,
}

impl<W: Words> Clone for OneOf<W> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<W: Words> Copy for OneOf<W> {}
impl<W: Words> PartialEq for OneOf<W> {
    fn eq(&self, other: &Self) -> bool {
        self.word == other.word
    }
}

impl<W: Words> OneOf<W> {
    /// The word chosen.
    pub fn word(self) -> &'static str {
        self.word
    }
}

/// For defaults in [`settings!`](crate::settings): a word that is not in the list falls back to the first.
impl<W: Words> From<&str> for OneOf<W> {
    fn from(text: &str) -> Self {
        let word = W::WORDS.iter().find(|w| **w == text).unwrap_or(&W::WORDS[0]);
        OneOf { word, list: std::marker::PhantomData }
    }
}

impl<W: Words> SettingType for OneOf<W> {
    const KIND: Kind = Kind::Choice(W::WORDS);
    fn from_value(value: &Value, problems: &mut Problems) -> Option<Self> {
        let text = String::from_value(value, problems)?;
        match W::WORDS.iter().find(|w| **w == text) {
            Some(word) => Some(OneOf { word, list: std::marker::PhantomData }),
            None => {
                problems.push(
                    Problem::error(value.place, format!("`{text}` is not one of the words allowed here"))
                        .help(format!("use one of {}", W::WORDS.join(", "))),
                );
                None
            }
        }
    }
    fn to_data(&self) -> Option<Data> {
        Some(Data::String(self.word.to_owned()))
    }
}
