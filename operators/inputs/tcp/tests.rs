//! TcpInput against real sockets.

use super::TYPE;
use crate::inputs::{ChunkEnd, Credits};
use crate::net::rig::{InputRig, PATIENCE, complaints, counted, eventually, section, text, texts};
use crate::tls::testing::Authority;
use crate::tls::{client_config, server_name};
use heka_settings::{Data, Table};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

fn local() -> Table {
    section([("address", text("127.0.0.1:0"))])
}

fn with_tls(table: Table, authority: &Authority) -> Table {
    let server = authority.server();
    let tls = section([("cert_file", text(server.cert_file)), ("key_file", text(server.key_file))]);
    table.with("use_tls", Data::Bool(true)).with("tls", Data::Table(tls))
}

async fn connect_tls(authority: &Authority, address: &str) -> TlsStream<TcpStream> {
    let settings = authority.client();
    let connector = TlsConnector::from(client_config(&settings).unwrap());
    let stream = TcpStream::connect(address).await.unwrap();
    connector.connect(server_name(&settings, "127.0.0.1").unwrap(), stream).await.unwrap()
}

/// Reads chunks until `length` bytes have come, and returns them.
async fn collect(rig: &mut InputRig, length: usize) -> Vec<u8> {
    let mut all = Vec::new();
    while all.len() < length {
        let chunk = rig.chunk().await;
        assert_eq!((chunk.position, chunk.end), (all.len() as u64, ChunkEnd::More));
        all.extend_from_slice(chunk.bytes.as_ref());
    }
    all
}

fn noise(length: usize) -> Vec<u8> {
    (0..length as u32).flat_map(|i| i.wrapping_mul(2_654_435_761).to_be_bytes()).take(length).collect()
}

#[test]
fn settings_are_checked_while_loading() {
    let cases = [
        (section([]), "ResolveTCPAddress failed: missing port in address ``"),
        (section([("address", text("localhost"))]), "ResolveTCPAddress failed: missing port in address `localhost`"),
        (
            section([("address", text(":1")), ("net", text("unixpacket"))]),
            "ResolveTCPAddress failed: unknown network unixpacket",
        ),
        (
            section([("address", text("")), ("net", text("unix"))]),
            "ResolveTCPAddress failed: the socket's path is empty",
        ),
        (
            section([("address", text(":5566")), ("use_tls", Data::Bool(true))]),
            "TLS config requires both cert_file and key_file value.",
        ),
    ];
    for (table, wanted) in cases {
        let found: Vec<String> = complaints(&TYPE, &table).into_iter().map(|problem| problem.message).collect();
        assert_eq!(found, [wanted], "{table:?}");
    }
    assert!(complaints(&TYPE, &local()).is_empty());
    let unix = section([("net", text("unix")), ("address", text("@x")), ("use_tls", Data::Bool(true))]);
    assert!(complaints(&TYPE, &unix).iter().any(|problem| problem.message.starts_with("TLS is for TCP")));
}

