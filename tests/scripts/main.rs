//! Scripts as their authors meet them: the tool that runs them, the pages that explain them, the list of those that
//! are shipped, and whole chains of them.

#[path = "../support/shipped.rs"]
mod shipped;
#[path = "../support/mod.rs"]
mod support;

mod anomaly;
mod checklist;
mod memory;
mod pages;
mod table;
mod tool;
