//! The options of a script's section.

use crate::plugin::Site;
use heka_sandbox::{Config, ConfigValue, Kind};
use heka_settings::{Data, Placed, Problem, Problems, Setting, Settings, Table, settings};
use std::path::PathBuf;

settings! {
    /// Options that every plugin with a script has.
    pub struct ScriptSettings {
        /// The script's language; there is only `lua`.
        script_type: Placed<String> = Placed::nowhere("lua".to_owned()),
        /// The script's file; a relative path is below `share_dir`. Required.
        filename: String = "",
        /// Directories with modules for `require`, separated by `;`. Default: `lua_modules` below `share_dir`.
        module_directory: Option<String>,
        /// Keep the script's global variables in a file when the plugin ends, and read them when it starts.
        preserve_data: bool = false,
        /// Bytes that the script's values may take; 0: any number.
        memory_limit: usize = 8_388_608usize,
        /// Instructions that one call may take; 0: any number. Inputs and outputs have no limit.
        instruction_limit: u64 = 1_000_000u64,
        /// Bytes of one message or payload; 0: any number.
        output_limit: usize = 64_512usize,
        /// Filters: measure every call until there are enough samples.
        profile: bool = false,
        /// What the script reads with `read_config`.
        config: Table,
    }
}

/// A table of settings made of two.
pub fn table_with(own: &[Setting]) -> Vec<Setting> {
    ScriptSettings::table().iter().chain(own).copied().collect()
}

/// Reads a section and checks what can be checked without the daemon's settings.
pub fn read(table: &Table, problems: &mut Problems) -> ScriptSettings {
    let settings = ScriptSettings::read(table, problems);
    let language = &settings.script_type;
    if language.value != "lua" {
        problems.push(
            Problem::error(language.place, format!("unsupported script type: {}", language.value))
                .help("write script_type = \"lua\", or leave it out"),
        );
    }
    if settings.filename.is_empty() {
        problems.push(
            Problem::error(table.place, "`filename` is missing")
                .help("name the script, for example filename = \"lua_filters/http_status.lua\""),
        );
    }
    if let Some(tz) = settings.config.get("tz").filter(|entry| entry.key == "tz") {
        match &tz.value.data {
            Data::String(name) => {
                if let Err(why) = heka_message::zone_named(name) {
                    problems.push(
                        Problem::error(tz.value.place, format!("unknown time zone {name}: {why}"))
                            .help("write an IANA name such as \"Europe/Berlin\", or UTC, or Local"),
                    );
                }
            }
            _ => problems.push(
                Problem::error(tz.value.place, format!("expected a string, found {}", tz.value.type_name()))
                    .help("write an IANA name such as \"Europe/Berlin\", or UTC, or Local"),
            ),
        }
    }
    settings
}

impl ScriptSettings {
    /// How the sandbox is made.
    pub fn config(&self, kind: Kind, site: &Site) -> Config {
        let globals = &site.globals;
        let modules = match &self.module_directory {
            Some(list) => list.split(';').filter(|entry| !entry.is_empty()).map(PathBuf::from).collect(),
            None => vec![globals.share_path("lua_modules")],
        };
        let value = |data: &Data| match data {
            Data::String(text) => Some(ConfigValue::String(text.clone().into_bytes())),
            Data::Integer(integer) => Some(ConfigValue::Number(*integer as f64)),
            Data::Float(float) => Some(ConfigValue::Number(*float)),
            Data::Bool(truth) => Some(ConfigValue::Bool(*truth)),
            Data::Datetime(_) | Data::Array(_) | Data::Table(_) => None,
        };
        let entries = self.config.entries.iter();
        Config {
            kind,
            script: globals.share_path(&self.filename),
            source: None,
            modules,
            memory_limit: self.memory_limit,
            instruction_limit: self.instruction_limit,
            output_limit: self.output_limit,
            values: entries.filter_map(|entry| Some((entry.key.clone(), value(&entry.value.data)?))).collect(),
            stop: None,
        }
    }

    /// The name of the zone that time stamps without one come from; empty: UTC.
    pub fn zone_name(&self) -> &str {
        match self.config.entries.iter().find(|entry| entry.key == "tz").map(|entry| &entry.value.data) {
            Some(Data::String(name)) => name,
            _ => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use heka_settings::Value;

    fn problems(table: &Table) -> Vec<String> {
        let mut problems = Problems::default();
        read(table, &mut problems);
        problems.iter().map(|problem| problem.message.clone()).collect()
    }

    #[test]
    fn what_cannot_work_is_refused() {
        let file = || Table::default().with("filename", Data::String("x.lua".into()));
        let tz = |data| Data::Table(Table::default().with("tz", data));
        assert!(problems(&file()).is_empty());
        assert!(problems(&file().with("config", tz(Data::String("Europe/Berlin".into())))).is_empty());
        assert_eq!(problems(&Table::default()), ["`filename` is missing"]);
        assert_eq!(problems(&file().with("script_type", Data::String("js".into()))), ["unsupported script type: js"]);
        assert_eq!(problems(&file().with("config", tz(Data::Integer(1)))), ["expected a string, found integer"]);
        let unknown = problems(&file().with("config", tz(Data::String("Nowhere".into()))));
        assert!(unknown[0].starts_with("unknown time zone Nowhere: "), "{unknown:?}");
    }

    #[test]
    fn scalars_reach_the_script_and_the_rest_does_not() {
        let config = Table::default()
            .with("s", Data::String("x".into()))
            .with("i", Data::Integer(2))
            .with("f", Data::Float(0.5))
            .with("b", Data::Bool(true))
            .with("list", Data::Array(vec![Value::new(Data::Integer(1))]))
            .with("date", Data::Datetime("2015-03-09".into()));
        let settings = ScriptSettings { filename: "a/b.lua".into(), config, ..ScriptSettings::default() };
        let log = crate::log::Log::new("Plugin", "x");
        let site = Site { name: "x".into(), globals: Default::default(), stats: Default::default(), log };
        let config = settings.config(Kind::Filter, &site);
        let names: Vec<&str> = config.values.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["s", "i", "f", "b"]);
        assert_eq!(config.script, PathBuf::from("/usr/share/heka/a/b.lua"));
        assert_eq!(config.modules, [PathBuf::from("/usr/share/heka/lua_modules")]);
        let settings = ScriptSettings { module_directory: Some("/a;b".into()), ..settings };
        assert_eq!(settings.config(Kind::Filter, &site).modules, [PathBuf::from("/a"), "b".into()]);
    }
}
