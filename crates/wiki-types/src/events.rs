//! Events: what happened in the wiki, for programs that follow it. `docs/EVENTS.md` lists their types.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::rules::Wrong;
use crate::tasks::Priority;
use crate::{Due, Time};

/// What events are about, each with what can happen to it: `wasiki.page` and `created` make the type `wasiki.page.created`. Events
/// of accounts have the names that the audit trail has.
pub const TYPES: [(&str, &[&str]); 4] = [
    ("wasiki.page", &["created", "edited", "renamed", "deleted", "restored", "moved", "protected", "unprotected"]),
    ("wasiki.file", &["added", "deleted"]),
    (
        "wasiki.task",
        &["created", "updated", "completed", "reopened", "removed", "restored", "reminder", "due", "overdue"],
    ),
    (
        "wasiki.account",
        &[
            "sign_in",
            "sign_in_failed",
            "sign_in_refused",
            "sign_in_abandoned",
            "sign_out",
            "account_created",
            "password_changed",
            "role_changed",
            "username_changed",
            "name_changed",
            "email_changed",
            "time_zone_changed",
            "mail_changed",
            "user_deleted",
            "token_created",
            "token_revoked",
            "session_revoked",
            "settings_changed",
            "space_created",
            "space_changed",
            "space_access_changed",
            "space_deleted",
            "page_access_narrowed",
            "page_access_restored",
            "group_created",
            "group_changed",
            "group_deleted",
            "group_joined",
            "group_left",
            "webhook_created",
            "webhook_changed",
            "webhook_secret_rotated",
            "webhook_deleted",
            "webhook_tested",
            "webhook_delivery_resent",
            "webhook_disabled",
            "event_retried",
            "event_discarded",
        ],
    ),
];
/// What all types begin with.
const ALL: &str = "wasiki";

/// Every text that selects events: the types, and what stands for all below it.
pub fn selectors() -> impl Iterator<Item = String> {
    let below = |(about, kinds): &(&str, &[&str])| {
        let kinds = kinds.iter().map(|kind| format!("{about}.{kind}"));
        std::iter::once((*about).to_owned()).chain(kinds).collect::<Vec<_>>()
    };
    std::iter::once(ALL.to_owned()).chain(TYPES.iter().flat_map(below))
}

/// The rule for a text that selects events by their type. Fails with what there is instead.
pub fn selector(text: &str) -> Result<(), Wrong> {
    let beginnings = || TYPES.map(|(about, _)| about).join(", ");
    let found = TYPES.iter().find_map(|(about, kinds)| Some((about, kinds, text.strip_prefix(about)?)));
    match found {
        None if text == ALL => Ok(()),
        Some((_, _, "")) => Ok(()),
        Some((about, kinds, rest)) if rest.starts_with('.') => {
            if kinds.contains(&&rest[1..]) {
                return Ok(());
            }
            Err(format!("must be a type of events: below {about} there are {}", kinds.join(", ")).into())
        }
        _ => {
            Err(format!("must be a type of events, or the beginning of some: {}, or one below them", beginnings())
                .into())
        }
    }
}

/// An event: a CloudEvent 1.0 in its JSON format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "specversion": "1.0", "id": "1f0a1c5e-6d3f-4c5a-9b1e-1d2c3b4a5f60", "source": "wasiki", "type": "wasiki.page.edited",
    "subject": "/posts/1", "time": "2026-11-22T10:00:00.000000Z", "datacontenttype": "application/json",
    "sequence": "0000000000000000000002e90000000000000001",
    "data": {"post_id": 1, "version": 2, "user_id": 1, "title": "Hello", "slug": "hello", "tags": ["greetings"],
        "comment": "More words", "size": 1024, "delta": 12, "former_title": null, "former_slug": null},
})))]
pub struct Event {
    /// The version of CloudEvents: `1.0`.
    pub specversion: String,
    /// A UUID. A consumer that has seen it before has seen the event before.
    pub id: String,
    /// `wasiki`
    pub source: String,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: String,
    /// The address in the API of what it happened to.
    #[cfg_attr(feature = "openapi", schema(format = "uri-reference"))]
    pub subject: String,
    /// When it happened.
    pub time: Time,
    /// `application/json`
    pub datacontenttype: String,
    /// The event's place in the log. Later events have larger texts.
    #[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^[0-9a-f]{40}$"))]
    pub sequence: Sequence,
    /// What the event says.
    pub data: EventData,
}

/// What an event says. Its type tells which of these it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum EventData {
    /// A page has another state.
    Revision(RevisionEvent),
    /// Something happened to a task.
    Task(TaskEvent),
    /// A page is somewhere else in the tree.
    Move(MoveEvent),
    /// A page has a file more, or less.
    File(FileEvent),
    /// A page is protected, or is no longer.
    Protection(ProtectionEvent),
    /// Something happened to an account. For administrators.
    Account(AccountEvent),
}

/// A page has another state: `wasiki.page.created`, `edited`, `renamed`, `deleted` or `restored`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RevisionEvent {
    /// The page.
    pub post_id: i64,
    /// Its version now.
    pub version: i64,
    /// Who did it; null if that is not known.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub user_id: Option<i64>,
    /// Its title.
    pub title: String,
    /// Its slug.
    pub slug: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// What its editor said about the change.
    pub comment: String,
    /// The size of its content in bytes.
    pub size: i64,
    /// How many bytes more that is than before.
    pub delta: i64,
    /// Of a page that was renamed, the title before; null of others.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub former_title: Option<String>,
    /// Of a page that was renamed, the slug before; null of others.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub former_slug: Option<String>,
}

