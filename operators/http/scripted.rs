//! A server for tests, over TCP or TLS, that does what a script says with each request. It reads HTTP by itself, so
//! that what the client writes is read by somebody else than the client's library.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A request as it came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Got {
    /// Which connection it came over, counted from 0.
    pub connection: usize,
    pub method: String,
    pub path: String,
    /// Names as they were spelled.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Got {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// What to do with a request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// Answers with a status, further headers, each ended by CRLF, and a body.
    Say(u16, &'static str, String),
    /// Closes the connection without an answer.
    Hang,
    /// Begins an answer and closes the connection.
    Half,
    /// Answers, and closes the connection without having said that it would.
    SayAndClose(u16),
    /// Keeps still.
    Stall,
}

impl Reply {
    pub(crate) fn status(status: u16) -> Reply {
        Reply::Say(status, "", String::new())
    }
}

/// The running server. Its threads end with their connections.
pub(crate) struct Scripted {
    pub(crate) address: String,
    got: Arc<Mutex<Vec<Got>>>,
}

trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

impl Scripted {
    /// Starts; `script` is asked for each request, with the number of those before.
    pub(crate) fn start(script: impl FnMut(&Got, usize) -> Reply + Send + 'static) -> Scripted {
        Scripted::start_over(script, |stream| Box::new(stream))
    }

    /// The same over TLS.
    pub(crate) fn start_tls(
        config: Arc<tokio_rustls::rustls::ServerConfig>,
        script: impl FnMut(&Got, usize) -> Reply + Send + 'static,
    ) -> Scripted {
        use tokio_rustls::rustls::{ServerConnection, StreamOwned};
        Scripted::start_over(script, move |stream| {
            Box::new(StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), stream))
        })
    }

    fn start_over(
        script: impl FnMut(&Got, usize) -> Reply + Send + 'static,
        wrap: impl Fn(TcpStream) -> Box<dyn Stream> + Send + 'static,
    ) -> Scripted {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let got = Arc::new(Mutex::new(Vec::new()));
        let script = Arc::new(Mutex::new(script));
        let seen = got.clone();
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let (stream, seen, script) = (wrap(stream.unwrap()), seen.clone(), script.clone());
                std::thread::spawn(move || {
                    // A client that goes away is part of many a script.
                    let _ = serve(stream, number, &seen, &script);
                });
            }
        });
        Scripted { address, got }
    }

    pub(crate) fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

fn serve(
    stream: Box<dyn Stream>,
    connection: usize,
    seen: &Mutex<Vec<Got>>,
    script: &Mutex<impl FnMut(&Got, usize) -> Reply>,
) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut request = Got { connection, ..Got::default() };
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let mut words = line.split_whitespace().map(str::to_owned);
        (request.method, request.path) = (words.next().unwrap(), words.next().unwrap());
        assert_eq!(words.next().as_deref(), Some("HTTP/1.1"));
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            request.headers.push((name.to_owned(), value.to_owned()));
        }
        let length = request.header("content-length").map_or(0, |length| length.parse().unwrap());
        request.body.resize(length, 0);
        reader.read_exact(&mut request.body)?;
        let reply = {
            let mut seen = seen.lock().unwrap();
            let before = seen.len();
            seen.push(request.clone());
            (script.lock().unwrap())(&request, before)
        };
        let stream = reader.get_mut();
        match reply {
            Reply::Say(status, headers, body) => {
                write!(stream, "HTTP/1.1 {status} Said\r\nContent-Length: {}\r\n{headers}\r\n{body}", body.len())?;
                stream.flush()?;
            }
            Reply::SayAndClose(status) => {
                write!(stream, "HTTP/1.1 {status} Said\r\nContent-Length: 0\r\n\r\n")?;
                return stream.flush();
            }
            Reply::Half => {
                write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{{\"half")?;
                return stream.flush();
            }
            Reply::Hang => return Ok(()),
            Reply::Stall => std::thread::sleep(Duration::from_secs(3600)),
        }
    }
}
