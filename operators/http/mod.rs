//! Speaking HTTP/1.1 to servers: one connection at a time, kept open between requests, and an answer of bounded size
//! or a reason why there is none.

pub mod address;
pub mod auth;
pub mod body;
pub mod client;
mod spelling;
pub mod verdict;

#[cfg(test)]
pub(crate) mod scripted;
