//! `message_matcher`: compiled, printed, compiled again, and asked about a message.

use super::message;
use crate::runner::{Target, outcome};
use heka_matcher::Compiler;

const WORDS: &[&str] = &[
    "Type",
    "Logger",
    "Payload",
    "Uuid",
    "EnvVersion",
    "Hostname",
    "Timestamp",
    "Severity",
    "Pid",
    "Fields[text]",
    "Fields[number][1][0]",
    "Fields[",
    "]",
    "TRUE",
    "FALSE",
    "NIL",
    "&&",
    "||",
    "!",
    "(",
    ")",
    "==",
    "!=",
    "<=",
    ">=",
    "<",
    ">",
    "=~",
    "!~",
    "/^a.*b$/",
    "/(?i)x{1,1000}/",
    "/[[:alpha:]]/",
    "\\",
    "\"",
    "'",
    "1.5e3",
    "-1",
    "\"2014-01-01T00:00:00Z\"",
];

#[test]
fn matcher() {
    let target = Target { name: "matcher", seeds: Vec::new(), words: WORDS, runs: 4000, memory: (24 << 20, 4096) };
    let batch = message(b"some text\n");
    target.run(|input| {
        let text = String::from_utf8_lossy(input);
        let mut compiler = Compiler::new();
        let matcher = match compiler.compile(&text, None) {
            Ok(matcher) => matcher,
            Err(error) => return outcome(error.to_string()),
        };
        let again = compiler.compile(&matcher.to_string(), None).expect("what is printed can be compiled");
        let predicates = compiler.finish_uncached();
        let row = batch.rows().next().unwrap();
        let holds = matcher.matches(&predicates, row);
        assert_eq!(holds, again.matches(&predicates, row), "{matcher}");
        assert_eq!(holds, !matcher.select(&predicates, &batch).is_none(), "{matcher}");
        outcome((holds, predicates.len()))
    });
}
