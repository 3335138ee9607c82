//! What a plugin does with what its script sends out.

use heka_message::{BatchBuilder, RowRef};

/// Why an injection is refused; becomes an error in the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The bytes are no message.
    Unmarshal,
    /// More injections than one call may make.
    Count,
    /// The message has gone round too often.
    Loops,
    /// The plugin would receive its own message.
    Circular,
    /// The daemon or the plugin is ending.
    Aborted,
    /// More bytes than one call may inject.
    TooMuch,
    /// The function does nothing in this plugin.
    Unsupported,
}

impl Refusal {
    /// The text behind `inject_message()` or `inject_payload()`.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Refusal::Unmarshal => " protobuf unmarshal failed",
            Refusal::Count => " exceeded InjectMessage count",
            Refusal::Loops => " exceeded MaxMsgLoops",
            Refusal::Circular => " creates a circular reference (matches this plugin's message_matcher)",
            Refusal::Aborted => " aborted",
            Refusal::TooMuch => " exceeded the bytes of one call",
            Refusal::Unsupported => " unknown error",
        }
    }
}

/// The plugin's side of a call. `current` is the message the call is about, with what `write_message` made of it.
pub trait Role {
    /// Where injected messages are built: each becomes its last row.
    fn builder(&mut self) -> &mut BatchBuilder;

    /// The builder's last row was injected. Unset headers are the role's to fill in.
    ///
    /// # Errors
    /// The row is taken back and the script gets the error.
    fn message(&mut self, current: Option<RowRef<'_>>) -> Result<(), Refusal>;

    /// A payload was injected.
    ///
    /// # Errors
    /// The script gets the error; the role has taken back what it built.
    fn payload(&mut self, current: Option<RowRef<'_>>, payload: Payload<'_>) -> Result<(), Refusal>;

    /// A message was injected in its encoded form. `None`: decode it and call [`Role::message`].
    fn encoded(&mut self, _bytes: &[u8]) -> Option<Result<(), Refusal>> {
        None
    }

    /// Whether anything may be injected now; asked before the work is done, and refused attempts count.
    ///
    /// # Errors
    /// The script gets the error.
    fn admit(&mut self) -> Result<(), Refusal> {
        Ok(())
    }

    /// `process_message` returned this status; `current` is what `write_message` left.
    fn returned(&mut self, _status: i64, _current: Option<RowRef<'_>>) {}

    /// One line for the process's log.
    fn log(&mut self, line: &str);
}

/// What `inject_payload` was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payload<'a> {
    /// What the payload is, as a file's extension.
    pub kind: &'a [u8],
    /// Distinguishes several payloads of a kind.
    pub name: &'a [u8],
    /// The bytes.
    pub bytes: &'a [u8],
}
