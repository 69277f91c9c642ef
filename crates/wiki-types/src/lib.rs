//! The vocabulary of the wiki, shared by the component, its clients and its tests: the JSON types of the API, and the
//! rules for titles, slugs, tags, names and times.
//!
//! Pure data and functions, so that a client can check a text before it sends anything.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod access;
pub mod accounts;
pub mod comparison;
pub mod due;
pub mod events;
pub mod files;
pub mod html;
pub mod inbox;
pub mod invisible;
pub mod lists;
pub mod mail;
mod normal_form;
pub mod pages;
pub mod path;
pub mod problem;
pub mod requests;
pub mod revisions;
pub mod rules;
pub mod search;
pub mod seen_due;
pub mod service;
pub mod settings;
pub mod slug;
pub mod spaces;
pub mod tasks;
pub mod time;
pub mod users;
pub mod webhooks;

pub use access::{Mode, Role, Scope};
pub use accounts::{Account, AuditEntry, ChainEntry, MadeToken, Session, Token};
pub use comparison::Comparison;
pub use due::Due;
pub use events::{Event, EventData, Sequence};
pub use files::File;
pub use inbox::{Inbox, InboxEntry, InboxKind, InboxReading, Star, Starred, Unread, Watch, WatchChange};
pub use lists::{
    Chain, Changes, DeletedPosts, Deliveries, Events, Files, Posts, Redirects, Results, Revisions, Sessions, Tags,
    Tasks, Tokens, Trail, Undelivered, Users, Webhooks,
};
pub use mail::{Mail, MailSetting};
pub use pages::{DeletedPost, Post, PostDraft, PostSummary, Redirect, Tag};
pub use problem::{EditConflict, FieldError, ProblemDetails};
pub use requests::{NewToken, NewUser, PasswordChange, PostEdit, RedirectTarget, Reversion, UserChange};
pub use revisions::{ChangeKind, Revision, RevisionEntry};
pub use search::{PlacedSuggestion, SearchResult, Snippet, Suggestion, Suggestions, UserSuggestion, UserSuggestions};
pub use seen_due::SeenDue;
pub use service::{Health, Readiness};
pub use settings::{Color, Settings, SettingsChange};
pub use spaces::{
    Access, AccessEntry, Children, Group, GroupChange, Groups, Member, Members, Move, NewSpace, Space, SpaceChange,
    SpaceRole, Spaces, TreePage,
};
pub use tasks::{NewTask, Priority, Task, TaskChange};
pub use time::Time;
pub use users::User;
pub use webhooks::{Delivery, MadeWebhook, NewWebhook, UndeliveredEvent, Webhook, WebhookChange};
