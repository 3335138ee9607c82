//! Text to typed sections: files, environment, legacy forms, diagnostics.
