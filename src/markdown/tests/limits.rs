//! Large pages of nothing but what costs a parser most.

use std::time::{Duration, Instant};

use super::*;

const MEBIBYTE: usize = 1 << 20;

/// Enough for what is quadratic to take far longer than [`LIMIT`], and little enough for a build without optimisation.
const SIZE: usize = MEBIBYTE / 4;

/// Far more than it takes, so that it holds on a busy machine without optimisation.
const LIMIT: Duration = Duration::from_secs(10);

/// `unit`, made of its number, over and over.
fn many(unit: impl Fn(usize) -> String) -> String {
    let mut text = String::new();
    for number in 0.. {
        let unit = unit(number);
        if text.len() + unit.len() > SIZE {
            break;
        }
        text += &unit;
    }
    text
}

fn twice(first: &str, second: &str, count: usize) -> String {
    format!("{}{}", first.repeat(count), second.repeat(count))
}

fn check(name: &str, markdown: &str) {
    let start = Instant::now();
    let asked = links(markdown).len();
    let page = render(markdown, "Title", |_| false);
    assert!(start.elapsed() < LIMIT, "{name:?} took {:?}", start.elapsed());
    assert!(page.html.len() < 12 * MEBIBYTE, "{name:?} became {} bytes", page.html.len());
    assert!(asked <= MAX_LINKS && page.headings.len() <= MAX_HEADINGS);
}

#[test]
fn repetitions_take_time_and_space_in_proportion() {
    let units = [
        "[",
        "]",
        "*",
        "_",
        "~",
        "`",
        ">",
        "<",
        "|",
        "&",
        "#",
        "=",
        "-",
        "+",
        "\\",
        "!",
        ":",
        "@",
        "\n",
        "\t",
        "\0",
        "[[",
        "![",
        "[[a",
        "[[a|",
        "[[a]] ",
        "[[a|b]]",
        "![[a]]",
        "[a](b)",
        "a](",
        "[a](",
        "[a](<",
        "[a][",
        "[a]: ",
        "[ (](",
        "*a ",
        "*a_ ",
        "a**b",
        "**x **",
        "***a",
        "*_",
        "[*",
        "~a~ ",
        "~~a",
        "`a` ",
        "- ",
        "1. ",
        "> ",
        "> - ",
        ">>>> a\n",
        "- a\n",
        "- [ ] a\n",
        "> a\n\n",
        "# a\n",
        "#\n",
        "a\n=\n",
        "***\n",
        "```\n",
        "- ~~~\n",
        "```c\n1\n```\n",
        "|\n",
        "|a|b|\n",
        "[^1]",
        "[^",
        "[^1]: ",
        "&amp;",
        "&#",
        "<!--",
        "<?",
        "<![CDATA[",
        "<a ",
        "<a b='",
        "</",
        "<a:",
        "<a@",
        "www.",
        "http://",
        "http://a ",
        "www.a ",
        "a@",
        "a@b.c ",
        "a.",
        "http://a/)",
        "\"",
        "a\n",
        "a  \n",
        "a\n\n",
        "ß",
        "**a",
        "<b>",
        "<b>\n\n",
        "![](a)",
        "$",
        "$$",
        "$a",
        "$a$ ",
        "$$a$$ ",
        "$a$1",
        "{",
        "}",
        "${",
        "$a$b$ ",
        "<kbd>",
        "<kbd></b>",
        "</kbd>",
        "<details>\n\n",
        "<details><summary>",
        "<p>&amp;",
        "<!-- --",
        ":a",
        ":tada:",
        ": ",
        "a\n: b\n",
        "a\n: ",
        "> [!NOTE]\n",
        "> [!NOTE]\n> > ",
    ];
    std::thread::scope(|scope| {
        for units in units.chunks(units.len() / 4) {
            scope.spawn(|| units.iter().for_each(|unit| check(unit, &unit.repeat(SIZE / unit.len()))));
        }
    });
}

