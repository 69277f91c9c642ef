//! What several views share: the viewer, links to pages, numbers, and what is wrong with a form.

use http::Method;
use wiki_types::{
    ChangeKind, FieldError, Mode, Post, PostSummary, RevisionEntry, SearchResult, Suggestion, Time, TreePage, rules,
};

use crate::auth::{Identity, Need, sign_in_within};
use crate::markdown::{self, Boxes, Picture, Pictures, Rendered};
use crate::site::address;
use crate::store::Db;
use crate::store::files::{self, Shown};
use crate::store::inbox::MAX_COUNTED;
use crate::store::links::Targets;
use crate::web::forms::Form;
use crate::web::{Problem, Request};

/// The name of a user whose name was deleted.
pub const DELETED_USER: &str = "deleted user";

/// The name of somebody who is not known.
pub const UNKNOWN_USER: &str = "unknown";

/// The person a page is made for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Viewer {
    /// The number of their account; none for an anonymous viewer.
    pub account: Option<i64>,
    /// Their name; none for an anonymous viewer.
    pub name: Option<String>,
    /// How many entries of their inbox are unread.
    pub unread: i64,
    /// Whether they are an administrator.
    pub administers: bool,
    /// Whether they say who may read and write the page that they are at, as those who administer its space.
    pub administers_page: bool,
    /// Whether signing in allows more than the wiki allows without an account.
    pub gains_by_signing_in: bool,
    /// Whether they may read pages.
    pub reads: bool,
    /// Whether they may write pages.
    pub writes: bool,
    /// The address they are at, to come back to; none if it cannot be opened again.
    pub here: Option<String>,
}

impl Viewer {
    /// The sender of a request.
    pub fn of(request: &Request, identity: &Identity) -> Self {
        // The address of a form that was sent may only be for that.
        let is_opened =
            matches!(*request.method(), Method::GET | Method::HEAD) && request.uri().path() != address::SIGN_IN;
        Self {
            account: identity.user_id(),
            name: identity.account.as_ref().map(|account| account.name.clone()),
            unread: identity.unread,
            administers: identity.administers(),
            administers_page: false,
            gains_by_signing_in: identity.mode != Mode::Open,
            reads: identity.check(Need::Read).is_ok(),
            writes: identity.check(Need::Write).is_ok(),
            here: request.uri().path_and_query().filter(|_| is_opened).map(ToString::to_string),
        }
    }

    /// How many entries of their inbox are unread, in words that have room in the head of a page; none if none is.
    pub fn unread(&self) -> Option<String> {
        match self.unread {
            ..=0 => None,
            MAX_COUNTED.. => Some(format!("{}+", MAX_COUNTED - 1)),
            count => Some(count.to_string()),
        }
    }

    /// Whether a form asks for their name: where only accounts write, a name is no use.
    pub fn is_asked_for_name(&self) -> bool {
        self.name.is_none() && !self.gains_by_signing_in
    }

    /// Whether they may change a page that is protected, or not.
    pub fn edits(&self, protected: &bool) -> bool {
        self.writes && (!protected || self.administers)
    }

    /// The form to sign in, which leads back to where they are.
    pub fn sign_in(&self) -> String {
        self.here.as_deref().and_then(address::local).map_or_else(|| address::SIGN_IN.to_owned(), address::sign_in)
    }
}

/// What has the address of a page.
pub trait Linked {
    /// The page's slug.
    fn slug(&self) -> &str;

    /// The page.
    fn address(&self) -> String {
        address::page(self.slug())
    }

    /// What can be done with the page; see [`address::of_page`].
    fn of(&self, what: &str) -> String {
        address::of_page(self.slug(), what)
    }
}

macro_rules! linked {
    ($($type:ty: $slug:ident),+ $(,)?) => {
        $(impl Linked for $type {
            fn slug(&self) -> &str {
                &self.$slug
            }
        })+
    };
}

linked! { Post: slug, PostSummary: slug, SearchResult: slug, Suggestion: slug, TreePage: slug }

impl Linked for RevisionEntry {
    fn slug(&self) -> &str {
        &self.page
    }

    fn address(&self) -> String {
        if self.is_page_deleted { address::deleted_page(self.post_id) } else { address::page(&self.page) }
    }
}

/// What a list of changes says of one beside its page; nothing of a mere edit.
pub fn badge(kind: &ChangeKind) -> Option<&'static str> {
    match kind {
        ChangeKind::Created => Some("new"),
        ChangeKind::Edited => None,
        ChangeKind::Renamed | ChangeKind::Deleted | ChangeKind::Restored => Some(kind.as_str()),
    }
}

