//! An endpoint of ElasticSearch's bulk interface that takes nothing which the real one would refuse, and that fails
//! now and then as the real one does.

use crate::support::web::{Reply, Request, serve};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// A document with its index.
#[derive(Clone, Debug)]
pub struct Document {
    pub index: String,
    pub source: Value,
}

/// What it has stored, and what it had to complain of.
#[derive(Default)]
struct Stored {
    requests: usize,
    documents: Vec<Document>,
    failures_injected: usize,
    complaints: Vec<String>,
}

/// The running endpoint.
pub struct Elastic {
    pub address: String,
    stored: Arc<Mutex<Stored>>,
}

impl Elastic {
    pub fn start() -> Elastic {
        let stored: Arc<Mutex<Stored>> = Arc::default();
        let shared = stored.clone();
        let address = serve(move |request| answer(&mut shared.lock().unwrap(), &request));
        Elastic { address, stored }
    }

    pub fn documents(&self) -> Vec<Document> {
        self.stored.lock().unwrap().documents.clone()
    }

    pub fn count(&self) -> usize {
        self.stored.lock().unwrap().documents.len()
    }

    /// How often it failed on purpose.
    pub fn failures_injected(&self) -> usize {
        self.stored.lock().unwrap().failures_injected
    }

    /// Requests that the real one would refuse.
    pub fn complaints(&self) -> Vec<String> {
        self.stored.lock().unwrap().complaints.clone()
    }
}

fn answer(stored: &mut Stored, request: &Request) -> Reply {
    if request.method == "GET" && request.path == "/" {
        return Reply::json(200, &json!({"version": {"number": "7.17.0"}}));
    }
    let documents = match read(request) {
        Ok(documents) => documents,
        Err(why) => {
            stored.complaints.push(why.clone());
            return Reply::json(400, &json!({"error": {"type": "illegal_argument_exception", "reason": why}}));
        }
    };
    stored.requests += 1;
    // Each kind of failure comes again and again, so that every kind meets the ends of the test, too.
    let failing = match stored.requests % 23 {
        5 => Some(Reply::json(503, &json!({"error": "unavailable", "status": 503}))),
        11 => Some(Reply::Hang),
        17 => Some(Reply::json(429, &json!({"error": "es_rejected_execution_exception", "status": 429}))),
        _ => None,
    };
    if let Some(failing) = failing {
        stored.failures_injected += 1;
        return failing;
    }
    // Every twentieth request finds the queue of one of its documents full.
    let full = (stored.requests % 20 == 3).then_some(documents.len() / 2);
    let mut items = Vec::new();
    for (number, document) in documents.into_iter().enumerate() {
        if full == Some(number) {
            stored.failures_injected += 1;
            let error = json!({"type": "es_rejected_execution_exception", "reason": "queue capacity"});
            items.push(json!({"index": {"_index": document.index, "status": 429, "error": error}}));
        } else {
            items.push(json!({"index": {"_index": document.index, "result": "created", "status": 201}}));
            stored.documents.push(document);
        }
    }
    Reply::json(200, &json!({"took": 1, "errors": full.is_some(), "items": items}))
}

/// The documents of a bulk request, or what is wrong with it.
fn read(request: &Request) -> Result<Vec<Document>, String> {
    if (request.method.as_str(), request.path.as_str()) != ("POST", "/_bulk") {
        return Err(format!("{} {}", request.method, request.path));
    }
    let content = request.header("content-type").unwrap_or_default();
    if !content.starts_with("application/x-ndjson") && !content.starts_with("application/json") {
        return Err(format!("Content-Type '{content}' is not supported"));
    }
    let text = std::str::from_utf8(&request.body).map_err(|error| error.to_string())?;
    if !text.ends_with('\n') {
        return Err("The bulk request must be terminated by a newline".to_owned());
    }
    let mut lines = text.lines();
    let mut documents = Vec::new();
    while let Some(action) = lines.next() {
        let action: Value = serde_json::from_str(action).map_err(|error| format!("{error}: {action}"))?;
        let index = action.pointer("/index/_index").and_then(Value::as_str);
        let index = index.ok_or_else(|| format!("no index action: {action}"))?.to_owned();
        let source = lines.next().ok_or("an action without a document")?;
        let source: Value = serde_json::from_str(source).map_err(|error| format!("{error}: {source}"))?;
        if !source.is_object() {
            return Err(format!("no document: {source}"));
        }
        documents.push(Document { index, source });
    }
    if documents.is_empty() {
        return Err("request body is required".to_owned());
    }
    Ok(documents)
}
