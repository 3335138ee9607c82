//! What settings and names say: which files make a stream, and in which order.

use super::*;

fn order(setup: &Setup) -> Vec<String> {
    let root = setup.log("");
    let input = setup.build().unwrap();
    assert_eq!(input.followers.len(), 1);
    let name = |file: &scan::LogFile| file.path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
    input.followers[0].files().iter().map(name).collect()
}

#[test]
fn example_7_translation_orders_a_missing_group() {
    let setup = || {
        let setup = Setup::new(r"a(-(?P<Day>\d{8}))?\.log").with("priority", list(&["Day"]));
        for name in ["a-20140803.log", "a-20140804.log", "a.log"] {
            setup.write(name, "");
        }
        setup
    };
    assert_eq!(order(&setup()), ["a.log", "a-20140803.log", "a-20140804.log"]);
    let day = heka_settings::Table::default().with("missing", Data::Integer(99_999_999));
    let translated =
        setup().with("translation", Data::Table(heka_settings::Table::default().with("Day", Data::Table(day))));
    assert_eq!(order(&translated), ["a-20140803.log", "a-20140804.log", "a.log"]);
}

#[test]
fn example_8_month_names_order_files() {
    let setup = Setup::new(r"(?P<Year>\d+)/(?P<MonthName>\w+)/x\.log\.?(?P<Seq>\d*)")
        .with("priority", list(&["Year", "MonthName", "^Seq"]));
    for name in ["2014/Sep/x.log.1", "2014/Sep/x.log", "2014/august/x.log", "2014/nomonth/x.log"] {
        setup.write(name, "");
    }
    assert_eq!(order(&setup), ["2014/august/x.log", "2014/Sep/x.log.1", "2014/Sep/x.log"]);
}

#[test]
fn example_9_several_files_need_a_priority() {
    let setup = Setup::new(r".*\.log");
    setup.write("a.log", "");
    setup.write("b.log", "");
    let error = setup.build().err().unwrap();
    assert!(error.starts_with("Found multiple logfiles without Priority to sort on for name: app, filematch: ^"));
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let one = |group: &str, key: &str| {
        let entries = heka_settings::Table::default().with(key, Data::Integer(1));
        Data::Table(heka_settings::Table::default().with(group, Data::Table(entries)))
    };
    let cases = [
        (Setup::new(""), "`file_match` setting is required."),
        (Setup::new("("), "`file_match` is no regular expression: error: unclosed group"),
        (
            Setup::new("(?P<Day>x)").with("translation", one("Day", "x")),
            "A translation map with one entry ('Day') must be specifying a 'missing' key.",
        ),
        (Setup::new("x").with("check_data_interval", text("0")), "`check_data_interval` must not be zero"),
    ];
    for (setup, message) in cases {
        let mut problems = Problems::default();
        let settings = LogstreamerSettings::read(&setup.table, &mut problems);
        Spec { settings, place: Place::NOWHERE }.check(&site(), &mut problems);
        let found: Vec<_> = problems.iter().map(|problem| problem.message.clone()).collect();
        assert_eq!(found, [message]);
    }
    let setup = Setup::new("x");
    fs::remove_dir(setup.log("")).unwrap();
    assert!(setup.build().is_err(), "a log directory is not created");
}

#[test]
fn alternatives_do_not_escape_the_anchors() {
    let setup = Setup::new(r"a\.log|b\.log").with("priority", list(&[""]));
    for name in ["a.log", "b.log", "xa.log", "b.log.1", "d/b.log"] {
        setup.write(name, "");
    }
    assert_eq!(order(&setup), ["a.log", "b.log"]);
}

#[test]
fn unknown_texts_are_reported_and_skipped() {
    let days = heka_settings::Table::default().with("Low", Data::Integer(1)).with("high", Data::Integer(2));
    let setup = Setup::new(r"(?P<Level>\w+)\.log")
        .with("priority", list(&["Level"]))
        .with("translation", Data::Table(heka_settings::Table::default().with("Level", Data::Table(days))));
    for name in ["HIGH.log", "low.log", "other.log"] {
        setup.write(name, "");
    }
    assert_eq!(order(&setup), ["low.log", "HIGH.log"]);
    assert!(setup.build().unwrap().complaints.iter().any(|what| what.contains("Value 'other' not found")));
}

#[test]
fn new_streams_and_new_files_are_found() {
    let setup = Setup::new(r"(?P<Name>\w+)/(?P<Day>\d+)\.log")
        .with("priority", list(&["Day"]))
        .with("differentiator", list(&["Name"]));
    setup.write("a/1.log", "a1\n");
    let running = setup.start();
    running.wait_for(&["a1\n"]);
    setup.write("a/2.log", "a2\n");
    running.wait_for(&["a1\n", "a2\n"]);
    setup.write("b/1.log", "b1\n");
    running.wait_for(&["a1\n", "a2\n", "b1\n"]);
    running.stop();
}

#[test]
fn with_initial_tail_only_what_was_there_at_the_start_is_old() {
    let setup = Setup::new(r"(?P<Name>\w+)\.log")
        .with("differentiator", list(&["Name"]))
        .with("oldest_duration", text("1h"))
        .with("initial_tail", Data::Bool(true));
    setup.write("stale.log", "old\n");
    let file = fs::File::options().write(true).open(setup.log("stale.log")).unwrap();
    file.set_modified(std::time::SystemTime::now() - Duration::from_secs(7200)).unwrap();
    let mut input = setup.build().unwrap();
    assert!(input.followers.is_empty());
    setup.append("stale.log", "new\n");
    setup.write("fresh.log", "first\n");
    assert!(input.rescan().is_empty());
    let running = Running::start(input);
    let sorted = || {
        let mut payloads = running.payloads();
        payloads.sort();
        payloads
    };
    wait(|| sorted() == ["first\n", "new\n"], || format!("found {:?}", sorted()));
    running.stop();
}
