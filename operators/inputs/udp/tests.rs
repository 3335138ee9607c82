//! UdpInput against real sockets.

use super::TYPE;
use crate::inputs::{Chunk, ChunkEnd};
use crate::net::rig::{InputRig, complaints, counted, eventually, section, text};
use heka_settings::{Data, Table};
use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;

fn local() -> Table {
    section([("address", text("127.0.0.1:0"))])
}

fn sender(address: &str) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(address).unwrap();
    socket
}

/// The datagrams of a chunk.
fn packets(chunk: &Chunk) -> Vec<Vec<u8>> {
    let bytes = chunk.bytes.as_ref();
    if chunk.packets.is_empty() {
        return vec![bytes.to_vec()];
    }
    assert_eq!(chunk.packets.last().copied(), Some(bytes.len() as u32));
    let starts = std::iter::once(0).chain(chunk.packets.iter().copied());
    starts.zip(&chunk.packets).map(|(start, end)| bytes[start as usize..*end as usize].to_vec()).collect()
}

#[test]
fn settings_are_checked_while_loading() {
    let cases: Vec<(Table, &str)> = vec![
        (local().with("net", text("tcp")), "ResolveUDPAddr failed: unknown network tcp"),
        (section([("address", text("x"))]), "ResolveUDPAddr failed: missing port in address `x`"),
        (
            section([("net", text("unixgram")), ("address", text("@h")), ("set_hostname", Data::Bool(true))]),
            "Can't set Hostname from Unix datagram.",
        ),
        (
            section([("address", text("fd:3")), ("set_hostname", Data::Bool(true))]),
            "Can't set Hostname from file descriptor.",
        ),
        (section([("address", text("fd:x"))]), "Error parsing file descriptor 'fd:x': `x` is no descriptor's number"),
        (section([("net", text("unixgram"))]), "Error resolving unixgram address: the socket's path is empty"),
    ];
    for (table, wanted) in cases {
        let found: Vec<String> = complaints(&TYPE, &table).into_iter().map(|problem| problem.message).collect();
        assert_eq!(found, [wanted], "{table:?}");
    }
    assert!(complaints(&TYPE, &local()).is_empty());
}

#[tokio::test]
async fn a_datagram_is_a_packet_with_the_inputs_header() {
    let mut rig = InputRig::start(&TYPE, "syslog", &local());
    let near = sender(&rig.address().await);
    near.send(b"<13>x").unwrap();
    let chunk = rig.chunk().await;
    assert_eq!((chunk.bytes.as_ref(), chunk.end, chunk.packets.len()), (&b"<13>x"[..], ChunkEnd::Packet, 0));
    assert_eq!(chunk.stream.msg_type.as_deref(), Some(&b"syslog"[..]));
    assert_eq!((chunk.stream.logger.as_slice(), &chunk.stream.hostname), (&b"syslog"[..], &None));
    assert_eq!(chunk.bytes.capacity(), 5);
    drop(chunk);
    assert_eq!(rig.credits.used(), 0);
    // An empty datagram holds no record.
    near.send(b"").unwrap();
    let largest = vec![b'l'; 65507];
    near.send(&largest).unwrap();
    let chunk = rig.chunk().await;
    assert_eq!((chunk.position, chunk.bytes.as_ref() == largest), (5, true));
    let (result, rest) = rig.stop().await;
    assert_eq!((result, rest.len()), (Ok(()), 0));
}

#[tokio::test]
async fn many_datagrams_share_chunks_and_keep_their_bounds() {
    let mut rig = InputRig::start(&TYPE, "t", &local());
    let near = sender(&rig.address().await);
    // The input runs on this thread, so all of these wait in the kernel before it reads the first.
    let sent: Vec<Vec<u8>> = (0..300).map(|i| format!("datagram {i}").into_bytes()).collect();
    for datagram in &sent {
        near.send(datagram).unwrap();
    }
    let mut got = Vec::new();
    let mut chunks = 0;
    while got.len() < sent.len() {
        let chunk = rig.chunk().await;
        chunks += 1;
        got.extend(packets(&chunk));
    }
    assert!(got == sent);
    assert!(chunks <= 4, "{chunks} chunks for {} datagrams", sent.len());
}

#[tokio::test]
async fn senders_are_streams_when_their_name_is_wanted() {
    let mut rig = InputRig::start(&TYPE, "t", &local().with("set_hostname", Data::Bool(true)));
    let address = rig.address().await;
    let here = sender(&address);
    let there = UdpSocket::bind("127.0.0.2:0").unwrap();
    there.connect(&address).unwrap();
    for (socket, text) in [(&here, "a"), (&here, "b"), (&there, "c"), (&here, "d")] {
        socket.send(text.as_bytes()).unwrap();
    }
    let mut got = Vec::new();
    for _ in 0..3 {
        let chunk = rig.chunk().await;
        let host = String::from_utf8(chunk.stream.hostname.clone().unwrap()).unwrap();
        got.push((host, chunk.stream.id, packets(&chunk).concat()));
    }
    assert_eq!(got[0], ("127.0.0.1".to_owned(), 1, b"ab".to_vec()));
    assert_eq!(got[1], ("127.0.0.2".to_owned(), 2, b"c".to_vec()));
    assert_eq!(got[2], ("127.0.0.1".to_owned(), 1, b"d".to_vec()));
}

