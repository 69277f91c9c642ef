//! The parser's events written as HTML. With its part `raw`, `math.rs` and `highlight` the only file that writes tags, all
//! of them from short lists.

mod raw;

use std::mem;
use std::ops::Range;

use pulldown_cmark::{Alignment, BlockQuoteKind, CodeBlockKind, CowStr, Event, LinkType, Tag, TagEnd};
use wiki_types::rules;

use super::autolink::{self, Piece};
use super::boxes::{self, Boxes};
use super::direction::{self, Direction, Letters};
use super::emoji;
use super::escape::{self, escape};
use super::footnotes::Footnotes;
use super::highlight::{self, MAX_PIECES};
use super::math::{self, MAX_FORMULAS};
use super::outline::Outline;
use super::pictures::{self, Pictures};
use super::rendered::Rendered;
use super::url;
use super::wiki_link::{Pages, Target};

/// How deep quotes, lists and emphasis are nested in the HTML; of deeper ones the content is shown.
///
/// Browsers give up at 512 elements of any kind.
pub const MAX_NESTING: usize = 100;

/// A page on its way from events to HTML.
pub struct Writer<'a, F> {
    source: &'a str,
    title: &'a str,
    out: String,
    /// Text that is not written yet: a URL in it may go on in the next event.
    text: String,
    /// The description of the image that is open.
    alt: Option<String>,
    /// The heading that is open.
    heading: Option<Heading>,
    /// The open links and images.
    open: Vec<Open<'a>>,
    /// How many of them are links a reader can follow.
    links: usize,
    /// How many quotes, lists and emphases are open.
    nesting: usize,
    /// How many of the parser's elements are open.
    depth: usize,
    /// The direction of the page.
    direction: Direction,
    /// The letters written so far.
    letters: Letters,
    /// For each open element: if it is a block of the page, where it starts, and the letters before it.
    blocks: Vec<Option<(usize, Letters)>>,
    /// The author's own elements that are open, and the depth they were opened in, which they end with.
    raw: Vec<(&'static str, usize)>,
    /// The block of HTML that is open.
    html: String,
    table: Table,
    /// The block of code that is open.
    code: Option<Code>,
    /// How many more pieces of code get a color.
    pieces: usize,
    /// How many more bytes of formulas are read.
    formulas: usize,
    /// The labels of the open footnotes, and what was written before them.
    notes: Vec<(CowStr<'a>, String)>,
    footnotes: Footnotes,
    outline: Outline,
    pages: Pages<F>,
    boxes: &'a Boxes,
    pictures: &'a Pictures,
    /// How many check boxes were written.
    box_count: usize,
}

struct Heading {
    /// Where in the output it starts.
    start: usize,
    text: String,
    first: bool,
}

struct Code {
    /// The first word after its fence.
    language: Option<String>,
    text: String,
}

enum Open<'a> {
    /// Not shown as such: in an image's description, or refused.
    Nothing,
    /// A link.
    Link,
    /// A wiki link, where its text starts, and the text if there is no other.
    Wiki(usize, CowStr<'a>),
    /// A wiki link with words for what it names.
    Named(String),
    /// An image, and its URL if it is allowed.
    Image(Option<String>, CowStr<'a>),
}

#[derive(Default)]
struct Table {
    alignments: Vec<Alignment>,
    column: usize,
    head: bool,
}

impl<'a, F: Fn(&str) -> Option<String>> Writer<'a, F> {
    /// A writer of the page `source`, shown below `title`.
    pub fn new(
        source: &'a str,
        title: &'a str,
        footnotes: Footnotes,
        pages: Pages<F>,
        boxes: &'a Boxes,
        pictures: &'a Pictures,
    ) -> Self {
        Self {
            source,
            title,
            out: String::with_capacity(source.len() + source.len() / 4),
            text: String::new(),
            alt: None,
            heading: None,
            open: Vec::new(),
            links: 0,
            nesting: 0,
            depth: 0,
            direction: direction::of_page(source),
            letters: Letters::default(),
            blocks: Vec::new(),
            raw: Vec::new(),
            html: String::new(),
            table: Table::default(),
            code: None,
            pieces: MAX_PIECES,
            formulas: MAX_FORMULAS,
            notes: Vec::new(),
            footnotes,
            outline: Outline::default(),
            pages,
            boxes,
            pictures,
            box_count: 0,
        }
    }

    /// The page, followed by `rest` as it is written.
    pub fn finish(mut self, rest: &str) -> Rendered {
        self.flush();
        self.close_raw();
        if !rest.is_empty() {
            self.out.push_str("<p><em>The rest of this page has too much markup to be formatted.</em></p>\n");
            self.out.push_str("<pre tabindex=\"0\">\n");
            escape::push(&mut self.out, rest);
            self.out.push_str("</pre>\n");
        }
        self.footnotes.write(&mut self.out);
        Rendered {
            html: self.out,
            headings: self.outline.into_headings(),
            direction: self.direction,
            language: None,
            box_count: self.box_count,
        }
    }

    /// Writes an event, which stands at `range` of the source.
    pub fn event(&mut self, event: Event<'a>, range: Range<usize>) {
        match event {
            Event::Text(_) if matches!(self.open.last(), Some(Open::Named(_))) => return,
            Event::Text(text) => return self.text(&text, range.start),
            _ => self.flush(),
        }
        match event {
            Event::Start(tag) => {
                if is_block(&tag) {
                    self.close_lines();
                }
                self.depth += 1;
                let has_direction = has_direction(&tag) && self.nesting < MAX_NESTING;
                self.blocks.push(has_direction.then_some((self.out.len(), self.letters)));
                self.start(tag);
            }
            // What is open stays so: it was opened beside the block, and may end in another.
            Event::End(TagEnd::HtmlBlock) => {
                self.blocks.pop();
                self.html_block();
            }
            Event::End(tag) => {
                self.close_raw();
                self.depth -= 1;
                self.end(tag, range);
                self.end_block();
            }
            Event::Code(code) => self.inline("<code>", &code, "</code>"),
            Event::InlineMath(latex) => self.formula(&latex, false),
            Event::DisplayMath(latex) => self.formula(&latex, true),
            Event::Html(html) => self.html.push_str(&html),
            Event::InlineHtml(html) => self.inline_html(&html),
            Event::SoftBreak => self.inline("\n", "", ""),
            Event::HardBreak => self.inline("<br>\n", "", ""),
            Event::Rule => {
                self.close_lines();
                self.out.push_str("<hr>\n");
            }
            Event::FootnoteReference(label) if self.alt.is_none() => {
                // Nothing leads back to a note that is not shown.
                if self.notes.last().is_none_or(|(note, _)| self.footnotes.shows(note)) {
                    self.footnotes.refer(&label, &mut self.out);
                }
            }
            Event::TaskListMarker(done) => {
                boxes::write(&mut self.out, self.boxes, self.box_count, done, self.source, &range);
                self.box_count += 1;
            }
            Event::Text(_) | Event::FootnoteReference(_) => {}
        }
    }

    /// Text is collected, as one URL may come in several events.
    fn text(&mut self, text: &str, start: usize) {
        if let Some(code) = &mut self.code {
            code.text.push_str(text);
            return;
        }
        // A backslash before these keeps what would be a URL or an address from being one.
        let escaped = start.checked_sub(1).and_then(|at| self.source.as_bytes().get(at)) == Some(&b'\\');
        if escaped && text.starts_with([':', '.', '@']) {
            self.flush();
        }
        self.text.push_str(text);
    }

    /// Writes the text collected so far, with its URLs as links.
    fn flush(&mut self) {
        if self.text.is_empty() {
            return;
        }
        let mut text = mem::take(&mut self.text);
        self.note(&emoji::replaced(&text));
        self.letters.add(&text);
        if self.alt.is_some() {
        } else if self.links > 0 {
            escape::push(&mut self.out, &emoji::replaced(&text));
        } else {
            autolink::split(&text, |piece| match piece {
                Piece::Text(text) => escape::push(&mut self.out, &emoji::replaced(text)),
                Piece::Link(text, prefix) => {
                    let opened = self.anchor(&format!("{prefix}{text}"), "");
                    escape::push(&mut self.out, text);
                    self.out.push_str(if opened { "</a>" } else { "" });
                }
            });
        }
        text.clear();
        self.text = text;
    }

    /// Adds to the plain text of the heading or image that is open.
    fn note(&mut self, text: &str) {
        if let Some(alt) = &mut self.alt {
            alt.push_str(text);
        } else if let Some(heading) = &mut self.heading {
            heading.text.push_str(text);
        }
    }

    /// Writes `text` between two tags; in an image's description, only the text, and a break as a space.
    fn inline(&mut self, before: &'static str, text: &str, after: &'static str) {
        self.note(if text.is_empty() { " " } else { text });
        if self.alt.is_none() {
            self.out.push_str(before);
            escape::push(&mut self.out, text);
            self.out.push_str(after);
        }
    }

    /// Says of the element that ended in which direction it runs, if that is not the page's.
    fn end_block(&mut self) {
        let Some((start, before)) = self.blocks.pop().flatten() else { return };
        let Some(direction) = self.letters.since(before).direction() else { return };
        if direction != self.direction
            && let Some(end_of_name) = self.out[start..].find([' ', '>'])
        {
            let attribute = if direction == Direction::Rtl { " dir=\"rtl\"" } else { " dir=\"ltr\"" };
            self.out.insert_str(start + end_of_name, attribute);
        }
    }

    /// Writes a formula; its source if it cannot be read, and in an image's description.
    fn formula(&mut self, latex: &str, display: bool) {
        let dollars = if display { "$$" } else { "$" };
        self.note(&[dollars, latex, dollars].concat());
        if self.alt.is_some() {
            return;
        }
        self.formulas = self.formulas.saturating_sub(latex.len());
        let mathml = if self.formulas > 0 { math::render(latex, display) } else { None };
        match mathml {
            Some(mathml) => self.out.push_str(&mathml),
            None => {
                self.out.push_str("<code>");
                escape::push(&mut self.out, latex);
                self.out.push_str("</code>");
            }
        }
    }

    fn start(&mut self, tag: Tag<'a>) {
        match tag {
            Tag::Paragraph => self.out.push_str("<p>"),
            Tag::Heading { .. } => {
                self.heading = Some(Heading { start: self.out.len(), text: String::new(), first: self.out.is_empty() });
            }
            Tag::BlockQuote(None) => self.nest("<blockquote>\n"),
            Tag::BlockQuote(Some(kind)) => self.nest(alert(kind)),
            Tag::CodeBlock(kind) => self.start_code(&kind),
            // An element that begins in it may end in another.
            Tag::HtmlBlock => self.depth -= 1,
            Tag::List(None) => self.nest("<ul>\n"),
            Tag::List(Some(1)) => self.nest("<ol>\n"),
            Tag::List(Some(start)) => self.nest(&format!("<ol start=\"{start}\">\n")),
            Tag::Item => self.out.push_str(if self.nesting <= MAX_NESTING { "<li>" } else { "" }),
            Tag::FootnoteDefinition(label) => self.notes.push((label, mem::take(&mut self.out))),
            Tag::Table(alignments) => {
                self.table = Table { alignments, ..Table::default() };
                self.out
                    .push_str("<div class=\"table\" role=\"group\" aria-label=\"Table\" tabindex=\"0\">\n<table>\n");
            }
            Tag::TableHead => {
                self.table.head = true;
                self.table.column = 0;
                self.out.push_str("<thead>\n<tr>\n");
            }
            Tag::TableRow => {
                self.table.column = 0;
                self.out.push_str("<tr>\n");
            }
            Tag::TableCell => {
                self.out.push_str(if self.table.head { "<th" } else { "<td" });
                self.out.push_str(match self.table.alignments.get(self.table.column) {
                    Some(Alignment::Left) => " class=\"left\">",
                    Some(Alignment::Center) => " class=\"center\">",
                    Some(Alignment::Right) => " class=\"right\">",
                    Some(Alignment::None) | None => ">",
                });
            }
            Tag::Emphasis => self.nest("<em>"),
            Tag::Strong => self.nest("<strong>"),
            Tag::Strikethrough => self.nest("<del>"),
            Tag::Link { link_type: LinkType::WikiLink { has_pothole }, dest_url, .. }
            | Tag::Image { link_type: LinkType::WikiLink { has_pothole }, dest_url, .. } => {
                self.start_wiki_link(dest_url, has_pothole);
            }
            Tag::Link { link_type, dest_url, title, .. } => self.start_link(link_type, &dest_url, &title),
            Tag::Image { dest_url, title, .. } => self.start_image(&dest_url, title),
            Tag::DefinitionList => self.nest("<dl>\n"),
            Tag::DefinitionListTitle => self.out.push_str(if self.nesting <= MAX_NESTING { "<dt>" } else { "" }),
            Tag::DefinitionListDefinition => self.out.push_str(if self.nesting <= MAX_NESTING { "<dd>" } else { "" }),
            // None of these is turned on.
            Tag::Superscript | Tag::Subscript | Tag::MetadataBlock(_) => {}
        }
    }

    fn end(&mut self, tag: TagEnd, range: Range<usize>) {
        match tag {
            TagEnd::Paragraph => self.out.push_str("</p>\n"),
            TagEnd::Heading(level) => self.end_heading(level as u8, range),
            TagEnd::BlockQuote(None) => self.unnest("</blockquote>\n"),
            TagEnd::BlockQuote(Some(_)) => self.unnest("</div>\n"),
            TagEnd::CodeBlock => self.end_code(),
            TagEnd::HtmlBlock => {}
            TagEnd::List(false) => self.unnest("</ul>\n"),
            TagEnd::List(true) => self.unnest("</ol>\n"),
            TagEnd::Item => self.out.push_str(if self.nesting <= MAX_NESTING { "</li>\n" } else { "" }),
            TagEnd::FootnoteDefinition => {
                if let Some((label, before)) = self.notes.pop() {
                    let note = mem::replace(&mut self.out, before);
                    self.footnotes.define(&label, note);
                }
            }
            TagEnd::Table => self.out.push_str("</tbody>\n</table>\n</div>\n"),
            TagEnd::TableHead => {
                self.table.head = false;
                self.out.push_str("</tr>\n</thead>\n<tbody>\n");
            }
            TagEnd::TableRow => self.out.push_str("</tr>\n"),
            TagEnd::TableCell => {
                self.out.push_str(if self.table.head { "</th>\n" } else { "</td>\n" });
                self.table.column += 1;
            }
            TagEnd::Emphasis => self.unnest("</em>"),
            TagEnd::Strong => self.unnest("</strong>"),
            TagEnd::Strikethrough => self.unnest("</del>"),
            TagEnd::Link | TagEnd::Image => self.end_link(),
            TagEnd::DefinitionList => self.unnest("</dl>\n"),
            TagEnd::DefinitionListTitle => self.out.push_str(if self.nesting <= MAX_NESTING { "</dt>\n" } else { "" }),
            TagEnd::DefinitionListDefinition => {
                self.out.push_str(if self.nesting <= MAX_NESTING { "</dd>\n" } else { "" })
            }
            TagEnd::Superscript | TagEnd::Subscript | TagEnd::MetadataBlock(_) => {}
        }
    }

    /// Opens something that can contain itself. Not in an image's description, and not too deep.
    fn nest(&mut self, tag: &str) {
        self.nesting += 1;
        if self.nesting <= MAX_NESTING && self.alt.is_none() {
            self.out.push_str(tag);
        }
    }

    fn unnest(&mut self, tag: &str) {
        if self.nesting <= MAX_NESTING && self.alt.is_none() {
            self.out.push_str(tag);
        }
        self.nesting -= 1;
    }

    fn start_code(&mut self, kind: &CodeBlockKind<'_>) {
        let language = match kind {
            CodeBlockKind::Fenced(info) => info.split_whitespace().next(),
            CodeBlockKind::Indented => None,
        };
        self.code = Some(Code { language: language.map(str::to_owned), text: String::new() });
    }

    fn end_code(&mut self) {
        let Some(Code { language, text }) = self.code.take() else { return };
        if language.as_deref() == Some("math") {
            self.out.push_str("<p>");
            self.formula(text.trim(), true);
            self.out.push_str("</p>\n");
        } else {
            highlight::write(&mut self.out, language.as_deref(), &text, &mut self.pieces);
        }
    }

    /// A heading has a link to itself beside it, and one to edit its section: not in it, where they would be read as parts of its
    /// name.
    fn end_heading(&mut self, level: u8, range: Range<usize>) {
        let Some(heading) = self.heading.take() else { return };
        let text = heading.text.trim();
        let html = self.out.split_off(heading.start);
        if heading.first
            && level == 1
            && (rules::composed(text) == rules::composed(self.title)
                || heading_source(&self.source[range.clone()]) == self.title)
        {
            return;
        }
        let id = match self.notes.is_empty() {
            true => self.outline.add(level, text, range.start).map(|heading| (heading.id.clone(), heading.href())),
            // A footnote may come to be shown elsewhere, or not at all.
            false => None,
        };
        let out = &mut self.out;
        match id {
            None => out.extend(["<h", digit(level), ">", &html, "</h", digit(level), ">\n"]),
            Some((id, href)) => {
                out.extend([
                    "<div class=\"heading\"><h",
                    digit(level),
                    " id=\"",
                    &escape(&id),
                    "\">",
                    &html,
                    "</h",
                    digit(level),
                    "><a class=\"anchor\" href=\"",
                    &href,
                    "\" aria-label=\"Link to this section: ",
                    &escape(text),
                    "\">#</a>",
                ]);
                if let Some(form) = &self.boxes.sections {
                    out.extend([
                        "<a class=\"edit-section\" href=\"",
                        &escape(form),
                        "?section=",
                        &href[1..],
                        "\" rel=\"nofollow\" aria-label=\"Edit section: ",
                        &escape(text),
                        "\">Edit</a>",
                    ]);
                }
                out.push_str("</div>\n");
            }
        }
    }

    fn start_link(&mut self, link_type: LinkType, dest: &str, title: &str) {
        let mail = if link_type == LinkType::Email { "mailto:" } else { "" };
        if self.alt.is_none() && self.links == 0 && self.anchor(&format!("{mail}{dest}"), title) {
            self.links += 1;
            self.open.push(Open::Link);
        } else {
            self.open.push(Open::Nothing);
        }
    }

    /// Opens a link to `url`. Writes nothing and says no if it is not allowed.
    fn anchor(&mut self, url: &str, title: &str) -> bool {
        let Some(url) = url::link(url) else { return false };
        self.out.extend(["<a href=\"", &escape(&url.href), "\""]);
        if !title.is_empty() {
            self.out.extend([" title=\"", &escape(title), "\""]);
        }
        // For search engines: anyone could have added the link.
        self.out.push_str(if url.external { " rel=\"nofollow ugc\">" } else { ">" });
        true
    }

    fn start_wiki_link(&mut self, dest: CowStr<'a>, has_text: bool) {
        let target = Target::parse(&dest);
        // Asked in any case, so that the same pages are looked up as `links` names.
        let page = target.as_ref().and_then(|target| self.pages.lead_to(target));
        let Some(target) = target.filter(|_| self.alt.is_none() && self.links == 0) else {
            return self.open.push(Open::Nothing);
        };
        let missing = page.is_none() && target.slug.is_some();
        self.out.push_str(if missing { "<a class=\"missing\" href=\"" } else { "<a href=\"" });
        self.out.push_str(&escape(&target.href(page.as_deref())));
        if missing {
            self.out.extend(["\" title=\"", &escape(&target.title), " (no such page yet)"]);
        }
        self.out.push_str("\">");
        self.links += 1;
        self.open.push(match target.words.filter(|_| !has_text) {
            Some(words) => Open::Named(words),
            None => Open::Wiki(self.out.len(), dest),
        });
    }

    fn start_image(&mut self, dest: &str, title: CowStr<'a>) {
        if self.alt.is_some() {
            return self.open.push(Open::Nothing);
        }
        self.alt = Some(String::new());
        self.open.push(Open::Image(url::image(dest).map(|url| url.href), title));
    }

    /// Links and images end in the order they started, so one list serves both.
    fn end_link(&mut self) {
        match self.open.pop() {
            None | Some(Open::Nothing) => {}
            Some(Open::Named(words)) => {
                self.note(&words);
                escape::push(&mut self.out, &words);
                self.links -= 1;
                self.out.push_str("</a>");
            }
            Some(Open::Wiki(start, name)) => {
                if self.out.len() == start {
                    self.note(&name);
                    escape::push(&mut self.out, &name);
                }
                self.links -= 1;
                self.out.push_str("</a>");
            }
            Some(Open::Link) => {
                self.links -= 1;
                self.out.push_str("</a>");
            }
            Some(Open::Image(src, title)) => self.image(src.as_deref(), &title),
        }
    }

    fn image(&mut self, src: Option<&str>, title: &str) {
        let alt = self.alt.take().unwrap_or_default();
        self.note(&alt);
        let Some(src) = src else { return escape::push(&mut self.out, &alt) };
        pictures::write(&mut self.out, self.pictures, src, &alt, title);
    }
}

/// The start of an alert, and its name for the reader.
fn alert(kind: BlockQuoteKind) -> &'static str {
    match kind {
        BlockQuoteKind::Note => "<div class=\"alert note\" role=\"note\">\n<p class=\"alert-kind\">Note</p>\n",
        BlockQuoteKind::Tip => "<div class=\"alert tip\" role=\"note\">\n<p class=\"alert-kind\">Tip</p>\n",
        BlockQuoteKind::Important => {
            "<div class=\"alert important\" role=\"note\">\n<p class=\"alert-kind\">Important</p>\n"
        }
        BlockQuoteKind::Warning => "<div class=\"alert warning\" role=\"note\">\n<p class=\"alert-kind\">Warning</p>\n",
        BlockQuoteKind::Caution => "<div class=\"alert caution\" role=\"note\">\n<p class=\"alert-kind\">Caution</p>\n",
    }
}

/// Whether the element can run in a direction of its own: what is in it follows.
fn has_direction(tag: &Tag<'_>) -> bool {
    matches!(
        tag,
        Tag::Paragraph | Tag::Heading { .. } | Tag::BlockQuote(_) | Tag::List(_) | Tag::DefinitionList | Tag::Table(_)
    )
}

/// Whether the element is a block, which no part of a line goes around.
fn is_block(tag: &Tag<'_>) -> bool {
    !matches!(tag, Tag::Emphasis | Tag::Strong | Tag::Strikethrough | Tag::Link { .. } | Tag::Image { .. })
}

/// The text of a heading as its author wrote it.
fn heading_source(source: &str) -> &str {
    source.lines().next().unwrap_or_default().trim().trim_matches('#').trim()
}

fn digit(level: u8) -> &'static str {
    ["1", "2", "3", "4", "5", "6"][usize::from(level).clamp(1, 6) - 1]
}
