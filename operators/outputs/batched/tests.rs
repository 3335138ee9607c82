//! Batches and their delivery, with a post office that does what a script says.

use super::batches::Batches;
use super::*;
use crate::outputs::harness::{block, number, site};
use crate::outputs::{Feed, FeedSender};
use crate::plugin::{PluginError, Site};
use proptest::prelude::*;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;

fn limits(count: usize, bytes: usize, millis: u64) -> Limits {
    Limits { count, bytes, interval: Duration::from_millis(millis) }
}

fn feed(site: Site) -> (FeedSender, Feed, watch::Sender<bool>) {
    let (stop, stopping) = watch::channel(false);
    let (sender, feed) = Feed::new(site, Arc::default(), None, watch::channel(0).1, stopping);
    (sender, feed, stop)
}

fn texts(records: &[Record]) -> Vec<String> {
    records.iter().map(|record| String::from_utf8(record.as_slice().to_vec()).unwrap()).collect()
}

#[tokio::test]
async fn batches_are_full_or_late() {
    let (mut sender, mut feed, _stop) = feed(site("b", "/".as_ref()));
    let mut batches = Batches::new(limits(3, 10, 20));
    let ticket = sender.send(block(&["a", "b"]));
    sender.send(block(&["c", "d", "0123456789ab", "e", "012345678", "f"]));
    for expected in ["a b c", "d", "0123456789ab", "e 012345678", "f"] {
        assert_eq!(texts(&batches.next(&mut feed).await.unwrap()).join(" "), expected);
    }
    batches.settle(&mut feed, 1);
    assert_eq!(sender.acked(), 0);
    batches.settle(&mut feed, 2);
    assert_eq!(sender.acked(), ticket);
    batches.settle(&mut feed, 5);
    assert_eq!(sender.acked(), ticket + 1);
    sender.close();
    assert!(batches.next(&mut feed).await.is_none());
}

#[tokio::test]
async fn without_an_interval_only_what_is_there_is_taken() {
    let (mut sender, mut feed, _stop) = feed(site("b", "/".as_ref()));
    let mut batches = Batches::new(limits(100, 1000, 0));
    sender.send(block(&["a"]));
    sender.send(block::<&str>(&[]));
    sender.send(block(&["b"]));
    assert_eq!(texts(&batches.next(&mut feed).await.unwrap()), ["a", "b"]);
    batches.settle(&mut feed, 2);
    assert_eq!(sender.acked(), 3);
    // A block without records is done by itself.
    sender.send(block::<&str>(&[]));
    sender.close();
    assert!(batches.next(&mut feed).await.is_none());
    assert_eq!(sender.acked(), 4);
}

proptest! {
    #[test]
    fn batches_hold_everything_once_and_in_order(
        blocks in prop::collection::vec(prop::collection::vec("[a-z]{0,5}", 0..6), 0..8),
        count in 1usize..9,
        bytes in 1usize..30,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (mut sender, mut feed, _stop) = feed(site("b", "/".as_ref()));
        let all: Vec<String> = blocks.concat();
        for records in &blocks {
            sender.send(block(records));
        }
        sender.close();
        let mut batches = Batches::new(limits(count, bytes, 0));
        let mut seen = Vec::new();
        while let Some(batch) = runtime.block_on(batches.next(&mut feed)) {
            let size: usize = batch.iter().map(Record::len).sum();
            prop_assert!(batch.len() <= count && (size <= bytes || batch.len() == 1));
            let mut pieces = Vec::new();
            joined(&batch, |piece| pieces.push(piece));
            prop_assert_eq!(pieces.concat(), texts(&batch).concat().into_bytes());
            seen.extend(texts(&batch));
            batches.settle(&mut feed, batch.len());
        }
        prop_assert_eq!(seen, all);
        prop_assert_eq!(sender.acked(), blocks.len() as u64);
    }
}

/// Remembers what it was sent, and lets a script decide.
struct Office<F> {
    sent: Arc<Mutex<Vec<String>>>,
    script: F,
}

impl<F: FnMut(&[Record], usize) -> Outcome + Send> Post for Office<F> {
    async fn post(&mut self, records: &[Record]) -> Outcome {
        let mut sent = self.sent.lock().unwrap();
        sent.push(texts(records).join(""));
        (self.script)(records, sent.len() - 1)
    }
}

/// Delivers `records` in batches of four, and tells what was sent, and how it ended.
async fn deliver(
    site: &Site,
    file: Option<DeadLetters>,
    records: &[&str],
    stop: bool,
    script: impl FnMut(&[Record], usize) -> Outcome + Send,
) -> (Vec<String>, Result<(), PluginError>, u64) {
    let (mut sender, mut feed, stopping) = feed(site.clone());
    sender.send(block(records));
    sender.close();
    stopping.send_replace(stop);
    let sent = Arc::new(Mutex::new(Vec::new()));
    let office = Office { sent: sent.clone(), script };
    let refusals = Refusals::new(site, file);
    let delivered = site.stats.counter("SentMessageCount", "count");
    let ended = Delivery::new(&mut feed, limits(4, 1000, 0), office, refusals, delivered).run().await;
    let sent = sent.lock().unwrap().clone();
    (sent, ended, sender.acked())
}

fn refused() -> Outcome {
    Outcome::Refused { why: "400".into() }
}

