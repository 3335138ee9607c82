//! Addresses as users write them: `host:port`, `:port`, `[::1]:port`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Which version of the Internet Protocol a `net` setting allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Either.
    Any,
    /// Version 4 only.
    V4,
    /// Version 6 only.
    V6,
}

impl Family {
    /// The family a word such as `tcp4` stands for, given the word for any family.
    pub fn of(net: &str, base: &str) -> Option<Family> {
        match net.strip_prefix(base)? {
            "" => Some(Family::Any),
            "4" => Some(Family::V4),
            "6" => Some(Family::V6),
            _ => None,
        }
    }

    fn allows(self, ip: IpAddr) -> bool {
        match self {
            Family::Any => true,
            Family::V4 => ip.is_ipv4(),
            Family::V6 => ip.is_ipv6(),
        }
    }
}

/// A host and a port, not yet looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    /// A name or an address without brackets; empty for "all of this machine" or "this machine".
    pub host: String,
    /// The port.
    pub port: u16,
}

impl HostPort {
    /// Reads `host:port`.
    ///
    /// # Errors
    /// Says what is missing, in one line.
    pub fn parse(text: &str) -> Result<HostPort, String> {
        let missing = || format!("missing port in address `{text}`");
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => rest.split_once(']').and_then(|(host, port)| Some((host, port.strip_prefix(':')?))),
            None => text.rsplit_once(':'),
        }
        .ok_or_else(missing)?;
        if host.contains(':') && !text.starts_with('[') {
            return Err(format!("too many colons in address `{text}`: write [{host}]:{port}"));
        }
        let port = port.parse().map_err(|_| format!("`{port}` in `{text}` is no port"))?;
        Ok(HostPort { host: host.to_owned(), port })
    }

    /// The addresses to listen on, best first: an empty host means all interfaces, of both families where the
    /// machine has both.
    ///
    /// # Errors
    /// When the name is not known or has no address of that family.
    pub async fn to_listen(&self, family: Family) -> Result<Vec<SocketAddr>, String> {
        let any: &[IpAddr] = match family {
            Family::Any => &[IpAddr::V6(Ipv6Addr::UNSPECIFIED), IpAddr::V4(Ipv4Addr::UNSPECIFIED)],
            Family::V4 => &[IpAddr::V4(Ipv4Addr::UNSPECIFIED)],
            Family::V6 => &[IpAddr::V6(Ipv6Addr::UNSPECIFIED)],
        };
        if self.host.is_empty() {
            return Ok(any.iter().map(|ip| SocketAddr::new(*ip, self.port)).collect());
        }
        self.look_up(&self.host, family).await
    }

    /// The addresses to connect to, best first: an empty host means this machine.
    ///
    /// # Errors
    /// When the name is not known or has no address of that family.
    pub async fn to_dial(&self, family: Family) -> Result<Vec<SocketAddr>, String> {
        self.look_up(if self.host.is_empty() { "localhost" } else { &self.host }, family).await
    }

    async fn look_up(&self, host: &str, family: Family) -> Result<Vec<SocketAddr>, String> {
        let found = tokio::net::lookup_host((host, self.port)).await.map_err(|error| format!("{host}: {error}"))?;
        let mut list: Vec<SocketAddr> = found.filter(|address| family.allows(address.ip())).collect();
        // A name with both kinds, such as `localhost`, means version 4 first, as it did for the original.
        list.sort_by_key(SocketAddr::is_ipv6);
        list.dedup();
        if list.is_empty() { Err(format!("{host}: no suitable address")) } else { Ok(list) }
    }
}

impl std::fmt::Display for HostPort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Reads a source address: `ip:port`, `:port`, or a bare `ip` for any port.
///
/// # Errors
/// Says what cannot be read, in one line.
pub fn parse_local(text: &str) -> Result<SocketAddr, String> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return Ok(SocketAddr::new(ip, 0));
    }
    let HostPort { host, port } = HostPort::parse(text)?;
    if host.is_empty() {
        return Ok(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port));
    }
    host.parse().map(|ip| SocketAddr::new(ip, port)).map_err(|_| format!("`{host}` is no IP address"))
}

/// How a peer is shown: version 4 addresses that came over a version 6 socket look like themselves.
pub fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hosts_and_ports_are_told_apart() {
        let cases = [
            (":5565", Ok(("", 5565))),
            ("localhost:80", Ok(("localhost", 80))),
            ("[::1]:514", Ok(("::1", 514))),
            ("[fe80::1%eth0]:1", Ok(("fe80::1%eth0", 1))),
            ("", Err("missing port in address ``")),
            ("localhost", Err("missing port in address `localhost`")),
            ("[::1]", Err("missing port in address `[::1]`")),
            ("::1:5", Err("too many colons in address `::1:5`: write [::1]:5")),
            ("a:http", Err("`http` in `a:http` is no port")),
            ("a:65536", Err("`65536` in `a:65536` is no port")),
        ];
        for (text, wanted) in cases {
            let wanted = wanted.map(|(host, port)| HostPort { host: host.to_owned(), port }).map_err(str::to_owned);
            assert_eq!(HostPort::parse(text), wanted, "{text}");
        }
    }

    #[test]
    fn a_source_address_needs_no_port() {
        for (text, wanted) in
            [("10.0.0.1", "10.0.0.1:0"), ("10.0.0.1:7", "10.0.0.1:7"), ("::1", "[::1]:0"), (":9", "0.0.0.0:9")]
        {
            assert_eq!(parse_local(text).map(|a| a.to_string()).as_deref(), Ok(wanted));
        }
        assert!(parse_local("example.org:5").is_err());
    }

    #[tokio::test]
    async fn families_limit_what_is_found() {
        let found = |text: &str| HostPort::parse(text).unwrap();
        assert_eq!(found("127.0.0.1:1").to_dial(Family::V4).await.unwrap().len(), 1);
        assert!(found("127.0.0.1:1").to_dial(Family::V6).await.is_err());
        assert!(found(":1").to_listen(Family::V6).await.unwrap().iter().all(SocketAddr::is_ipv6));
        assert_eq!(Family::of("tcp6", "tcp"), Some(Family::V6));
        assert_eq!(Family::of("udp", "tcp"), None);
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(text in "\\PC*", port in any::<u16>()) {
            let _ = HostPort::parse(&text);
            let _ = parse_local(&text);
            let address = HostPort { host: "::1".to_owned(), port };
            prop_assert_eq!(HostPort::parse(&address.to_string()), Ok(address));
        }
    }
}
