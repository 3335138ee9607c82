//! Atomic predicates: one variable, one test. What each means on one message.

use crate::pattern::Pattern;
use crate::relation::{NumberTest, Relation};
use heka_message::{FieldValue, Row, RowRef, Span};

/// A test of one message, as typed by the grammar.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Atom {
    /// A header string.
    Text(TextVariable, TextTest),
    /// A header number.
    Number(NumberVariable, NumberTest),
    /// A value of a dynamic field.
    Field(FieldPath, FieldTest),
    /// The verified signer is this one; not part of the language, but of every signed plugin's condition.
    Signer(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TextVariable {
    Uuid,
    Type,
    Logger,
    Payload,
    EnvVersion,
    Hostname,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NumberVariable {
    Timestamp,
    Severity,
    Pid,
}

/// Which value of which of the fields with one name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FieldPath {
    pub(crate) name: String,
    pub(crate) field: usize,
    pub(crate) value: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TextTest {
    Compare(Relation, String),
    Search { pattern: Pattern, negated: bool },
}

/// A type mismatch is false, even for `!=` and `!~`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum FieldTest {
    Text(TextTest),
    Number(NumberTest),
    Bool(bool),
    Missing,
    Present,
}

impl TextTest {
    #[inline]
    pub(crate) fn holds(&self, text: &[u8]) -> bool {
        match self {
            TextTest::Compare(Relation::Equal, literal) => text == literal.as_bytes(),
            TextTest::Compare(Relation::NotEqual, literal) => text != literal.as_bytes(),
            TextTest::Compare(relation, literal) => relation.admits(text.cmp(literal.as_bytes())),
            TextTest::Search { pattern, negated } => pattern.is_match(text) != *negated,
        }
    }
}

impl FieldTest {
    #[inline]
    pub(crate) fn holds(&self, value: Option<FieldValue<'_>>) -> bool {
        match (self, value) {
            (FieldTest::Missing, value) => value.is_none(),
            (FieldTest::Present, value) => value.is_some(),
            (FieldTest::Text(test), Some(FieldValue::String(text) | FieldValue::Bytes(text))) => test.holds(text),
            (FieldTest::Number(test), Some(FieldValue::Integer(value))) => test.holds_for_integer(value),
            (FieldTest::Number(test), Some(FieldValue::Double(value))) => test.holds_for_double(value),
            (FieldTest::Bool(literal), Some(FieldValue::Bool(value))) => value == *literal,
            _ => false,
        }
    }
}

impl TextVariable {
    /// Where the text of a row lies; `None` for the Uuid, which is stored as bytes.
    #[inline]
    pub(crate) fn span(self, row: &Row) -> Option<Span> {
        Some(match self {
            TextVariable::Uuid => return None,
            TextVariable::Type => row.msg_type,
            TextVariable::Logger => row.logger,
            TextVariable::Payload => row.payload,
            TextVariable::EnvVersion => row.env_version,
            TextVariable::Hostname => row.hostname,
        })
    }
}

impl NumberVariable {
    #[inline]
    pub(crate) fn read(self, row: RowRef<'_>) -> i64 {
        match self {
            NumberVariable::Timestamp => row.timestamp(),
            NumberVariable::Severity => row.severity().into(),
            NumberVariable::Pid => row.pid().into(),
        }
    }
}

impl FieldPath {
    /// The value of `row`, if it has one.
    #[inline]
    pub(crate) fn read<'a>(&self, row: RowRef<'a>) -> Option<FieldValue<'a>> {
        row.field(self.name.as_bytes(), self.field)?.value(self.value)
    }
}

impl Atom {
    /// The outcome, if it is the same for every message.
    pub(crate) fn constant(&self) -> Option<bool> {
        match self {
            Atom::Text(_, TextTest::Search { pattern, negated }) if pattern.is_anything() => Some(!negated),
            _ => None,
        }
    }

    /// What a test of one message costs, roughly in nanoseconds: what to test first.
    pub(crate) fn cost(&self) -> u32 {
        let text = |variable: Option<TextVariable>, test: &TextTest| match (variable, test) {
            (Some(TextVariable::Payload), TextTest::Compare(..)) => 3,
            (Some(TextVariable::Payload), TextTest::Search { pattern, .. }) if pattern.is_literal() => 40,
            (Some(TextVariable::Payload), _) => 200,
            (Some(TextVariable::Uuid), _) => 30,
            (Some(_), _) => 1,
            (None, TextTest::Search { pattern, .. }) if !pattern.is_literal() => 100,
            (None, _) => 15,
        };
        match self {
            Atom::Signer(_) => 0,
            Atom::Number(..) => 2,
            Atom::Text(variable, test) => text(Some(*variable), test),
            Atom::Field(_, FieldTest::Text(test)) => text(None, test),
            Atom::Field(..) => 15,
        }
    }

    /// Whether the message passes.
    pub(crate) fn holds(&self, row: RowRef<'_>) -> bool {
        match self {
            Atom::Text(variable, test) => match variable.span(row.raw()) {
                Some(span) => test.holds(row.batch().text(span)),
                None => test.holds(UuidText::of(row).as_bytes()),
            },
            Atom::Number(variable, test) => test.holds_for_integer(variable.read(row)),
            Atom::Field(path, test) => test.holds(path.read(row)),
            Atom::Signer(signer) => row.signer() == signer.as_bytes(),
        }
    }
}

/// A Uuid in its text form, lower case with hyphens; empty when unset.
pub(crate) struct UuidText {
    text: [u8; 36],
    len: usize,
}

impl UuidText {
    pub(crate) fn of(row: RowRef<'_>) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let Some(uuid) = row.uuid() else { return UuidText { text: [b'-'; 36], len: 0 } };
        let mut text = [b'-'; 36];
        let mut at = 0;
        for (index, byte) in uuid.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                at += 1;
            }
            text[at] = DIGITS[usize::from(byte >> 4)];
            text[at + 1] = DIGITS[usize::from(byte & 15)];
            at += 2;
        }
        UuidText { text, len: 36 }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.text[..self.len]
    }
}
