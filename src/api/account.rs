//! The sender's own account.

use wiki_types::{Mail, MailSetting, rules};

use crate::auth::{Context, accounts, password};
use crate::store::digests;
use crate::web::json::Body;
use crate::web::{Problem, Response, response};

/// Who am I?
///
/// The account that the token or the session belongs to, and what it may do.
#[cfg_attr(test, utoipa::path(
    get, path = "/account", operation_id = "readAccount", tag = "Access",
    responses((status = 200, description = "The account.", body = wiki_types::Account, headers(("Cache-Control")))),
))]
pub fn read(cx: &Context) -> Result<Response, Problem> {
    Ok(response::no_store(response::json(cx.identity.account()?)))
}

/// Change your password
///
/// Needs the current one, and ends every other session. Tokens stay, unless you ask to revoke them, too.
#[cfg_attr(test, utoipa::path(
    put, path = "/account/password", operation_id = "changePassword", tag = "Access",
    request_body = wiki_types::PasswordChange, responses((status = 204, description = "The password is changed.")),
))]
pub fn change_password(cx: &Context) -> Result<Response, Problem> {
    let mut body = Body::read(cx.request)?;
    let current = body.required_text("current", rules::text).unwrap_or_default();
    let new = body.required_text("new", password::rule).unwrap_or_default();
    let revoke_tokens = body.flag("revoke_tokens").unwrap_or(false);
    body.finish()?;
    accounts::change_password(cx, &current, &new, revoke_tokens, None)?;
    Ok(response::no_content())
}

/// Read how often you are mailed
#[cfg_attr(test, utoipa::path(
    get, path = "/account/mail", operation_id = "readMailSetting", tag = "Inbox",
    responses((status = 200, description = "How often.", body = MailSetting, headers(("Cache-Control")))),
))]
pub fn read_mail(cx: &Context) -> Result<Response, Problem> {
    let mail = digests::find(cx.db, cx.identity.account()?.user_id)?;
    Ok(response::no_store(response::json(&MailSetting { mail })))
}

/// Be mailed what is unread
///
/// Mail goes to your email address, if you have one and the wiki sends mail. Without mail so far, you are mailed what comes from now
/// on.
#[cfg_attr(test, utoipa::path(
    put, path = "/account/mail", operation_id = "setMail", tag = "Inbox", request_body = MailSetting,
    responses((status = 204, description = "It is as often as you wanted.")),
))]
pub fn set_mail(cx: &Context) -> Result<Response, Problem> {
    let mut body = Body::read(cx.request)?;
    let mail = body.required_text("mail", Mail::rule).and_then(|mail| mail.parse().ok()).unwrap_or_default();
    body.finish()?;
    digests::set(cx.db, mail, &cx.identity.actor())?;
    Ok(response::no_content())
}
