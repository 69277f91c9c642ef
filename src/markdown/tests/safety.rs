//! Whatever an author writes, a browser sees only elements, attributes and URLs of a short list.

use proptest::prelude::*;

use super::browser::{Element, elements};
use super::*;

/// The elements that may be in a page, and their attributes.
const ALLOWED: &[(&str, &[&str])] = &[
    ("a", &["href", "title", "rel", "class", "aria-label", "id"]),
    ("abbr", &[]),
    ("b", &[]),
    ("blockquote", &["dir"]),
    ("br", &[]),
    ("cite", &[]),
    ("code", &["class"]),
    ("dd", &[]),
    ("del", &[]),
    ("details", &["open"]),
    ("dfn", &[]),
    ("div", &["class", "role", "aria-label", "tabindex", "dir"]),
    ("dl", &["dir"]),
    ("dt", &[]),
    ("em", &[]),
    ("h1", &["id", "dir"]),
    ("h2", &["id", "dir"]),
    ("h3", &["id", "dir"]),
    ("h4", &["id", "dir"]),
    ("h5", &["id", "dir"]),
    ("h6", &["id", "dir"]),
    ("hr", &[]),
    ("i", &[]),
    ("img", &["src", "alt", "title", "loading"]),
    ("input", &["type", "disabled", "checked", "aria-label"]),
    ("ins", &[]),
    ("kbd", &[]),
    ("li", &["id"]),
    ("mark", &[]),
    ("ol", &["start", "dir"]),
    ("p", &["class", "dir"]),
    ("pre", &["tabindex"]),
    ("q", &[]),
    ("s", &[]),
    ("samp", &[]),
    ("section", &["class", "aria-label"]),
    ("small", &[]),
    ("span", &["class"]),
    ("strong", &[]),
    ("sub", &[]),
    ("summary", &[]),
    ("sup", &[]),
    ("table", &[]),
    ("tbody", &[]),
    ("td", &["class"]),
    ("th", &["class"]),
    ("thead", &[]),
    ("tr", &[]),
    ("u", &[]),
    ("ul", &["dir"]),
    ("var", &[]),
    ("wbr", &[]),
];

/// The elements of MathML that may be in a formula.
const MATHEMATICS: &[&str] = &[
    "math",
    "mfrac",
    "mi",
    "mmultiscripts",
    "mn",
    "mo",
    "mover",
    "mpadded",
    "mphantom",
    "mprescripts",
    "mroot",
    "mrow",
    "ms",
    "mspace",
    "msqrt",
    "msub",
    "msubsup",
    "msup",
    "mtable",
    "mtd",
    "mtext",
    "mtr",
    "munder",
    "munderover",
];

const CLASSES: &[&str] = &[
    "alert caution",
    "alert important",
    "alert note",
    "alert tip",
    "alert warning",
    "alert-kind",
    "anchor",
    "back",
    "center",
    "code",
    "footnotes",
    "heading",
    "language",
    "left",
    "missing",
    "right",
    "table",
];

/// Renders `markdown` with and without the pages it links to, and looks at what a browser would see.
fn check(markdown: &str) {
    for exists in [true, false] {
        let page = render(markdown, "Title", |_| exists);
        let mut ids = std::collections::HashSet::new();
        for element in elements(&page.html) {
            check_element(&element);
            for (_, id) in element.attributes.iter().filter(|(name, _)| name == "id") {
                assert!(ids.insert(id.clone()), "{id} twice in {}", page.html);
                assert!(["section-", "fn-", "fnref-"].iter().any(|prefix| id.starts_with(prefix)), "{id}");
            }
        }
        assert!(page.headings.iter().all(|heading| ids.contains(&heading.id)), "{:?}", page.headings);
    }
    let asked = std::cell::RefCell::new(Vec::new());
    render(markdown, "Title", |slug| {
        asked.borrow_mut().push(slug.to_owned());
        true
    });
    assert_eq!(links(markdown), *asked.borrow(), "{markdown:?}");
}

fn check_element(element: &Element) {
    if MATHEMATICS.contains(&element.name.as_str()) || element.name == "span" {
        let plain = |c: char| c.is_ascii_alphanumeric() || " .-%".contains(c);
        for (name, value) in &element.attributes {
            assert!(!name.starts_with("on") && !["style", "href", "id", "src"].contains(&name.as_str()), "{element:?}");
            assert!(value.chars().all(plain), "{element:?}");
        }
        return;
    }
    let allowed = ALLOWED.iter().find(|(name, _)| *name == element.name);
    let (_, attributes) = allowed.unwrap_or_else(|| panic!("no such element: {element:?}"));
    for (name, value) in &element.attributes {
        assert!(attributes.contains(&name.as_str()), "{name} in {element:?}");
        match name.as_str() {
            "href" => check_url(value, &["http:", "https:", "mailto:"]),
            "src" => check_url(value, &["http:", "https:"]),
            "open" => assert_eq!(value, ""),
            "dir" => assert!(["ltr", "rtl"].contains(&value.as_str()), "{value:?}"),
            "class" if element.name == "code" => {
                assert!(value.starts_with("language-") && !value.contains(char::is_whitespace), "{value:?}");
            }
            "class" => assert!(CLASSES.contains(&value.as_str()), "{value:?}"),
            _ => {}
        }
    }
}