#[tokio::test]
async fn unix_sockets_leave_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("h.sock");
    let name = path.to_str().unwrap();
    // What a process that died left there.
    drop(UnixDatagram::bind(&path).unwrap());
    for address in [name.to_owned(), format!("@{name}")] {
        let mut rig = InputRig::start(&TYPE, "t", &section([("net", text("unixgram")), ("address", text(&address))]));
        rig.address().await;
        let near = UnixDatagram::unbound().unwrap();
        match address.strip_prefix('@') {
            Some(name) => {
                use std::os::linux::net::SocketAddrExt;
                let to = std::os::unix::net::SocketAddr::from_abstract_name(name).unwrap();
                near.connect_addr(&to).unwrap();
                assert!(!path.exists());
            }
            None => {
                near.connect(&path).unwrap();
                assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o666);
            }
        }
        let long = vec![b'u'; 100_000];
        near.send(b"short").unwrap();
        near.send(&long).unwrap();
        assert_eq!(rig.chunk().await.bytes.as_ref(), b"short");
        assert!(rig.chunk().await.bytes.as_ref() == long);
        assert_eq!(rig.stop().await.0, Ok(()));
        assert!(!path.exists());
    }
}

#[tokio::test]
async fn a_descriptor_stays_with_its_owner() {
    let far = UdpSocket::bind("127.0.0.1:0").unwrap();
    let near = sender(&far.local_addr().unwrap().to_string());
    let table = section([("address", text(format!("fd:{:#x}", far.as_raw_fd())))]);
    for round in [b"one", b"two"] {
        let mut rig = InputRig::start(&TYPE, "t", &table);
        near.send(round).unwrap();
        assert_eq!(rig.chunk().await.bytes.as_ref(), round);
        assert_eq!(rig.stop().await.0, Ok(()));
    }
    let file = tempfile::tempfile().unwrap();
    let rig = InputRig::start(&TYPE, "t", &section([("address", text(format!("fd:{}", file.as_raw_fd())))]));
    let error = rig.end().await.0.unwrap_err();
    assert!(error.message.starts_with("Error accessing UDP fd: "), "{error}");
}

#[tokio::test]
async fn sockets_may_share_a_port_when_told_to() {
    let shared = |address: &str| section([("address", text(address)), ("reuse_port", Data::Bool(true))]);
    let mut first = InputRig::start(&TYPE, "t", &shared("127.0.0.1:0"));
    let address = first.address().await;
    let mut second = InputRig::start(&TYPE, "t", &shared(&address));
    assert_eq!(second.address().await, address);
    let refused = InputRig::start(&TYPE, "t", &section([("address", text(&address))]));
    let error = refused.end().await.0.unwrap_err();
    assert!(error.retry && error.message.starts_with("ListenUDP failed: "), "{error}");
    // The kernel chooses a socket by the sender's address: with this many, each gets some.
    for _ in 0..64 {
        sender(&address).send(b"x").unwrap();
    }
    let mut counts = [0, 0];
    eventually("all have come", || {
        for (rig, count) in [&mut first, &mut second].into_iter().zip(&mut counts) {
            *count += rig.waiting().map_or(0, |chunk| packets(&chunk).len());
        }
        (counts[0] + counts[1] == 64).then_some(())
    })
    .await;
    assert!(counts[0] > 0 && counts[1] > 0, "{counts:?}");
}

#[tokio::test]
async fn what_the_kernel_drops_is_counted() {
    let mut rig = InputRig::start(&TYPE, "t", &local().with("receive_buffer", Data::Integer(4096)));
    let near = sender(&rig.address().await);
    // The input runs on this thread: nobody reads while these are sent.
    for i in 0..5000 {
        near.send(format!("datagram {i}").as_bytes()).unwrap();
    }
    let mut got = 0;
    eventually("every datagram has come or was counted", || {
        got += std::iter::from_fn(|| rig.waiting()).map(|chunk| packets(&chunk).len()).sum::<usize>();
        let dropped = counted(&rig.site, "Dropped-kernel-receive-buffer") as usize;
        assert!(got + dropped <= 5000);
        (got > 0 && dropped > 0 && got + dropped == 5000).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_was_taken_is_delivered_although_the_budget_is_used_up() {
    let rig = InputRig::start(&TYPE, "t", &local());
    let near = sender(&rig.address().await);
    let taken = rig.credits.take(rig.credits.total()).await;
    near.send(b"late").unwrap();
    // Enough turns of this thread's runtime for the input to take the datagram and wait for budget.
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    let (result, rest) = rig.stop().await;
    assert_eq!((result, rest.len()), (Ok(()), 1));
    assert_eq!(rest[0].bytes.as_ref(), b"late");
    drop(taken);
}
