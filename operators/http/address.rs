//! URLs as users write them.

use crate::net::address::HostPort;
use hyper::Uri;
use hyper::http::HeaderValue;

/// Where requests go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Whether it is `https`.
    pub tls: bool,
    /// The server.
    pub peer: HostPort,
    /// What the `Host` header says: the port only if it is not the scheme's own.
    pub host: HeaderValue,
    /// Path and query; at least `/`.
    pub path: String,
    /// User and password of `http://user:password@host`.
    pub credentials: Option<(String, String)>,
}

impl Address {
    /// Reads an absolute `http` or `https` URL.
    ///
    /// # Errors
    /// One line: what is wrong with it.
    pub fn parse(text: &str) -> Result<Address, String> {
        let uri: Uri = text.parse().map_err(|error| format!("`{text}`: {error}"))?;
        let tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            Some(other) => return Err(format!("`{other}` in `{text}` is neither http nor https")),
            None => return Err(format!("`{text}` does not begin with http:// or https://")),
        };
        let authority = uri.authority().ok_or_else(|| format!("`{text}` names no host"))?;
        let (user, host_port) = match authority.as_str().rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, authority.as_str()),
        };
        let bare = authority.host().trim_start_matches('[').trim_end_matches(']');
        if bare.is_empty() {
            return Err(format!("`{text}` names no host"));
        }
        let default = if tls { 443 } else { 80 };
        let port = match host_port.strip_prefix(authority.host()).and_then(|rest| rest.strip_prefix(':')) {
            None | Some("") => default,
            Some(port) => port.parse().map_err(|_| format!("`{port}` in `{text}` is no port"))?,
        };
        let host = if port == default { authority.host().to_owned() } else { format!("{}:{port}", authority.host()) };
        Ok(Address {
            tls,
            peer: HostPort { host: bare.to_owned(), port },
            host: HeaderValue::try_from(host).map_err(|_| format!("`{text}` names no host"))?,
            path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
            credentials: user.map(|user| {
                let (name, password) = user.split_once(':').unwrap_or((user, ""));
                (unescaped(name), unescaped(password))
            }),
        })
    }

    /// The address without credentials, for logs.
    pub fn shown(&self) -> String {
        let host = self.host.to_str().unwrap_or_default();
        format!("{}://{host}{}", if self.tls { "https" } else { "http" }, self.path)
    }
}

/// Replaces `%xx`.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        let digit = |at: usize| behind.get(at).and_then(|byte| (*byte as char).to_digit(16));
        match (byte, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                rest = &behind[2..];
            }
            _ => {
                bytes.push(byte);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_have_parts() {
        let cases = [
            ("http://es:9200", false, "es", 9200, "es:9200", "/"),
            ("https://es", true, "es", 443, "es", "/"),
            ("http://es:80/base/", false, "es", 80, "es", "/base/"),
            ("https://[::1]:8443/a?b=c", true, "::1", 8443, "[::1]:8443", "/a?b=c"),
            (
                "http://127.0.0.1:1/write?db=x&precision=s",
                false,
                "127.0.0.1",
                1,
                "127.0.0.1:1",
                "/write?db=x&precision=s",
            ),
        ];
        for (text, tls, name, port, host, path) in cases {
            let address = Address::parse(text).unwrap();
            let peer = HostPort { host: name.to_owned(), port };
            assert_eq!((address.tls, address.peer, address.path.as_str()), (tls, peer, path), "{text}");
            assert_eq!((address.host.to_str().unwrap(), address.credentials), (host, None), "{text}");
        }
        let with = Address::parse("http://me:p%40ss%zz@h/x").unwrap();
        assert_eq!(with.credentials, Some(("me".to_owned(), "p@ss%zz".to_owned())));
        assert_eq!(with.shown(), "http://h/x");
    }

    #[test]
    fn what_is_no_url_is_refused() {
        for text in
            ["one-two", "", "ftp://x/", "http://", "http:///x", "/path", "es:9200", "http://h:99999/", "http://a b/"]
        {
            assert!(Address::parse(text).is_err(), "{text}");
        }
    }
}
