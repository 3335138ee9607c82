//! The native modules of Heka scripts: cjson, struct, circular_buffer, sketches.
