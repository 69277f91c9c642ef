//! Markdown to HTML that is safe to show to anyone: GitHub's tables, task lists, footnotes, alerts, formulas, emoji and bare
//! URLs, definition lists, a part of HTML, and wiki links.
//!
//! Nothing an author writes reaches the HTML but as escaped text, as an attribute value that was checked, or as one of the
//! elements that `writer.rs` knows. `docs/MARKDOWN.md` says what authors can write.

mod autolink;
mod boxes;
mod checklist;
mod direction;
mod emoji;
mod escape;
mod footnotes;
mod highlight;
mod html;
mod language;
mod math;
mod mentions;
mod outline;
mod pictures;
mod plain;
mod rendered;
#[cfg(test)]
mod tests;
mod title;
mod url;
mod wiki_link;
mod writer;

use std::ops::Range;

use pulldown_cmark::{CowStr, Event, LinkType, Options, Parser, Tag, TagEnd};

pub use boxes::{Boxes, MAX_BOXES, Note};
pub use checklist::{ChecklistItem, checklist};
pub use direction::Direction;
use footnotes::Footnotes;
pub use language::of_page as language_of;
pub use mentions::mentions;
pub use outline::{Heading, MAX_HEADINGS, fragment};
pub use pictures::{Picture, Pictures, files};
pub use plain::{Plain, plain};
pub use rendered::Rendered;
pub use title::title_of;
pub use wiki_link::MAX_LINKS;
use wiki_link::Pages;
pub use writer::MAX_NESTING;
use writer::Writer;

/// The most characters that can begin or end markup which are read as such; what follows them is shown as it is written.
///
/// This bounds the parser's tree, which has up to three nodes for each: a mebibyte of brackets would need more memory than
/// an instance has. Prose has one in 50 bytes and source code one in ten, so that pages written by people are as long as
/// a page may be before they reach it.
pub const MAX_MARKUP: usize = 160_000;

/// The names by which `markdown` has wiki links, slugs of titles, each once, in the order of the page, at most [`MAX_LINKS`].
pub fn links(markdown: &str) -> Vec<String> {
    let mut pages = Pages::new(|_| None);
    if markdown.contains("[[") {
        for (event, _) in parse(split(markdown).0) {
            if let Some(target) = wiki_link(&event).and_then(wiki_link::Target::parse) {
                pages.lead_to(&target);
            }
        }
    }
    pages.into_names()
}

/// Where the section is whose heading has that `id` on a page that shows `title` above it: from the line of its heading to that of
/// the next one of its level or a higher one, without the line ends before that.
pub fn section(markdown: &str, title: &str, id: &str) -> Option<Range<usize>> {
    let headings = render(markdown, title, |_| None).headings;
    let at = headings.iter().position(|heading| heading.id == id)?;
    let skipped = markdown.len() - unmarked(markdown).len();
    let line_of = |start: usize| markdown[..start + skipped].rfind('\n').map_or(0, |end| end + 1);
    let start = line_of(headings[at].start);
    let next = headings[at + 1..].iter().find(|heading| heading.level <= headings[at].level);
    let end = next.map_or(markdown.len(), |next| line_of(next.start));
    // Two headings on one line are in one list item; there is nothing to tell them apart by.
    (start < end).then(|| start..start + markdown[start..end].trim_end_matches(['\n', '\r']).len())
}

/// `markdown` as HTML, for a page that shows `title` above it.
///
/// `look_up` says which slug the page has that a name leads to, if there is one; it is asked once for each of [`links`] and
/// for no other. A heading of level 1 that begins the page and says `title` again is left out.
pub fn render(markdown: &str, title: &str, look_up: impl Fn(&str) -> Option<String>) -> Rendered {
    render_with(markdown, title, look_up, &Boxes::default(), &Pictures::new())
}

