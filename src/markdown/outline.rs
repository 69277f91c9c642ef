//! Headings: an id for each that no other element has, and the list of them.

use std::collections::{HashMap, HashSet};

use wiki_types::path::escaped;
use wiki_types::slug::slugify;

/// The most headings of a page that get an id and a place in the list; the others are only shown.
pub const MAX_HEADINGS: usize = 1000;

/// A heading one can link to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// 1 to 6.
    pub level: u8,
    /// The value of its `id` attribute.
    pub id: String,
    /// Its text, without markup and not escaped.
    pub text: String,
    /// Where it begins in the Markdown.
    pub start: usize,
}

impl Heading {
    /// The URL of the heading on its page: `#` and the id, percent-encoded.
    pub fn href(&self) -> String {
        fragment(&self.id)
    }
}

/// The URL of the element with that id on the same page.
pub fn fragment(id: &str) -> String {
    format!("#{}", escaped(id))
}

/// The id of the first heading that says `text`. The prefix keeps authors from naming an element of the page around
/// theirs, which a label, a script or a style may mean.
pub fn id(text: &str) -> String {
    format!("section-{}", slugify(text))
}

/// The headings of a page so far.
#[derive(Debug, Default)]
pub struct Outline {
    headings: Vec<Heading>,
    used: HashSet<String>,
    /// How often a heading's text was met, so that many of the same text do not each try all numbers.
    repeated: HashMap<String, usize>,
}

impl Outline {
    /// Adds a heading that begins at `start`, and says what its id is: the one its text gives, with a number if it is not the first. None if
    /// there are [`MAX_HEADINGS`].
    pub fn add(&mut self, level: u8, text: &str, start: usize) -> Option<&Heading> {
        if self.headings.len() == MAX_HEADINGS {
            return None;
        }
        let first = id(text);
        let mut id = first.clone();
        while !self.used.insert(id.clone()) {
            let number = self.repeated.entry(first.clone()).or_default();
            *number += 1;
            id = format!("{first}-{number}");
        }
        self.headings.push(Heading { level, id, text: text.to_owned(), start });
        self.headings.last()
    }

    /// The headings in the order they were added.
    pub fn into_headings(self) -> Vec<Heading> {
        self.headings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_headings_have_one_id() {
        let mut outline = Outline::default();
        for text in ["A", "A", "A 1", "a!", "a 1", "A 2", "", "?"] {
            outline.add(2, text, 0);
        }
        let ids: Vec<_> = outline.into_headings().into_iter().map(|heading| heading.id).collect();
        let expected = [
            "section-a",
            "section-a-1",
            "section-a-1-1",
            "section-a-2",
            "section-a-1-2",
            "section-a-2-1",
            "section-page",
            "section-page-1",
        ];
        assert_eq!(ids, expected);
    }

    #[test]
    fn a_heading_has_a_url() {
        let heading = Heading { level: 1, id: id("Größe"), text: "Größe".to_owned(), start: 0 };
        assert_eq!(heading.href(), "#section-gr%C3%B6%C3%9Fe");
    }

    #[test]
    fn headings_are_only_so_many() {
        let mut outline = Outline::default();
        assert!((0..MAX_HEADINGS).all(|_| outline.add(1, "same", 0).is_some()));
        assert_eq!(outline.add(1, "one more", 0), None);
    }
}