/// The scheme is looked for as the URL standard's parser does: without control characters and spaces at the ends, and
/// without tabs and line breaks.
fn check_url(url: &str, schemes: &[&str]) {
    assert!(
        !url.contains(['\\', ' ', '<', '"']) && url.is_ascii() && !url.contains(|c: char| c.is_control()),
        "{url:?}"
    );
    let seen: String =
        url.trim_matches(|c: char| c <= ' ').chars().filter(|c| !matches!(c, '\t' | '\n' | '\r')).collect();
    let Some(colon) = seen.find(':') else { return };
    let begins = seen.starts_with(|c: char| c.is_ascii_alphabetic());
    if begins && seen[..colon].bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b)) {
        let scheme = seen[..=colon].to_ascii_lowercase();
        assert!(schemes.contains(&scheme.as_str()), "{url:?}");
    }
}

fn payloads() -> impl Iterator<Item = &'static str> {
    include_str!("../../../tests/fixtures/xss-payloads.txt").lines()
}

#[test]
fn payloads_are_harmless() {
    assert!(payloads().count() >= 100);
    for payload in payloads() {
        check(payload);
        // `\n` in a line stands for a line break.
        check(&payload.replace("\\n", "\n"));
        for (before, after) in [
            ("# ", ""),
            ("> - ", ""),
            ("**", "**"),
            ("[[", "]]"),
            ("[[x|", "]]"),
            ("[x](", ")"),
            ("[x](<", ">)"),
            ("[x](y \"", "\")"),
            ("![", "](x)"),
            ("![x](", ")"),
            ("<", ">"),
            ("```", "\n```"),
            ("```\n", "\n```"),
            ("```rust\n", "\n```"),
            ("```html\n", "\n```"),
            ("| a |\n|---|\n| ", " |"),
            ("[^", "]\n\n[^a]: x"),
            ("[^a]\n\n[^a]: ", ""),
            ("[x]\n\n[x]: ", ""),
            ("http://a.example/", ""),
            ("www.", ""),
            ("- [ ] ", ""),
            ("$", "$"),
            ("$$\\text{", "}$$"),
            ("```math\n\\href{", "}{x}\n```"),
            ("<kbd>", "</kbd>"),
            ("<details open>\n<summary>", "</summary>\n\n</details>"),
            ("<div>\n", "\n</div>"),
            ("<b ", ">x</b>"),
            ("> [!NOTE]\n> ", ""),
            ("a\n: ", ""),
        ] {
            check(&format!("{before}{payload}{after}"));
        }
    }
}

/// A piece of Markdown, or of what tries to get out of it.
fn piece() -> impl Strategy<Value = String> {
    let pieces = vec![
        "# ",
        "\n",
        "\n\n",
        "- ",
        "1. ",
        "> ",
        "    ",
        "```",
        "```js\n",
        "~~~",
        "`",
        "*",
        "**",
        "_",
        "~~",
        "[",
        "]",
        "(",
        ")",
        "![",
        "[[",
        "]]",
        "|",
        "\n|-|-|\n",
        "[^1]",
        "[^1]: ",
        "[a]: ",
        "<",
        ">",
        "<b>",
        "</b>",
        "<!--",
        "-->",
        "&lt;",
        "&#106;",
        "\\",
        "\"",
        "'",
        "javascript:",
        "data:",
        "https://",
        "www.",
        "a@b.example",
        "//",
        "#",
        " ",
        "\t",
        "[ ] ",
        "[x] ",
        "onclick=",
        "style=",
        "$",
        "$$",
        "\\frac",
        "\\text{",
        "\\begin{matrix}",
        "\\end{matrix}",
        "\\left(",
        "{",
        "}",
        "^",
        "&",
        "<kbd>",
        "</kbd>",
        "<sub>",
        "<br>",
        "<p>",
        "<hr>",
        "<details>\n",
        "<details open>",
        "</details>\n",
        "<summary>",
        "</summary>",
        "<!-- ",
        "> [!NOTE]\n",
        "\n: ",
        ":tada:",
        "&amp;",
        "\0",
        "\u{7f}",
        "ß",
        "שלום ",
        "İ",
        "x",
    ];
    prop_oneof![8 => proptest::sample::select(pieces).prop_map(str::to_owned), 1 => any::<char>().prop_map(String::from)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_text_is_harmless(markdown in any::<String>()) {
        check(&markdown);
    }

    #[test]
    fn any_markup_is_harmless(pieces in proptest::collection::vec(piece(), 0..40)) {
        check(&pieces.concat());
    }

    #[test]
    fn any_mix_of_payloads_is_harmless(parts in proptest::collection::vec((0..payloads().count(), piece()), 1..5)) {
        let payload = |number| payloads().nth(number).unwrap_or_default();
        let markdown: Vec<_> = parts.iter().flat_map(|(number, piece)| [payload(*number), piece]).collect();
        check(&markdown.concat());
    }
}
