//! Answers of the bulk interface: what has become of each action.

use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;
use std::fmt;

/// An answer.
#[derive(Debug, Deserialize)]
pub(super) struct Reply {
    /// Whether any item failed; servers before version 1 do not say.
    #[serde(default)]
    pub errors: bool,
    /// One for each action, in order; servers that merely speak the protocol may leave them out.
    #[serde(default)]
    pub items: Vec<Item>,
}

/// What has become of an action.
#[derive(Debug, PartialEq)]
pub(super) struct Item {
    create: bool,
    status: Option<u16>,
    error: Option<Value>,
}

/// What to do about it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is stored.
    Done,
    /// The server had no room for it.
    Again(String),
    /// The server will never take it.
    Refused(String),
}

#[derive(Deserialize)]
struct Details {
    status: Option<u16>,
    error: Option<Value>,
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Action;
        impl<'de> Visitor<'de> for Action {
            type Value = Item;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of one action")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Item, A::Error> {
                let mut item = Item { create: false, status: None, error: None };
                if let Some((action, details)) = map.next_entry::<String, Details>()? {
                    item = Item { create: action == "create", status: details.status, error: details.error };
                }
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(item)
            }
        }
        deserializer.deserialize_map(Action)
    }
}

impl Item {
    /// What to do, given further statuses after which documents are sent again.
    pub(super) fn fate(&self, later: &[u16]) -> Fate {
        let status = match (self.status, &self.error) {
            (Some(status), _) => status,
            (None, None) => 200,
            (None, Some(_)) => 400,
        };
        // What is to be created and exists has been delivered before.
        if status < 300 || (status == 409 && self.create) {
            return Fate::Done;
        }
        let (kind, reason) = self.reason();
        let text = format!("ElasticSearch server reported error within JSON. Status: {status}. {reason}");
        // Other failures of the server may be about the document: one that made it fail would do so for ever. A block
        // (a disk is full, the cluster has no master) is about none, whatever its status.
        let passes = matches!(status, 429 | 503) || later.contains(&status) || kind == "cluster_block_exception";
        if passes { Fate::Again(text) } else { Fate::Refused(text) }
    }

    /// The error's type, and all that it says, shortened.
    fn reason(&self) -> (&str, String) {
        const LENGTH: usize = 500;
        let part = |value: &Value, name| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let (kind, text) = match &self.error {
            None => ("", "no reason given".to_owned()),
            Some(Value::String(text)) => ("", text.clone()),
            Some(error) => {
                let cause = error.get("caused_by").and_then(|cause| part(cause, "reason"));
                let parts = [part(error, "type"), part(error, "reason"), cause];
                let text = parts.into_iter().flatten().collect::<Vec<_>>().join(": ");
                let kind = error.get("type").and_then(Value::as_str).unwrap_or_default();
                (kind, if text.is_empty() { error.to_string() } else { text })
            }
        };
        (kind, text.chars().take(LENGTH).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fate(item: &str) -> Fate {
        serde_json::from_str::<Item>(item).unwrap().fate(&[])
    }

    #[test]
    fn every_item_has_a_fate() {
        for done in [
            r#"{"index":{"_index":"i","_id":"1","status":201}}"#,
            r#"{"index":{"status":200,"_shards":{"total":2}}}"#,
            r#"{"create":{"status":409,"error":{"type":"version_conflict_engine_exception"}}}"#,
            r#"{"index":{"ok":true}}"#,
            "{}",
        ] {
            assert_eq!(fate(done), Fate::Done, "{done}");
        }
        for again in [
            r#"{"index":{"status":429,"error":{"type":"es_rejected_execution_exception","reason":"full"}}}"#,
            r#"{"create":{"status":503,"error":"UnavailableShardsException[x]"}}"#,
            r#"{"index":{"status":403,"error":{"type":"cluster_block_exception","reason":"read-only"}}}"#,
        ] {
            assert!(matches!(fate(again), Fate::Again(_)), "{again}");
        }
        let mapping = r#"{"index":{"status":400,"error":{"type":"mapper_parsing_exception","reason":"failed to parse [a]",
            "caused_by":{"type":"x","reason":"For input string"}}}}"#;
        let expected = "ElasticSearch server reported error within JSON. Status: 400. mapper_parsing_exception: failed to \
                        parse [a]: For input string";
        assert_eq!(fate(mapping), Fate::Refused(expected.to_owned()));
        for refused in [
            r#"{"index":{"status":409,"error":{}}}"#,
            r#"{"index":{"status":500,"error":"NullPointerException[null]"}}"#,
            r#"{"index":{"error":"MapperParsingException[x]"}}"#,
        ] {
            assert!(matches!(fate(refused), Fate::Refused(_)), "{refused}");
        }
        let wait = serde_json::from_str::<Item>(r#"{"index":{"status":404}}"#).unwrap();
        assert!(matches!(wait.fate(&[404]), Fate::Again(_)));
    }
}
