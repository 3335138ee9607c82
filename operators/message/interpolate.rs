//! `%{…}` in the names that encoders make: header values, fields, or the time.

use crate::text::{write_uuid, write_value};
use crate::{Layout, RowRef, Strftime, TimeFormat};
use jiff::tz::TimeZone;
use std::io::Write;

/// A text with `%{…}` in it, taken apart.
///
/// `%{Type}`, `%{Hostname}`, `%{Pid}`, `%{UUID}`, `%{Logger}`, `%{EnvVersion}` and `%{Severity}` stand for the
/// header; any other name for the first value of the field so called; what names no field is a time format,
/// in UTC: strftime, or a layout of old such as `%{2006.01.02}`.
#[derive(Clone, Debug)]
pub struct Interpolation {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug)]
enum Piece {
    Text(Box<[u8]>),
    Header(Header),
    Field {
        name: Box<[u8]>,
        /// Stands in when there is no such field; none when the name is no time format.
        time: Option<Box<TimeFormat>>,
    },
}

#[derive(Clone, Copy, Debug)]
enum Header {
    Type,
    Hostname,
    Pid,
    Uuid,
    Logger,
    EnvVersion,
    Severity,
}

impl Header {
    fn named(name: &str) -> Option<Header> {
        Some(match name {
            "Type" => Header::Type,
            "Hostname" => Header::Hostname,
            "Pid" => Header::Pid,
            "UUID" => Header::Uuid,
            "Logger" => Header::Logger,
            "EnvVersion" => Header::EnvVersion,
            "Severity" => Header::Severity,
            _ => return None,
        })
    }

    fn write(self, message: RowRef<'_>, out: &mut Vec<u8>) {
        match self {
            Header::Type => out.extend_from_slice(message.msg_type()),
            Header::Hostname => out.extend_from_slice(message.hostname()),
            Header::Logger => out.extend_from_slice(message.logger()),
            Header::EnvVersion => out.extend_from_slice(message.env_version()),
            Header::Uuid => message.uuid().into_iter().for_each(|uuid| write_uuid(uuid, out)),
            // Writing to a vector does not fail.
            Header::Pid => drop(write!(out, "{}", message.pid())),
            Header::Severity => drop(write!(out, "{}", message.severity())),
        }
    }
}

impl Interpolation {
    /// Takes a text apart; what is not closed, and a `}` of its own, is text.
    pub fn new(text: &str) -> Self {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, (name, behind))) =
            rest.split_once("%{").and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
        {
            if !before.is_empty() {
                pieces.push(Piece::Text(before.as_bytes().into()));
            }
            pieces.push(match Header::named(name) {
                Some(header) => Piece::Header(header),
                None => Piece::Field { name: name.as_bytes().into(), time: time_format(name).map(Box::new) },
            });
            rest = behind;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.as_bytes().into()));
        }
        Interpolation { pieces }
    }

    /// Appends the text for a message; `time`, in nanoseconds since the UNIX epoch, is what time formats show.
    /// Returns whether every name meant something; one that did not is written as it stands.
    pub fn write(&mut self, message: RowRef<'_>, time: i64, out: &mut Vec<u8>) -> bool {
        let mut resolved = true;
        for piece in &mut self.pieces {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text),
                Piece::Header(header) => header.write(message, out),
                Piece::Field { name, time: format } => {
                    match (message.field(name, 0).and_then(|field| field.value(0)), format) {
                        (Some(value), _) => write_value(value, out),
                        (None, Some(format)) => format.write(out, time),
                        (None, None) => {
                            out.extend_from_slice(name);
                            resolved = false;
                        }
                    }
                }
            }
        }
        resolved
    }

    /// Whether a layout of old is used, which deserves a word to the user.
    pub fn is_legacy(&self) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Field { name, .. } if Layout::is_legacy(name)))
    }
}

/// The format that `name` is, unless printing it would leave it unchanged.
fn time_format(name: &str) -> Option<TimeFormat> {
    let mut printed = Vec::new();
    let strftime = Strftime::new(name);
    strftime.write(&mut printed, 0, &TimeZone::UTC);
    let unchanged = strftime.is_constant() && printed == name.as_bytes();
    (!unchanged || Layout::is_legacy(name)).then(|| TimeFormat::new(name, TimeZone::UTC))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Batch, BatchBuilder, FieldValue, Span};

    fn message() -> Batch {
        let mut builder = BatchBuilder::default();
        let [msg_type, hostname, logger, env_version] =
            [&b"nginx.access"[..], b"Web1", b"FxA", b"2"].map(|text| builder.text(text));
        let row = builder.row();
        (row.msg_type, row.hostname, row.logger, row.env_version) = (msg_type, hostname, logger, env_version);
        row.set_uuid(std::array::from_fn(|i| i as u8));
        row.set_pid(42);
        row.set_severity(6);
        let values: [(&[u8], FieldValue<'_>); 5] = [
            (b"status", FieldValue::Integer(200)),
            (b"req.time", FieldValue::Double(0.125)),
            (b"ok", FieldValue::Bool(true)),
            (b"tag", FieldValue::String(b"x")),
            (b"tag", FieldValue::String(b"z")),
        ];
        for (name, value) in values {
            let name = builder.text(name);
            builder.field(name, Span::NONE, value);
        }
        let name = builder.text(b"empty");
        builder.open_field(name, Span::NONE, crate::ValueType::Integer);
        builder.finish()
    }

    #[test]
    fn names_stand_for_headers_fields_and_times() {
        // 2015-03-09T23:30:01Z.
        let time = 1_425_943_801_000_000_000;
        let cases = [
            ("x", "x", true),
            ("", "", true),
            ("%{Type}-%{Hostname}-%{%Y.%m}", "nginx.access-Web1-2015.03", true),
            ("%{UUID}", "00010203-0405-0607-0809-0a0b0c0d0e0f", true),
            ("%{Pid}/%{Severity}/%{Logger}/%{EnvVersion}", "42/6/FxA/2", true),
            ("%{status} %{req.time} %{ok} %{tag}", "200 0.125 true x", true),
            ("heka-%{2006.01.02}", "heka-2015.03.09", true),
            ("%{nope}", "nope", false),
            ("%{nope}-", "nope-", false),
            ("%{empty}", "empty", false),
            ("%{%Q}", "%Q", false),
            ("%{%%}", "%", true),
            ("a}b %{Type", "a}b %{Type", true),
            ("}%{Logger}}", "}FxA}", true),
            ("%{}", "", false),
            ("%{Payload}", "Payload", false),
        ];
        let batch = message();
        for (text, expected, resolved) in cases {
            let mut out = Vec::new();
            let all = Interpolation::new(text).write(batch.row(0), time, &mut out);
            assert_eq!((String::from_utf8(out).unwrap().as_str(), all), (expected, resolved), "{text}");
        }
    }

    #[test]
    fn a_message_without_headers_leaves_them_empty() {
        let mut builder = BatchBuilder::default();
        builder.row();
        let mut out = Vec::new();
        let batch = builder.finish();
        assert!(Interpolation::new("%{Type}|%{UUID}|%{Pid}|%{Severity}").write(batch.row(0), 0, &mut out));
        assert_eq!(out, b"||0|7");
    }

    #[test]
    fn layouts_of_old_are_noticed() {
        assert!(Interpolation::new("heka-%{2006.01.02}").is_legacy());
        assert!(!Interpolation::new("heka-2006-%{%Y}").is_legacy());
    }
}
