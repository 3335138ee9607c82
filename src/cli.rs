//! The daemon's command line.

use crate::flags::{Flag, Flags, Given, HELP, Takes, UsageError};
use std::ffi::{OsStr, OsString};
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

const FLAGS: Flags = Flags {
    program: "hekad",
    operands: "",
    table: &[
        Flag {
            name: "config",
            takes: Takes::Value("path"),
            default: DEFAULT_CONFIG,
            help: "file or directory of the configuration",
        },
        Flag { name: "check", takes: Takes::Bool, default: "", help: "check the configuration, then exit" },
        Flag {
            name: "dump-graph",
            takes: Takes::Optional("dot|mermaid|json"),
            default: "",
            help: "print the graph the configuration describes, then exit",
        },
        Flag {
            name: "schema",
            takes: Takes::Bool,
            default: "",
            help: "print the JSON schema of configurations, then exit",
        },
        Flag {
            name: "reference",
            takes: Takes::Value("dir"),
            default: "",
            help: "write the reference into a directory, then exit",
        },
        Flag { name: "version", takes: Takes::Bool, default: "", help: "print the version, then exit" },
        HELP,
    ],
};

/// What a flag looks like and does, one line a flag.
pub fn usage() -> String {
    FLAGS.usage()
}

/// Reads the arguments behind the program's name; what follows the flags is ignored, as it always was.
///
/// # Errors
/// When a flag is not known, or its value cannot be read.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Command, UsageError> {
    let given = FLAGS.parse(args)?;
    let format = graph_format(&given)?;
    let config = given.or_default("config").into();
    Ok(if given.is_on("help") {
        Command::Help
    } else if given.is_on("version") {
        Command::Version
    } else if given.is_on("schema") {
        Command::Schema
    } else if let Some(dir) = given.value("reference") {
        Command::Reference { dir: dir.into() }
    } else if let Some(format) = format {
        Command::DumpGraph { config, format }
    } else if given.is_on("check") {
        Command::Check { config }
    } else {
        Command::Run { config }
    })
}

/// The format that `-dump-graph` asks for, if it is given.
fn graph_format(given: &Given) -> Result<Option<GraphFormat>, UsageError> {
    let Some(value) = given.value("dump-graph").or(given.has("dump-graph").then_some(OsStr::new("dot"))) else {
        return Ok(None);
    };
    let found = GRAPH_FORMATS.iter().find(|(word, _)| value == *word);
    let refused = || FLAGS.error(format!("invalid value {value:?} for -dump-graph: use dot, mermaid or json"));
    found.map(|(_, format)| Some(*format)).ok_or_else(refused)
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
            // The first argument that is no flag ends them, and counts for nothing itself.
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
            ("--dump-graph=png", "invalid value \"png\" for -dump-graph: use dot, mermaid or json"),
        ];
        for (line, message) in cases {
            assert_eq!(run(line), Err(message.to_owned()), "{line}");
        }
    }
}
