//! CarbonOutput towards peers that read, break and come back.

use super::TYPE;
use crate::net::rig::{OutputRig, PATIENCE, complaints, counted, eventually, section, text};
use heka_settings::{Data, Table};
use std::net::UdpSocket;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};

async fn listen() -> (TcpListener, Table) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, section([("address", text(address))]))
}

async fn accept(listener: &TcpListener) -> TcpStream {
    tokio::time::timeout(PATIENCE, listener.accept()).await.expect("a connection comes").unwrap().0
}

async fn read_to_end(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("the end comes").unwrap();
    String::from_utf8(bytes).unwrap()
}

async fn read_exactly(stream: &mut TcpStream, length: usize) -> String {
    let mut bytes = vec![0; length];
    tokio::time::timeout(PATIENCE, stream.read_exact(&mut bytes)).await.expect("bytes come").unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn settings_are_checked_while_loading() {
    let cases = [
        (section([("address", text("nowhere"))]), "Error resolving Carbon address: missing port in address `nowhere`"),
        (
            section([("protocol", text("sctp"))]),
            "CarbonOutput: \"sctp\" is not a supported protocol, must be \"tcp\" or \"udp\"",
        ),
    ];
    for (table, wanted) in cases {
        let found: Vec<String> = complaints(&TYPE, &table).into_iter().map(|problem| problem.message).collect();
        assert_eq!(found, [wanted]);
    }
    for protocol in ["", "tcp", "udp"] {
        assert!(complaints(&TYPE, &section([("protocol", text(protocol))])).is_empty());
    }
}

#[tokio::test]
async fn without_keep_alive_a_connection_lasts_as_long_as_there_is_something_to_send() {
    let (listener, table) = listen().await;
    let mut rig = OutputRig::start(&TYPE, &table);
    for (payload, wanted) in [("a 1 10\nb 2 10", "a 1 10\nb 2 10\n"), ("a  1   10\n", "a  1   10\n")] {
        let ticket = rig.send([payload]);
        assert_eq!(read_to_end(accept(&listener).await).await, wanted);
        rig.acked(ticket).await;
    }
    assert_eq!(counted(&rig.site, "ProcessMessageCount"), 2);
    assert_eq!(counted(&rig.site, "ProcessLineCount"), 3);
    assert_eq!(rig.end().await, (Ok(()), 2));
}

#[tokio::test]
async fn bad_lines_are_counted_by_what_is_wrong_and_nothing_is_sent_for_them_alone() {
    let (listener, table) = listen().await;
    let mut rig = OutputRig::start(&TYPE, &table);
    let ticket = rig.send(["a 1", "", "x y z\nx 1 t\n1 2 3 4"]);
    rig.acked(ticket).await;
    let no_connection = tokio::time::timeout(std::time::Duration::from_millis(50), listener.accept()).await;
    assert!(no_connection.is_err());
    rig.send(["bad\ngood.one 1 1\nbad time x\ngood.two 2.5 2\n", "alone 3 3"]);
    assert_eq!(read_to_end(accept(&listener).await).await, "good.one 1 1\ngood.two 2.5 2\nalone 3 3\n");
    let count = |name: &str| counted(&rig.site, name);
    assert_eq!(count("Dropped-malformed-statmetric"), 4);
    assert_eq!(count("Dropped-invalid-time"), 3);
    assert_eq!(count("Dropped-invalid-value"), 0);
    assert_eq!((count("DropMessageCount"), count("ProcessLineCount")), (3, 3));
    let ticket = rig.send(["a word 7"]);
    rig.acked(ticket).await;
    assert_eq!(counted(&rig.site, "Dropped-invalid-value"), 1);
    assert_eq!(rig.end().await.0, Ok(()));
}

#[tokio::test]
async fn with_keep_alive_what_a_broken_connection_may_have_lost_comes_again() {
    let (listener, table) = listen().await;
    let mut rig = OutputRig::start(&TYPE, &table.with("tcp_keep_alive", Data::Bool(true)));
    let ticket = rig.send(["a 1 10"]);
    let mut first = accept(&listener).await;
    rig.acked(ticket).await;
    assert_eq!(read_exactly(&mut first, 7).await, "a 1 10\n");
    let ticket = rig.send(["b 2 10"]);
    rig.acked(ticket).await;
    // Breaks with `b` unread.
    first.set_zero_linger().unwrap();
    drop(first);
    rig.send(["c 3 10"]);
    let mut second = accept(&listener).await;
    assert_eq!(read_exactly(&mut second, 21).await, "a 1 10\nb 2 10\nc 3 10\n");
    assert_eq!(counted(&rig.site, "ReplayedRecords"), 2);
    let ended = tokio::spawn(rig.end());
    assert_eq!(read_to_end(second).await, "");
    assert_eq!(ended.await.unwrap(), (Ok(()), 3));
}

#[tokio::test]
async fn lines_wait_for_a_server_that_is_not_there_yet() {
    let (listener, table) = listen().await;
    let address = listener.local_addr().unwrap();
    drop(listener);
    let mut rig = OutputRig::start(&TYPE, &table);
    rig.send(["a 1 10"]);
    tokio::time::sleep(std::time::Duration::from_millis(150)).await;
    assert_eq!(rig.feed.acked(), 0);
    let listener = TcpListener::bind(address).await.unwrap();
    assert_eq!(read_to_end(accept(&listener).await).await, "a 1 10\n");
    assert_eq!(rig.end().await, (Ok(()), 1));
}

fn receiver() -> (UdpSocket, Table) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_nonblocking(true).unwrap();
    let address = socket.local_addr().unwrap().to_string();
    (socket, section([("address", text(address)), ("protocol", text("udp"))]))
}

