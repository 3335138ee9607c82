//! The site as readers see it: which address stands for what, and what every answer says of itself.

use super::access::Access;
use super::documents::Documents;
use super::events::{Events, PING, Readers};
use super::folder::{Folder, Found, Stamp};
use super::listing;
use super::paths::{Refused, Wanted, encode};
use super::reply::{self, Content, Entity, Reply};
use super::view::View;
use http_body_util::BodyExt;
use hyper::body::Body;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use std::io::ErrorKind;
use std::sync::Arc;

/// The folder of documents, as an address.
pub(super) const DATA: &str = "data";

/// What a page may do: run the scripts that are served here, and ask for what is served here.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      img-src 'self' data:; base-uri 'none'; form-action 'none'";

const PLAIN: &str = "text/plain; charset=utf-8";

/// Everything that is served.
pub(super) struct Site {
    pub access: Access,
    pub documents: Arc<Documents>,
    pub readers: Readers,
    /// What the daemon says of itself.
    pub view: View,
    /// The page, then what the user put beside its data.
    pub assets: Vec<Folder>,
    /// Whether folders show what is in them.
    pub lists_folders: bool,
    /// Headers of every answer, by name.
    pub headers: Vec<(HeaderName, Vec<HeaderValue>)>,
}

impl Site {
    /// Answers a request.
    pub(super) fn answer<B: Body>(&self, request: &Request<B>) -> Reply {
        let mut reply = if self.access.admits(request.headers()) {
            self.admitted(request)
        } else {
            let mut reply = reply::text(StatusCode::UNAUTHORIZED, "Who are you?\n");
            reply::set(&mut reply, header::WWW_AUTHENTICATE, self.access.challenge());
            reply
        };
        let headers = reply.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        for (name, values) in &self.headers {
            headers.remove(name);
            for value in values {
                headers.append(name, value.clone());
            }
        }
        reply
    }

    fn admitted<B: Body>(&self, request: &Request<B>) -> Reply {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut reply = reply::text(StatusCode::METHOD_NOT_ALLOWED, "Only GET and HEAD are answered here.\n");
            reply::set(&mut reply, header::ALLOW, "GET, HEAD");
            return reply;
        }
        let wanted = match Wanted::parse(request.uri().path()) {
            Ok(wanted) => wanted,
            Err(Refused::Malformed) => return reply::text(StatusCode::BAD_REQUEST, "No path looks like this.\n"),
            Err(Refused::Hidden) => return missing(),
        };
        match wanted.single() {
            Some(b"events") => return self.events(request.method()),
            Some(b"index.html") => return moved("./", request),
            _ => {}
        }
        if let Some(name) = wanted.file_in(DATA)
            && let Some(document) = self.view.document(name, &self.documents)
        {
            return reply::entity(request.headers(), document);
        }
        if wanted.is_below(DATA) {
            let below = Wanted { segments: wanted.segments[1..].to_vec(), folder: wanted.folder };
            return self.data(&below, request);
        }
        self.asset(wanted, request)
    }

    fn events(&self, method: &Method) -> Reply {
        // The stream begins with the newest sample, whoever took it.
        self.view.refresh(&self.documents);
        let Some(seat) = self.readers.take() else {
            return reply::text(StatusCode::SERVICE_UNAVAILABLE, "Too many read events already.\n");
        };
        let events = Events::new(self.documents.clone(), seat, PING).map_err(|never| match never {}).boxed_unsync();
        let mut reply = match *method {
            Method::HEAD => reply::text(StatusCode::OK, ""),
            _ => Response::new(events),
        };
        reply::set(&mut reply, header::CONTENT_TYPE, "text/event-stream");
        reply::set(&mut reply, header::CACHE_CONTROL, "no-store");
        // Proxies that collect answers would hold events back.
        reply::set(&mut reply, HeaderName::from_static("x-accel-buffering"), "no");
        reply
    }

    /// A document, or a file of the user's beside them.
    fn data<B>(&self, wanted: &Wanted, request: &Request<B>) -> Reply {
        match self.documents.folder().open(&wanted.segments) {
            Ok(Found::File(file, metadata)) if !wanted.folder => {
                let name = wanted.single().map(String::from_utf8_lossy).unwrap_or_default();
                let version = self.documents.version(&name, &metadata);
                let entity = Entity {
                    kind: data_kind(&name),
                    version: version.unwrap_or_else(|| Stamp::of(&metadata).version()),
                    modified: metadata.modified().ok(),
                    cache: "no-cache",
                    content: Content::File(file, metadata.len()),
                };
                reply::entity(request.headers(), entity)
            }
            Ok(Found::Folder(entries)) if self.lists_folders => match wanted.folder {
                true => reply::page(StatusCode::OK, "text/html; charset=utf-8", listing::page(&entries)),
                false => {
                    moved(&format!("./{}/", encode(wanted.segments.last().map_or(DATA.as_bytes(), |s| s))), request)
                }
            },
            Ok(_) => missing(),
            Err(error) => failed(&error),
        }
    }

    /// A file of the page, or one of the user's beside it. Nothing here comes from a message.
    fn asset<B>(&self, mut wanted: Wanted, request: &Request<B>) -> Reply {
        if wanted.folder {
            wanted = Wanted { folder: false, ..wanted };
            wanted.segments.push(b"index.html".to_vec());
        }
        for folder in &self.assets {
            match folder.open(&wanted.segments) {
                Ok(Found::File(file, metadata)) => {
                    let name = wanted.segments.last().map(Vec::as_slice).unwrap_or_default();
                    let has_version = request.uri().query().is_some_and(|query| query.starts_with("v="));
                    let is_page = name.ends_with(b".html");
                    let entity = Entity {
                        kind: asset_kind(name),
                        version: Stamp::of(&metadata).version(),
                        modified: metadata.modified().ok(),
                        cache: if has_version && !is_page { "public, max-age=31536000, immutable" } else { "no-cache" },
                        content: Content::File(file, metadata.len()),
                    };
                    return reply::entity(request.headers(), entity);
                }
                Ok(Found::Folder(_)) => {
                    let name = wanted.segments.last().map(Vec::as_slice).unwrap_or_default();
                    return moved(&format!("./{}/", encode(name)), request);
                }
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return failed(&error),
            }
        }
        missing()
    }
}

