//! The tokens of a JSON text.

use super::numeral;

/// A token; strings and numbers with what they hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Token<'a> {
    ObjectBegin,
    ObjectEnd,
    ArrayBegin,
    ArrayEnd,
    /// A string without escapes.
    Plain(&'a [u8]),
    /// The text between the quotes; its escapes are valid.
    Escaped(&'a [u8]),
    Number(f64),
    Boolean(bool),
    Null,
    Colon,
    Comma,
    End,
    /// No token, and why not.
    Error(&'static str),
}

impl Token<'_> {
    /// As error texts name it.
    pub fn name(self) -> &'static str {
        match self {
            Token::ObjectBegin => "T_OBJ_BEGIN",
            Token::ObjectEnd => "T_OBJ_END",
            Token::ArrayBegin => "T_ARR_BEGIN",
            Token::ArrayEnd => "T_ARR_END",
            Token::Plain(_) | Token::Escaped(_) => "T_STRING",
            Token::Number(_) => "T_NUMBER",
            Token::Boolean(_) => "T_BOOLEAN",
            Token::Null => "T_NULL",
            Token::Colon => "T_COLON",
            Token::Comma => "T_COMMA",
            Token::End => "T_END",
            Token::Error(text) => text,
        }
    }
}

/// Where the next token starts, and how lenient numbers are.
pub struct Lexer<'a> {
    text: &'a [u8],
    /// Behind the last token.
    pub at: usize,
    /// Where the last token starts; for an error, where it was found.
    pub index: usize,
    invalid_numbers: bool,
}

impl<'a> Lexer<'a> {
    pub fn new(text: &'a [u8], invalid_numbers: bool) -> Lexer<'a> {
        Lexer { text, at: 0, index: 0, invalid_numbers }
    }

    /// The next token. The text ends at its first NUL byte, as senders of NUL-terminated texts expect.
    pub fn next(&mut self) -> Token<'a> {
        let mut at = self.at;
        let first = loop {
            match self.text.get(at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => at += 1,
                first => break first,
            }
        };
        self.at = at;
        self.index = at;
        let token = match first {
            Some(b'"') => return self.string(at + 1),
            Some(b'-' | b'0'..=b'9') => return self.number(),
            None | Some(0) => return Token::End,
            Some(b'{') => Token::ObjectBegin,
            Some(b'}') => Token::ObjectEnd,
            Some(b'[') => Token::ArrayBegin,
            Some(b']') => Token::ArrayEnd,
            Some(b',') => Token::Comma,
            Some(b':') => Token::Colon,
            Some(_) => return self.word(),
        };
        self.at = at + 1;
        token
    }

    /// Passes this byte, which is a token of its own, when it follows at once.
    #[inline]
    pub fn pass(&mut self, byte: u8) -> bool {
        let follows = self.text.get(self.at) == Some(&byte);
        self.at += usize::from(follows);
        follows
    }

    fn number(&mut self) -> Token<'a> {
        let text = &self.text[self.at..];
        if !self.invalid_numbers && numeral::is_lenient(text) {
            return Token::Error("invalid number");
        }
        match numeral::read(text) {
            Some((value, length)) => {
                self.at += length;
                Token::Number(value)
            }
            None => Token::Error("invalid number"),
        }
    }

    fn word(&mut self) -> Token<'a> {
        let text = &self.text[self.at..];
        for (word, token) in
            [(&b"true"[..], Token::Boolean(true)), (&b"false"[..], Token::Boolean(false)), (&b"null"[..], Token::Null)]
        {
            if text.starts_with(word) {
                self.at += word.len();
                return token;
            }
        }
        if self.invalid_numbers && numeral::is_lenient(text) { self.number() } else { Token::Error("invalid token") }
    }

    /// The string whose first byte is at `start`.
    fn string(&mut self, start: usize) -> Token<'a> {
        let mut at = start;
        let mut escaped = false;
        loop {
            at += plain_run(&self.text[at..]);
            match self.text.get(at) {
                Some(b'"') => break,
                Some(b'\\') => match escape_length(&self.text[at..]) {
                    Ok(length) => at += length,
                    Err(error) => return self.error_at(at, error),
                },
                Some(0) | None => return self.error_at(at, "unexpected end of string"),
                Some(_) => return self.error_at(at, "invalid control character"),
            }
            escaped = true;
        }
        self.at = at + 1;
        let inside = &self.text[start..at];
        if escaped { Token::Escaped(inside) } else { Token::Plain(inside) }
    }

    fn error_at(&mut self, at: usize, error: &'static str) -> Token<'a> {
        self.index = at;
        Token::Error(error)
    }
}

