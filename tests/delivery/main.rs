//! Outputs that deliver to the real servers they are made for: Carbon, InfluxDB's Graphite listener, a mail server.

#[path = "../support/mod.rs"]
mod support;

mod carbon;
mod influx;
mod mail_server;
mod smtp;
