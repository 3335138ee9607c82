//! SmtpOutput towards servers that take mails, put them off, refuse them and break.

use super::TYPE;
use super::scripted::{Script, Server};
use crate::net::rig::{OutputRig, complaints, counted, eventually, section, text, texts};
use crate::tls::testing::Authority;
use heka_settings::{Data, Table};
use std::time::Duration;

fn options(server: &Server) -> Table {
    addressed(&server.address, ["a@test", "b@test"])
}

fn addressed<const N: usize>(host: &str, to: [&str; N]) -> Table {
    section([("host", text(host)), ("send_to", texts(to))])
}

fn tls(authority: &Authority) -> Data {
    Data::Table(section([("root_cafile", text(authority.path("ca.pem")))]))
}

async fn mails(server: &Server, n: usize) -> Vec<String> {
    eventually("the mails come", || Some(server.bodies()).filter(|bodies| bodies.len() >= n)).await
}

#[test]
fn settings_are_checked_while_loading() {
    let good = || section([("send_to", texts(["root@localhost"]))]);
    let cases = [
        (Table::default(), "send_to must contain at least one recipient"),
        (section([("send_to", Data::Array(Vec::new()))]), "send_to must contain at least one recipient"),
        (good().with("host", text("mail")), "Host must contain a port specifier: missing port in address `mail`"),
        (good().with("auth", text("Digest")), "Invalid auth type: Digest"),
        (good().with("auth", text("Plain")), "auth = \"Plain\" needs a user"),
        (good().with("send_from", text("a@b>\r\nX: y")), "`a@b>\r\nX: y` is no mail address"),
        (section([("send_to", texts(["Ops <ops@test>"]))]), "`Ops <ops@test>` is no mail address"),
        (good().with("max_body", Data::Integer(0)), "max_body must be between 1 and 2097152, not 0"),
    ];
    for (table, wanted) in cases {
        let found: Vec<String> = complaints(&TYPE, &table).into_iter().map(|problem| problem.message).collect();
        assert_eq!(found, [wanted]);
    }
    assert!(complaints(&TYPE, &good()).is_empty());
}

#[tokio::test]
async fn every_message_is_a_mail_and_those_at_hand_share_a_session() {
    let server = Server::start(Script::default()).await;
    let mut rig = OutputRig::start(&TYPE, &options(&server));
    let ticket = rig.send(["Write me out to the network", "", "three"]);
    rig.acked(ticket).await;
    assert_eq!(server.bodies(), ["Write me out to the network", "", "three"]);
    let mail = server.with(|script| script.mails[0].clone());
    assert!(mail.contains("\r\nTo: a@test, b@test\r\nFrom: heka@localhost.localdomain\r\nSubject: Heka [out]\r\n"));
    eventually("goodbye", || (!server.heard("QUIT").is_empty()).then_some(())).await;
    let wanted = ["MAIL FROM:<heka@localhost.localdomain>", "RCPT TO:<a@test>", "RCPT TO:<b@test>", "DATA"];
    let commands = server.with(|script| script.commands.clone());
    let expected: Vec<&str> =
        ["EHLO localhost"].into_iter().chain(wanted.into_iter().cycle().take(12)).chain(["QUIT"]).collect();
    assert_eq!(commands, expected);
    assert_eq!((counted(&rig.site, "ProcessMessageCount"), counted(&rig.site, "SentMailCount")), (3, 3));
    assert_eq!(rig.end().await, (Ok(()), 1));
}

#[tokio::test]
async fn what_is_put_off_is_tried_again_until_it_is_taken() {
    let script = Script {
        answers: [
            ("greeting", "421 too busy"),
            ("greeting", "554 not now"),
            ("MAIL", "451 later"),
            ("DATA", "421 closing"),
            (".", "452 disk full"),
            (".", "hang up"),
        ]
        .into(),
        ..Script::default()
    };
    let server = Server::start(script).await;
    let mut rig = OutputRig::start(&TYPE, &options(&server));
    let ticket = rig.send(["one", "two"]);
    rig.acked(ticket).await;
    assert_eq!(server.bodies(), ["one", "two"]);
    assert_eq!(counted(&rig.site, "RetryCount"), 6);
    assert_eq!(counted(&rig.site, "DropMessageCount"), 0);
}

#[tokio::test]
async fn refused_recipients_do_not_keep_the_mail_from_the_others() {
    let script = Script {
        answers: [("RCPT TO:<a@test>", "550 no such user"), ("RCPT TO:<b@test>", "450 greylisted")].into(),
        ..Script::default()
    };
    let server = Server::start(script).await;
    let mut rig = OutputRig::start(&TYPE, &addressed(&server.address, ["a@test", "b@test", "c@test"]));
    let ticket = rig.send(["one"]);
    rig.acked(ticket).await;
    // To `c` at once, to `b` later, to `a` never.
    assert_eq!(server.bodies(), ["one", "one"]);
    let wanted = ["a", "b", "c", "b"].map(|name| format!("RCPT TO:<{name}@test>"));
    assert_eq!(server.heard("RCPT"), wanted);
    assert_eq!(counted(&rig.site, "Dropped-recipient-refused"), 1);
    let count = |name: &str| counted(&rig.site, name);
    assert_eq!((count("ProcessMessageCount"), count("DropMessageCount"), count("SentMailCount")), (1, 0, 1));
}

