//! The daemon: text → typed configuration → plan → dataflow → running.

pub mod cli;
pub mod config;
