//! ESLogstashV0Encoder: messages for ElasticSearch's bulk interface, shaped as Logstash's events of version 0, which
//! is what Kibana 3 expects.

use super::es::{EsEncoder, Names, Options, PARTS, parts};
use super::{Encoder, EncoderSpec};
use crate::plugin::{PluginError, Site};
use crate::registry::{Defaults, Make, PluginType};
use heka_settings::{Problems, Settings, Table, settings};
use std::sync::Arc;

/// The type's entry in the registry.
pub static TYPE: PluginType = PluginType {
    name: "ESLogstashV0Encoder",
    summary: "Writes messages as Logstash's events of version 0, for ElasticSearch's bulk interface.",
    settings: EsLogstashV0EncoderSettings::table,
    defaults: Defaults::NONE,
    make: Make::Encoder(|table, problems| Arc::new(read(table, problems))),
};

settings! {
    /// Options of ESLogstashV0Encoder.
    pub struct EsLogstashV0EncoderSettings {
        /// Where documents go, with the replacements of ESJsonEncoder's `index`. Written in lower case.
        index: String = "logstash-%{%Y.%m.%d}",
        /// Type of the documents, and their `@type`, with the same replacements. Empty: the action names no type, and
        /// `@type` is the message's.
        type_name: String = "message",
        /// `@type` is the message's type, whatever `type_name` is.
        use_message_type: bool = false,
        /// Identity of a document, with the same replacements; the server makes one when it is empty or names what a
        /// message has not. With `%{UUID}` a message that is delivered twice is stored once.
        id: String = "",
        /// Dates in `index`, `type_name` and `id` are those of the message, not of the clock.
        es_index_from_timestamp: bool = false,
        /// The parts of a message to write, in this order, whatever their case.
        fields: Vec<String> = PARTS.map(str::to_owned),
        /// How the time of a message looks, as a strftime format, in UTC.
        timestamp: String = "%Y-%m-%dT%H:%M:%S",
        /// Fields whose values are JSON already and are written as they are. What is no JSON is written as a string.
        raw_bytes_fields: Vec<String>,
        /// Only these fields; empty: all.
        dynamic_fields: Vec<String>,
        /// Stands in for dots in the names of fields.
        replace_dots_with: String = ".",
    }
}

const KEYS: [&str; 10] = [
    "@uuid",
    "@timestamp",
    "@type",
    "@logger",
    "@severity",
    "@message",
    "@envversion",
    "@pid",
    "@source_host",
    "@fields",
];

struct Spec {
    options: Options,
    message_type: bool,
}

fn read(table: &Table, problems: &mut Problems) -> Spec {
    let settings = EsLogstashV0EncoderSettings::read(table, problems);
    let message_type = settings.use_message_type || settings.type_name.is_empty();
    let options = Options {
        index: settings.index,
        type_name: settings.type_name,
        id: settings.id,
        es_index_from_timestamp: settings.es_index_from_timestamp,
        parts: parts(&settings.fields, table, problems),
        timestamp: settings.timestamp,
        raw_bytes_fields: settings.raw_bytes_fields,
        dynamic_fields: settings.dynamic_fields,
        replace_dots_with: settings.replace_dots_with,
    };
    options.check(table, problems);
    Spec { options, message_type }
}

impl EncoderSpec for Spec {
    fn build(&self, _: &Site) -> Result<Box<dyn Encoder>, PluginError> {
        let names = Names { keys: KEYS.map(str::to_owned), nested: true };
        Ok(Box::new(EsEncoder::new(&self.options, names, self.message_type)))
    }
}
