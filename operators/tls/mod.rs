//! Transport Layer Security for every plugin that has a `tls` sub-section: one table of settings, and the
//! configurations of both sides made from it.
//!
//! A plugin reads its settings with [`in_effect`] while the configuration loads, which touches no file, and
//! calls [`server_config`] or [`client_config`] when it starts or connects, so that renewed certificates are
//! picked up by a restart of the plugin or by the next connection.
//!
//! What the original offered and nobody should use any more (SSL 3.0, RC4, 3DES, CBC suites, key transport
//! without forward secrecy) is still accepted by name, with a warning, and means the closest thing that is
//! safe.

mod ciphers;
mod client;
mod pem;
mod server;
mod settings;
mod tickets;
mod trust;

pub use client::{client_config, server_name};
pub use server::server_config;
pub use settings::{Side, TlsSettings, in_effect};

#[cfg(test)]
mod handshakes;
#[cfg(test)]
pub(crate) mod testing;
