//! Server-sent events: each says which document has changed, and nothing more.
//!
//! A reader that is slow has no queue: when it can take something again, it gets the newest version of everything
//! that changed meanwhile.

use super::documents::{Change, Documents};
use bytes::Bytes;
use hyper::body::{Body, Frame};
use serde_json::json;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::{Interval, MissedTickBehavior, interval};

/// How often a reader hears that the connection lives.
pub(super) const PING: Duration = Duration::from_secs(15);
/// Readers at once.
const MOST_READERS: usize = 64;

/// Waits for the next change, then gives the receiver back.
type Changed = Pin<Box<dyn Future<Output = watch::Receiver<u64>> + Send>>;

/// The stream of one reader.
pub(super) struct Events {
    documents: Arc<Documents>,
    /// The number of the newest change it has been told of.
    seen: u64,
    changed: Changed,
    ping: Interval,
    _seat: Seat,
}

/// How many read events; cloning shares the number.
#[derive(Clone, Default)]
pub(super) struct Readers {
    seats: Arc<AtomicUsize>,
    arrivals: Arc<Notify>,
}

impl Readers {
    /// How many read.
    pub(super) fn len(&self) -> usize {
        self.seats.load(Ordering::Relaxed)
    }

    /// Waits until somebody comes.
    pub(super) async fn arrival(&self) {
        self.arrivals.notified().await;
    }

    /// A place for one more, if there is any.
    pub(super) fn take(&self) -> Option<Seat> {
        let next = |readers: usize| (readers < MOST_READERS).then_some(readers + 1);
        let taken = self.seats.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        taken.ok().map(|_| {
            self.arrivals.notify_one();
            Seat(self.seats.clone())
        })
    }
}

/// The place of one reader, free again when dropped.
pub(super) struct Seat(Arc<AtomicUsize>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Events {
    /// Events from now on, after one for each document that there is.
    pub(super) fn new(documents: Arc<Documents>, seat: Seat, ping: Duration) -> Self {
        let changed = changed(documents.watch());
        let mut ping = interval(ping);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Events { documents, seen: 0, changed, ping, _seat: seat }
    }

    fn news(&mut self) -> Option<Bytes> {
        let (changes, newest) = self.documents.since(self.seen);
        self.seen = newest;
        (!changes.is_empty()).then(|| changes.iter().map(event).collect::<String>().into())
    }
}

fn changed(mut changes: watch::Receiver<u64>) -> Changed {
    Box::pin(async move {
        // The sender lives as long as the documents, which the stream holds.
        let _ = changes.changed().await;
        changes
    })
}

/// One event, as text.
fn event(change: &Change) -> String {
    let Change { name, version } = change;
    let (event, data) = match name.as_str() {
        "heka_report.json" => ("report", json!({ "version": version })),
        "sandboxes.json" => ("sandboxes", json!({ "version": version })),
        "heka_sandbox_termination.tsv" => ("termination", json!({ "version": version })),
        "graph.json" => ("graph", json!({ "version": version })),
        "flow.json" => ("flow", json!({ "version": version })),
        file => ("output", json!({ "file": format!("data/{file}"), "version": version })),
    };
    // JSON has no raw line breaks, so the data is one line whatever the names are.
    format!("event: {event}\ndata: {data}\n\n")
}

impl Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        loop {
            if let Some(news) = self.news() {
                return Poll::Ready(Some(Ok(Frame::data(news))));
            }
            if self.ping.poll_tick(cx).is_ready() {
                return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"event: ping\ndata: {}\n\n")))));
            }
            match self.changed.as_mut().poll(cx) {
                Poll::Ready(changes) => self.changed = changed(changes),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::folder::Folder;
    use super::*;
    use http_body_util::BodyExt;

    async fn next(events: &mut Events) -> String {
        let frame = events.frame().await.unwrap().unwrap();
        String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn a_slow_reader_gets_the_newest_of_each() {
        let dir = tempfile::tempdir().unwrap();
        let documents = Arc::new(Documents::new(Folder::new(dir.path())));
        documents.announce("graph.json", "g1");
        documents.announce("heka_report.json", "r1");
        let readers = Readers::default();
        let mut events = Events::new(documents.clone(), readers.take().unwrap(), PING);
        let first = "event: graph\ndata: {\"version\":\"g1\"}\n\nevent: report\ndata: {\"version\":\"r1\"}\n\n";
        assert_eq!(next(&mut events).await, first);
        assert_eq!(next(&mut events).await, "event: ping\ndata: {}\n\n");
        for version in 2..1000 {
            documents.announce("heka_report.json", &format!("r{version}"));
            documents.announce("F.a\n\"b.txt", &format!("o{version}"));
        }
        let both = "event: report\ndata: {\"version\":\"r999\"}\n\n\
                    event: output\ndata: {\"file\":\"data/F.a\\n\\\"b.txt\",\"version\":\"o999\"}\n\n";
        assert_eq!(next(&mut events).await, both);
        let waiting = tokio::spawn(async move { next(&mut events).await });
        tokio::task::yield_now().await;
        documents.announce("flow.json", "f1");
        assert_eq!(waiting.await.unwrap(), "event: flow\ndata: {\"version\":\"f1\"}\n\n");
    }

    #[tokio::test]
    async fn silence_is_broken_by_pings() {
        let dir = tempfile::tempdir().unwrap();
        let documents = Arc::new(Documents::new(Folder::new(dir.path())));
        let period = Duration::from_millis(5);
        let mut events = Events::new(documents, Readers::default().take().unwrap(), period);
        let begun = tokio::time::Instant::now();
        for _ in 0..3 {
            assert_eq!(next(&mut events).await, "event: ping\ndata: {}\n\n");
        }
        assert!(begun.elapsed() >= period * 2);
    }

    #[test]
    fn there_are_only_so_many_places() {
        let readers = Readers::default();
        let mut seats: Vec<Seat> = (0..MOST_READERS).map(|_| readers.take().unwrap()).collect();
        assert!(readers.take().is_none());
        seats.pop();
        assert!(readers.take().is_some());
        drop(seats);
        assert_eq!(readers.len(), 0);
    }
}
