//! Bodies that wait for the next mail, joined to one.

/// Between two bodies.
const BETWEEN: &[u8] = b"\r\n\r\n";

/// Bodies of one mail to be.
#[derive(Debug, Default)]
pub(super) struct Pending {
    body: Vec<u8>,
    /// Messages in it.
    messages: usize,
    /// Messages that found no room.
    left_out: usize,
    /// The block that the last message came from.
    ticket: u64,
}

impl Pending {
    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.messages == 0
    }

    /// Adds a body, unless that makes the whole longer than `room`; the first one always fits. Whether it was added.
    pub(super) fn add(&mut self, body: &[u8], room: usize) -> bool {
        if self.messages > 0 && self.body.len() + BETWEEN.len() + body.len() > room {
            self.left_out += 1;
            return false;
        }
        if self.messages > 0 {
            self.body.extend_from_slice(BETWEEN);
        }
        self.body.extend_from_slice(body);
        self.messages += 1;
        true
    }

    /// All of the block is in here, or was left out.
    pub(super) fn ends_with(&mut self, ticket: u64) {
        self.ticket = ticket;
    }

    /// Takes the joined body, the number of messages in it, and the block that is done once it is sent. What was left
    /// out is said at the end.
    pub(super) fn take(&mut self) -> (Vec<u8>, usize, u64) {
        let Pending { mut body, messages, left_out, ticket } = std::mem::take(self);
        if left_out > 0 {
            body.extend_from_slice(BETWEEN);
            body.extend_from_slice(format!("{left_out} more messages are left out: the mail is full.").as_bytes());
        }
        (body, messages, ticket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_joined_and_what_finds_no_room_is_counted() {
        let mut pending = Pending::default();
        assert!(pending.is_empty());
        assert!(pending.add(b"B", 7) && pending.add(b"CC", 7));
        assert!(!pending.add(b"D", 7) && !pending.add(b"E", 7));
        pending.ends_with(3);
        let text = b"B\r\n\r\nCC\r\n\r\n2 more messages are left out: the mail is full.".to_vec();
        assert_eq!(pending.take(), (text, 2, 3));
        assert!(pending.is_empty() && pending.add(b"longer than there is room", 7));
    }
}