/// How many bytes at the start are neither a quote, a backslash nor a control character.
fn plain_run(text: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let mut run = 0;
    // Eight bytes at once. The marks are exact up to the first one that is set.
    while let Some(chunk) = text.get(run..run + 8) {
        let word = u64::from_le_bytes(chunk.try_into().unwrap_or_default());
        let quote = word ^ (ONES * u64::from(b'"'));
        let backslash = word ^ (ONES * u64::from(b'\\'));
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let marks = (quote.wrapping_sub(ONES) & !quote | backslash.wrapping_sub(ONES) & !backslash | control) & HIGH;
        if marks != 0 {
            return run + marks.trailing_zeros() as usize / 8;
        }
        run += 8;
    }
    while let Some(byte) = text.get(run) {
        if matches!(byte, b'"' | b'\\' | 0..0x20) {
            break;
        }
        run += 1;
    }
    run
}

/// The length of the escape at the start, when it is a valid one.
fn escape_length(text: &[u8]) -> Result<usize, &'static str> {
    match text.get(1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(2),
        Some(b'u') => unicode(text).map(|(_, length)| length).ok_or("invalid unicode escape code"),
        _ => Err("invalid escape code"),
    }
}

/// The character of the `\uXXXX` at the start, and its length; surrogates must come in pairs.
fn unicode(text: &[u8]) -> Option<(char, usize)> {
    let first = hex4(text.get(2..6)?)?;
    if !(0xD800..0xE000).contains(&first) {
        return Some((char::from_u32(first)?, 6));
    }
    if first >= 0xDC00 || text.get(6..8)? != b"\\u" {
        return None;
    }
    let second = hex4(text.get(8..12)?)?;
    if !(0xDC00..0xE000).contains(&second) {
        return None;
    }
    Some((char::from_u32(0x10000 + ((first & 0x3FF) << 10 | second & 0x3FF))?, 12))
}

fn hex4(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |value, digit| Some(value << 4 | char::from(*digit).to_digit(16)?))
}

/// The pieces that an [`Token::Escaped`] stands for, in order.
pub struct Unescape<'a>(pub &'a [u8]);

/// Some bytes of an unescaped string.
pub enum Piece<'a> {
    Run(&'a [u8]),
    Byte(u8),
    Character(char),
}

impl<'a> Iterator for Unescape<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        let text = self.0;
        let run = memchr::memchr(b'\\', text).unwrap_or(text.len());
        if run > 0 {
            let (run, rest) = text.split_at(run);
            self.0 = rest;
            return Some(Piece::Run(run));
        }
        let (piece, length) = match *text.get(1)? {
            b'b' => (Piece::Byte(8), 2),
            b'f' => (Piece::Byte(12), 2),
            b'n' => (Piece::Byte(b'\n'), 2),
            b'r' => (Piece::Byte(b'\r'), 2),
            b't' => (Piece::Byte(b'\t'), 2),
            b'u' => unicode(text).map(|(character, length)| (Piece::Character(character), length))?,
            other => (Piece::Byte(other), 2),
        };
        self.0 = &text[length..];
        Some(piece)
    }
}
