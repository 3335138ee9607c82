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

/// Writes the value in TOML, sub-sections as inline tables.
impl std::fmt::Display for Data {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Data::String(text) => quote(text, f),
            Data::Integer(i) => write!(f, "{i}"),
            Data::Float(x) => write!(f, "{x:?}"),
            Data::Bool(b) => write!(f, "{b}"),
            Data::Datetime(text) => f.write_str(text),
            Data::Array(items) => {
                f.write_str("[")?;
                for (i, item) in items.iter().enumerate() {
                    write!(f, "{}{}", if i > 0 { ", " } else { "" }, item.data)?;
                }
                f.write_str("]")
            }
            Data::Table(table) => {
                f.write_str("{")?;
                for (i, entry) in table.entries.iter().enumerate() {
                    f.write_str(if i > 0 { ", " } else { " " })?;
                    quote(&entry.key, f)?;
                    write!(f, " = {}", entry.value.data)?;
                }
                f.write_str(if table.entries.is_empty() { "}" } else { " }" })
            }
        }
    }
}

fn quote(text: &str, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
    f.write_str("\"")?;
    for c in text.chars() {
        match c {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            c if c.is_control() => write!(f, "\\u{:04X}", u32::from(c))?,
            c => write!(f, "{c}")?,
        }
    }
    f.write_str("\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_in_toml() {
        let table = Table::default().with("a b", Data::Float(1.0)).with("c", Data::String("\"\\\u{1}\n".into()));
        let list = Data::Array(vec![Value::new(Data::Integer(-1)), Value::new(Data::Table(table))]);
        assert_eq!(list.to_string(), r#"[-1, { "a b" = 1.0, "c" = "\"\\\u0001\n" }]"#);
        assert_eq!(Data::Table(Table::default()).to_string(), "{}");
    }
}
