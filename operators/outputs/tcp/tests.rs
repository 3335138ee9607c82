//! TcpOutput against peers that behave, stall, break and come back.

use super::TYPE;
use crate::net::rig::{OutputRig, PATIENCE, complaints, counted, eventually, section, text};
use crate::tls::testing::Authority;
use crate::tls::{TlsSettings, server_config};
use heka_settings::{Data, Table};
use std::collections::HashSet;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_rustls::TlsAcceptor;

/// Records of these tests: eight digits and a newline.
const RECORD: usize = 9;

fn records(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|i| format!("{i:08}\n")).collect()
}

async fn listen() -> (TcpListener, Table) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, section([("address", text(address))]))
}

/// A listener on the port of one that is gone.
fn listen_again(address: &str) -> TcpListener {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind(address.parse().unwrap()).unwrap();
    socket.listen(16).unwrap()
}

async fn accept(listener: &TcpListener) -> TcpStream {
    tokio::time::timeout(PATIENCE, listener.accept()).await.expect("a connection comes").unwrap().0
}

/// Closes with a reset, whatever has been read.
fn reset(stream: TcpStream) {
    stream.set_zero_linger().unwrap();
}

async fn read_exactly(stream: &mut (impl AsyncRead + Unpin), length: usize) -> String {
    let mut bytes = vec![0; length];
    tokio::time::timeout(PATIENCE, stream.read_exact(&mut bytes)).await.expect("bytes come").unwrap();
    String::from_utf8(bytes).unwrap()
}

async fn read_to_end(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("the end comes").unwrap();
    String::from_utf8(bytes).unwrap()
}

/// Whole records of what a peer has read; a connection that broke may have cut the last.
fn whole(read: &str) -> Vec<&str> {
    read.as_bytes().chunks_exact(RECORD).map(|record| std::str::from_utf8(record).unwrap()).collect()
}

/// Checks that the connections brought every one of the records, new ones in order, and returns how many came
/// again.
fn nothing_lost(connections: &[String], all: &[String]) -> usize {
    let came: Vec<&str> = connections.iter().flat_map(|read| whole(read)).collect();
    let mut seen = HashSet::new();
    let new: Vec<&str> = came.iter().copied().filter(|record| seen.insert(*record)).collect();
    assert!(new == all, "{} of {} records came, or in another order", new.len(), all.len());
    came.len() - new.len()
}

#[test]
fn settings_are_checked_while_loading() {
    let cases = [
        (section([("address", text("nowhere"))]), "Error resolving TCP address: missing port in address `nowhere`"),
        (
            section([("local_address", text("example.org"))]),
            "Error resolving local TCP address: missing port in address `example.org`",
        ),
    ];
    for (table, wanted) in cases {
        let found: Vec<String> = complaints(&TYPE, &table).into_iter().map(|problem| problem.message).collect();
        assert_eq!(found, [wanted], "{table:?}");
    }
    let both = section([("local_address", text("127.0.0.1")), ("use_tls", Data::Bool(true))]);
    assert!(complaints(&TYPE, &both).is_empty());
    assert!(complaints(&TYPE, &Table::default()).is_empty());
}

#[tokio::test]
async fn records_arrive_in_order_and_are_acknowledged() {
    let (listener, table) = listen().await;
    let table = table
        .with("local_address", text("127.0.0.1"))
        .with("keep_alive", Data::Bool(true))
        .with("keep_alive_period", Data::Integer(60));
    let mut rig = OutputRig::start(&TYPE, &table);
    let all = records(0..1000);
    rig.send(&all[..10]);
    let mut peer = accept(&listener).await;
    let mut read = read_exactly(&mut peer, 10 * RECORD).await;
    let last = all[10..].chunks(33).map(|some| rig.send(some)).last().unwrap();
    read += &read_exactly(&mut peer, 990 * RECORD).await;
    rig.acked(last).await;
    assert_eq!(counted(&rig.site, "ProcessMessageCount"), 1000);
    let end = tokio::spawn(rig.end());
    assert_eq!(read_to_end(&mut peer).await, "");
    drop(peer);
    assert_eq!(end.await.unwrap(), (Ok(()), last));
    assert_eq!(nothing_lost(&[read], &all), 0);
}

