//! Who looks on while scripts are called: a tool that shows authors what each call did and cost.

use heka_sandbox::{Returned, Statistics};
use std::fmt;
use std::sync::Arc;

/// What was called, and what came of it.
#[derive(Clone, Copy, Debug)]
pub enum Called<'a> {
    /// The script was run once.
    Load,
    /// `process_message`: what it returned, or why the script was terminated.
    ProcessMessage(&'a Result<Returned, String>),
    /// `timer_event` with this time in nanoseconds since the UNIX epoch: whether the script goes on, or why not.
    TimerEvent(i64, &'a Result<(), String>),
}

type Looker = dyn Fn(Called<'_>, Statistics) + Send + Sync;

/// Sees every call of every script; by default nobody does.
#[derive(Clone, Default)]
pub struct Watch(Option<Arc<Looker>>);

impl Watch {
    /// Calls `look` behind each call of a script, on the script's own thread.
    pub fn new(look: impl Fn(Called<'_>, Statistics) + Send + Sync + 'static) -> Self {
        Watch(Some(Arc::new(look)))
    }

    /// Tells of a call; the statistics are only read when somebody looks.
    #[inline]
    pub(crate) fn tell(&self, called: Called<'_>, statistics: impl FnOnce() -> Statistics) {
        if let Some(look) = &self.0 {
            look(called, statistics());
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Watch(somebody)" } else { "Watch(nobody)" })
    }
}
