//! The reference and the schema say what the tables say.

use super::{golden, types};
use heka_operators::registry::{PluginType, TYPES};
use heka_settings::{Data, Setting};
use hekad::config::schema::{schema, to_json};
use hekad::config::{common, reference};

/// The lines of a reference page between a type's heading and the next.
fn part<'a>(pages: &'a [(String, String)], plugin: &PluginType) -> Vec<&'a str> {
    let file = format!("{}s.md", plugin.category().name().to_lowercase());
    let page = &pages.iter().find(|(name, _)| *name == file).unwrap().1;
    let heading = format!("## {}", plugin.name);
    let lines = page.lines().skip_while(|line| *line != heading).skip(1);
    lines.take_while(|line| !line.starts_with("## ")).collect()
}

fn row<'a>(lines: &[&'a str], setting: &Setting) -> &'a str {
    let start = format!("| `{}` | ", setting.name);
    lines.iter().find(|line| line.starts_with(&start)).unwrap_or_else(|| panic!("no row {start}"))
}

fn check(types: &[&'static PluginType]) {
    let pages = reference::pages(types);
    let schema = schema(types);
    for plugin in types {
        let lines = part(&pages, plugin);
        let properties = &schema["$defs"][plugin.name]["properties"];
        assert_eq!(schema["properties"][plugin.name]["else"]["$ref"], format!("#/$defs/{}", plugin.name));
        for setting in (plugin.settings)() {
            let default = (setting.default_data)();
            let row = row(&lines, setting);
            if let Some(data) = &default {
                assert!(row.contains(&format!("| `{}` |", data.to_string().replace('|', "\\|"))), "{row}");
            }
            assert_eq!(properties[setting.name].get("default"), default.as_ref().map(to_json).as_ref(), "{row}");
        }
        for setting in common::table(plugin.category()) {
            if (plugin.settings)().iter().any(|own| own.name == setting.name) {
                continue;
            }
            let default = common::default_of(setting, plugin.category(), &plugin.defaults);
            let property = &properties[setting.name];
            assert!(property.is_object(), "{} {}", plugin.name, setting.name);
            assert_eq!(property.get("default"), default.as_ref().map(to_json).as_ref(), "{}", setting.name);
            let usual = common::default_of(setting, plugin.category(), &Default::default());
            if let Some(data) = default.filter(|data| Some(data) != usual.as_ref()) {
                let shown = format!("`{} = {data}`", setting.name);
                assert!(lines.iter().any(|line| line.contains(&shown)), "{} {shown}", plugin.name);
            }
        }
    }
}

#[test]
fn every_setting_of_every_type_is_in_both_with_its_default() {
    check(types::TYPES);
    check(TYPES);
}

#[test]
fn a_page_reads_well() {
    let pages = reference::pages(types::TYPES);
    let page = &pages.iter().find(|(name, _)| name == "outputs.md").unwrap().1;
    golden("tests/config/outputs.md", page, "UPDATE_GOLDEN=1 cargo test --test config");
}

#[test]
fn the_schema_describes_sub_sections_and_bounds() {
    let schema = schema(types::TYPES);
    let tcp = &schema["$defs"]["TcpInput"]["properties"];
    assert_eq!(tcp["tls"]["properties"]["min_version"]["enum"], serde_json::json!(["TLS12", "TLS13"]));
    assert_eq!(tcp["keep_alive_period"]["default"], "2h");
    assert_eq!(tcp["address"]["description"], "Where to listen or to connect.");
    assert_eq!(tcp["decoder"]["default"], "ProtobufDecoder");
    assert_eq!(schema["$defs"]["TokenSplitter"]["properties"]["count"]["minimum"], 0);
    assert_eq!(schema["$defs"]["TcpInput"]["additionalProperties"], false);
    assert_eq!(schema["$defs"]["ProtobufDecoder"]["additionalProperties"], true);
    assert_eq!(schema["$defs"]["hekad"]["properties"]["max_message_loops"]["default"], 4);
}

#[test]
fn the_reference_in_the_repository_is_what_the_tables_say() {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference");
        reference::write(&dir, TYPES).unwrap();
    }
    for (name, text) in reference::pages(TYPES) {
        golden(
            &format!("docs/reference/{name}"),
            &text,
            "cargo run -- -reference docs/reference (or UPDATE_GOLDEN=1 cargo test --test config)",
        );
    }
}

#[test]
fn defaults_that_cannot_be_written_do_not_stop_the_schema() {
    assert_eq!(to_json(&Data::Float(f64::NAN)), serde_json::Value::Null);
}
