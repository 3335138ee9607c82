//! UdpOutput towards real sockets.

use super::TYPE;
use crate::net::rig::{OutputRig, complaints, counted, eventually, section, text};
use heka_settings::{Data, Table};
use std::net::UdpSocket;
use std::os::unix::net::UnixDatagram;

fn receiver() -> (UdpSocket, Table) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_nonblocking(true).unwrap();
    let address = socket.local_addr().unwrap().to_string();
    (socket, section([("address", text(address))]))
}

async fn next(mut receive: impl FnMut(&mut [u8]) -> std::io::Result<usize>) -> Vec<u8> {
    let mut buf = vec![0; 70_000];
    let n = eventually("a datagram comes", || receive(&mut buf).ok()).await;
    buf.truncate(n);
    buf
}

#[test]
fn settings_are_checked_while_loading() {
    let here = || section([("address", text("127.0.0.1:9"))]);
    let unix = || section([("net", text("unixgram"))]);
    let cases = [
        (here().with("max_message_size", Data::Integer(100)), "Maximum message size can't be smaller than 512 bytes."),
        (here().with("net", text("tcp")), "Error resolving UDP address: unknown network tcp"),
        (Table::default(), "Error resolving UDP address: missing port in address ``"),
        (
            here().with("local_address", text("example.org")),
            "Error resolving UDP address: missing port in address `example.org`",
        ),
        (unix(), "Error resolving unixgram address: the socket's path is empty"),
    ];
    for (table, wanted) in cases {
        let found: Vec<String> = complaints(&TYPE, &table).into_iter().map(|problem| problem.message).collect();
        assert_eq!(found, [wanted], "{table:?}");
    }
    assert!(complaints(&TYPE, &here()).is_empty());
}

#[tokio::test]
async fn a_record_is_a_datagram() {
    let (far, table) = receiver();
    let mut rig = OutputRig::start(&TYPE, &table.with("local_address", text("127.0.0.3")));
    let mut records: Vec<Vec<u8>> = (0..100).map(|i| format!("record {i}").into_bytes()).collect();
    records.push(Vec::new());
    let ticket = rig.send(&records);
    rig.acked(ticket).await;
    assert_eq!(counted(&rig.site, "ProcessMessageCount"), 101);
    for record in &records {
        let mut from = None;
        let came = next(|buf| {
            far.recv_from(buf).map(|(n, address)| {
                from = Some(address);
                n
            })
        })
        .await;
        assert!(came == *record);
        assert_eq!(from.map(|a| a.ip().to_string()).as_deref(), Some("127.0.0.3"));
    }
    // The largest that fits.
    rig.send([vec![b'l'; 65507]]);
    assert!(next(|buf| far.recv(buf)).await == vec![b'l'; 65507]);
    assert_eq!(rig.end().await, (Ok(()), 2));
}

#[tokio::test]
async fn what_is_too_long_is_dropped_by_its_rule() {
    let (far, table) = receiver();
    let mut rig = OutputRig::start(&TYPE, &table.with("max_message_size", Data::Integer(512)));
    let ticket = rig.send([vec![b'a'; 600], vec![b'b'; 512], vec![b'c'; 513], vec![b'd'; 1]]);
    rig.acked(ticket).await;
    assert_eq!(next(|buf| far.recv(buf)).await, [b'b'; 512]);
    assert_eq!(next(|buf| far.recv(buf)).await, b"d");
    assert_eq!((counted(&rig.site, "Dropped-max_message_size"), counted(&rig.site, "DropMessageCount")), (2, 2));

    // What the setting allows and the network does not.
    let (_far, table) = receiver();
    let mut rig = OutputRig::start(&TYPE, &table.with("max_message_size", Data::Integer(100_000)));
    let ticket = rig.send([vec![b'x'; 70_000]]);
    rig.acked(ticket).await;
    assert_eq!(counted(&rig.site, "Dropped-max_message_size"), 1);
}

#[tokio::test]
async fn refusals_are_counted_and_do_not_stop_what_follows() {
    let (far, table) = receiver();
    let address = far.local_addr().unwrap();
    drop(far);
    let mut rig = OutputRig::start(&TYPE, &table);
    eventually("a refusal is noticed", || {
        rig.send(["into the void"]);
        (counted(&rig.site, "Dropped-connection-refused") > 0).then_some(())
    })
    .await;
    let far = UdpSocket::bind(address).unwrap();
    far.set_nonblocking(true).unwrap();
    rig.send(["somebody listens"]);
    eventually("it arrives", || {
        let mut buf = [0; 100];
        far.recv(&mut buf).ok().filter(|n| &buf[..*n] == b"somebody listens")
    })
    .await;
    assert_eq!(rig.end().await.0, Ok(()));
}

#[tokio::test]
async fn records_wait_for_a_unix_socket_to_appear() {
    let dir = tempfile::tempdir().unwrap();
    let (path, own) = (dir.path().join("far.sock"), dir.path().join("near.sock"));
    let table = section([
        ("net", text("unixgram")),
        ("address", text(path.to_str().unwrap())),
        ("local_address", text(own.to_str().unwrap())),
    ]);
    let mut rig = OutputRig::start(&TYPE, &table);
    let first = rig.send(["one", "two"]);
    tokio::time::sleep(std::time::Duration::from_millis(150)).await;
    assert_eq!(rig.feed.acked(), 0);
    let mut ticket = first;
    for wanted in [["one", "two"], ["three", "four"]] {
        let far = UnixDatagram::bind(&path).unwrap();
        far.set_nonblocking(true).unwrap();
        rig.acked(ticket).await;
        for record in wanted {
            assert_eq!(next(|buf| far.recv(buf)).await, record.as_bytes());
        }
        // The receiver restarts; what comes meanwhile waits.
        drop(far);
        std::fs::remove_file(&path).unwrap();
        ticket = rig.send(["three", "four"]);
    }
    rig.begin_shutdown();
    let (result, acked) = rig.end().await;
    assert!(result.is_err_and(|error| error.retry));
    assert_eq!(acked, 2);
    assert!(!own.exists());
}

#[tokio::test]
async fn abstract_sockets_need_no_file() {
    use std::os::linux::net::SocketAddrExt;
    let name = format!("hekad-test-{}", std::process::id());
    let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
    let far = UnixDatagram::bind_addr(&address).unwrap();
    far.set_nonblocking(true).unwrap();
    let table = section([("net", text("unixgram")), ("address", text(format!("@{name}")))]);
    let mut rig = OutputRig::start(&TYPE, &table);
    let ticket = rig.send(["x"]);
    rig.acked(ticket).await;
    assert_eq!(next(|buf| far.recv(buf)).await, b"x");
}

#[tokio::test]
async fn a_slow_unix_receiver_gets_everything() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("far.sock");
    let far = UnixDatagram::bind(&path).unwrap();
    far.set_nonblocking(true).unwrap();
    let table = section([("net", text("unixgram")), ("address", text(path.to_str().unwrap()))]);
    let mut rig = OutputRig::start(&TYPE, &table);
    // More than the receiver's queue takes.
    let records: Vec<String> = (0..1000).map(|i| format!("record {i}")).collect();
    let ticket = rig.send(&records);
    for record in &records {
        assert_eq!(next(|buf| far.recv(buf)).await, record.as_bytes());
    }
    rig.acked(ticket).await;
}
