//! Footnotes: numbered in the order they are first referred to, and shown below the page.

use std::collections::{HashMap, HashSet};
use std::fmt::Write;

use pulldown_cmark::{Event, LinkType, Tag, TagEnd};

/// The most links from a footnote back to where it is referred to.
const MAX_BACK_LINKS: usize = 20;

/// The footnotes of a page so far. A label is what the author wrote between `[^` and `]`.
#[derive(Debug, Default)]
pub struct Footnotes {
    /// The labels of the notes that are shown.
    used: HashSet<String>,
    /// The HTML of each label's note, the first if there are several.
    notes: HashMap<String, String>,
    /// Index in `referred` by label.
    numbers: HashMap<String, usize>,
    /// The labels that were referred to, and how often.
    referred: Vec<(String, usize)>,
}

/// The labels that the text refers to, or a note that is shown.
fn used<'a>(events: impl Iterator<Item = Event<'a>>) -> HashSet<String> {
    let mut in_text: Vec<String> = Vec::new();
    let mut in_notes: HashMap<String, Vec<String>> = HashMap::new();
    let mut open: Vec<(String, Vec<String>)> = Vec::new();
    let mut images = 0;
    for event in events {
        match event {
            // A wiki link is a link, even if it begins like an image. In an image's description, nothing is referred to.
            Event::Start(Tag::Image { link_type, .. }) if !matches!(link_type, LinkType::WikiLink { .. }) => {
                images += 1
            }
            Event::End(TagEnd::Image) if images > 0 => images -= 1,
            Event::Start(Tag::FootnoteDefinition(label)) => open.push((normal(&label), Vec::new())),
            Event::End(TagEnd::FootnoteDefinition) => {
                if let Some((label, labels)) = open.pop() {
                    in_notes.entry(label).or_insert(labels);
                }
            }
            Event::FootnoteReference(label) if images == 0 => {
                open.last_mut().map_or(&mut in_text, |(_, labels)| labels).push(normal(&label));
            }
            _ => {}
        }
    }
    let mut used = HashSet::new();
    while let Some(label) = in_text.pop() {
        in_text.extend(in_notes.remove(&label).unwrap_or_default());
        used.insert(label);
    }
    used
}

impl Footnotes {
    /// The footnotes of a page with these events.
    pub fn of<'a>(events: impl Iterator<Item = Event<'a>>) -> Self {
        Self { used: used(events), ..Self::default() }
    }

    /// Whether a note of `label` that begins now is shown: something shown refers to it, and it is the first.
    pub fn shows(&self, label: &str) -> bool {
        let label = normal(label);
        self.used.contains(&label) && !self.notes.contains_key(&label)
    }

    /// The note `html` of `label`.
    pub fn define(&mut self, label: &str, html: String) {
        self.notes.entry(normal(label)).or_insert(html);
    }

    /// Writes a reference to `label`. The parser knows none in a link, which could hold no other.
    pub fn refer(&mut self, label: &str, out: &mut String) {
        let label = normal(label);
        let index = *self.numbers.entry(label).or_insert_with_key(|label| {
            self.referred.push((label.clone(), 0));
            self.referred.len() - 1
        });
        let number = index + 1;
        let count = &mut self.referred[index].1;
        *count += 1;
        out.push_str("<sup><a");
        if *count <= MAX_BACK_LINKS {
            push(out, format_args!(" id=\"{}\"", reference_id(number, *count)));
        }
        push(out, format_args!(" href=\"#fn-{number}\" aria-label=\"Footnote {number}\">{number}</a></sup>"));
    }

    /// Writes the notes that were referred to.
    pub fn write(mut self, out: &mut String) {
        if self.referred.is_empty() {
            return;
        }
        out.push_str("<section class=\"footnotes\" aria-label=\"Footnotes\">\n<ol>\n");
        for (index, (label, count)) in self.referred.iter().enumerate() {
            let number = index + 1;
            push(out, format_args!("<li id=\"fn-{number}\">\n"));
            let note = self.notes.remove(label).unwrap_or_default();
            // The links back stand at the end of the note's last paragraph.
            let body = note.strip_suffix("</p>\n");
            out.push_str(body.unwrap_or(&note));
            out.push_str(if body.is_some() { "" } else { "<p>" });
            for count in 1..=(*count).min(MAX_BACK_LINKS) {
                let id = reference_id(number, count);
                push(out, format_args!(" <a class=\"back\" href=\"#{id}\" aria-label=\"Back to reference {number}"));
                if count > 1 {
                    push(out, format_args!("-{count}"));
                }
                out.push_str("\">↩</a>");
            }
            out.push_str("</p>\n</li>\n");
        }
        out.push_str("</ol>\n</section>\n");
    }
}

fn reference_id(number: usize, count: usize) -> String {
    if count == 1 { format!("fnref-{number}") } else { format!("fnref-{number}-{count}") }
}

/// Labels are compared without regard to case, as the parser does. Upper case comes first, as ß and SS are the same.
fn normal(label: &str) -> String {
    label.to_uppercase().to_lowercase()
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = out.write_fmt(text);
}
