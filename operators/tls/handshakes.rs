//! Who gets to talk to whom: real handshakes between configurations of both sides.

use super::testing::Authority;
use super::{TlsSettings, client_config, server_config, server_name};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::rustls::{HandshakeKind, ProtocolVersion};
use tokio_rustls::{TlsAcceptor, TlsConnector};

struct Talk {
    version: Option<ProtocolVersion>,
    kind: Option<HandshakeKind>,
    client_shown: bool,
}

/// Both sides say one byte to each other; an error is the server's, else the client's.
async fn talk(connector: &TlsConnector, server: &TlsSettings, client: &TlsSettings) -> Result<Talk, String> {
    let acceptor = TlsAcceptor::from(server_config(server)?);
    let name = server_name(client, "localhost")?;
    let (near, far) = tokio::io::duplex(1 << 16);
    let serve = async {
        let mut stream = acceptor.accept(far).await.map_err(|e| e.to_string())?;
        let mut byte = [0];
        stream.read_exact(&mut byte).await.map_err(|e| e.to_string())?;
        stream.write_all(b"y").await.map_err(|e| e.to_string())?;
        stream.flush().await.map_err(|e| e.to_string())?;
        let session = stream.get_ref().1;
        Ok::<_, String>(Talk {
            version: session.protocol_version(),
            kind: session.handshake_kind(),
            client_shown: session.peer_certificates().is_some(),
        })
    };
    let call = async {
        let mut stream = connector.connect(name, near).await.map_err(|e| e.to_string())?;
        stream.write_all(b"x").await.map_err(|e| e.to_string())?;
        stream.flush().await.map_err(|e| e.to_string())?;
        let mut byte = [0];
        stream.read_exact(&mut byte).await.map_err(|e| e.to_string())?;
        Ok::<_, String>(())
    };
    let (served, called) = tokio::join!(serve, call);
    // A side that refuses says why; the other one only sees the end.
    match (served, called) {
        (Ok(talk), Ok(())) => Ok(talk),
        (Err(server), Ok(())) => Err(server),
        (Ok(_), Err(client)) => Err(client),
        (Err(server), Err(client)) => Err(format!("{server}; {client}")),
    }
}

async fn try_once(server: &TlsSettings, client: &TlsSettings) -> Result<Talk, String> {
    talk(&TlsConnector::from(client_config(client)?), server, client).await
}

#[tokio::test]
async fn client_certificates_are_asked_for_as_set() {
    let ours = Authority::new();
    let theirs = Authority::new();
    let stranger = TlsSettings { root_cafile: ours.path("ca.pem"), ..theirs.known_client() };
    // Whether a client without a certificate, a stranger and one of ours get in.
    let cases = [
        ("NoClientCert", true, true, true),
        ("RequestClientCert", true, true, true),
        ("RequireAnyClientCert", false, true, true),
        ("VerifyClientCertIfGiven", true, false, true),
        ("RequireAndVerifyClientCert", false, false, true),
    ];
    for (client_auth, nobody, unknown, known) in cases {
        let server =
            TlsSettings { client_auth: client_auth.into(), client_cafile: ours.path("ca.pem"), ..ours.server() };
        for (client, gets_in) in [(ours.client(), nobody), (stranger.clone(), unknown), (ours.known_client(), known)] {
            let shows = !client.cert_file.is_empty();
            let result = try_once(&server, &client).await;
            assert_eq!(result.is_ok(), gets_in, "{client_auth}, shows {shows}: {:?}", result.err());
            if let Ok(talk) = result {
                assert_eq!(talk.client_shown, shows && client_auth != "NoClientCert", "{client_auth}");
            }
        }
    }
}

#[tokio::test]
async fn servers_are_verified_unless_told_otherwise() {
    let ours = Authority::new();
    let theirs = Authority::new();
    assert!(try_once(&ours.server(), &ours.client()).await.is_ok());
    let unknown = try_once(&theirs.server(), &ours.client()).await.err().unwrap();
    assert!(unknown.contains("invalid peer certificate"), "{unknown}");
    let wrong_name = TlsSettings { server_name: "elsewhere.test".into(), ..ours.client() };
    assert!(try_once(&ours.server(), &wrong_name).await.is_err());
    let careless = TlsSettings { insecure_skip_verify: true, ..wrong_name };
    assert!(try_once(&theirs.server(), &careless).await.is_ok());
}

#[tokio::test]
async fn versions_and_suites_limit_what_is_spoken() {
    let ours = Authority::new();
    let old = TlsSettings { max_version: "TLS11".into(), ..ours.server() };
    let talk = try_once(&old, &ours.client()).await.ok().unwrap();
    assert_eq!(talk.version, Some(ProtocolVersion::TLSv1_2));
    let talk = try_once(&ours.server(), &ours.client()).await.ok().unwrap();
    assert_eq!(talk.version, Some(ProtocolVersion::TLSv1_3));
    let new = TlsSettings { min_version: "TLS13".into(), ..ours.client() };
    assert!(try_once(&old, &new).await.is_err());
    // The keys of these certificates are elliptic: with TLS 1.2, suites for RSA leave nothing in common.
    let rsa_only = TlsSettings { ciphers: vec!["RSA_WITH_AES_128_CBC_SHA".into()], ..old };
    assert!(try_once(&rsa_only, &ours.client()).await.is_err());
}

#[tokio::test]
async fn sessions_resume_across_servers_that_share_a_key() {
    let ours = Authority::new();
    let key = Some("5a".repeat(32));
    let shared = TlsSettings { session_ticket_key: key.clone(), ..ours.server() };
    let other = TlsSettings { session_ticket_key: Some("a5".repeat(32)), ..ours.server() };
    let off = TlsSettings { session_ticket_key: key, session_tickets_disabled: true, ..ours.server() };
    let cases = [(&shared, HandshakeKind::Resumed), (&other, HandshakeKind::Full), (&off, HandshakeKind::Full)];
    for (second, kind) in cases {
        let connector = TlsConnector::from(client_config(&ours.client()).unwrap());
        assert!(talk(&connector, &shared, &ours.client()).await.is_ok());
        let again = talk(&connector, second, &ours.client()).await.ok().unwrap();
        assert_eq!(again.kind, Some(kind), "{second:?}");
    }
}

#[tokio::test]
async fn files_that_do_not_fit_are_named() {
    let ours = Authority::new();
    let crossed = TlsSettings { key_file: ours.path("client.key"), ..ours.server() };
    let why = server_config(&crossed).err().unwrap();
    assert!(why.contains("client.key") && why.contains("server.pem"), "{why}");
    let missing = TlsSettings { root_cafile: "/no/such.pem".into(), ..Default::default() };
    assert!(client_config(&missing).err().unwrap().starts_with("/no/such.pem: "));
}
