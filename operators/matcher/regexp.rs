//! Regular expressions as users of Heka write them: Go's flavour of RE2, told to the `regex` crate.
//!
//! The two differ in ways that change meanings silently: in Go `\d`, `\w`, `\s` and `\b` are ASCII, `\<` is a
//! plain `<`, a `{` that starts no count is a plain `{`, and `[` is nothing special inside a class. The
//! translation keeps capture groups, so decoders and splitters can use it too.

use std::fmt;
use std::str::Chars;

/// A regular expression that cannot be used. Displays as one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegexpError(String);

impl fmt::Display for RegexpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RegexpError {}

/// Compiles Go's `pattern` for matching bytes.
///
/// ```
/// let priority = heka_matcher::regexp::compile(r"^\<(?P<pri>\d+)\>").unwrap();
/// assert_eq!(&priority.captures(b"<34>su: failed").unwrap()["pri"], b"34");
/// ```
pub fn compile(pattern: &str) -> Result<regex::bytes::Regex, RegexpError> {
    let translated = translate(pattern)?;
    parse(&translated)?;
    regex::bytes::Regex::new(&translated).map_err(|error| match error {
        regex::Error::CompiledTooBig(limit) => RegexpError(format!("it needs more than {limit} bytes when compiled")),
        other => RegexpError(other.to_string().replace('\n', " ")),
    })
}

/// The syntax tree of a translated pattern. Reports what is wrong in one line, as the `regex` crate does not.
pub(crate) fn parse(translated: &str) -> Result<regex_syntax::hir::Hir, RegexpError> {
    regex_syntax::ParserBuilder::new().utf8(false).build().parse(translated).map_err(|error| {
        RegexpError(match error {
            regex_syntax::Error::Parse(error) => error.kind().to_string(),
            regex_syntax::Error::Translate(error) => error.kind().to_string(),
            other => other.to_string().replace('\n', " "),
        })
    })
}

/// Go's `pattern` in the syntax of the `regex` crate, with the same meaning.
pub fn translate(pattern: &str) -> Result<String, RegexpError> {
    let mut translator = Translator { rest: pattern.chars(), out: String::with_capacity(pattern.len() + 16) };
    while let Some(c) = translator.rest.next() {
        match c {
            '\\' => translator.escape()?,
            '[' => translator.class()?,
            '(' => translator.group()?,
            '{' => translator.count(),
            '.' | '*' | '+' | '?' | '|' | ')' | '^' | '$' => translator.out.push(c),
            c => translator.literal(c),
        }
    }
    Ok(translator.out)
}

const POSIX_CLASSES: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper", "word",
    "xdigit",
];

struct Translator<'a> {
    rest: Chars<'a>,
    out: String,
}

fn fail<T>(message: impl Into<String>) -> Result<T, RegexpError> {
    Err(RegexpError(message.into()))
}

/// The ASCII class behind `\d`, `\s` or `\w`, as the inside of a bracketed class.
fn perl_class(letter: char) -> Option<&'static str> {
    Some(match letter.to_ascii_lowercase() {
        'd' => "0-9",
        's' => r"\t\n\f\r ",
        'w' => "0-9A-Za-z_",
        _ => return None,
    })
}

impl<'a> Translator<'a> {
    fn eat(&mut self, prefix: &str) -> bool {
        let rest = self.rest.as_str().strip_prefix(prefix);
        if let Some(rest) = rest {
            self.rest = rest.chars();
        }
        rest.is_some()
    }

    fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }

    fn literal(&mut self, c: char) {
        if regex_syntax::is_meta_character(c) {
            self.out.push('\\');
        }
        self.out.push(c);
    }

    /// After a backslash outside a class.
    fn escape(&mut self) -> Result<(), RegexpError> {
        match self.peek() {
            Some('Q') => {
                let text = &self.rest.as_str()[1..]; // `Q` is one byte
                let (quoted, rest) = text.split_once("\\E").unwrap_or((text, ""));
                quoted.chars().for_each(|c| self.literal(c));
                self.rest = rest.chars();
                return Ok(());
            }
            Some('A') => self.out.push_str(r"\A"),
            Some('z') => self.out.push_str(r"\z"),
            Some('b') => self.out.push_str(r"(?-u:\b)"),
            Some('B') => self.out.push_str(r"(?-u:\B)"),
            _ => {
                if !self.class_escape(true)? {
                    let c = self.escaped_char()?;
                    self.literal(c);
                }
                return Ok(());
            }
        }
        self.rest.next();
        Ok(())
    }

    /// After a backslash: a Perl or Unicode class, if one is there. `bare` outside brackets.
    fn class_escape(&mut self, bare: bool) -> Result<bool, RegexpError> {
        let Some(letter) = self.peek() else { return Ok(false) };
        if let Some(set) = perl_class(letter) {
            self.rest.next();
            match (letter.is_ascii_uppercase(), bare) {
                (true, _) => self.out.extend(["[^", set, "]"]),
                (false, true) => self.out.extend(["[", set, "]"]),
                (false, false) => self.out.push_str(set),
            }
            return Ok(true);
        }
        if !matches!(letter, 'p' | 'P') {
            return Ok(false);
        }
        self.rest.next();
        let mut negated = letter == 'P';
        let text = self.rest.as_str();
        let name = if let Some(braced) = text.strip_prefix('{') {
            let Some((name, rest)) = braced.split_once('}') else { return fail("the name after `\\p{` has no end") };
            self.rest = rest.chars();
            name
        } else {
            let Some(letter) = self.rest.next() else { return fail("`\\p` needs the name of a Unicode class") };
            &text[..letter.len_utf8()]
        };
        let name = match name.strip_prefix('^') {
            Some(name) => {
                negated = !negated;
                name
            }
            None => name,
        };
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return fail(format!("`{name}` is no Unicode class"));
        }
        self.out.extend([if negated { "\\P{" } else { "\\p{" }, name, "}"]);
        Ok(true)
    }

    /// After a backslash: the one character it stands for.
    fn escaped_char(&mut self) -> Result<char, RegexpError> {
        let Some(c) = self.rest.next() else { return fail("a backslash ends the pattern") };
        Ok(match c {
            'a' => '\x07',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\x0b',
            'x' => return self.hex(),
            '1'..='7' if !self.peek().is_some_and(|next| next.is_digit(8)) => {
                return fail(format!("`\\{c}`: back-references are not supported"));
            }
            '0'..='7' => {
                let mut code = c.to_digit(8).unwrap_or(0);
                for _ in 0..2 {
                    let Some(digit) = self.peek().and_then(|next| next.to_digit(8)) else { break };
                    self.rest.next();
                    code = code * 8 + digit;
                }
                // Three octal digits are at most U+01FF.
                char::from_u32(code).unwrap_or('\0')
            }
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => c,
            c => return fail(format!("`\\{c}` is no escape sequence")),
        })
    }

    /// After `\x`: two hexadecimal digits, or any number of them in braces.
    fn hex(&mut self) -> Result<char, RegexpError> {
        let text = self.rest.as_str();
        let digits = if let Some(braced) = text.strip_prefix('{') {
            let Some((digits, rest)) = braced.split_once('}') else { return fail("`\\x{` has no end") };
            self.rest = rest.chars();
            digits
        } else {
            let Some((digits, rest)) = text.split_at_checked(2) else { return fail("`\\x` needs two digits") };
            self.rest = rest.chars();
            digits
        };
        let code = digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok());
        match code.flatten().and_then(char::from_u32) {
            Some(c) => Ok(c),
            None => fail(format!("`\\x` with `{digits}` is no character")),
        }
    }

    /// After `(`.
    fn group(&mut self) -> Result<(), RegexpError> {
        self.out.push('(');
        if !self.eat("?") {
            return Ok(());
        }
        if ["=", "!", "<=", "<!"].iter().any(|look| self.rest.as_str().starts_with(look)) {
            return fail("looking ahead or behind is not supported");
        }
        if self.eat("P<") || self.eat("<") {
            self.out.push_str("?P<");
            return Ok(());
        }
        self.out.push('?');
        loop {
            match self.rest.next() {
                Some(end @ (':' | ')')) => {
                    self.out.push(end);
                    return Ok(());
                }
                Some(flag @ ('i' | 'm' | 's' | 'U' | '-')) => self.out.push(flag),
                Some(other) => return fail(format!("`(?{other}` is neither a group nor one of the flags i, m, s, U")),
                None => return fail("missing `)`"),
            }
        }
    }

    /// After `{`: a count such as `{2}`, `{2,}` or `{2,5}`, else just a brace.
    fn count(&mut self) {
        let number = |digits: &str| {
            digits == "0"
                || (!digits.is_empty() && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit()))
        };
        let count = self.rest.as_str().split_once('}').filter(|(inside, _)| match inside.split_once(',') {
            None => number(inside),
            Some((low, high)) => number(low) && (high.is_empty() || number(high)),
        });
        let Some((inside, rest)) = count else { return self.literal('{') };
        self.out.extend(["{", inside, "}"]);
        self.rest = rest.chars();
    }

    /// After `[`.
    fn class(&mut self) -> Result<(), RegexpError> {
        self.out.push('[');
        if self.eat("^") {
            self.out.push('^');
        }
        let mut first = true;
        loop {
            match self.peek() {
                None => return fail("missing closing `]`"),
                Some(']') if !first => {
                    self.rest.next();
                    self.out.push(']');
                    return Ok(());
                }
                _ => {}
            }
            first = false;
            if self.posix_class()? {
                continue;
            }
            if self.rest.as_str().starts_with('\\') {
                let start = self.rest.clone();
                self.rest.next();
                if self.class_escape(false)? {
                    continue;
                }
                self.rest = start;
            }
            let low = self.class_char()?;
            self.literal(low);
            let mut ahead = self.rest.clone();
            if ahead.next() == Some('-') && ahead.next().is_some_and(|c| c != ']') {
                self.rest.next();
                let high = self.class_char()?;
                self.out.push('-');
                self.literal(high);
            }
        }
    }

    fn class_char(&mut self) -> Result<char, RegexpError> {
        match self.rest.next() {
            Some('\\') => self.escaped_char(),
            Some(c) => Ok(c),
            None => fail("missing closing `]`"),
        }
    }

    /// `[:name:]` inside a class, if one is there.
    fn posix_class(&mut self) -> Result<bool, RegexpError> {
        let Some(text) = self.rest.as_str().strip_prefix("[:") else { return Ok(false) };
        let Some((name, rest)) = text.split_once(":]") else { return Ok(false) };
        if !POSIX_CLASSES.contains(&name.strip_prefix('^').unwrap_or(name)) {
            return fail(format!("`[:{name}:]` is no class"));
        }
        self.out.extend(["[:", name, ":]"]);
        self.rest = rest.chars();
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn patterns_mean_what_they_mean_in_go() {
        for (pattern, matching, other) in [
            (r"^\<\d+\>", "<34>su", "34"),
            (r"^\d+$", "123", "١٢٣"),
            (r"^\w+$", "user_1", "é"),
            (r"^\s$", "\t", "\u{b}"),
            (r"\bab\b", "éabé", "cab"),
            (r#"{"key": {1}"#, r#"{"key": "#, "key"),
            (r"a{,2}", "a{,2}", "aa"),
            (r"^a{2}$", "aa", "a{2}"),
            (r"^a{02}$", "a{02}", "aa"),
            (r"[[]x", "[x", "x"),
            (r"^[a&&b]$", "&", "c"),
            (r"^[]x]$", "]", "["),
            (r"^[^]x]$", "a", "]"),
            (r"^[a-]$", "-", "b"),
            (r"^[\d-z]$", "-", "y"),
            (r"^[[:alpha:]\d]$", "5", "-"),
            (r"^[[:^alpha:]]$", "5", "a"),
            (r"^[\D]$", "x", "5"),
            (r"^[^\D]$", "5", "x"),
            (r"^\Qa.b*\E+$", "a.b**", "aXb*"),
            (r"\Q[", "[", "x"),
            (r"^\x41\x{42}\103\0?$", "ABC", "abc"),
            (r"^\p{Greek}\PL\pN$", "α-1", "a-1"),
            (r"^\p{^Greek}$", "a", "α"),
            (r"(?i)straSSE", "STRASSE", "gasse"),
            (r"^(?s:.)$", "\n", ""),
            (r"^.$", "é", "\n"),
            (r"(?m)^b$", "a\nb", "ab"),
            (r"a$", "a", "a\n"),
            (r"^(?P<n>x)(?:y)$", "xy", "x"),
            (r"a#b c&d~e", "a#b c&d~e", "ab"),
            (r"\/\-\_\!\ \@", "/-_! @", "/-_!@"),
            ("]}", "]}", "]"),
            ("|a", "", "\0"),
        ] {
            let regex = compile(pattern).unwrap_or_else(|e| panic!("{pattern}: {e}"));
            assert!(regex.is_match(matching.as_bytes()), "{pattern} on {matching:?}");
            assert!(other == "\0" || !regex.is_match(other.as_bytes()), "{pattern} on {other:?}");
        }
    }

    #[test]
    fn mistakes_are_told_in_one_line() {
        for (pattern, part) in [
            ("[", "missing closing"),
            ("[]", "missing closing"),
            ("[a-", "missing closing"),
            ("(", "unclosed group"),
            (")", "unopened group"),
            ("*a", "missing expression"),
            ("[z-a]", "invalid character class range"),
            (r"\8", "no escape"),
            (r"(a)\1", "back-references"),
            (r"\y", "no escape"),
            ("a\\", "a backslash ends"),
            (r"\x4", "two digits"),
            (r"\xé0", "no character"),
            (r"\xaé", "two digits"),
            (r"\x{110000}", "no character"),
            (r"\x{", "no end"),
            (r"\p{Klingon}", "Unicode property not found"),
            (r"\p{", "no end"),
            (r"\p", "needs the name"),
            ("[[:foo:]]", "is no class"),
            ("(?=a)", "not supported"),
            ("(?<!a)", "not supported"),
            ("(?x)a", "flags"),
            ("(?", "missing `)`"),
            ("((a{1000}){1000}){1000}", "bytes when compiled"),
        ] {
            let error = compile(pattern).expect_err(pattern).to_string();
            assert!(error.contains(part) && !error.contains('\n'), "{pattern}: {error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_translates_or_is_refused(pattern in r"[\[\](){}^$.*+?|\\:a-dpPQExw0-9,<>=!&~é -]{0,24}") {
            let _ = compile(&pattern);
        }

        #[test]
        fn quoted_text_matches_itself(text in any::<String>().prop_filter("no end", |t| !t.contains("\\E"))) {
            let regex = compile(&format!("^\\Q{text}\\E$")).unwrap();
            prop_assert!(regex.is_match(text.as_bytes()));
        }
    }
}
