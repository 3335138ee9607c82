//! Answers: whole versions with an entity tag, nothing where the reader has the version already, compressed where he
//! can read that.

use super::file_body::FileBody;
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Response, StatusCode};
use std::fs::File;
use std::io::{self, Read, Write};
use std::time::{Duration, SystemTime};

/// The body of any answer.
pub(super) type ReplyBody = UnsyncBoxBody<Bytes, io::Error>;
/// An answer.
pub(super) type Reply = Response<ReplyBody>;

/// Bytes up to which a file is read at once, and so may be compressed; larger ones are sent as they are read.
const AT_ONCE: u64 = 4 << 20;
/// Bytes from which compressing is worth its while.
const COMPRESSED: usize = 1024;

/// What an address stands for at the moment.
pub(super) struct Entity {
    pub content: Content,
    pub kind: &'static str,
    /// Different for different content.
    pub version: String,
    pub modified: Option<SystemTime>,
    pub cache: &'static str,
}

/// Where an entity's bytes are.
pub(super) enum Content {
    Bytes(Bytes),
    /// A file and its length.
    File(File, u64),
}

/// Reads as asked: not at all when the reader has this version.
pub(super) fn entity(asked: &HeaderMap, entity: Entity) -> Reply {
    let tag = format!("\"{}\"", entity.version);
    let mut reply = match is_known(asked, &tag, entity.modified) {
        true => {
            let mut reply = Response::new(empty());
            *reply.status_mut() = StatusCode::NOT_MODIFIED;
            set(&mut reply, header::ETAG, &tag);
            reply
        }
        false => match body(asked, entity.content) {
            Ok((body, length, is_packed)) => {
                let mut reply = Response::new(body);
                set(&mut reply, header::CONTENT_TYPE, entity.kind);
                set(&mut reply, header::CONTENT_LENGTH, &length.to_string());
                // Other bytes for the same content: by the rules of the protocol that makes the tag a weak one.
                set(&mut reply, header::ETAG, &if is_packed { format!("W/{tag}") } else { tag });
                if is_packed {
                    set(&mut reply, header::CONTENT_ENCODING, "gzip");
                }
                reply
            }
            Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, &format!("The file cannot be read: {error}\n")),
        },
    };
    if let Some(modified) = entity.modified {
        set(&mut reply, header::LAST_MODIFIED, &httpdate::fmt_http_date(modified));
    }
    set(&mut reply, header::CACHE_CONTROL, entity.cache);
    set(&mut reply, header::VARY, "Accept-Encoding");
    reply
}

/// A short plain text.
pub(super) fn text(status: StatusCode, text: &str) -> Reply {
    page(status, "text/plain; charset=utf-8", text.to_owned())
}

/// A page made here.
pub(super) fn page(status: StatusCode, kind: &str, page: String) -> Reply {
    let length = page.len().to_string();
    let mut reply = Response::new(full(page.into()));
    *reply.status_mut() = status;
    set(&mut reply, header::CONTENT_TYPE, kind);
    set(&mut reply, header::CONTENT_LENGTH, &length);
    set(&mut reply, header::CACHE_CONTROL, "no-store");
    reply
}

/// It is elsewhere, for good.
pub(super) fn moved(to: &str) -> Reply {
    let mut reply = text(StatusCode::MOVED_PERMANENTLY, "");
    set(&mut reply, header::LOCATION, to);
    reply
}

/// Sets a header, unless the value has no right to be in one.
pub(super) fn set(reply: &mut Reply, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        reply.headers_mut().insert(name, value);
    }
}

fn empty() -> ReplyBody {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

fn full(bytes: Bytes) -> ReplyBody {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}

/// Whether the reader has said that he knows the version with this tag, or, where he has said nothing of tags, of
/// this second.
fn is_known(asked: &HeaderMap, tag: &str, modified: Option<SystemTime>) -> bool {
    if asked.contains_key(header::IF_NONE_MATCH) {
        let lists = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        let mut tags = lists.flat_map(|list| list.split(',')).map(str::trim);
        return tags.any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag);
    }
    let since = asked.get(header::IF_MODIFIED_SINCE).and_then(|value| value.to_str().ok());
    let since = since.and_then(|text| httpdate::parse_http_date(text).ok());
    // Dates of the protocol know whole seconds only.
    since.zip(modified).is_some_and(|(since, modified)| modified < since + Duration::from_secs(1))
}

