//! A small HTTP server of the tests' own, and a way to ask one something.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// A request, its body unpacked.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("text")
    }
}

/// What the server does about a request.
pub enum Reply {
    /// Answers: status, further headers, each ended by CRLF, and body.
    Say(u16, String, String),
    /// Says this half of an answer, and closes the connection.
    Half(String),
    /// Closes the connection.
    Hang,
    /// Says nothing for so long, and closes the connection.
    Stall(Duration),
}

impl Reply {
    pub fn json(status: u16, body: &serde_json::Value) -> Reply {
        Reply::Say(status, "Content-Type: application/json\r\n".to_owned(), body.to_string())
    }
}

/// Starts a server on a free port; it runs as long as the process.
pub fn serve(handle: impl Fn(Request) -> Reply + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let handle = Arc::new(handle);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let handle = handle.clone();
            std::thread::spawn(move || {
                // A client that is killed is part of the tests.
                let _ = answer(stream.unwrap(), &*handle);
            });
        }
    });
    address
}

fn answer(stream: TcpStream, handle: &impl Fn(Request) -> Reply) -> io::Result<()> {
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    while let Some(request) = read(&mut reader)? {
        match handle(request) {
            Reply::Say(status, headers, body) => {
                let length = body.len();
                write!(writer, "HTTP/1.1 {status} Said\r\nContent-Length: {length}\r\n{headers}\r\n{body}")?;
            }
            Reply::Half(body) => {
                let length = body.len() * 2;
                return write!(writer, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}");
            }
            Reply::Hang => return Ok(()),
            Reply::Stall(time) => {
                std::thread::sleep(time);
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Reads a request; none when the client has closed the connection.
fn read(reader: &mut BufReader<TcpStream>) -> io::Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split(' ').map(str::to_owned);
    let mut request = Request { method: words.next().unwrap(), path: words.next().unwrap(), ..Request::default() };
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        request.headers.push((name.to_owned(), value.to_owned()));
    }
    let length = request.header("content-length").map_or(0, |length| length.parse().unwrap());
    request.body.resize(length, 0);
    reader.read_exact(&mut request.body)?;
    if request.header("content-encoding") == Some("gzip") {
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(&request.body[..]).read_to_end(&mut plain)?;
        request.body = plain;
    }
    Ok(Some(request))
}

/// Asks a server something, and returns status and body. For servers that close the connection when asked to.
pub fn ask(address: &str, method: &str, path: &str) -> io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(address)?;
    let head = format!("{method} {path} HTTP/1.0\r\nHost: {address}\r\nContent-Length: 0\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or(io::ErrorKind::InvalidData)?;
    let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).ok_or(io::ErrorKind::InvalidData)?;
    Ok((status, body.to_owned()))
}
