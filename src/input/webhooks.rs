//! Webhooks, as the API and the site ask for them.

use http::uri::{Scheme, Uri};
use wiki_types::rules::Wrong;
use wiki_types::{Delivery, Webhook};

use crate::auth::Context;
use crate::errors;
use crate::store;
use crate::store::deliveries::{self, Asked};
use crate::store::webhooks::{self, Change, MAX_WEBHOOKS, URL_INDEX};
use crate::web::{Problem, signature};

/// The most characters of an address.
pub const MAX_URL: usize = 2_000;
/// The most types of a webhook.
pub const MAX_TYPES: usize = 50;

/// The rule for an address that events are sent to.
pub fn url_rule(text: &str) -> Result<(), Wrong> {
    if text.len() > MAX_URL {
        return Err(format!("may have at most {MAX_URL} characters").into());
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(
            "must be an address in ASCII, without spaces: write other characters as %C3%A4, a domain as xn--…".into()
        );
    }
    if text.contains('#') {
        return Err("must not have a fragment: leave out # and what follows".into());
    }
    let address = "must be an address such as https://hooks.example.org/wiki";
    let uri: Uri = text.parse().map_err(|_| address)?;
    if !uri.scheme().is_some_and(|scheme| *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS) {
        return Err("must begin with https:// or http://".into());
    }
    let authority = uri.authority().ok_or(address)?;
    if authority.as_str().contains('@') {
        return Err("must not have a username or password: receivers check the signature".into());
    }
    let port = authority.as_str().strip_prefix(authority.host()).unwrap_or_default();
    let has_port = port.is_empty() || authority.port_u16().is_some_and(|port| port > 0);
    if authority.host().is_empty() || !has_port { Err(address.into()) } else { Ok(()) }
}

/// Makes a webhook, and its secret. 409 if there is one for that address, or there are too many.
pub fn create(cx: &Context, url: String, types: Vec<String>) -> Result<(Webhook, String), Problem> {
    let secret = signature::new_secret()?;
    let made = webhooks::create(cx.db, url, types, secret.clone(), &cx.identity.actor());
    let made = made.map_err(taken)?.ok_or_else(|| {
        let detail = format!("There are {MAX_WEBHOOKS} webhooks, which is the limit. Delete those you no longer need.");
        Problem::new(http::StatusCode::CONFLICT, detail)
    })?;
    Ok((made, secret))
}

/// Changes webhook `id`. 409 if there is another for its new address.
pub fn change(cx: &Context, id: i64, change: Change) -> Result<Webhook, Problem> {
    let changed = webhooks::change(cx.db, id, change, &cx.identity.actor());
    changed.map_err(taken)?.ok_or_else(errors::webhook_not_found)
}

fn taken(error: store::Error) -> Problem {
    match error {
        store::Error::Duplicate(index) if index == URL_INDEX => {
            let mut problem = Problem::new(
                http::StatusCode::CONFLICT,
                "There is a webhook for this address already. Add the types to that one.",
            );
            problem
                .errors
                .push(wiki_types::FieldError::new("url", "is that of another webhook; add the types to that one"));
            problem
        }
        error => error.into(),
    }
}

/// Gives webhook `id` a new secret.
pub fn rotate(cx: &Context, id: i64) -> Result<(Webhook, String), Problem> {
    let secret = signature::new_secret()?;
    let rotated = webhooks::rotate(cx.db, id, secret.clone(), &cx.identity.actor())?;
    Ok((rotated.ok_or_else(errors::webhook_not_found)?, secret))
}

/// Removes webhook `id`.
pub fn delete(cx: &Context, id: i64) -> Result<(), Problem> {
    let deleted = webhooks::delete(cx.db, id, &cx.identity.actor())?;
    if deleted { Ok(()) } else { Err(errors::webhook_not_found()) }
}

/// Has a test event sent to webhook `id`. 409 if it is off.
pub fn test(cx: &Context, id: i64) -> Result<Delivery, Problem> {
    sent(deliveries::test(cx.db, id, &cx.identity.actor())?, errors::webhook_not_found)
}

/// Has delivery `delivery_id` of webhook `id` sent again. 409 if the webhook is off.
pub fn resend(cx: &Context, id: i64, delivery_id: i64) -> Result<Delivery, Problem> {
    sent(deliveries::resend(cx.db, id, delivery_id, &cx.identity.actor())?, errors::delivery_not_found)
}

fn sent(asked: Asked, not_found: fn() -> Problem) -> Result<Delivery, Problem> {
    match asked {
        Asked::Sent(delivery) => Ok(delivery),
        Asked::Nothing => Err(not_found()),
        Asked::Off => {
            let detail = "The webhook is off, and sends nothing. Turn it on first.";
            Err(Problem::new(http::StatusCode::CONFLICT, detail))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_are_checked() {
        for url in [
            "https://hooks.example.org/wiki",
            "http://127.0.0.1:8080",
            "http://[::1]:1/a?b=c",
            "HTTPS://Example.org:8443/%C3%A4",
        ] {
            assert_eq!(url_rule(url), Ok(()), "{url}");
        }
        let long = format!("https://example.org/{}", "a".repeat(MAX_URL));
        for (url, reason) in [
            ("", "an address such as"),
            ("hooks.example.org", "must begin with"),
            ("/wiki", "must begin with"),
            ("ftp://example.org/", "must begin with"),
            ("https://", "an address such as"),
            ("https:///wiki", "an address such as"),
            ("https://example.org:0/", "an address such as"),
            ("https://example.org:/", "an address such as"),
            ("https://example.org:99999/", "an address such as"),
            ("https://ada:secret@example.org/", "username or password"),
            ("https://ada@example.org/", "username or password"),
            ("https://example.org/#top", "fragment"),
            ("https://example.org/a b", "without spaces"),
            ("https://größe.example/", "without spaces"),
            ("https://example.org/\n", "without spaces"),
            (&long, "at most 2000"),
        ] {
            let wrong = url_rule(url).unwrap_err();
            assert!(wrong.contains(reason), "{url}: {wrong}");
        }
    }

    proptest! {
        #[test]
        fn checking_never_panics(text in "\\PC{0,60}", tail in "[ -~]{0,60}") {
            _ = url_rule(&text);
            _ = url_rule(&format!("https://{tail}"));
        }
    }
}
