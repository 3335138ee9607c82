//! Every reader of bytes and of texts from outside, on inputs that nobody would write: none may panic, take for ever, or
//! take more memory than the input is worth. Inputs are made the same way in every run, from the small ones in `corpus`.

mod memory;
mod mutate;
mod runner;
#[path = "../support/mod.rs"]
mod support;
mod targets;
mod watchdog;

#[global_allocator]
static COUNTING: memory::Counting = memory::Counting;
