//! What a node of the graph can be.
//!
//! One folder a category, one file (or folder) a plugin type, named for it. Nothing here knows the daemon,
//! timely or a configuration file: a plugin reads typed settings, talks to the world, and meets the dataflow
//! at an edge: an input hands [`inputs::Chunk`]s over, an output takes [`outputs::Block`]s and acknowledges
//! them. Everything between the edges is a plain value or a synchronous call on a batch.

pub mod backoff;
pub mod decoders;
pub mod encoders;
pub mod filters;
pub mod http;
pub mod inputs;
pub mod log;
pub mod meter;
pub mod net;
pub mod outputs;
pub mod overview;
pub mod plugin;
pub mod queue;
pub mod registry;
pub mod script;
pub mod splitters;
pub mod stats;
pub mod statsd;
pub mod throttle;
pub mod tls;
