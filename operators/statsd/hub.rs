//! The accumulators of a daemon, by the names of their plugins: whoever submits finds them here.

use super::Accumulator;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Accumulators by name, made when first asked for.
#[derive(Clone, Default)]
pub struct Accumulators(Arc<Mutex<HashMap<String, Arc<Accumulator>>>>);

impl Accumulators {
    /// The accumulator of the plugin called `name`.
    pub fn named(&self, name: &str) -> Arc<Accumulator> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(name.to_owned()).or_default().clone()
    }
}

impl std::fmt::Debug for Accumulators {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Accumulators")
    }
}
