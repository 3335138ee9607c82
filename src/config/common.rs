//! The options that every plugin of a category has, resolved: what the section says, else what the plugin's type
//! declares, else the daemon's default.

use super::buffering::{Buffering, BufferingKeys};
use heka_operators::registry::{Category, Defaults, PluginType};
use heka_operators::splitters::SplitterCommon;
use heka_settings::{
    Data, Kind, Level, Placed, Problem, Problems, Setting, SettingType, Settings, Table, Value, refuse_unknown,
    settings,
};
use std::time::Duration;

settings! {
    /// What every plugin section has.
    pub struct SectionKeys {
        /// The plugin's type; default: the section's name.
        plugin_type as "type": Option<String>,
    }
}

settings! {
    /// What every input section has.
    pub struct InputKeys {
        /// Seconds between two ticks, where the input uses them; 0: none.
        ticker_interval: Option<u64>,
        /// Section of the decoder that turns records into messages; empty: none.
        decoder: Option<Placed<String>>,
        /// Section of the splitter that cuts records.
        splitter: Option<Placed<String>>,
        /// Decode where the input's records are cut instead of on all workers.
        synchronous_decode: bool = false,
        /// Workers that decode the input's records; 0: all of them when the decoder keeps nothing from one record to
        /// the next, else one. A script with `preserve_data` always has one. The order of the messages does not depend
        /// on it.
        decode_workers: u64 = 0u64,
        /// Deliver records that cannot be decoded anyway, tagged.
        send_decode_failures: bool = false,
        /// Log records that cannot be decoded.
        log_decode_failures: bool = true,
        /// The input may end without ending the daemon.
        can_exit: Option<bool>,
        /// How the input is started again when it fails.
        retries: SubSection<Retries>,
    }
}

settings! {
    /// What every filter and output section has.
    pub struct ConsumerKeys {
        /// Which messages are wanted.
        message_matcher: Option<Placed<String>>,
        /// Only messages that this signer vouched for.
        message_signer: Option<String>,
        /// Seconds between two ticks; 0: none.
        ticker_interval: Option<u64>,
        /// The plugin may end without ending the daemon.
        can_exit: Option<bool>,
        /// How the plugin is started again when it fails.
        retries: SubSection<Retries>,
        /// Section of the encoder that turns messages into bytes; empty: none.
        encoder: Option<Placed<String>>,
        /// Put each encoded message into a frame of the stream protocol.
        use_framing: Option<bool>,
        /// Keep messages in a queue on disk until the plugin is done with them.
        use_buffering: Option<bool>,
        /// The queue on disk.
        buffering: SubSection<BufferingKeys>,
    }
}

settings! {
    /// How a plugin is started again.
    pub struct Retries {
        /// Restarts before giving up; 0: none, -1: without limit.
        max_retries: i64 = -1,
        /// The first wait; it doubles each time.
        delay: Duration = Duration::from_millis(250),
        /// The longest wait.
        max_delay: Duration = Duration::from_secs(30),
        /// Up to this much is added to each wait, at random.
        max_jitter: Duration = Duration::from_millis(500),
    }
}

/// A sub-section in which an empty text means "the default", as the original had it. Keys it does not know are
/// [`read`]'s business.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SubSection<T>(pub T);

impl<T: Settings> SettingType for SubSection<T> {
    const KIND: Kind = Kind::Section(T::table);
    fn from_value(value: &Value, problems: &mut Problems) -> Option<Self> {
        let mut table = Table::from_value(value, problems)?;
        table.entries.retain(|entry| entry.value.data != Data::String(String::new()));
        Some(SubSection(T::read(&table, problems)))
    }
}

/// The common options of a section, resolved.
#[derive(Clone, Debug, PartialEq)]
pub enum Common {
    /// Of an input.
    Input(InputCommon),
    /// Of a splitter; `use_message_bytes` is always given.
    Splitter(SplitterCommon),
    /// Decoders have none.
    Decoder,
    /// Of a filter.
    Filter(ConsumerCommon),
    /// Encoders have none.
    Encoder,
    /// Of an output.
    Output(ConsumerCommon),
}

/// The common options of an input.
#[derive(Clone, Debug, PartialEq)]
pub struct InputCommon {
    /// Name of the decoder's section.
    pub decoder: Option<Placed<String>>,
    /// Name of the splitter's section.
    pub splitter: Placed<String>,
    /// Decode on the splitter's worker.
    pub synchronous_decode: bool,
    /// Workers that decode; 0: as many as the decoder allows.
    pub decode_workers: u64,
    /// Deliver undecodable records, tagged.
    pub send_decode_failures: bool,
    /// Log undecodable records.
    pub log_decode_failures: bool,
    /// May end without ending the daemon.
    pub can_exit: bool,
    /// Seconds; 0: no ticks.
    pub ticker_interval: u64,
    /// Restarts.
    pub retries: Retries,
}