/// The same with check boxes as `boxes` says, and with what is known of the wiki's own `pictures`.
pub fn render_with(
    markdown: &str,
    title: &str,
    look_up: impl Fn(&str) -> Option<String>,
    boxes: &Boxes,
    pictures: &Pictures,
) -> Rendered {
    let (formatted, rest) = split(markdown);
    let footnotes = match formatted.contains("[^") {
        true => Footnotes::of(parse(formatted).map(|(event, _)| event)),
        false => Footnotes::default(),
    };
    let mut writer = Writer::new(formatted, title, footnotes, Pages::new(look_up), boxes, pictures);
    for (event, range) in parse(formatted) {
        writer.event(event, range);
    }
    Rendered { language: language::of_page(markdown), ..writer.finish(rest) }
}

/// The parser's events, each with its place in `markdown`.
fn parse(markdown: &str) -> impl Iterator<Item = (Event<'_>, Range<usize>)> {
    Parser::new_ext(markdown, extensions()).into_offset_iter().flat_map(move |(event, range)| {
        let (event, rest) = match event {
            Event::InlineMath(inside) if !math::is_formula(markdown, &range) => (None, between_dollars(inside)),
            event => (Some(event), Vec::new()),
        };
        let place = range.clone();
        event.map(|event| (event, range)).into_iter().chain(rest.into_iter().map(move |event| (event, place.clone())))
    })
}

fn extensions() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_WIKILINKS
        | Options::ENABLE_GFM
        | Options::ENABLE_MATH
        | Options::ENABLE_DEFINITION_LIST
}

/// The events of what stands between two dollars that are no formula's: text, with its markup.
fn between_dollars(inside: CowStr<'_>) -> Vec<Event<'_>> {
    let dollar = || Event::Text(CowStr::Borrowed("$"));
    let mut events: Vec<Event<'static>> = Parser::new_ext(&inside, extensions()).map(Event::into_static).collect();
    let is_paragraph = |event: Option<&Event<'_>>| matches!(event, Some(Event::Start(Tag::Paragraph)));
    let is_line = is_paragraph(events.first())
        && events.iter().position(|event| matches!(event, Event::End(TagEnd::Paragraph))) == Some(events.len() - 1);
    if !is_line {
        return vec![dollar(), Event::Text(inside), dollar()];
    }
    events[0] = dollar();
    if let Some(end) = events.last_mut() {
        *end = dollar();
    }
    events
}

/// What stands before the `|` of a wiki link, if the event begins one. Pages cannot be embedded, so `![[…]]` is one too.
fn wiki_link<'a>(event: &'a Event<'_>) -> Option<&'a str> {
    match event {
        Event::Start(
            Tag::Link { link_type: LinkType::WikiLink { .. }, dest_url, .. }
            | Tag::Image { link_type: LinkType::WikiLink { .. }, dest_url, .. },
        ) => Some(dest_url),
        _ => None,
    }
}

/// What is read as Markdown, and the rest, which starts at the last paragraph or line that begins within [`MAX_MARKUP`].
fn split(markdown: &str) -> (&str, &str) {
    let markdown = unmarked(markdown);
    let limit = match markdown.len() {
        // A short text cannot have too many.
        0..=MAX_MARKUP => None,
        _ => (0..markdown.len()).filter(|at| is_markup(markdown.as_bytes(), *at)).nth(MAX_MARKUP),
    };
    let Some(limit) = limit else { return (markdown, "") };
    // Markup is ASCII, so this is the boundary of a character.
    let formatted = &markdown[..limit];
    let end = formatted.rfind("\n\n").or_else(|| formatted.rfind('\n')).map_or(limit, |at| at + 1);
    markdown.split_at(end)
}

/// `text` without the byte order mark that some editors put before it.
fn unmarked(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Whether the parser may make a node of the byte: a line's end, an inline mark, or the mark of a list or quote, of which
/// a line may have many.
fn is_markup(text: &[u8], at: usize) -> bool {
    match text[at] {
        b'\n' | b'\r' | b'*' | b'_' | b'~' | b'`' | b'[' | b']' | b'<' | b'>' | b'&' | b'|' | b'\\' | b'$' => true,
        b'-' | b'+' => text.get(at + 1).is_none_or(u8::is_ascii_whitespace),
        b'.' | b')' => at > 0 && text[at - 1].is_ascii_digit(),
        _ => false,
    }
}
