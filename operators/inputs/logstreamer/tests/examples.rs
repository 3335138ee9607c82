//! The specification's examples: each is one scheme with the positions it leads to.

use super::*;

const ALPHA_BETA: &str = "12635b6dd5f471b1f335a66d23192f7921d93d04";
const ONE_TWO: &str = "d505a2a676f4105ac6e5db51340c5f2acd473424";

#[test]
fn example_1_a_file_is_read_and_its_position_kept() {
    let setup = Setup::new(r"app\.log");
    setup.write("app.log", "alpha\nbeta\n");
    let running = setup.start();
    running.wait_for(&["alpha\n", "beta\n"]);
    setup.wait_for_journal("app", 11, "app.log", ALPHA_BETA);
    let records = running.stop();
    assert!(records.iter().all(|record| record.logger == "app"));
    let again = setup.start();
    setup.append("app.log", "gamma\n");
    again.wait_for(&["gamma\n"]);
    let more = again.stop();
    assert_eq!(more[0].identity, (records[0].identity.0, 11), "a record keeps its identity over a restart");
}

#[test]
fn example_2_rename_rotation_is_followed() {
    let setup = Setup::new(r"app\.log\.?(?P<Seq>\d*)").with("priority", list(&["^Seq"]));
    setup.write("app.log", "alpha\nbeta\n");
    let running = setup.start();
    setup.wait_for_journal("app", 11, "app.log", ALPHA_BETA);
    fs::rename(setup.log("app.log"), setup.log("app.log.1")).unwrap();
    setup.write("app.log", "gamma\n");
    running.wait_for(&["alpha\n", "beta\n", "gamma\n"]);
    setup.wait_for_journal("app", 6, "app.log", "63f9a1daccc50796660d7254d5e82e502c2caea8");
    running.stop();
}

#[test]
fn example_3_compression_while_stopped_is_followed() {
    let setup = Setup::new(r"app\.log\.?(?P<Seq>\d*)(\.gz)?").with("priority", list(&["^Seq"]));
    setup.write("app.log", "alpha\nbeta\n");
    let running = setup.start();
    setup.wait_for_journal("app", 11, "app.log", ALPHA_BETA);
    let first = running.stop();
    setup.append("app.log", "gamma\n");
    setup.gzip("app.log", "app.log.1.gz");
    setup.write("app.log", "delta\n");
    let running = setup.start();
    running.wait_for(&["gamma\n", "delta\n"]);
    setup.wait_for_journal("app", 6, "app.log", "8ebc0b9f0394ae2f94aec7d725c6f7b840b4eb41");
    let second = running.stop();
    assert_eq!(second[0].identity, (first[0].identity.0, 11), "compression keeps the identity");
    assert_ne!(second[1].identity.0, first[0].identity.0, "another file has another key");
}

#[test]
fn example_4_truncation_is_followed() {
    let setup = Setup::new(r"app\.log");
    setup.write("app.log", "one\ntwo\n");
    let running = setup.start();
    setup.wait_for_journal("app", 8, "app.log", ONE_TWO);
    setup.write("app.log", "");
    setup.wait_for_journal("app", 0, "app.log", NOTHING);
    setup.append("app.log", "three\n");
    running.wait_for(&["one\n", "two\n", "three\n"]);
    setup.wait_for_journal("app", 6, "app.log", "d4ed726918af501e11f595f321a4f30e0f785a12");
    running.stop();
}

#[test]
fn example_5_initial_tail_skips_what_is_there() {
    let setup = Setup::new(r"app\.log").with("initial_tail", Data::Bool(true));
    setup.write("app.log", "one\ntwo\n");
    let running = setup.start();
    setup.wait_for_journal("app", 8, "app.log", ONE_TWO);
    setup.append("app.log", "three\n");
    running.wait_for(&["three\n"]);
    setup.wait_for_journal("app", 14, "app.log", "d0816b39212c4dcf3a6924502c8f1d212df8bf17");
    running.stop();
}

#[test]
fn example_6_the_differentiator_names_the_stream() {
    let setup = Setup::new(r"(?P<Site>[^/]+)-access\.log").with("differentiator", list(&["nginx.", "Site", ".access"]));
    setup.write("example.org-access.log", "x\n");
    let running = setup.start();
    running.wait_for(&["x\n"]);
    wait(|| setup.journal("nginx.example.org.access").contains("\"seek\":2"), || "no journal".into());
    assert_eq!(running.stop()[0].logger, "nginx.example.org.access");
}

#[test]
fn example_10_a_partial_line_waits() {
    let setup = Setup::new(r"app\.log");
    setup.write("app.log", "par");
    let running = setup.start();
    setup.wait_for_journal("app", 0, "app.log", "");
    setup.append("app.log", "tial\n");
    running.wait_for(&["partial\n"]);
    wait(|| setup.journal("app").starts_with("{\"seek\":8,"), || setup.journal("app"));
    running.stop();
}
