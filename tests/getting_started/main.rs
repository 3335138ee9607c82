//! The pipeline of the getting-started guide, as it ships, against the servers it is for: nginx, Carbon, InfluxDB, an
//! SMTP server and an endpoint of ElasticSearch's bulk interface.

#[path = "../support/mod.rs"]
mod support;

mod alerts;
mod elastic;
mod influx;
mod mail;
mod nginx;
mod old_influx;
mod pipeline;
mod statsd;
mod totals;
mod traffic;
