//! The daemon: text → typed configuration → plan → dataflow → running.

pub mod config;
