//! What operators of a running daemon see and say.

pub mod overview;
pub mod pidfile;
pub mod report;
pub mod self_report;
