//! The addresses of the wiki's pages, for templates, redirects and links in text.

use std::fmt::{Display, Write as _};

pub use wiki_types::path::{escaped, page};

/// The slug of the page that stands on the front page, if there is one.
pub const HOME: &str = "home";
/// The front page.
pub const FRONT: &str = "/wiki";
/// The form that makes a page.
pub const NEW: &str = "/wiki/-/new";
/// What one has typed and not saved.
pub const DRAFTS: &str = "/wiki/-/drafts";
/// Where the button that discards a draft leads.
pub const DISCARD_DRAFT: &str = "/wiki/-/drafts/discard";
/// What a text would look like.
pub const PREVIEW: &str = "/wiki/-/preview";
/// All pages.
pub const PAGES: &str = "/wiki/-/pages";
/// The latest changes.
pub const CHANGES: &str = "/wiki/-/changes";
/// The pages that were deleted.
pub const DELETED: &str = "/wiki/-/deleted";
/// All tags.
pub const TAGS: &str = "/wiki/-/tags";
/// One's own tasks.
pub const TASKS: &str = "/wiki/-/tasks";
/// The tasks of all people.
pub const ALL_TASKS: &str = "/wiki/-/tasks?everybody=yes";
/// What one is told.
pub const INBOX: &str = "/wiki/-/inbox";
/// The entries of the inbox that are unread.
pub const UNREAD: &str = "/wiki/-/inbox?unread=true";
/// The pages to which one gave a star.
pub const STARRED: &str = "/wiki/-/starred";
/// How the wiki calls and shows itself.
pub const SETTINGS: &str = "/wiki/-/settings";
/// The pages one watches.
pub const WATCHED: &str = "/wiki/-/watched";
/// The search form.
pub const SEARCH: &str = "/wiki/-/search";
/// All users.
pub const USERS: &str = "/wiki/-/users";
/// The form to sign in.
pub const SIGN_IN: &str = "/wiki/-/sign-in";
/// Where the button to sign out leads.
pub const SIGN_OUT: &str = "/wiki/-/sign-out";
/// One's own account.
pub const ACCOUNT: &str = "/wiki/-/account";
/// What happened to accounts and pages.
pub const AUDIT: &str = "/wiki/-/audit";
/// The servers that are told what happens.
pub const WEBHOOKS: &str = "/wiki/-/webhooks";
/// The spaces that one may read.
pub const SPACES: &str = "/wiki/-/spaces";
/// The groups of users.
pub const GROUPS: &str = "/wiki/-/groups";
/// The form that makes a user.
pub const NEW_USER: &str = "/wiki/-/users/new";
/// The latest changes as a feed.
pub const FEED: &str = "/feed.atom";
/// The description of the API.
pub const API: &str = "/docs";
/// The same for programs.
pub const DESCRIPTION: &str = "/openapi.json";

/// What can be done with a page, or is known of it: `edit`, `history`, `compare`, `backlinks`, `access`, `delete`, `restore`,
/// `revert`, `move`.
pub fn of_page(slug: &str, what: &str) -> String {
    format!("/wiki/{}/{what}", escaped(slug))
}

/// The form that makes a page with that slug and suggests a title.
pub fn create(slug: &str, title: &str) -> String {
    format!("/wiki/{}/edit?title={}", escaped(slug), escaped(title))
}

/// An old revision.
pub fn revision(slug: &str, version: impl Display) -> String {
    format!("/wiki/{}/history/{version}", escaped(slug))
}

/// What changed from one version to another; 0 stands for the nothing before the first.
pub fn compare(slug: &str, from: impl Display, to: impl Display) -> String {
    format!("/wiki/{}/compare?from={from}&to={to}", escaped(slug))
}

/// The form that makes a page below another.
pub fn new_below(id: impl Display) -> String {
    format!("{NEW}?parent={id}")
}

/// The form that makes a page at the top of a space.
pub fn new_in(space: impl Display) -> String {
    format!("{NEW}?space={space}")
}

/// The pages of a space as a tree.
pub fn tree(space: impl Display) -> String {
    format!("{PAGES}?view=tree&space={space}")
}

/// The space with that slug.
pub fn space(slug: &str) -> String {
    format!("{SPACES}/{}", escaped(slug))
}

/// A page that was deleted, by its number: another page may have its slug.
pub fn deleted_page(id: impl Display) -> String {
    format!("{DELETED}/{id}")
}

/// The pages with that tag.
pub fn tag(tag: &str) -> String {
    format!("{TAGS}/{}", escaped(tag))
}

/// The tasks of the person with that username.
pub fn tasks_of(username: &str) -> String {
    format!("{TASKS}?assignee={}", escaped(username))
}

/// The tasks of pages with that tag.
pub fn tasks_tagged(tag: &str) -> String {
    format!("{TASKS}?tag={}", escaped(tag))
}

/// What was found for a query, under a tag if there is one.
pub fn search(query: &str, tag: Option<&str>) -> String {
    let mut address = format!("{SEARCH}?q={}", escaped(query));
    if let Some(tag) = tag {
        _ = write!(address, "&tag={}", escaped(tag));
    }
    address
}

/// The form to sign in, after which one gets to `wanted`.
pub fn sign_in(wanted: &str) -> String {
    format!("{SIGN_IN}?next={}", escaped(wanted))
}

/// `wanted` if it is an address of this wiki and cannot lead elsewhere: a path, and nothing that a browser could take for
/// another host (`//host`, `/\host`).
pub fn local(wanted: &str) -> Option<&str> {
    let is_path = wanted.starts_with('/') && !wanted.starts_with("//");
    let is_plain = wanted.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    Some(wanted).filter(|_| is_path && is_plain)
}

/// The account of a user, for administrators.
pub fn account_of(id: impl Display) -> String {
    format!("{USERS}/{id}/account")
}

/// One of the servers that are told what happens.
pub fn webhook(id: impl Display) -> String {
    format!("{WEBHOOKS}/{id}")
}

/// What can be done with a space: `settings`, `access`, `delete`.
pub fn of_space(slug: &str, what: &str) -> String {
    format!("{SPACES}/{}/{what}", escaped(slug))
}

/// A group of users.
pub fn group(id: impl Display) -> String {
    format!("{GROUPS}/{id}")
}

/// A user.
pub fn user(id: impl Display) -> String {
    format!("{USERS}/{id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_wiki_are_local() {
        for wanted in ["/", "/wiki", "/wiki/-/search?q=a%20b", "/wiki/a//b"] {
            assert_eq!(local(wanted), Some(wanted));
        }
        for wanted in [
            "",
            "wiki",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "/\t/evil.example",
            "/wiki\r\nSet-Cookie: x",
            " /wiki",
            "/ä",
        ] {
            assert_eq!(local(wanted), None, "{wanted:?}");
        }
    }

    #[test]
    fn text_stays_within_its_segment() {
        assert_eq!(page("größe-日本"), "/wiki/gr%C3%B6%C3%9Fe-%E6%97%A5%E6%9C%AC");
        assert_eq!(tag("a/b?c#d"), "/wiki/-/tags/a%2Fb%3Fc%23d");
        assert_eq!(search("a&b=c d", Some("\"")), "/wiki/-/search?q=a%26b%3Dc%20d&tag=%22");
    }
}
