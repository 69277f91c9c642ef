//! Secrets the wiki gives out, of which it keeps only a hash: what a browser's cookie holds, and API tokens.

use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::web::Problem;
use crate::web::request::positive;

/// 256 random bits, too many to guess.
const BYTES: usize = 32;

/// A secret as it is given out, once.
pub struct Secret(String);

impl Secret {
    /// A new one. Fails when the host has no randomness.
    pub fn new() -> Result<Self, Problem> {
        Ok(Self(Base64UrlUnpadded::encode_string(&random::<BYTES>()?)))
    }

    /// As the wiki keeps it. A fast hash is enough: what is random cannot be guessed from it.
    pub fn hash(&self) -> Vec<u8> {
        digest(&self.0).to_vec()
    }

    /// As it is given out: with the number of what it opens.
    pub fn credential(&self, prefix: &str, id: i64) -> String {
        format!("{prefix}{id}_{}", self.0)
    }
}

/// Random bytes from the host.
pub fn random<const N: usize>() -> Result<[u8; N], Problem> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(Problem::internal)?;
    Ok(bytes)
}

/// A text that nobody else has: a key for a form.
pub fn unique() -> Result<String, Problem> {
    Ok(Base64UrlUnpadded::encode_string(&random::<16>()?))
}

/// The number and the secret in what [`Secret::credential`] gave out.
pub fn parse<'a>(prefix: &str, credential: &'a str) -> Option<(i64, &'a str)> {
    let (id, secret) = credential.strip_prefix(prefix)?.split_once('_')?;
    Some((positive(id)?, secret))
}

/// Whether `secret` is the one that `hash` was made of. How long that takes says nothing of where they differ.
pub fn matches(secret: &str, hash: &[u8]) -> bool {
    digest(secret).as_slice().ct_eq(hash).into()
}

/// SHA-256 of `text`.
pub fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_known_again_by_its_hash() {
        let secret = Secret::new().unwrap_or_else(|_| panic!("this machine has randomness"));
        let credential = secret.credential("wasiki_", 7);
        let (id, given) = parse("wasiki_", &credential).unwrap();
        assert_eq!((id, given.len()), (7, 43));
        assert!(matches(given, &secret.hash()));
        let other = Secret::new().unwrap_or_else(|_| panic!("this machine has randomness"));
        assert!(!matches(&other.0, &secret.hash()));
        assert!(!matches(given, &secret.hash()[..31]));
        assert!(!matches("", &[]));
    }

    #[test]
    fn what_was_never_given_out_is_none() {
        for credential in ["", "wasiki_", "wasiki_7", "wasiki_x_y", "wasiki_-1_y", "token_7_y", "wasiki_0_y"] {
            assert_eq!(parse("wasiki_", credential), None, "{credential}");
        }
    }
}
