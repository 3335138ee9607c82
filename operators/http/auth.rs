//! `Authorization` headers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::header::HeaderValue;

/// A user and a password, as `Basic` has them.
///
/// # Errors
/// One line: what cannot be written into a header.
pub fn basic(user: &str, password: &str) -> Result<HeaderValue, String> {
    if user.contains(':') {
        return Err(format!("the user's name `{user}` contains a colon"));
    }
    token("Basic", &STANDARD.encode(format!("{user}:{password}")))
}

/// A secret behind the name of its scheme, as in `Bearer …`.
///
/// # Errors
/// One line: what cannot be written into a header.
pub fn token(scheme: &str, secret: &str) -> Result<HeaderValue, String> {
    let mut value = HeaderValue::try_from(format!("{scheme} {secret}"))
        .map_err(|_| "the secret holds characters that no header can have".to_owned())?;
    // Keeps it out of whatever prints headers.
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_become_headers() {
        assert_eq!(basic("user", "pass").unwrap(), "Basic dXNlcjpwYXNz");
        assert_eq!(basic("", "pässwörd:").unwrap(), "Basic OnDDpHNzd8O2cmQ6");
        assert_eq!(token("Token", "x.y-z==").unwrap(), "Token x.y-z==");
        assert!(basic("a:b", "").is_err());
        assert!(token("Bearer", "a\nb").is_err());
        assert!(!format!("{:?}", token("Bearer", "secret").unwrap()).contains("secret"));
    }
}
