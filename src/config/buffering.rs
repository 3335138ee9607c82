//! The queue on disk in front of a filter or an output: its options.

use heka_operators::registry::Defaults;
use heka_settings::{Placed, Problem, Problems, settings};

settings! {
    /// A queue on disk.
    pub struct BufferingKeys {
        /// Bytes after which the queue goes on in a new file; 0: the plugin's default, else 536870912.
        max_file_size: u64 = 0u64,
        /// Bytes the queue may hold; 0: no limit.
        max_buffer_size: u64 = 0u64,
        /// What happens when the queue is full: `shutdown`, `drop` or `block`.
        full_action: Placed<String> = Placed::nowhere("shutdown".to_owned()),
        /// Acknowledgements between two checkpoints; 0: the plugin's default, else 1.
        cursor_update_count: u32 = 0u32,
    }
}

/// A queue on disk, resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buffering {
    /// Bytes a file.
    pub max_file_size: u64,
    /// Bytes in all; 0: no limit.
    pub max_buffer_size: u64,
    /// What happens when it is full.
    pub full_action: FullAction,
    /// Acknowledgements between two checkpoints, at least 1.
    pub cursor_update_count: u32,
}

/// What happens when a queue on disk is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FullAction {
    /// The daemon ends.
    Shutdown,
    /// The message is dropped and counted.
    Drop,
    /// The sender waits.
    Block,
}

/// Bytes a file of a queue has unless something says otherwise.
const MAX_FILE_SIZE: u64 = 512 << 20;

impl Buffering {
    /// What the section says, else what the type declares. What happens when the queue is full is checked only
    /// where a queue is in use, as it always was.
    pub(super) fn resolve(
        keys: BufferingKeys,
        defaults: &Defaults,
        in_use: bool,
        making: &dyn Fn(String) -> String,
        problems: &mut Problems,
    ) -> Buffering {
        let full_action = match keys.full_action.value.as_str() {
            "shutdown" => FullAction::Shutdown,
            "drop" => FullAction::Drop,
            "block" => FullAction::Block,
            other => {
                if in_use {
                    let why = format!("buffer full_action must be 'shutdown', 'drop', or 'block', got '{other}'");
                    problems.push(Problem::error(keys.full_action.place, making(why)));
                }
                FullAction::Shutdown
            }
        };
        let (file_size, updates) = defaults.buffering.unwrap_or((MAX_FILE_SIZE, 1));
        Buffering {
            max_file_size: if keys.max_file_size > 0 { keys.max_file_size } else { file_size },
            max_buffer_size: keys.max_buffer_size,
            full_action,
            cursor_update_count: if keys.cursor_update_count > 0 { keys.cursor_update_count } else { updates.max(1) },
        }
    }
}
