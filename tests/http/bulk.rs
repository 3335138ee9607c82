//! A bulk interface that believes nothing: it checks every line it is sent, stores documents as ElasticSearch 8 does,
//! and fails as often as it is told to, in every way there is.

use crate::support::Random;
use crate::support::web::{Reply, Request, serve};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// What the interface has seen.
#[derive(Default)]
pub struct Store {
    /// Documents by index and identity.
    pub documents: HashMap<(String, String), Value>,
    /// How often a document was stored that was there already.
    pub again: usize,
    /// How often one was refused because its payload says `poison`.
    pub refused: usize,
    /// Bulk requests.
    pub requests: usize,
    /// Failures, by what they were.
    pub failures: HashMap<&'static str, usize>,
    /// What was wrong with what came, which must be nothing.
    pub wrong: Vec<String>,
    made: usize,
}

/// How it behaves.
#[derive(Clone, Copy)]
pub struct Behaviour {
    /// Of a hundred requests, so many fail; of as many others, a quarter of the documents does.
    pub failures: u64,
    /// Whether it knows types.
    pub types: bool,
    /// The most bytes of a request.
    pub most_bytes: usize,
}

/// The running interface.
#[derive(Clone)]
pub struct Bulk {
    pub address: String,
    store: Arc<Mutex<Store>>,
}

impl Bulk {
    pub fn start(behaviour: Behaviour) -> Bulk {
        let store = Arc::new(Mutex::new(Store::default()));
        let shared = store.clone();
        let random = Mutex::new(Random::new(7));
        let address = serve(move |request| handle(&request, &mut shared.lock().unwrap(), &random, behaviour));
        Bulk { address, store }
    }

    pub fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap()
    }

    /// The payloads of all documents, sorted.
    pub fn payloads(&self) -> Vec<String> {
        let store = self.store();
        let payload = |document: &Value| document["Payload"].as_str().expect("a payload").trim_end().to_owned();
        let mut all: Vec<String> = store.documents.values().map(payload).collect();
        all.sort();
        all
    }
}

fn error(status: u16, kind: &str, reason: &str) -> Reply {
    Reply::json(status, &json!({"error": {"type": kind, "reason": reason}, "status": status}))
}

fn handle(request: &Request, store: &mut Store, random: &Mutex<Random>, behaviour: Behaviour) -> Reply {
    match (request.method.as_str(), request.path.split('?').next().unwrap()) {
        ("POST" | "PUT", "/_bulk") => bulk(request, store, &mut random.lock().unwrap(), behaviour),
        ("GET" | "POST", path) => product(look_up(path, store)),
        _ => error(405, "method", "not allowed"),
    }
}

/// The official client talks to nothing that does not say what it is.
fn product(value: (u16, Value)) -> Reply {
    let headers = "Content-Type: application/vnd.elasticsearch+json;compatible-with=8\r\n\
                   X-Elastic-Product: Elasticsearch\r\n";
    Reply::Say(value.0, headers.to_owned(), value.1.to_string())
}

fn look_up(path: &str, store: &Store) -> (u16, Value) {
    let words: Vec<&str> = path.trim_matches('/').split('/').collect();
    match words[..] {
        [""] => (200, json!({"version": {"number": "8.19.0"}, "tagline": "You Know, for Search"})),
        [index, "_count"] => (200, json!({"count": store.documents.keys().filter(|(i, _)| i == index).count()})),
        [index, "_doc", id] => match store.documents.get(&(index.to_owned(), id.to_owned())) {
            Some(document) => (200, json!({"_index": index, "_id": id, "found": true, "_source": document})),
            None => (404, json!({"_index": index, "_id": id, "found": false})),
        },
        _ => (404, json!({"error": "no such path", "status": 404})),
    }
}

