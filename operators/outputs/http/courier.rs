//! Makes a request of records, and an outcome of its answer.

use crate::http::body::Pieces;
use crate::http::client::Client;
use crate::http::verdict::{Verdict, judge, moved, retry_after};
use crate::net::unix_nanos;
use crate::outputs::batched::{Outcome, Post, Record, separated};
use bytes::Bytes;
use hyper::Method;

/// As much of an answer is kept as a log line may want to show.
const ANSWER: usize = 4096;

pub(super) struct Courier {
    pub client: Client,
    pub method: Method,
    pub path: String,
    pub separator: Bytes,
    pub gzip: bool,
    pub retry_statuses: Vec<u16>,
}

impl Courier {
    fn body(&self, records: &[Record]) -> Pieces {
        let mut body = Pieces::default();
        if self.method == Method::GET {
            return body;
        }
        separated(records, &self.separator, |piece| body.push(piece));
        if self.gzip { body.gzip() } else { body }
    }
}

impl Post for &mut Courier {
    async fn post(&mut self, records: &[Record]) -> Outcome {
        let body = self.body(records);
        let answer = match self.client.send(&self.method, &self.path, &body, ANSWER).await {
            Ok(answer) => answer,
            Err(failure) => {
                return Outcome::Again { why: format!("Error making HTTP request: {failure}"), after: None };
            }
        };
        let why = || format!("HTTP Error code returned: {} - {}", answer.status_line(), answer.excerpt());
        let after = answer.retry_after.as_ref().and_then(|header| retry_after(header, unix_nanos()));
        match judge(answer.status.as_u16(), &self.retry_statuses) {
            Verdict::Done => Outcome::Done,
            Verdict::Later => Outcome::Again { why: why(), after },
            Verdict::Moved => Outcome::Again { why: format!("HTTP Error code returned: {}", moved(&answer)), after },
            Verdict::TooLarge => Outcome::TooLarge { why: why() },
            Verdict::Refused => Outcome::Refused { why: why() },
            Verdict::Unwelcome => Outcome::Unwelcome { why: why() },
        }
    }
}
