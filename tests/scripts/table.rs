//! docs/reference/scripts.md: every shipped script and everything a script can take from a module, each with the cases
//! that show that it works. Nothing may be missing, and the page must be what it is made of.

use crate::shipped::HELPERS;
use heka_message::{BatchBuilder, RowRef};
use heka_sandbox::{Config, Kind, Payload, Refusal, Role, Sandbox};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Modules that a script finds without any file.
const NATIVE: [&str; 9] =
    ["lpeg", "re", "cjson", "struct", "circular_buffer", "bloom_filter", "cuckoo_filter", "hyperloglog", "sax"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The names of the files with this extension in a folder, in order.
fn stems(folder: &Path, extension: &str) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let paths =
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == extension));
    let mut stems: Vec<String> = paths.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect();
    stems.sort();
    stems
}

/// The first sentence below the title of the comment that a shipped file begins with.
fn about(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let body = text.strip_prefix("--[=[\n").unwrap_or_else(|| panic!("{} has no opening comment", path.display()));
    let mut lines = body.lines().skip_while(|line| line.starts_with('#') || line.is_empty());
    let paragraph: Vec<&str> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
    let paragraph = paragraph.join(" ");
    paragraph.split_once(". ").map_or(paragraph.clone(), |(first, _)| format!("{first}."))
}

/// Collects the payload of a script that lists things.
#[derive(Default)]
struct Listing {
    builder: BatchBuilder,
    text: String,
}

impl Role for Listing {
    fn builder(&mut self) -> &mut BatchBuilder {
        &mut self.builder
    }

    fn message(&mut self, _: Option<RowRef<'_>>) -> Result<(), Refusal> {
        Ok(())
    }

    fn payload(&mut self, _: Option<RowRef<'_>>, payload: Payload<'_>) -> Result<(), Refusal> {
        self.text.push_str(&String::from_utf8_lossy(payload.bytes));
        Ok(())
    }

    fn log(&mut self, line: &str) {
        panic!("{line}");
    }
}

/// Prints `name<TAB>kind` of everything in a module, and of the methods of what it makes.
const LISTS: &str = r#"
require "table" require "string"
local name = read_config("module")
local module = require(name)
local lines = {}
-- What is made when it is first asked for.
local metatable = getmetatable(module)
for key in pairs(metatable and metatable.later or {}) do assert(module[key], key) end
if metatable and metatable.rest then
    for key in pairs(getmetatable(require "lazy".load(metatable.rest)).later) do assert(module[key], key) end