#[test]
fn numbered_repetitions_take_time_and_space_in_proportion() {
    check("runs of backticks", &many(|n| format!("a{}", "`".repeat(n + 1))));
    check("runs of stars", &many(|n| format!("{}a ", "*".repeat(n % 13 + 1))));
    check("nested lists", &many(|n| format!("{}- a\n", "  ".repeat(n))));
    check("deep quotes", &many(|_| ">".repeat(1000) + "a\n"));
    check("quotes as deep as they are shown", &many(|_| ">".repeat(MAX_NESTING) + "a\n\n"));
    check("headings", &many(|n| format!("# h{n}\n")));
    check("reference definitions", &many(|n| format!("[a{n}]: /u\n")));
    check("references", &format!("[a]: /{}\n\n{}", "u".repeat(1000), "[a]".repeat(SIZE / 4)));
    check("footnotes", &many(|n| format!("[^{n}]\n\n[^{n}]: x\n\n")));
    check("footnotes in footnotes", &many(|n| format!("[^{n}]: [^{}]\n\n", n + 1)));
    check("one footnote", &format!("{}\n\n[^1]: x", "[^1]".repeat(SIZE / 4)));
    check("wiki links", &many(|n| format!("[[page {n}]]\n")));
    check("long wiki links", &many(|n| format!("[[{n}{}]]\n", "ß".repeat(MAX_TITLE - 10))));
    check("rows", &format!("|a|b|\n|:-:|-|\n{}", "|a|b|\n".repeat(SIZE / 6)));
    check("columns", &format!("{}|\n{}|\n", "|a".repeat(SIZE / 4), "|-".repeat(SIZE / 4)));
    check(
        "missing cells",
        &format!("{}|\n{}|\n{}", "|a".repeat(10_000), "|:-:".repeat(10_000), "|x\n".repeat(SIZE / 4)),
    );
    check("links in links", &twice("[", "](a)", SIZE / 6));
    check("images in images", &twice("![", "](a)", SIZE / 8));
    check("emphasis in emphasis", &twice("*a ", " a*", SIZE / 8));
    check("one heading", &format!("# {}", "a_".repeat(SIZE / 2)));
    check("one wiki link", &format!("[[{}]]", "a ".repeat(SIZE / 2)));
    check("one block of code", &format!("```rust\n{}", "a 1 ".repeat(SIZE / 4)));
    check("blocks of code", &many(|_| format!("```rust\n{}\n```\n", "a 1 ".repeat(10_000))));
    check("formulas", &many(|n| format!("$x_{n}$ ")));
    check("one formula", &format!("$${}$$", "x ".repeat(SIZE / 2)));
    check(
        "formulas that become long",
        &many(|_| format!("$$\\begin{{align}}{}\\end{{align}}$$\n\n", "&\\\\".repeat(600))),
    );
    check("prices", &many(|n| format!("US${n}, CA$")));
    check("details in details", &twice("<details>\n\n", "</details>\n\n", SIZE / 30));
    check("one URL", &format!("http://a/{}", "b)".repeat(SIZE / 2)));
}

#[test]
fn the_largest_pages_take_time_and_space_in_proportion() {
    for unit in ["[", "a\n", "[[a]] ", "[^1]", "> ", "www.a "] {
        check(unit, &unit.repeat(MEBIBYTE / unit.len()));
    }
}

#[test]
fn markup_beyond_the_limit_is_shown_as_it_is_written() {
    let line = "*a* <b>\n";
    let page = html(&line.repeat(MAX_MARKUP));
    assert_eq!(page.matches("<em>a</em>").count(), MAX_MARKUP / 5);
    let rest = MAX_MARKUP - MAX_MARKUP / 5;
    assert_eq!(page.matches("*a* &lt;b&gt;\n").count(), rest);
    assert!(page.contains(
        "</p>\n<p><em>The rest of this page has too much markup to be formatted.</em></p>\n<pre tabindex=\"0\">\n*a*"
    ));
    assert!(page.ends_with("</pre>\n"));
}

#[test]
fn the_rest_begins_with_a_paragraph_if_there_is_one() {
    let (formatted, rest) = ("[[a]]\n\n".repeat(100), "[".repeat(MAX_MARKUP));
    let markdown = format!("{formatted}{rest}");
    assert_eq!(split(&markdown), (&formatted[..formatted.len() - 1], format!("\n{rest}").as_str()));
    assert_eq!(links(&markdown), ["a"]);
    assert_eq!(split(&rest), (rest.as_str(), ""));
    let one_line = "[ß".repeat(MAX_MARKUP + 5);
    assert_eq!(split(&one_line).1, "[ß".repeat(5));
}

#[test]
fn a_page_of_text_is_never_cut() {
    let prose = "The quick brown fox, it is said, jumps over the lazy dog.\nAgain and \"again\": *why*?\n\n";
    let code = "    let text = source.get(at..).map(str::trim).unwrap_or_default();\n";
    for unit in [prose, code] {
        let text = unit.repeat(MEBIBYTE / unit.len());
        assert_eq!(split(&text).1, "");
    }
}

#[test]
fn what_is_nested_deeper_is_shown_flat() {
    for (unit, tag) in [("> ", "<blockquote>"), ("- ", "<ul>"), ("1. ", "<ol>")] {
        let html = html(&(unit.repeat(500) + "deep"));
        assert_eq!(html.matches(tag).count(), MAX_NESTING, "{unit:?}");
        assert!(html.contains("deep"));
    }
}
