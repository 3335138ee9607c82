//! Plugin types of the tests' own: they have the names and the options that configurations are tested with, and
//! do not run.

use heka_operators::decoders::{Decoder, DecoderSpec};
use heka_operators::encoders::{Encoder, EncoderSpec};
use heka_operators::filters::{Filter, FilterSpec};
use heka_operators::inputs::{Input, InputSpec};
use heka_operators::outputs::{Output, OutputSpec};
use heka_operators::plugin::{PluginError, Site};
use heka_operators::registry::{Defaults, Make, PluginType};
use heka_operators::splitters::{Splitter, SplitterSpec};
use heka_settings::{Map, Nested, OneOf, Pattern, Settings, Table, Words, settings};
use std::sync::Arc;
use std::time::Duration;

struct Stub;

fn unbuilt<T>() -> Result<T, PluginError> {
    Err(PluginError::fatal("the tests' plugins do not run"))
}

impl InputSpec for Stub {
    fn build(&self, _: &Site) -> Result<Box<dyn Input>, PluginError> {
        unbuilt()
    }
}
impl SplitterSpec for Stub {
    fn build(&self, _: &Site) -> Result<Box<dyn Splitter>, PluginError> {
        unbuilt()
    }
}
impl DecoderSpec for Stub {
    fn build(&self, _: &Site, _: Vec<Box<dyn Decoder>>) -> Result<Box<dyn Decoder>, PluginError> {
        unbuilt()
    }
}
impl FilterSpec for Stub {
    fn build(&self, _: &Site) -> Result<Box<dyn Filter>, PluginError> {
        unbuilt()
    }
}
impl EncoderSpec for Stub {
    fn build(&self, _: &Site) -> Result<Box<dyn Encoder>, PluginError> {
        unbuilt()
    }
}
impl OutputSpec for Stub {
    fn build(&self, _: &Site) -> Result<Box<dyn Output>, PluginError> {
        unbuilt()
    }
}

#[derive(Debug)]
pub struct Versions;
impl Words for Versions {
    const WORDS: &'static [&'static str] = &["TLS12", "TLS13"];
}

settings! {
    /// None.
    pub struct NoKeys {}
}
settings! {
    /// TLS.
    pub struct Tls {
        /// Certificate.
        cert_file: String = "",
        /// Oldest version.
        min_version: OneOf<Versions> = "TLS12",
    }
}
settings! {
    /// Network.
    pub struct Net {
        /// Where to listen
        /// or to connect.
        address: String = "localhost:5565",
        /// Speak TLS.
        use_tls: bool = false,
        /// TLS.
        tls: Nested<Tls> = Nested(Tls::default()),
        /// Between two probes.
        keep_alive_period: Duration = Duration::from_secs(7200),
    }
}
settings! {
    /// Files.
    pub struct Files {
        /// Which files: a|b.
        file_match: Option<Pattern>,
        /// Which first.
        priority: Vec<String>,
    }
}
settings! {
    /// Polling.
    pub struct Http {
        /// Where.
        url: String = "",
        /// Who.
        username: String = "",
        /// What else.
        headers: Map<String>,
    }
}
settings! {
    /// Statistics.
    pub struct Stats {
        /// Which.
        percent_threshold: Vec<i64> = vec![90],
    }
}
settings! {
    /// One byte.
    pub struct Token {
        /// The byte.
        delimiter: String = "\n",
        /// How many.
        count: u32 = 1u32,
    }
}
settings! {
    /// An expression.
    pub struct Regex {
        /// It.
        delimiter: String = "\n",
        /// Where it stands.
        delimiter_eol: bool = true,
    }
}
settings! {
    /// A key.
    pub struct Signer {
        /// It.
        hmac_key: String = "",
    }
}
settings! {
    /// Frames.
    pub struct Framing {
        /// Who may.
        signer: Map<Nested<Signer>>,
        /// Take all.
        skip_authentication: bool = false,
    }
}
settings! {
    /// A script.
    pub struct Script {
        /// Where.
        filename: String = "",
        /// Limit.
        memory_limit: u32 = 8_388_608u32,
        /// Read by the script.
        config: Table,
    }
}
settings! {
    /// Text.
    pub struct Payload {
        /// One more.
        append_newlines: bool = true,
    }
}
settings! {
    /// Documents.
    pub struct Es {
        /// Which parts.
        fields: Vec<String>,
        /// What to do with dots.
        replace_dots_with: String = ".",
    }
}
settings! {
    /// A file.
    pub struct File {
        /// Where.
        path: String = "",
        /// Milliseconds.
        flush_interval: u32 = 1000u32,
    }
}
settings! {
    /// A server.
    pub struct EsServer {
        /// Its URL.
        server: String = "http://localhost:9200",
    }
}

macro_rules! types {
    ($($make:ident $name:ident $keys:ident { $($field:ident: $value:expr),* };)*) => {
        /// All of them.
        pub static TYPES: &[&PluginType] = &[$({
            static TYPE: PluginType = PluginType {
                name: stringify!($name),
                summary: concat!("The tests' ", stringify!($name), "."),
                settings: $keys::table,
                #[allow(clippy::needless_update)]
                defaults: Defaults { $($field: $value,)* ..Defaults::NONE },
                make: Make::$make(|table, problems| {
                    $keys::read(table, problems);
                    Arc::new(Stub)
                }),
            };
            &TYPE
        }),*];
    };
}

types! {
    Input TcpInput Net { decoder: Some("ProtobufDecoder"), splitter: Some("HekaFramingSplitter") };
    Input UdpInput Net {};
    Input LogstreamerInput Files { splitter: Some("TokenSplitter") };
    Input HttpInput Http { ticker_interval: Some(10) };
    Input StatAccumInput Stats { ticker_interval: Some(10) };
    Splitter NullSplitter NoKeys {};
    Splitter TokenSplitter Token {};
    Splitter RegexSplitter Regex {};
    Splitter HekaFramingSplitter Framing { use_message_bytes: true };
    Decoder ProtobufDecoder NoKeys { accepts_any: true };
    Decoder SandboxDecoder Script {};
    Filter CounterFilter NoKeys { ticker_interval: Some(5), message_matcher: Some("Type != 'heka.counter-output'") };
    Filter SandboxFilter Script { can_exit: true };
    Encoder PayloadEncoder Payload {};
    Encoder ProtobufEncoder NoKeys { accepts_any: true };
    Encoder RstEncoder NoKeys { accepts_any: true };
    Encoder ESJsonEncoder Es {};
    Output LogOutput NoKeys { accepts_any: true };
    Output FileOutput File { frames_protobuf: true };
    Output TcpOutput Net {
        encoder: Some("ProtobufEncoder"), frames_protobuf: true, use_buffering: Some(true),
        buffering: Some((128 << 20, 50)), no_ticker: true
    };
    Output ElasticSearchOutput EsServer { use_buffering: Some(true), no_ticker: true };
}
