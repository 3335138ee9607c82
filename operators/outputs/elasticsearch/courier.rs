//! Makes a bulk request of records, and an outcome of its answer.

use super::bulk::actions;
use super::reply::{Fate, Reply};
use super::types::without_types;
use crate::http::body::Pieces;
use crate::http::client::{Answer, Client, Failure};
use crate::http::verdict::{Verdict, judge, moved, retry_after};
use crate::net::unix_nanos;
use crate::outputs::batched::{Outcome, Post, Record, separated};
use crate::plugin::Site;
use bytes::Bytes;
use hyper::Method;
use std::time::Duration;

/// The most that an answer may have: so much, and so much for each record.
const ANSWER: usize = 1 << 20;
const ANSWER_PER_RECORD: usize = 8 << 10;

pub(super) struct Courier {
    pub client: Client,
    pub path: String,
    pub gzip: bool,
    pub retry_statuses: Vec<u16>,
    /// Actions are sent without their types.
    pub omit_types: bool,
    /// They will be if the server does not know types.
    pub may_omit_types: bool,
    pub site: Site,
}

impl Courier {
    fn body(&self, records: &[Record]) -> Pieces {
        let mut body = Pieces::default();
        if self.omit_types {
            let mut text = Vec::with_capacity(records.iter().map(Record::len).sum());
            for record in records {
                without_types(record.as_slice(), &mut text);
                if !text.ends_with(b"\n") {
                    text.push(b'\n');
                }
            }
            body.push(text.into());
        } else {
            // Not every script ends its lines, and one that does not would spoil its neighbours.
            let line_end = Bytes::from_static(b"\n");
            separated(records, &line_end, |piece| body.push(piece));
            if records.last().is_some_and(|record| !record.as_slice().ends_with(b"\n")) {
                body.push(line_end);
            }
        }
        if self.gzip { body.gzip() } else { body }
    }

    /// The outcome of an answer whose status is a success: what became of each record.
    fn read(&self, answer: &Answer, after: Option<Duration>, records: &[Record]) -> Outcome {
        let status = answer.status.as_u16();
        if answer.cut {
            let why = format!("the answer to {} messages is too long to be read", records.len());
            return if records.len() > 1 { Outcome::TooLarge { why } } else { Outcome::Again { why, after } };
        }
        let Ok(reply) = serde_json::from_slice::<Reply>(&answer.body) else {
            let body = answer.excerpt();
            let why = format!("HTTP response didn't contain valid JSON. Status: {status}. Body: {body}");
            return Outcome::Again { why, after };
        };
        let fates = || reply.items.iter().map(|item| item.fate(&self.retry_statuses));
        if !reply.errors && fates().all(|fate| fate == Fate::Done) {
            return Outcome::Done;
        }
        let numbers: Vec<usize> = records.iter().map(|record| actions(record.as_slice())).collect();
        if numbers.iter().sum::<usize>() != reply.items.len() {
            // Whose errors these are only shows when the records are alone.
            let why =
                format!("ElasticSearch server reported error within JSON. Status: {status}. {}", answer.excerpt());
            return Outcome::Refused { why };
        }
        let (mut refused, mut again, mut why) = (Vec::new(), Vec::new(), String::new());
        let mut fates = fates();
        for (record, number) in records.iter().zip(numbers) {
            let mut reason = None;
            let mut passes = false;
            for fate in fates.by_ref().take(number) {
                match fate {
                    Fate::Done => {}
                    Fate::Again(text) => {
                        passes = true;
                        why = text;
                    }
                    Fate::Refused(text) => reason = Some(text),
                }
            }
            match (passes, reason) {
                (true, _) => again.push(record.clone()),
                (false, Some(reason)) => refused.push((record.clone(), reason)),
                (false, None) => {}
            }
        }
        Outcome::Partly { refused, again, why: format!("can't index: {why}"), after }
    }
}

impl Post for &mut Courier {
    async fn post(&mut self, records: &[Record]) -> Outcome {
        let body = self.body(records);
        let limit = ANSWER + ANSWER_PER_RECORD * records.len();
        let answer = match self.client.send(&Method::POST, &self.path, &body, limit).await {
            Ok(answer) => answer,
            Err(Failure::TimedOut(lasted)) => {
                let why = format!("can't index: HTTP request was interrupted after timeout. It lasted {lasted:?}");
                return Outcome::Again { why, after: None };
            }
            Err(Failure::Broken(why)) => {
                return Outcome::Again { why: format!("can't index: HTTP request failed: {why}"), after: None };
            }
        };
        let why = || format!("HTTP response error. Status: {}. Body: {}", answer.status_line(), answer.excerpt());
        let after = answer.retry_after.as_ref().and_then(|header| retry_after(header, unix_nanos()));
        match judge(answer.status.as_u16(), &self.retry_statuses) {
            Verdict::Done => self.read(&answer, after, records),
            Verdict::Later => Outcome::Again { why: format!("can't index: {}", why()), after },
            Verdict::Moved => Outcome::Again { why: format!("can't index: {}", moved(&answer)), after },
            Verdict::TooLarge => Outcome::TooLarge { why: why() },
            Verdict::Refused if self.may_omit_types && !self.omit_types && is_about_types(&answer) => {
                self.omit_types = true;
                self.site.log.info("the server knows no document types: `_type` is left out from now on");
                Outcome::Otherwise
            }
            Verdict::Refused => Outcome::Refused { why: why() },
            Verdict::Unwelcome => Outcome::Unwelcome { why: why() },
        }
    }
}

/// Whether a server says that it does not know types, as ElasticSearch does from version 8 on, OpenSearch from 2 on.
fn is_about_types(answer: &Answer) -> bool {
    answer.body.windows(7).any(|window| window == b"[_type]")
}
