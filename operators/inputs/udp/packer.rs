//! Puts datagrams into chunks: as many as fit, as long as they belong to the same stream.

use super::receive::Taker;
use crate::inputs::{Chunk, ChunkBuf, ChunkEnd, ChunkPool, Credit, InputEdge, Stream};
use crate::net::datagrams::{Datagram, Inbox};
use crate::net::unix_nanos;
use crate::stats::Counter;
use crate::throttle::Throttle;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

/// Bytes of a chunk; a larger datagram gets one of its own.
const CHUNK_SIZE: usize = 64 * 1024;
/// Most datagrams a chunk carries.
const CHUNK_DATAGRAMS: usize = 512;
/// Most senders remembered: past it all are forgotten, so that invented addresses take no memory.
const SENDERS: usize = 1024;

impl Taker for Packer<'_> {
    async fn take(&mut self, inbox: &Inbox, drained: bool) {
        for datagram in inbox.iter() {
            self.add(datagram).await;
        }
        if drained {
            self.flush();
        }
    }
}

/// A stream and where it is.
struct Place {
    stream: Arc<Stream>,
    position: u64,
}

/// A chunk that still takes datagrams.
struct Open {
    bytes: ChunkBuf,
    ends: Vec<u32>,
    sender: Option<IpAddr>,
    credit: Option<Credit>,
}

/// Builds chunks and hands them over.
pub(super) struct Packer<'a> {
    edge: &'a InputEdge,
    pool: Arc<ChunkPool>,
    /// By sender, when each sender is a stream of its own; else everything is from `None`.
    places: HashMap<Option<IpAddr>, Place>,
    per_sender: bool,
    next_stream: u32,
    open: Option<Open>,
    cut: Arc<Counter>,
    complaints: Throttle,
}

impl<'a> Packer<'a> {
    pub(super) fn new(edge: &'a InputEdge, per_sender: bool) -> Self {
        Packer {
            edge,
            pool: ChunkPool::new(CHUNK_SIZE, 0, 16),
            places: HashMap::new(),
            per_sender,
            next_stream: 0,
            open: None,
            cut: edge.site.stats.counter("CutDatagrams", "count"),
            complaints: Throttle::default(),
        }
    }

    /// Takes a datagram; an empty one holds no record and is skipped. Waits for budget, but not past a stop:
    /// what has been taken from the kernel is delivered in any case.
    pub(super) async fn add(&mut self, datagram: Datagram<'_>) {
        if datagram.bytes.is_empty() {
            return;
        }
        if datagram.cut {
            self.cut.add(1);
            let kept = datagram.bytes.len();
            self.complaints.error(&self.edge.site.log, || format!("a datagram was cut to its first {kept} bytes"));
        }
        let sender = datagram.sender.filter(|_| self.per_sender);
        let fits = self.open.as_ref().is_some_and(|open| {
            open.sender == sender
                && open.ends.len() < CHUNK_DATAGRAMS
                && open.bytes.len() + datagram.bytes.len() <= CHUNK_SIZE
        });
        if !fits {
            self.flush();
        }
        let mut open = match self.open.take() {
            Some(open) => open,
            None => {
                let credit = tokio::select! {
                    credit = self.edge.credits().take(datagram.bytes.len().max(CHUNK_SIZE)) => Some(credit),
                    () = self.edge.stopped() => None,
                };
                Open { bytes: self.pool.take(), ends: Vec::new(), sender, credit }
            }
        };
        match open.bytes.spare().get_mut(..datagram.bytes.len()) {
            Some(room) => {
                room.copy_from_slice(datagram.bytes);
                open.bytes.advance(datagram.bytes.len());
            }
            None => open.bytes = ChunkBuf::copy_of(datagram.bytes),
        }
        open.ends.push(open.bytes.len() as u32);
        self.open = Some(open);
    }

    /// Hands over what has been taken so far.
    pub(super) fn flush(&mut self) {
        let Some(Open { bytes, ends, sender, credit }) = self.open.take() else { return };
        let length = bytes.len() as u64;
        let (bytes, credit) = match credit {
            Some(credit) => {
                let (bytes, credit) = self.edge.fit(bytes, credit);
                (bytes, Some(credit))
            }
            None => (bytes, None),
        };
        let place = self.place(sender);
        let position = place.position;
        place.position += length;
        let stream = place.stream.clone();
        let packets = if ends.len() > 1 { ends } else { Vec::new() };
        let received = unix_nanos();
        self.edge.send(Chunk {
            bytes,
            stream,
            position,
            offset: position,
            end: ChunkEnd::Packet,
            packets,
            received,
            credit,
        });
    }

    /// The stream of a sender, made when it is first heard of.
    fn place(&mut self, sender: Option<IpAddr>) -> &mut Place {
        if self.places.len() >= SENDERS && !self.places.contains_key(&sender) {
            for (_, place) in self.places.drain() {
                self.edge.send(Chunk {
                    bytes: ChunkBuf::default(),
                    stream: place.stream,
                    position: place.position,
                    offset: place.position,
                    end: ChunkEnd::Stream,
                    packets: Vec::new(),
                    received: unix_nanos(),
                    credit: None,
                });
            }
        }
        let (next, name) = (&mut self.next_stream, self.edge.site.name.as_bytes());
        self.places.entry(sender).or_insert_with(|| {
            *next = next.wrapping_add(1);
            let hostname = sender.map(|ip| ip.to_string());
            let stream = Stream {
                id: *next,
                token: hostname.clone().unwrap_or_default(),
                logger: name.to_vec(),
                msg_type: Some(name.to_vec()),
                hostname: hostname.map(String::into_bytes),
                ..Stream::default()
            };
            Place { stream: Arc::new(stream), position: 0 }
        })
    }
}
