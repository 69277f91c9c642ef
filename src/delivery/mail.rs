//! Mail: sends people what is unread in their inboxes, as a digest.
//!
//! A mail service takes it over HTTP, or a binding of Dapr. A digest that was taken, and not noted as such, is sent again with the
//! same `Message-ID`.

use http::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{StatusCode, Uri};
use serde_json::json;
use wiki_types::html::escaped;
use wiki_types::settings::UTC;
use wiki_types::{ChangeKind, InboxEntry, InboxKind, Mail, path};

use crate::auth::{Context, unique};
use crate::config::{Delivery, Mailing};
use crate::delivery::dapr;
use crate::delivery::webhooks::{AGENT, MAX_RETRY_AFTER};
use crate::markdown;
use crate::store::digests::{self, Attempt, Digest, Outcome};
use crate::store::{self, Db, Reader, inbox, settings};
use crate::web::Problem;
use crate::web::outbound::{self, Answer, Outgoing};

/// The most entries of a digest.
const MAX_ENTRIES: usize = 50;

/// Sends digests that are due, as many as go at once.
pub fn send_due(cx: &Context, settings: &Delivery) -> Result<(), Problem> {
    let Some(mailing) = &settings.mailing else { return Ok(()) };
    let lease = unique()?;
    let digests = digests::claim(cx.db, &lease)?;
    if digests.is_empty() {
        return Ok(());
    }
    let name = settings::find(cx.db)?.name;
    let mut attempts = Vec::new();
    let (mut sent, mut requests) = (Vec::new(), Vec::new());
    for digest in &digests {
        let request = match message(cx.db, digest, mailing, &name)? {
            Some(message) => message.request(settings, mailing),
            None => {
                attempts.push(Attempt { user_id: digest.user_id, outcome: Outcome::Empty, retry_after: None });
                continue;
            }
        };
        match request {
            Ok(request) => {
                sent.push(digest.user_id);
                requests.push(request);
            }
            Err(reason) => attempts.push(attempt(digest.user_id, Err(reason))),
        }
    }
    cx.db.read_as(Reader::default(), None);
    // The other side may take seconds to answer.
    cx.db.release();
    let answers = (cx.services.send)(requests);
    attempts.extend(sent.into_iter().zip(answers).map(|(user_id, answer)| attempt(user_id, answer)));
    digests::settle(cx.db, &lease, &attempts)?;
    Ok(())
}

/// What became of a digest, by the answer. The log says what went wrong, and no address.
fn attempt(user_id: i64, answer: Result<Answer, String>) -> Attempt {
    let (outcome, retry_after, reason) = match answer {
        Ok(Answer { status, .. }) if status.is_success() => (Outcome::Sent, None, None),
        Ok(Answer { status, retry_after, .. }) => {
            let comes_again = !status.is_client_error()
                || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS);
            let outcome = if comes_again { Outcome::Failed } else { Outcome::Refused };
            (outcome, retry_after.map(|seconds| seconds.min(MAX_RETRY_AFTER)), Some(format!("the answer was {status}")))
        }
        Err(reason) => (Outcome::Failed, None, Some(reason)),
    };
    if let Some(reason) = reason {
        let what = if outcome == Outcome::Failed { "is tried again" } else { "is not sent" };
        eprintln!("mail to user {user_id}: {}; it {what}", reason.escape_debug());
    }
    Attempt { user_id, outcome, retry_after }
}

/// A mail.
#[derive(Debug, PartialEq, Eq)]
struct Message {
    id: String,
    to: String,
    subject: String,
    text: String,
}

