//! TOML text to a table of values with places.

use super::offsets::Text;
use heka_settings::{Data, Entry, Problem, Table, Value};
use std::ops::Range;
use toml_edit::{ArrayOfTables, Document, Item, TableLike};

/// Parses strict TOML. Sections come in the order of the file.
///
/// # Errors
/// The first thing that is no TOML.
pub fn parse(text: &Text) -> Result<Table, Problem> {
    let document = Document::parse(text.text.as_str()).map_err(|error| refuse(text, &error))?;
    Ok(Reader { text }.table(document.as_table(), 0..0))
}

/// What the parser says, what we say, and the remedy.
const SAID: &[(&str, &str, &str)] = &[
    ("string values must be quoted", "this is no value", "text goes in quotes; numbers, true and false do not"),
    ("invalid basic string", "this text does not end", "close it with `\"` on the same line"),
    ("invalid literal string", "this text does not end", "close it with `'` on the same line"),
    (
        "missing escaped value",
        "no such escape",
        "there are \\b \\t \\n \\f \\r \\\" \\\\ \\/ \\uXXXX; text in '…' takes backslashes as they are",
    ),
    ("unclosed array", "this array does not end", "close it with `]`"),
    ("unclosed table", "this header does not end", "close it with `]`"),
    ("unclosed inline table", "this table does not end", "close it with `}` on the same line"),
    ("key with no value", "this key has no value", "write `key = value`"),
    ("unquoted keys cannot be empty", "a key is missing here", "write `key = value`"),
    (
        "invalid unquoted key",
        "this is no key",
        "write `key = value`, with the key in quotes if it holds other than letters and digits",
    ),
    ("cannot recurse further", "nested too deeply", "use fewer levels"),
    ("recursion limit", "nested too deeply", "use fewer levels"),
];

fn refuse(text: &Text, error: &toml_edit::TomlError) -> Problem {
    let end = text.text.len();
    let span = error.span().unwrap_or(end..end);
    let place = text.place(span.clone());
    let problem = |message: &str| Problem::error(place, format!("Error decoding config file: {message}"));
    let said = error.message();
    if said == "duplicate key" {
        let key = text.text.get(span).unwrap_or_default();
        return problem(&format!("Key '{key}' has already been defined."))
            .help("a section, and a key of a section, appears once in a file");
    }
    match SAID.iter().find(|(prefix, ..)| said.starts_with(prefix)) {
        Some((_, message, help)) => problem(message).help(*help),
        None => problem(said),
    }
}

/// Converts the parser's tree. The parser bounds its depth, and so the recursion here.
struct Reader<'a> {
    text: &'a Text,
}

impl Reader<'_> {
    /// `fallback` is where a table stands whose own header does not exist: tables that dots imply.
    fn table(&self, table: &dyn TableLike, fallback: Range<usize>) -> Table {
        let mut entries: Vec<Entry> = table
            .iter()
            .filter_map(|(key, item)| {
                let span = table.key(key).and_then(|k| k.span()).unwrap_or(fallback.clone());
                let value = self.item(item, span.clone())?;
                Some(Entry { key: key.to_owned(), place: self.text.place(span), value })
            })
            .collect();
        // A child's header may come before its parent's, and both before what the parent's place is.
        entries.sort_by_key(|entry| entry.place);
        Table { entries, place: self.text.place(fallback) }
    }

    fn item(&self, item: &Item, key: Range<usize>) -> Option<Value> {
        let span = item.span().unwrap_or(key.clone());
        match item {
            Item::None => None,
            Item::Value(value) => Some(self.value(value, key)),
            Item::Table(table) => Some(self.place(span, Data::Table(self.table(table, key)))),
            Item::ArrayOfTables(tables) => Some(self.place(span, self.tables(tables, &key))),
        }
    }

    fn tables(&self, tables: &ArrayOfTables, key: &Range<usize>) -> Data {
        let item = |table: &toml_edit::Table| {
            let span = table.span().unwrap_or(key.clone());
            self.place(span.clone(), Data::Table(self.table(table, span)))
        };
        Data::Array(tables.iter().map(item).collect())
    }

    fn value(&self, value: &toml_edit::Value, key: Range<usize>) -> Value {
        use toml_edit::Value as Toml;
        let span = value.span().unwrap_or(key);
        let data = match value {
            Toml::String(text) => Data::String(text.value().clone()),
            Toml::Integer(number) => Data::Integer(*number.value()),
            Toml::Float(number) => Data::Float(*number.value()),
            Toml::Boolean(flag) => Data::Bool(*flag.value()),
            Toml::Datetime(time) => Data::Datetime(time.value().to_string()),
            Toml::Array(items) => Data::Array(items.iter().map(|item| self.value(item, span.clone())).collect()),
            Toml::InlineTable(table) => Data::Table(self.table(table, span.clone())),
        };
        self.place(span, data)
    }

    fn place(&self, span: Range<usize>, data: Data) -> Value {
        Value { place: self.text.place(span), data }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Table, Problem> {
        parse(&Text::new(0, text.to_owned()))
    }

    #[test]
    fn values_keep_their_places_and_sections_their_order() {
        let text = "[z.config]\na = 1\n[b]\nx = [1, \"y\"]\n[z]\nt = {u = 2.5}\nw.v = true\n";
        let table = read(text).unwrap();
        let shown = |place: heka_settings::Place| &text[place.start as usize..place.end as usize];
        let keys: Vec<_> = table.entries.iter().map(|e| (e.key.as_str(), shown(e.place))).collect();
        assert_eq!(keys, [("b", "b"), ("z", "z")]);
        assert_eq!(
            Data::Table(table.clone()).to_string(),
            r#"{ "b" = { "x" = [1, "y"] }, "z" = { "config" = { "a" = 1 }, "t" = { "u" = 2.5 }, "w" = { "v" = true } } }"#
        );
        let Data::Table(b) = &table.entries[0].value.data else { panic!("a section") };
        assert_eq!(shown(b.entries[0].value.place), "[1, \"y\"]");
        assert_eq!(shown(table.entries[0].value.place), "[b]");
    }

    #[test]
    fn what_is_no_toml_is_refused_where_it_stands() {
        let cases = [
            ("[a]\nb = 1\nb = 2\n", "Error decoding config file: Key 'b' has already been defined.", 10..11),
            ("[a]\n[a]\n", "Error decoding config file: Key 'a' has already been defined.", 5..6),
        ];
        for (text, message, place) in cases {
            let problem = read(text).unwrap_err();
            assert_eq!(problem.message, message);
            assert_eq!(problem.place.start as usize..problem.place.end as usize, place);
        }
        for text in ["a = [1", "a = ", "a = x", "a = \"x", "a = \"\\q\"", "[a", "a", "= 1", "a = 1 2"] {
            let problem = read(text).unwrap_err();
            assert!(problem.place.file == 0 && problem.place.end as usize <= text.len(), "{text}");
        }
    }
}