fn bulk(request: &Request, store: &mut Store, random: &mut Random, behaviour: Behaviour) -> Reply {
    store.requests += 1;
    if request.body.len() > behaviour.most_bytes {
        *store.failures.entry("413").or_default() += 1;
        return error(413, "too_large", "request entity too large");
    }
    let fails = random.below(100) < behaviour.failures;
    let fail = |store: &mut Store, kind, reply| {
        *store.failures.entry(kind).or_default() += 1;
        reply
    };
    let way = random.below(7);
    if fails && way < 3 {
        return match way {
            0 => fail(store, "503", Reply::Say(503, "Retry-After: 0\r\n".to_owned(), "busy".to_owned())),
            1 => fail(store, "429", error(429, "es_rejected_execution_exception", "busy")),
            _ => fail(store, "dropped", Reply::Hang),
        };
    }
    let actions = match parse(request, behaviour.types) {
        Ok(actions) => actions,
        Err(Wrong::Types(line)) => {
            let reason = format!("Action/metadata line [{line}] contains an unknown parameter [_type]");
            return error(400, "illegal_argument_exception", &reason);
        }
        Err(Wrong::Other(why)) => {
            store.wrong.push(why.clone());
            return error(400, "illegal_argument_exception", &why);
        }
    };
    let busy = random.below(100) < behaviour.failures;
    let mut errors = false;
    let mut items = Vec::new();
    for action in actions {
        let mut item = json!({"_index": action.index, "_id": action.id});
        if busy && random.below(4) == 0 {
            item["status"] = json!(429);
            item["error"] = json!({"type": "es_rejected_execution_exception", "reason": "queue is full"});
            *store.failures.entry("429 of a document").or_default() += 1;
        } else if action.document["Payload"].as_str().is_some_and(|payload| payload.contains("poison")) {
            item["status"] = json!(400);
            item["error"] = json!({"type": "mapper_parsing_exception", "reason": "failed to parse field [Payload]"});
            store.refused += 1;
        } else {
            let id = action.id.unwrap_or_else(|| {
                store.made += 1;
                format!("made-{}", store.made)
            });
            let there = store.documents.insert((action.index, id), action.document).is_some();
            store.again += usize::from(there);
            item["status"] = json!(if there { 200 } else { 201 });
        }
        errors |= item.get("error").is_some();
        items.push(json!({ action.kind: item }));
    }
    let body = json!({"took": 1, "errors": errors, "items": items});
    match way {
        // Whatever was stored, nobody is told.
        3 if fails => fail(store, "half an answer", Reply::Half(body.to_string()[..20].to_owned())),
        4 if fails => fail(store, "no answer", Reply::Hang),
        5 if fails => fail(store, "no answer in time", Reply::Stall(Duration::from_secs(2))),
        6 if fails => fail(store, "no JSON", Reply::Say(200, String::new(), "<html>oops".to_owned())),
        _ => product((200, body)),
    }
}

struct Action {
    kind: &'static str,
    index: String,
    id: Option<String>,
    document: Value,
}

enum Wrong {
    Types(usize),
    Other(String),
}

/// Reads a request as strictly as its format allows.
fn parse(request: &Request, types: bool) -> Result<Vec<Action>, Wrong> {
    let wrong = |why: String| Err(Wrong::Other(why));
    let kind = request.header("content-type").unwrap_or_default();
    if !kind.contains("x-ndjson") && !kind.contains("compatible-with=8") {
        return wrong(format!("Content-Type header [{kind}] is not supported"));
    }
    let Ok(text) = std::str::from_utf8(&request.body) else { return wrong("no UTF-8".to_owned()) };
    let Some(text) = text.strip_suffix('\n') else {
        return wrong("The bulk request must be terminated by a newline [\\n]".to_owned());
    };
    let mut actions = Vec::new();
    let mut lines = text.split('\n').enumerate();
    while let Some((number, line)) = lines.next() {
        let action: Value = match serde_json::from_str(line) {
            Ok(action) => action,
            Err(why) => return wrong(format!("action line {}: {why}: {line}", number + 1)),
        };
        let Some((kind, details)) = action.as_object().filter(|map| map.len() == 1).and_then(|map| map.iter().next())
        else {
            return wrong(format!("action line {} is no action: {line}", number + 1));
        };
        let kind = match kind.as_str() {
            "index" => "index",
            "create" => "create",
            other => return wrong(format!("unknown action {other}")),
        };
        for key in details.as_object().into_iter().flat_map(|map| map.keys()) {
            match key.as_str() {
                "_index" | "_id" => {}
                "_type" if types => {}
                "_type" => return Err(Wrong::Types(number + 1)),
                other => return wrong(format!("unknown parameter [{other}]")),
            }
        }
        let index = details["_index"].as_str().unwrap_or_default().to_owned();
        if index.is_empty() || index != index.to_lowercase() {
            return wrong(format!("invalid index name [{index}]"));
        }
        let Some((_, line)) = lines.next() else { return wrong(format!("no document behind line {}", number + 1)) };
        match serde_json::from_str::<Value>(line) {
            Ok(document) if document.is_object() => {
                let id = details.get("_id").map(|id| id.as_str().expect("an identity is a text").to_owned());
                actions.push(Action { kind, index, id, document });
            }
            _ => return wrong(format!("line {} is no document: {line}", number + 2)),
        }
    }
    Ok(actions)
}
