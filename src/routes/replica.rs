//! Reads from a replica: which requests it may answer, so that nobody misses what they have written themselves.
//!
//! Whoever changes something is told a position in the order of changes. A reader who comes with one is answered by a replica that has
//! got there, or by the primary. A reader without one is answered by a replica only if they cannot have changed anything.

use wiki_types::Mode;

use crate::auth::{Identity, Services};
use crate::store::Db;
use crate::store::replica::{NEVER, Position};
use crate::web::{Request, Response, read_after};

/// What a method of a route reads, once it is known who asks: that is asked of the primary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reads {
    /// What there is at this moment.
    Now,
    /// What there was a moment ago, if that is all that the sender can know of.
    MomentAgo,
}

/// Lets the handler of a request with such a route read from the replica, if there is one and the sender may.
pub fn allow(request: &Request, identity: &Identity, services: &Services) {
    if services.db.has_replica()
        && let Some(position) = wanted(request, identity)
    {
        services.db.read_from_replica(position);
    }
}

/// What the sender has to see; none if nobody knows.
fn wanted(request: &Request, identity: &Identity) -> Option<Position> {
    let given = read_after::wanted(request);
    let has_written_nothing = match (&identity.account, identity.session) {
        // Each change that a browser makes sets the cookie.
        (Some(_), Some(_)) => true,
        (Some(_), None) => false,
        (None, _) => identity.mode != Mode::Open,
    };
    given.or_else(|| has_written_nothing.then_some(0))
}

/// `response` to a request that may have changed something, with the position that its sender has to see from now on.
pub fn announce(response: Response, request: &Request, identity: &Identity, db: &Db) -> Response {
    if request.method().is_safe() || !db.has_replica() || !db.may_have_changed() {
        return response;
    }
    // If it cannot be found out, the change may still have been made.
    let position = db.position().unwrap_or(NEVER);
    let is_by_token = identity.account.is_some() && identity.session.is_none();
    read_after::given(response, request, position, !is_by_token)
}

#[cfg(test)]
mod tests {
    use wiki_types::{Account, Role};

    use super::*;

    #[test]
    fn without_a_position_only_those_read_from_a_replica_who_have_written_nothing() {
        let account = Account {
            user_id: 7,
            username: "ada".into(),
            name: "Ada".into(),
            role: Role::Editor,
            scope: None,
            password_is_given: false,
            time_zone: None,
        };
        let mut with_position = Request::default();
        with_position.headers_mut().insert(read_after::HEADER, 9.into());
        for (mode, account, session, position) in [
            (Mode::Open, None, None, None),
            (Mode::PublicRead, None, None, Some(0)),
            (Mode::Open, Some(&account), Some(1), Some(0)),
            (Mode::Private, Some(&account), Some(1), Some(0)),
            (Mode::Private, Some(&account), None, None),
        ] {
            let identity = Identity { mode, account: account.cloned(), session, ..Identity::UNKNOWN };
            assert_eq!(wanted(&Request::default(), &identity), position, "{identity:?}");
            assert_eq!(wanted(&with_position, &identity), Some(9), "{identity:?}");
        }
    }
}