#[tokio::test]
async fn what_is_refused_for_good_is_dropped_by_its_rule() {
    let script = Script {
        answers: [
            ("RCPT TO:<a@test>", "550 no such user"),
            ("RCPT TO:<b@test>", "551 not here"),
            ("MAIL", "250 yes"),
            ("MAIL", "553 who are you"),
            (".", "554 spam"),
        ]
        .into(),
        ..Script::default()
    };
    let server = Server::start(script).await;
    let mut rig = OutputRig::start(&TYPE, &options(&server));
    let ticket = rig.send(["nobody wants it", "from nobody", "spam", "ham"]);
    rig.acked(ticket).await;
    assert_eq!(server.bodies(), ["ham"]);
    let count = |name: &str| counted(&rig.site, name);
    assert_eq!((count("Dropped-recipient-refused"), count("Dropped-mail-refused")), (2, 2));
    assert_eq!((count("ProcessMessageCount"), count("DropMessageCount"), count("RetryCount")), (1, 3, 0));
}

#[tokio::test]
async fn what_is_put_off_for_too_long_is_given_up_if_so_set() {
    let answers = std::iter::repeat_n(("RCPT TO:<b@test>", "452 mailbox full"), 100).collect();
    let server = Server::start(Script { answers, ..Script::default() }).await;
    let mut rig = OutputRig::start(&TYPE, &options(&server).with("give_up_after", Data::Integer(1)));
    let ticket = rig.send(["one"]);
    rig.acked(ticket).await;
    assert_eq!(server.bodies(), ["one"]);
    assert_eq!((counted(&rig.site, "Dropped-give_up_after"), counted(&rig.site, "ProcessMessageCount")), (1, 1));
}

#[tokio::test]
async fn an_interval_collects_what_comes_after_the_first() {
    let server = Server::start(Script::default()).await;
    let mut rig = OutputRig::start(&TYPE, &options(&server).with("send_interval", Data::Integer(1)));
    let first = rig.send(["A"]);
    rig.acked(first).await;
    rig.send(["B"]);
    let last = rig.send(["C"]);
    eventually("both wait", || (counted(&rig.site, "ThrottledMessageCount") == 2).then_some(())).await;
    assert_eq!((server.bodies(), rig.feed.acked()), (vec!["A".to_owned()], first));
    assert_eq!(mails(&server, 2).await, ["A", "B\r\n\r\nC"]);
    rig.acked(last).await;
    assert_eq!((counted(&rig.site, "ProcessMessageCount"), counted(&rig.site, "SentMailCount")), (3, 2));
}

#[tokio::test]
async fn what_waits_is_sent_at_a_stop() {
    let server = Server::start(Script::default()).await;
    let mut rig = OutputRig::start(&TYPE, &options(&server).with("send_interval", Data::Integer(3600)));
    rig.send(["A", "B"]);
    rig.send(["C"]);
    eventually("both wait", || (counted(&rig.site, "ThrottledMessageCount") == 2).then_some(())).await;
    assert_eq!(rig.feed.acked(), 0);
    rig.begin_shutdown();
    assert_eq!(rig.end().await, (Ok(()), 2));
    assert_eq!(server.bodies(), ["A", "B\r\n\r\nC"]);
}

#[tokio::test]
async fn a_flood_fills_one_mail_and_holds_nobody_up() {
    let server = Server::start(Script::default()).await;
    let table = options(&server).with("send_interval", Data::Integer(3600)).with("max_body", Data::Integer(10));
    let mut rig = OutputRig::start(&TYPE, &table);
    rig.send(["A", "12345", "678", "x"]);
    let block = "y".repeat(1000);
    let mut last = 0;
    for _ in 0..100 {
        last = rig.send([&block, &block]);
    }
    eventually("all is counted", || (counted(&rig.site, "Dropped-max_body") == 201).then_some(())).await;
    // Nothing is acknowledged, and nothing but the first block is held.
    eventually("the room is free", || (rig.feed.queued() == 10).then_some(())).await;
    assert_eq!(rig.feed.acked(), 0);
    assert_eq!(rig.end().await, (Ok(()), last));
    assert_eq!(server.bodies()[1], "12345\r\n\r\nx\r\n\r\n201 more messages are left out: the mail is full.");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_waited_for_and_a_stop_ends_that() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let mut rig = OutputRig::start(&TYPE, &addressed(&gone, ["a@test"]));
    rig.send(["one"]);
    eventually("it is tried", || (counted(&rig.site, "RetryCount") > 1).then_some(())).await;
    rig.begin_shutdown();
    let (result, acked) = rig.end().await;
    assert!(result.is_err_and(|error| error.retry && error.message.contains("1 messages could not be mailed")));
    assert_eq!(acked, 0);
}

