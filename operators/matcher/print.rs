//! Predicates as text that reads back as the same predicate.

use crate::atom::{Atom, FieldPath, FieldTest, TextTest};
use crate::relation::{Number, NumberTest};
use std::fmt::{self, Display, Formatter};

impl Display for Atom {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Atom::Text(variable, test) => write!(f, "{variable:?} {test}"),
            Atom::Number(variable, test) => write!(f, "{variable:?} {test}"),
            Atom::Field(path, test) => write!(f, "{path} {test}"),
            // Always in this form, which tells any two names apart.
            Atom::Signer(signer) => write!(f, "Signer == {signer:?}"),
        }
    }
}

impl Display for FieldPath {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "Fields[{}]", self.name)?;
        if self.field > 0 || self.value > 0 {
            write!(f, "[{}]", self.field)?;
        }
        if self.value > 0 {
            write!(f, "[{}]", self.value)?;
        }
        Ok(())
    }
}

impl Display for TextTest {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            TextTest::Compare(relation, text) => write!(f, "{} {}", relation.symbol(), Quoted(text)),
            TextTest::Search { pattern, negated } => {
                write!(f, "{} /", if *negated { "!~" } else { "=~" })?;
                let mut chars = pattern.source().chars();
                while let Some(c) = chars.next() {
                    match c {
                        '/' => f.write_str("\\/")?,
                        '\\' => f.write_str("\\").and_then(|()| chars.next().iter().try_for_each(|c| c.fmt(f)))?,
                        c => c.fmt(f)?,
                    }
                }
                f.write_str("/")
            }
        }
    }
}

impl Display for NumberTest {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.number {
            Number::Integer(number) => write!(f, "{} {number}", self.relation.symbol()),
            // The debug form has an exponent where the display form has hundreds of zeros.
            Number::Double(number) => write!(f, "{} {number:?}", self.relation.symbol()),
        }
    }
}

impl Display for FieldTest {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            FieldTest::Text(test) => test.fmt(f),
            FieldTest::Number(test) => test.fmt(f),
            FieldTest::Bool(value) => f.write_str(if *value { "== TRUE" } else { "== FALSE" }),
            FieldTest::Missing => f.write_str("== NIL"),
            FieldTest::Present => f.write_str("!= NIL"),
        }
    }
}

/// A string in quotes, in those that need the fewest escapes and read back as the same string.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl Quoted<'_> {
    /// The string in quotes of one kind; `None` where they cannot express it: a backslash keeps its follower
    /// as it is, unless that is the enclosing quote.
    fn within(&self, quote: char) -> Option<String> {
        let mut out = String::from(quote);
        let mut chars = self.0.chars();
        while let Some(c) = chars.next() {
            match c {
                '\\' => {
                    let follower = chars.next().filter(|follower| *follower != quote)?;
                    out.extend(['\\', follower]);
                }
                c if c == quote => out.extend(['\\', c]),
                c => out.push(c),
            }
        }
        out.push(quote);
        Some(out)
    }
}

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let forms = [self.within('\''), self.within('"')];
        // Whatever was read from a matcher can be written in the quotes it was read from.
        match forms.iter().flatten().min_by_key(|form| form.len()) {
            Some(form) => f.write_str(form),
            None => write!(f, "{:?}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_choose_their_quotes() {
        for (text, quoted) in [
            ("plain", "'plain'"),
            ("it's", "\"it's\""),
            ("a\\nb", "'a\\nb'"),
            ("say \"it's\"", r#"'say "it\'s"'"#),
            ("a\\'", "\"a\\'\""),
            ("a\\\\", "'a\\\\'"),
        ] {
            assert_eq!(Quoted(text).to_string(), quoted);
        }
    }
}
