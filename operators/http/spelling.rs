//! The spelling of header names. They have no case, and the library's tables of headers keep none; but users may name a
//! server that does not know, and what they wrote is what it is sent.
//!
//! The library keeps the spelling of names that it has read itself, for proxies that pass requests on. So the names are
//! read once, from a request that goes nowhere.

use crate::http::body::Pieces;
use hyper::body::Incoming;
use hyper::http::Extensions;
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};
use tokio::io::AsyncWriteExt;

/// Room for the answer that nobody reads.
const ANSWER: usize = 4096;

/// What a request must hold so that headers of these names, one for each value, are sent as they are spelled. Names that
/// are none have no effect.
pub async fn spelled(names: &[String]) -> Extensions {
    let headers: String = names.iter().map(|name| format!("{name}: x\r\n")).collect();
    let text = format!("GET / HTTP/1.1\r\n{headers}\r\n");
    let (mut ours, theirs) = tokio::io::duplex(text.len() + ANSWER);
    let kept = Mutex::new(Extensions::new());
    let keep = |request: Request<Incoming>| {
        // Replaced as a whole, so a panic elsewhere cannot leave it half changed.
        *kept.lock().unwrap_or_else(PoisonError::into_inner) = request.extensions().clone();
        async { Ok::<_, Infallible>(Response::new(Pieces::default())) }
    };
    let reader = Builder::new()
        .preserve_header_case(true)
        .keep_alive(false)
        .max_headers(names.len() + 1)
        .serve_connection(TokioIo::new(theirs), service_fn(keep));
    // It fits; and a request that cannot be read leaves names to be spelled as is usual.
    let _ = ours.write_all(text.as_bytes()).await;
    let _ = reader.await;
    kept.into_inner().unwrap_or_else(PoisonError::into_inner)
}
