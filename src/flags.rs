//! Flags in Go's and in GNU's manner, from one table a program: `-name=value`, `--name value`, `-switch`.

use std::ffi::{OsStr, OsString};
use std::str::FromStr;

/// How a flag takes its value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Takes {
    /// `-x` or `-x=true`.
    Bool,
    /// `-x=value` or `-x value`; the word stands for the value in the usage.
    Value(&'static str),
    /// `-x` or `-x=value`.
    Optional(&'static str),
}

/// One flag.
#[derive(Clone, Copy, Debug)]
pub struct Flag {
    /// Its name, without dashes.
    pub name: &'static str,
    /// How it takes its value.
    pub takes: Takes,
    /// The value when it is not given; empty: none.
    pub default: &'static str,
    /// What it does, in a few words.
    pub help: &'static str,
}

/// `-help`, which every program has.
pub const HELP: Flag = Flag { name: "help", takes: Takes::Bool, default: "", help: "print this text, then exit" };

/// The flags of a program.
#[derive(Clone, Copy, Debug)]
pub struct Flags {
    /// The program's name.
    pub program: &'static str,
    /// What follows the flags, for the usage; empty: nothing.
    pub operands: &'static str,
    /// The flags.
    pub table: &'static [Flag],
}

/// A command line that means nothing. Displays as the message and the usage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageError {
    /// What is wrong, in one line.
    pub message: String,
    usage: String,
}

impl std::fmt::Display for UsageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}\n{}", self.message, self.usage)
    }
}

impl std::error::Error for UsageError {}

impl Flags {
    /// What the flags look like and do, one line a flag.
    pub fn usage(&self) -> String {
        let forms = self.table.iter().map(|flag| match flag.takes {
            Takes::Bool => format!("-{}", flag.name),
            Takes::Value(word) => format!("-{} {word}", flag.name),
            Takes::Optional(words) => format!("-{}[={words}]", flag.name),
        });
        let forms: Vec<String> = forms.collect();
        let width = forms.iter().map(String::len).max().unwrap_or(0);
        let head = [self.program, "[flags]", self.operands].join(" ");
        let mut text = match self.operands {
            "" => format!("Usage of {}:\n", self.program),
            _ => format!("Usage: {head}\n"),
        };
        for (form, flag) in forms.iter().zip(self.table) {
            let default = if flag.default.is_empty() { String::new() } else { format!(" (default {})", flag.default) };
            text.push_str(&format!("  {form:width$}  {}{default}\n", flag.help));
        }
        text
    }

    /// Reads the arguments behind the program's name. The last flag of a name counts; the first argument that is
    /// no flag ends them, and `--` does.
    ///
    /// # Errors
    /// When a flag is not known, lacks its value, or has one that is no truth value where it must be.
    pub fn parse(&self, args: impl IntoIterator<Item = OsString>) -> Result<Given, UsageError> {
        let mut given = Given { flags: *self, set: Vec::new(), operands: Vec::new() };
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            let (name, value) = match self.split(&arg)? {
                Arg::Flag(name, value) => (name, value),
                Arg::End => break,
                Arg::Operand => {
                    given.operands.push(arg);
                    break;
                }
            };
            let name = if name == "h" { "help" } else { name.as_str() };
            let flag = self.table.iter().find(|flag| flag.name == name);
            let flag = flag.ok_or_else(|| self.error(format!("flag provided but not defined: -{name}")))?;
            let value = match (flag.takes, value) {
                (Takes::Value(_), None) => {
                    Some(args.next().ok_or_else(|| self.error(format!("flag needs an argument: -{name}")))?)
                }
                (_, value) => value,
            };
            if flag.takes == Takes::Bool && truth(value.as_deref()).is_none() {
                let value = value.unwrap_or_default();
                return Err(self.error(format!("invalid boolean value {value:?} for -{name}: parse error")));
            }
            given.set.push((flag, value));
        }
        given.operands.extend(args);
        Ok(given)
    }

    /// A mistake in this program's command line.
    pub fn error(&self, message: impl Into<String>) -> UsageError {
        UsageError { message: message.into(), usage: self.usage() }
    }

    fn split(&self, arg: &OsString) -> Result<Arg, UsageError> {
        let bytes = arg.as_encoded_bytes();
        let Some(rest) = bytes.strip_prefix(b"-") else { return Ok(Arg::Operand) };
        if rest.is_empty() {
            return Ok(Arg::Operand);
        }
        let rest = rest.strip_prefix(b"-").unwrap_or(rest);
        if rest.is_empty() {
            return Ok(Arg::End);
        }
        let name_len = rest.iter().position(|b| *b == b'=').unwrap_or(rest.len());
        let name = String::from_utf8_lossy(&rest[..name_len]).into_owned();
        if name.is_empty() || name.starts_with('-') {
            return Err(self.error(format!("bad flag syntax: {}", arg.to_string_lossy())));
        }
        let value = rest.get(name_len + 1..).map(|value| {
            // SAFETY: `value` is a suffix of an `OsString`'s own bytes, cut right behind an ASCII `=`.
            unsafe { OsString::from_encoded_bytes_unchecked(value.to_vec()) }
        });
        Ok(Arg::Flag(name, value))
    }
}