#[tokio::test]
async fn each_mechanism_logs_in() {
    let who = [("user", text("tim")), ("password", text("tanstaaftanstaaf"))];
    let cases: [(&str, &[&str]); 3] = [
        ("Plain", &["AUTH PLAIN AHRpbQB0YW5zdGFhZnRhbnN0YWFm"]),
        ("Login", &["AUTH LOGIN", "dGlt", "dGFuc3RhYWZ0YW5zdGFhZg=="]),
        // RFC 2195, section 2.
        ("CRAMMD5", &["AUTH CRAM-MD5", "dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw"]),
    ];
    for (mechanism, wanted) in cases {
        let server = Server::start(Script::default()).await;
        let table = who.iter().cloned().fold(options(&server), |table, (key, value)| table.with(key, value));
        let mut rig = OutputRig::start(&TYPE, &table.with("auth", text(mechanism)));
        let ticket = rig.send(["one"]);
        rig.acked(ticket).await;
        let commands = server.with(|script| script.commands.clone());
        assert_eq!(commands[1..1 + wanted.len()], *wanted);
    }
}

#[tokio::test]
async fn a_failed_login_loses_no_mail() {
    let answers = [("AUTH", "535 wrong password"), ("MAIL", "530 log in first")].into();
    let server = Server::start(Script { answers, ..Script::default() }).await;
    let table = options(&server).with("auth", text("Plain")).with("user", text("u")).with("password", text("secret"));
    let mut rig = OutputRig::start(&TYPE, &table);
    let ticket = rig.send(["one"]);
    rig.acked(ticket).await;
    assert_eq!((server.bodies().len(), counted(&rig.site, "RetryCount")), (1, 2));
}

#[tokio::test]
async fn starttls_is_used_when_offered() {
    let authority = Authority::new();
    let script = Script { offers: vec!["STARTTLS"], tls: Some(authority.server()), ..Script::default() };
    let server = Server::start(script).await;
    for mode in ["opportunistic", "required"] {
        let table = options(&server).with("starttls", text(mode)).with("tls", tls(&authority));
        let mut rig = OutputRig::start(&TYPE, &table);
        let ticket = rig.send(["one"]);
        rig.acked(ticket).await;
        assert_eq!(rig.end().await.0, Ok(()));
    }
    assert_eq!((server.heard("STARTTLS").len(), server.heard("EHLO").len()), (2, 4));
    let mut rig = OutputRig::start(&TYPE, &options(&server).with("starttls", text("none")));
    let ticket = rig.send(["one"]);
    rig.acked(ticket).await;
    assert_eq!(server.heard("STARTTLS").len(), 2);
}

#[tokio::test]
async fn nothing_is_sent_where_encryption_is_missing_or_not_to_be_trusted() {
    let authority = Authority::new();
    let plain = Server::start(Script::default()).await;
    let untrusted = Script { offers: vec!["STARTTLS"], tls: Some(authority.server()), ..Script::default() };
    let untrusted = Server::start(untrusted).await;
    let another = Authority::new();
    for (server, mode) in [(&plain, "required"), (&untrusted, "opportunistic")] {
        let table = options(server).with("starttls", text(mode)).with("tls", tls(&another));
        let mut rig = OutputRig::start(&TYPE, &table);
        rig.send(["one"]);
        eventually("it is tried again", || (counted(&rig.site, "RetryCount") > 1).then_some(())).await;
        assert_eq!((server.heard("MAIL").len(), rig.feed.acked()), (0, 0));
    }
}

#[tokio::test]
async fn tls_may_begin_with_the_first_byte() {
    let authority = Authority::new();
    let script = Script { tls: Some(authority.server()), tls_at_once: true, ..Script::default() };
    let server = Server::start(script).await;
    let table = options(&server).with("use_tls", Data::Bool(true)).with("tls", tls(&authority));
    let mut rig = OutputRig::start(&TYPE, &table);
    let ticket = rig.send(["one"]);
    rig.acked(ticket).await;
    assert_eq!((server.bodies().len(), server.heard("STARTTLS").len()), (1, 0));
}

#[tokio::test]
async fn an_endless_answer_ends_the_conversation() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mut rig = OutputRig::start(&TYPE, &addressed(&address, ["a@test"]));
    rig.send(["one"]);
    let (mut stream, _) = listener.accept().await.unwrap();
    let flood = vec![b'x'; 64 * 1024];
    let written = async { while tokio::io::AsyncWriteExt::write_all(&mut stream, &flood).await.is_ok() {} };
    tokio::time::timeout(Duration::from_secs(30), written).await.expect("the client hangs up");
    eventually("it is tried again", || (counted(&rig.site, "RetryCount") > 0).then_some(())).await;
}
