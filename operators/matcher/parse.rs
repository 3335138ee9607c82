//! The grammar: tokens become a typed expression, or an error that says where and why.
//!
//! ```text
//! or_expr  = and_expr { "||" and_expr }
//! and_expr = primary { "&&" primary }
//! primary  = "(" or_expr ")" | "TRUE" | "FALSE" | test
//! ```

use crate::MatchError;
use crate::atom::{Atom, FieldPath, FieldTest, NumberVariable, TextTest, TextVariable};
use crate::lex::{Lexer, Token};
use crate::logic::Logic;
use crate::pattern::Pattern;
use crate::relation::{NumberTest, Relation};
use std::ops::Range;

/// Deepest nesting of parentheses: keeps the stack of everything that walks an expression small.
const MAX_DEPTH: usize = 200;

/// Reads a whole matcher.
pub(crate) fn parse(text: &str) -> Result<Logic<Atom>, MatchError> {
    let mut lexer = Lexer::new(text);
    let (token, range) = lexer.next_token()?;
    let mut parser = Parser { text, lexer, token, range, depth: 0 };
    let logic = parser.or_expr()?;
    match parser.token {
        Token::End => Ok(logic),
        Token::Close => Err(parser.error("this `)` closes nothing")),
        _ => Err(parser.no_operator()),
    }
}

struct Parser<'a> {
    text: &'a str,
    lexer: Lexer<'a>,
    /// The token to be read next, and where it stands.
    token: Token,
    range: Range<usize>,
    depth: usize,
}

