//! Runs the examples of docs/src/scripts.
//!
//! A code block whose language is followed by `name=FILE` is that file. In a `console` block, a line behind `$ ` is a
//! command, and what follows is what it prints; `…` in it stands for any text, and for any lines on a line of its own.
//! Sections of configurations must be such.

use crate::tool::{TOOL, share, text};
use heka_operators::registry::TYPES;
use heka_settings::Problems;
use hekad::config::{Sources, load_sources};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

struct Block {
    language: String,
    name: Option<String>,
    text: String,
    line: usize,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut inside = false;
    for (index, line) in page.lines().enumerate() {
        match line.strip_prefix("```") {
            Some("") if inside => inside = false,
            Some(info) => {
                assert!(!inside, "line {}: a block inside a block", index + 1);
                let (language, rest) = info.split_once(' ').unwrap_or((info, ""));
                let name = rest.strip_prefix("name=").map(str::to_owned);
                blocks.push(Block { language: language.to_owned(), name, text: String::new(), line: index + 1 });
                inside = true;
            }
            None if inside => {
                let block = blocks.last_mut().unwrap();
                block.text.push_str(line);
                block.text.push('\n');
            }
            None => {}
        }
    }
    assert!(!inside, "the last block does not end");
    blocks
}

/// Whether a line is as expected, `…` standing for any text.
fn fits(line: &str, expected: &str) -> bool {
    let mut parts = expected.split('…');
    let Some(mut rest) = line.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// The same for lines.
fn all_fit(lines: &[&str], expected: &[&str]) -> bool {
    match (lines, expected) {
        ([], []) => true,
        (_, ["…", rest @ ..]) => (0..=lines.len()).any(|from| all_fit(&lines[from..], rest)),
        ([line, lines @ ..], [first, rest @ ..]) => fits(line, first) && all_fit(lines, rest),
        _ => false,
    }
}

/// A directory whose `heka-sbtest` knows where the shipped modules are.
fn place() -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    let bin = place.path().join(".bin");
    std::fs::create_dir(&bin).unwrap();
    let script = format!(
        "#!/bin/sh\nfor a in \"$@\"; do case \"$a\" in -share*) exec {TOOL} -option module_directory={0}/lua_modules \"$@\";; esac; done\nexec {TOOL} -share={0} \"$@\"\n",
        share().display()
    );
    let tool = bin.join("heka-sbtest");
    std::fs::write(&tool, script).unwrap();
    std::fs::set_permissions(&tool, std::fs::Permissions::from_mode(0o755)).unwrap();
    place
}

fn run_page(path: &Path) -> Result<usize, String> {
    let page = std::fs::read_to_string(path).unwrap();
    let place = place();
    let search = format!("{}:{}", place.path().join(".bin").display(), std::env::var("PATH").unwrap());
    let mut commands = 0;
    for block in blocks(&page) {
        let at = |why: String| format!("{}:{}: {why}", path.display(), block.line);
        if block.language == "toml" && !block.text.contains("[[step]]") {
            load_sources(Sources::from_texts([("page", block.text.as_str())]), Problems::default(), TYPES, &|_| None)
                .map_err(|refused| at(refused.to_string()))?;
        }
        if let Some(name) = &block.name {
            std::fs::write(place.path().join(name), &block.text).unwrap();
        } else if block.language == "lua" {
            return Err(at("a script without a name is run by nobody".to_owned()));
        }
        if block.language != "console" {
            continue;
        }
        for part in block.text.strip_prefix("$ ").unwrap_or_else(|| panic!("{}", at("no command".into()))).split("\n$ ")
        {
            let (command, expected) = part.split_once('\n').unwrap_or((part, ""));
            commands += 1;
            let run = Command::new("bash")
                .args(["-o", "pipefail", "-c", command])
                .current_dir(place.path())
                .env("PATH", &search)
                .output()
                .unwrap();
            let printed = text(&run.stdout);
            // An empty line at the end is there to be read on the page.
            let lines: Vec<&str> = printed.trim_end_matches('\n').lines().collect();
            let wanted: Vec<&str> = expected.trim_end_matches('\n').lines().collect();
            if !all_fit(&lines, &wanted) {
                let errors = text(&run.stderr);
                return Err(at(format!("{command}\nprinted:\n{printed}\ninstead of:\n{expected}\nerrors:\n{errors}")));
            }
        }
    }
    Ok(commands)
}

#[test]
fn every_example_of_the_pages_does_what_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/src/scripts");
    let summary = std::fs::read_to_string(folder.join("../SUMMARY.md")).unwrap();
    let mut failures = Vec::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        assert!(summary.contains(&format!("(scripts/{name})")), "{name} is not in the summary");
        match run_page(&path) {
            Ok(0) => failures.push(format!("{name}: no example")),
            Ok(_) => {}
            Err(why) => failures.push(why),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn the_marks_of_the_pages_mean_what_they_say() {
    assert!(
        fits("a 12 b", "a … b") && fits("abc", "…") && fits("abc", "abc") && !fits("abc", "ab") && !fits("ab", "a…c")
    );
    assert!(all_fit(&["a", "b", "c"], &["…", "c"]) && !all_fit(&["a", "b"], &["a"]) && all_fit(&[], &["…"]));
    let found = blocks("text\n```lua name=x.lua\na\n```\n```console\n$ b\n```\n");
    let seen: Vec<_> =
        found.iter().map(|b| (b.language.as_str(), b.name.as_deref(), b.text.as_str(), b.line)).collect();
    assert_eq!(seen, [("lua", Some("x.lua"), "a\n", 2), ("console", None, "$ b\n", 5)]);
}
