//! Errors as problems: the one place that decides which status a failure of the store gets, and the words for what several
//! handlers have to refuse.

use http::StatusCode;
use wiki_types::FieldError;

use crate::store;
use crate::store::pages::{Blocked, MAX_DEPTH, Refusal, Unplaced};
use crate::web::Problem;

/// Seconds after which a client should ask again when the database is away: long enough not to pile up, short enough
/// that a restarted database is used at once.
const RETRY_AFTER: u32 = 2;

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Unavailable(cause) => unavailable(&cause),
            // It works once the right is granted, without a restart.
            store::Error::Denied(cause) => unavailable(&format!(
                "{cause}; as the owner of the tables, run `wiki-runner migrate migrations --grant-to` with this user"
            )),
            // A statement that may violate an index says what that means. One that does not has a bug.
            store::Error::Duplicate(index) => Self::internal(format!("unexpected duplicate in index {index}")),
            store::Error::Internal(cause) => Self::internal(cause),
        }
    }
}

/// 503: the database is away or overloaded. `cause` goes to the log only.
fn unavailable(cause: &str) -> Problem {
    eprintln!("database unavailable: {cause}");
    let detail = "The database is temporarily unavailable. Try again in a few seconds.";
    let problem = Problem { retry_after: Some(RETRY_AFTER), ..Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail) };
    problem.on_page("The wiki is temporarily unavailable. Try again in a few seconds.")
}

/// 404: no page has that number or slug.
pub fn page_not_found() -> Problem {
    Problem::not_found("Post not found").on_page("There is no such page.")
}

/// 404: the page has no version of that number, if it is one.
pub fn version_not_found(version: &str) -> Problem {
    Problem::not_found(format!("The page has no version {}.", version.escape_debug()))
}

/// 403: the page may be read, and not changed.
pub fn page_refused(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::Protected => Problem::forbidden("The page is protected. Only administrators may change it."),
        Refusal::ReadOnly => place_read_only(),
    }
}

/// 403: a page was to be deleted with everything below it, and not all of that may be.
pub fn below_blocked(blocked: &Blocked) -> Problem {
    let Blocked { protected, read_only } = blocked;
    let mut detail = "Nothing was deleted.".to_owned();
    if !protected.is_empty() {
        detail += &format!(" Only administrators may delete {} below this page.", quoted(protected));
    }
    if !read_only.is_empty() {
        let them = if read_only.len() == 1 { "it" } else { "them" };
        detail += &format!(" You may read {} below this page, but not delete {them}.", quoted(read_only));
    }
    Problem::forbidden(detail)
}

/// The first three titles, in quotation marks, and whether there are others.
fn quoted(titles: &[String]) -> String {
    let (shown, others) = titles.split_at(titles.len().min(3));
    let mut names: Vec<String> = shown.iter().map(|title| format!("“{title}”")).collect();
    names.extend((!others.is_empty()).then(|| "others".to_owned()));
    match &*names {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        _ => names.concat(),
    }
}

/// 403: pages may be read here, and not written.
fn place_read_only() -> Problem {
    Problem::forbidden("You may read pages here, but not write them. Ask whoever administers the space.")
}

/// 404, 409 or 403: a page cannot be where it was to be.
pub fn unplaced(why: Unplaced) -> Problem {
    match why {
        Unplaced::NoSuchSpace => space_not_found(),
        Unplaced::NoSuchParent => {
            Problem::not_found("Parent not found: there is no such page, or it is in another space")
        }
        Unplaced::TooDeep => Problem::new(
            StatusCode::CONFLICT,
            format!("There would be more than {MAX_DEPTH} pages from the top of the tree to its lowest page."),
        ),
        Unplaced::ReadOnly => place_read_only(),
    }
}

/// 404: no space has that number or slug.
pub fn space_not_found() -> Problem {
    Problem::not_found("Space not found").on_page("There is no such space.")
}

/// 409: there are pages in the space.
pub fn space_in_use() -> Problem {
    Problem::new(StatusCode::CONFLICT, "There are still pages in the space. Move or delete them first.")
}

/// 403: every wiki has the first space.
pub fn first_space_stays() -> Problem {
    Problem::forbidden("The first space stays: pages that have no other are in it.")
}

/// 403: the mode of the wiki says who may do what in the first space.
pub fn first_space_has_no_list() -> Problem {
    Problem::forbidden(
        "Everybody may use the first space as the wiki's mode says. Make another space for pages with rights of their own.",
    )
}

/// 403: somebody else administers this.
pub fn not_administered() -> Problem {
    Problem::forbidden("Only those who administer the space may do this.")
}

/// 412: the thing is at another version.
pub fn stale(thing: &str) -> Problem {
    let detail = format!("The {thing} was changed meanwhile. Read it again.");
    Problem::new(StatusCode::PRECONDITION_FAILED, detail)
}

/// 404: no group has that number.
pub fn group_not_found() -> Problem {
    Problem::not_found("Group not found").on_page("There is no such group.")
}

/// 404: no user has that number.
pub fn user_not_found() -> Problem {
    Problem::not_found("User not found").on_page("There is no such user.")
}

/// 404: no task has that number, or it is gone from its page.
pub fn task_not_found() -> Problem {
    Problem::not_found("Task not found").on_page("There is no such task. It may have been removed from its page.")
}

/// 404: no file has that number.
pub fn file_not_found() -> Problem {
    Problem::not_found("File not found").on_page("There is no such file. It may have been deleted.")
}

/// 404: no webhook has that number.
pub fn webhook_not_found() -> Problem {
    Problem::not_found("Webhook not found").on_page("There is no such webhook.")
}

/// 404: the webhook has no delivery of that number.
pub fn delivery_not_found() -> Problem {
    Problem::not_found("Delivery not found").on_page("The webhook has no such delivery. They are kept for 32 days.")
}

/// 404: no event that could not be handed on has that number.
pub fn event_not_found() -> Problem {
    Problem::not_found("No undelivered event has this number. It may have been handed on meanwhile.")
}

/// 403: the user has an account of their own.
pub fn user_not_yours() -> Problem {
    Problem::forbidden("Only the user themselves and administrators may change this user.")
}

/// 409: nobody could administer the wiki any more.
pub fn last_administrator() -> Problem {
    let mut problem = Problem::new(
        StatusCode::CONFLICT,
        "This is the only administrator of the wiki. Make another user an administrator first.",
    );
    problem.errors.push(FieldError::new("role", "must stay administrator until another user is one"));
    problem
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_a_tree_from_being_deleted_is_named() {
        let titles = |count: usize| ["A", "B", "C", "D"].map(str::to_owned)[..count].to_vec();
        assert_eq!(
            [1, 2, 3, 4].map(|count| quoted(&titles(count))),
            ["“A”", "“A” and “B”", "“A”, “B” and “C”", "“A”, “B”, “C” and others"]
        );
        let blocked = Blocked { protected: titles(1), read_only: titles(2) };
        assert_eq!(
            below_blocked(&blocked).detail,
            "Nothing was deleted. Only administrators may delete “A” below this page. You may read “A” and “B” below this page, \
             but not delete them."
        );
    }

    #[test]
    fn an_outage_is_503_and_a_bug_is_500() {
        let status = |error: store::Error| Problem::from(error).status;
        assert_eq!(status(store::Error::Unavailable("refused".into())), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(status(store::Error::Denied("no right".into())), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(status(store::Error::Internal("a bug".into())), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(status(store::Error::Duplicate("posts_slug_key".into())), StatusCode::INTERNAL_SERVER_ERROR);
    }
}
