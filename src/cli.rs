//! The command line: Go-style and GNU-style flags, one table for parsing and usage.

use crate::plan::Format;
use std::path::PathBuf;

/// What the user asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Run the daemon with this configuration.
    Run(PathBuf),
    /// Check the configuration and exit.
    Check(PathBuf),
    /// Print the plan's graph and exit.
    DumpGraph(PathBuf, Format),
    /// Print the version and exit.
    Version,
    /// Print the usage and exit.
    Help,
}

struct Flag {
    name: &'static str,
    value: &'static str,
    help: &'static str,
}

const FLAGS: [Flag; 5] = [
    Flag { name: "config", value: "<path>", help: "file or directory to load (default /etc/hekad.toml)" },
    Flag { name: "check", value: "", help: "parse, resolve and compile the configuration; exit 0 or 1" },
    Flag { name: "dump-graph", value: "[=dot|mermaid|json]", help: "print the dataflow graph without running it" },
    Flag { name: "version", value: "", help: "print the version" },
    Flag { name: "help", value: "", help: "print this text" },
];

/// The usage text.
pub fn usage() -> String {
    let mut text =
        "Usage: hekad [flags]\n\nFlags take one dash or two, and their value behind `=` or a blank.\n\n".to_owned();
    for flag in &FLAGS {
        text.push_str(&format!(
            "  -{:<32} {}\n",
            format!("{}{}{}", flag.name, if flag.value.starts_with('<') { "=" } else { "" }, flag.value),
            flag.help
        ));
    }
    text
}

/// Go's truth words.
fn truth(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

/// Parses the arguments behind the program's name. Flags end at the first other argument.
///
/// # Errors
/// One line that names the offending flag.
pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Command, String> {
    let mut config = PathBuf::from("/etc/hekad.toml");
    let (mut version, mut check, mut help, mut graph) = (false, false, false, None);
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let Some(flag) = argument.strip_prefix("--").or_else(|| argument.strip_prefix('-')) else { break };
        if flag.is_empty() {
            break;
        }
        let (name, value) = flag.split_once('=').map_or((flag, None), |(name, value)| (name, Some(value)));
        let on = |value: Option<&str>| match value {
            None => Ok(true),
            Some(text) => truth(text).ok_or(format!("invalid boolean value \"{text}\" for -{name}")),
        };
        match name {
            "config" => {
                let value = value.map(str::to_owned).or_else(|| arguments.next());
                config = value.ok_or("flag needs an argument: -config")?.into();
            }
            "version" => version = on(value)?,
            "check" => check = on(value)?,
            "h" | "help" => help = on(value)?,
            "dump-graph" => {
                graph = Some(match value {
                    None | Some("dot") => Format::Dot,
                    Some("mermaid") => Format::Mermaid,
                    Some("json") => Format::Json,
                    Some(other) => {
                        return Err(format!("unknown format \"{other}\" for -dump-graph: use dot, mermaid or json"));
                    }
                });
            }
            _ => return Err(format!("flag provided but not defined: -{name}")),
        }
    }
    Ok(match (help, version, check, graph) {
        (true, ..) => Command::Help,
        (_, true, ..) => Command::Version,
        (_, _, true, _) => Command::Check(config),
        (_, _, _, Some(format)) => Command::DumpGraph(config, format),
        _ => Command::Run(config),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Command, String> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn both_styles_are_read() {
        let run = |path: &str| Ok(Command::Run(path.into()));
        assert_eq!(read(""), run("/etc/hekad.toml"));
        for line in
            ["-config=a", "--config=a", "-config a", "--config a", "-config a b -version", "-version=f -config a"]
        {
            assert_eq!(read(line), run("a"), "{line}");
        }
        assert_eq!(read("-version"), Ok(Command::Version));
        assert_eq!(read("--version=true -config x"), Ok(Command::Version));
        assert_eq!(read("-check -config=d/"), Ok(Command::Check("d/".into())));
        assert_eq!(read("--dump-graph -config a"), Ok(Command::DumpGraph("a".into(), Format::Dot)));
        assert_eq!(read("-dump-graph=json -config a"), Ok(Command::DumpGraph("a".into(), Format::Json)));
        assert_eq!(read("-h"), Ok(Command::Help));
    }

    #[test]
    fn mistakes_are_named() {
        assert_eq!(read("-bogus"), Err("flag provided but not defined: -bogus".into()));
        assert_eq!(read("-config"), Err("flag needs an argument: -config".into()));
        assert!(read("-version=maybe").is_err() && read("-dump-graph=svg").is_err());
        assert!(FLAGS.iter().all(|flag| usage().contains(flag.name)));
    }
}
