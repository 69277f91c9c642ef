//! A page's content as HTML, and its contents list.

use super::direction::Direction;
use super::outline::Heading;

/// A page's content as HTML.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rendered {
    /// The HTML, for the inside of an element that may hold headings, paragraphs and lists.
    pub html: String,
    /// The headings that have an id, in the order of the page, for a list of contents.
    pub headings: Vec<Heading>,
    /// The direction that most of it runs in.
    pub direction: Direction,
    /// Its language as BCP 47 names it, where that can be told.
    pub language: Option<&'static str>,
    /// How many check boxes it has.
    pub box_count: usize,
}

/// Fewer headings than this are seen at a glance and need no list.
const FEWEST_LISTED: usize = 3;
/// Levels below the highest that a contents list shows.
const DEEPEST: u8 = 2;

impl Rendered {
    /// The contents list: headings, and how far below the highest level each is. Empty if it would be of no use.
    pub fn contents(&self) -> Vec<(u8, &Heading)> {
        if self.headings.len() < FEWEST_LISTED {
            return Vec::new();
        }
        let highest = self.headings.iter().map(|heading| heading.level).min().unwrap_or(1);
        let depths = self.headings.iter().map(|heading| (heading.level - highest, heading));
        depths.filter(|(depth, _)| *depth <= DEEPEST).collect()
    }
}