impl Parser<'_> {
    /// Takes the next token.
    fn take(&mut self) -> Result<Token, MatchError> {
        let (token, range) = self.lexer.next_token()?;
        self.range = range;
        Ok(std::mem::replace(&mut self.token, token))
    }

    fn or_expr(&mut self) -> Result<Logic<Atom>, MatchError> {
        let first = self.and_expr()?;
        if self.token != Token::Or {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.token == Token::Or {
            self.take()?;
            parts.push(self.and_expr()?);
        }
        Ok(Logic::Any(parts))
    }

    fn and_expr(&mut self) -> Result<Logic<Atom>, MatchError> {
        let first = self.primary()?;
        if self.token != Token::And {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.token == Token::And {
            self.take()?;
            parts.push(self.primary()?);
        }
        Ok(Logic::All(parts))
    }

    fn primary(&mut self) -> Result<Logic<Atom>, MatchError> {
        if !matches!(
            self.token,
            Token::Open | Token::Bool(_) | Token::TextVariable(_) | Token::NumberVariable(_) | Token::Field(_)
        ) {
            return Err(self.no_test());
        }
        let start = self.range.start;
        Ok(match self.take()? {
            Token::Open => self.group(start)?,
            Token::Bool(value) => Logic::Constant(value),
            Token::TextVariable(variable) => Logic::Test(Atom::Text(variable, self.text_test(variable)?)),
            Token::NumberVariable(variable) => Logic::Test(Atom::Number(variable, self.number_test(variable)?)),
            Token::Field(path) => {
                let test = self.field_test(&path)?;
                Logic::Test(Atom::Field(path, test))
            }
            _ => return Err(self.no_test()),
        })
    }

    /// After `(`, which stands at `start`.
    fn group(&mut self, start: usize) -> Result<Logic<Atom>, MatchError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let message = format!("parentheses are nested more than {MAX_DEPTH} deep");
            return Err(self.lexer.error(start..start + 1, message));
        }
        let logic = self.or_expr()?;
        match self.token {
            Token::Close => self.take()?,
            Token::End => return Err(self.lexer.error(start..start + 1, "this `(` is never closed")),
            _ => return Err(self.no_operator()),
        };
        self.depth -= 1;
        Ok(logic)
    }

    fn text_test(&mut self, variable: TextVariable) -> Result<TextTest, MatchError> {
        let what = format!("{variable:?} is text");
        match self.token {
            Token::Relation(relation) => {
                self.take()?;
                match self.token {
                    Token::String(_) => self.compare_text(relation),
                    _ => Err(self.no_value(relation, &format!("{what}: `{}` needs a string", relation.symbol()))),
                }
            }
            Token::Search { negated } => self.search(negated),
            _ => Err(self.no_comparison()),
        }
    }

    fn number_test(&mut self, variable: NumberVariable) -> Result<NumberTest, MatchError> {
        match self.token {
            Token::Relation(relation) => {
                self.take()?;
                match self.token {
                    Token::Number(_) => self.compare_number(relation),
                    _ => Err(self.no_value(relation, &format!("{variable:?} is compared with a number"))),
                }
            }
            Token::Search { .. } => {
                Err(self.error(format!("{variable:?} is a number: no regular expression matches it")))
            }
            _ => Err(self.no_comparison()),
        }
    }

    fn field_test(&mut self, path: &FieldPath) -> Result<FieldTest, MatchError> {
        let relation = match self.token {
            Token::Relation(relation) => relation,
            Token::Search { negated } => return self.search(negated).map(FieldTest::Text),
            _ => return Err(self.no_comparison()),
        };
        self.take()?;
        match (&self.token, relation) {
            (Token::String(_), _) => self.compare_text(relation).map(FieldTest::Text),
            (Token::Number(_), _) => self.compare_number(relation).map(FieldTest::Number),
            (Token::Bool(value), Relation::Equal) => {
                let value = *value;
                self.take()?;
                Ok(FieldTest::Bool(value))
            }
            (Token::Bool(value), _) => {
                let opposite = if *value { "FALSE" } else { "TRUE" };
                let error = self.error("TRUE and FALSE are compared with `==` only");
                Err(if relation == Relation::NotEqual {
                    error.help(format!("write {path} == {opposite}"))
                } else {
                    error
                })
            }
            (Token::Nil, Relation::Equal) => self.take().map(|_| FieldTest::Missing),
            (Token::Nil, Relation::NotEqual) => self.take().map(|_| FieldTest::Present),
            (Token::Nil, _) => Err(self.error("NIL is compared with `==` and `!=` only")),
            _ => Err(self.no_value(relation, "a field is compared with a string, a number, TRUE, FALSE or NIL")),
        }
    }

    fn compare_text(&mut self, relation: Relation) -> Result<TextTest, MatchError> {
        match self.take()? {
            Token::String(text) => Ok(TextTest::Compare(relation, text)),
            _ => Err(self.error("expected a string")),
        }
    }

    fn compare_number(&mut self, relation: Relation) -> Result<NumberTest, MatchError> {
        match self.take()? {
            Token::Number(number) => Ok(NumberTest { relation, number }),
            _ => Err(self.error("expected a number")),
        }
    }

    /// From `=~` or `!~`.
    fn search(&mut self, negated: bool) -> Result<TextTest, MatchError> {
        self.take()?;
        let Token::Regex(source) = &self.token else {
            let error = self.error(format!("expected a regular expression, found {}", self.found()));
            return Err(error.help("regular expressions stand between slashes, as in /^web/"));
        };
        let pattern = Pattern::new(source)
            .map_err(|cause| self.error(format!("this regular expression cannot be used: {cause}")))?;
        self.take()?;
        Ok(TextTest::Search { pattern, negated })
    }

    fn error(&self, message: impl Into<String>) -> MatchError {
        self.lexer.error(self.range.clone(), message)
    }

    /// The next token, as messages show it.
    fn found(&self) -> String {
        match self.token {
            Token::End => "the end".to_owned(),
            _ => format!("`{}`", &self.text[self.range.clone()]),
        }
    }

    fn no_test(&self) -> MatchError {
        let word = &self.text[self.range.clone()];
        match self.token {
            Token::Unknown => {
                let error = self.error(format!("unknown word `{word}`"));
                const KNOWN: [&str; 13] = [
                    "Uuid",
                    "Type",
                    "Logger",
                    "Payload",
                    "EnvVersion",
                    "Hostname",
                    "Timestamp",
                    "Severity",
                    "Pid",
                    "Fields",
                    "TRUE",
                    "FALSE",
                    "NIL",
                ];
                match KNOWN.iter().find(|known| known.eq_ignore_ascii_case(word)) {
                    Some(known) => error.help(format!("write `{known}`: capital letters matter")),
                    None if word.eq_ignore_ascii_case("not") => {
                        error.help("there is no negation; write `!=` or `!~`, or turn the comparison round")
                    }
                    None => error.help(format!("if `{word}` is a field, write Fields[{word}]")),
                }
            }
            Token::String(_) | Token::Number(_) | Token::Regex(_) | Token::Nil => self
                .error(format!("expected a test, found {}", self.found()))
                .help("the variable stands on the left, as in Type == 'x'"),
            Token::End if self.text.trim().is_empty() => {
                self.error("the matcher is empty").help("write TRUE to match every message")
            }
            _ => self.error(format!("expected a test, found {}", self.found())),
        }
    }

    fn no_comparison(&self) -> MatchError {
        let error = self.error(format!("expected a comparison, found {}", self.found()));
        match self.token {
            Token::Number(_) | Token::String(_) | Token::Regex(_) | Token::Bool(_) | Token::Nil => {
                error.help("comparisons are == != > >= < <= and, with a regular expression, =~ !~")
            }
            _ => error,
        }
    }

    fn no_operator(&self) -> MatchError {
        let error = self.error(format!("expected `&&` or `||`, found {}", self.found()));
        match &self.text[self.range.clone()] {
            word if word.eq_ignore_ascii_case("and") => error.help("write `&&`"),
            word if word.eq_ignore_ascii_case("or") => error.help("write `||`"),
            _ if self.token == Token::Open || matches!(self.token, Token::Field(_)) || self.starts_test() => {
                error.help("join tests with `&&` or `||`")
            }
            _ => error,
        }
    }

    fn starts_test(&self) -> bool {
        matches!(self.token, Token::TextVariable(_) | Token::NumberVariable(_) | Token::Bool(_))
    }

    /// What stands right of `relation` is no value, or not one that `rule` allows.
    fn no_value(&self, relation: Relation, rule: &str) -> MatchError {
        let error = self.error(format!("{rule}, found {}", self.found()));
        match (&self.token, relation) {
            (Token::Unknown, _) => error.help(format!("text stands in quotes: '{}'", &self.text[self.range.clone()])),
            (Token::Regex(_), _) => error.help("regular expressions are matched with =~ and !~"),
            (Token::Relation(Relation::Greater), Relation::Less) => error.help("inequality is written `!=`"),
            (Token::TextVariable(_) | Token::NumberVariable(_) | Token::Field(_), _) => {
                error.help("a variable is compared with a literal, not with another variable")
            }
            _ => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn errors_say_where_why_and_what_to_do() {
        for (text, at, last, message, help) in [
            ("", 0..0, "", "the matcher is empty", "write TRUE to match every message"),
            (" \n ", 3..3, "", "the matcher is empty", "write TRUE"),
            ("Type", 4..4, "Type", "expected a comparison, found the end", ""),
            ("Type ==", 7..7, "Type", "Type is text: `==` needs a string, found the end", ""),
            ("type == 'x'", 0..4, "type", "unknown word `type`", "write `Type`: capital letters matter"),
            ("status == 200", 0..6, "status", "unknown word `status`", "write Fields[status]"),
            ("NOT TRUE", 0..3, "NOT", "unknown word `NOT`", "there is no negation"),
            ("!TRUE", 0..1, "", "unexpected `!`", "there is no negation"),
            ("Type = 'x'", 5..6, "Type", "unexpected `=`", "equality is written `==`"),
            ("TRUE &", 5..6, "TRUE", "unexpected `&`", "write `&&`"),
            ("TRUE |", 5..6, "TRUE", "unexpected `|`", "write `||`"),
            ("Severity > -1", 11..12, "Severity", "unexpected `-`", "numbers have no sign"),
            ("Severity == \0", 12..13, "Severity", "unexpected character U+0000", ""),
            ("Severity == é", 12..14, "Severity", "unexpected `é`", ""),
            ("Type == 'x", 8..10, "'x", "this string has no end", "close it with `'`"),
            ("Type == 'x\\", 8..11, "'x\\", "this string has no end", "close it with `'`"),
            ("Type =~ /x", 8..10, "/x", "this regular expression has no end", "close it with `/`"),
            ("Type =~ /[/", 8..11, "/[/", "cannot be used: missing closing `]`", ""),
            ("Type =~ 'x'", 8..11, "'x'", "expected a regular expression, found `'x'`", "between slashes"),
            ("Type == /x/", 8..11, "/x/", "Type is text: `==` needs a string", "matched with =~ and !~"),
            ("Type == Logger", 8..14, "Logger", "needs a string, found `Logger`", "not with another variable"),
            ("Severity == '4'", 12..15, "'4'", "Severity is compared with a number, found `'4'`", ""),
            ("Severity =~ /4/", 9..11, "Severity", "Severity is a number", ""),
            ("Severity == 1.2.3", 12..17, "1.2.3", "`1.2.3` is not a number", ""),
            ("Severity == 4E0", 13..15, "E0", "expected `&&` or `||`, found `E0`", ""),
            ("Fields[m] == GET", 13..16, "GET", "a field is compared with", "text stands in quotes: 'GET'"),
            ("Fields[m] != TRUE", 13..17, "TRUE", "compared with `==` only", "write Fields[m] == FALSE"),
            ("Fields[m] > NIL", 12..15, "NIL", "NIL is compared with `==` and `!=` only", ""),
            ("Fields[m] <> 1", 11..12, "Fields[m]", "found `>`", "inequality is written `!=`"),
            ("Fields[m] 1", 10..11, "1", "expected a comparison, found `1`", "comparisons are =="),
            ("Fields", 0..6, "Fields", "`Fields` needs the name of a field", "Fields[name]"),
            ("Fields [a] == 1", 0..6, "Fields", "`Fields` needs the name of a field", "without blanks"),
            ("Fields[] == 1", 0..8, "Fields[]", "the name of this field is empty", "Fields[name]"),
            ("Fields[a", 0..8, "Fields[a", "the name of this field has no end", "Fields[name]"),
            ("Fields[a][x] == 1", 9..11, "Fields[a][", "an index is a whole number", "Fields[name][1]"),
            ("Fields[a][-1] == 1", 9..12, "Fields[a][", "an index is a whole number", "Fields[name][1]"),
            (
                "Fields[a][99999999999999999999] == 1",
                9..30,
                "Fields[a][99999999999999999999",
                "an index is",
                "Fields[name][1]",
            ),
            ("Fields[a][0][0][0] == 1", 15..16, "Fields[a][0][0]", "two indexes at most", "Fields[name]"),
            ("Fields[a] [0] == 1", 10..11, "Fields[a]", "unexpected `[`", "without blanks"),
            ("'x' == Type", 0..3, "'x'", "expected a test, found `'x'`", "the variable stands on the left"),
            ("(TRUE", 0..1, "TRUE", "this `(` is never closed", ""),
            ("TRUE)", 4..5, "TRUE", "this `)` closes nothing", ""),
            ("()", 1..2, "", "expected a test, found `)`", ""),
            ("TRUE &&", 7..7, "TRUE", "expected a test, found the end", ""),
            ("TRUE and TRUE", 5..8, "and", "expected `&&` or `||`, found `and`", "write `&&`"),
            ("TRUE OR TRUE", 5..7, "OR", "expected `&&` or `||`, found `OR`", "write `||`"),
            ("Type == 'a' Pid == 1", 12..15, "Pid", "expected `&&` or `||`", "join tests"),
            ("(TRUE TRUE)", 6..10, "TRUE", "expected `&&` or `||`, found `TRUE`", "join tests"),
        ] {
            let error = parse(text).expect_err(text);
            assert_eq!(error.offset..error.offset + error.len, at, "{text}: {error}");
            assert!(error.message.contains(message), "{text}: {error}");
            assert!(error.help.as_deref().unwrap_or("").contains(help), "{text}: {:?}", error.help);
            assert_eq!(help.is_empty(), error.help.is_none(), "{text}: {:?}", error.help);
            let opening = format!("syntax error: last token: {last} pos: {}: ", at.end);
            assert!(error.to_string().starts_with(&opening), "{text}: {error} instead of {opening}");
        }
    }

    #[test]
    fn parentheses_nest_so_deep_and_no_deeper() {
        let nested = |depth: usize| format!("{}TRUE{}", "(".repeat(depth), ")".repeat(depth));
        assert!(parse(&nested(MAX_DEPTH)).is_ok());
        let error = parse(&nested(100_000)).unwrap_err();
        assert_eq!((error.offset, error.len), (MAX_DEPTH, 1));
        assert!(error.message.contains("nested more than 200 deep"));
    }

    #[test]
    fn chains_may_be_long() {
        let chain = vec!["Pid == 1"; 20_000].join(" || ");
        assert_eq!(parse(&chain).unwrap().to_string(), chain);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_at_a_place_in_it(text in any::<String>()) {
            check_place(&text)?;
        }

        #[test]
        fn any_tokens_are_read_or_refused_at_a_place_in_them(tokens in proptest::collection::vec(prop_oneof![
            Just("Type"), Just("Pid"), Just("Fields[a]"), Just("Fields["), Just("TRUE"), Just("NIL"), Just("(("),
            Just(")"), Just("=="), Just("!="), Just("<"), Just("=~"), Just("!~"), Just("/a\\/b/"), Just("/["),
            Just("'a'"), Just("'\\"), Just("\"é"), Just("1.5"), Just("1-"), Just("&&"), Just("||"), Just("&"),
            Just("[0]"), Just("é"), Just("\n"), Just("\0"),
        ], 0..16), blank in " ?") {
            check_place(&tokens.join(&blank))?;
        }
    }

    fn check_place(text: &str) -> Result<(), TestCaseError> {
        if let Err(error) = parse(text) {
            prop_assert!(text.get(error.offset..error.offset + error.len).is_some(), "{error:?}");
        }
        Ok(())
    }
}
