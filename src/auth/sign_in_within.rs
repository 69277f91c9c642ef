//! Signing in with the form that needs it: for people whose session ended while they typed.

use http::Method;

use crate::auth::{Context, Identity, Services, accounts, sessions};
use crate::web::body::Nothing;
use crate::web::forms::{Form, is_form};
use crate::web::{Problem, Request};

/// The field with the username. No form has it for anything else.
pub const USERNAME: &str = "sign_in_username";
/// The field with the password.
pub const PASSWORD: &str = "sign_in_password";

/// The identity that the form in `request` proves, and the cookie of its new session; none if it does not try to.
///
/// Fails as signing in does. A request that is signed in already stays as it is.
pub fn identify(
    request: &Request,
    services: &Services,
    anonymous: &Identity,
) -> Result<Option<(Identity, String)>, Problem> {
    let mentions = || request.body().windows(USERNAME.len()).any(|window| window == USERNAME.as_bytes());
    if request.method() != Method::POST || anonymous.account.is_some() || !is_form(request) || !mentions() {
        return Ok(None);
    }
    let form = Form::read(request)?;
    let username = form.text(USERNAME).trim();
    if username.is_empty() {
        return Ok(None);
    }
    let cx = Context { request, body: &Nothing, file: None, identity: anonymous, db: &services.db, services };
    let signed_in = accounts::sign_in(&cx, username, form.text(PASSWORD))?;
    let session =
        sessions::verify(&services.db, &signed_in.credential)?.ok_or_else(crate::auth::identity::unauthenticated)?;
    let identity = Identity {
        account: Some(session.account),
        session: Some(session.id),
        unread: session.unread,
        ..anonymous.clone()
    };
    Ok(Some((identity, sessions::kept(request, &signed_in.credential))))
}
