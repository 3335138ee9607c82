//! The original's dialect of TOML, rewritten into TOML proper.
//!
//! The original read section names and keys literally (`[tcp:5565]`, `RequestSize|B = 1`, `a.b = 1`), knew the
//! escape `\/`, and took numbers with leading zeros and lines ended by CR; old documents leave durations
//! unquoted. [`rewrite`] turns these into strict TOML and leaves alone what it does not know, so that the parser's
//! errors stay where they belong. Comments go, as strict TOML refuses control characters in them.

use super::offsets::{Offsets, Rewriter};
use heka_settings::parse_duration;
use std::ops::Range;

/// Rewrites a document of the original's dialect into strict TOML.
pub fn rewrite(text: &str) -> (String, Offsets) {
    let mut scanner = Scanner { text, bytes: text.as_bytes(), at: 0, out: Rewriter::new(text) };
    while scanner.at < text.len() {
        scanner.line();
    }
    scanner.out.finish()
}

struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    out: Rewriter<'a>,
}

impl Scanner<'_> {
    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    /// The first position from `self.at` on where a byte satisfies `stop`; the end when none does. Only ASCII
    /// bytes may stop, so that positions are character boundaries.
    fn find(&self, stop: impl Fn(u8) -> bool) -> usize {
        self.bytes[self.at..].iter().position(|b| stop(*b)).map_or(self.bytes.len(), |n| self.at + n)
    }

    fn copy_to(&mut self, end: usize) {
        self.out.copy(self.at..end);
        self.at = end;
    }

    fn replace_to(&mut self, end: usize, with: &str) {
        self.out.replace(self.at..end, with);
        self.at = end;
    }

    /// One line: blank, a comment, a header, or a key with its value (which may span lines).
    fn line(&mut self) {
        self.blanks();
        match self.peek(0) {
            None | Some(b'#' | b'\n' | b'\r') => {}
            Some(b'[') => self.header(),
            Some(_) => self.key_value(),
        }
        self.line_end();
    }

    fn blanks(&mut self) {
        self.copy_to(self.find(|b| b != b' ' && b != b'\t'));
    }

    fn line_end(&mut self) {
        self.blanks();
        if self.peek(0) == Some(b'#') {
            self.replace_to(self.find(|b| b == b'\n' || b == b'\r'), "");
        }
        // Whatever else stands here is the parser's to refuse.
        self.copy_to(self.find(|b| b == b'\n' || b == b'\r'));
        self.newline();
    }

    /// LF and CRLF stay, a lone CR becomes LF.
    fn newline(&mut self) {
        match (self.peek(0), self.peek(1)) {
            (Some(b'\n'), _) => self.copy_to(self.at + 1),
            (Some(b'\r'), Some(b'\n')) => self.copy_to(self.at + 2),
            (Some(b'\r'), _) => self.replace_to(self.at + 1, "\n"),
            _ => {}
        }
    }

    /// `[a.b]`: any characters but brackets and dots make a name, dots nest. Arrays of tables are not the
    /// original's, and stay.
    fn header(&mut self) {
        let line_end = self.find(|b| b == b'\n' || b == b'\r');
        let inner = self.at + 1;
        let Some(close) = self.bytes[inner..line_end].iter().position(|b| *b == b']').map(|n| inner + n) else {
            return;
        };
        let names = &self.text[inner..close];
        if names.contains('[') || names.split('.').any(str::is_empty) {
            return;
        }
        self.copy_to(inner);
        for name in names.split('.') {
            let end = self.at + name.len();
            self.name(end);
            // The dot, or the bracket.
            self.copy_to(end + 1);
        }
    }

    /// A name read literally, up to `end`.
    fn name(&mut self, end: usize) {
        let name = &self.text[self.at..end];
        if name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
            self.copy_to(end);
        } else {
            let quoted = heka_settings::Data::String(name.to_owned()).to_string();
            self.replace_to(end, &quoted);
        }
    }

    fn key_value(&mut self) {
        let key_end = self.find(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\r' | b'='));
        let equals = self.bytes[key_end..].iter().position(|b| *b != b' ' && *b != b'\t').map(|n| key_end + n);
        let literal = key_end > self.at && equals.is_some_and(|at| self.bytes[at] == b'=');
        if literal {
            self.name(key_end);
        } else if let Some(quote @ (b'"' | b'\'')) = self.peek(0) {
            // A quoted key with blanks in it has only the modern reading.
            self.line_string(quote);
        } else {
            return;
        }
        self.blanks();
        if self.peek(0) == Some(b'=') {
            self.copy_to(self.at + 1);
            self.blanks();
            self.value();
        }
    }

    fn value(&mut self) {
        if matches!(self.peek(0), Some(b'[' | b'{')) { self.nested() } else { self.scalar() }
    }

    /// An array or an inline table with everything inside, without recursion.
    fn nested(&mut self) {
        let mut depth = 0usize;
        while let Some(byte) = self.peek(0) {
            match byte {
                b'[' | b'{' => {
                    depth += 1;
                    self.copy_to(self.at + 1);
                }
                b']' | b'}' => {
                    depth -= 1;
                    self.copy_to(self.at + 1);
                    if depth == 0 {
                        return;
                    }
                }
                b'#' => self.replace_to(self.find(|b| b == b'\n' || b == b'\r'), ""),
                b'\n' | b'\r' => self.newline(),
                b',' | b'=' | b' ' | b'\t' => self.copy_to(self.at + 1),
                _ => self.scalar(),
            }
        }
    }

    fn scalar(&mut self) {
        match self.peek(0) {
            Some(quote @ (b'"' | b'\'')) if self.peek(1) == Some(quote) && self.peek(2) == Some(quote) => {
                self.block_string(quote);
            }
            Some(quote @ (b'"' | b'\'')) => self.line_string(quote),
            _ => self.bare(),
        }
    }

    /// A string on one line. In `"…"` the escape `\/` becomes a slash and control characters become escapes;
    /// `'…'` with control characters becomes a `"…"`.
    fn line_string(&mut self, quote: u8) {
        let open = self.at;
        let Some(close) = self.closing(open + 1, quote, b"\n\r") else {
            self.copy_to(self.find(|b| b == b'\n' || b == b'\r'));
            return;
        };
        let inner = open + 1..close;
        if quote == b'\'' {
            if self.bytes[inner.clone()].iter().any(|b| is_refused(*b)) {
                let text = heka_settings::Data::String(self.text[inner].to_owned()).to_string();
                self.replace_to(close + 1, &text);
            } else {
                self.copy_to(close + 1);
            }
            return;
        }
        self.copy_to(open + 1);
        self.escapes(inner);
        self.copy_to(close + 1);
    }

    /// A string in three quotes: the original had none, so only `\/` and lone CRs are looked after.
    fn block_string(&mut self, quote: u8) {
        let open = self.at;
        let mut at = open + 3;
        let close = loop {
            match self.closing(at, quote, b"") {
                Some(end) if self.bytes[end..].starts_with(&[quote; 3]) => break end,
                Some(end) => at = end + 1,
                None => {
                    self.copy_to(self.bytes.len());
                    return;
                }
            }
        };
        self.copy_to(open + 3);
        if quote == b'"' {
            self.escapes(open + 3..close);
        }
        // Up to two more quotes may belong to the string.
        let more = self.bytes[close..].iter().take(5).take_while(|b| **b == quote).count();
        self.copy_to(close + more);
    }

    /// The position of the quote that ends a string whose inside starts at `from`.
    fn closing(&self, from: usize, quote: u8, stops: &[u8]) -> Option<usize> {
        let mut at = from;
        while let Some(&byte) = self.bytes.get(at) {
            if byte == quote {
                return Some(at);
            }
            if stops.contains(&byte) {
                return None;
            }
            at += if byte == b'\\' && quote == b'"' && self.bytes.get(at + 1).is_some_and(|b| !stops.contains(b)) {
                2
            } else {
                1
            };
        }
        None
    }

    /// The inside of a `"…"` or `"""…"""`.
    fn escapes(&mut self, inner: Range<usize>) {
        while self.at < inner.end {
            match (self.bytes[self.at], self.bytes.get(self.at + 1)) {
                (b'\\', Some(b'/')) => self.replace_to(self.at + 2, "/"),
                (b'\\', Some(next)) if next.is_ascii() => self.copy_to(self.at + 2),
                (b'\n' | b'\r', _) => self.newline(),
                (byte, _) if is_refused(byte) => self.replace_to(self.at + 1, &format!("\\u{byte:04X}")),
                _ => {
                    let next = self.bytes[self.at + 1..inner.end]
                        .iter()
                        .position(|b| matches!(b, b'\\' | b'\n' | b'\r') || is_refused(*b));
                    self.copy_to(next.map_or(inner.end, |n| self.at + 1 + n));
                }
            }
        }
    }

    /// A value without quotes: durations get quotes, numbers lose leading zeros.
    fn bare(&mut self) {
        let stop = |b: u8| matches!(b, b' ' | b'\t' | b'\n' | b'\r' | b',' | b'[' | b']' | b'{' | b'}' | b'=' | b'#');
        let end = self.find(stop);
        let word = &self.text[self.at..end];
        let digits = word.strip_prefix('-').unwrap_or(word);
        if digits.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
            let whole = digits.find('.').unwrap_or(digits.len());
            let zeros = digits[..whole].bytes().take_while(|b| *b == b'0').count().min(whole.saturating_sub(1));
            self.copy_to(end - digits.len());
            if zeros > 0 {
                self.replace_to(self.at + zeros, "");
            }
            self.copy_to(end);
        } else if parse_duration(word).is_ok() {
            let quoted = format!("\"{word}\"");
            self.replace_to(end, &quoted);
        } else {
            self.copy_to(end);
        }
    }
}

