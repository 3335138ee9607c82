//! The daemon: text → typed configuration → plan → dataflow → running.

pub mod cli;
pub mod config;
pub mod control;
pub mod engine;
pub mod flags;
pub mod plan;
pub mod tools;
