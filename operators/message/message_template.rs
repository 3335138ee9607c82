//! `message_fields`: a section of templates that set headers of a message and append fields to it.

use crate::text::parse_uuid;
use crate::{BatchBuilder, Captured, Flags, Span, Template, Uuid, ValueType};

/// Templates by what they set, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageTemplate<K> {
    entries: Vec<(Target, Template<K>)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Target {
    Type,
    Logger,
    Payload,
    Hostname,
    Pid,
    Severity,
    Uuid,
    Field { name: Box<[u8]>, representation: Box<[u8]> },
}

impl Target {
    /// What a key sets: a header by its exact name, else a field `name` or `name|representation`.
    fn of(key: &str) -> Target {
        match key {
            "Type" => Target::Type,
            "Logger" => Target::Logger,
            "Payload" => Target::Payload,
            "Hostname" => Target::Hostname,
            "Pid" => Target::Pid,
            "Severity" => Target::Severity,
            "Uuid" => Target::Uuid,
            _ => {
                let (name, representation) = key.split_once('|').unwrap_or((key, ""));
                Target::Field { name: name.as_bytes().into(), representation: representation.as_bytes().into() }
            }
        }
    }
}

impl<K> MessageTemplate<K> {
    /// Takes the entries apart; `resolve` knows the captures, as for [`Template::new`].
    pub fn new<'e>(
        entries: impl IntoIterator<Item = (&'e str, &'e str)>,
        mut resolve: impl FnMut(&str) -> Option<K>,
    ) -> Self {
        let entry = |(key, text)| (Target::of(key), Template::new(text, &mut resolve));
        MessageTemplate { entries: entries.into_iter().map(entry).collect() }
    }

    /// Entries in whose texts `%` means nothing.
    pub fn constant<'e>(entries: impl IntoIterator<Item = (&'e str, &'e str)>) -> Self {
        let entry = |(key, text)| (Target::of(key), Template::constant(text));
        MessageTemplate { entries: entries.into_iter().map(entry).collect() }
    }

    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Applies the entries to the last message of `builder`. Texts that `lookup` finds in the builder's batch
    /// are referred to, not copied. Fields are appended, never replaced.
    ///
    /// # Errors
    /// When a text does not fit its header; one line. The message is then half changed: roll it back.
    pub fn apply<'a>(
        &'a self,
        builder: &mut BatchBuilder,
        mut lookup: impl FnMut(&K) -> Option<Captured<'a>>,
    ) -> Result<(), String> {
        for (target, template) in &self.entries {
            let at = place(builder, template, &mut lookup);
            if let Target::Field { name, representation } = target {
                let name = builder.text(name);
                let representation = builder.text(representation);
                builder.span_field(name, representation, ValueType::String, at);
            } else {
                set_header(builder, target, at)?;
            }
        }
        Ok(())
    }
}

/// Where the rendered text lies in the batch: where it was captured, or else in the arena.
fn place<'a, K>(
    builder: &mut BatchBuilder,
    template: &'a Template<K>,
    lookup: &mut impl FnMut(&K) -> Option<Captured<'a>>,
) -> Span {
    match template.whole(&mut *lookup) {
        Some(captured) if captured.at.is_some() => captured.at,
        Some(captured) => builder.text(captured.text),
        None => builder.text_with(|out| template.write(out, lookup)),
    }
}

fn set_header(builder: &mut BatchBuilder, target: &Target, at: Span) -> Result<(), String> {
    let text = builder.batch().text(at);
    // The text is read before the row is borrowed for writing.
    let number = match target {
        Target::Pid => integer("Pid", text.split(|&b| b == b'.').next().unwrap_or(text))?,
        Target::Severity => integer("Severity", text)?,
        _ => 0,
    };
    let uuid = match target {
        Target::Uuid => parse_uuid(text).ok_or("Invalid UUID string.")?,
        _ => Uuid::default(),
    };
    let Some(row) = builder.last_row() else { return Ok(()) };
    match target {
        Target::Type => row.msg_type = at,
        Target::Logger => row.logger = at,
        Target::Payload => row.payload = at,
        Target::Hostname => row.hostname = at,
        Target::Pid => row.set_pid(number),
        Target::Severity => row.set_severity(number),
        Target::Uuid => row.set_uuid(uuid),
        Target::Field { .. } => {}
    }
    row.flags.set(Flags::TOUCHED);
    Ok(())
}

