//! Passwords: which are good enough, and how they are kept.

use std::collections::BTreeSet;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use wiki_types::rules::Wrong;

use crate::auth::secret;
use crate::store::Db;
use crate::web::Problem;

/// The fewest characters of a password (OWASP ASVS 5.0, 6.2.1).
pub const MIN: usize = 8;
/// The most bytes: more than people type, and few enough to hash.
pub const MAX: usize = 256;

/// Argon2id with one of the settings OWASP's Password Storage Cheat Sheet calls equal: of these, the one that takes the
/// least memory, since an instance keeps what it once took. 7 MiB, 5 passes, one lane.
const MEMORY_KIB: u32 = 7168;
const PASSES: u32 = 5;

/// Passwords that many people have, of those long enough: who guesses tries them first (ASVS 5.0, 6.2.4). One a line, in
/// lower case, the most frequent first: the beginning of the list of zxcvbn (MIT licence).
const COMMON: &str = include_str!("password/common.txt");

/// Fails unless `text` can be a password. There are no rules for its composition (ASVS 5.0, 6.2.5).
pub fn rule(text: &str) -> Result<(), Wrong> {
    let (lower, plain) = (text.to_lowercase(), plain(text));
    if text.chars().count() < MIN {
        Err(format!("must have at least {MIN} characters; a few words in a row are easy to keep in mind").into())
    } else if text.len() > MAX {
        Err(format!("may have at most {MAX} bytes").into())
    } else if COMMON.lines().any(|common| common == lower || common == plain) {
        Err("is too common; choose another".into())
    } else if lower.chars().collect::<BTreeSet<_>>().len() < 4 {
        Err("repeats too few characters; choose another".into())
    } else {
        Ok(())
    }
}

/// Words that an attacker would try first for this wiki (ASVS 5.0, 6.1.2). The user's name is added to them.
const EXPECTED: [&str; 4] = ["wasiki", "administrator", "password", "admin"];

/// The fewest letters and digits a password has besides such words.
const LEFT: usize = 6;

/// [`rule`], and that the password of `username` is not made of such words for the most part.
pub fn check(text: &str, username: &str) -> Result<(), Wrong> {
    rule(text)?;
    let username = plain(username);
    // How often it is repeated, and what stands between, makes no difference.
    let words = EXPECTED.into_iter().chain([username.as_str()]).filter(|word| !word.is_empty());
    let whole = plain(text);
    let rest = words.fold(whole.clone(), |rest, word| rest.replace(word, ""));
    if rest != whole && rest.chars().count() < LEFT {
        Err("is too easy to guess: it is mostly a name or a common word; choose another".into())
    } else {
        Ok(())
    }
}

/// The letters and digits of `text`, in lower case.
fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// `password` as it is kept: a PHC string, with its own salt and the settings it was made with. `db` is released meanwhile:
/// hashing takes tens of milliseconds, in which another request can use the connection.
pub fn hash(db: &Db, password: &str) -> Result<String, Problem> {
    db.release();
    hashed(password)
}

fn hashed(password: &str) -> Result<String, Problem> {
    let salt = secret::random::<16>()?;
    let hash: PasswordHash =
        hasher()?.hash_password_with_salt(password.as_bytes(), &salt).map_err(Problem::internal)?;
    Ok(hash.to_string())
}

/// Whether `password` is what `hash` was made of. Without a hash it never is, and that takes as long to find out: who
/// measures the time learns nothing about who has an account. `db` is released meanwhile, as in [`hash`].
pub fn verify(db: &Db, password: &str, hash: Option<&str>) -> Result<bool, Problem> {
    db.release();
    is_right(password, hash)
}

fn is_right(password: &str, hash: Option<&str>) -> Result<bool, Problem> {
    let Some(hash) = hash else {
        hasher()?.hash_password_with_salt(password.as_bytes(), &[0; 16]).map_err(Problem::internal)?;
        return Ok(false);
    };
    let hash = PasswordHash::new(hash).map_err(Problem::internal)?;
    // By the settings in the hash, which may be those of an earlier version.
    Ok(hasher()?.verify_password(password.as_bytes(), &hash).is_ok())
}

fn hasher() -> Result<Argon2<'static>, Problem> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).map_err(Problem::internal)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_again_and_no_other() {
        let first = hashed("correct horse").unwrap();
        assert!(first.starts_with("$argon2id$v=19$m=7168,t=5,p=1$"), "{first}");
        assert!(is_right("correct horse", Some(&first)).unwrap());
        assert!(!is_right("correct horsf", Some(&first)).unwrap());
        assert!(!is_right("correct horse", None).unwrap());
        assert_ne!(first, hashed("correct horse").unwrap(), "every hash has a salt of its own");
    }

    #[test]
    fn common_and_short_passwords_are_refused() {
        for (text, good) in [
            ("", false),
            ("seven77", false),
            ("password", false),
            ("PassWord", false),
            ("12345678", false),
            ("ünïcödé!", true),
            ("correct horse", true),
            (&"x yz".repeat(60), true),
            (&"x".repeat(257), false),
        ] {
            assert_eq!(rule(text).is_ok(), good, "{text}");
        }
        assert!(COMMON.lines().count() >= 3000 && COMMON.lines().all(|line| line.chars().count() >= MIN));
    }

    #[test]
    fn a_password_is_more_than_a_word_to_expect() {
        for text in [
            "Administrator1",
            "wasiki2026",
            "lovelace1",
            "short",
            "lovelacelovelace",
            "Wasiki wasiki",
            "p a s s w o r d",
            "l.o.v.e.l.a.c.e.1",
            "admin admin admin",
        ] {
            assert!(check(text, "Lovelace").is_err(), "{text}");
        }
        for text in ["12345678 ", "aaaaaaaaaaaa", "        ", "abcabcabcabc", "P.a.s.s.w.o.r.d"] {
            assert!(rule(text).is_err(), "{text}");
        }
        assert!(check("ada and the analytical engine", "ada").is_ok());
        assert!(check("no name at all", "").is_ok());
    }
}