#[tokio::test]
async fn it_connects_when_there_is_something_to_send_and_somebody_to_take_it() {
    let (listener, table) = listen().await;
    let idle = OutputRig::start(&TYPE, &table);
    assert_eq!(idle.end().await, (Ok(()), 0));
    assert!(tokio::time::timeout(Duration::from_millis(50), listener.accept()).await.is_err());

    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let mut rig = OutputRig::start(&TYPE, &table);
    let all = records(0..100);
    let tickets: Vec<u64> = all.chunks(10).map(|some| rig.send(some)).collect();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(rig.feed.acked(), 0);
    let listener = listen_again(&address);
    let mut peer = accept(&listener).await;
    let read = read_exactly(&mut peer, all.len() * RECORD).await;
    rig.acked(tickets[9]).await;
    assert_eq!(nothing_lost(&[read], &all), 0);
}

#[tokio::test]
async fn blocks_without_bytes_need_no_connection() {
    let mut rig = OutputRig::start(&TYPE, &section([("address", text("127.0.0.1:1"))]));
    let ticket = rig.send([""]);
    rig.acked(ticket).await;
    assert_eq!(rig.end().await.0, Ok(()));
}

#[tokio::test]
async fn a_stalled_peer_holds_everything_back_and_loses_nothing() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(64 * 1024).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(16).unwrap();
    let table = section([("address", text(listener.local_addr().unwrap().to_string()))]);
    let mut rig = OutputRig::start(&TYPE, &table);
    // More than the kernels on both sides take.
    let all = records(0..1_500_000);
    let last = all.chunks(5000).map(|some| rig.send(some)).last().unwrap();
    let mut peer = accept(&listener).await;
    let mut read = read_exactly(&mut peer, 100_000 * RECORD).await;
    let (mut before, mut unchanged) = (0, 0);
    eventually("the peer's stall shows", || {
        let acked = rig.feed.acked();
        unchanged = if acked == before { unchanged + 1 } else { 0 };
        before = acked;
        (unchanged == 50).then_some(())
    })
    .await;
    assert!(rig.feed.acked() < last && rig.feed.queued() > 0);
    read += &read_exactly(&mut peer, (all.len() - 100_000) * RECORD).await;
    rig.acked(last).await;
    assert_eq!(nothing_lost(&[read], &all), 0);
    assert_eq!(counted(&rig.site, "ReplayedRecords"), 0);
}

#[tokio::test]
async fn a_peer_that_breaks_with_bytes_unread_gets_them_again() {
    let (listener, table) = listen().await;
    let mut rig = OutputRig::start(&TYPE, &table);
    let all = records(0..3000);
    let first = rig.send(&all[..1000]);
    let mut peer = accept(&listener).await;
    let mut reads = vec![read_exactly(&mut peer, 100 * RECORD).await];
    // The kernel has all of it, the program a tenth.
    rig.acked(first).await;
    // Closing with bytes unread is a reset.
    drop(peer);
    // Nothing new comes, and still the peer gets what it had not read.
    let mut peer = accept(&listener).await;
    reads.push(read_exactly(&mut peer, 1000 * RECORD).await);
    rig.send(&all[1000..2000]);
    reads.push(read_exactly(&mut peer, 500 * RECORD).await);
    reset(peer);
    let last = rig.send(&all[2000..]);
    let mut peer = accept(&listener).await;
    let end = {
        reads.push(read_exactly(&mut peer, 3000 * RECORD).await);
        rig.acked(last).await;
        assert_eq!(counted(&rig.site, "ReplayedRecords"), 1000 + 2000);
        tokio::spawn(rig.end())
    };
    assert_eq!(read_to_end(&mut peer).await, "");
    drop(peer);
    assert_eq!(end.await.unwrap().0, Ok(()));
    assert_eq!(nothing_lost(&reads, &all), 100 + 1500);
}

#[tokio::test]
async fn a_peer_that_restarts_again_and_again_misses_nothing() {
    let (mut listener, table) = listen().await;
    let address = listener.local_addr().unwrap().to_string();
    let mut rig = OutputRig::start(&TYPE, &table);
    let all = records(0..20_000);
    let mut reads = Vec::new();
    let mut blocks = all.chunks(100);
    let mut last = 0;
    for round in 0..8 {
        for some in blocks.by_ref().take(25) {
            last = rig.send(some);
        }
        let mut peer = accept(&listener).await;
        // Each time it dies elsewhere: within what it has, at the end of it, in order or by a reset.
        let length = if round % 3 == 2 { (round + 1) * 2500 } else { round * 700 + 13 };
        reads.push(read_exactly(&mut peer, length * RECORD - round).await);
        drop(listener);
        if round % 2 == 0 {
            reset(peer)
        } else {
            drop(peer)
        }
        listener = listen_again(&address);
    }
    let end = tokio::spawn(rig.end());
    let mut peer = accept(&listener).await;
    reads.push(read_to_end(&mut peer).await);
    drop(peer);
    assert_eq!(end.await.unwrap(), (Ok(()), last));
    assert!(nothing_lost(&reads, &all) > 0);
}

