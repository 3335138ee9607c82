//! The tables that say where each promise is tested name tests and cases that are there, and leave no row out.

use std::path::Path;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What stands in backquotes in the last column of the tables' rows, and the rows' first columns.
fn rows(page: &str) -> Vec<(String, Vec<String>)> {
    let mut rows = Vec::new();
    for line in page.lines().filter(|line| line.starts_with("| ") && line.ends_with(" |")) {
        let columns: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let named: Vec<String> = columns[columns.len() - 1].split('`').skip(1).step_by(2).map(str::to_owned).collect();
        if !named.is_empty() {
            rows.push((columns[0].to_owned(), named));
        }
    }
    rows
}

#[test]
fn every_promise_to_scripts_names_its_tests() {
    let folder = root().join("operators/sandbox/tests");
    let rows = rows(&std::fs::read_to_string(folder.join("README.md")).unwrap());
    for (row, tests) in &rows {
        for test in tests {
            let (file, function) = test.split_once("::").unwrap_or((test, ""));
            let near = folder.join(file);
            let path = if near.exists() { near } else { root().join(file) };
            let text = std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{row}: {file}: {why}"));
            assert!(function.is_empty() || text.contains(&format!("fn {function}(")), "{row}: {test} is not there");
            assert!(!function.is_empty() || file.ends_with(".lua"), "{row}: {test} names no test");
        }
    }
    let has = |name: String| assert!(rows.iter().any(|(row, _)| *row == name), "no row {name}");
    (1..=18).for_each(|number| has(number.to_string()));
    (1..=27).for_each(|number| has(format!("SB-{number}")));
}

#[test]
fn every_repaired_defect_of_the_library_names_its_cases() {
    let folder = root().join("tests/golden");
    let rows = rows(&std::fs::read_to_string(folder.join("README.md")).unwrap());
    let defects: Vec<_> = rows.iter().filter(|(row, _)| row.starts_with("LL-")).collect();
    for (row, cases) in &defects {
        assert!(cases.iter().all(|case| folder.join(case).is_file()), "{row}: {cases:?}");
    }
    for number in (1..=33).filter(|number| *number != 22) {
        assert!(defects.iter().any(|(row, _)| *row == format!("LL-{number}")), "no row LL-{number}");
    }
}