/// What an argument is.
enum Arg {
    Flag(String, Option<OsString>),
    /// `--`.
    End,
    Operand,
}

/// The truth value of a switch; `None` when it is none.
fn truth(value: Option<&OsStr>) -> Option<bool> {
    match value.map(OsStr::to_str) {
        None | Some(Some("1" | "t" | "T" | "true" | "TRUE" | "True")) => Some(true),
        Some(Some("0" | "f" | "F" | "false" | "FALSE" | "False")) => Some(false),
        Some(_) => None,
    }
}

/// The flags and operands of a command line.
#[derive(Clone, Debug)]
pub struct Given {
    flags: Flags,
    set: Vec<(&'static Flag, Option<OsString>)>,
    operands: Vec<OsString>,
}

impl Given {
    /// Whether there is no flag at all.
    pub fn is_empty(&self) -> bool {
        self.set.is_empty()
    }

    /// The arguments behind the flags.
    pub fn operands(&self) -> &[OsString] {
        &self.operands
    }

    /// Whether a flag is given, with or without a value.
    pub fn has(&self, name: &str) -> bool {
        self.set.iter().any(|(flag, _)| flag.name == name)
    }

    /// Whether a switch is on.
    pub fn is_on(&self, name: &str) -> bool {
        self.last(name).is_some_and(|value| truth(value.as_deref()) == Some(true))
    }

    /// A flag's value as given; `None` when the flag is not given, or without one.
    pub fn value(&self, name: &str) -> Option<&OsStr> {
        self.last(name)?.as_deref()
    }

    /// Every value of a flag that may be given several times, in order.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &OsStr> {
        self.set.iter().filter(move |(flag, _)| flag.name == name).filter_map(|(_, value)| value.as_deref())
    }

    /// A flag's value, or else its default.
    pub fn or_default(&self, name: &str) -> &OsStr {
        let default = || self.flags.table.iter().find(|flag| flag.name == name).map_or("", |flag| flag.default);
        self.value(name).unwrap_or_else(|| OsStr::new(default()))
    }

    /// A flag's value, or else its default, as text; bytes that are no text are replaced.
    pub fn text(&self, name: &str) -> String {
        self.or_default(name).to_string_lossy().into_owned()
    }

    /// A flag's value, or else its default, as a number or whatever else has a text form.
    ///
    /// # Errors
    /// When it is none.
    pub fn parsed<T: FromStr>(&self, name: &str) -> Result<T, UsageError> {
        let value = self.or_default(name);
        let parsed = value.to_str().and_then(|text| text.parse().ok());
        parsed.ok_or_else(|| self.flags.error(format!("invalid value {value:?} for flag -{name}: parse error")))
    }

