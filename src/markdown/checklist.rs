//! Checklists: where in a page its items with a check box are.

use std::ops::Range;

use pulldown_cmark::{Event, Tag, TagEnd};

use super::{parse, split};

/// An item with a check box. All places are bytes of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChecklistItem {
    /// Where the item begins: at the mark of the list.
    pub start: usize,
    /// The check box: `[ ]` or `[x]`.
    pub marker: Range<usize>,
    /// Whether it is checked.
    pub is_checked: bool,
    /// The end of the item's text, with everything below it.
    pub end: usize,
    /// Code in its first lines.
    pub code: Vec<Range<usize>>,
}

/// The items of `markdown` that have a check box, in the order in which the page shows them.
pub fn checklist(markdown: &str) -> Vec<ChecklistItem> {
    // Most pages have none, and need not be parsed.
    if !["[ ]", "[x]", "[X]", "[\t]"].iter().any(|marker| markdown.contains(marker)) {
        return Vec::new();
    }
    let (formatted, rest) = split(markdown);
    // A byte order mark may stand before it.
    let before = markdown.len() - formatted.len() - rest.len();
    let placed = |range: &Range<usize>| range.start + before..range.end + before;
    let mut items: Vec<ChecklistItem> = Vec::new();
    let mut open: Vec<Range<usize>> = Vec::new();
    for (event, range) in parse(formatted) {
        match event {
            Event::Start(Tag::Item) => open.push(range),
            Event::End(TagEnd::Item) => _ = open.pop(),
            Event::TaskListMarker(is_checked) => {
                let Some(item) = open.last() else { continue };
                let text = &formatted[item.clone()];
                let end = item.start + filled(text).len();
                let start = item.start + (text.len() - text.trim_start().len());
                let Range { start, end } = placed(&(start..end));
                // A tab before the box may be a part of its event.
                let marker = range.start + formatted[range.clone()].find('[').unwrap_or_default()..range.end;
                items.push(ChecklistItem { start, marker: placed(&marker), is_checked, end, code: Vec::new() });
            }
            Event::Code(_) => {
                if let Some(item) = items.last_mut() {
                    item.code.push(placed(&range));
                }
            }
            _ => {}
        }
    }
    items
}

/// `text` without empty lines at its end, which may have the marks of quotes.
fn filled(text: &str) -> &str {
    let mut text = text.trim_end();
    while let Some(last) = text.rfind('\n').filter(|last| text[*last..].chars().all(|c| c == '>' || c.is_whitespace()))
    {
        text = text[..last].trim_end();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seen(markdown: &str) -> Vec<(&str, bool)> {
        checklist(markdown).into_iter().map(|item| (&markdown[item.marker.start..item.end], item.is_checked)).collect()
    }

    #[test]
    fn items_are_found_where_they_are_shown() {
        for (markdown, items) in [
            ("- [ ] a\n- b\n- [x] c\n", &[("[ ] a", false), ("[x] c", true)][..]),
            ("\u{feff}1. [X] a\n", &[("[X] a", true)]),
            ("> * [ ] a\n>   - [ ] b\n>\n> c", &[("[ ] a\n>   - [ ] b", false), ("[ ] b", false)]),
            ("- [ ] a\n\n  more\n\nend", &[("[ ] a\n\n  more", false)]),
            ("```\n- [ ] a\n```\n- [ ]b\n\n[ ] c", &[]),
            ("a [x] b", &[]),
        ] {
            assert_eq!(seen(markdown), items, "{markdown}");
        }
    }

    #[test]
    fn an_item_begins_at_its_own_mark_and_knows_its_code() {
        let markdown = "- - [ ] `due:x` a";
        let items = checklist(markdown);
        assert_eq!((items[0].start, &markdown[items[0].code[0].clone()]), (2, "`due:x`"));
    }

    proptest! {
        #[test]
        fn places_are_those_of_check_boxes(markdown in "([-*>] |1\\. |\\[[ xX]\\] |[a`\\n\\t]|\u{e9}| {1,4}){0,40}") {
            for item in checklist(&markdown) {
                let marker = &markdown[item.marker.clone()];
                prop_assert!(matches!(marker, "[ ]" | "[x]" | "[X]" | "[\t]"), "{marker:?}");
                prop_assert!(item.start < item.marker.start && item.marker.end <= item.end.max(item.marker.end));
                prop_assert_eq!(item.is_checked, matches!(marker, "[x]" | "[X]"));
            }
        }
    }
}
