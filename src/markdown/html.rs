//! Raw HTML: the tags of an author's that are elements of the page.
//!
//! Of attributes, only `open` of `<details>` is looked at. A tag that is not known here is text: it may be
//! `<name>` in place of a name.

/// What a tag is for the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// A part of a line, under this name.
    Inline(&'static str),
    /// `br` or `wbr`.
    Break(&'static str),
    /// `hr`.
    Rule,
    /// `details`.
    Details,
    /// `summary`.
    Summary,
    /// A block of which only the content is shown.
    Block,
    /// A part of a line of which only the content is shown.
    Span,
}

/// A piece of raw HTML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Text, with its character references.
    Text(&'a str),
    /// A start tag, and its attributes as they are written.
    Start(Element, &'a str),
    /// An end tag.
    End(Element),
    /// A comment, which is not shown.
    Comment,
}

/// Elements of a line that a page may have: how they are written, and the name they get.
const INLINE: &[(&str, &str)] = &[
    ("abbr", "abbr"),
    ("b", "b"),
    ("cite", "cite"),
    ("code", "code"),
    ("del", "del"),
    ("dfn", "dfn"),
    ("em", "em"),
    ("i", "i"),
    ("ins", "ins"),
    ("kbd", "kbd"),
    ("mark", "mark"),
    ("q", "q"),
    ("s", "s"),
    ("samp", "samp"),
    ("small", "small"),
    ("strike", "s"),
    ("strong", "strong"),
    ("sub", "sub"),
    ("sup", "sup"),
    ("tt", "code"),
    ("u", "u"),
    ("var", "var"),
];

/// Elements that only say how their content looks, or where it is.
const BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "center",
    "div",
    "figcaption",
    "figure",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "main",
    "p",
    "section",
];
const SPANS: &[&str] = &["big", "font", "nobr", "span"];

impl Element {
    fn named(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let inline = || INLINE.iter().find(|(written, _)| *written == name).map(|(_, name)| Self::Inline(name));
        Some(match name.as_str() {
            "br" => Self::Break("br"),
            "wbr" => Self::Break("wbr"),
            "hr" => Self::Rule,
            "details" => Self::Details,
            "summary" => Self::Summary,
            name if BLOCKS.contains(&name) => Self::Block,
            name if SPANS.contains(&name) => Self::Span,
            _ => return inline(),
        })
    }
}

/// The pieces of `html`. None if it has a tag that is not known, or anything else that is neither text nor a comment.
pub fn pieces(html: &str) -> Option<Vec<Piece<'_>>> {
    let mut pieces = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let (text, markup) = rest.split_at(at);
        let (piece, length) = match markup.as_bytes().get(1) {
            Some(b'!') => comment(markup)?,
            Some(b'/' | b'a'..=b'z' | b'A'..=b'Z') => tag(markup)?,
            Some(b'?') => return None,
            // Like a browser: nothing begins here.
            _ => (Piece::Text("<"), 1),
        };
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        pieces.push(piece);
        rest = &markup[length..];
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    Some(pieces)
}

/// The comment that `markup` begins with, and its length.
fn comment(markup: &str) -> Option<(Piece<'_>, usize)> {
    let text = markup.strip_prefix("<!--")?;
    let length = match text {
        _ if text.starts_with('>') => 1,
        _ if text.starts_with("->") => 2,
        _ => text.find("-->")? + 3,
    };
    Some((Piece::Comment, "<!--".len() + length))
}

/// The tag that `markup` begins with, and its length.
fn tag(markup: &str) -> Option<(Piece<'_>, usize)> {
    let (is_end, inside) = match markup[1..].strip_prefix('/') {
        Some(inside) => (true, inside),
        None => (false, &markup[1..]),
    };
    let name = inside.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'-').count();
    let (name, attributes) = inside.split_at(name);
    let element = Element::named(name)?;
    let mut quote = None;
    let end = attributes.bytes().position(|byte| {
        match quote {
            Some(open) if open == byte => quote = None,
            Some(_) => {}
            None if matches!(byte, b'"' | b'\'') => quote = Some(byte),
            None => return byte == b'>',
        }
        false
    })?;
    let length = markup.len() - inside.len() + name.len() + end + 1;
    let piece = if is_end { Piece::End(element) } else { Piece::Start(element, &attributes[..end]) };
    Some((piece, length))
}

/// Whether these attributes have `open`.
pub fn is_open(attributes: &str) -> bool {
    let names = attributes.split([' ', '\t', '\r', '\n', '/']).map(|word| word.split('=').next().unwrap_or_default());
    names.into_iter().any(|name| name.eq_ignore_ascii_case("open"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_tags_are_told_from_text() {
        let kbd = Element::Inline("kbd");
        assert_eq!(pieces("<kbd>"), Some(vec![Piece::Start(kbd, "")]));
        assert_eq!(
            pieces("a <KBD title='>' >b</kbd\n>"),
            Some(vec![Piece::Text("a "), Piece::Start(kbd, " title='>' "), Piece::Text("b"), Piece::End(kbd),])
        );
        assert_eq!(pieces("<br/>"), Some(vec![Piece::Start(Element::Break("br"), "/")]));
        assert_eq!(pieces("<!-- <b> -->"), Some(vec![Piece::Comment]));
        assert_eq!(pieces("<!-->a"), Some(vec![Piece::Comment, Piece::Text("a")]));
        assert_eq!(pieces("1 < 2"), Some(vec![Piece::Text("1 "), Piece::Text("<"), Piece::Text(" 2")]));
        for html in [
            "<T>",
            "<name>",
            "<script>",
            "<iframe src=x>",
            "<a href=x>",
            "<!-- a",
            "<!DOCTYPE html>",
            "<?php ?>",
            "<![CDATA[x]]>",
            "<b",
            "<b a='>",
            "</",
            "<kbd-x>",
            "<svg>",
            "<math>",
            "<style>",
        ] {
            assert_eq!(pieces(html), None, "{html}");
        }
    }

    #[test]
    fn details_may_be_open() {
        for attributes in [" open", " OPEN", " open=''", " class=x open", " open/"] {
            assert!(is_open(attributes), "{attributes:?}");
        }
        for attributes in ["", " opened", " data-open"] {
            assert!(!is_open(attributes), "{attributes:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_has_pieces_or_none(html in "[<>a/!b?'\" =-]{0,20}") {
            if let Some(pieces) = pieces(&html) {
                let text: usize = pieces.iter().map(|piece| if let Piece::Text(text) = piece { text.len() } else { 0 }).sum();
                prop_assert!(text <= html.len());
            }
        }
    }
}
