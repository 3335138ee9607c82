//! The bulk format: how many actions a record holds.

/// How many actions, and so items of the answer, a record of lines stands for: each is a line, and all but `delete`
/// have a document on the next.
pub(super) fn actions(record: &[u8]) -> usize {
    let mut lines = record.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let mut actions = 0;
    while let Some(action) = lines.next() {
        actions += 1;
        if !is_delete(action) {
            lines.next();
        }
    }
    actions
}

/// Whether a line is an action that no document follows.
pub(super) fn is_delete(action: &[u8]) -> bool {
    let rest = action.trim_ascii_start().strip_prefix(b"{").unwrap_or_default();
    rest.trim_ascii_start().starts_with(b"\"delete\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_counted() {
        let cases: [(&[u8], usize); 6] = [
            (b"{\"index\":{}}\n{\"a\":1}\n", 1),
            (b"{\"index\":{}}\n{\"a\":1}", 1),
            (b"{\"create\":{}}\n{}\n\n{\"update\":{}}\n{\"doc\":{}}\n", 2),
            (b"{ \"delete\" : {}}\n{\"index\":{}}\n{}\n", 2),
            (b"{\"delete\":{}}\n{\"delete\":{}}\n", 2),
            (b"", 0),
        ];
        for (record, number) in cases {
            assert_eq!(actions(record), number);
        }
    }
}
