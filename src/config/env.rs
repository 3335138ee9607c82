//! `%ENV[NAME]`: values of the environment, put into the raw text before it is parsed.

use super::offsets::{Rewriter, Text};
use heka_settings::{Problem, Problems};

/// Looks a variable up; `None` when it is not set.
pub type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The environment of this process.
pub fn process_env(name: &str) -> Option<String> {
    // The standard library does not promise an answer for such names.
    if name.is_empty() || name.contains(['=', '\0']) {
        return None;
    }
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

const OPEN: &str = "%ENV[";

/// Replaces every `%ENV[NAME]`, in strings, keys, headers and comments alike, with the raw value of the
/// variable; one that is not set leaves nothing. A byte order mark at the start goes, too.
pub fn substitute(text: &Text, env: Env<'_>, problems: &mut Problems) -> Text {
    let source = text.text.as_str();
    let mut out = Rewriter::new(source);
    let mut done = 0;
    if source.starts_with('\u{feff}') {
        done = '\u{feff}'.len_utf8();
        out.replace(0..done, "");
    }
    while let Some(start) = source[done..].find(OPEN).map(|at| done + at) {
        out.copy(done..start);
        let name_start = start + OPEN.len();
        let Some(name_end) = source[name_start..].find(']').map(|at| name_start + at) else {
            problems.push(
                Problem::error(text.place(start..name_start), "Missing closing delimiter")
                    .help("write the name of the variable as %ENV[NAME]"),
            );
            done = name_start;
            continue;
        };
        let name = &source[name_start..name_end];
        if name.contains([' ', '\t', '\r', '\n']) || name.contains(OPEN) {
            let shown = start..name_start + name.find(['\r', '\n']).unwrap_or(name.len() + 1);
            problems.push(
                Problem::error(text.place(shown), "Invalid characters in environmental variable")
                    .help("write the name of the variable as %ENV[NAME], without blanks"),
            );
            done = name_start;
            continue;
        }
        done = name_end + 1;
        out.replace(start..done, &env(name).unwrap_or_default());
    }
    out.copy(done..source.len());
    text.then(out.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str) -> (String, Vec<(String, u32)>) {
        let env = |name: &str| match name {
            "HOST" => Some("example.org".to_owned()),
            "QUOTE" => Some("\"x\"\ny".to_owned()),
            _ => None,
        };
        let mut problems = Problems::default();
        let text = substitute(&Text::new(0, text.to_owned()), &env, &mut problems);
        (text.text, problems.iter().map(|p| (p.message.clone(), p.place.start)).collect())
    }

    #[test]
    fn variables_are_replaced_everywhere_and_raw() {
        let cases = [
            ("a = \"%ENV[HOST]:80\"", "a = \"example.org:80\""),
            ("[%ENV[HOST]] # %ENV[HOST]", "[example.org] # example.org"),
            ("a = %ENV[QUOTE]", "a = \"x\"\ny"),
            ("%%ENV[HOST]", "%example.org"),
            ("<%ENV[UNSET]|%ENV[]>", "<|>"),
            ("100% %ENV %env[HOST]", "100% %ENV %env[HOST]"),
            ("\u{feff}a", "a"),
        ];
        for (text, expected) in cases {
            assert_eq!(run(text), (expected.to_owned(), vec![]), "{text}");
        }
    }

    #[test]
    fn bad_forms_are_refused_where_they_stand() {
        let cases = [
            ("a = %ENV[HOST", "Missing closing delimiter", 4),
            ("%ENV[A B]", "Invalid characters in environmental variable", 0),
            ("a %ENV[A\n]", "Invalid characters in environmental variable", 2),
            ("%ENV[A%ENV[HOST]]", "Invalid characters in environmental variable", 0),
        ];
        for (text, message, start) in cases {
            assert_eq!(run(text).1, [(message.to_owned(), start)], "{text}");
        }
    }
}
