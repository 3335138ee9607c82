//! Seeded load: the same bytes in every run.

pub mod nginx;
pub mod protobuf;
pub mod random;
pub mod statsd;