/// What a document is. The type of an output comes from a message, so none is sent as what it says it is.
fn data_kind(name: &str) -> &'static str {
    match name {
        "heka_report.json" | "sandboxes.json" => "application/json",
        "heka_sandbox_termination.tsv" | "heka_sandbox_termination.1.tsv" => "text/tab-separated-values",
        _ => PLAIN,
    }
}

fn asset_kind(name: &[u8]) -> &'static str {
    let extension = memchr::memrchr(b'.', name).map_or(&b""[..], |dot| &name[dot + 1..]);
    match extension.to_ascii_lowercase().as_slice() {
        b"html" | b"htm" => "text/html; charset=utf-8",
        b"js" | b"mjs" => "text/javascript; charset=utf-8",
        b"css" => "text/css; charset=utf-8",
        b"svg" => "image/svg+xml",
        b"json" | b"map" => "application/json",
        b"png" => "image/png",
        b"jpg" | b"jpeg" => "image/jpeg",
        b"gif" => "image/gif",
        b"ico" => "image/x-icon",
        b"webp" => "image/webp",
        b"woff" => "font/woff",
        b"woff2" => "font/woff2",
        _ => PLAIN,
    }
}

/// To a neighbour, with the query that came.
fn moved<B>(to: &str, request: &Request<B>) -> Reply {
    reply::moved(&match request.uri().query() {
        Some(query) => format!("{to}?{query}"),
        None => to.to_owned(),
    })
}

fn missing() -> Reply {
    let mut reply = reply::text(StatusCode::NOT_FOUND, "There is nothing here (yet).\n");
    reply::set(&mut reply, header::CACHE_CONTROL, "no-cache");
    reply
}

fn failed(error: &std::io::Error) -> Reply {
    match error.kind() {
        ErrorKind::NotFound => missing(),
        ErrorKind::PermissionDenied => reply::text(StatusCode::FORBIDDEN, "hekad may not read this.\n"),
        _ => reply::text(StatusCode::INTERNAL_SERVER_ERROR, &format!("This cannot be read: {error}\n")),
    }
}
