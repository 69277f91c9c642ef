//! Wiki links: the page and section `[[Title#Section|text]]` means, and where it leads.

use std::collections::HashMap;

use wiki_types::rules::MAX_TITLE;
use wiki_types::slug::{by_old_rule, slugify};
use wiki_types::{path, rules};

use super::outline;

/// The most different names that are looked up; a link by another looks as if its page existed.
pub const MAX_LINKS: usize = 1000;

/// Where a wiki link leads.
#[derive(Debug, PartialEq, Eq)]
pub struct Target {
    /// The title of the page, its white space made single spaces; empty for a section of the same page.
    pub title: String,
    /// The page's slug; none for a section of the same page.
    pub slug: Option<String>,
    /// The slug a page of that title had, if titles made other slugs when it was written: its address leads there.
    pub old_slug: Option<String>,
    /// The id of the section's heading.
    section: Option<String>,
    /// What the link shows in place of a page and a section: `Page#Section` is for the machine.
    pub words: Option<String>,
}

impl Target {
    /// From what stands before the `|`. None if it names nothing: a title needs a letter or digit, and at most
    /// [`MAX_TITLE`] characters.
    pub fn parse(text: &str) -> Option<Self> {
        // In a table, the `|` is written `\|`.
        let text = text.strip_suffix('\\').unwrap_or(text);
        if text.len() > 8 * MAX_TITLE {
            return None;
        }
        let as_written = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let text = rules::composed(&as_written);
        let named = |text: &str| text.chars().any(char::is_alphanumeric);
        // `[[C#]]` is a page, not an empty section of one.
        let (title, heading) = match text.split_once('#') {
            Some((title, heading)) if named(heading) => (title.trim_end(), Some(heading.trim())),
            _ => (&*text, None),
        };
        let section = heading.map(outline::id);
        let words =
            heading.map(|heading| if title.is_empty() { heading.to_owned() } else { format!("{title} › {heading}") });
        let slug = named(title).then(|| slugify(title));
        let old_slug = slug.as_ref().and_then(|slug| {
            // What stands before the section has the same number of `#` in both forms.
            let title = if title.len() == text.len() { &*as_written } else { as_written.split('#').next()?.trim_end() };
            Some(by_old_rule(title)).filter(|old| old != slug)
        });
        let valid = title.chars().count() <= MAX_TITLE && (slug.is_some() || (title.is_empty() && section.is_some()));
        valid.then(|| Self { title: title.to_owned(), slug, old_slug, section, words })
    }

    /// The URL, percent-encoded throughout: of the page with the slug `page` or, if there is none, of the missing one with
    /// the title it would have.
    pub fn href(&self, page: Option<&str>) -> String {
        let mut href = match page.or(self.slug.as_deref()) {
            Some(slug) => path::page(slug),
            None => String::new(),
        };
        if page.is_none() && self.slug.is_some() {
            href.push_str("?title=");
            href.push_str(&path::escaped(&self.title));
        } else if let Some(section) = &self.section {
            href.push_str(&outline::fragment(section));
        }
        href
    }
}

/// The names linked to so far, and where they lead.
#[derive(Debug)]
pub struct Pages<F> {
    look_up: F,
    known: HashMap<String, Option<String>>,
    names: Vec<String>,
}

impl<F: Fn(&str) -> Option<String>> Pages<F> {
    /// None so far; `look_up` says which slug the page has that a name leads to.
    pub fn new(look_up: F) -> Self {
        Self { look_up, known: HashMap::new(), names: Vec::new() }
    }

    /// The slug of the page that a name leads to, or may: beyond [`MAX_LINKS`] it is not looked up.
    pub fn find(&mut self, name: &str) -> Option<String> {
        if let Some(page) = self.known.get(name) {
            return page.clone();
        }
        if self.names.len() == MAX_LINKS {
            return Some(name.to_owned());
        }
        let page = (self.look_up)(name);
        self.known.insert(name.to_owned(), page.clone());
        self.names.push(name.to_owned());
        page
    }

    /// The slug of the page that `target` leads to, or may. Always asks for each of its slugs.
    pub fn lead_to(&mut self, target: &Target) -> Option<String> {
        let mut find = |slug: &Option<String>| slug.as_deref().and_then(|slug| self.find(slug));
        let (now, before) = (find(&target.slug), find(&target.old_slug));
        now.or(before)
    }

    /// The names asked for, in that order.
    pub fn into_names(self) -> Vec<String> {
        self.names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_page_and_perhaps_a_section() {
        for (text, title, href) in [
            ("Main Page", "Main Page", "/wiki/main-page"),
            (" Main\n  Page ", "Main Page", "/wiki/main-page"),
            ("Größe", "Größe", "/wiki/gr%C3%B6%C3%9Fe"),
            ("A#B c", "A", "/wiki/a#section-b-c"),
            ("#B c", "", "#section-b-c"),
            ("C#", "C#", "/wiki/c"),
            ("A \\", "A", "/wiki/a"),
            ("../../x?y&z", "../../x?y&z", "/wiki/x-y-z"),
        ] {
            let target = Target::parse(text).unwrap_or_else(|| panic!("{text:?} is a target"));
            let page = target.slug.as_deref();
            assert_eq!((target.title.as_str(), target.href(page).as_str()), (title, href), "{text:?}");
        }
        for text in ["", " ", "#", "???", "?#x", &"x".repeat(MAX_TITLE + 1), &"ß".repeat(9 * MAX_TITLE)] {
            assert_eq!(Target::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn one_page_has_one_link_however_its_title_is_written() {
        let [composed, decomposed] = ["Café", "Cafe\u{301}"].map(|text| Target::parse(text).unwrap());
        assert_eq!((&composed.title, &composed.slug), (&decomposed.title, &decomposed.slug));
        let target = Target::parse("เก่า#x").unwrap();
        assert_eq!((target.slug.as_deref(), target.old_slug.as_deref()), (Some("เก่า"), Some("เก-า")));
        // A page from before has its old slug.
        let mut pages = Pages::new(|slug: &str| (slug == "เก-า").then(|| slug.to_owned()));
        assert_eq!(pages.lead_to(&target).as_deref(), Some("เก-า"));
        assert_eq!(pages.into_names(), ["เก่า", "เก-า"]);
    }

    #[test]
    fn a_missing_page_is_linked_with_its_title_and_another_by_its_slug() {
        let target = Target::parse("\"C\" & Größe=1#x").unwrap();
        assert_eq!(target.href(None), "/wiki/c-gr%C3%B6%C3%9Fe-1?title=%22C%22%20%26%20Gr%C3%B6%C3%9Fe%3D1");
        assert_eq!(target.href(Some("größe")), "/wiki/gr%C3%B6%C3%9Fe#section-x");
    }

    #[test]
    fn each_page_is_looked_up_once_and_only_so_many() {
        let asked = std::cell::RefCell::new(Vec::new());
        let mut pages = Pages::new(|slug: &str| {
            asked.borrow_mut().push(slug.to_owned());
            None
        });
        for n in 0..MAX_LINKS {
            assert_eq!((pages.find(&n.to_string()), pages.find(&n.to_string())), (None, None));
        }
        assert_eq!(pages.find("one-more").as_deref(), Some("one-more"));
        let names = pages.into_names();
        assert_eq!(names.len(), MAX_LINKS);
        assert_eq!(names, *asked.borrow());
    }
}
