//! A mail server for tests: it remembers everything it is told, and says what the test wants it to.

use crate::tls::{TlsSettings, server_config};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What a server has heard, and what it will answer.
#[derive(Default)]
pub(super) struct Script {
    /// Lines of commands, over all connections.
    pub commands: Vec<String>,
    /// Texts of mails that were accepted, without the dot.
    pub mails: Vec<String>,
    /// Beginnings of commands, and the answer to the next one that begins so. `.` stands for a mail's text.
    pub answers: VecDeque<(&'static str, &'static str)>,
    /// Lines of the answer to EHLO.
    pub offers: Vec<&'static str>,
    /// For STARTTLS, or from the first byte on.
    pub tls: Option<TlsSettings>,
    pub tls_at_once: bool,
    pub connections: usize,
}

/// A server that runs until the test ends.
#[derive(Clone)]
pub(super) struct Server {
    pub address: String,
    script: Arc<Mutex<Script>>,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Server {
    pub(super) async fn start(script: Script) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = Server { address, script: Arc::new(Mutex::new(script)) };
        let serving = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = serving.clone();
                tokio::spawn(async move {
                    server.with(|script| script.connections += 1);
                    let at_once = server.with(|script| script.tls_at_once);
                    let stream: Option<Box<dyn Stream>> =
                        if at_once { server.encrypt(Box::new(stream)).await } else { Some(Box::new(stream)) };
                    if let Some(stream) = stream {
                        server.serve(stream, true).await;
                    }
                });
            }
        });
        server
    }

    pub(super) fn with<T>(&self, act: impl FnOnce(&mut Script) -> T) -> T {
        act(&mut self.script.lock().unwrap())
    }

    /// What was heard of commands that begin so.
    pub(super) fn heard(&self, beginning: &str) -> Vec<String> {
        self.with(|script| script.commands.iter().filter(|line| line.starts_with(beginning)).cloned().collect())
    }

    /// The bodies of the mails accepted so far.
    pub(super) fn bodies(&self) -> Vec<String> {
        use base64::Engine;
        let body = |mail: &String| {
            let (_, body) = mail.split_once("\r\n\r\n").unwrap();
            String::from_utf8(base64::engine::general_purpose::STANDARD.decode(body.replace("\r\n", "")).unwrap())
                .unwrap()
        };
        self.with(|script| script.mails.iter().map(body).collect())
    }

    async fn encrypt(&self, stream: Box<dyn Stream>) -> Option<Box<dyn Stream>> {
        let settings = self.with(|script| script.tls.clone()).unwrap();
        let acceptor = TlsAcceptor::from(server_config(&settings).unwrap());
        acceptor.accept(stream).await.ok().map(|stream| Box::new(stream) as Box<dyn Stream>)
    }

    async fn serve(&self, stream: Box<dyn Stream>, greet: bool) {
        let mut stream = BufReader::new(stream);
        if greet {
            let greeting = self.answer("greeting").unwrap_or("220 here ESMTP");
            say(&mut stream, greeting).await;
        }
        while let Some(line) = read_line(&mut stream).await {
            self.with(|script| script.commands.push(line.clone()));
            let word = line.split(' ').next().unwrap_or_default().to_owned();
            if let Some(answer) = self.answer(&line) {
                if answer == "hang up" {
                    return;
                }
                say(&mut stream, answer).await;
                continue;
            }
            match word.as_str() {
                "EHLO" => {
                    let mut lines = vec!["here"];
                    lines.extend(self.with(|script| script.offers.clone()));
                    let last = lines.pop().unwrap();
                    let before: String = lines.iter().map(|line| format!("250-{line}\r\n")).collect();
                    say(&mut stream, &format!("{before}250 {last}")).await;
                }
                "STARTTLS" => {
                    say(&mut stream, "220 go on").await;
                    if let Some(stream) = self.encrypt(stream.into_inner()).await {
                        Box::pin(self.serve(stream, false)).await;
                    }
                    return;
                }
                "AUTH" if line == "AUTH LOGIN" => {
                    for prompt in ["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"] {
                        say(&mut stream, prompt).await;
                        let line = read_line(&mut stream).await.unwrap_or_default();
                        self.with(|script| script.commands.push(line));
                    }
                    say(&mut stream, "235 welcome").await;
                }
                "AUTH" if line == "AUTH CRAM-MD5" => {
                    say(&mut stream, "334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+").await;
                    let line = read_line(&mut stream).await.unwrap_or_default();
                    self.with(|script| script.commands.push(line));
                    say(&mut stream, "235 welcome").await;
                }
                "AUTH" => say(&mut stream, "235 welcome").await,
                "DATA" => {
                    say(&mut stream, "354 go on").await;
                    let mut mail = Vec::new();
                    while let Some(line) = read_line(&mut stream).await.filter(|line| line != ".") {
                        mail.push(line.strip_prefix('.').map(str::to_owned).unwrap_or(line));
                    }
                    match self.answer(".") {
                        Some("hang up") => return,
                        Some(answer) => say(&mut stream, answer).await,
                        None => {
                            self.with(|script| script.mails.push(mail.join("\r\n")));
                            say(&mut stream, "250 taken").await;
                        }
                    }
                }
                "QUIT" => return say(&mut stream, "221 bye").await,
                _ => say(&mut stream, "250 yes").await,
            }
        }
    }

    /// The answer that was prepared for a command, if there is one.
    fn answer(&self, line: &str) -> Option<&'static str> {
        self.with(|script| {
            let at = script.answers.iter().position(|(beginning, _)| line.starts_with(beginning))?;
            script.answers.remove(at).map(|(_, answer)| answer)
        })
    }
}

async fn say(stream: &mut BufReader<Box<dyn Stream>>, text: &str) {
    // A client that has gone is what some tests are about.
    let _ = stream.write_all(format!("{text}\r\n").as_bytes()).await;
    let _ = stream.flush().await;
}

async fn read_line(stream: &mut BufReader<Box<dyn Stream>>) -> Option<String> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok().filter(|n| *n > 0)?;
    Some(line.trim_end_matches(['\r', '\n']).to_owned())
}