    fn last(&self, name: &str) -> Option<&Option<OsString>> {
        self.set.iter().rev().find(|(flag, _)| flag.name == name).map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLAGS: Flags = Flags {
        program: "demo",
        operands: "<file>",
        table: &[
            Flag { name: "count", takes: Takes::Value("n"), default: "7", help: "how many" },
            Flag { name: "tail", takes: Takes::Bool, default: "", help: "go on" },
            Flag { name: "draw", takes: Takes::Optional("dot|json"), default: "", help: "draw it" },
            HELP,
        ],
    };

    fn parse(line: &str) -> Result<Given, UsageError> {
        FLAGS.parse(line.split(' ').filter(|arg| !arg.is_empty()).map(OsString::from))
    }

    #[test]
    fn flags_are_read_in_both_manners() {
        // The line, the count, whether -tail is on, what follows.
        let cases: [(&str, u32, bool, &[&str]); 14] = [
            ("", 7, false, &[]),
            ("-count=3", 3, false, &[]),
            ("-count 3 file", 3, false, &["file"]),
            ("--count 3 --tail file", 3, true, &["file"]),
            ("--count=3 -tail=t", 3, true, &[]),
            ("-tail=0 file", 7, false, &["file"]),
            ("-tail -tail=false", 7, false, &[]),
            ("-count=1 -count=2", 2, false, &[]),
            // The first operand ends the flags.
            ("file -tail", 7, false, &["file", "-tail"]),
            ("-tail false", 7, true, &["false"]),
            ("-- -tail", 7, false, &["-tail"]),
            ("-tail -- -count=1", 7, true, &["-count=1"]),
            ("- -tail", 7, false, &["-", "-tail"]),
            ("-draw -tail a b", 7, true, &["a", "b"]),
        ];
        for (line, count, tail, operands) in cases {
            let given = parse(line).unwrap();
            assert_eq!(given.parsed("count"), Ok(count), "{line}");
            assert_eq!(given.is_on("tail"), tail, "{line}");
            assert_eq!(given.operands(), operands, "{line}");
        }
        assert!(parse("file -tail").unwrap().is_empty() && !parse("-tail file").unwrap().is_empty());
        let given = parse("-draw -h").unwrap();
        assert!(given.has("draw") && given.value("draw").is_none() && given.is_on("help"));
        let given = parse("-count=1 -draw=x -count 2").unwrap();
        assert!(given.all("count").eq(["1", "2"]));
        assert_eq!(parse("-draw=json").unwrap().value("draw"), Some(OsStr::new("json")));
    }

    #[test]
    fn what_means_nothing_is_refused() {
        let cases = [
            ("-bogus", "flag provided but not defined: -bogus"),
            ("-count", "flag needs an argument: -count"),
            ("-tail=maybe", "invalid boolean value \"maybe\" for -tail: parse error"),
            ("---count", "bad flag syntax: ---count"),
            ("-=x", "bad flag syntax: -=x"),
        ];
        for (line, message) in cases {
            assert_eq!(parse(line).unwrap_err().message, message);
        }
        let error = parse("-count=x").unwrap().parsed::<u32>("count").unwrap_err();
        assert_eq!(error.message, "invalid value \"x\" for flag -count: parse error");
    }

    #[test]
    fn the_usage_names_every_flag() {
        let lines = [
            "why",
            "Usage: demo [flags] <file>",
            "  -count n          how many (default 7)",
            "  -tail             go on",
            "  -draw[=dot|json]  draw it",
            "  -help             print this text, then exit",
            "",
        ];
        assert_eq!(FLAGS.error("why").to_string(), lines.join("\n"));
    }

    #[cfg(unix)]
    #[test]
    fn values_and_operands_need_not_be_utf8() {
        use std::os::unix::ffi::OsStringExt;
        let odd = || OsString::from_vec(b"\xff".to_vec());
        let given = FLAGS.parse([OsString::from_vec(b"-count=\xff".to_vec()), odd()]).unwrap();
        assert_eq!((given.value("count"), given.operands()), (Some(&*odd()), &[odd()][..]));
        assert!(given.parsed::<u32>("count").is_err());
    }
}
