//! The matcher language as its users know it: every row of `conformance.txt`, on one message.

use heka_matcher::{Compiler, Matcher};
use heka_message::{Batch, BatchBuilder, FieldValue, Flags, Span, ValueType};

const PAYLOAD: &[u8] = b"GET /cart 200";

/// Appends the message the table is about.
fn append_message(builder: &mut BatchBuilder) {
    let [msg_type, logger, payload, env_version, hostname] =
        [&b"web.access"[..], b"nginx-front", PAYLOAD, b"1.10", b"fe-07.example.net"].map(|text| builder.text(text));
    let row = builder.row();
    row.set_uuid(*b"\x5f\x12\xaa\x01\x9c\x44\x4d\x2e\x8b\x10\xde\xad\xbe\xef\x00\x01");
    row.set_timestamp(1_500_000_000_000_000_001);
    row.set_severity(4);
    row.set_pid(4321);
    row.msg_type = msg_type;
    row.logger = logger;
    row.payload = payload;
    row.env_version = env_version;
    row.hostname = hostname;
    use FieldValue::{Bool, Bytes, Double, Integer, String};
    let fields: [(&str, ValueType, &[FieldValue<'_>]); 14] = [
        ("status", ValueType::Integer, &[Integer(200), Integer(301)]),
        ("method", ValueType::String, &[String(b"GET")]),
        ("tag", ValueType::String, &[String(b"alpha"), String(b"beta")]),
        ("tag", ValueType::String, &[String(b"gamma")]),
        ("latency", ValueType::Double, &[Double(0.25)]),
        ("cached", ValueType::Bool, &[Bool(true), Bool(false)]),
        ("blob", ValueType::Bytes, &[Bytes(b"xyz")]),
        ("empty", ValueType::String, &[]),
        ("flagstr", ValueType::String, &[String(b"TRUE")]),
        ("off", ValueType::Bool, &[Bool(false)]),
        ("quote", ValueType::String, &[String(b"it's")]),
        ("bs", ValueType::String, &[String(br"a\nb")]),
        ("odd name!", ValueType::String, &[String(b"v")]),
        ("neg", ValueType::Integer, &[Integer(-5)]),
    ];
    for (name, value_type, values) in fields {
        let name = builder.text(name.as_bytes());
        builder.open_field(name, Span::NONE, value_type);
        assert!(values.iter().all(|value| builder.add_value(*value)));
    }
}

/// Appends a message that differs in every header and has none of the fields.
fn append_other(builder: &mut BatchBuilder) {
    let text = builder.text(b"something else");
    let row = builder.row();
    row.msg_type = text;
    row.logger = text;
    row.set_severity(1);
}

fn batch(messages: &[fn(&mut BatchBuilder)]) -> Batch {
    let mut builder = BatchBuilder::default();
    messages.iter().for_each(|append| append(&mut builder));
    builder.finish()
}

struct Case {
    label: &'static str,
    text: String,
    expected: Option<bool>,
}

fn cases() -> Vec<Case> {
    let lines = include_str!("conformance.txt").lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (number, result) = line.split_at_checked(4).expect("a number of three columns, a blank");
            assert!(number.trim().parse::<u32>().is_ok(), "{line}");
            let (result, text) = result.split_at(1);
            let expected = match result {
                "T" => Some(true),
                "F" => Some(false),
                "E" => None,
                _ => panic!("{line}"),
            };
            let text = text.strip_prefix(' ').unwrap_or("").replace('⏎', "\n").replace('⇥', "\t");
            Case { label: line, text, expected }
        })
        .collect()
}

#[test]
fn the_table_is_complete() {
    let mut numbers: Vec<u32> = cases().iter().map(|case| case.label[..4].trim().parse().unwrap()).collect();
    numbers.dedup();
    assert_eq!(numbers, (1..=167).collect::<Vec<_>>());
}

#[test]
fn every_row_gives_its_result() {
    // One plan holds all matchers, so predicates are shared and equalities grouped as they are in the daemon.
    let mut compiler = Compiler::new();
    let mut accepted: Vec<(Case, Matcher)> = Vec::new();
    for case in cases() {
        match (compiler.compile(&case.text, None), case.expected) {
            (Ok(matcher), Some(_)) => accepted.push((case, matcher)),
            (Err(error), None) => {
                let report = error.to_string();
                assert!(report.starts_with("syntax error: last token: "), "{}: {report}", case.label);
            }
            // Go learned this form of a named group after Heka; what was an error may work.
            (Ok(_), None) if case.text.contains("(?<n>") => {}
            (Ok(_), None) => panic!("{} is accepted", case.label),
            (Err(error), Some(_)) => panic!("{} is refused: {error}", case.label),
        }
    }
    let predicates = compiler.finish();
    let alone = batch(&[append_message]);
    let same = batch(&[append_message, append_message, append_message]);
    let mixed = batch(&[append_other, append_message, append_other, append_message]);
    for (Case { label, expected, .. }, matcher) in &accepted {
        let expected = expected.unwrap();
        assert_eq!(matcher.matches(&predicates, alone.row(0)), expected, "{label}");
        assert_eq!(matcher.select(&predicates, &alone).contains(0), expected, "{label}");
        let rows = matcher.select(&predicates, &same);
        assert!((0..3).all(|row| rows.contains(row) == expected), "{label}: {rows:?} of three alike");
        let rows = matcher.select(&predicates, &mixed);
        assert!([1, 3].iter().all(|row| rows.contains(*row) == expected), "{label}: {rows:?} of a mixed batch");
        for (index, row) in mixed.rows().enumerate() {
            assert_eq!(rows.contains(index), matcher.matches(&predicates, row), "{label}: row {index}");
        }
    }
}

#[test]
fn the_message_is_the_one_of_the_table() {
    let batch = batch(&[append_message]);
    let row = batch.row(0);
    assert_eq!((row.payload(), row.fields().count()), (PAYLOAD, 14));
    assert!(row.raw().flags.has(Flags::UUID) && row.fields().any(|field| field.is_empty()));
}