/// The mail of a digest; none if there is nothing to say, or nobody to say it to.
fn message(db: &Db, digest: &Digest, mailing: &Mailing, name: &str) -> Result<Option<Message>, store::Error> {
    let Some(email) = &digest.email else { return Ok(None) };
    // What they may read now.
    db.read_as(digest.reader(), digest.time_zone.as_deref());
    let (entries, count) = inbox::unread_between(db, digest.user_id, digest.after, digest.last, MAX_ENTRIES)?;
    if entries.is_empty() {
        return Ok(None);
    }
    let wiki = &mailing.wiki_url;
    let updates = if count == 1 { "1 update".to_owned() } else { format!("{count} updates") };
    let subject = single_line(&format!("{updates} in {name}"));
    let mut text = format!("{subject}\n\n");
    for entry in &entries {
        text += &format!("- {}\n  {wiki}{}\n\n", line(entry), address(entry));
    }
    let left = count - entries.len();
    if left > 0 {
        text += &format!("And {left} more: {wiki}/wiki/-/inbox?unread=true\n\n");
    }
    let often = match digest.mail {
        Mail::Hourly => "once an hour",
        Mail::Daily | Mail::Never => "once a day",
    };
    text += &format!("You asked for this mail, {often} at most. To change that: {wiki}/wiki/-/account\n");
    let host = wiki.parse::<Uri>().ok().and_then(|uri| uri.host().map(str::to_owned)).unwrap_or_default();
    let id = format!("<digest-{}-{}@{host}>", digest.user_id, digest.last);
    Ok(Some(Message { id, to: email.clone(), subject, text }))
}

/// What an entry says, as the inbox does.
fn line(entry: &InboxEntry) -> String {
    let person = match (entry.user_id, &entry.user_name) {
        (Some(_), Some(name)) => name,
        (Some(_), None) => "a deleted user",
        (None, _) => "somebody unknown",
    };
    let title = &entry.page_title;
    let due = entry.seen.as_ref().map(|seen| match seen.due.time() {
        Some(_) if seen.zone != UTC => format!(" {} {}", seen.due, seen.zone),
        _ => format!(" {}", seen.due),
    });
    let due = due.unwrap_or_default();
    let task = || match entry.task_text.as_deref().map(|text| markdown::plain(text).text) {
        Some(text) if text.trim().is_empty() => "Untitled".to_owned(),
        Some(text) => text.trim().to_owned(),
        None => "A task that is gone".to_owned(),
    };
    single_line(&match entry.kind {
        InboxKind::Changed if entry.changes > 1 => {
            format!("{title}: {} changes, the last by {person}", entry.changes)
        }
        InboxKind::Changed => format!("{title}: {} by {person}", entry.change.unwrap_or(ChangeKind::Edited)),
        InboxKind::Mention => format!("{title}: {person} mentioned you"),
        InboxKind::Assigned => format!("{}: {person} assigned this task to you, in {title}", task()),
        InboxKind::Reminder => format!("{}: reminder, due{due}, in {title}", task()),
        InboxKind::Due => format!("{}: due{due}, in {title}", task()),
        InboxKind::Overdue => format!("{}: overdue, was due{due}, in {title}", task()),
    })
}

/// Where its page is, in the wiki.
fn address(entry: &InboxEntry) -> String {
    match entry.page_deleted {
        true => format!("/wiki/-/deleted/{}", entry.post_id),
        false => path::page(&entry.page_slug),
    }
}

/// `text` without what could begin a line, or a header.
fn single_line(text: &str) -> String {
    let ends_line = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    text.chars().map(|c| if ends_line(c) { ' ' } else { c }).collect()
}

