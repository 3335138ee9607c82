//! The running output against real files.

use super::*;
use crate::outputs::harness::{Harness, site, wait_until};
use heka_settings::Data;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

fn settings(path: &Path, options: &[(&str, Data)]) -> Arc<dyn OutputSpec> {
    let table = Table::default().with("path", Data::String(path.to_str().unwrap().to_owned()));
    let table = options.iter().fold(table, |table, (key, data)| table.with(key, data.clone()));
    let mut problems = Problems::default();
    let spec = (match TYPE.make {
        Make::Output(read) => read,
        _ => unreachable!(),
    })(&table, &mut problems);
    assert!(problems.is_empty(), "{problems:?}");
    spec
}

fn start(path: &Path, options: &[(&str, Data)]) -> Harness {
    let site = site("file", Path::new("/nonexistent"));
    Harness::start_at(site.clone(), settings(path, options).build(&site).unwrap())
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn at_once() -> [(&'static str, Data); 1] {
    [("flush_interval", Data::Integer(0))]
}

#[test]
fn with_defaults_a_message_is_there_after_the_first_expiry() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sub/out.log");
    let mut run = start(&path, &[]);
    let ticket = run.send(&["x\n"]);
    run.wait_acked(ticket);
    assert_eq!(text(&path), "x\n");
    // The umask of the test may only take bits away.
    let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode & !0o644, 0);
    assert_eq!(run.end(), Ok(()));
}

#[test]
fn every_third_message_and_the_rest_at_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out.log");
    let mut run = start(&path, &[("flush_interval", Data::Integer(0)), ("flush_count", Data::Integer(3))]);
    let first = run.send(&["1\n", "2\n"]);
    run.send(&["3\n", "4\n"]);
    run.wait_acked(first);
    assert_eq!(text(&path), "1\n2\n3\n");
    assert_eq!(run.acked(), first, "a block is done with its last record");
    assert_eq!(run.end(), Ok(()));
    assert_eq!(text(&path), "1\n2\n3\n4\n");
}

#[test]
fn much_is_flushed_whatever_the_rule_says() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out.log");
    let hour = Data::Integer(3_600_000);
    let mut run = start(&path, &[("flush_interval", hour), ("flush_count", Data::Integer(4_000_000_000))]);
    let line = format!("{}\n", "x".repeat(1023));
    let lines = vec![line; 256];
    let mut last = 0;
    for _ in 0..8 {
        last = run.send(&lines);
    }
    run.wait_acked(last);
    assert_eq!(text(&path).len(), 8 * 256 * 1024);
    run.send(&lines);
    wait_until("an early write", || text(&path).len() == 9 * 256 * 1024);
    assert_eq!(run.acked(), last, "early writes are not acknowledged");
    assert_eq!(run.end(), Ok(()));
}

#[test]
fn reopens_the_path_after_a_rename() {
    let dir = tempfile::tempdir().unwrap();
    let (path, old) = (dir.path().join("out.log"), dir.path().join("old.log"));
    let mut run = start(&path, &at_once());
    let before = run.send(&["before\n"]);
    run.wait_acked(before);
    std::fs::rename(&path, &old).unwrap();
    run.reopen();
    wait_until("the new file", || path.exists());
    run.send(&["after\n"]);
    assert_eq!(run.end(), Ok(()));
    assert_eq!((text(&old).as_str(), text(&path).as_str()), ("before\n", "after\n"));
}

#[test]
fn a_reopening_that_fails_ends_the_output() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sub/out.log");
    let run = start(&path, &[]);
    std::fs::remove_dir_all(dir.path().join("sub")).unwrap();
    std::fs::write(dir.path().join("sub"), "in the way").unwrap();
    run.reopen();
    wait_until("the end", || !run.is_running());
    let error = run.end().unwrap_err();
    assert!(error.message.starts_with(&format!("unable to reopen file '{}': ", path.display())), "{error}");
    assert!(!error.retry);
}

#[test]
fn codes_are_literal_without_rotation() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("%Y-%m-%d.log");
    start(&path, &[]).end().unwrap();
    assert!(path.exists());
    start(&path, &[("rotation_interval", Data::Integer(24))]).end().unwrap();
    let names = std::fs::read_dir(dir.path()).unwrap().count();
    assert_eq!(names, 2, "one literal, one dated");
}

#[test]
fn the_end_does_not_wait_for_ever_for_a_full_disk() {
    let mut run = start(Path::new("/dev/full"), &at_once());
    run.send(&["one\n"]);
    assert_eq!(run.acked(), 0);
    let error = run.end().unwrap_err();
    assert!(error.message.starts_with("Can't write to /dev/full: "), "{error}");
}

#[test]
fn pipes_and_devices_work_as_paths() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("pipe");
    let name = std::ffi::CString::new(path.to_str().unwrap()).unwrap();
    // SAFETY: a path that ends in a zero byte.
    assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
    let mut run = start(&path, &at_once());
    // More than a pipe holds, so that it is full in between.
    let line = format!("{}\n", "y".repeat(999));
    let last = run.send(&vec![line.clone(); 300]);
    let mut received = vec![0; 300_000];
    std::fs::File::open(&path).unwrap().read_exact(&mut received).unwrap();
    run.wait_acked(last);
    assert_eq!(received, line.repeat(300).as_bytes());
    assert_eq!(run.end(), Ok(()));

    let mut null = start(Path::new("/dev/null"), &at_once());
    let last = null.send(&["gone"]);
    null.wait_acked(last);
    assert_eq!(null.end(), Ok(()));
}

#[test]
fn refuses_what_makes_no_sense() {
    let refuse = |key: &str, data: Data| {
        let table = Table::default().with("path", Data::String("/x".into())).with(key, data);
        let mut problems = Problems::default();
        read(&table, &mut problems);
        assert!(problems.has_errors(), "{key}");
        problems.iter().map(|p| p.message.clone()).collect::<Vec<_>>().join("; ")
    };
    assert!(refuse("perm", Data::String("9".into())).contains("octal"));
    assert!(refuse("folder_perm", Data::String("x".into())).contains("octal"));
    assert_eq!(refuse("flush_count", Data::Integer(0)), "Parameter 'flush_count' needs to be greater 1.");
    let message = "Parameter 'rotation_interval' must be one of: 0, 1, 4, 12, 24.";
    assert_eq!(refuse("rotation_interval", Data::Integer(5)), message);
    assert!(refuse("flush_operator", Data::String("and".into())).contains("and"));

    let mut problems = Problems::default();
    read(&Table::default(), &mut problems);
    assert!(problems.iter().any(|p| p.message.contains("path")));
}

#[test]
fn a_file_that_cannot_be_opened_is_refused_at_load() {
    let dir = tempfile::tempdir().unwrap();
    let site = site("file", dir.path());
    let error = settings(dir.path(), &[]).build(&site).err().unwrap();
    assert!(error.message.starts_with(&format!("FileOutput '{}' error opening file: ", dir.path().display())));
}
