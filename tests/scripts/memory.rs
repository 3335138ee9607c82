//! What shipped scripts hold in memory while they are idle: a daemon may run hundreds of them.

use heka_sandbox::{Config, Kind};
use hekad::tools::golden::{Case, Costs, run};
use std::collections::BTreeMap;
use std::path::Path;

/// Bytes that a script may hold once it is loaded, and after its first message or timer event.
const BOUND: usize = 100_000;

/// The most that the cases of each script of a kind make it hold.
fn measured(kind: Kind, name: &str) -> BTreeMap<String, Costs> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut scripts = BTreeMap::<String, Costs>::new();
    for folder in root.join("tests/golden").join(name).read_dir().unwrap() {
        let folder = folder.unwrap();
        let script = folder.file_name().into_string().unwrap();
        let most = scripts.entry(script.clone()).or_default();
        for path in folder.path().read_dir().unwrap() {
            let case = Case::read(&path.unwrap().path()).unwrap();
            let modules = vec![root.join("share/lua_modules")];
            let file = root.join(format!("share/lua_{name}/{script}.lua"));
            let costs = run(&Config { script: file, modules, ..Config::new(kind) }, &case, &mut |_| ());
            let costs = costs.unwrap_or_else(|why| panic!("{script}: {why}"));
            most.loaded = most.loaded.max(costs.loaded);
            most.started = most.started.max(costs.started);
        }
    }
    scripts
}

#[test]
fn idle_scripts_take_less_than_100_kilobytes() {
    let mut too_large = Vec::new();
    for (kind, name) in [(Kind::Decoder, "decoders"), (Kind::Filter, "filters"), (Kind::Encoder, "encoders")] {
        for (script, costs) in measured(kind, name) {
            println!("{name}/{script}: {} bytes loaded, {} after the first step", costs.loaded, costs.started);
            if costs.loaded.max(costs.started) > BOUND {
                too_large.push(format!("{script}: {costs:?}"));
            }
        }
    }
    assert!(too_large.is_empty(), "{}", too_large.join("\n"));
}
