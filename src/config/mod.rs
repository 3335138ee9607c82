//! Text to typed sections: files, environment, legacy forms, diagnostics.

mod document;
pub mod env;
mod legacy;
pub mod literal;
mod offsets;
pub mod render;
pub mod source;
