//! A JSON schema of configurations, written from the same tables that read them; editors that know TOML complete
//! and check with it.

use super::common::{self, SectionKeys};
use super::hekad::HekadSettings;
use heka_operators::registry::PluginType;
use heka_settings::{Data, Kind, Setting, Settings};
use serde_json::{Map, Value, json};

/// Levels of sub-sections described; below them anything goes. A guard, no plugin nests as deeply.
const MAX_DEPTH: usize = 6;

/// The schema of a whole configuration.
pub fn schema(types: &[&'static PluginType]) -> Value {
    let mut definitions = Map::new();
    definitions.insert("hekad".to_owned(), object(HekadSettings::table(), &|s| (s.default_data)(), false, 0));
    definitions.insert("section".to_owned(), section(types));
    let mut properties = Map::new();
    properties.insert("hekad".to_owned(), reference("hekad"));
    for plugin in types {
        definitions.insert(plugin.name.to_owned(), plugin_schema(plugin));
        let by_name = json!({
            "if": { "required": ["type"] },
            "then": reference("section"),
            "else": reference(plugin.name),
        });
        properties.insert(plugin.name.to_owned(), by_name);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "hekad",
        "description": "A configuration of hekad: one section a plugin, and one for the daemon.",
        "type": "object",
        "properties": properties,
        "additionalProperties": reference("section"),
        "$defs": definitions,
    })
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

/// A section that names its type.
fn section(types: &[&'static PluginType]) -> Value {
    let names: Vec<&str> = types.iter().map(|t| t.name).collect();
    let cases: Vec<Value> = types
        .iter()
        .map(|plugin| {
            json!({
                "if": { "properties": { "type": { "const": plugin.name } } },
                "then": reference(plugin.name),
            })
        })
        .collect();
    let mut section = json!({
        "type": "object",
        "required": ["type"],
        "properties": { "type": { "enum": names } },
    });
    if !cases.is_empty() {
        section["allOf"] = Value::Array(cases);
    }
    section
}

fn plugin_schema(plugin: &PluginType) -> Value {
    let category = plugin.category();
    let own = (plugin.settings)();
    let is_own = |setting: &&Setting| own.iter().any(|s| s.name == setting.name);
    let shared: Vec<Setting> =
        SectionKeys::table().iter().chain(common::table(category)).filter(|s| !is_own(s)).copied().collect();
    let open = plugin.defaults.accepts_any;
    let default = |setting: &Setting| common::default_of(setting, category, &plugin.defaults);
    let mut schema = object(&shared, &default, open, 0);
    let own = object(own, &|setting| (setting.default_data)(), open, 0);
    if let (Some(all), Some(own)) = (schema["properties"].as_object_mut(), own["properties"].as_object()) {
        all.extend(own.clone());
    }
    schema["description"] = Value::String(text(plugin.summary));
    schema
}

fn object(table: &[Setting], default: &dyn Fn(&Setting) -> Option<Data>, open: bool, depth: usize) -> Value {
    let mut properties = Map::new();
    for setting in table {
        let mut property = kind_schema(&setting.kind, depth);
        property["description"] = Value::String(text(setting.help));
        if let Some(data) = default(setting) {
            property["default"] = to_json(&data);
        }
        properties.insert(setting.name.to_owned(), property);
    }
    json!({ "type": "object", "properties": properties, "additionalProperties": open })
}

fn kind_schema(kind: &Kind, depth: usize) -> Value {
    match kind {
        Kind::String => json!({ "type": "string" }),
        Kind::Integer { min, max } => {
            let mut schema = json!({ "type": "integer" });
            if *min > i64::MIN {
                schema["minimum"] = json!(min);
            }
            if *max < i64::MAX {
                schema["maximum"] = json!(max);
            }
            schema
        }
        Kind::Float => json!({ "type": "number" }),
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::Duration => {
            json!({ "type": "string", "pattern": "^(|[+]?(0|([0-9]*[.]?[0-9]*(ns|us|µs|ms|s|m|h))+))$" })
        }
        Kind::Regex => json!({ "type": "string" }),
        Kind::Octal => json!({ "type": "string", "pattern": "^[0-7]{1,5}$" }),
        Kind::Choice(words) => json!({ "enum": words }),
        Kind::List(kind) => json!({ "type": "array", "items": kind_schema(kind, depth) }),
        Kind::Map(kind) => json!({ "type": "object", "additionalProperties": kind_schema(kind, depth) }),
        Kind::Section(inner) if depth < MAX_DEPTH => object(inner(), &|s| (s.default_data)(), false, depth + 1),
        Kind::Section(_) => json!({ "type": "object" }),
        Kind::Any => json!({}),
    }
}

fn text(docs: &str) -> String {
    docs.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A default as JSON; numbers that JSON does not have become `null`.
pub fn to_json(data: &Data) -> Value {
    match data {
        Data::String(text) | Data::Datetime(text) => json!(text),
        Data::Integer(number) => json!(number),
        Data::Float(number) => json!(number),
        Data::Bool(flag) => json!(flag),
        Data::Array(items) => items.iter().map(|item| to_json(&item.data)).collect(),
        Data::Table(table) => {
            Value::Object(table.entries.iter().map(|e| (e.key.clone(), to_json(&e.value.data))).collect())
        }
    }
}