/// Markdown as HTML, whose links lead to `targets`, with what is known of its `pictures`.
pub fn rendered(content: &str, title: &str, targets: &Targets, pictures: &Pictures) -> Rendered {
    markdown::render_with(content, title, |name| targets.get(name).cloned(), &Boxes::default(), pictures)
}

/// What is known of the pictures in the text of page `post_id`, or of a page that is not saved yet. Looked up only if it may have some.
pub fn pictures(db: &Db, content: &str, post_id: Option<i64>) -> Result<Pictures, Problem> {
    let files = markdown::files(content);
    if files.is_empty() {
        return Ok(Pictures::new());
    }
    let shown = files::shown(db, post_id, files)?.into_iter();
    let known = |(id, shown)| match shown {
        Shown::Missing => Some((id, Picture::Missing)),
        Shown::Picture(width, height) => Some((id, Picture::Sized(width, height))),
        Shown::Other => None,
    };
    Ok(shown.filter_map(known).collect())
}

/// Whether whoever a page is for is known, and has an account.
pub fn is_signed_in<E>(viewer: Result<&Viewer, E>) -> bool {
    viewer.is_ok_and(|viewer| viewer.name.is_some())
}

/// The id of the form whose buttons are the check boxes of a page.
pub const TICKS: &str = "_ticks";

/// What is wrong with `field`.
pub fn error<'a>(errors: &'a [FieldError], field: &str) -> Option<&'a str> {
    errors.iter().find(|error| error.field == field).map(|error| &*error.message)
}

/// What is wrong with a field, as a sentence.
pub fn sentence(error: &FieldError) -> String {
    sentence_of(&error.field, &error.message)
}

/// That `message` is wrong with `field`, as a sentence.
pub fn sentence_of(field: &str, message: &str) -> String {
    let message = message.trim_end_matches('.');
    match (field, message) {
        ("author", rules::BLANK) => "Enter your name.".to_owned(),
        (_, rules::BLANK) => format!("Enter a {}.", label(field).to_lowercase()),
        ("slug", "is already taken") => "Another page has this address. Choose another.".to_owned(),
        ("space_slug", "is already taken") => "Another space has this address. Choose another.".to_owned(),
        ("group_name", "is already taken") => "Another group has this name. Choose another.".to_owned(),
        ("title", "is already taken") => "Another page has this title.".to_owned(),
        ("cursor", _) => "This address does not lead into the list. Begin with its first page.".to_owned(),
        ("password" | "new", _) if message.starts_with("is ") => format!("This password {message}."),
        // A sentence already.
        _ if message.starts_with(char::is_uppercase) => format!("{message}."),
        _ => format!("{} {message}.", label(field)),
    }
}

/// Why a form is shown again.
#[derive(Debug, Clone)]
pub struct Reason {
    /// A sentence a person can act on.
    pub detail: String,
    /// Whether to sign in along with the next try.
    pub signs_in: bool,
    /// The username that was typed for that.
    pub username: String,
}

impl Reason {
    /// A reason that signing in does nothing about.
    pub fn of(detail: &str) -> Self {
        Self { detail: detail.to_owned(), signs_in: false, username: String::new() }
    }

    /// What `problem` says of what was typed into `form`.
    pub fn new(form: &Form, problem: &Problem) -> Self {
        let tries_to_sign_in = !form.text(sign_in_within::USERNAME).is_empty();
        Self {
            detail: match problem.status.as_u16() {
                401 if !tries_to_sign_in => "You were signed out.".to_owned(),
                _ => problem.for_people().to_owned(),
            },
            signs_in: problem.status.as_u16() == 401 || tries_to_sign_in,
            username: typed(form.text(sign_in_within::USERNAME)),
        }
    }
}

/// What was typed, without control characters, which HTML cannot hold.
pub fn typed(value: &str) -> String {
    value.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t')).collect()
}

/// The label of a form's field.
pub fn label(field: &str) -> &str {
    match field {
        "title" => "Title",
        "slug" => "Address",
        "content" => "Text",
        "tags" => "Tags",
        "comment" => "Edit summary",
        "reason" => "Reason",
        "author" => "Your name",
        "username" => "Username",
        "name" => "Display name",
        "password" => "Password",
        "current" => "Current password",
        "new" => "New password",
        "token" => "Token name",
        "scope" => "Access",
        "days" => "Valid for",
        "role" => "Role",
        "email" => "Email address",
        "mail" => "Unread updates by mail",
        "tag" => "Tag",
        "space_name" | "group_name" | "wiki_name" => "Name",
        "mark" => "Mark",
        "color" => "Color",
        "footer" => "Footer",
        "language" => "Language",
        "time_zone" => "Time zone",
        "space_slug" | "url" => "Address",
        "description" => "Description",
        "icon" => "Icon",
        "everybody" => "Everyone",
        "person" => "Username",
        "person_role" | "group_role" => "Role",
        "group" => "Group",
        "types" => "Events",
        "file" => "The file",
        "since" => "Edited since",
        "until" => "Edited until",
        other => other,
    }
}