fn integer(header: &str, text: &[u8]) -> Result<i32, String> {
    let number = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    number.ok_or_else(|| format!("{header}: '{}' is not a 32-bit integer", String::from_utf8_lossy(text)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Batch, FieldValue};

    /// A message over the payload `1.2.3.4 200 x` with what a regular expression would capture of it.
    fn applied(entries: &[(&str, &str)]) -> Result<Batch, String> {
        let mut builder = BatchBuilder::new(bytes::Bytes::from_static(b"1.2.3.4 200 x"));
        builder.row().payload = Span::source(0..13);
        let captures = [("Ip", 0..7), ("Code", 8..11)];
        let template = MessageTemplate::new(entries.iter().copied(), |word| {
            captures.iter().find(|(name, _)| *name == word).map(|(_, range)| range.clone())
        });
        let source = b"1.2.3.4 200 x";
        template.apply(&mut builder, |range| {
            Some(Captured { text: &source[range.clone()], at: Span::source(range.clone()) })
        })?;
        Ok(builder.finish())
    }

    #[test]
    fn headers_are_set_and_fields_appended() {
        let batch = applied(&[
            ("Type", "acc"),
            ("Code", "%Code%"),
            ("Size|B", "%Missing%"),
            ("Payload|s", "%Ip%"),
            ("Payload", "h"),
            ("Hostname", "%Ip%"),
            ("Logger", "%Ip%/%Code%"),
            ("EnvVersion", "1"),
            ("Timestamp", "2"),
            ("Code", "again"),
            ("a|b|c", ""),
        ])
        .unwrap();
        let row = batch.row(0);
        assert_eq!((row.msg_type(), row.payload(), row.hostname()), (&b"acc"[..], &b"h"[..], &b"1.2.3.4"[..]));
        assert_eq!((row.logger(), row.env_version()), (&b"1.2.3.4/200"[..], &b""[..]));
        let fields: Vec<_> = row.fields().map(|f| (f.name(), f.representation(), f.value(0).unwrap())).collect();
        let expected: [(&[u8], &[u8], &[u8]); 7] = [
            (b"Code", b"", b"200"),
            (b"Size", b"B", b"<Missing>"),
            (b"Payload", b"s", b"1.2.3.4"),
            (b"EnvVersion", b"", b"1"),
            (b"Timestamp", b"", b"2"),
            (b"Code", b"", b"again"),
            (b"a", b"b|c", b""),
        ];
        assert_eq!(fields, expected.map(|(name, unit, value)| (name, unit, FieldValue::String(value))));
        assert!(row.raw().flags.has(Flags::TOUCHED));
        assert_eq!(row.raw().hostname, Span::source(0..7), "a captured text is not copied");
    }

    #[test]
    fn numbers_and_identities_are_checked() {
        let text = "00112233-4455-6677-8899-aabbccddeeff";
        let batch = applied(&[("Pid", "12.9"), ("Severity", "-1"), ("Uuid", text)]).unwrap();
        let row = batch.row(0);
        assert_eq!((row.pid(), row.severity(), row.uuid().unwrap()[15]), (12, -1, 0xff));
        assert_eq!(applied(&[("Uuid", "0123456789abcdef")]).unwrap().row(0).uuid(), Some(b"0123456789abcdef"));
        let refused = [
            ("Pid", "abc", "Pid: 'abc' is not a 32-bit integer"),
            ("Pid", "", "Pid: '' is not a 32-bit integer"),
            ("Pid", "2147483648", "Pid: '2147483648' is not a 32-bit integer"),
            ("Severity", "%Ip%", "Severity: '1.2.3.4' is not a 32-bit integer"),
            ("Uuid", "abc", "Invalid UUID string."),
        ];
        for (key, value, error) in refused {
            assert_eq!(applied(&[(key, value)]).err().as_deref(), Some(error));
        }
    }

    #[test]
    fn constants_are_not_searched_for_words() {
        let template = MessageTemplate::<()>::constant([("Type", "100%Type%"), ("env", "%x%")]);
        let mut builder = BatchBuilder::default();
        builder.row();
        template.apply(&mut builder, |_| None).unwrap();
        template.apply(&mut builder, |_| None).unwrap();
        let batch = builder.finish();
        assert_eq!(batch.row(0).msg_type(), b"100%Type%");
        assert_eq!(batch.row(0).fields().filter(|f| f.name() == b"env").count(), 2);
        assert!(MessageTemplate::<()>::constant([]).is_empty());
    }
}
