//! HttpOutput against a server that does what a script says.

use super::*;
use crate::http::scripted::{Reply, Scripted};
use crate::net::rig::{OutputRig, complaints, counted, section, text, texts};
use crate::tls::testing::Authority;
use heka_settings::{Data, Level};
use std::io::Read;

fn numbers<const N: usize>(numbers: [i64; N]) -> Data {
    Data::Array(numbers.map(|number| heka_settings::Value::new(Data::Integer(number))).to_vec())
}

fn bodies(server: &Scripted) -> Vec<String> {
    server.got().iter().map(|got| got.text()).collect()
}

/// Sends records to a server, waits until they are acknowledged, and gives the site.
async fn sent(server: &Scripted, table: Table, records: &[&str]) -> Site {
    let table = if table.get("address").is_some() { table } else { table.with("address", text(server.url("/in"))) };
    let mut rig = OutputRig::start(&TYPE, &table);
    let ticket = rig.send(records);
    rig.acked(ticket).await;
    let site = rig.site.clone();
    assert_eq!(rig.end().await, (Ok(()), ticket));
    site
}

#[tokio::test]
async fn a_message_is_a_request() {
    let server = Scripted::start(|_, _| Reply::Say(200, "", "thanks".into()));
    let site = sent(&server, section([]), &["p\n", "q\n"]).await;
    assert_eq!(bodies(&server), ["p\n", "q\n"]);
    let got = &server.got()[0];
    assert_eq!((got.method.as_str(), got.path.as_str(), got.header("content-length")), ("POST", "/in", Some("2")));
    assert_eq!((got.header("content-type"), got.header("authorization")), (None, None));
    assert_eq!(counted(&site, "ProcessMessageCount"), 2);
}

#[tokio::test]
async fn methods_headers_and_credentials_are_the_users() {
    let server = Scripted::start(|_, _| Reply::status(204));
    sent(&server, section([("method", text("put"))]), &["p"]).await;
    sent(&server, section([("method", text("get"))]), &["p"]).await;
    let headers =
        section([("X-A", texts(["1", "2"])), ("x-hEKA_id", texts(["3"])), ("Host", texts(["virtual.example"]))]);
    let table = section([("headers", Data::Table(headers)), ("username", text("user")), ("password", text("pass"))]);
    sent(&server, table, &["p"]).await;
    sent(&server, section([("token", text("t=")), ("token_type", text("Token"))]), &["p"]).await;
    let url = format!("http://u:p@{}/in", server.address);
    sent(&server, section([("address", text(url))]), &["p"]).await;
    let got = server.got();
    assert_eq!((got[0].method.as_str(), got[0].text().as_str()), ("PUT", "p"));
    assert_eq!((got[1].method.as_str(), got[1].text().as_str(), got[1].header("content-length")), ("GET", "", None));
    let values: Vec<_> = got[2].headers.iter().filter(|(name, _)| name == "X-A").map(|(_, v)| v.as_str()).collect();
    assert_eq!((values, got[2].header("host")), (vec!["1", "2"], Some("virtual.example")));
    assert!(got[2].headers.contains(&("x-hEKA_id".to_owned(), "3".to_owned())), "{:?}", got[2]);
    assert_eq!(got[2].header("authorization"), Some("Basic dXNlcjpwYXNz"));
    assert_eq!(got[3].header("authorization"), Some("Token t="));
    assert_eq!(got[4].header("authorization"), Some("Basic dTpw"));
}

#[tokio::test]
async fn what_may_pass_is_tried_again_in_order() {
    let server = Scripted::start(|_, n| match n {
        0 => Reply::status(500),
        1 => Reply::Hang,
        2 => Reply::Say(429, "Retry-After: 0\r\n", String::new()),
        3 => Reply::Half,
        _ => Reply::status(200),
    });
    let site = sent(&server, section([]), &["a", "b"]).await;
    assert_eq!(bodies(&server), ["a", "a", "a", "a", "a", "b"]);
    assert_eq!((counted(&site, "ProcessMessageCount"), counted(&site, "DropMessageCount")), (2, 0));
    // The second went out over a connection that the server had kept open, and does not count.
    assert_eq!(counted(&site, "RetryCount"), 3);
}

#[tokio::test]
async fn an_answer_that_never_comes_is_not_waited_for() {
    let server = Scripted::start(|_, n| if n == 0 { Reply::Stall } else { Reply::status(200) });
    sent(&server, section([("http_timeout", Data::Integer(200))]), &["a"]).await;
    assert_eq!(bodies(&server), ["a", "a"]);
}

#[tokio::test]
async fn what_is_refused_blocks_nobody() {
    let server = Scripted::start(|got, _| Reply::status(if got.text().contains("bad") { 400 } else { 200 }));
    let table = section([("flush_count", Data::Integer(4)), ("flush_interval", Data::Integer(0))]);
    let site = sent(&server, table, &["a", "b", "bad", "c"]).await;
    assert_eq!(bodies(&server), ["a\nb\nbad\nc", "a\nb", "bad\nc", "bad", "c"]);
    assert_eq!((counted(&site, "ProcessMessageCount"), counted(&site, "Dropped-refused")), (3, 1));
}

