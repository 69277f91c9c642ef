//! Templates: pages that new ones begin as. Any page with the tag [`TAG`] is one: so making one needs nothing but an edit, and
//! whoever may read it may use it.

use wiki_types::{Post, PostSummary, Time};

use crate::store::Db;
use crate::store::pages::{self, Filter, Order};
use crate::web::Problem;

/// The tag that makes a page a template.
pub const TAG: &str = "template";

/// The most templates that are offered.
const MAX_LISTED: usize = 50;

/// The templates that the reader may read, by title.
pub fn all(db: &Db) -> Result<Vec<PostSummary>, Problem> {
    Ok(pages::list(db, Filter::living().tagged(TAG), Order::TITLE, MAX_LISTED)?)
}

/// The template with this slug, if the reader may read it.
pub fn find(db: &Db, slug: &str) -> Result<Option<Post>, Problem> {
    Ok(pages::find_by_slug(db, slug)?.filter(|page| page.tags.iter().any(|tag| tag == TAG)))
}

/// What the text of a new page begins with: `template` with today's date and, if it is known, with the name of who writes. The
/// title is only known when the page is saved; see [`completed`].
pub fn begun(template: &str, person: &str) -> String {
    filled(template, |name| match name {
        "date" => Some(Time::now().date().to_string()),
        // Braces in a name are no placeholder.
        "person" if !person.is_empty() => Some(person.replace("{{", "\\{{")),
        _ => None,
    })
}

/// `text`, which began as a template, with what is known once it is saved.
pub fn completed(text: &str, title: &str, person: &str) -> String {
    filled(text, |name| match name {
        "title" => Some(title.to_owned()),
        "person" if !person.is_empty() => Some(person.to_owned()),
        _ => None,
    })
}

/// `text` with the `value` of each `{{name}}` that has one in its place, but where a backslash stands before it, as Markdown has it.
/// All other braces stay.
fn filled(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let name = after.split_once("}}").map_or("", |(name, _)| name);
        match value(name).filter(|_| !before.ends_with('\\')) {
            Some(value) => {
                out.push_str(&value);
                rest = &after[name.len() + "}}".len()..];
            }
            None => {
                // Of three braces, the last two may begin it.
                out.push('{');
                rest = &rest[before.len() + 1..];
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn placeholders_are_filled_and_other_braces_stay() {
        let day = Time::now().date().to_string();
        for (template, begins, ends) in [
            (
                "# {{title}}\n\n{{date}}, {{person}}",
                format!("# {{{{title}}}}\n\n{day}, Ada"),
                format!("# Plan\n\n{day}, Ada"),
            ),
            ("{{person}}{{person}}", "AdaAda".to_owned(), "AdaAda".to_owned()),
            (
                "\\{{person}} `\\{{title}}`",
                "\\{{person}} `\\{{title}}`".to_owned(),
                "\\{{person}} `\\{{title}}`".to_owned(),
            ),
            (
                "{{ person }} {{other}} {{}} {{ {person} }} }}{{",
                "{{ person }} {{other}} {{}} {{ {person} }} }}{{".to_owned(),
                "{{ person }} {{other}} {{}} {{ {person} }} }}{{".to_owned(),
            ),
            ("{{{person}}}", "{Ada}".to_owned(), "{Ada}".to_owned()),
        ] {
            let begun = begun(template, "Ada");
            assert_eq!((&begun, &completed(&begun, "Plan", "Ada")), (&begins, &ends), "{template}");
        }
    }

    #[test]
    fn what_is_filled_in_is_no_placeholder() {
        let begun = begun("{{person}}: {{title}}", "{{title}}");
        assert_eq!(completed(&begun, "{{person}}", "{{title}}"), "\\{{title}}: {{person}}");
    }

    #[test]
    fn who_writes_may_only_be_known_later() {
        assert_eq!(begun("{{person}}", ""), "{{person}}");
        assert_eq!(completed("{{person}}", "", "Ada"), "Ada");
    }

    proptest! {
        #[test]
        fn text_without_placeholders_stays(text in "([{}\\\\a \n]|date|\\{\\{){0,40}") {
            prop_assume!(!text.contains("{{date}}"));
            prop_assert_eq!(begun(&text, "Ada"), text);
        }
    }
}
