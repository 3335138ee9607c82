//! Runs the golden cases of `tests/golden` with the shipped scripts and modules. The format is in its README.

mod case;
mod message;
mod run;

use std::path::{Path, PathBuf};

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The files below a folder with this extension, in a fixed order.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap_or_else(|why| panic!("{}: {why}", folder.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|it| it == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Runs all cases of a kind; each must pass, and each shipped file must have one.
fn all_pass(cases: &str, extension: &str, shipped: &str, run: impl Fn(&Path) -> Result<(), String>) {
    let golden = root().join("tests/golden").join(cases);
    let paths = files(&golden, extension);
    let mut failures = Vec::new();
    for path in &paths {
        if let Err(why) = run(path) {
            failures.push(format!(
                "{}\n    {}",
                path.strip_prefix(&golden).unwrap().display(),
                why.replace('\n', "\n    ")
            ));
        }
    }
    for script in files(&root().join("share").join(shipped), "lua") {
        let name = script.file_stem().unwrap();
        if !golden.join(name).is_dir() && !HELPERS.iter().any(|helper| name == *helper) {
            failures.push(format!("{shipped}/{}.lua has no case", name.display()));
        }
    }
    assert!(failures.is_empty(), "{} of {} cases failed:\n{}", failures.len(), paths.len(), failures.join("\n"));
}

/// Modules that only scripts use, and that are tested through them.
const HELPERS: [&str; 5] = ["access_log", "cbuf_changes", "field_graph", "graph", "slow_query"];

#[test]
fn modules() {
    all_pass("modules", "lua", "lua_modules", run::module);
}

#[test]
fn decoders() {
    all_pass("decoders", "toml", "lua_decoders", |path| run::script(path, heka_sandbox::Kind::Decoder));
}

#[test]
fn decoders_with_inject_match_in_lua() {
    all_pass("decoders", "toml", "lua_decoders", run::in_lua);
}

#[test]
fn decoders_make_no_message_by_way_of_lua() {
    all_pass("decoders", "toml", "lua_decoders", run::without_detours);
}

#[test]
fn filters() {
    all_pass("filters", "toml", "lua_filters", |path| run::script(path, heka_sandbox::Kind::Filter));
}

#[test]
fn encoders() {
    all_pass("encoders", "toml", "lua_encoders", |path| run::script(path, heka_sandbox::Kind::Encoder));
}