/// Control characters that strict TOML refuses in strings.
fn is_refused(byte: u8) -> bool {
    (byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r')) || byte == 0x7f
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_the_original_become_strict_toml() {
        let cases = [
            ("[tcp:5565]", "[\"tcp:5565\"]"),
            ("  [nginx access]", "  [\"nginx access\"]"),
            ("[:foo]", "[\":foo\"]"),
            ("[1000]", "[1000]"),
            ("[ X ]", "[\" X \"]"),
            ("[a.b c.0]", "[a.\"b c\".0]"),
            ("[\"a.b\"]", "[\"\\\"a\".\"b\\\"\"]"),
            ("RequestSize|B= \"%RequestSize%\"", "\"RequestSize|B\"= \"%RequestSize%\""),
            ("a.b = 1", "\"a.b\" = 1"),
            ("a#b@/% =1", "\"a#b@/%\" =1"),
            ("\"k\" = 1", "\"\\\"k\\\"\" = 1"),
            ("\"two words\" = 1", "\"two words\" = 1"),
            ("d = 30s", "d = \"30s\""),
            ("d = 1.5h # long", "d = \"1.5h\" "),
            ("n = 007", "n = 7"),
            ("n = -00", "n = -0"),
            ("x = 00.5", "x = 0.5"),
            ("n = 0", "n = 0"),
            ("s = \"a\\/b\\\\/\"", "s = \"a/b\\\\/\""),
            ("s = \"\u{1}\"", "s = \"\\u0001\""),
            ("s = 'a\u{1}\\'", "s = \"a\\u0001\\\\\""),
            ("s = '# \\ \"'", "s = '# \\ \"'"),
            ("a = 1\rb = 2\r\nc = 3\r", "a = 1\nb = 2\r\nc = 3\n"),
            ("a = [ 01, # one\r 2,]", "a = [ 1, \n 2,]"),
            ("a = [[\"#]\"], ['x\\']]", "a = [[\"#]\"], ['x\\']]"),
            ("s = \"\"\"\na\\/ \"\" # no\n\"\"\"\"\nk|x = 1", "s = \"\"\"\na/ \"\" # no\n\"\"\"\"\n\"k|x\" = 1"),
            ("t = { a = 1s, \"b\" = 'x' }", "t = { a = \"1s\", \"b\" = 'x' }"),
            ("# only\u{1} a comment", ""),
            ("日本|x = \"é\\/\"", "\"日本|x\" = \"é/\""),
        ];
        for (text, expected) in cases {
            assert_eq!(rewrite(text).0, expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_no_form_of_the_original_is_left_to_the_parser() {
        for text in
            ["[[a b]]", "[a", "[a..b]", "[]", "= 1", "k", "k v", "s = \"open", "s = 'open", "a = [1", "a = }", "= "]
        {
            assert_eq!(rewrite(text).0, text);
        }
    }

    #[test]
    fn plain_toml_is_left_alone() {
        let text =
            "[a]\nb = \"x\\ty\"\nc = [1, 2.5, true]\nd = 1979-05-27T07:32:00Z\n[a.b]\ne = 0x1F\nf = '''\n#x\n'''\n";
        assert_eq!(rewrite(text).0, text);
    }
}
