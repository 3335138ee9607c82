//! Which server, and how it is spoken to.

use crate::http::address::Address;
use crate::net::address::HostPort;

/// A server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Server {
    /// Over HTTP.
    Http(Address),
    /// By datagrams, as servers before version 2 could be.
    Udp(HostPort),
}

impl Server {
    /// Reads a URL, or `host:port` for http.
    ///
    /// # Errors
    /// One line: what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Server, String> {
        let wrong = |why| format!("Server URL must specify one of `udp`, `http`, or `https`. ({why})");
        if let Some(rest) = text.strip_prefix("udp://") {
            return HostPort::parse(rest.trim_end_matches('/')).map(Server::Udp).map_err(wrong);
        }
        if !text.contains("://") && HostPort::parse(text).is_ok_and(|bare| !bare.host.is_empty()) {
            return Address::parse(&format!("http://{text}")).map(Server::Http).map_err(wrong);
        }
        Address::parse(text).map(Server::Http).map_err(wrong)
    }
}

/// Where bulk requests go, given the path of the server's URL.
pub(super) fn bulk_path(path: &str) -> String {
    let (path, query) = match path.split_once('?') {
        Some((path, query)) => (path, format!("?{query}")),
        None => (path, String::new()),
    };
    format!("{}/_bulk{query}", path.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_have_schemes() {
        let http = |text: &str| Ok(Server::Http(Address::parse(text).unwrap()));
        assert_eq!(Server::parse("http://es:9200/base"), http("http://es:9200/base"));
        assert_eq!(Server::parse("https://es"), http("https://es"));
        assert_eq!(Server::parse("es:9200"), http("http://es:9200"));
        assert_eq!(Server::parse("[::1]:9200"), http("http://[::1]:9200"));
        let peer = HostPort { host: "h".to_owned(), port: 9700 };
        assert_eq!(Server::parse("udp://h:9700"), Ok(Server::Udp(peer)));
        for text in ["", "es", "ftp://es:21", "udp://es", ":9200", "http://"] {
            let why = Server::parse(text).unwrap_err();
            assert!(why.starts_with("Server URL must specify one of `udp`, `http`, or `https`."), "{why}");
        }
    }

    #[test]
    fn bulk_comes_behind_the_path() {
        let cases = [("/", "/_bulk"), ("/base", "/base/_bulk"), ("/base/", "/base/_bulk"), ("/?a=b", "/_bulk?a=b")];
        for (path, bulk) in cases {
            assert_eq!(bulk_path(path), bulk);
        }
    }
}