#[tokio::test]
async fn what_may_pass_is_sent_again_before_anything_new() {
    let site = site("d", "/".as_ref());
    let (sent, ended, acked) = deliver(&site, None, &["a", "b", "c", "d", "e"], false, |_, n| match n {
        0 => Outcome::Again { why: "503".into(), after: Some(Duration::ZERO) },
        1 => Outcome::Otherwise,
        _ => Outcome::Done,
    })
    .await;
    assert_eq!((sent.as_slice(), ended, acked), (&["abcd", "abcd", "abcd", "e"].map(str::to_owned)[..], Ok(()), 1));
    assert_eq!((number(&site, "SentMessageCount"), number(&site, "RetryCount")), (5, 1));
}

#[tokio::test]
async fn a_record_that_is_refused_takes_no_other_with_it() {
    let site = site("d", "/".as_ref());
    let (sent, ended, acked) = deliver(&site, None, &["a", "b", "X", "d", "e"], false, |records, _| {
        if texts(records).contains(&"X".to_owned()) { refused() } else { Outcome::Done }
    })
    .await;
    let expected = ["abXd", "ab", "Xd", "X", "d", "e"].map(str::to_owned);
    assert_eq!((sent.as_slice(), ended, acked), (&expected[..], Ok(()), 1));
    assert_eq!((number(&site, "SentMessageCount"), number(&site, "DropMessageCount")), (4, 1));
    assert_eq!(number(&site, "Dropped-refused"), 1);
}

#[tokio::test]
async fn whoever_is_unwelcome_does_not_insist() {
    let site = site("d", "/".as_ref());
    let (sent, ..) = deliver(&site, None, &["a", "b"], false, |_, _| Outcome::Unwelcome { why: "401".into() }).await;
    assert_eq!(sent, ["ab"]);
    assert_eq!(number(&site, "Dropped-refused"), 2);
}

#[tokio::test]
async fn a_batch_that_is_too_large_makes_all_others_smaller() {
    let site = site("d", "/".as_ref());
    let records: Vec<String> = (0..12).map(|i| format!("{i:02}")).collect();
    let records: Vec<&str> = records.iter().map(String::as_str).collect();
    let (sent, ..) = deliver(&site, None, &records, false, |records, _| {
        if records.len() > 2 { Outcome::TooLarge { why: "413".into() } } else { Outcome::Done }
    })
    .await;
    assert_eq!(sent, ["00010203", "0001", "0203", "0405", "0607", "0809", "1011"]);
    let (sent, ..) = deliver(&site, None, &["a"], false, |_, _| Outcome::TooLarge { why: "413".into() }).await;
    assert_eq!((sent.len(), number(&site, "Dropped-refused")), (1, 1));
}

#[tokio::test]
async fn only_what_failed_is_sent_again() {
    let site = site("d", "/".as_ref());
    let (sent, ended, _) = deliver(&site, None, &["a", "b", "c", "d"], false, |records, n| match n {
        0 => Outcome::Partly {
            refused: vec![(records[0].clone(), "mapping".into())],
            again: vec![records[1].clone(), records[3].clone()],
            why: "429".into(),
            after: Some(Duration::ZERO),
        },
        _ => Outcome::Done,
    })
    .await;
    assert_eq!((sent, ended), (vec!["abcd".to_owned(), "bd".to_owned()], Ok(())));
    assert_eq!((number(&site, "SentMessageCount"), number(&site, "DropMessageCount")), (3, 1));
}

#[tokio::test]
async fn a_shutdown_leaves_undelivered_what_cannot_be_delivered() {
    let site = site("d", "/".as_ref());
    let (sent, ended, acked) = deliver(&site, None, &["a", "b", "c", "d", "e"], true, |_, _| Outcome::Again {
        why: "503".into(),
        after: Some(Duration::from_secs(60)),
    })
    .await;
    assert!(ended.is_err_and(|error| error.message.starts_with("4 records or more")));
    assert_eq!((sent.len(), acked), (1, 0));
}

#[tokio::test]
async fn dead_letters_are_kept_with_their_reasons_as_far_as_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let site = site("d", folder.path());
    let path = folder.path().join("dead/letters.json");
    let file = DeadLetters { path: path.clone(), most_bytes: 230 };
    let _ = deliver(&site, Some(file.clone()), &["{\"a\":1}\n"], false, |_, _| refused()).await;
    // A crash has cut a line short.
    let mut torn = std::fs::read(&path).unwrap();
    torn.extend_from_slice(b"{\"time");
    std::fs::write(&path, &torn).unwrap();
    let _ = deliver(&site, Some(file), &["second", "third"], false, |_, _| refused()).await;
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<Result<serde_json::Value, _>> = text.lines().map(serde_json::from_str).collect();
    assert_eq!(lines.len(), 3, "{text}");
    let first = lines[0].as_ref().unwrap();
    assert_eq!(
        (&first["record"], &first["reason"], &first["output"]),
        (&"{\"a\":1}\n".into(), &"400".into(), &"d".into())
    );
    assert!(lines[1].is_err() && lines[2].as_ref().unwrap()["record"] == "second", "{text}");
    assert_eq!((number(&site, "DeadLetterCount"), number(&site, "Dropped-dead-letters-full")), (2, 1));
    assert_eq!((number(&site, "DropMessageCount"), number(&site, "Dropped-refused")), (3, 0));
}

#[tokio::test]
async fn records_that_are_no_text_are_kept_in_base64() {
    let (mut sender, mut feed, _stop) = feed(site("d", "/".as_ref()));
    sender.send(block(&[b"\xff\x00"]));
    let record = Batches::new(limits(1, 1, 0)).next(&mut feed).await.unwrap().remove(0);
    let line: serde_json::Value = serde_json::from_slice(&dead_letters::line("d", "why", &record)).unwrap();
    assert_eq!(line["record_base64"], "/wA=");
}
