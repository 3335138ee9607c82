//! What the messages mean that a dashboard takes.

use heka_message::{FieldValue, RowRef};

/// A message that a dashboard takes.
#[derive(Debug, PartialEq)]
pub(super) enum Received<'a> {
    /// The report on all plugins, as JSON.
    Report(&'a [u8]),
    /// What a sandbox shows.
    Output { filter: &'a [u8], name: &'a [u8], kind: &'a [u8], content: &'a [u8] },
    /// A sandbox has ended: its name, and the line for the record.
    Terminated { filter: &'a [u8], line: Vec<u8> },
    /// Nothing that concerns it, or not whole.
    Other,
}

/// What the line of a filter that was too slow says beside the reason, in this order.
const COUNTERS: [&str; 7] = [
    "ProcessMessageCount",
    "ProcessMessageSamples",
    "ProcessMessageAvgDuration",
    "MatchAvgDuration",
    "FilterChanLength",
    "MatchChanLength",
    "RouterChanLength",
];

impl<'a> Received<'a> {
    /// Reads a message.
    pub(super) fn of(message: RowRef<'a>) -> Self {
        match message.msg_type() {
            b"heka.all-report" => Received::Report(message.payload()),
            b"heka.sandbox-output" => match text(message, "payload_type") {
                Some(kind) => Received::Output {
                    filter: message.logger(),
                    name: text(message, "payload_name").unwrap_or_default(),
                    kind,
                    content: message.payload(),
                },
                None => Received::Other,
            },
            b"heka.sandbox-terminated" => match text(message, "plugin") {
                Some(filter) => Received::Terminated { filter, line: line(filter, message) },
                None => Received::Other,
            },
            _ => Received::Other,
        }
    }
}

fn text<'a>(message: RowRef<'a>, name: &str) -> Option<&'a [u8]> {
    match message.field(name.as_bytes(), 0)?.value(0)? {
        FieldValue::String(text) => Some(text),
        _ => None,
    }
}

fn line(filter: &[u8], message: RowRef<'_>) -> Vec<u8> {
    let mut line = message.timestamp().div_euclid(1_000_000_000).to_string().into_bytes();
    for text in [filter, message.payload()] {
        line.push(b'\t');
        push_escaped(&mut line, text);
    }
    if message.field(COUNTERS[0].as_bytes(), 0).is_some() {
        for name in COUNTERS {
            let value = message.field(name.as_bytes(), 0).and_then(|field| field.value(0));
            line.extend_from_slice(format!(" {name}:").as_bytes());
            push_escaped(&mut line, value.map(number).unwrap_or_default().as_bytes());
        }
    }
    line.push(b'\n');
    line
}

fn number(value: FieldValue<'_>) -> String {
    match value {
        FieldValue::Integer(n) => n.to_string(),
        FieldValue::Double(n) => n.to_string(),
        FieldValue::Bool(b) => b.to_string(),
        FieldValue::String(text) | FieldValue::Bytes(text) => String::from_utf8_lossy(text).into_owned(),
    }
}

/// A text that stays in its column.
fn push_escaped(line: &mut Vec<u8>, text: &[u8]) {
    for &byte in text {
        match byte {
            b'\n' => line.extend_from_slice(b"\\n"),
            b'\r' => line.extend_from_slice(b"\\r"),
            b'\t' => line.extend_from_slice(b"\\t"),
            _ => line.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use heka_message::BatchBuilder;

    fn message(kind: &str, payload: &str, fields: &[(&str, FieldValue<'_>)]) -> BatchBuilder {
        let mut builder = BatchBuilder::default();
        let texts = [kind, "F", payload].map(|text| builder.text(text.as_bytes()));
        let row = builder.row();
        [row.msg_type, row.logger, row.payload] = texts;
        row.set_timestamp(1_409_886_000_999_999_999);
        for (name, value) in fields {
            let (name, empty) = (builder.text(name.as_bytes()), builder.text(b""));
            builder.field(name, empty, *value);
        }
        builder
    }

    #[test]
    fn an_output_needs_a_type_and_no_name() {
        let string = |text: &'static str| FieldValue::String(text.as_bytes());
        let whole =
            message("heka.sandbox-output", "P", &[("payload_type", string("cbuf")), ("payload_name", string("N"))]);
        let expected = Received::Output { filter: b"F", name: b"N", kind: b"cbuf", content: b"P" };
        assert_eq!(Received::of(whole.batch().row(0)), expected);
        let nameless = message("heka.sandbox-output", "P", &[("payload_type", string("txt"))]);
        let expected = Received::Output { filter: b"F", name: b"", kind: b"txt", content: b"P" };
        assert_eq!(Received::of(nameless.batch().row(0)), expected);
        for fields in [&[][..], &[("payload_type", FieldValue::Integer(1))], &[("payload_name", string("N"))]] {
            assert_eq!(Received::of(message("heka.sandbox-output", "P", fields).batch().row(0)), Received::Other);
        }
        assert_eq!(Received::of(message("heka.all-report", "{}", &[]).batch().row(0)), Received::Report(b"{}"));
        assert_eq!(Received::of(message("other", "{}", &[]).batch().row(0)), Received::Other);
    }

    #[test]
    fn a_termination_is_one_line_of_three_columns() {
        let plugin = ("plugin", FieldValue::String(b"F"));
        let line = |message: BatchBuilder| match Received::of(message.batch().row(0)) {
            Received::Terminated { filter, line } => {
                format!("{} {}", String::from_utf8_lossy(filter), String::from_utf8_lossy(&line))
            }
            other => format!("{other:?}"),
        };
        let simple = message("heka.sandbox-terminated", "process_message() boom", &[plugin]);
        assert_eq!(line(simple), "F 1409886000\tF\tprocess_message() boom\n");
        let hostile = message("heka.sandbox-terminated", "a\tb\r\nc\\n", &[("plugin", FieldValue::String(b"x\ny"))]);
        assert_eq!(line(hostile), "x\ny 1409886000\tx\\ny\ta\\tb\\r\\nc\\n\n");
        let counters = COUNTERS.iter().enumerate().map(|(n, name)| (*name, FieldValue::Integer(n as i64)));
        let slow = message("heka.sandbox-terminated", "slow", &counters.chain([plugin]).collect::<Vec<_>>());
        let expected = "F 1409886000\tF\tslow ProcessMessageCount:0 ProcessMessageSamples:1 ProcessMessageAvgDuration:2 \
                        MatchAvgDuration:3 FilterChanLength:4 MatchChanLength:5 RouterChanLength:6\n";
        assert_eq!(line(slow), expected);
        assert_eq!(line(message("heka.sandbox-terminated", "x", &[])), "Other");
    }
}