/// The body, its length, and whether it is compressed.
fn body(asked: &HeaderMap, content: Content) -> io::Result<(ReplyBody, u64, bool)> {
    let bytes = match content {
        Content::Bytes(bytes) => bytes,
        Content::File(file, length) if length > AT_ONCE => {
            return Ok((FileBody::new(file, length).boxed_unsync(), length, false));
        }
        Content::File(file, length) => {
            let mut bytes = Vec::with_capacity(length as usize);
            file.take(length).read_to_end(&mut bytes)?;
            bytes.into()
        }
    };
    if bytes.len() >= COMPRESSED && accepts_gzip(asked) {
        let mut packer = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::fast());
        packer.write_all(&bytes)?;
        let packed = packer.finish()?;
        let length = packed.len() as u64;
        return Ok((full(packed.into()), length, true));
    }
    let length = bytes.len() as u64;
    Ok((full(bytes), length, false))
}

fn accepts_gzip(asked: &HeaderMap) -> bool {
    let lists = asked.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().strip_prefix("q=").map_or(Ok(1.0), str::parse::<f32>);
        name.trim().eq_ignore_ascii_case("gzip") && weight.is_ok_and(|weight| weight > 0.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::GzDecoder;

    fn headers(pairs: &[(header::HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    fn ask(pairs: &[(header::HeaderName, &str)], bytes: &'static [u8]) -> Reply {
        let modified = Some(SystemTime::UNIX_EPOCH + Duration::from_millis(1_409_886_000_500));
        let content = Content::Bytes(Bytes::from_static(bytes));
        entity(
            &headers(pairs),
            Entity { content, kind: "text/plain", version: "v1".into(), modified, cache: "no-cache" },
        )
    }

    async fn bytes_of(reply: Reply) -> Vec<u8> {
        reply.into_body().collect().await.unwrap().to_bytes().to_vec()
    }

    #[tokio::test]
    async fn who_knows_a_version_is_not_sent_it_again() {
        use header::{IF_MODIFIED_SINCE, IF_NONE_MATCH};
        let same_second = "Fri, 05 Sep 2014 03:00:00 GMT";
        let cases = [
            (vec![], 200),
            (vec![(IF_NONE_MATCH, "\"v1\"")], 304),
            (vec![(IF_NONE_MATCH, "W/\"v1\"")], 304),
            (vec![(IF_NONE_MATCH, "\"v0\", \"v1\"")], 304),
            (vec![(IF_NONE_MATCH, "\"v0\""), (IF_NONE_MATCH, "\"v2\"")], 200),
            (vec![(IF_NONE_MATCH, "*")], 304),
            (vec![(IF_NONE_MATCH, "v1")], 200),
            (vec![(IF_MODIFIED_SINCE, same_second)], 304),
            (vec![(IF_MODIFIED_SINCE, "Fri, 05 Sep 2014 02:59:59 GMT")], 200),
            (vec![(IF_MODIFIED_SINCE, "yesterday")], 200),
            (vec![(IF_NONE_MATCH, "\"v0\""), (IF_MODIFIED_SINCE, same_second)], 200),
        ];
        for (asked, status) in cases {
            let reply = ask(&asked, b"text");
            assert_eq!(reply.status(), status, "{asked:?}");
            assert_eq!(reply.headers()[header::ETAG], "\"v1\"");
            assert_eq!(reply.headers()[header::LAST_MODIFIED], same_second);
            assert_eq!(bytes_of(reply).await, if status == 200 { &b"text"[..] } else { b"" });
        }
    }

    #[tokio::test]
    async fn long_texts_are_compressed_for_who_can_read_that() {
        const LONG: &[u8] = &[b'x'; 5000];
        for (accepts, packed) in [("gzip", true), ("br, GZIP;q=0.5", true), ("gzip;q=0", false), ("br", false)] {
            let reply = ask(&[(header::ACCEPT_ENCODING, accepts)], LONG);
            let length: usize = reply.headers()[header::CONTENT_LENGTH].to_str().unwrap().parse().unwrap();
            assert_eq!(reply.headers().contains_key(header::CONTENT_ENCODING), packed, "{accepts}");
            assert_eq!(reply.headers()[header::ETAG], if packed { "W/\"v1\"" } else { "\"v1\"" });
            let body = bytes_of(reply).await;
            assert_eq!(body.len(), length);
            let mut text = Vec::new();
            match packed {
                true => drop(GzDecoder::new(&body[..]).read_to_end(&mut text).unwrap()),
                false => text = body,
            }
            assert_eq!(text, LONG);
        }
        let short = ask(&[(header::ACCEPT_ENCODING, "gzip")], b"short");
        assert!(!short.headers().contains_key(header::CONTENT_ENCODING));
    }
}
