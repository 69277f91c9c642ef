//! Views that change pages: the form that edits one, its preview, and the question before deleting one.

use askama::Template;

use crate::compare::Difference;
use crate::pages::address;
use crate::pages::parts::{self, Name, Person, Rendered};
use crate::problem::FieldError;
use crate::time::Time;

/// The form that makes or edits a page.
#[derive(Debug, Template)]
#[template(path = "edit.html")]
pub struct Edit {
    /// What is edited.
    pub target: Target,
    /// What stands in the form.
    pub draft: Draft,
    /// What is wrong with it, by field.
    pub errors: Vec<FieldError>,
    /// What it would look like, if that was asked for.
    pub preview: Option<Rendered>,
    /// Who saved the page while this form was open.
    pub conflict: Option<Conflict>,
}

/// What the form edits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A page whose slug follows from its title: `/wiki/-/new`.
    New,
    /// A page that does not exist yet but whose slug is known: `/wiki/{slug}/edit`.
    Missing {
        /// That slug.
        slug: String,
    },
    /// A page there is, as it is called now.
    Existing(Name),
}

/// The fields of the form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Draft {
    /// The page's title.
    pub title: String,
    /// Its name in addresses. Only a page there is has this field.
    pub slug: String,
    /// Its Markdown.
    pub content: String,
    /// Its tags, with commas between them.
    pub tags: String,
    /// What the person says they changed.
    pub comment: String,
    /// What the person wants to be called.
    pub author: String,
    /// The number of the page they started from, which it keeps whatever it is called; none if there is no page yet.
    pub page: Option<i64>,
    /// The version they started from; none if there is no page yet.
    pub version: Option<i64>,
}

/// Somebody saved the page meanwhile. The draft holds the person's own text, or both edits combined.
#[derive(Debug)]
pub struct Conflict {
    /// Who saved it.
    pub author: Person,
    /// When.
    pub time: Time,
    /// The version they made, which now is the draft's, too.
    pub version: i64,
    /// The title they left.
    pub title: String,
    /// The tags they left, as the form writes them.
    pub tags: String,
    /// The Markdown they left.
    pub content: String,
    /// The differences from their text to the draft's.
    pub difference: Difference,
    /// Whether both edits could be combined, and the draft holds the result.
    pub combined: bool,
}

impl Edit {
    fn action(&self) -> String {
        match &self.target {
            Target::New => address::NEW.to_owned(),
            Target::Missing { slug } => address::of_page(slug, "edit"),
            Target::Existing(page) => page.of("edit"),
        }
    }

    fn existing(&self) -> Option<&Name> {
        match &self.target {
            Target::Existing(page) => Some(page),
            Target::New | Target::Missing { .. } => None,
        }
    }

    fn heading(&self) -> &'static str {
        if self.existing().is_some() { "Edit" } else { "New page" }
    }

    fn error(&self, field: &str) -> Option<&str> {
        error(&self.errors, field)
    }
}

/// The question before a page is deleted.
#[derive(Debug, Template)]
#[template(path = "delete.html")]
pub struct Delete {
    /// The page.
    pub page: Name,
    /// Its current version.
    pub version: i64,
    /// How many pages link to it.
    pub backlinks: i64,
}

/// What a text would look like: a piece of HTML for the script.
#[derive(Debug, Template)]
#[template(path = "preview.html")]
pub struct Preview {
    /// The text.
    pub text: Rendered,
}

/// What is wrong with `field`.
pub(super) fn error<'a>(errors: &'a [FieldError], field: &str) -> Option<&'a str> {
    errors.iter().find(|error| error.field == field).map(|error| &*error.message)
}

/// What a form calls a field.
pub(super) fn label(field: &str) -> &str {
    match field {
        "title" => "Title",
        "slug" => "Address",
        "content" => "Text",
        "tags" => "Tags",
        "comment" => "What changed",
        "author" => "Your name",
        "username" => "Username",
        "name" => "Name",
        "password" => "Password",
        "current" => "Current password",
        "new" => "New password",
        "token" => "Name of the token",
        "scope" => "What it may do",
        "days" => "Valid for",
        "role" => "Role",
        other => other,
    }
}