end
local function list(prefix, t)
    for key, value in pairs(t) do
        local kind = type(value)
        if kind == "table" and value.new then list(prefix .. key .. ".", value)
        elseif string.sub(key, 1, 2) ~= "_M" then
            if kind == "userdata" then kind = lpeg and lpeg.type(value) and "grammar" or "value" end
            if kind == "table" then kind = "set of names" end
            lines[#lines + 1] = prefix .. key .. "\t" .. kind
        end
    end
end
list("", module)
local function methods(prefix, object)
    for key in pairs(getmetatable(object).__index) do lines[#lines + 1] = prefix .. ":" .. key .. "\tmethod" end
end
if name == "circular_buffer" then methods("", module.new(2, 1, 1))
elseif name == "bloom_filter" then methods("", module.new(10, 0.1))
elseif name == "cuckoo_filter" then methods("", module.new(10))
elseif name == "hyperloglog" then methods("", module.new())
elseif name == "sax" then
    methods("window", module.window.new(4, 2, 4))
    local word = getmetatable(module.word.new("AB", 4)).__index
    if word then methods("word", module.word.new("AB", 4)) end
end
table.sort(lines)
function process_message() inject_payload("", "", table.concat(lines, "\n")) return 0 end
"#;

/// What a module holds: names and kinds.
fn contents(module: &str) -> Vec<(String, String)> {
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("list.lua");
    std::fs::write(&script, LISTS).unwrap();
    let config = Config {
        script,
        modules: vec![root().join("share/lua_modules")],
        values: vec![("module".to_owned(), heka_sandbox::ConfigValue::String(module.into()))],
        ..Config::new(Kind::Decoder)
    };
    let mut sandbox = Sandbox::new(&config, &mut |_| ()).unwrap_or_else(|why| panic!("{module}: {why}"));
    let mut listing = Listing::default();
    sandbox.process_message(None, &mut listing).unwrap();
    let pair = |line: &str| line.split_once('\t').map(|(name, kind)| (name.to_owned(), kind.to_owned()));
    listing.text.lines().filter_map(pair).collect()
}

/// Whether a case takes `name` from the module or from what it made.
fn uses(text: &str, name: &str) -> bool {
    let last = name.rsplit(['.', ':']).next().unwrap_or(name);
    let is_word = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    text.match_indices(last)
        .any(|(at, _)| text[..at].ends_with(['.', ':']) && !is_word(text[at + last.len()..].chars().next()))
}

/// The page, and what it has no case for.
fn page() -> (String, Vec<String>) {
    let mut page = "# Scripts and modules\n\n<!-- Made by tests/scripts/table.rs. Do not edit. -->\n\n\
        Every script below runs every case that is named beside it, with the daemon's own host, in the tests of every\n\
        change; so does every function of every module. The cases lie in `tests/golden`, and say by themselves what they\n\
        show. A script's own file begins with its settings and an example.\n"
        .to_owned();
    let mut missing = Vec::new();
    for (title, kind) in [("Decoders", "decoders"), ("Filters", "filters"), ("Encoders", "encoders")] {
        let folder = root().join(format!("share/lua_{kind}"));
        let _ = write!(page, "\n## {title}\n\n| `lua_{kind}/` | | cases |\n|---|---|---|\n");
        for script in stems(&folder, "lua") {
            let cases = stems(&root().join(format!("tests/golden/{kind}/{script}")), "toml");
            if cases.is_empty() {
                missing.push(format!("lua_{kind}/{script}.lua"));
            }
            let about = about(&folder.join(format!("{script}.lua")));
            let _ = writeln!(page, "| `{script}.lua` | {about} | {} |", cases.join(", "));
        }
    }
    page.push_str("\n## Modules\n");
    let shipped = stems(&root().join("share/lua_modules"), "lua");
    let modules: BTreeSet<&str> = NATIVE.into_iter().chain(shipped.iter().map(String::as_str)).collect();
    for module in modules.into_iter().filter(|module| !HELPERS.contains(module)) {
        let folder = root().join(format!("tests/golden/modules/{module}"));
        let cases: Vec<(String, String)> = stems(&folder, "lua")
            .into_iter()
            .map(|case| (case.clone(), std::fs::read_to_string(folder.join(format!("{case}.lua"))).unwrap()))
            .collect();
        let of = match shipped.iter().any(|name| name == module) {
            true => about(&root().join(format!("share/lua_modules/{module}.lua"))),
            false => "Native: part of the host.".to_owned(),
        };
        let _ = write!(page, "\n### {module}\n\n{of}\n\n| | | cases |\n|---|---|---|\n");
        for (name, kind) in contents(module) {
            let used: Vec<&str> =
                cases.iter().filter(|(_, text)| uses(text, &name)).map(|(case, _)| case.as_str()).collect();
            if used.is_empty() {
                missing.push(format!("{module}: {name}"));
            }
            let _ = writeln!(page, "| `{name}` | {kind} | {} |", used.join(", "));
        }
    }
    page.push_str(
        "\n## Modules of shipped scripts\n\nThey may change with their scripts, whose cases are theirs.\n\n\
         | | | used by |\n|---|---|---|\n",
    );
    for helper in HELPERS {
        let path = root().join(format!("share/lua_modules/{helper}.lua"));
        let users = users(helper);
        if users.is_empty() {
            missing.push(format!("{helper}: nobody uses it"));
        }
        let _ = writeln!(page, "| `{helper}` | {} | {} |", about(&path), users.join(", "));
    }
    (page, missing)
}

/// The shipped scripts and modules that require a module, or name it for what is loaded later.
fn users(module: &str) -> Vec<String> {
    let mut users = Vec::new();
    for folder in ["lua_decoders", "lua_filters", "lua_encoders", "lua_modules"] {
        let folder = root().join("share").join(folder);
        for script in stems(&folder, "lua") {
            let path: PathBuf = folder.join(format!("{script}.lua"));
            let text = std::fs::read_to_string(&path).unwrap();
            let is_named =
                ["require ", "load ", "= ", ", "].iter().any(|before| text.contains(&format!("{before}\"{module}\"")));
            if script != module && is_named {
                users.push(format!("`{script}`"));
            }
        }
    }
    users
}

#[test]
fn everything_that_is_shipped_has_its_cases_and_the_page_says_which() {
    let (page, missing) = page();
    assert!(missing.is_empty(), "no case for:\n{}", missing.join("\n"));
    let path = root().join("docs/reference/scripts.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page, "docs/reference/scripts.md is out of date: UPDATE_GOLDEN=1 cargo test --test scripts");
}
