//! Signatures of requests, as Standard Webhooks have them: who has the secret can tell that the wiki sent a request, and when.
//!
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>

use base64ct::{Base64, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::web::problem::Problem;

/// The prefix of every secret, by which libraries, people and scanners recognise one.
const PREFIX: &str = "whsec_";

/// A new secret of 256 random bits. Fails when the host has no randomness.
pub fn new_secret() -> Result<String, Problem> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(Problem::internal)?;
    Ok(format!("{PREFIX}{}", Base64::encode_string(&bytes)))
}

/// The value of `webhook-signature` for a body: one signature for each of the secrets. None if one is no secret.
pub fn sign<S: AsRef<str>>(secrets: &[S], id: &str, timestamp: i64, body: &str) -> Option<String> {
    let signatures: Option<Vec<String>> = secrets
        .iter()
        .map(|secret| {
            let key = Base64::decode_vec(secret.as_ref().strip_prefix(PREFIX)?).ok()?;
            let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
            mac.update(format!("{id}.{timestamp}.").as_bytes());
            mac.update(body.as_bytes());
            Some(format!("v1,{}", Base64::encode_string(&mac.finalize().into_bytes())))
        })
        .collect();
    signatures.map(|signatures| signatures.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example that the libraries of Standard Webhooks are tested with.
    #[test]
    fn it_is_what_other_libraries_make() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let sign = |secrets: &[&str]| {
            super::sign(secrets, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, "{\"test\": 2432232314}")
        };
        let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(sign(&[secret]).as_deref(), Some(signature));
        let both = sign(&[secret, "whsec_AAAA"]).unwrap();
        assert_eq!(both.split(' ').next(), Some(signature));
        assert_eq!(both.split(' ').count(), 2);
        for wrong in ["", "whsec_?", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] {
            assert_eq!(sign(&[wrong]), None, "{wrong}");
        }
    }

    #[test]
    fn secrets_are_long_and_differ() {
        let [one, two] = [new_secret().unwrap(), new_secret().unwrap()];
        assert_ne!(one, two);
        assert_eq!(Base64::decode_vec(one.strip_prefix(PREFIX).unwrap()).unwrap().len(), 32);
    }
}
