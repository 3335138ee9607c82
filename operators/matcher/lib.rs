//! Heka's `message_matcher` language: parsed, typed, compiled, evaluated over whole batches.
