//! The client against a server that does what a script says.

use super::*;
use crate::http::scripted::{Reply, Scripted};
use crate::tls::testing::Authority;
use bytes::Bytes;

fn manner() -> Manner {
    Manner { connect_timeout: None, timeout: None, keep_alive: true, tls: None }
}

fn client(url: &str, manner: Manner) -> Client {
    Client::new(&Address::parse(url).unwrap(), manner, HeaderMap::new())
}

async fn post(client: &mut Client, body: &'static str) -> Result<Answer, Failure> {
    client.send(&Method::POST, "/p?q=1", &Bytes::from_static(body.as_bytes()).into(), 100).await
}

#[tokio::test]
async fn a_connection_serves_many_requests() {
    let server = Scripted::start(|_, n| Reply::Say(200, "X: y\r\n", format!("answer {n}")));
    let mut client = client(&server.url("/"), manner());
    for n in 0..3 {
        let answer = post(&mut client, "body").await.unwrap();
        assert_eq!((answer.status.as_u16(), answer.excerpt()), (200, format!("answer {n}")));
    }
    let got = server.got();
    assert!(got.iter().all(|got| got.connection == 0 && got.text() == "body"), "{got:?}");
    let first = &got[0];
    assert_eq!((first.method.as_str(), first.path.as_str()), ("POST", "/p?q=1"));
    assert_eq!(first.header("Host"), Some(server.address.as_str()));
    assert_eq!(first.header("Content-Length"), Some("4"));
    assert!(first.header("User-Agent").is_some_and(|agent| agent.starts_with("hekad/")));
    assert!(first.headers.iter().any(|(name, _)| name == "Content-Length"), "{first:?}");
}

#[tokio::test]
async fn or_one_if_told_so() {
    let server = Scripted::start(|_, _| Reply::status(204));
    let mut client = client(&server.url("/"), Manner { keep_alive: false, ..manner() });
    for _ in 0..2 {
        post(&mut client, "body").await.unwrap();
    }
    let got = server.got();
    assert_eq!(got.iter().map(|got| got.connection).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(got[0].header("connection"), Some("close"));
}

#[tokio::test]
async fn a_server_that_closed_meanwhile_is_nobodys_failure() {
    let server = Scripted::start(|_, n| if n == 1 { Reply::Hang } else { Reply::SayAndClose(200) });
    let mut client = client(&server.url("/"), manner());
    post(&mut client, "a").await.unwrap();
    // The second hangs up on a connection that is new: that is a failure.
    let failure = post(&mut client, "b").await.unwrap_err();
    assert!(matches!(&failure, Failure::Broken(why) if !why.contains('\n')), "{failure}");
    post(&mut client, "c").await.unwrap();

    let server =
        Scripted::start(
            |got, _| if got.text() == "b" && got.connection == 0 { Reply::Hang } else { Reply::status(200) },
        );
    let mut client = self::client(&server.url("/"), manner());
    for body in ["a", "b", "c"] {
        post(&mut client, body).await.unwrap();
    }
    assert_eq!(server.got().iter().map(|got| got.text()).collect::<Vec<_>>(), ["a", "b", "b", "c"]);
}

#[tokio::test]
async fn failures_say_why() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let why = post(&mut client(&format!("http://{nobody}/"), manner()), "x").await.unwrap_err().to_string();
    assert!(why.contains("can't connect to 127.0.0.1:") && why.contains("refused"), "{why}");

    let server = Scripted::start(|_, n| if n == 0 { Reply::Half } else { Reply::Stall });
    let bound = Duration::from_millis(300);
    let mut client = client(&server.url("/"), Manner { timeout: Some(bound), ..manner() });
    assert!(matches!(post(&mut client, "x").await, Err(Failure::Broken(_))));
    let late = post(&mut client, "x").await.unwrap_err();
    assert!(matches!(late, Failure::TimedOut(lasted) if lasted >= bound), "{late}");
}

#[tokio::test]
async fn no_more_of_an_answer_is_read_than_wanted() {
    let server = Scripted::start(|_, _| Reply::Say(400, "", "x".repeat(1_000_000)));
    let mut client = client(&server.url("/"), manner());
    for connection in 0..2 {
        let answer = post(&mut client, "body").await.unwrap();
        assert_eq!((answer.status.as_u16(), answer.body.len(), answer.cut), (400, 100, true));
        assert_eq!(server.got()[connection].connection, connection);
    }
}

#[tokio::test]
async fn an_answer_may_come_before_the_request_is_read() {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().unwrap();
            stream.read_exact(&mut [0; 100]).unwrap();
            stream.write_all(b"HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n").unwrap();
            stream.shutdown(std::net::Shutdown::Write).unwrap();
            // Reads on for as long as the client may write, as servers do that want their answer to arrive.
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
        }
    });
    let mut client = client(&url, manner());
    let body: Pieces = Bytes::from(vec![b'x'; 8 << 20]).into();
    for _ in 0..2 {
        let answer = client.send(&Method::POST, "/", &body, 100).await.unwrap();
        assert_eq!(answer.status.as_u16(), 413);
    }
    drop(client);
    server.join().unwrap();
}

#[tokio::test]
async fn servers_are_verified() {
    let authority = Authority::new();
    let config = crate::tls::server_config(&authority.server()).unwrap();
    let server = Scripted::start_tls(config, |_, _| Reply::status(200));
    let url = format!("https://{}/", server.address);
    let mut known = client(&url, Manner { tls: Some(authority.client()), ..manner() });
    for _ in 0..2 {
        assert_eq!(post(&mut known, "body").await.unwrap().status.as_u16(), 200);
    }
    assert!(server.got().iter().all(|got| got.connection == 0 && got.text() == "body"));
    let stranger = Authority::new();
    let mut unknown = client(&url, Manner { tls: Some(stranger.client()), ..manner() });
    let why = post(&mut unknown, "body").await.unwrap_err().to_string();
    assert!(why.contains("TLS handshake failed"), "{why}");
}
