//! HTTP out of the real binary: to a strict bulk interface that fails in every way it can, through a real proxy, into a
//! real database.

mod bulk;
mod database;
mod documents;
mod proxy;
#[path = "../support/mod.rs"]
mod support;
