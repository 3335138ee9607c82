//! `kill -9` at random moments: nothing is lost, and what comes twice is bounded.

mod file;
mod peer;
mod queue;
#[path = "../support/mod.rs"]
mod support;
mod tcp;
