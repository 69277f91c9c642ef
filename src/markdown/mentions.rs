//! Mentions: usernames after an `@` in the text of a page.

use pulldown_cmark::{Event, Tag, TagEnd};
use wiki_types::rules;

use super::{parse, split};

/// Characters before an `@` with which it is no mention: a part of a word, or of an address.
const BEFORE: [char; 9] = ['/', '@', '.', '_', '-', '+', '=', ':', '\\'];

/// The usernames that `markdown` mentions, in lower case and in the order of the page, each as often as it is there.
///
/// Not in code, nor in what a link shows, and not if the `@` is escaped.
pub fn mentions(markdown: &str) -> Vec<String> {
    if !markdown.contains('@') {
        return Vec::new();
    }
    let (formatted, rest) = split(markdown);
    let mut found = Vec::new();
    // The parser may end a piece of text within a name: pieces that follow each other are read as one.
    let mut text = String::new();
    let (mut in_code, mut links) = (false, 0_usize);
    for (event, range) in parse(formatted) {
        match event {
            Event::Text(piece) if !in_code && links == 0 => {
                if piece.starts_with('@') && formatted[..range.start].ends_with('\\') {
                    text.push('\\');
                }
                text.push_str(&piece);
                continue;
            }
            Event::Start(Tag::CodeBlock(_)) => in_code = true,
            Event::End(TagEnd::CodeBlock) => in_code = false,
            Event::Start(Tag::Link { .. } | Tag::Image { .. }) => links += 1,
            Event::End(TagEnd::Link | TagEnd::Image) => links = links.saturating_sub(1),
            _ => {}
        }
        read(&text, &mut found);
        text.clear();
        // What follows code or a link without a space belongs to it.
        if let Event::Code(_) | Event::End(TagEnd::Link | TagEnd::Image) = event {
            text.push('.');
        }
    }
    read(&text, &mut found);
    read(rest, &mut found);
    found
}

/// Adds the usernames that plain `text` mentions.
fn read(text: &str, found: &mut Vec<String>) {
    for (at, _) in text.match_indices('@') {
        let (before, after) = (&text[..at], &text[at + 1..]);
        if before.ends_with(|c: char| c.is_alphanumeric() || BEFORE.contains(&c)) {
            continue;
        }
        let is_of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let end = after.find(|c| !is_of_name(c)).unwrap_or(after.len());
        // `@name@example.org` and `@scope/package` are names of other things, and `@né` of nobody.
        if after[end..].starts_with(|c: char| c.is_alphanumeric() || matches!(c, '@' | '/')) {
            continue;
        }
        // A sentence may end after it.
        let name = after[..end].trim_end_matches('.');
        if rules::username(name).is_ok() {
            found.push(name.to_ascii_lowercase());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_after_an_at_are_mentions() {
        for (markdown, names) in [
            ("Ask @ada, @Bob and (@c_d-e.f).", &["ada", "bob", "c_d-e.f"][..]),
            ("@ada: @ada", &["ada", "ada"]),
            (
                "**@ada**, *see @bob*\n\n> @eve\n\n- [ ] Call @dan\n\n| @x |\n|---|\n| @y |",
                &["ada", "bob", "eve", "dan", "x", "y"],
            ),
            ("@snake_case_name", &["snake_case_name"]),
            ("mail ada@example.org, https://example.org/@ada, a.@b, @a@example.org, @scope/package, @né, @", &[]),
            ("`@ada` and ``x``@bob\n\n```\n@eve\n```\n\n    @dan\n\n\\@fay <!-- @hal -->", &[]),
            ("[@ada](https://example.org), [[@bob]], ![@eve](x.png)", &[]),
        ] {
            assert_eq!(mentions(markdown), names, "{markdown}");
        }
    }

    proptest! {
        #[test]
        fn any_markdown_has_mentions_that_are_usernames(markdown in "([-*_`<>\\[\\]()|\\\\:.a\\n ]|@|@a|@b-c|\u{e9}|```|https://){0,60}") {
            for name in mentions(&markdown) {
                let written = format!("@{name}");
                prop_assert!(rules::username(&name).is_ok() && markdown.to_ascii_lowercase().contains(&written));
            }
        }
    }
}
