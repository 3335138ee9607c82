//! Who may read: everybody, or who knows the password or the token.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hyper::header::{AUTHORIZATION, HeaderMap};
use ring::digest::{Digest, SHA256, digest};

/// What a reader must know; nothing by default.
#[derive(Default)]
pub(super) struct Access {
    /// `user:password`, as the basic scheme sends it.
    basic: Option<Digest>,
    bearer: Option<Digest>,
}

impl Access {
    /// Asks for `username` with `password`, or for `token`; what is empty is not asked for.
    pub(super) fn new(username: &str, password: &str, token: &str) -> Self {
        let secret = |text: String| digest(&SHA256, text.as_bytes());
        let has_user = !username.is_empty() || !password.is_empty();
        Access {
            basic: has_user.then(|| secret(format!("{username}:{password}"))),
            bearer: (!token.is_empty()).then(|| secret(token.to_owned())),
        }
    }

    /// Whether anybody may read.
    pub(super) fn is_open(&self) -> bool {
        self.basic.is_none() && self.bearer.is_none()
    }

    /// Whether a request with these headers may read.
    pub(super) fn admits(&self, headers: &HeaderMap) -> bool {
        self.is_open() || headers.get_all(AUTHORIZATION).iter().any(|value| self.knows(value.as_bytes()))
    }

    /// Compares digests, so that the time it takes tells nothing of the secret.
    fn knows(&self, credentials: &[u8]) -> bool {
        let Some(space) = memchr::memchr(b' ', credentials) else { return false };
        let (scheme, rest) = credentials.split_at(space);
        let rest = rest.trim_ascii();
        let is = |secret: &Option<Digest>, given: &[u8]| {
            secret.as_ref().is_some_and(|secret| secret.as_ref() == digest(&SHA256, given).as_ref())
        };
        if scheme.eq_ignore_ascii_case(b"basic") {
            BASE64_STANDARD.decode(rest).is_ok_and(|given| is(&self.basic, &given))
        } else {
            scheme.eq_ignore_ascii_case(b"bearer") && is(&self.bearer, rest)
        }
    }

    /// What the answer to a stranger asks for.
    pub(super) fn challenge(&self) -> &'static str {
        match self.basic {
            Some(_) => "Basic realm=\"hekad\", charset=\"UTF-8\"",
            None => "Bearer realm=\"hekad\"",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_knows_gets_in() {
        let both = Access::new("ops", "s3:cret", "t0ken");
        let token = Access::new("", "", "t0ken");
        let open = Access::new("", "", "");
        let basic = |text: &str| format!("Basic {}", BASE64_STANDARD.encode(text));
        let cases = [
            (None, false, false),
            (Some(basic("ops:s3:cret")), true, false),
            (Some(basic("ops:s3:cret").replace("Basic", "bAsIc  ")), true, false),
            (Some(basic("ops:wrong")), false, false),
            (Some(basic("ops:")), false, false),
            (Some(basic("")), false, false),
            (Some("Basic ???".to_owned()), false, false),
            (Some("Basic".to_owned()), false, false),
            (Some("Bearer t0ken".to_owned()), true, true),
            (Some("bearer t0ken".to_owned()), true, true),
            (Some("Bearer t0ken2".to_owned()), false, false),
            (Some("Bearer ".to_owned()), false, false),
            (Some("t0ken".to_owned()), false, false),
        ];
        for (given, by_both, by_token) in cases {
            let mut headers = HeaderMap::new();
            if let Some(text) = &given {
                headers.insert(AUTHORIZATION, text.parse().unwrap());
            }
            assert_eq!(both.admits(&headers), by_both, "{given:?}");
            assert_eq!(token.admits(&headers), by_token, "{given:?}");
            assert!(open.admits(&headers));
        }
        assert!(both.challenge().starts_with("Basic") && token.challenge().starts_with("Bearer"));
    }
}