/// The common options of a filter or an output.
#[derive(Clone, Debug, PartialEq)]
pub struct ConsumerCommon {
    /// The matcher's text; a loaded configuration always has one.
    pub message_matcher: Option<Placed<String>>,
    /// Only messages that this signer vouched for.
    pub message_signer: Option<String>,
    /// Seconds; 0: no ticks.
    pub ticker_interval: u64,
    /// May end without ending the daemon.
    pub can_exit: bool,
    /// Restarts.
    pub retries: Retries,
    /// Name of the encoder's section.
    pub encoder: Option<Placed<String>>,
    /// Whether to frame; `None`: not given, and up to the type and the encoder.
    pub use_framing: Option<bool>,
    /// A queue on disk in front.
    pub use_buffering: bool,
    /// That queue.
    pub buffering: Buffering,
}

/// The common options of a category, `type` aside.
pub fn table(category: Category) -> &'static [Setting] {
    match category {
        Category::Input => InputKeys::table(),
        Category::Splitter => SplitterCommon::table(),
        Category::Filter | Category::Output => ConsumerKeys::table(),
        Category::Decoder | Category::Encoder => &[],
    }
}

/// What a common option is when a section of a type with these defaults does not give it; `None`: nothing.
pub fn default_of(setting: &Setting, category: Category, defaults: &Defaults) -> Option<Data> {
    let text = |text: Option<&str>| text.map(|text| Data::String(text.to_owned()));
    match setting.name {
        "decoder" => text(defaults.decoder),
        "splitter" => text(Some(defaults.splitter.unwrap_or("NullSplitter"))),
        "message_matcher" => text(defaults.message_matcher),
        "encoder" => text(defaults.encoder),
        "ticker_interval" => Some(Data::Integer(defaults.ticker_interval.unwrap_or(0) as i64)),
        "can_exit" => Some(Data::Bool(defaults.can_exit)),
        "use_framing" if defaults.frames_protobuf => defaults.use_framing.map(Data::Bool),
        "use_framing" => Some(Data::Bool(defaults.use_framing.unwrap_or(false))),
        "use_buffering" => Some(Data::Bool(defaults.use_buffering.unwrap_or(false))),
        "use_message_bytes" if category == Category::Splitter => Some(Data::Bool(defaults.use_message_bytes)),
        _ => (setting.default_data)(),
    }
}

/// Reads the common options of the section `name`.
pub fn read(name: &str, plugin: &PluginType, section: &Table, problems: &mut Problems) -> Common {
    let category = plugin.category();
    let word = category.name().to_ascii_lowercase();
    let mut own = Problems::of(name);
    let common = match category {
        Category::Input => Common::Input(input(InputKeys::read(section, &mut own), &plugin.defaults)),
        Category::Splitter => {
            let keys = SplitterCommon::read(section, &mut own);
            let use_message_bytes = Some(keys.use_message_bytes.unwrap_or(plugin.defaults.use_message_bytes));
            Common::Splitter(SplitterCommon { use_message_bytes, ..keys })
        }
        Category::Decoder => Common::Decoder,
        Category::Encoder => Common::Encoder,
        Category::Filter | Category::Output => {
            let keys = ConsumerKeys::read(section, &mut own);
            let mut checks = Problems::of(name);
            let consumer = consumer(name, keys, plugin, section, &mut checks);
            problems.append(checks);
            if category == Category::Filter { Common::Filter(consumer) } else { Common::Output(consumer) }
        }
    };
    problems.append(own.map(|mut problem| {
        problem.message = format!("can't decode common {word} config for '{name}': {}", problem.message);
        problem
    }));
    let own_sections: Vec<&str> = (plugin.settings)().iter().map(|setting| setting.name).collect();
    if matches!(category, Category::Input | Category::Filter | Category::Output) && !own_sections.contains(&"retries") {
        unknown_below(name, "retries", Retries::table(), Level::Warning, section, problems);
    }
    if matches!(category, Category::Filter | Category::Output) && !own_sections.contains(&"buffering") {
        // A type that tunes its queue has always checked the queue's options, others never did.
        let level = if plugin.defaults.buffering.is_some() { Level::Error } else { Level::Warning };
        unknown_below(name, "buffering", BufferingKeys::table(), level, section, problems);
    }
    common
}

