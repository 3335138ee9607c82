//! The section of one filter that arrives while the daemon runs, from whoever may send such: read by the same rules as a
//! file's, but for `%ENV[…]`, which would show strangers the daemon's environment.

use super::aliases;
use super::common::Common;
use super::document;
use super::legacy;
use super::offsets::Text;
use super::section::Section;
use heka_operators::filters::{FilterSection, Forced, sandbox};
use heka_settings::{Data, Entry, Level, Place, Problem, Problems, Table, Value};

/// Reads the text of one section, of a SandboxFilter. What is in `forced` holds, whatever the section says.
///
/// # Errors
/// One line: everything that is wrong, each with its line of the text and its remedy.
pub fn read_filter(text: &str, forced: &[Forced]) -> Result<FilterSection, String> {
    let text = Text::new(0, text.to_owned());
    let root = document::parse(&text).or_else(|modern| {
        let legacy = text.then(legacy::rewrite(&text.text));
        // The reading that got further knows better what is wrong.
        document::parse(&legacy).map_err(|legacy| if legacy.place > modern.place { legacy } else { modern })
    });
    let root = root.map_err(|problem| told(&text.text, [problem]))?;
    let (name, mut table) = only_section(root)?;
    let type_name = match table.get("type").map(|entry| &entry.value.data) {
        Some(Data::String(type_name)) if !type_name.is_empty() => type_name.as_str(),
        _ => name.as_str(),
    };
    if type_name != sandbox::TYPE.name {
        return Err(format!("Plugin must be a SandboxFilter, received {type_name}"));
    }
    let mut problems = Problems::default();
    for (key, data) in forced {
        table.entries.retain(|entry| !entry.key.eq_ignore_ascii_case(key));
        if let Some(data) = data {
            let value = Value { place: Place::NOWHERE, data: data.clone() };
            table.entries.push(Entry { key: (*key).to_owned(), place: Place::NOWHERE, value });
        }
    }
    aliases::apply(&name, &sandbox::TYPE, &mut table, &mut problems);
    let section = Section::make(name.clone(), table.place, &sandbox::TYPE, table, &mut problems);
    let (errors, warnings): (Vec<_>, Vec<_>) =
        problems.into_sorted().into_iter().partition(|problem| problem.level == Level::Error);
    if !errors.is_empty() {
        return Err(told(&text.text, errors));
    }
    let Common::Filter(common) = section.common else { return Err("this is no filter".to_owned()) };
    let mut notes: Vec<String> = warnings.into_iter().map(|problem| told(&text.text, [problem])).collect();
    if common.use_buffering {
        notes.push("`use_buffering` has no effect on filters that are loaded at run time".to_owned());
    }
    Ok(FilterSection {
        name,
        message_matcher: common.message_matcher.map(|matcher| matcher.value).unwrap_or_default(),
        message_signer: common.message_signer,
        ticker_interval: common.ticker_interval,
        settings: section.table,
        notes,
    })
}

fn only_section(root: Table) -> Result<(String, Table), String> {
    let [entry]: [Entry; 1] = root.entries.try_into().map_err(|entries: Vec<Entry>| {
        format!("expected the section of one filter, found {} sections and options", entries.len())
    })?;
    match entry.value.data {
        Data::Table(table) => Ok((entry.key, Table { place: entry.place, ..table })),
        _ => Err(format!("expected the section of one filter, found the option `{}`", entry.key)),
    }
}

/// Problems in one line.
fn told(text: &str, problems: impl IntoIterator<Item = Problem>) -> String {
    let one = |problem: Problem| {
        let help = problem.help.map(|help| format!(" ({help})")).unwrap_or_default();
        let line = match text.get(..problem.place.start as usize) {
            Some(before) if problem.place != Place::NOWHERE => {
                format!("line {}: ", before.bytes().filter(|byte| *byte == b'\n').count() + 1)
            }
            _ => String::new(),
        };
        format!("{line}{}{help}", problem.message)
    };
    problems.into_iter().map(one).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<FilterSection, String> {
        let script = Some(Data::String("script.lua".into()));
        let forced = [("filename", script), ("memory_limit", Some(Data::Integer(9))), ("module_directory", None)];
        read_filter(text, &forced)
    }

    #[test]
    fn a_section_is_read_and_what_is_forced_holds() {
        let section = read(
            "[alerts]\ntype = \"SandboxFilter\"\nFilename = \"/etc/passwd\"\nmodule_directory = \"/tmp\"\n\
             memory_limit = 0\nmessage_matcher = \"Type == 'x'\"\nmessage_signer = \"ops\"\noutput_timer = 5\n\
             preserve_data = true\nuse_buffering = true\n[alerts.config]\nlimit = \"%ENV[HOME]\"\n",
        )
        .unwrap();
        assert_eq!((section.name.as_str(), section.ticker_interval), ("alerts", 5));
        assert_eq!((section.message_matcher.as_str(), section.message_signer.as_deref()), ("Type == 'x'", Some("ops")));
        let data = |key: &str| section.settings.get(key).map(|entry| entry.value.data.to_string());
        assert_eq!(data("memory_limit").as_deref(), Some("9"));
        assert_eq!((data("filename").as_deref(), data("module_directory")), (Some("\"script.lua\""), None));
        assert_eq!(data("config").as_deref(), Some("{ \"limit\" = \"%ENV[HOME]\" }"));
        assert_eq!(section.notes.len(), 2, "{:?}", section.notes);
    }

    #[test]
    fn everything_that_is_wrong_is_told_in_one_line() {
        let one = "[a]\ntype = \"SandboxFilter\"\nmessage_matcher = \"TRUE\"\n";
        for (text, why) in [
            ("", "expected the section of one filter, found 0 sections and options"),
            ("[a]\n[b]\n", "expected the section of one filter, found 2 sections and options"),
            ("a = 1\n", "expected the section of one filter, found the option `a`"),
            ("[alerts]\n", "Plugin must be a SandboxFilter, received alerts"),
            ("[a]\ntype = \"LogOutput\"\n", "Plugin must be a SandboxFilter, received LogOutput"),
            ("[a]\ntype = \"SandboxFilter\"\n", "line 1: Error making runner for a: 'a' missing message matcher"),
            (&format!("{one}bogus = 1\nticker_interval = \"x\"\n"), "line 4: unknown config setting for 'a': bogus"),
            (&format!("{one}script_type = \"../x\"\n"), "line 4: unsupported script type: ../x"),
            ("[a\n", "line 1: Error decoding config file: this header does not end"),
        ] {
            let told = read(text).unwrap_err();
            assert!(told.starts_with(why) && !told.contains('\n'), "{text}: {told}");
        }
        assert!(read(&format!("{one}bogus = 1\nticker_interval = \"x\"\n")).unwrap_err().contains("; line 5: "));
    }
}