#[tokio::test]
async fn a_connection_is_a_stream_of_its_own() {
    let mut rig = InputRig::start(&TYPE, "lines", &local());
    let address = rig.address().await;
    let mut first = TcpStream::connect(&address).await.unwrap();
    let peer = first.local_addr().unwrap().to_string();
    first.write_all(b"hi\n").await.unwrap();
    let chunk = rig.chunk().await;
    assert_eq!(chunk.bytes.as_ref(), b"hi\n");
    assert_eq!(chunk.stream.logger, b"lines");
    assert_eq!(chunk.stream.msg_type.as_deref(), Some(&b"lines"[..]));
    assert_eq!(chunk.stream.hostname.as_deref(), Some(peer.as_bytes()));
    assert_eq!(chunk.stream.token, "127.0.0.1");

    let mut second = TcpStream::connect(&address).await.unwrap();
    second.write_all(b"ho\n").await.unwrap();
    let other = rig.chunk().await;
    assert_ne!(other.stream.id, chunk.stream.id);
    assert_eq!(counted(&rig.site, "OpenConnections"), 2);

    first.write_all(b"abc").await.unwrap();
    assert_eq!(rig.chunk().await.position, 3);
    drop(first);
    let end = rig.chunk().await;
    assert_eq!((end.stream.id, end.end, end.bytes.len(), end.position), (chunk.stream.id, ChunkEnd::Stream, 0, 6));
    assert_eq!(counted(&rig.site, "OpenConnections"), 1);

    let (result, rest) = rig.stop().await;
    assert_eq!(result, Ok(()));
    assert_eq!(rest.iter().map(|c| (c.stream.id, c.end)).collect::<Vec<_>>(), [(other.stream.id, ChunkEnd::Stream)]);
    assert_eq!(second.read(&mut [0]).await.unwrap(), 0, "the connection is closed");
    assert!(TcpStream::connect(&address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn idle_connections_hold_nothing_and_small_reads_little() {
    let mut rig = InputRig::start(&TYPE, "t", &local());
    let mut stream = TcpStream::connect(rig.address().await).await.unwrap();
    stream.write_all(b"a trickle").await.unwrap();
    let chunk = rig.chunk().await;
    assert_eq!(chunk.bytes.capacity(), 9);
    assert_eq!(rig.credits.used(), 1024);
    drop(chunk);
    assert_eq!(rig.credits.used(), 0);
}

#[tokio::test]
async fn without_budget_nothing_is_read_and_with_it_nothing_is_lost() {
    let mut rig = InputRig::start(&TYPE, "t", &local());
    let mut stream = TcpStream::connect(rig.address().await).await.unwrap();
    let whole: Credits = rig.credits.clone();
    let taken = whole.take(whole.total()).await;
    let sent = noise(8 << 20);
    let copy = sent.clone();
    let writer = tokio::spawn(async move { stream.write_all(&copy).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(rig.waiting().is_none());
    assert!(!writer.is_finished(), "the sender is held back");
    drop(taken);
    assert!(collect(&mut rig, sent.len()).await == sent);
    writer.await.unwrap().unwrap();
}

#[tokio::test]
async fn unix_sockets_are_connections_too() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("in.sock").to_str().unwrap().to_owned();
    let name = format!("@{path}");
    for address in [path, name] {
        let mut rig = InputRig::start(&TYPE, "t", &section([("net", text("unix")), ("address", text(&address))]));
        rig.address().await;
        let mut stream = match address.strip_prefix('@') {
            Some(name) => UnixStream::connect(format!("\0{name}")).await.unwrap(),
            None => UnixStream::connect(&address).await.unwrap(),
        };
        stream.write_all(b"over a file").await.unwrap();
        let chunk = rig.chunk().await;
        assert_eq!((chunk.bytes.as_ref(), &chunk.stream.hostname), (&b"over a file"[..], &None));
        assert_eq!(rig.stop().await.0, Ok(()));
        assert!(!std::path::Path::new(&address).exists());
    }
}

#[tokio::test]
async fn tls_carries_everything_and_may_keep_alive() {
    let authority = Authority::new();
    let table =
        with_tls(local(), &authority).with("keep_alive", Data::Bool(true)).with("keep_alive_period", Data::Integer(60));
    let mut rig = InputRig::start(&TYPE, "t", &table);
    let address = rig.address().await;
    let silent = TcpStream::connect(&address).await.unwrap();
    let mut stream = connect_tls(&authority, &address).await;
    let sent = noise(3 << 20);
    let copy = sent.clone();
    let writer = tokio::spawn(async move {
        stream.write_all(&copy).await.unwrap();
        stream.shutdown().await.unwrap();
        stream
    });
    assert!(collect(&mut rig, sent.len()).await == sent);
    assert_eq!(rig.chunk().await.end, ChunkEnd::Stream);
    drop((writer.await.unwrap(), silent));
    assert_eq!(rig.stop().await.0, Ok(()));
}

#[tokio::test]
async fn a_client_that_cannot_speak_tls_ends_only_its_own_connection() {
    let authority = Authority::new();
    let mut rig = InputRig::start(&TYPE, "t", &with_tls(local(), &authority));
    let address = rig.address().await;
    let mut plain = TcpStream::connect(&address).await.unwrap();
    plain.write_all(b"this is no handshake\n").await.unwrap();
    let end = rig.chunk().await;
    assert_eq!((end.end, end.bytes.len()), (ChunkEnd::Stream, 0));
    let mut stream = connect_tls(&authority, &address).await;
    stream.write_all(b"this is better").await.unwrap();
    stream.flush().await.unwrap();
    assert_eq!(rig.chunk().await.bytes.as_ref(), b"this is better");
}

#[tokio::test]
async fn a_client_must_show_the_certificate_that_is_asked_for() {
    let authority = Authority::new();
    let server = authority.server();
    let tls = section([
        ("cert_file", text(server.cert_file)),
        ("key_file", text(server.key_file)),
        ("client_auth", text("RequireAndVerifyClientCert")),
        ("client_cafile", text(authority.path("ca.pem"))),
        ("ciphers", texts(["ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"])),
    ]);
    let table = local().with("use_tls", Data::Bool(true)).with("tls", Data::Table(tls));
    let mut rig = InputRig::start(&TYPE, "t", &table);
    let address = rig.address().await;
    let mut nobody = connect_tls(&authority, &address).await;
    assert!(nobody.read(&mut [0]).await.is_err());
    assert_eq!(rig.chunk().await.end, ChunkEnd::Stream);
    let settings = authority.known_client();
    let connector = TlsConnector::from(client_config(&settings).unwrap());
    let stream = TcpStream::connect(&address).await.unwrap();
    let mut known = connector.connect(server_name(&settings, "localhost").unwrap(), stream).await.unwrap();
    known.write_all(b"me").await.unwrap();
    known.flush().await.unwrap();
    assert_eq!(rig.chunk().await.bytes.as_ref(), b"me");
}

#[tokio::test]
async fn connections_past_the_limit_wait_their_turn() {
    let mut rig = InputRig::start(&TYPE, "t", &local().with("max_connections", Data::Integer(1)));
    let address = rig.address().await;
    let mut first = TcpStream::connect(&address).await.unwrap();
    first.write_all(b"first").await.unwrap();
    assert_eq!(rig.chunk().await.bytes.as_ref(), b"first");
    let mut second = TcpStream::connect(&address).await.unwrap();
    second.write_all(b"second").await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(rig.waiting().is_none());
    drop(first);
    assert_eq!(rig.chunk().await.end, ChunkEnd::Stream);
    assert_eq!(rig.chunk().await.bytes.as_ref(), b"second");
}

#[tokio::test]
async fn a_port_that_is_taken_is_worth_another_try() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let rig = InputRig::start(&TYPE, "t", &section([("address", text(&address))]));
    let error = rig.end().await.0.unwrap_err();
    assert!(error.retry && error.message.starts_with("ListenTCP failed: "), "{error}");
}

#[tokio::test]
async fn stopping_does_not_wait_for_budget_or_handshakes() {
    let authority = Authority::new();
    let plain = InputRig::start(&TYPE, "t", &local());
    let taken = plain.credits.take(plain.credits.total()).await;
    let mut waiting = TcpStream::connect(plain.address().await).await.unwrap();
    waiting.write_all(b"never read").await.unwrap();
    eventually("it is accepted", || (counted(&plain.site, "OpenConnections") == 1).then_some(())).await;
    assert_eq!(plain.stop().await.0, Ok(()));
    drop(taken);
    // What was not read makes the sender's connection break rather than end: it knows, and can send again.
    let read = tokio::time::timeout(PATIENCE, waiting.read(&mut [0])).await.unwrap();
    assert!(read.is_err());

    let tls = InputRig::start(&TYPE, "t", &with_tls(local(), &authority));
    let _silent = TcpStream::connect(tls.address().await).await.unwrap();
    eventually("it is accepted", || (counted(&tls.site, "OpenConnections") == 1).then_some(())).await;
    assert_eq!(tls.stop().await.0, Ok(()));
}