#[tokio::test]
async fn a_password_that_is_wrong_may_be_set_right() {
    let server = Scripted::start(|_, n| Reply::status(if n == 0 { 401 } else { 200 }));
    let table = section([("retry_statuses", numbers([401]))]);
    let site = sent(&server, table, &["a"]).await;
    assert_eq!((counted(&site, "ProcessMessageCount"), counted(&site, "Dropped-refused")), (1, 0));
    let server = Scripted::start(|_, _| Reply::status(401));
    assert_eq!(counted(&sent(&server, section([]), &["a"]).await, "Dropped-refused"), 1);
}

#[tokio::test]
async fn a_redirect_drops_nothing() {
    let server = Scripted::start(|_, n| match n {
        0 => Reply::Say(301, "Location: http://elsewhere/\r\n", String::new()),
        _ => Reply::status(200),
    });
    let site = sent(&server, section([]), &["a"]).await;
    assert_eq!((counted(&site, "ProcessMessageCount"), counted(&site, "RetryCount")), (1, 1));
}

#[tokio::test]
async fn lines_join_into_one_compressed_body() {
    let server = Scripted::start(|_, _| Reply::status(200));
    let table = section([("gzip", Data::Bool(true)), ("flush_count", Data::Integer(100))]);
    let mut rig = OutputRig::start(&TYPE, &table.with("address", text(server.url("/"))));
    rig.send(["a\n", "b", "c\n", "d"]);
    let last = rig.send(["e"]);
    assert_eq!(rig.end().await, (Ok(()), last));
    let got = server.got();
    assert_eq!((got.len(), got[0].header("content-encoding")), (1, Some("gzip")));
    let mut plain = String::new();
    flate2::read::GzDecoder::new(&got[0].body[..]).read_to_string(&mut plain).unwrap();
    assert_eq!(plain, "a\nb\nc\nd\ne");
}

#[tokio::test]
async fn it_speaks_tls() {
    let authority = Authority::new();
    let config = crate::tls::server_config(&authority.server()).unwrap();
    let server = Scripted::start_tls(config, |_, _| Reply::status(200));
    let tls = section([("root_cafile", text(authority.path("ca.pem")))]);
    let url = format!("https://{}/", server.address);
    sent(&server, section([("address", text(url)), ("tls", Data::Table(tls))]), &["a", "b"]).await;
    assert_eq!(bodies(&server), ["a", "b"]);
}

#[tokio::test]
async fn a_shutdown_does_not_wait_for_a_server_that_never_answers() {
    let server = Scripted::start(|_, _| Reply::Stall);
    let mut rig = OutputRig::start(&TYPE, &section([("address", text(server.url("/")))]));
    rig.send(["a"]);
    while server.got().is_empty() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    rig.begin_shutdown();
    let (ended, acked) = rig.end().await;
    assert!(ended.is_err_and(|error| error.message.contains("could not be delivered")));
    assert_eq!(acked, 0);
}

#[test]
fn mistakes_are_named() {
    let cases = [
        (section([("address", text("one-two"))]), "`address` must contain an absolute http or https URL."),
        (section([]), "`address` must contain an absolute http or https URL."),
        (section([("method", text("DELETE"))]), "HTTP Method must be POST, GET, or PUT."),
        (section([("token", text("a")), ("username", text("b"))]), "`token` and `username`"),
        (section([("username", text("a:b"))]), "contains a colon"),
        (section([("flush_count", Data::Integer(0))]), "`flush_count` must be at least 1"),
        (section([("flush_bytes", Data::Integer(5_000_000))]), "`flush_bytes` must be from 1 to 4194304"),
        (section([("headers", Data::Table(section([("A B", texts(["1"]))])))]), "`A B` is no name of a header"),
        (section([("headers", Data::Table(section([("A", texts(["1\n2"]))])))]), "the value of the header `A`"),
        (section([("headers", Data::Table(section([("content-length", texts(["1"]))])))]), "is not yours to set"),
        (section([("method", text("get")), ("flush_count", Data::Integer(2))]), "a GET request has no body"),
        (section([("retry_statuses", numbers([200]))]), "`retry_statuses` holds 200"),
    ];
    for (table, message) in cases {
        let table = match message.starts_with("`address`") {
            true => table,
            false => table.with("address", text("http://h/")),
        };
        let problems = complaints(&TYPE, &table);
        assert!(
            problems.len() == 1 && problems[0].message.contains(message) && problems[0].level == Level::Error,
            "{message}: {problems:?}"
        );
    }
    let legal = section([("address", text("https://h/x?y=z"))]);
    assert!(complaints(&TYPE, &legal).is_empty());
}
