//! All plugin types: one table that parsing, the reference, the schema and the plan read.

use crate::decoders::DecoderSpec;
use crate::encoders::EncoderSpec;
use crate::filters::FilterSpec;
use crate::inputs::InputSpec;
use crate::outputs::OutputSpec;
use crate::splitters::SplitterSpec;
use heka_settings::{Problems, Setting, Table};
use std::sync::Arc;

/// What a plugin is, by the suffix of its type's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Category {
    /// Reads from the world.
    Input,
    /// Cuts records.
    Splitter,
    /// Turns records into messages.
    Decoder,
    /// Watches and injects messages.
    Filter,
    /// Turns messages into bytes.
    Encoder,
    /// Writes to the world.
    Output,
}

impl Category {
    /// All of them, in the order of the data's way.
    pub const ALL: [Category; 6] =
        [Category::Input, Category::Splitter, Category::Decoder, Category::Filter, Category::Encoder, Category::Output];

    /// The suffix of the type's name.
    pub fn name(self) -> &'static str {
        match self {
            Category::Input => "Input",
            Category::Splitter => "Splitter",
            Category::Decoder => "Decoder",
            Category::Filter => "Filter",
            Category::Encoder => "Encoder",
            Category::Output => "Output",
        }
    }

    /// The category a type's name belongs to.
    pub fn of(type_name: &str) -> Option<Category> {
        Category::ALL.into_iter().find(|c| type_name.ends_with(c.name()))
    }
}

/// Reads a section into a checked spec; problems are noted, never fatal here.
pub type Read<S> = fn(&Table, &mut Problems) -> Arc<S>;

/// How a type's sections become specs.
#[derive(Clone, Copy)]
pub enum Make {
    /// An input.
    Input(Read<dyn InputSpec>),
    /// A splitter.
    Splitter(Read<dyn SplitterSpec>),
    /// A decoder.
    Decoder(Read<dyn DecoderSpec>),
    /// A filter.
    Filter(Read<dyn FilterSpec>),
    /// An encoder.
    Encoder(Read<dyn EncoderSpec>),
    /// An output.
    Output(Read<dyn OutputSpec>),
}

/// Common options that a type gives defaults of its own.
#[derive(Clone, Copy, Debug, Default)]
pub struct Defaults {
    /// Inputs: the decoder.
    pub decoder: Option<&'static str>,
    /// Inputs: the splitter; `NullSplitter` when absent.
    pub splitter: Option<&'static str>,
    /// Seconds.
    pub ticker_interval: Option<u64>,
    /// Filters and outputs.
    pub message_matcher: Option<&'static str>,
    /// Outputs.
    pub encoder: Option<&'static str>,
    /// Outputs: whether to frame; absent means "when the encoder is protobuf" where `frames_protobuf` is set.
    pub use_framing: Option<bool>,
    /// Outputs: frame when the encoder is protobuf and the option is not given.
    pub frames_protobuf: bool,
    /// Outputs: a disk queue in front.
    pub use_buffering: Option<bool>,
    /// The queue's `max_file_size` and `cursor_update_count`.
    pub buffering: Option<(u64, u32)>,
    /// May end without ending the daemon.
    pub can_exit: bool,
    /// Splitters: hand records over as encoded messages.
    pub use_message_bytes: bool,
    /// Outputs that take the payload: an encoder in their section is accepted and has no effect.
    pub no_encoder: bool,
    /// Inputs and outputs that exchange whole messages with the daemon: a splitter, decoder or encoder in their section
    /// is accepted and has no effect.
    pub own_path: bool,
    /// Filters and outputs whose `ticker_interval` is refused.
    pub no_ticker: bool,
    /// Types without options of their own ignore unknown keys, as the original did.
    pub accepts_any: bool,
}

impl Defaults {
    /// No default of its own; `Default::default` cannot be called where types are declared.
    pub const NONE: Defaults = Defaults {
        decoder: None,
        splitter: None,
        ticker_interval: None,
        message_matcher: None,
        encoder: None,
        use_framing: None,
        frames_protobuf: false,
        use_buffering: None,
        buffering: None,
        can_exit: false,
        use_message_bytes: false,
        no_encoder: false,
        own_path: false,
        no_ticker: false,
        accepts_any: false,
    };
}

/// One plugin type.
pub struct PluginType {
    /// The name used in `type`.
    pub name: &'static str,
    /// One sentence for the reference.
    pub summary: &'static str,
    /// Its own options.
    pub settings: fn() -> &'static [Setting],
    /// Its defaults for common options.
    pub defaults: Defaults,
    /// How its sections are read.
    pub make: Make,
}

impl PluginType {
    /// The category, from how it is made.
    pub fn category(&self) -> Category {
        match self.make {
            Make::Input(_) => Category::Input,
            Make::Splitter(_) => Category::Splitter,
            Make::Decoder(_) => Category::Decoder,
            Make::Filter(_) => Category::Filter,
            Make::Encoder(_) => Category::Encoder,
            Make::Output(_) => Category::Output,
        }
    }
}

/// Every plugin type, by category and name. Each plugin's file declares its own entry as `TYPE`.
pub static TYPES: &[&PluginType] = &[
    &crate::inputs::logstreamer::TYPE,
    &crate::inputs::sandbox::TYPE,
    &crate::inputs::stat_accum::TYPE,
    &crate::inputs::statsd::TYPE,
    &crate::inputs::tcp::TYPE,
    &crate::inputs::udp::TYPE,
    &crate::splitters::heka_framing::TYPE,
    &crate::splitters::null::TYPE,
    &crate::splitters::pattern_grouping::TYPE,
    &crate::splitters::regex::TYPE,
    &crate::splitters::token::TYPE,
    &crate::decoders::multi::TYPE,
    &crate::decoders::protobuf::TYPE,
    &crate::decoders::sandbox::TYPE,
    &crate::decoders::stats_to_fields::TYPE,
    &crate::filters::counter::TYPE,
    &crate::filters::sandbox::TYPE,
    &crate::filters::sandbox_manager::TYPE,
    &crate::filters::stat::TYPE,
    &crate::encoders::es_json::TYPE,
    &crate::encoders::es_logstash_v0::TYPE,
    &crate::encoders::payload::TYPE,
    &crate::encoders::protobuf::TYPE,
    &crate::encoders::rst::TYPE,
    &crate::encoders::sandbox::TYPE,
    &crate::outputs::carbon::TYPE,
    &crate::outputs::dashboard::TYPE,
    &crate::outputs::elasticsearch::TYPE,
    &crate::outputs::file::TYPE,
    &crate::outputs::http::TYPE,
    &crate::outputs::log::TYPE,
    &crate::outputs::sandbox::TYPE,
    &crate::outputs::smtp::TYPE,
    &crate::outputs::tcp::TYPE,
    &crate::outputs::udp::TYPE,
];

/// The type called `name`.
pub fn find(name: &str) -> Option<&'static PluginType> {
    TYPES.iter().copied().find(|t| t.name == name)
}