#[tokio::test]
async fn an_orderly_close_is_noticed_while_idle_and_doubted_once() {
    let (listener, table) = listen().await;
    let mut rig = OutputRig::start(&TYPE, &table);
    let all = records(0..3);
    let mut reads = Vec::new();
    for (i, expected) in [1, 2, 2].into_iter().enumerate() {
        let ticket = rig.send(&all[i..i + 1]);
        let mut peer = accept(&listener).await;
        // What the peer before had read comes once more, with the next record; what came twice does not again.
        reads.push(read_exactly(&mut peer, expected * RECORD).await);
        rig.acked(ticket).await;
    }
    assert_eq!(nothing_lost(&reads, &all), 2);
    assert_eq!(counted(&rig.site, "ReplayedRecords"), 2);
    // Nothing new: the end needs no connection.
    assert_eq!(rig.end().await, (Ok(()), 3));
}

#[tokio::test]
async fn no_window_no_repetition() {
    let (listener, table) = listen().await;
    let mut rig = OutputRig::start(&TYPE, &table.with("replay_window", Data::Integer(0)));
    for record in records(0..3) {
        let ticket = rig.send([&record]);
        let mut peer = accept(&listener).await;
        assert_eq!(read_exactly(&mut peer, RECORD).await, record);
        rig.acked(ticket).await;
    }
    assert_eq!(counted(&rig.site, "ReplayedRecords"), 0);
}

#[tokio::test]
async fn a_peer_that_never_speaks_is_no_dead_peer() {
    let (listener, table) = listen().await;
    let mut rig = OutputRig::start(&TYPE, &table);
    let all = records(0..4);
    rig.send(&all[..1]);
    let mut peer = accept(&listener).await;
    socket2::SockRef::from(&peer).shutdown(std::net::Shutdown::Write).unwrap();
    let mut reads = vec![read_exactly(&mut peer, RECORD).await];
    // Whether its silence came before the first byte was written or after decides if the connection is kept;
    // either way every record arrives.
    rig.send(&all[1..]);
    let end = tokio::spawn(rig.end());
    reads.push(read_to_end(&mut peer).await);
    drop(peer);
    if reads[1].is_empty() {
        let mut peer = accept(&listener).await;
        reads.push(read_to_end(&mut peer).await);
    }
    assert_eq!(end.await.unwrap().0, Ok(()));
    nothing_lost(&reads, &all);
}

#[tokio::test]
async fn connections_are_renewed_between_records() {
    let (listener, table) = listen().await;
    let mut rig = OutputRig::start(&TYPE, &table.with("reconnect_after", Data::Integer(2)));
    let all = records(0..7);
    // The borders of connections and of blocks need not meet.
    rig.send(&all[..1]);
    let last = rig.send(&all[1..]);
    let mut reads = Vec::new();
    for _ in 0..3 {
        let mut peer = accept(&listener).await;
        reads.push(read_to_end(&mut peer).await);
    }
    let mut peer = accept(&listener).await;
    reads.push(read_exactly(&mut peer, RECORD).await);
    rig.acked(last).await;
    assert_eq!(reads, [all[..2].concat(), all[2..4].concat(), all[4..6].concat(), all[6].clone()]);
    assert_eq!((counted(&rig.site, "ProcessMessageCount"), counted(&rig.site, "ReplayedRecords")), (7, 0));
}

#[tokio::test]
async fn a_peer_that_breaks_during_the_farewell_gets_the_rest_again() {
    let (listener, table) = listen().await;
    let mut rig = OutputRig::start(&TYPE, &table);
    let all = records(0..500);
    let last = rig.send(&all);
    let end = tokio::spawn(rig.end());
    let mut peer = accept(&listener).await;
    let mut reads = vec![read_exactly(&mut peer, 10 * RECORD).await];
    reset(peer);
    let mut peer = accept(&listener).await;
    reads.push(read_to_end(&mut peer).await);
    drop(peer);
    assert_eq!(end.await.unwrap(), (Ok(()), last));
    assert_eq!(nothing_lost(&reads, &all), 10);
}

