//! The disk queue.
