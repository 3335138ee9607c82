//! The command line: flags in Go's and in GNU's manner, from one table.

use std::ffi::OsString;
use std::path::PathBuf;

/// The version of this program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Where the configuration is looked for when nothing else is said.
const DEFAULT_CONFIG: &str = if cfg!(windows) { "\\etc\\hekad.toml" } else { "/etc/hekad.toml" };

/// What the user asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Run the daemon.
    Run {
        /// File or directory.
        config: PathBuf,
    },
    /// Load the configuration, say what is wrong with it, and end.
    Check {
        /// File or directory.
        config: PathBuf,
    },
    /// Print the graph that the configuration describes, and end.
    DumpGraph {
        /// File or directory.
        config: PathBuf,
        /// As what.
        format: GraphFormat,
    },
    /// Print the version, and end.
    Version,
    /// Print the usage, and end.
    Help,
    /// Print the JSON schema of configurations, and end.
    Schema,
    /// Write the reference, and end.
    Reference {
        /// Into this directory.
        dir: PathBuf,
    },
}

/// How a graph is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GraphFormat {
    /// For Graphviz.
    Dot,
    /// For Markdown.
    Mermaid,
    /// For programs.
    Json,
}

const GRAPH_FORMATS: [(&str, GraphFormat); 3] =
    [("dot", GraphFormat::Dot), ("mermaid", GraphFormat::Mermaid), ("json", GraphFormat::Json)];

/// A command line that means nothing: exit with status 2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageError {
    message: String,
}

/// The message and the usage, as standard error should show them.
impl std::fmt::Display for UsageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}\n{}", self.message, usage())
    }
}

impl std::error::Error for UsageError {}

/// How a flag takes its value.
#[derive(Clone, Copy, PartialEq)]
enum Takes {
    /// `-x` or `-x=true`.
    Bool,
    /// `-x=value` or `-x value`.
    Value(&'static str),
    /// `-x` or `-x=value`.
    Optional(&'static str),
}

struct Flag {
    name: &'static str,
    takes: Takes,
    help: &'static str,
}

static FLAGS: &[Flag] = &[
    Flag { name: "config", takes: Takes::Value("path"), help: "file or directory of the configuration" },
    Flag { name: "check", takes: Takes::Bool, help: "check the configuration, then exit" },
    Flag {
        name: "dump-graph",
        takes: Takes::Optional("dot|mermaid|json"),
        help: "print the graph the configuration describes, then exit",
    },
    Flag { name: "schema", takes: Takes::Bool, help: "print the JSON schema of configurations, then exit" },
    Flag { name: "reference", takes: Takes::Value("dir"), help: "write the reference into a directory, then exit" },
    Flag { name: "version", takes: Takes::Bool, help: "print the version, then exit" },
    Flag { name: "help", takes: Takes::Bool, help: "print this text, then exit" },
];

/// What a flag looks like and does, one line a flag.
pub fn usage() -> String {
    let forms = FLAGS.iter().map(|flag| match flag.takes {
        Takes::Bool => format!("-{}", flag.name),
        Takes::Value(word) => format!("-{} {word}", flag.name),
        Takes::Optional(words) => format!("-{}[={words}]", flag.name),
    });
    let forms: Vec<String> = forms.collect();
    let width = forms.iter().map(String::len).max().unwrap_or(0);
    let mut text = String::from("Usage of hekad:\n");
    for (form, flag) in forms.iter().zip(FLAGS) {
        let default = if flag.name == "config" { format!(" (default {DEFAULT_CONFIG})") } else { String::new() };
        text.push_str(&format!("  {form:width$}  {}{default}\n", flag.help));
    }
    text
}

/// Reads the arguments behind the program's name. Flags have one dash or two and take a value as `-x=v` or
/// `-x v`; the last one of a name counts; everything from the first other argument on is ignored.
///
/// # Errors
/// When a flag is not known, or its value cannot be read.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Command, UsageError> {
    let mut args = args.into_iter();
    let mut given = Given::default();
    while let Some(arg) = args.next() {
        let Some((name, value)) = split(&arg)? else { break };
        let name = if name == "h" { "help" } else { name.as_str() };
        let flag = FLAGS
            .iter()
            .find(|flag| flag.name == name)
            .ok_or_else(|| error(format!("flag provided but not defined: -{name}")))?;
        let value = match (flag.takes, value) {
            (Takes::Value(_), None) => {
                Some(args.next().ok_or_else(|| error(format!("flag needs an argument: -{name}")))?)
            }
            (_, value) => value,
        };
        given.set(flag, value)?;
    }
    Ok(given.command())
}

/// The flags seen so far.
#[derive(Default)]
struct Given {
    config: Option<PathBuf>,
    reference: Option<PathBuf>,
    graph: Option<GraphFormat>,
    check: bool,
    schema: bool,
    version: bool,
    help: bool,
}

impl Given {
    fn set(&mut self, flag: &Flag, value: Option<OsString>) -> Result<(), UsageError> {
        match flag.name {
            "config" => self.config = value.map(PathBuf::from),
            "reference" => self.reference = value.map(PathBuf::from),
            "dump-graph" => self.graph = Some(graph_format(value)?),
            "check" => self.check = boolean(flag, value)?,
            "schema" => self.schema = boolean(flag, value)?,
            "version" => self.version = boolean(flag, value)?,
            _ => self.help = boolean(flag, value)?,
        }
        Ok(())
    }