/// Something happened to a task: `wasiki.task.created`, `updated`, `completed`, `reopened`, `removed` or `restored`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TaskEvent {
    /// The task.
    pub task_id: i64,
    /// The page it is in.
    pub post_id: i64,
    /// The version of the task.
    pub version: i64,
    /// What is to be done.
    pub text: String,
    /// Whether it is done.
    pub done: bool,
    /// When it is due: a day, or a time; null if it has no date.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, required = true))]
    pub due: Option<Due>,
    /// The username after `@`, in lower case.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub assignee: Option<String>,
    /// `highest`, `high`, `medium`, `low` or `lowest`; null if the task says nothing.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, required = true))]
    pub priority: Option<Priority>,
    /// How it recurs.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub repeat: Option<String>,
    /// How long before it is due to be reminded of it.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub remind: Option<String>,
    /// Who ticked it; null if it is not done, or if that is not known.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub done_by: Option<i64>,
}

/// A page is somewhere else in the tree, with everything below it: `wasiki.page.moved`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MoveEvent {
    /// The page.
    pub post_id: i64,
    /// Who did it; null if that is not known.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub user_id: Option<i64>,
    /// The space it is in now.
    pub space_id: i64,
    /// The page it is below now; null at the top of the space.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub parent_id: Option<i64>,
    /// The space it was in.
    pub former_space_id: i64,
    /// The page it was below.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub former_parent_id: Option<i64>,
}

/// A page has a file more, or less: `wasiki.file.added` or `deleted`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FileEvent {
    /// The file.
    pub file_id: i64,
    /// The page.
    pub post_id: i64,
    /// Who did it; null if that is not known.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub user_id: Option<i64>,
    /// The name of the file.
    pub name: String,
    /// Its media type.
    pub content_type: String,
    /// Its bytes.
    pub size: i64,
}

/// A page is protected, or is no longer: `wasiki.page.protected` or `unprotected`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProtectionEvent {
    /// The page.
    pub post_id: i64,
    /// Who did it; null if that is not known.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub user_id: Option<i64>,
}

/// Something happened to an account: `wasiki.account.` and the event of the audit trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AccountEvent {
    /// The account it was about; null if there is no such account.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub user_id: Option<i64>,
    /// Who did it; null if that is not known.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub actor_id: Option<i64>,
    /// The address they did it from, as far as the host knows.
    pub address: String,
    /// Details: a role, a token's name; of a change, the old and the new value.
    pub details: String,
}

/// The place of an event in the log: as a text, one that sorts as the events do (CloudEvents extension `sequence`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sequence {
    /// How often the database was moved to another server.
    pub era: u32,
    /// The transaction that wrote it.
    pub transaction: u64,
    /// Its number.
    pub number: u64,
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}{:016x}{:016x}", self.era, self.transaction, self.number)
    }
}

impl FromStr for Sequence {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_hexadecimal = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let parse = || {
            let (era, rest) = text.split_at_checked(8)?;
            let (transaction, number) = rest.split_at_checked(16).filter(|(_, number)| number.len() == 16)?;
            let hexadecimal = |text| u64::from_str_radix(text, 16).ok();
            let era = u32::from_str_radix(era, 16).ok()?;
            Some(Self { era, transaction: hexadecimal(transaction)?, number: hexadecimal(number)? })
        };
        parse().filter(|_| is_hexadecimal).ok_or("is not the sequence of an event: 40 hexadecimal digits")
    }
}

impl Serialize for Sequence {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Sequence {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_selects_events_is_known() {
        for text in selectors() {
            assert_eq!(selector(&text), Ok(()), "{text}");
        }
        for (text, reason) in [
            ("wasiki.page.craeted", "below wasiki.page there are created, edited,"),
            ("wasiki.page.", "below wasiki.page"),
            ("wasiki.page..created", "below wasiki.page"),
            ("wasiki.account.sign", "sign_in, sign_in_failed,"),
            ("wasiki.pages", "wasiki.page, wasiki.file, wasiki.task, wasiki.account, or one below them"),
            ("wasiki.test", "or one below them"),
            ("wasiki.", "or one below them"),
            ("", "or one below them"),
            ("page", "or one below them"),
            ("Wasiki.page", "or one below them"),
        ] {
            let wrong = selector(text).unwrap_err();
            assert!(wrong.contains(reason), "{text}: {wrong}");
        }
    }

    proptest! {
        #[test]
        fn selecting_never_panics(text in "\\PC{0,40}") {
            _ = selector(&text);
            _ = selector(&format!("wasiki.page{text}"));
        }

        #[test]
        fn a_sequence_sorts_as_its_text(a: (u32, u64, u64), b: (u32, u64, u64)) {
            let [a, b] = [a, b].map(|(era, transaction, number)| Sequence { era, transaction, number });
            prop_assert_eq!(a.to_string().parse(), Ok(a));
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
        }

        #[test]
        fn other_texts_are_refused(text in "[0-9a-g+ ä]{0,50}") {
            if let Ok(sequence) = text.parse::<Sequence>() {
                prop_assert_eq!(sequence.to_string(), text);
            }
        }
    }
}
