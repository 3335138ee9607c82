//! Runs the golden cases of `tests/golden` with the shipped scripts and modules. The format is in its README.

use heka_sandbox::{Config, Kind};
use hekad::tools::golden::{Case, chunk, run};
use shipped::HELPERS;
use std::path::{Path, PathBuf};

#[path = "support/shipped.rs"]
mod shipped;

/// The root of the repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A script that finds the shipped modules.
fn config(kind: Kind, script: &Path) -> Config {
    let modules = vec![root().join("share/lua_modules"), root().join("tests/golden/support")];
    Config { script: script.to_owned(), modules, ..Config::new(kind) }
}

/// The script that a case of a shipped script is for: the folder of the case is named for it.
fn shipped_script(path: &Path, shipped: &str) -> PathBuf {
    let folder = path.parent().and_then(Path::file_name).unwrap_or_else(|| panic!("{}", path.display()));
    root().join("share").join(shipped).join(folder).with_extension("lua")
}

/// A case of a shipped script.
fn script(path: &Path, kind: Kind, shipped: &str) -> Result<(), String> {
    run(&config(kind, &shipped_script(path, shipped)), &Case::read(path)?, &mut |_| ()).map(drop)
}

/// A case of a shipped decoder, none of whose messages may be made by way of Lua values.
fn without_detours(path: &Path) -> Result<(), String> {
    let script = shipped_script(path, "lua_decoders");
    match run(&config(Kind::Decoder, &script), &Case::read(path)?, &mut |_| ())?.detours {
        0 => Ok(()),
        detours => Err(format!("{detours} messages went the long way round")),
    }
}

/// What `inject_match` means, in Lua.
const INJECT_MATCH: &str = include_str!("../operators/sandbox/tests/support/inject_match.lua");

/// A case of a shipped decoder with `inject_match` in Lua: the messages are the same.
fn in_lua(path: &Path) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|why| why.to_string())?;
    let text = std::fs::read_to_string(shipped_script(path, "lua_decoders")).map_err(|why| why.to_string())?;
    let copy = folder.path().join("script.lua");
    std::fs::write(&copy, format!("{INJECT_MATCH}{text}")).map_err(|why| why.to_string())?;
    run(&config(Kind::Decoder, &copy), &Case::read(path)?, &mut |_| ()).map(drop)
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

#[test]
fn modules() {
    all_pass("modules", "lua", "lua_modules", |path| chunk(&config(Kind::Decoder, path)));
}

#[test]
fn decoders() {
    all_pass("decoders", "toml", "lua_decoders", |path| script(path, Kind::Decoder, "lua_decoders"));
}

#[test]
fn decoders_with_inject_match_in_lua() {
    all_pass("decoders", "toml", "lua_decoders", in_lua);
}

#[test]
fn decoders_make_no_message_by_way_of_lua() {
    all_pass("decoders", "toml", "lua_decoders", without_detours);
}

#[test]
fn filters() {
    all_pass("filters", "toml", "lua_filters", |path| script(path, Kind::Filter, "lua_filters"));
}

#[test]
fn encoders() {
    all_pass("encoders", "toml", "lua_encoders", |path| script(path, Kind::Encoder, "lua_encoders"));
}