    fn command(self) -> Command {
        let config = self.config.unwrap_or_else(|| DEFAULT_CONFIG.into());
        match self {
            Given { help: true, .. } => Command::Help,
            Given { version: true, .. } => Command::Version,
            Given { schema: true, .. } => Command::Schema,
            Given { reference: Some(dir), .. } => Command::Reference { dir },
            Given { graph: Some(format), .. } => Command::DumpGraph { config, format },
            Given { check: true, .. } => Command::Check { config },
            _ => Command::Run { config },
        }
    }
}

/// Name and value of a flag; `None` for what is none and ends the flags.
fn split(arg: &OsString) -> Result<Option<(String, Option<OsString>)>, UsageError> {
    let bytes = arg.as_encoded_bytes();
    let Some(rest) = bytes.strip_prefix(b"-") else { return Ok(None) };
    let rest = rest.strip_prefix(b"-").unwrap_or(rest);
    if rest.is_empty() {
        return Ok(None);
    }
    let name_len = rest.iter().position(|b| *b == b'=').unwrap_or(rest.len());
    let name = String::from_utf8_lossy(&rest[..name_len]).into_owned();
    if name.is_empty() || name.starts_with('-') {
        return Err(error(format!("bad flag syntax: {}", arg.to_string_lossy())));
    }
    let value = rest.get(name_len + 1..).map(|value| {
        // SAFETY: `value` is a suffix of an `OsString`'s own bytes, cut right behind an ASCII `=`.
        unsafe { OsString::from_encoded_bytes_unchecked(value.to_vec()) }
    });
    Ok(Some((name, value)))
}

fn boolean(flag: &Flag, value: Option<OsString>) -> Result<bool, UsageError> {
    let Some(value) = value else { return Ok(true) };
    match value.to_str() {
        Some("1" | "t" | "T" | "true" | "TRUE" | "True") => Ok(true),
        Some("0" | "f" | "F" | "false" | "FALSE" | "False") => Ok(false),
        _ => Err(error(format!("invalid boolean value {value:?} for -{}: parse error", flag.name))),
    }
}

fn graph_format(value: Option<OsString>) -> Result<GraphFormat, UsageError> {
    let Some(value) = value else { return Ok(GraphFormat::Dot) };
    let found = GRAPH_FORMATS.iter().find(|(word, _)| value == *word);
    found
        .map(|(_, format)| *format)
        .ok_or_else(|| error(format!("invalid value {value:?} for -dump-graph: use dot, mermaid or json")))
}

fn error(message: String) -> UsageError {
    UsageError { message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(line: &str) -> Result<Command, String> {
        parse(line.split(' ').filter(|a| !a.is_empty()).map(OsString::from)).map_err(|e| e.message)
    }

    fn config(path: &str) -> Command {
        Command::Run { config: path.into() }
    }

    #[test]
    fn flags_are_read_in_both_manners() {
        let graph = |format| Command::DumpGraph { config: DEFAULT_CONFIG.into(), format };
        let cases = [
            ("", config(DEFAULT_CONFIG)),
            ("-config=/etc/heka/conf.d/", config("/etc/heka/conf.d/")),
            ("-config /a", config("/a")),
            ("--config /a", config("/a")),
            ("--config=/a=b", config("/a=b")),
            ("-config=", config("")),
            ("-config=/a -config=/b", config("/b")),
            ("-config -version", config("-version")),
            ("-version", Command::Version),
            ("--version=t", Command::Version),
            ("-version=0", config(DEFAULT_CONFIG)),
            ("-version=true -version=false", config(DEFAULT_CONFIG)),
            ("-config=/a -version", Command::Version),
            ("-h", Command::Help),
            ("-help -version", Command::Help),
            ("--help", Command::Help),
            ("-check -config=/a", Command::Check { config: "/a".into() }),
            ("-schema", Command::Schema),
            ("-reference docs/reference", Command::Reference { dir: "docs/reference".into() }),
            ("--dump-graph", graph(GraphFormat::Dot)),
            ("-dump-graph=mermaid", graph(GraphFormat::Mermaid)),
            ("--dump-graph=json -check", graph(GraphFormat::Json)),
            // The first argument that is no flag ends them.
            ("-config=/a x -version", config("/a")),
            ("-- -version", config(DEFAULT_CONFIG)),
            ("- -version", config(DEFAULT_CONFIG)),
            ("-version false", Command::Version),
        ];
        for (line, command) in cases {
            assert_eq!(run(line), Ok(command), "{line}");
        }
    }

    #[test]
    fn what_means_nothing_is_refused() {
        let cases = [
            ("-bogus", "flag provided but not defined: -bogus"),
            ("-config", "flag needs an argument: -config"),
            ("-version=maybe", "invalid boolean value \"maybe\" for -version: parse error"),
            ("--dump-graph=png", "invalid value \"png\" for -dump-graph: use dot, mermaid or json"),
            ("---config", "bad flag syntax: ---config"),
            ("-=x", "bad flag syntax: -=x"),
        ];
        for (line, message) in cases {
            assert_eq!(run(line), Err(message.to_owned()), "{line}");
        }
    }

    #[test]
    fn the_usage_names_every_flag() {
        let shown = UsageError { message: "why".to_owned() }.to_string();
        assert!(shown.starts_with("why\nUsage of hekad:\n"));
        for flag in FLAGS {
            assert!(shown.contains(&format!("  -{}", flag.name)) && shown.contains(flag.help), "{}", flag.name);
        }
        assert!(shown.contains("/etc/hekad.toml"));
    }

    #[cfg(unix)]
    #[test]
    fn paths_need_not_be_utf8() {
        use std::os::unix::ffi::OsStringExt;
        let path = OsString::from_vec(b"/\xff".to_vec());
        let arg = OsString::from_vec(b"-config=/\xff".to_vec());
        assert_eq!(parse([arg]), Ok(Command::Run { config: path.into() }));
    }
}
