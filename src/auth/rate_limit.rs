//! Rate limits of sign-ins and changes.

use std::net::Ipv6Addr;

use crate::store::Db;
use crate::store::rate_limits::{self, RateLimit, Taken};
use crate::store::sign_in_attempts::Places;
use crate::web::Problem;

/// Attempts to sign in to one account from one address. A right password gives them all back. Ten are more than people
/// need; one a minute after that makes 1,440 guesses a day, and the most frequent 4,000 passwords are refused anyway.
pub const SIGN_INS: RateLimit = RateLimit { name: "sign-in", burst: 10, seconds: 60 };

/// Attempts to sign in to one account from all addresses its owner has not signed in from before, however many a guesser
/// has: below the hundred that NIST SP 800-63B, 3.2.2, allows. It never keeps owners out where they usually sign in.
pub const SIGN_INS_FROM_ELSEWHERE: RateLimit = RateLimit { name: "sign-in-elsewhere", burst: 30, seconds: 60 };

/// Refused attempts that are noted in the audit trail, for one account and address: who sends thousands should not fill it.
pub const NOTED_REFUSALS: RateLimit = RateLimit { name: "refusal", burst: 1, seconds: 60 };

/// Attempts to sign in from one address, to any account. Each costs a tenth of a second of processor time.
pub const SIGN_INS_FROM_ADDRESS: RateLimit = RateLimit { name: "sign-in-from", burst: 50, seconds: 2 };

/// Changes by one account without the role administrator: an import of some hundred pages passes, and a broken script is
/// slowed down.
pub const CHANGES: RateLimit = RateLimit { name: "change", burst: 1000, seconds: 1 };

/// Passwords that are hashed at the same time, by all replicas. Each takes 7 MiB and a tenth of a second of processor
/// time, so that the lease is enough for all of them on one processor. Clients that hang up again and again leave places for
/// people where they usually sign in.
pub const HASHING: Places = Places { of_all: 16, of_known: 4, of_subscriber: 8, lease: 5 };

/// Uses `limit` once, for `key`. 429 with the time to wait if it is used up.
pub fn take(db: &Db, limit: RateLimit, key: &str) -> Result<(), Problem> {
    match rate_limits::take(db, limit, key)? {
        Taken::Taken => Ok(()),
        Taken::Refused { seconds } => Err(Problem::too_many(seconds)),
    }
}

/// The subscriber who has `address`. One with IPv6 has 2⁶⁴ addresses (RFC 6177).
pub fn subscriber(address: &str) -> String {
    match address.parse() {
        Ok(Ipv6Addr::UNSPECIFIED) | Err(_) => address.to_owned(),
        Ok(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv6_addresses_of_one_subscriber_count_as_one() {
        for (address, whose) in [
            ("192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2::3", "2001:db8:1:2::/64"),
            ("2001:db8:1:2:ffff::4", "2001:db8:1:2::/64"),
            ("somewhere", "somewhere"),
        ] {
            assert_eq!(subscriber(address), whose);
        }
    }
}
