//! Options of older documents, turned into today's, each with one line that says so.
//!
//! Most are rows of [`ALIASES`]. Three need more than a row: splitters and encoders that used to be options of
//! the plugin become sections of their own, private to it and named `<plugin>.splitter` and `<plugin>.encoder`.

use heka_operators::registry::PluginType;
use heka_settings::{Data, Entry, Place, Problem, Problems, Table, Value};

/// What an old option means today.
enum Means {
    /// The option has another name.
    Called(&'static str),
    /// The option stands in a sub-section.
    Below(&'static str, &'static str),
    /// Nothing; the text says why.
    Nothing(&'static str),
    /// The value is written in another way: changes an old value and says what it became.
    Written(fn(&mut Value) -> Option<&'static str>),
}

/// Types, old option, meaning. A row is void for a type that declares the old option itself, except `Written`.
static ALIASES: &[(&[&str], &str, Means)] = &[
    (&["CounterFilter", "SandboxFilter"], "output_timer", Means::Called("ticker_interval")),
    (&["HttpInput"], "user", Means::Called("username")),
    (&["FileOutput"], "flushinterval", Means::Called("flush_interval")),
    (&["PayloadRegexDecoder"], "MatchRegex", Means::Called("match_regex")),
    (&["PayloadRegexDecoder", "PayloadXmlDecoder"], "MessageFields", Means::Called("message_fields")),
    (&["ESJsonEncoder"], "replace_dot_with", Means::Called("replace_dots_with")),
    (BUFFERED, "queue_max_buffer_size", Means::Below("buffering", "max_buffer_size")),
    (BUFFERED, "queue_full_action", Means::Below("buffering", "full_action")),
    (&["LogstreamerInput"], "use_seek_journal", Means::Nothing("positions are always kept")),
    (&["StatAccumInput"], "percent_threshold", Means::Written(integer_in_array)),
    (&["ESJsonEncoder", "ESLogstashV0Encoder"], "fields", Means::Written(fields_are_dynamic)),
    (&["ElasticSearchOutput"], "server", Means::Written(server_has_scheme)),
];

const BUFFERED: &[&str] = &["TcpOutput", "ElasticSearchOutput"];
const PARSERS: &[&str] = &["TcpInput", "UdpInput", "LogstreamerInput", "ProcessInput", "AMQPInput"];
const SIGNERS: &[&str] = &["TcpInput", "UdpInput"];

/// A section that an old option stands for.
#[derive(Debug)]
pub struct Private {
    /// `<plugin>.splitter` or `<plugin>.encoder`.
    pub name: String,
    /// The type.
    pub type_name: &'static str,
    /// Its options.
    pub table: Table,
}

/// Rewrites the old options of a section, and returns the sections they stand for.
pub fn apply(name: &str, plugin: &PluginType, table: &mut Table, problems: &mut Problems) -> Vec<Private> {
    for (types, key, means) in ALIASES {
        if types.contains(&plugin.name) {
            rewrite(table, key, means, declares(plugin, key), problems);
        }
    }
    let mut old = Old { name, plugin, table, problems };
    let mut private = None;
    if PARSERS.contains(&plugin.name) {
        private = old.parser();
    }
    if SIGNERS.contains(&plugin.name) && !declares(plugin, "signer") {
        private = old.signers(private);
    }
    private.into_iter().chain(old.encoder()).collect()
}

fn declares(plugin: &PluginType, key: &str) -> bool {
    (plugin.settings)().iter().any(|setting| setting.name == key)
}

/// Takes an entry out of a section.
fn take(table: &mut Table, key: &str) -> Option<Entry> {
    let place = table.get(key)?.place;
    let at = table.entries.iter().position(|e| e.place == place && e.key.eq_ignore_ascii_case(key))?;
    Some(table.entries.remove(at))
}

fn entry(key: &str, place: Place, data: Data) -> Entry {
    Entry { key: key.to_owned(), place, value: Value { place, data } }
}

fn rewrite(table: &mut Table, key: &str, means: &Means, declared: bool, problems: &mut Problems) {
    if let Means::Written(change) = means {
        let Some(index) = table.get(key).map(|e| e.place).and_then(|p| table.entries.iter().position(|e| e.place == p))
        else {
            return;
        };
        let value = &mut table.entries[index].value;
        if let Some(today) = change(value) {
            let message = format!("this way to write `{key}` is out of date");
            problems.push(Problem::warning(value.place, message).help(format!("write {today}")));
        }
        return;
    }
    if declared {
        return;
    }
    let Some(old) = take(table, key) else { return };
    let warn = |message: String, help: String| Problem::warning(old.place, message).help(help);
    match means {
        Means::Called(today) => {
            if let Some(given) = table.get(today) {
                let message = format!("`{key}` is ignored: it is the old name of `{today}`, which is set, too");
                problems.push(warn(message, "remove the line".to_owned()).also(given.place, "set here"));
                return;
            }
            problems.push(warn(format!("`{key}` is called `{today}` today"), "rename it".to_owned()));
            table.entries.push(Entry { key: (*today).to_owned(), ..old });
        }
        Means::Below(below, today) => {
            let message = format!("`{key}` is called `{today}` today, and stands in the sub-section `{below}`");
            problems.push(warn(message, format!("move it there: `{below}.{today}`")));
            if table.get(below).is_none() {
                table.entries.push(entry(
                    below,
                    old.place,
                    Data::Table(Table { place: old.place, ..Table::default() }),
                ));
            }
            let found = table.entries.iter_mut().find(|e| e.key.eq_ignore_ascii_case(below));
            if let Some(Data::Table(sub)) = found.map(|e| &mut e.value.data)
                && sub.get(today).is_none()
            {
                sub.entries.push(Entry { key: (*today).to_owned(), ..old });
            }
        }
        Means::Nothing(why) => {
            problems.push(warn(format!("`{key}` has no effect any more: {why}"), "remove the line".to_owned()));
        }
        Means::Written(_) => {}
    }
}

fn integer_in_array(value: &mut Value) -> Option<&'static str> {
    if !matches!(value.data, Data::Integer(_)) {
        return None;
    }
    value.data = Data::Array(vec![value.clone()]);
    Some("an array, as in [90]")
}

fn fields_are_dynamic(value: &mut Value) -> Option<&'static str> {
    let Data::Array(items) = &mut value.data else { return None };
    let mut changed = None;
    for item in items {
        if let Data::String(text) = &mut item.data
            && text.eq_ignore_ascii_case("Fields")
        {
            *text = "DynamicFields".to_owned();
            changed = Some("\"DynamicFields\" instead of \"Fields\"");
        }
    }
    changed
}

fn server_has_scheme(value: &mut Value) -> Option<&'static str> {
    let Data::String(text) = &mut value.data else { return None };
    if text.is_empty() || text.contains("://") {
        return None;
    }
    text.insert_str(0, "http://");
    Some("the scheme, as in \"http://host:9200\"")
}

