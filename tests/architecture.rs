//! The invariants of docs/src/architecture.md that the source itself shows.

use std::fs;
use std::path::{Path, PathBuf};

fn rust_files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut found = Vec::new();
    rust_files(&root, &mut found);
    assert!(!found.is_empty(), "{folder}");
    found.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

#[test]
fn only_the_engine_names_timely() {
    let outside = sources("src").into_iter().filter(|(path, _)| !path.components().any(|c| c.as_os_str() == "engine"));
    for (path, text) in outside.chain(sources("operators")) {
        assert!(!text.contains("timely::"), "{} uses timely", path.display());
    }
    assert!(sources("src/engine").iter().any(|(_, text)| text.contains("timely::")));
}

#[test]
fn every_file_says_what_it_is() {
    for (path, text) in sources("src").into_iter().chain(sources("operators")) {
        assert!(text.starts_with("//!"), "{} has no opening line", path.display());
    }
}
