//! A matcher's text as tokens.

use crate::MatchError;
use crate::atom::{FieldPath, NumberVariable, TextVariable};
use crate::relation::{Number, Relation};
use std::ops::Range;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    Relation(Relation),
    Search {
        negated: bool,
    },
    And,
    Or,
    Open,
    Close,
    TextVariable(TextVariable),
    NumberVariable(NumberVariable),
    Field(FieldPath),
    Bool(bool),
    Nil,
    Number(Number),
    String(String),
    /// The pattern, with `\/` read as `/`.
    Regex(String),
    /// A word that means nothing; an error wherever it stands, but what to say depends on where.
    Unknown,
    End,
}

pub(crate) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    /// The last word, number, string or regular expression, which messages name.
    last: Range<usize>,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Lexer { text, at: 0, last: 0..0 }
    }

    /// An error at `range`.
    pub(crate) fn error(&self, range: Range<usize>, message: impl Into<String>) -> MatchError {
        MatchError::new(range, &self.text[self.last.clone()], message)
    }

    fn byte(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + ahead).copied()
    }

    /// The next token and where it stands. At the end of the text, [`Token::End`] for ever.
    pub(crate) fn next_token(&mut self) -> Result<(Token, Range<usize>), MatchError> {
        while self.byte(0).is_some_and(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        let start = self.at;
        let Some(first) = self.byte(0) else { return Ok((Token::End, start..start)) };
        let token = match (first, self.byte(1)) {
            (b'=', Some(b'=')) => self.symbol(2, Token::Relation(Relation::Equal)),
            (b'!', Some(b'=')) => self.symbol(2, Token::Relation(Relation::NotEqual)),
            (b'>', Some(b'=')) => self.symbol(2, Token::Relation(Relation::GreaterEqual)),
            (b'<', Some(b'=')) => self.symbol(2, Token::Relation(Relation::LessEqual)),
            (b'>', _) => self.symbol(1, Token::Relation(Relation::Greater)),
            (b'<', _) => self.symbol(1, Token::Relation(Relation::Less)),
            (b'=', Some(b'~')) => self.symbol(2, Token::Search { negated: false }),
            (b'!', Some(b'~')) => self.symbol(2, Token::Search { negated: true }),
            (b'&', Some(b'&')) => self.symbol(2, Token::And),
            (b'|', Some(b'|')) => self.symbol(2, Token::Or),
            (b'(', _) => self.symbol(1, Token::Open),
            (b')', _) => self.symbol(1, Token::Close),
            (b'0'..=b'9' | b'.', _) => self.number()?,
            (b'\'' | b'"', _) => Token::String(self.quoted(first, "string")?),
            (b'/', _) => Token::Regex(self.quoted(b'/', "regular expression")?),
            (b'A'..=b'Z' | b'a'..=b'z' | b'_', _) => self.word()?,
            _ => return Err(self.stray(start)),
        };
        Ok((token, start..self.at))
    }

    fn symbol(&mut self, len: usize, token: Token) -> Token {
        self.at += len;
        token
    }

    fn skip(&mut self, wanted: impl Fn(u8) -> bool) {
        while self.byte(0).is_some_and(&wanted) {
            self.at += 1;
        }
    }

    fn number(&mut self) -> Result<Token, MatchError> {
        let start = self.at;
        self.skip(|b| matches!(b, b'0'..=b'9' | b'.' | b'e' | b'+' | b'-'));
        self.last = start..self.at;
        let text = &self.text[start..self.at];
        Number::parse(text)
            .map(Token::Number)
            .ok_or_else(|| self.error(start..self.at, format!("`{text}` is not a number")))
    }

    /// Text up to `quote`, which a backslash makes part of the text; other backslashes and what follows them
    /// stay as they are.
    fn quoted(&mut self, quote: u8, what: &str) -> Result<String, MatchError> {
        let start = self.at;
        self.at += 1;
        let mut out = String::new();
        loop {
            let from = self.at;
            self.skip(|b| b != quote && b != b'\\');
            out.push_str(&self.text[from..self.at]);
            match (self.byte(0), self.byte(1)) {
                (Some(b'\\'), Some(next)) if next == quote => {
                    out.push(char::from(quote));
                    self.at += 2;
                }
                (Some(b'\\'), Some(next)) if next.is_ascii() => {
                    out.extend(['\\', char::from(next)]);
                    self.at += 2;
                }
                // The follower is not ASCII, or missing: it is copied, or missed, in the next turn.
                (Some(b'\\'), _) => {
                    out.push('\\');
                    self.at += 1;
                }
                (Some(_), _) => {
                    self.at += 1;
                    self.last = start..self.at;
                    return Ok(out);
                }
                (None, _) => {
                    self.last = start..self.at;
                    return Err(self
                        .error(start..self.at, format!("this {what} has no end"))
                        .help(format!("close it with `{}`", char::from(quote))));
                }
            }
        }
    }

    fn word(&mut self) -> Result<Token, MatchError> {
        let start = self.at;
        self.skip(|b| b.is_ascii_alphabetic());
        self.last = start..self.at;
        let token = match &self.text[start..self.at] {
            "Uuid" => Token::TextVariable(TextVariable::Uuid),
            "Type" => Token::TextVariable(TextVariable::Type),
            "Logger" => Token::TextVariable(TextVariable::Logger),
            "Payload" => Token::TextVariable(TextVariable::Payload),
            "EnvVersion" => Token::TextVariable(TextVariable::EnvVersion),
            "Hostname" => Token::TextVariable(TextVariable::Hostname),
            "Timestamp" => Token::NumberVariable(NumberVariable::Timestamp),
            "Severity" => Token::NumberVariable(NumberVariable::Severity),
            "Pid" => Token::NumberVariable(NumberVariable::Pid),
            "TRUE" => Token::Bool(true),
            "FALSE" => Token::Bool(false),
            "NIL" => Token::Nil,
            "Fields" => self.field(start)?,
            _ => {
                // The rest of what the writer takes for a name.
                self.skip(|b| b.is_ascii_alphanumeric() || b == b'_');
                self.last = start..self.at;
                Token::Unknown
            }
        };
        Ok(token)
    }

    /// After `Fields`.
    fn field(&mut self, start: usize) -> Result<Token, MatchError> {
        const FORM: &str = "a field is written Fields[name], Fields[name][1] or Fields[name][0][1], without blanks";
        if self.byte(0) != Some(b'[') {
            return Err(self.error(start..self.at, "`Fields` needs the name of a field").help(FORM));
        }
        self.at += 1;
        let from = self.at;
        self.skip(|b| b != b']' && b != b'\n');
        let name = self.text[from..self.at].to_owned();
        self.last = start..self.at;
        if self.byte(0) != Some(b']') {
            return Err(self.error(start..self.at, "the name of this field has no end").help(FORM));
        }
        self.at += 1;
        self.last = start..self.at;
        if name.is_empty() {
            return Err(self.error(start..self.at, "the name of this field is empty").help(FORM));
        }
        let mut indexes = [0, 0];
        for index in &mut indexes {
            if self.byte(0) != Some(b'[') {
                break;
            }
            let from = self.at;
            self.at += 1;
            self.skip(|b| b.is_ascii_digit());
            let digits = &self.text[from + 1..self.at];
            self.last = start..self.at;
            let valid = self.byte(0) == Some(b']');
            match digits.parse() {
                Ok(value) if valid => *index = value,
                _ => {
                    // Up to where the index should end, so that the message shows all of it.
                    self.skip(|b| !matches!(b, b']' | b'[' | b' ' | b'\t' | b'\n'));
                    return Err(self.error(from..self.at, "an index is a whole number, in brackets").help(FORM));
                }
            }
            self.at += 1;
            self.last = start..self.at;
        }
        if self.byte(0) == Some(b'[') {
            return Err(self.error(self.at..self.at + 1, "a field has two indexes at most").help(FORM));
        }
        let [field, value] = indexes;
        Ok(Token::Field(FieldPath { name, field, value }))
    }

    /// A character no token starts with.
    fn stray(&self, start: usize) -> MatchError {
        let rest = &self.text[start..];
        let c = rest.chars().next().unwrap_or_default();
        let error = self.error(start..start + c.len_utf8(), format!("unexpected {}", Shown(c)));
        match c {
            '=' => error.help("equality is written `==`, a search `=~`"),
            '!' => error.help("there is no negation; write `!=` or `!~`, or turn the comparison round"),
            '&' => error.help("write `&&`"),
            '|' => error.help("write `||`"),
            '-' | '+' => error.help("numbers have no sign; compare with 0 to tell negative values"),
            '[' => error.help("an index follows its field without blanks, as in Fields[name][1]"),
            _ => error,
        }
    }
}

/// A character in a message: visible, whatever it is.
struct Shown(char);

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_control() { write!(f, "character U+{:04X}", u32::from(self.0)) } else { write!(f, "`{}`", self.0) }
    }
}