/// A section whose old options become sections of their own.
struct Old<'a> {
    name: &'a str,
    plugin: &'a PluginType,
    table: &'a mut Table,
    problems: &'a mut Problems,
}

impl Old<'_> {
    /// Takes an option out unless the type declares it today.
    fn take(&mut self, key: &str) -> Option<Entry> {
        if declares(self.plugin, key) { None } else { take(self.table, key) }
    }

    fn warn(&mut self, place: Place, message: String, help: impl Into<String>) {
        self.problems.push(Problem::warning(place, message).help(help));
    }

    fn set(&mut self, key: &str, place: Place, data: Data) {
        self.table.entries.push(entry(key, place, data));
    }

    /// The text of an option; a value that is no text is refused.
    fn text(&mut self, entry: &Entry) -> Option<String> {
        if let Data::String(text) = &entry.value.data {
            return Some(text.clone());
        }
        let message = format!("expected a string, found {}", entry.value.type_name());
        self.problems.push(Problem::error(entry.value.place, message));
        None
    }

    fn private(&self, part: &str, type_name: &'static str, place: Place, entries: Vec<Entry>) -> Private {
        Private { name: format!("{}.{part}", self.name), type_name, table: Table { entries, place } }
    }

    /// `parser_type`, `delimiter` and `delimiter_location` were a splitter.
    fn parser(&mut self) -> Option<Private> {
        let [parser, delimiter, location] = ["parser_type", "delimiter", "delimiter_location"].map(|k| self.take(k));
        let first = parser.as_ref().or(delimiter.as_ref()).or(location.as_ref())?.clone();
        if let Some(splitter) = self.table.get("splitter").cloned() {
            let message = format!("`{}` is ignored: `splitter` says how records are cut", first.key);
            self.problems
                .push(Problem::warning(first.place, message).also(splitter.place, "set here").help("remove the line"));
            return None;
        }
        let parser_text = match &parser {
            Some(parser) => self.text(parser)?,
            None if location.is_some() => "regexp".to_owned(),
            None => "token".to_owned(),
        };
        let mut options: Vec<Entry> = Vec::new();
        let type_name = match parser_text.as_str() {
            "message.proto" => "HekaFramingSplitter",
            "token" | "" => "TokenSplitter",
            "regexp" => "RegexSplitter",
            other => {
                let message = format!("`{other}` is no parser");
                let help = "use `splitter`; the old words were message.proto, token and regexp";
                self.problems.push(Problem::error(first.value.place, message).help(help));
                return None;
            }
        };
        if type_name != "HekaFramingSplitter" {
            options.extend(delimiter);
        }
        if type_name == "RegexSplitter"
            && let Some(location) = location
        {
            let at_end = self.text(&location)? != "start";
            options.push(entry("delimiter_eol", location.place, Data::Bool(at_end)));
        }
        let help = format!("add a section with type = \"{type_name}\" and name it in `splitter`");
        self.warn(first.place, format!("`{}` is a section of its own today, a {type_name}", first.key), help);
        let private = self.private("splitter", type_name, first.place, options);
        self.set("splitter", first.value.place, Data::String(private.name.clone()));
        Some(private)
    }

    /// `[x.signer.name_1]` belonged to the input, and belongs to its splitter.
    fn signers(&mut self, private: Option<Private>) -> Option<Private> {
        let Some(signers) = take(self.table, "signer") else { return private };
        let place = signers.place;
        if let Some(mut private) = private {
            if private.type_name != "HekaFramingSplitter" {
                let message = format!("a {} knows no signers", private.type_name);
                let help = "signatures need framed messages: remove the signers, or the `parser_type`";
                self.problems.push(Problem::error(place, message).help(help));
            } else {
                private.table.entries.push(signers);
            }
            return Some(private);
        }
        if let Some(splitter) = self.table.get("splitter").cloned()
            && splitter.value.data != Data::String("HekaFramingSplitter".to_owned())
        {
            // Guessing here could switch an authentication off.
            self.problems.push(
                Problem::error(place, "signers belong to the splitter's section today".to_owned())
                    .also(splitter.place, "this splitter")
                    .help("move them to the section that `splitter` names; it must be a HekaFramingSplitter"),
            );
            return None;
        }
        take(self.table, "splitter");
        let help = "move them to a section with type = \"HekaFramingSplitter\" and name it in `splitter`";
        self.warn(place, "signers belong to the splitter's section today".to_owned(), help);
        let private = self.private("splitter", "HekaFramingSplitter", place, vec![signers]);
        self.set("splitter", place, Data::String(private.name.clone()));
        Some(private)
    }

    /// `payload_only` and `format` chose an encoder, and without them there was a default one.
    fn encoder(&mut self) -> Option<Private> {
        let key = match self.plugin.name {
            "LogOutput" => "payload_only",
            "FileOutput" => "format",
            _ => return None,
        };
        let old = self.take(key);
        let given = self.table.get("encoder").cloned().filter(|e| e.value.data != Data::String(String::new()));
        if let Some(given) = given {
            if let Some(old) = old {
                let message = format!("`{key}` is ignored: `encoder` says how messages are written");
                let problem = Problem::warning(old.place, message).also(given.place, "set here");
                self.problems.push(problem.help("remove the line"));
            }
            return None;
        }
        let type_name = match old.as_ref().map(|old| &old.value.data) {
            Some(Data::Bool(true)) if key == "payload_only" => "PayloadEncoder",
            Some(Data::Bool(false)) if key == "payload_only" => "RstEncoder",
            Some(Data::String(text)) if key == "format" && text == "text" => "PayloadEncoder",
            Some(Data::String(text)) if key == "format" && text == "json" => "ESJsonEncoder",
            Some(Data::String(text)) if key == "format" && text == "protobufstream" => "ProtobufEncoder",
            Some(_) => {
                let words = if key == "format" { "text, json or protobufstream" } else { "true or false" };
                let place = old.map(|old| old.value.place).unwrap_or_default();
                self.problems.push(
                    Problem::error(place, format!("`{key}` was {words}"))
                        .help("remove it and name an encoder in `encoder`"),
                );
                return None;
            }
            None if key == "payload_only" => "RstEncoder",
            None => "PayloadEncoder",
        };
        take(self.table, "encoder");
        let help = format!("add a section with type = \"{type_name}\" and name it in `encoder`");
        let (place, value_place) =
            old.as_ref().map_or((self.table.place, Place::NOWHERE), |o| (o.place, o.value.place));
        let message = match &old {
            Some(_) => format!("`{key}` is a section of its own today, a {type_name}"),
            None => format!("no `encoder` is set: messages are written by a {type_name}"),
        };
        self.warn(place, message, help);
        if type_name == "ProtobufEncoder" && self.table.get("use_framing").is_none() {
            self.set("use_framing", value_place, Data::Bool(true));
        }
        let private = self.private("encoder", type_name, place, Vec::new());
        self.set("encoder", value_place, Data::String(private.name.clone()));
        Some(private)
    }
}
