//! The differences between two revisions of a page.

use askama::Template;
use wiki_types::comparison::{Hunk, LineEnd, LineEnds};
use wiki_types::{Post, Revision};

use crate::auth::Context;
use crate::diff::{self, Difference};
use crate::input::revisions;
use crate::site::parts::Linked;
use crate::site::{self, address, missing};
use crate::store::pages;
use crate::web::request::query;
use crate::web::{Problem, Response};

#[derive(Debug, Template)]
#[template(path = "compare.html")]
pub struct Compare {
    /// The page as it is now.
    pub page: Post,
    /// The older revision; none before the first version.
    pub from: Option<Revision>,
    /// The newer revision.
    pub to: Revision,
    /// The differences of the content.
    pub difference: Difference,
}

impl Compare {
    fn title_changed(&self) -> Option<(&str, &str)> {
        let (from, to) = (&self.from.as_ref()?.entry.title, &self.to.entry.title);
        (from != to).then_some((from, to))
    }

    /// The tags that were removed and those that were added.
    fn tags_changed(&self) -> Option<(Vec<&str>, Vec<&str>)> {
        let (from, to) = (&self.from.as_ref()?.tags, &self.to.tags);
        let removed: Vec<&str> = from.iter().filter(|tag| !to.contains(tag)).map(String::as_str).collect();
        let added: Vec<&str> = to.iter().filter(|tag| !from.contains(tag)).map(String::as_str).collect();
        (!removed.is_empty() || !added.is_empty()).then_some((removed, added))
    }

    fn older(&self) -> i64 {
        self.from.as_ref().map_or(0, |from| from.entry.version)
    }
}

/// The heading of a hunk: which lines of the newer text it shows, or of the older one if none are left.
pub fn lines(hunk: &Hunk) -> String {
    let range = |mut numbers: Box<dyn Iterator<Item = usize> + '_>| {
        let first = numbers.next()?;
        let last = numbers.last().unwrap_or(first);
        Some(if first == last { format!("Line {first}") } else { format!("Lines {first}–{last}") })
    };
    range(Box::new(hunk.lines.iter().filter_map(|line| line.to_line)))
        .or_else(|| range(Box::new(hunk.lines.iter().filter_map(|line| line.from_line))))
        .unwrap_or_default()
}

/// How the ends of lines changed, in words.
pub fn line_ends(ends: &LineEnds) -> String {
    let name = |end| match end {
        LineEnd::Lf => "Unix (LF)",
        LineEnd::Crlf => "Windows (CR LF)",
        LineEnd::Mixed => "mixed",
    };
    format!("The ends of the lines changed from {} to {}. They are not marked.", name(ends.from), name(ends.to))
}

/// `GET /wiki/{slug}/compare?from=&to=`
pub fn show(cx: &Context, slug: &str) -> Result<Response, Problem> {
    let Some(page) = pages::find_by_slug(cx.db, slug)? else { return missing::show(cx, slug) };
    // What is no number is left to the default.
    let given = |name| query(cx.request, name)?.parse::<i64>().ok().filter(|version| *version >= 0);
    let (mut from, mut to) = (given("from"), given("to"));
    if let (Some(a), Some(b)) = (from, to)
        && a > b
    {
        // The older one comes first, whichever way round they were chosen.
        (from, to) = (to, from);
    }
    let (from, to) = revisions::pair(cx.db, page.post_id, from, to)?;
    // Others need not wait for a comparison.
    cx.db.release();
    let difference = diff::difference(from.as_ref().map_or("", |from| &from.content), &to.content);
    site::show_of(cx, page.post_id, &Compare { page, from, to, difference })
}
