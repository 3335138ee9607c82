//! Values as the user wrote them, each with its place.

use crate::Place;

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// Where it stands.
    pub place: Place,
    /// What it is.
    pub data: Data,
}

/// What a value can be.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// Text in quotes.
    String(String),
    /// A 64-bit integer.
    Integer(i64),
    /// A 64-bit float.
    Float(f64),
    /// `true` or `false`.
    Bool(bool),
    /// A date and time, as written.
    Datetime(String),
    /// A list.
    Array(Vec<Value>),
    /// A sub-section or an inline table.
    Table(Table),
}

impl Value {
    /// A value that stands in no file; for defaults and tests.
    pub fn new(data: Data) -> Self {
        Value { place: Place::NOWHERE, data }
    }

    /// The name of the value's type, for messages.
    pub fn type_name(&self) -> &'static str {
        match self.data {
            Data::String(_) => "string",
            Data::Integer(_) => "integer",
            Data::Float(_) => "float",
            Data::Bool(_) => "boolean",
            Data::Datetime(_) => "datetime",
            Data::Array(_) => "array",
            Data::Table(_) => "section",
        }
    }
}

/// One `key = value`.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key as written.
    pub key: String,
    /// Where the key stands.
    pub place: Place,
    /// The value.
    pub value: Value,
}

/// A section: entries in the order of the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// The entries in file order.
    pub entries: Vec<Entry>,
    /// Where the header stands.
    pub place: Place,
}

impl Table {
    /// The entry for an option: by exact key, else without regard to ASCII case, as the original looked up.
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.entries
            .iter()
            .find(|e| e.key == key)
            .or_else(|| self.entries.iter().find(|e| e.key.eq_ignore_ascii_case(key)))
    }

    /// Adds an entry that stands in no file; for defaults and tests.
    pub fn with(mut self, key: &str, data: Data) -> Self {
        self.entries.push(Entry { key: key.to_owned(), place: Place::NOWHERE, value: Value::new(data) });
        self
    }
}