async fn datagram(socket: &UdpSocket) -> String {
    let mut buf = vec![0; 70_000];
    let n = eventually("a datagram comes", || socket.recv(&mut buf).ok()).await;
    String::from_utf8(buf[..n].to_vec()).unwrap()
}

#[tokio::test]
async fn datagrams_are_filled_and_end_with_a_line() {
    let (socket, table) = receiver();
    let mut rig = OutputRig::start(&TYPE, &table);
    let line = |i: usize| format!("{:<44} {} {}", format!("name.{i:04}").replace(' ', "_"), 1, 10);
    let payload: String = (0..2000).map(|i| format!("{}\n", line(i))).collect();
    let ticket = rig.send([payload.as_str(), "bad"]);
    rig.acked(ticket).await;
    let (first, second) = (datagram(&socket).await, datagram(&socket).await);
    assert!(first.len() > 63_488 && first.len() <= 63_488 + 51 && first.ends_with('\n'));
    assert!(first + &second == payload);
    assert_eq!(counted(&rig.site, "SentDatagrams"), 2);
    assert_eq!((counted(&rig.site, "ProcessMessageCount"), counted(&rig.site, "DropMessageCount")), (2, 1));
    // Lines of several payloads share a datagram, and none is sent for nothing.
    rig.send(["a 1 1", "bad", "b 2 2"]);
    assert_eq!(datagram(&socket).await, "a 1 1\nb 2 2\n");
    assert_eq!(rig.end().await, (Ok(()), 2));
}

#[tokio::test]
async fn a_line_that_no_datagram_takes_is_dropped_by_its_rule() {
    let (socket, table) = receiver();
    let mut rig = OutputRig::start(&TYPE, &table.with("datagram_size", Data::Integer(100)));
    let (long, almost) = ("n".repeat(65_507), "n".repeat(65_502));
    let payload = format!("a 1 1\n{long} 1 1\n{almost} 1 1\nb 1 1");
    let ticket = rig.send([payload]);
    rig.acked(ticket).await;
    assert_eq!(datagram(&socket).await, "a 1 1\n");
    assert_eq!(datagram(&socket).await.len(), 65_507);
    assert_eq!(datagram(&socket).await, "b 1 1\n");
    assert_eq!(counted(&rig.site, "Dropped-max_message_size"), 1);
}