#[tokio::test]
async fn a_shutdown_gives_up_on_a_peer_that_is_gone_without_acknowledging() {
    let mut rig = OutputRig::start(&TYPE, &section([("address", text("127.0.0.1:1"))]));
    rig.send(records(0..10));
    rig.begin_shutdown();
    let (result, acked) = rig.end().await;
    let error = result.unwrap_err();
    assert!(error.retry && error.message.starts_with("10 records could not be delivered to 127.0.0.1:1"), "{error}");
    assert_eq!(acked, 0);
}

#[tokio::test]
async fn what_the_peer_says_is_ignored() {
    use tokio::io::AsyncWriteExt;
    let (listener, table) = listen().await;
    let mut rig = OutputRig::start(&TYPE, &table);
    let all = records(0..2);
    rig.send(&all[..1]);
    let mut peer = accept(&listener).await;
    let mut read = read_exactly(&mut peer, RECORD).await;
    peer.write_all(&vec![b'!'; 100_000]).await.unwrap();
    rig.send(&all[1..]);
    let end = tokio::spawn(rig.end());
    read += &read_to_end(&mut peer).await;
    drop(peer);
    assert_eq!(end.await.unwrap().0, Ok(()));
    assert_eq!(nothing_lost(&[read], &all), 0);
}

fn tls_section(settings: &TlsSettings) -> Data {
    Data::Table(section([
        ("root_cafile", text(&settings.root_cafile)),
        ("cert_file", text(&settings.cert_file)),
        ("key_file", text(&settings.key_file)),
    ]))
}

#[tokio::test]
async fn tls_loses_nothing_either() {
    let authority = Authority::new();
    let server = TlsSettings {
        client_auth: "RequireAndVerifyClientCert".into(),
        client_cafile: authority.path("ca.pem"),
        ..authority.server()
    };
    let acceptor = TlsAcceptor::from(server_config(&server).unwrap());
    let (listener, table) = listen().await;
    let table = table
        .with("use_tls", Data::Bool(true))
        .with("tls", tls_section(&authority.known_client()))
        .with("local_address", text("127.0.0.1:0"));
    let mut rig = OutputRig::start(&TYPE, &table);
    let all = records(0..100_000);
    let mut last = 0;
    let mut reads = Vec::new();
    for (i, some) in all.chunks(25_000).enumerate() {
        for block in some.chunks(3000) {
            last = rig.send(block);
        }
        let mut peer = acceptor.accept(accept(&listener).await).await.unwrap();
        reads.push(read_exactly(&mut peer, (i + 1) * 9000 * RECORD).await);
        reset(peer.into_inner().0);
    }
    let end = tokio::spawn(rig.end());
    let mut peer = acceptor.accept(accept(&listener).await).await.unwrap();
    reads.push(read_to_end(&mut peer).await);
    drop(peer);
    assert_eq!(end.await.unwrap(), (Ok(()), last));
    assert!(nothing_lost(&reads, &all) > 0);
}

#[tokio::test]
async fn a_server_that_refuses_the_client_or_is_not_trusted_gets_nothing() {
    let authority = Authority::new();
    let server = TlsSettings {
        client_auth: "RequireAndVerifyClientCert".into(),
        client_cafile: authority.path("ca.pem"),
        ..authority.server()
    };
    let strict = TlsAcceptor::from(server_config(&server).unwrap());
    let foreign = TlsAcceptor::from(server_config(&Authority::new().server()).unwrap());
    for (acceptor, client) in [(strict, authority.client()), (foreign, authority.known_client())] {
        let (listener, table) = listen().await;
        let table = table.with("use_tls", Data::Bool(true)).with("tls", tls_section(&client));
        let mut rig = OutputRig::start(&TYPE, &table);
        rig.send(records(0..10));
        for _ in 0..2 {
            assert!(acceptor.accept(accept(&listener).await).await.is_err());
        }
        assert_eq!(counted(&rig.site, "ProcessMessageCount"), 0);
        assert_eq!(rig.feed.acked(), 0);
    }
}
