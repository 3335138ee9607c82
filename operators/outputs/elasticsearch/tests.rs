//! ElasticSearchOutput against a server that does what a script says.

use super::*;
use crate::http::scripted::{Got, Reply, Scripted};
use crate::net::rig::{OutputRig, complaints, counted, section, text};
use heka_settings::{Data, Level};

/// The record of a document.
fn document(id: u32) -> String {
    format!("{{\"index\":{{\"_index\":\"i\",\"_type\":\"t\",\"_id\":\"{id}\"}}}}\n{{\"n\":{id}}}\n")
}

/// The identities in a request.
fn ids(got: &Got) -> Vec<u32> {
    let text = got.text();
    let action = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["index"]["_id"].clone();
    text.lines().step_by(2).map(|line| action(line).as_str().unwrap().parse().unwrap()).collect()
}

/// An answer with these statuses.
fn items(statuses: impl IntoIterator<Item = u16>) -> Reply {
    let mut errors = false;
    let items: Vec<_> = statuses
        .into_iter()
        .map(|status| {
            errors |= status >= 300;
            match status {
                ..300 => format!(r#"{{"index":{{"status":{status}}}}}"#),
                _ => format!(r#"{{"index":{{"status":{status},"error":{{"type":"x","reason":"y"}}}}}}"#),
            }
        })
        .collect();
    Reply::Say(200, "", format!(r#"{{"took":1,"errors":{errors},"items":[{}]}}"#, items.join(",")))
}

fn stored(got: &Got) -> Reply {
    items(ids(got).iter().map(|_| 201))
}

/// Sends so many documents, waits until they are acknowledged, and gives the site.
async fn sent(server: &Scripted, table: Table, documents: u32) -> Site {
    let table = if table.get("server").is_some() { table } else { table.with("server", text(server.url("/base"))) };
    let mut rig = OutputRig::start(&TYPE, &table);
    let ticket = rig.send((0..documents).map(document));
    rig.acked(ticket).await;
    let site = rig.site.clone();
    assert_eq!(rig.end().await, (Ok(()), ticket));
    site
}

#[tokio::test]
async fn documents_go_out_in_bulk() {
    let server = Scripted::start(|got, _| stored(got));
    let site = sent(&server, section([]), 13).await;
    let got = server.got();
    assert_eq!(got.iter().map(ids).collect::<Vec<_>>(), [(0..10).collect::<Vec<_>>(), vec![10, 11, 12]]);
    assert_eq!((got[0].method.as_str(), got[0].path.as_str()), ("POST", "/base/_bulk"));
    assert_eq!(got[0].header("accept"), Some("application/json"));
    assert_eq!(got[0].header("content-type"), Some("application/x-ndjson"));
    assert_eq!((counted(&site, "SentMessageCount"), counted(&site, "DropMessageCount")), (13, 0));
}

#[tokio::test]
async fn lines_without_an_end_get_one() {
    for document_types in ["keep", "omit"] {
        let server = Scripted::start(|_, _| items([201, 201]));
        let table = section([("server", text(server.url("/"))), ("document_types", text(document_types))]);
        let mut rig = OutputRig::start(&TYPE, &table);
        let ticket = rig.send([document(0).trim_end(), document(1).trim_end()]);
        assert_eq!(rig.end().await, (Ok(()), ticket));
        let body = server.got()[0].text();
        assert!(body.ends_with("}\n") && ids(&server.got()[0]) == [0, 1], "{body}");
    }
}

#[tokio::test]
async fn a_bare_address_means_http_and_secrets_are_sent() {
    let server = Scripted::start(|got, _| stored(got));
    let bare = || ("server", text(server.address.clone()));
    sent(&server, section([bare(), ("username", text("user")), ("password", text("pass"))]), 1).await;
    sent(&server, section([bare(), ("api_key", text("a2V5")), ("gzip", Data::Bool(false))]), 1).await;
    sent(&server, section([bare(), ("username", text("user")), ("http_disable_keepalives", Data::Bool(true))]), 1)
        .await;
    let headers: Vec<_> = server.got().iter().map(|got| got.header("authorization").map(str::to_owned)).collect();
    assert_eq!(headers, [Some("Basic dXNlcjpwYXNz".to_owned()), Some("ApiKey a2V5".to_owned()), None]);
    assert_eq!(server.got()[2].header("connection"), Some("close"));
}

#[tokio::test]
async fn only_the_documents_that_may_pass_are_sent_again() {
    let server = Scripted::start(|got, n| match n {
        0 => items([201, 429, 400, 503, 200]),
        _ => stored(got),
    });
    let site = sent(&server, section([("flush_count", Data::Integer(5))]), 7).await;
    let got: Vec<_> = server.got().iter().map(ids).collect();
    assert_eq!(got, [vec![0, 1, 2, 3, 4], vec![1, 3], vec![5, 6]]);
    assert_eq!((counted(&site, "SentMessageCount"), counted(&site, "DropMessageCount")), (6, 1));
    assert_eq!(counted(&site, "Dropped-refused"), 1);
}

#[tokio::test]
async fn a_server_in_trouble_gets_everything_again() {
    let server = Scripted::start(|got, n| match n {
        0 => Reply::Hang,
        1 => Reply::Half,
        2 => Reply::Say(503, "Retry-After: 0\r\n", "busy".into()),
        3 => Reply::Say(200, "", "<html>".into()),
        4 => Reply::Say(307, "Location: /x\r\n", String::new()),
        _ => stored(got),
    });
    let site = sent(&server, section([]), 2).await;
    assert!(server.got().iter().all(|got| ids(got) == [0, 1]));
    assert_eq!((server.got().len(), counted(&site, "SentMessageCount")), (6, 2));
}

#[tokio::test]
async fn a_request_that_is_refused_loses_only_the_document_at_fault() {
    let server = Scripted::start(|got, _| match ids(got).contains(&3) {
        true => Reply::Say(400, "", r#"{"error":"Malformed action/metadata line [7]"}"#.into()),
        false => stored(got),
    });
    let folder = tempfile::tempdir().unwrap();
    let letters = folder.path().join("letters.json");
    let table = section([("dead_letter_file", text(letters.to_str().unwrap()))]);
    let site = sent(&server, table, 10).await;
    assert_eq!((counted(&site, "SentMessageCount"), counted(&site, "DropMessageCount")), (9, 1));
    let letter: serde_json::Value = serde_json::from_slice(&std::fs::read(letters).unwrap()).unwrap();
    assert_eq!(letter["record"], document(3).as_str());
    assert!(letter["reason"].as_str().unwrap().contains("Malformed action/metadata line"));
    assert_eq!((counted(&site, "DeadLetterCount"), counted(&site, "Dropped-refused")), (1, 0));
}

#[tokio::test]
async fn a_request_that_is_always_refused_is_dropped_and_counted() {
    let server = Scripted::start(|_, _| Reply::Say(400, "", "no".into()));
    assert_eq!(counted(&sent(&server, section([]), 10).await, "DropMessageCount"), 10);
}

#[tokio::test]
async fn a_request_that_is_too_large_is_split() {
    let server = Scripted::start(|got, _| if got.body.len() > 200 { Reply::status(413) } else { stored(got) });
    let site = sent(&server, section([]), 20).await;
    let mut all: Vec<u32> = Vec::new();
    for got in server.got().iter().filter(|got| got.body.len() <= 200) {
        all.extend(ids(got));
    }
    assert_eq!(all, (0..20).collect::<Vec<_>>());
    assert_eq!(counted(&site, "SentMessageCount"), 20);
    // What was learnt is kept.
    assert!(server.got().iter().filter(|got| got.body.len() > 200).count() <= 4);
}

#[tokio::test]
async fn types_are_left_out_once_the_server_does_not_know_them() {
    let error = r#"{"error":{"reason":"Action/metadata line [1] contains an unknown parameter [_type]"},"status":400}"#;
    let server = Scripted::start(move |got, _| match got.text().contains("_type") {
        true => Reply::Say(400, "", error.into()),
        false => stored(got),
    });
    let site = sent(&server, section([]), 15).await;
    let requests: Vec<_> = server.got().iter().map(|got| got.text().contains("_type")).collect();
    assert_eq!((requests, counted(&site, "SentMessageCount")), (vec![true, false, false], 15));
    let omit = section([("document_types", text("omit"))]);
    sent(&server, omit, 1).await;
    assert!(!server.got()[3].text().contains("_type"));
    let site = sent(&server, section([("document_types", text("keep"))]), 2).await;
    assert_eq!(counted(&site, "DropMessageCount"), 2);
}

#[tokio::test]
async fn an_answer_without_items_is_believed() {
    let server = Scripted::start(|_, n| match n {
        0 => Reply::Say(200, "", r#"{"took":3,"errors":false}"#.into()),
        _ => Reply::Say(200, "", r#"{"errors":true,"items":[]}"#.into()),
    });
    assert_eq!(counted(&sent(&server, section([]), 3).await, "SentMessageCount"), 3);
    assert_eq!(counted(&sent(&server, section([]), 2).await, "DropMessageCount"), 2);
}

#[tokio::test]
async fn a_pending_batch_is_sent_when_the_output_stops() {
    let server = Scripted::start(|got, _| stored(got));
    let hour = section([("flush_interval", Data::Integer(3_600_000)), ("server", text(server.url("")))]);
    let mut rig = OutputRig::start(&TYPE, &hour);
    let ticket = rig.send((0..3).map(document));
    rig.begin_shutdown();
    assert_eq!(rig.end().await, (Ok(()), ticket));
    assert_eq!(ids(&server.got()[0]), [0, 1, 2]);
}

#[tokio::test]
async fn without_an_interval_nothing_waits() {
    let server = Scripted::start(|got, _| stored(got));
    let site = sent(&server, section([("flush_interval", Data::Integer(0))]), 3).await;
    assert_eq!(counted(&site, "SentMessageCount"), 3);
}

#[tokio::test]
async fn datagrams_hold_whole_documents() {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let table = section([
        ("server", text(format!("udp://{}", socket.local_addr().unwrap()))),
        ("flush_count", Data::Integer(5000)),
        ("flush_bytes", Data::Integer(4_000_000)),
    ]);
    let mut rig = OutputRig::start(&TYPE, &table);
    let mut records: Vec<String> = (0..1500).map(document).collect();
    records.push("x".repeat(70_000));
    let ticket = rig.send(&records);
    let site = rig.site.clone();
    assert_eq!(rig.end().await, (Ok(()), ticket));
    let mut buffer = vec![0; 70_000];
    let mut all = Vec::new();
    while all.len() < records[..1500].iter().map(String::len).sum() {
        let n = socket.recv(&mut buffer).unwrap();
        assert!(n <= 65_000 && buffer[..n].ends_with(b"}\n") && buffer.starts_with(b"{\"index"));
        all.extend_from_slice(&buffer[..n]);
    }
    assert_eq!(String::from_utf8(all).unwrap(), records[..1500].concat());
    assert_eq!((counted(&site, "SentMessageCount"), counted(&site, "Dropped-refused")), (1500, 1));
}

#[test]
fn mistakes_are_named() {
    let cases = [
        (section([("server", text("ftp://h:1"))]), "Server URL must specify one of `udp`, `http`, or `https`."),
        (section([("api_key", text("a")), ("username", text("b"))]), "`api_key` and `username`"),
        (section([("flush_count", Data::Integer(0))]), "`flush_count` must be at least 1"),
        (section([("document_types", text("maybe"))]), "`maybe` is not one of the words allowed here"),
    ];
    for (table, message) in cases {
        let problems = complaints(&TYPE, &table);
        assert!(problems.len() == 1 && problems[0].message.contains(message), "{message}: {problems:?}");
    }
    let half = complaints(&TYPE, &section([("password", text("p"))]));
    assert!(half.len() == 1 && half[0].level == Level::Warning, "{half:?}");
    assert!(complaints(&TYPE, &section([])).is_empty());
}
