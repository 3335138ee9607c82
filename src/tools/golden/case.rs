//! A case: a script's configuration and the calls to make, read from its file.

use super::message::{Event, Message};
use heka_sandbox::ConfigValue;
use std::path::Path;
use toml_edit::{DocumentMut, Item, Value};

/// One file.
pub struct Case {
    /// What `read_config` finds.
    pub config: Vec<(String, ConfigValue)>,
    /// The text with which loading must fail.
    pub load_error: Option<String>,
    /// Whether the order of fields counts.
    pub exact_order: bool,
    /// The calls, in order.
    pub steps: Vec<Step>,
}

/// One call, and what is expected of it.
pub struct Step {
    /// What is called.
    pub(super) call: Call,
    /// What it returns.
    pub(super) status: i64,
    /// The text it returns; any when there is none.
    pub(super) error: Option<String>,
    /// The error it raises.
    pub(super) fatal: Option<String>,
    /// What it sends out.
    pub(super) emits: Vec<Event>,
    /// What an encoder makes of it.
    pub(super) output: Option<String>,
}

pub(super) enum Call {
    Message(Message),
    Tick(i64),
}

impl Case {
    /// Reads a file.
    ///
    /// # Errors
    /// One line: it cannot be read, or says something that means nothing.
    pub fn read(path: &Path) -> Result<Case, String> {
        let text = std::fs::read_to_string(path).map_err(|why| why.to_string())?;
        let document: DocumentMut = text.parse().map_err(|why| format!("{why}"))?;
        let mut case = Case { config: Vec::new(), load_error: None, exact_order: false, steps: Vec::new() };
        for (key, item) in document.iter() {
            match key {
                "about" => {}
                "config" => case.config = config(item)?,
                "load_error" => case.load_error = Some(text_of(item, key)?),
                "exact_order" => case.exact_order = item.as_bool().ok_or("exact_order must be true or false")?,
                "step" => case.steps = items(item, key)?.iter().map(Step::read).collect::<Result<_, _>>()?,
                _ => return Err(format!("unknown key {key}")),
            }
        }
        Ok(case)
    }
}

impl Step {
    fn read(item: &Item) -> Result<Step, String> {
        let call = Call::Message(Message::default());
        let mut step = Step { call, status: 0, error: None, fatal: None, emits: Vec::new(), output: None };
        for (key, item) in pairs(item, "step")? {
            match key {
                "about" => {}
                "message" => step.call = Call::Message(Message::read(&item)?),
                "tick" => step.call = Call::Tick(item.as_integer().ok_or("tick must be an integer")?),
                "status" => step.status = item.as_integer().ok_or("status must be an integer")?,
                "error" => step.error = Some(text_of(&item, key)?),
                "fatal" => step.fatal = Some(text_of(&item, key)?),
                "output" => step.output = Some(text_of(&item, key)?),
                "emits" => step.emits = items(&item, key)?.iter().map(Event::read).collect::<Result<_, _>>()?,
                _ => return Err(format!("unknown key {key} in a step")),
            }
        }
        Ok(step)
    }
}

fn config(item: &Item) -> Result<Vec<(String, ConfigValue)>, String> {
    let value = |item: &Item| {
        Some(match item.as_value()? {
            Value::String(text) => ConfigValue::String(text.value().clone().into_bytes()),
            Value::Integer(number) => ConfigValue::Number(*number.value() as f64),
            Value::Float(number) => ConfigValue::Number(*number.value()),
            Value::Boolean(switch) => ConfigValue::Bool(*switch.value()),
            _ => return None,
        })
    };
    let named = |(key, item): (&str, Item)| match value(&item) {
        Some(value) => Ok((key.to_owned(), value)),
        None => Err(format!("{key} is nothing that a script can read")),
    };
    pairs(item, "config")?.into_iter().map(named).collect()
}

/// The text of an item.
pub(super) fn text_of(item: &Item, key: &str) -> Result<String, String> {
    item.as_str().map(str::to_owned).ok_or_else(|| format!("{key} must be a string"))
}

/// Keys and values of a table, inline or not.
pub(super) fn pairs<'a>(item: &'a Item, key: &str) -> Result<Vec<(&'a str, Item)>, String> {
    let table = item.as_table_like().ok_or_else(|| format!("{key} must be a table"))?;
    Ok(table.iter().map(|(key, item)| (key, item.clone())).collect())
}

/// The elements of an array, of tables or of values.
pub(super) fn items(item: &Item, key: &str) -> Result<Vec<Item>, String> {
    if let Some(tables) = item.as_array_of_tables() {
        return Ok(tables.iter().map(|table| Item::Table(table.clone())).collect());
    }
    let array = item.as_array().ok_or_else(|| format!("{key} must be an array"))?;
    Ok(array.iter().map(|value| Item::Value(value.clone())).collect())
}
