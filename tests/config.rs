//! Configurations as users write them: what they mean, and what is said when they are wrong.

#[path = "config/types.rs"]
mod types;

#[path = "config/accepted.rs"]
mod accepted;
#[path = "config/garbled.rs"]
mod garbled;
#[path = "config/generated.rs"]
mod generated;
#[path = "config/refused.rs"]
mod refused;

use heka_settings::{Level, Problems};
use hekad::config::{Common, Loaded, Refused, Section, Sources, load_sources};

/// Loads files that stand in no directory; `HOST`, `NAME` and `QUOTE` are set in their environment.
fn load(files: &[(&str, &str)]) -> Result<Loaded, Refused> {
    let env = |name: &str| match name {
        "HOST" => Some("example.org".to_owned()),
        "NAME" => Some("web".to_owned()),
        "QUOTE" => Some("\"".to_owned()),
        _ => None,
    };
    load_sources(Sources::from_texts(files.iter().copied()), Problems::default(), types::TYPES, &env)
}

fn accept(text: &str) -> Loaded {
    load(&[("hekad.toml", text)]).unwrap_or_else(|refused| panic!("{text}\n{refused}"))
}

/// The error messages of a configuration that must not load.
fn errors(text: &str) -> Vec<String> {
    match load(&[("hekad.toml", text)]) {
        Ok(_) => panic!("accepted: {text}"),
        Err(refused) => {
            refused.problems.iter().filter(|p| p.level == Level::Error).map(|p| p.message.clone()).collect()
        }
    }
}

fn section<'a>(loaded: &'a Loaded, name: &str) -> &'a Section {
    let found = loaded.config.sections.iter().find(|s| s.name == name);
    found.unwrap_or_else(|| panic!("no section {name}"))
}

fn warnings(loaded: &Loaded) -> Vec<&str> {
    loaded.warnings.iter().map(|p| p.message.as_str()).collect()
}

/// Compares with a file of the repository, or writes it when `UPDATE_GOLDEN` is set.
fn golden(path: &str, text: &str, remedy: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        expected == text,
        "{} differs from what the code says; if the code is right: {remedy}\n--- now ---\n{text}",
        path.display()
    );
}

fn consumer(section: &Section) -> &hekad::config::ConsumerCommon {
    match &section.common {
        Common::Filter(common) | Common::Output(common) => common,
        other => panic!("{other:?}"),
    }
}

fn input(section: &Section) -> &hekad::config::InputCommon {
    match &section.common {
        Common::Input(common) => common,
        other => panic!("{other:?}"),
    }
}