impl Message {
    /// The request that has it sent.
    fn request(&self, settings: &Delivery, mailing: &Mailing) -> Result<Outgoing, String> {
        let Self { id, to, subject, text } = self;
        let from = &mailing.from;
        let request = http::Request::post(&mailing.url).header(CONTENT_TYPE, "application/json");
        let (request, body) = if mailing.is_binding() {
            // Dapr's binding for SMTP sends HTML, and chooses the Message-ID.
            let data = format!("<pre style=\"font-family: inherit; white-space: pre-wrap\">{}</pre>", escaped(text));
            let metadata = json!({"emailFrom": from, "emailTo": to, "subject": subject});
            let body = json!({"operation": "create", "data": data, "metadata": metadata});
            (dapr::authorized(request, settings)?, body)
        } else {
            let mut request = request.header(USER_AGENT, AGENT).header("idempotency-key", id);
            if !mailing.token.is_empty() {
                request = request
                    .header(AUTHORIZATION, outbound::secret("mail_token", &format!("Bearer {}", mailing.token))?);
            }
            let headers = json!({"Message-ID": id});
            (request, json!({"from": from, "to": to, "subject": subject, "text": text, "headers": headers}))
        };
        request.body(body.to_string().into_bytes()).map_err(|error| format!("it cannot be sent: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use wiki_types::SeenDue;

    use super::*;
    use crate::config::tests::delivery;

    fn entry(kind: InboxKind, title: &str) -> InboxEntry {
        let entry = json!({
            "id": 1, "kind": kind, "time": "2026-11-22T10:00:00.000000Z", "read_time": null, "post_id": 7,
            "page_title": title, "page_slug": "größe", "page_deleted": false, "user_id": 2, "user_name": "Bob", "version": 4,
            "first_version": 3, "changes": 1, "comment": null, "task_id": null, "task_text": null, "due": null,
        });
        serde_json::from_value(entry).unwrap()
    }

    #[test]
    fn entries_are_lines_whatever_titles_contain() {
        let changed = entry(InboxKind::Changed, "The plan\r\nBcc: eve@example.org");
        assert_eq!(line(&changed), "The plan  Bcc: eve@example.org: edited by Bob");
        assert_eq!(address(&changed), "/wiki/gr%C3%B6%C3%9Fe");
        let several = InboxEntry { changes: 3, user_name: None, page_deleted: true, ..changed };
        assert_eq!(line(&several), "The plan  Bcc: eve@example.org: 3 changes, the last by a deleted user");
        assert_eq!(address(&several), "/wiki/-/deleted/7");
        let seen = |due: &str| due.parse().ok().map(|due| SeenDue::in_utc(due, chrono::DateTime::UNIX_EPOCH));
        let task = InboxEntry {
            task_text: Some("Call the *plumber*".to_owned()),
            seen: seen("2026-12-04"),
            ..entry(InboxKind::Overdue, "Plan")
        };
        assert_eq!(line(&task), "Call the plumber: overdue, was due 2026-12-04, in Plan");
        let timed = InboxEntry { seen: seen("2026-12-04T15:00"), ..task };
        assert_eq!(line(&timed), "Call the plumber: overdue, was due 2026-12-04T15:00, in Plan");
        let seen = timed.seen.clone().map(|seen| SeenDue { zone: "Europe/Berlin".to_owned(), ..seen });
        assert_eq!(
            line(&InboxEntry { seen, ..timed }),
            "Call the plumber: overdue, was due 2026-12-04T15:00 Europe/Berlin, in Plan"
        );
    }

    #[test]
    fn only_what_will_never_be_taken_is_given_up() {
        for (status, outcome) in [
            (200, Outcome::Sent),
            (202, Outcome::Sent),
            (302, Outcome::Failed),
            (401, Outcome::Refused),
            (408, Outcome::Failed),
            (422, Outcome::Refused),
            (429, Outcome::Failed),
            (500, Outcome::Failed),
        ] {
            let answer = Answer {
                status: StatusCode::from_u16(status).unwrap(),
                beginning: String::new(),
                retry_after: Some(u32::MAX),
            };
            let attempt = attempt(7, Ok(answer));
            assert_eq!(attempt.outcome, outcome, "{status}");
            assert!(attempt.retry_after.is_none_or(|seconds| seconds == MAX_RETRY_AFTER), "{status}");
        }
        assert_eq!(attempt(7, Err("the connection was refused".to_owned())).outcome, Outcome::Failed);
    }

    #[test]
    fn a_binding_of_dapr_gets_html_and_its_own_token() {
        let settings = delivery(&[
            ("mail_url", "http://127.0.0.1:3500/v1.0/bindings/mail"),
            ("mail_from", "wiki@example.org"),
            ("mail_token", "secret"),
            ("wiki_url", "https://wiki.example.org/"),
            ("dapr_api_token", "of-dapr"),
        ])
        .unwrap();
        let message = Message {
            id: "<digest-1-2@wiki.example.org>".to_owned(),
            to: "ada@example.org".to_owned(),
            subject: "1 update in Wasiki".to_owned(),
            text: "- <img>: edited by Bob\n".to_owned(),
        };
        let request = message.request(&settings, settings.mailing.as_ref().unwrap()).unwrap();
        let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap());
        assert_eq!((header("dapr-api-token"), header("authorization")), (Some("of-dapr"), None));
        let body: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
        assert_eq!(body["operation"], "create");
        assert!(body["data"].as_str().unwrap().contains("- &lt;img&gt;: edited by Bob\n</pre>"), "{body}");
        let metadata =
            json!({"emailFrom": "wiki@example.org", "emailTo": "ada@example.org", "subject": "1 update in Wasiki"});
        assert_eq!(body["metadata"], metadata);
    }
}
