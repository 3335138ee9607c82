//! What a new start makes of the position that the last one left.

use super::*;

#[test]
fn a_partial_line_is_read_again_after_a_restart() {
    let setup = Setup::new(r"app\.log");
    setup.write("app.log", "whole\npar");
    let running = setup.start();
    running.wait_for(&["whole\n"]);
    running.stop();
    setup.append("app.log", "tial\n");
    let running = setup.start();
    running.wait_for(&["partial\n"]);
    assert_eq!(running.stop()[0].identity.1, 6);
}

#[test]
fn a_lost_position_reads_what_changed_since() {
    let setup = Setup::new(r"app\.log\.?(?P<Seq>\d*)").with("priority", list(&["^Seq"]));
    setup.write("app.log.2", "old\n");
    setup.write("app.log", "one\ntwo\n");
    let running = setup.start();
    running.wait_for(&["old\n", "one\n", "two\n"]);
    running.stop();
    fs::remove_file(setup.log("app.log")).unwrap();
    std::thread::sleep(Duration::from_millis(20));
    setup.write("app.log.1", "three\n");
    setup.write("app.log", "four\n");
    let running = setup.start();
    running.wait_for(&["three\n", "four\n"]);
    running.stop();
}

#[test]
fn what_was_written_to_an_empty_file_before_it_was_renamed_is_found() {
    // The position is the start of a file, which no bytes identify.
    let rotated = |setup: &Setup| {
        setup.append("app.log", "one\n");
        fs::rename(setup.log("app.log"), setup.log("app.log.1")).unwrap();
        setup.write("app.log", "two\n");
        let running = setup.start();
        running.wait_for(&["one\n", "two\n"]);
        running.stop();
    };
    let setup = Setup::new(r"app\.log\.?(?P<Seq>\d*)").with("priority", list(&["^Seq"]));
    setup.write("app.log", "");
    let running = setup.start();
    setup.wait_for_journal("app", 0, "app.log", "");
    running.stop();
    rotated(&setup);
    let setup = Setup::new(r"app\.log\.?(?P<Seq>\d*)").with("priority", list(&["^Seq"]));
    setup.write("app.log", "zero\n");
    let running = setup.start();
    running.wait_for(&["zero\n"]);
    setup.write("app.log", "");
    setup.wait_for_journal("app", 0, "app.log", NOTHING);
    running.stop();
    rotated(&setup);
}

#[test]
fn between_two_files_the_position_is_the_end_of_the_first() {
    let setup = Setup::new(r"app\.log\.?(?P<Seq>\d*)").with("priority", list(&["^Seq"]));
    setup.write("app.log.1", "one\n");
    setup.write("app.log", "part");
    let running = setup.start();
    running.wait_for(&["one\n"]);
    setup.wait_for_journal("app", 4, "app.log.1", &journal::hash(b"one\n"));
    running.stop();
    for (from, to) in [("app.log.1", "app.log.2"), ("app.log", "app.log.1")] {
        fs::rename(setup.log(from), setup.log(to)).unwrap();
    }
    setup.append("app.log.1", "ial\n");
    setup.write("app.log", "two\n");
    let running = setup.start();
    running.wait_for(&["partial\n", "two\n"]);
    running.stop();
}
