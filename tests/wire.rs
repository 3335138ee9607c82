//! Framed protobuf over TCP, and datagrams, through the real binary.

mod support;

use heka_message::framing::write_frame;
use heka_message::{BatchBuilder, FieldValue, Span, write_message};
use std::io::Write;
use std::net::UdpSocket;
use support::{Site, append, connect, free_address, wait_for};

/// `count` framed messages with payloads `n 0`, `n 1`, …
fn frames(count: usize) -> Vec<u8> {
    let mut builder = BatchBuilder::default();
    for i in 0..count {
        let (kind, payload) = (builder.text(b"test"), builder.text(format!("n {i}\n").as_bytes()));
        let name = builder.text(b"odd");
        let row = builder.row();
        row.set_uuid([7; 16]);
        row.set_timestamp(1_425_943_801_000_000_000);
        (row.msg_type, row.payload) = (kind, payload);
        builder.field(name, Span::NONE, FieldValue::Bool(i % 2 == 1));
    }
    let mut out = Vec::new();
    for row in builder.finish().rows() {
        let mut body = Vec::new();
        write_message(row, &mut body);
        write_frame(&body, 65536, &mut out).unwrap();
    }
    out
}

#[test]
fn framed_messages_are_matched_by_field_and_pass_unchanged() {
    let address = free_address();
    let site = Site::new(&format!(
        "[TcpInput]\naddress = \"{address}\"\n[PayloadEncoder]\nappend_newlines = false\n\
         [odd]\ntype = \"FileOutput\"\nmessage_matcher = \"Type == 'test' && Fields[odd] == TRUE\"\n\
         encoder = \"PayloadEncoder\"\npath = \"$D/odd\"\nflush_interval = 20\n\
         [all]\ntype = \"FileOutput\"\nmessage_matcher = \"TRUE\"\nencoder = \"ProtobufEncoder\"\n\
         path = \"$D/all\"\nflush_interval = 20\n"
    ));
    let daemon = site.start();
    let sent = frames(1000);
    let mut stream = connect(&address);
    let (first, second) = sent.split_at(sent.len() / 2 + 3);
    stream.write_all(first).unwrap();
    stream.write_all(b"garbage between frames is skipped, a whole frame is not").unwrap_or(());
    drop(stream);
    let mut stream = connect(&address);
    stream.write_all(second).unwrap();
    stream.write_all(&sent).unwrap();
    drop(stream);
    wait_for("the last message", || site.read("odd").ends_with(b"n 999\n"));
    wait_for("all of the second round", || site.read("all").ends_with(&sent[sent.len() - 200..]));
    assert_eq!(daemon.stop(), 0);
    // The message cut by the lost connection is gone; the rest of the first round and the second are whole.
    let odd = String::from_utf8(site.read("odd")).unwrap();
    let round: String = (0..1000).filter(|i| i % 2 == 1).map(|i| format!("n {i}\n")).collect();
    assert!(odd.ends_with(&round), "{odd}");
    assert!(site.read("all").windows(sent.len()).any(|window| window == sent), "frames are not the ones sent");
}

#[test]
fn datagrams_are_records() {
    let address = free_address();
    let site = Site::new(&format!(
        "[UdpInput]\naddress = \"{address}\"\nset_hostname = true\n[PayloadEncoder]\n\
         [out]\ntype = \"FileOutput\"\nmessage_matcher = \"Hostname == '127.0.0.1' && Type == 'UdpInput'\"\n\
         encoder = \"PayloadEncoder\"\npath = \"$D/out\"\nflush_interval = 20\n"
    ));
    let daemon = site.start();
    wait_for("the input", || String::from_utf8_lossy(&site.read("stdout")).contains("Input started: UdpInput"));
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    // Datagrams sent before the socket is bound are lost by nature.
    wait_for("the first datagram", || {
        let _ = socket.send_to(b"hello", &address);
        !site.read("out").is_empty()
    });
    for i in 0..500 {
        socket.send_to(format!("d {i}").as_bytes(), &address).unwrap();
    }
    wait_for("the last datagram", || site.read("out").ends_with(b"d 499\n"));
    assert_eq!(daemon.stop(), 0);
    let text = String::from_utf8(site.read("out")).unwrap();
    let expected: Vec<String> = (0..500).map(|i| format!("d {i}")).collect();
    assert!(text.lines().filter(|line| line.starts_with("d ")).eq(expected.iter()), "{text}");
}

#[test]
fn messages_decoded_on_several_workers_keep_their_order() {
    let good = frames(40_000);
    // Whole frames around what is no message: whole batches of them come out empty.
    let mut bad = Vec::new();
    for _ in 0..40_000 {
        write_frame(b"\xff\xff\xff no message at all, and long enough to fill some batches", 65536, &mut bad).unwrap();
    }
    for workers in [1, 2, 4] {
        let site = Site::new(&format!(
            "maxprocs = {workers}\n[in]\ntype = \"LogstreamerInput\"\nlog_directory = \"$D/logs\"\nfile_match = 'frames'\n\
             splitter = \"HekaFramingSplitter\"\ndecoder = \"ProtobufDecoder\"\nlog_decode_failures = false\n\
             [out]\ntype = \"FileOutput\"\nmessage_matcher = \"Type == 'test'\"\nencoder = \"ProtobufEncoder\"\n\
             path = \"$D/out\"\nflush_interval = 20\n"
        ));
        append(&site.path("logs/frames"), &[good.as_slice(), &bad, &good].concat());
        let daemon = site.start();
        wait_for("all messages", || site.read("out").len() >= good.len() * 2);
        assert_eq!(daemon.stop(), 0);
        assert!(site.read("out") == [good.as_slice(), &good].concat(), "{workers} workers: not what was written");
    }
}
