//! Leaves `_type` out of action lines, for servers that know no types any more.

use super::bulk::is_delete;
use std::ops::Range;

/// Appends a record of lines with the `_type` of every action left out.
pub(super) fn without_types(record: &[u8], out: &mut Vec<u8>) {
    let mut is_action = true;
    for line in record.split_inclusive(|byte| *byte == b'\n') {
        let member = if is_action { type_member(line) } else { None };
        match member {
            Some(range) => {
                out.extend_from_slice(&line[..range.start]);
                out.extend_from_slice(&line[range.end..]);
            }
            None => out.extend_from_slice(line),
        }
        // Behind an action comes its document, and then the next action; a blank line is neither.
        is_action = !is_action || line.trim_ascii().is_empty() || is_delete(line);
    }
}

/// Where the member `"_type":"…"` of an action is, with one of the commas around it.
fn type_member(line: &[u8]) -> Option<Range<usize>> {
    let mut depth = 0;
    let mut at = 0;
    while let Some(byte) = line.get(at) {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            b'"' => {
                let end = string_end(line, at)?;
                let behind = skip_blanks(line, end);
                if depth == 2 && &line[at..end] == b"\"_type\"" && line.get(behind) == Some(&b':') {
                    let value = skip_blanks(line, behind + 1);
                    let value_end = if line.get(value) == Some(&b'"') {
                        string_end(line, value)?
                    } else {
                        value + line[value..].iter().position(|byte| matches!(byte, b',' | b'}'))?
                    };
                    let comma = skip_blanks(line, value_end);
                    return Some(match line[..at].trim_ascii_end() {
                        before if before.ends_with(b",") => before.len() - 1..value_end,
                        _ if line.get(comma) == Some(&b',') => at..comma + 1,
                        _ => at..value_end,
                    });
                }
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// Behind the string that begins at `start`.
fn string_end(line: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match line.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

fn skip_blanks(line: &[u8], from: usize) -> usize {
    from + line.get(from..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_type_of_an_action_is_left_out() {
        let cases = [
            (r#"{"index":{"_index":"i","_type":"t","_id":"x"}}"#, r#"{"index":{"_index":"i","_id":"x"}}"#),
            (r#"{"index":{"_index":"i","_type":"t"}}"#, r#"{"index":{"_index":"i"}}"#),
            (r#"{"index":{"_type":"t","_index":"i"}}"#, r#"{"index":{"_index":"i"}}"#),
            (r#"{"index":{"_type":"t"}}"#, r#"{"index":{}}"#),
            (r#"{ "index" : { "_type" : null , "_id" : "1" } }"#, r#"{ "index" : {  "_id" : "1" } }"#),
            (r#"{"index":{"_index":"\"_type\":\"","_type":"\\\""}}"#, r#"{"index":{"_index":"\"_type\":\""}}"#),
            (r#"{"index":{"_index":"_type"}}"#, r#"{"index":{"_index":"_type"}}"#),
            ("no json", "no json"),
            (r#"{"index":{"_type"#, r#"{"index":{"_type"#),
        ];
        for (line, expected) in cases {
            let document = "{\"a\":{\"_type\":\"kept\"}}\n";
            let mut out = Vec::new();
            without_types(format!("{line}\n{document}{line}\n{document}").as_bytes(), &mut out);
            let expected = format!("{expected}\n{document}{expected}\n{document}");
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
        let mut out = Vec::new();
        without_types(b"{\"delete\":{\"_type\":\"t\"}}\n{\"delete\":{\"_id\":\"1\",\"_type\":\"t\"}}\n", &mut out);
        assert_eq!(out, b"{\"delete\":{}}\n{\"delete\":{\"_id\":\"1\"}}\n");
    }

    proptest::proptest! {
        #[test]
        fn no_line_makes_it_panic(line in "[\\{\\}\":, _typeindex\\\\]{0,40}") {
            without_types(line.as_bytes(), &mut Vec::new());
        }
    }
}
