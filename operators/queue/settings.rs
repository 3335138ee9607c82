//! The options of a disk queue, as plain values with their checks.

/// What happens to a message that finds the queue full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FullAction {
    /// The daemon ends; the message stays unacknowledged.
    #[default]
    Shutdown,
    /// The message is dropped, counted under the rule `queue-full`.
    Drop,
    /// The message waits for space, and everything behind it too.
    Block,
}

impl FullAction {
    /// Reads the option's text.
    ///
    /// # Errors
    /// For any other word.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "shutdown" => Ok(FullAction::Shutdown),
            "drop" => Ok(FullAction::Drop),
            "block" => Ok(FullAction::Block),
            _ => Err(format!("buffer full_action must be 'shutdown', 'drop', or 'block', got '{text}'")),
        }
    }
}

/// The options of a disk queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BufferingSettings {
    /// Bytes after which a new file begins; 0 is the default, 512 MiB.
    pub max_file_size: u64,
    /// Bytes that may wait for delivery; 0 is no limit.
    pub max_buffer_size: u64,
    /// What happens when they are reached.
    pub full_action: FullAction,
    /// Commits between two writings of the checkpoint; 0 is 1.
    pub cursor_update_count: u32,
}

const DEFAULT_FILE_SIZE: u64 = 512 * 1024 * 1024;

impl Default for BufferingSettings {
    fn default() -> Self {
        BufferingSettings {
            max_file_size: DEFAULT_FILE_SIZE,
            max_buffer_size: 0,
            full_action: FullAction::Shutdown,
            cursor_update_count: 1,
        }
    }
}

impl BufferingSettings {
    /// The settings with zeros replaced by what they stand for.
    ///
    /// # Errors
    /// When a file or the queue could not hold the largest record, of `max_record_size` bytes.
    pub fn checked(&self, max_record_size: usize) -> Result<Self, String> {
        let mut checked = self.clone();
        if checked.max_file_size == 0 {
            checked.max_file_size = DEFAULT_FILE_SIZE;
        }
        checked.cursor_update_count = checked.cursor_update_count.max(1);
        let too_small = |option| {
            Err(format!(
                "can't initialize buffer: `{option}` must be greater than maximum record size of {max_record_size}"
            ))
        };
        let least = max_record_size as u64;
        if checked.max_file_size < least {
            return too_small("max_file_size");
        }
        if checked.max_buffer_size > 0 && checked.max_buffer_size < least {
            return too_small("max_buffer_size");
        }
        Ok(checked)
    }

    /// The size a file is rolled at. Whole files are what gives disk space back, so a queue with a limit uses
    /// files of at most a quarter of it, as long as those hold a record.
    pub(super) fn file_size(&self, max_record_size: usize) -> u64 {
        match self.max_buffer_size {
            0 => self.max_file_size,
            limit => self.max_file_size.min((limit / 4).max(max_record_size as u64)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_stand_for_defaults() {
        let zeros = BufferingSettings { max_file_size: 0, cursor_update_count: 0, ..Default::default() };
        assert_eq!(zeros.checked(65_794), Ok(BufferingSettings::default()));
    }

    #[test]
    fn a_queue_that_cannot_hold_a_record_is_refused() {
        let small = BufferingSettings { max_file_size: 99, ..Default::default() };
        let message = "can't initialize buffer: `max_file_size` must be greater than maximum record size of 100";
        assert_eq!(small.checked(100), Err(message.to_owned()));
        assert!(BufferingSettings { max_buffer_size: 99, ..Default::default() }.checked(100).is_err());
        assert!(BufferingSettings { max_buffer_size: 100, max_file_size: 100, ..small }.checked(100).is_ok());
    }

    #[test]
    fn the_actions_have_names() {
        assert_eq!(FullAction::parse("block"), Ok(FullAction::Block));
        let message = "buffer full_action must be 'shutdown', 'drop', or 'block', got 'explode'";
        assert_eq!(FullAction::parse("explode"), Err(message.to_owned()));
    }

    #[test]
    fn a_limited_queue_uses_small_files() {
        let settings = |max_file_size, max_buffer_size| BufferingSettings {
            max_file_size,
            max_buffer_size,
            ..BufferingSettings::default()
        };
        assert_eq!(settings(1000, 0).file_size(10), 1000);
        assert_eq!(settings(1000, 2000).file_size(10), 500);
        assert_eq!(settings(1000, 2000).file_size(700), 700);
        assert_eq!(settings(300, 2000).file_size(10), 300);
    }
}