/// How long ago `time` was, for people: in words for a month, then as a day.
pub fn ago(time: &Time) -> String {
    time.ago(Time::now())
}

/// The first letters of the first and the last word of a name, at most two.
pub fn initials(name: &str) -> String {
    let mut letters = name.split_whitespace().filter_map(|word| word.chars().find(|c| c.is_alphanumeric()));
    let first = letters.next();
    first.into_iter().chain(letters.next_back()).flat_map(char::to_uppercase).collect()
}

/// The CSS class of a title that is too long to be set as large as others: the text below it begins on the first screen.
pub fn title_class(title: &str) -> Option<&'static str> {
    match title.chars().count() {
        ..=60 => None,
        61..=110 => Some("long"),
        _ => Some("longer"),
    }
}

/// `word` with a capital letter.
pub fn capitalized(word: &str) -> String {
    let mut characters = word.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

/// The path of a drawing of 20 by 20 units, in lines.
pub fn drawing(name: &str) -> &'static str {
    match name {
        "menu" => "M3 5h14M3 10h14M3 15h14",
        "search" => "M13.5 13.5 18 18M15 8.5a6.5 6.5 0 1 1-13 0 6.5 6.5 0 0 1 13 0Z",
        "home" => "M3 9.5 10 3l7 6.5V17h-5v-5H8v5H3Z",
        "bell" => "M5 13V9a5 5 0 0 1 10 0v4l1.5 2h-13ZM8.5 17.5h3",
        "clock" => "M10 5.5V10l3 2M18 10a8 8 0 1 1-16 0 8 8 0 0 1 16 0Z",
        "check" => "M3.5 10.5 8 15 16.5 5.5",
        "plus" => "M10 4v12M4 10h12",
        "trash" => "M4 6h12M8 6V3.5h4V6M5.5 6l.8 11h7.4l.8-11",
        "pencil" => "M4 16l.8-3.4L13.5 4l2.5 2.5-8.6 8.7Z",
        "star" => "m10 2.5 2.3 4.9 5.2.7-3.8 3.7.9 5.3-4.6-2.5-4.6 2.5.9-5.3L2.5 8.1l5.2-.7Z",
        "eye" => "M2 10s3-5.5 8-5.5 8 5.5 8 5.5-3 5.5-8 5.5S2 10 2 10ZM12.5 10a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0Z",
        // Dots.
        _ => "M4.5 10h.01M10 10h.01M15.5 10h.01",
    }
}

/// `number` with commas between thousands.
pub fn count(number: &i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = if *number < 0 { "−".to_owned() } else { String::new() };
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `number` with its sign, and a true minus.
pub fn signed(number: &i64) -> String {
    match number {
        0 => "±0".to_owned(),
        1.. => format!("+{}", count(number)),
        _ => count(number),
    }
}

/// The CSS class of a number with that sign.
pub fn trend(number: &i64) -> &'static str {
    match number {
        0 => "stayed",
        1.. => "grew",
        _ => "shrank",
    }
}

/// `number` with the word for one or for more.
pub fn counted(number: &i64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if *number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_sentences() {
        for (field, message, sentence) in [
            ("author", rules::BLANK, "Enter your name."),
            ("title", rules::BLANK, "Enter a title."),
            ("slug", "is already taken", "Another page has this address. Choose another."),
            ("title", "is already taken", "Another page has this title."),
            ("new", "is too common", "This password is too common."),
            ("tags", "may have at most 20 items", "Tags may have at most 20 items."),
            ("content", "This page is too long.", "This page is too long."),
        ] {
            assert_eq!(sentence_of(field, message), sentence);
        }
    }

    #[test]
    fn a_name_has_initials() {
        for (name, letters) in
            [("Ada Lovelace", "AL"), ("ada", "A"), ("Mary Jane van Dyke", "MD"), ("…", ""), ("李 小龙", "李小")]
        {
            assert_eq!(initials(name), letters);
        }
    }

    #[test]
    fn numbers_are_formatted_for_people() {
        assert_eq!([0, 999, 1000, -1_234_567].map(|n| count(&n)), ["0", "999", "1,000", "−1,234,567"]);
        assert_eq!([0, 1200, -35].map(|n| signed(&n)), ["±0", "+1,200", "−35"]);
        assert_eq!([1, 2].map(|n| counted(&n, "page", "pages")), ["1 page", "2 pages"]);
    }
}
