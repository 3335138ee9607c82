//! ESJsonEncoder: messages for ElasticSearch's bulk interface, headers and fields side by side in one object.

use super::es::{EsEncoder, Names, Options, PARTS, parts};
use super::{Encoder, EncoderSpec};
use crate::plugin::{PluginError, Site};
use crate::registry::{Defaults, Make, PluginType};
use heka_settings::{Nested, Problems, Settings, Table, settings};
use std::sync::Arc;

/// The type's entry in the registry.
pub static TYPE: PluginType = PluginType {
    name: "ESJsonEncoder",
    summary: "Writes messages as JSON for ElasticSearch's bulk interface.",
    settings: EsJsonEncoderSettings::table,
    defaults: Defaults::NONE,
    make: Make::Encoder(|table, problems| Arc::new(read(table, problems))),
};

settings! {
    /// Options of ESJsonEncoder.
    pub struct EsJsonEncoderSettings {
        /// Where documents go. `%{Type}`, `%{Hostname}`, `%{Pid}`, `%{UUID}`, `%{Logger}`, `%{EnvVersion}` and
        /// `%{Severity}` stand for the header, other names for the first value of that field, and what names no
        /// field is a strftime format. Written in lower case.
        index: String = "heka-%{%Y.%m.%d}",
        /// Type of the documents, with the same replacements. Empty: none is written, as servers want it since
        /// version 8; ElasticSearchOutput finds out by itself.
        type_name: String = "message",
        /// Identity of a document, with the same replacements. The server makes one when it is empty or names what a
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
        /// Other keys for the parts.
        field_mappings: Option<Nested<FieldMappings>>,
        /// Only these fields; empty: all.
        dynamic_fields: Vec<String>,
        /// Stands in for dots in the names of fields.
        replace_dots_with: String = ".",
    }
}

settings! {
    /// Keys of a document.
    pub struct FieldMappings {
        /// Key of the time.
        timestamp as "Timestamp": String = "Timestamp",
        /// Key of the identity.
        uuid as "Uuid": String = "Uuid",
        /// Key of the type.
        msg_type as "Type": String = "Type",
        /// Key of the logger.
        logger as "Logger": String = "Logger",
        /// Key of the severity.
        severity as "Severity": String = "Severity",
        /// Key of the payload.
        payload as "Payload": String = "Payload",
        /// Key of the version.
        env_version as "EnvVersion": String = "EnvVersion",
        /// Key of the process id.
        pid as "Pid": String = "Pid",
        /// Key of the host's name.
        hostname as "Hostname": String = "Hostname",
    }
}

struct Spec {
    options: Options,
    names: Names,
}

fn read(table: &Table, problems: &mut Problems) -> Spec {
    let settings = EsJsonEncoderSettings::read(table, problems);
    let map = settings.field_mappings.map(|nested| nested.0).unwrap_or_default();
    let keys = [
        map.uuid,
        map.timestamp,
        map.msg_type,
        map.logger,
        map.severity,
        map.payload,
        map.env_version,
        map.pid,
        map.hostname,
        // Fields have no object of their own.
        String::new(),
    ];
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
    Spec { options, names: Names { keys, nested: false } }
}

impl EncoderSpec for Spec {
    fn build(&self, _: &Site) -> Result<Box<dyn Encoder>, PluginError> {
        Ok(Box::new(EsEncoder::new(&self.options, self.names.clone(), true)))
    }
}