fn unknown_below(name: &str, key: &str, known: &[Setting], level: Level, section: &Table, problems: &mut Problems) {
    if let Some(Data::Table(table)) = section.get(key).map(|entry| &entry.value.data) {
        let mut found = Problems::of(format!("{name}.{key}"));
        refuse_unknown(table, &[known], &mut found);
        problems.append(found.map(|problem| Problem { level, ..problem }));
    }
}

/// The named section, unless the name is empty: an empty name switches a default off.
fn named(given: Option<Placed<String>>, default: Option<&str>) -> Option<Placed<String>> {
    given.or_else(|| default.map(|name| Placed::nowhere(name.to_owned()))).filter(|name| !name.value.is_empty())
}

fn input(keys: InputKeys, defaults: &Defaults) -> InputCommon {
    let splitter = defaults.splitter.unwrap_or("NullSplitter");
    InputCommon {
        decoder: named(keys.decoder, defaults.decoder),
        splitter: named(keys.splitter, None).unwrap_or_else(|| Placed::nowhere(splitter.to_owned())),
        synchronous_decode: keys.synchronous_decode,
        decode_workers: keys.decode_workers,
        send_decode_failures: keys.send_decode_failures,
        log_decode_failures: keys.log_decode_failures,
        can_exit: keys.can_exit.unwrap_or(defaults.can_exit),
        ticker_interval: keys.ticker_interval.or(defaults.ticker_interval).unwrap_or(0),
        retries: keys.retries.0,
    }
}

fn consumer(
    name: &str,
    keys: ConsumerKeys,
    plugin: &PluginType,
    section: &Table,
    problems: &mut Problems,
) -> ConsumerCommon {
    let defaults = &plugin.defaults;
    let making = |why: String| format!("Error making runner for {name}: {why}");
    let message_matcher = named(keys.message_matcher, defaults.message_matcher);
    let ill_typed = |key: &str| section.get(key).is_some_and(|e| !matches!(e.value.data, Data::String(_)));
    if message_matcher.is_none() && !ill_typed("message_matcher") {
        let place = section.get("message_matcher").map_or(section.place, |entry| entry.value.place);
        problems.push(
            Problem::error(place, making(format!("'{name}' missing message matcher")))
                .help("add for example message_matcher = \"TRUE\", which takes every message"),
        );
    }
    let ticker_interval = keys.ticker_interval.or(defaults.ticker_interval).unwrap_or(0);
    if let Some(entry) = section.get("ticker_interval").filter(|_| defaults.no_ticker && ticker_interval > 0) {
        let message = making(format!("'{name}' can't support a ticker_interval setting"));
        problems.push(Problem::error(entry.place, message).help("remove the line"));
    }
    let use_buffering = keys.use_buffering.or(defaults.use_buffering).unwrap_or(false);
    ConsumerCommon {
        message_matcher,
        message_signer: keys.message_signer.filter(|signer| !signer.is_empty()),
        ticker_interval,
        can_exit: keys.can_exit.unwrap_or(defaults.can_exit),
        retries: keys.retries.0,
        encoder: named(keys.encoder, defaults.encoder),
        use_framing: keys.use_framing.or(defaults.use_framing),
        use_buffering,
        buffering: Buffering::resolve(keys.buffering.0, defaults, use_buffering, &making, problems),
    }
}

/// Checks what depends on the largest record, which `[hekad]` decides.
pub fn check_sizes(name: &str, section: &Table, common: &Common, max_record_size: u64, problems: &mut Problems) {
    let making = |why: String| format!("Error making runner for {name}: {why}");
    match common {
        Common::Splitter(splitter) if u64::from(splitter.min_buffer_size) > max_record_size => {
            let place = section.get("min_buffer_size").map_or(section.place, |entry| entry.value.place);
            problems.push(Problem::error(
                place,
                making(format!(
                    "'min_buffer_size' ({}) can't be larger than MAX_RECORD_SIZE ({max_record_size})",
                    splitter.min_buffer_size
                )),
            ));
        }
        Common::Filter(consumer) | Common::Output(consumer)
            if consumer.use_buffering && consumer.buffering.max_file_size < max_record_size =>
        {
            let place = match section.get("buffering").map(|entry| &entry.value.data) {
                Some(Data::Table(table)) => table.get("max_file_size").map(|entry| entry.value.place),
                _ => None,
            };
            problems.push(Problem::error(
                place.unwrap_or(section.place),
                format!(
                    "can't initialize buffer: `max_file_size` must be greater than maximum record size of \
                     {max_record_size}"
                ),
            ));
        }
        _ => {}
    }
}
