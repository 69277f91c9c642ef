//! What the Markdown makes of each construct; the specification's examples, hostile pages and large ones in files of their own.

mod browser;
mod limits;
mod safety;
mod spec;

use proptest::prelude::*;
use wiki_types::rules::MAX_TITLE;

use super::math::MAX_FORMULAS;
use super::*;

/// `markdown` on a wiki where a page has the slug of its title, if there `exists` one.
fn render(markdown: &str, title: &str, exists: impl Fn(&str) -> bool) -> Rendered {
    super::render(markdown, title, |name| exists(name).then(|| name.to_owned()))
}

/// The HTML of `markdown` on a wiki that has the page `home` and no other.
fn html(markdown: &str) -> String {
    render(markdown, "Title", |slug| slug == "home").html
}

/// The inside of the paragraph that `markdown` is.
fn paragraph(markdown: &str) -> String {
    let html = html(markdown);
    let inside = html.strip_prefix("<p>").and_then(|html| html.strip_suffix("</p>\n"));
    inside.unwrap_or_else(|| panic!("{markdown:?} is one paragraph: {html:?}")).to_owned()
}

fn check(cases: &[(&str, &str)]) {
    for (markdown, expected) in cases {
        assert_eq!(html(markdown), *expected, "{markdown:?}");
    }
}

fn check_paragraphs(cases: &[(&str, &str)]) {
    for (markdown, expected) in cases {
        assert_eq!(paragraph(markdown), *expected, "{markdown:?}");
    }
}

#[test]
fn headings_have_an_id_a_link_beside_them_and_a_place_in_the_list() {
    let page = render("## A *b* `c` & d\n\n## A b c d\n\n### [x](y) ![z](z.png)", "Title", |_| true);
    let first = "<div class=\"heading\"><h2 id=\"section-a-b-c-d\">A <em>b</em> <code>c</code> &amp; d</h2><a class=\"anchor\" \
                 href=\"#section-a-b-c-d\" aria-label=\"Link to this section: A b c &amp; d\">#</a></div>\n";
    assert!(page.html.starts_with(first), "{}", page.html);
    let headings: Vec<_> = page.headings.iter().map(|h| (h.level, h.id.as_str(), h.text.as_str())).collect();
    assert_eq!(
        headings,
        [(2, "section-a-b-c-d", "A b c & d"), (2, "section-a-b-c-d-1", "A b c d"), (3, "section-x-z", "x z")]
    );
}

#[test]
fn headings_beyond_the_limit_are_only_shown() {
    let page = render(&"# a\n".repeat(MAX_HEADINGS + 1), "", |_| true);
    assert_eq!(page.headings.len(), MAX_HEADINGS);
    assert!(page.html.ends_with("</div>\n<h1>a</h1>\n"));
}

#[test]
fn a_first_heading_that_repeats_the_title_is_left_out() {
    for markdown in ["# Title\n\ntext", "Title\n=====\n\ntext", "# *Title* #\ntext", "\n\n# Title\ntext"] {
        assert_eq!(
            render(markdown, "Title", |_| true),
            Rendered { html: "<p>text</p>\n".to_owned(), ..Rendered::default() }
        );
    }
    // Titles are taken from the source, with its markup.
    assert_eq!(render("# A *b*", "A *b*", |_| true).html, "");
    for markdown in ["## Title", "# title", "text\n\n# Title", "---\n\n# Title", "> # Title"] {
        assert_eq!(render(markdown, "Title", |_| true).headings.len(), 1, "{markdown:?}");
    }
}

#[test]
fn code_keeps_its_text_and_names_its_language() {
    check(&[
        (
            "```rust ignore\nlet a = \"<b>\";\n```",
            "<div class=\"code\">\n<div class=\"language\">Rust</div>\n<pre tabindex=\"0\"><code class=\"language-rust\">\
             <span class=\"k\">let</span> a = <span class=\"s\">&quot;&lt;b&gt;&quot;</span>;\n</code></pre>\n</div>\n",
        ),
        (
            "~~~\n[[Home]] http://a.example *x*\n~~~",
            "<pre tabindex=\"0\"><code>[[Home]] http://a.example *x*\n</code></pre>\n",
        ),
        ("    [[Home]]", "<pre tabindex=\"0\"><code>[[Home]]</code></pre>\n"),
        (
            "``` a\"onclick=x&#32;b\n```",
            "<div class=\"code\">\n<div class=\"language\">a&quot;onclick=x</div>\n\
             <pre tabindex=\"0\"><code class=\"language-a&quot;onclick=x\"></code></pre>\n</div>\n",
        ),
    ]);
    check_paragraphs(&[("`[[Home]] http://a.example`", "<code>[[Home]] http://a.example</code>")]);
}

#[test]
fn tables_scroll_and_align_by_class() {
    check(&[(
        "| a | b | c |\n|:--|:-:|--:|\n| 1 | `\\|` |",
        "<div class=\"table\" role=\"group\" aria-label=\"Table\" tabindex=\"0\">\n<table>\n<thead>\n<tr>\n<th class=\"left\">a</th>\n\
         <th class=\"center\">b</th>\n<th class=\"right\">c</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td class=\"left\">1</td>\n\
         <td class=\"center\"><code>|</code></td>\n<td class=\"right\"></td>\n</tr>\n</tbody>\n</table>\n</div>\n",
    )]);
}

#[test]
fn tasks_are_labelled_boxes_that_cannot_be_changed() {
    check(&[(
        "- [ ] a\n- [x] b",
        "<ul>\n<li><input type=\"checkbox\" disabled aria-label=\"Not done\"> a</li>\n\
         <li><input type=\"checkbox\" disabled checked aria-label=\"Done\"> b</li>\n</ul>\n",
    )]);
}

#[test]
fn lists_quotes_rules_and_emphasis() {
    check(&[
        ("3. a\n4. b", "<ol start=\"3\">\n<li>a</li>\n<li>b</li>\n</ol>\n"),
        ("1. a", "<ol>\n<li>a</li>\n</ol>\n"),
        ("> a\n\n---", "<blockquote>\n<p>a</p>\n</blockquote>\n<hr>\n"),
    ]);
    check_paragraphs(&[
        ("*a* **b** ~~c~~ ~d~", "<em>a</em> <strong>b</strong> <del>c</del> <del>d</del>"),
        ("a  \nb\\\nc\nd", "a<br>\nb<br>\nc\nd"),
        ("2 < 3 & \"x\" 'y'", "2 &lt; 3 &amp; &quot;x&quot; &#39;y&#39;"),
    ]);
}

#[test]
fn footnotes_are_numbered_and_linked_both_ways() {
    let page = html("a[^x] b[^Y] c[^x]\n\n[^y]: > two\n[^x]: one\n\n    more\n[^unused]: three\n[^x]: again");
    assert_eq!(
        page,
        "<p>a<sup><a id=\"fnref-1\" href=\"#fn-1\" aria-label=\"Footnote 1\">1</a></sup> \
         b<sup><a id=\"fnref-2\" href=\"#fn-2\" aria-label=\"Footnote 2\">2</a></sup> \
         c<sup><a id=\"fnref-1-2\" href=\"#fn-1\" aria-label=\"Footnote 1\">1</a></sup></p>\n\
         <section class=\"footnotes\" aria-label=\"Footnotes\">\n<ol>\n<li id=\"fn-1\">\n<p>one</p>\n<p>more \
         <a class=\"back\" href=\"#fnref-1\" aria-label=\"Back to reference 1\">↩</a> \
         <a class=\"back\" href=\"#fnref-1-2\" aria-label=\"Back to reference 1-2\">↩</a></p>\n</li>\n\
         <li id=\"fn-2\">\n<blockquote>\n<p>two</p>\n</blockquote>\n<p> \
         <a class=\"back\" href=\"#fnref-2\" aria-label=\"Back to reference 2\">↩</a></p>\n</li>\n</ol>\n</section>\n"
    );
    check_paragraphs(&[("a[^none]", "a[^none]")]);
    // No link in a link.
    assert!(html("[a[^1]](b)\n\n[^1]: x").starts_with("<p>[a<sup>"));
    // Labels that differ in case.
    assert!(html("[^Maß]\n\n[^MASS]: x").contains("<p>x <a class=\"back\""));
    // A note that nothing shown refers to is not shown, and counts for nothing.
    assert_eq!(html("a\n\n[^x]: one[^y]\n\n[^y]: two[^x]"), "<p>a</p>\n");
    let page = html("a[^z]\n\n[^x]: one[^y]\n\n[^y]: two\n\n[^z]: three\n\n[^z]: again[^y]\n\n![[^y]](/b.png)");
    assert!(page.contains("fn-1") && !page.contains("fn-2") && !page.contains("fnref-2"), "{page}");
    // A heading in a footnote is no section of the page.
    assert_eq!(render("[^1]\n\n[^1]: # x", "", |_| true).headings, []);
}

#[test]
fn every_link_to_a_footnote_leads_somewhere() {
    for page in ["a[^1]\n\n[^2]: x[^3]\n\n[^3]: y\n\n[^1]: z[^3]", "[^2]: x[^1]\n\n[^1]: y", "[^1]\n\n> [^1]: a[^1]"] {
        let html = html(page);
        for link in html.split("href=\"#").skip(1) {
            let id = link.split('"').next().unwrap();
            assert!(html.contains(&format!("id=\"{id}\"")), "{id} in {html}");
        }
    }
}

#[test]
fn wiki_links_lead_to_pages_and_sections() {
    check_paragraphs(&[
        ("[[Home]]", "<a href=\"/wiki/home\">Home</a>"),
        ("[[HOME|the *start*]]", "<a href=\"/wiki/home\">the <em>start</em></a>"),
        ("[[Home|]]", "<a href=\"/wiki/home\">Home</a>"),
        ("[[Home#Big Bang]]", "<a href=\"/wiki/home#section-big-bang\">Home › Big Bang</a>"),
        ("[[Home#Big Bang|it]]", "<a href=\"/wiki/home#section-big-bang\">it</a>"),
        ("[[#Big Bang|it]]", "<a href=\"#section-big-bang\">it</a>"),
        ("![[Home]]", "<a href=\"/wiki/home\">Home</a>"),
        (
            "[[snake_case_ *x*|a]]",
            "<a class=\"missing\" href=\"/wiki/snake-case-x?title=snake_case_%20%2Ax%2A\" title=\"snake_case_ *x* (no such page yet)\">a</a>",
        ),
        (
            "[[A & \"B\"]]",
            "<a class=\"missing\" href=\"/wiki/a-b?title=A%20%26%20%22B%22\" title=\"A &amp; &quot;B&quot; (no such page yet)\">A &amp; &quot;B&quot;</a>",
        ),
        (
            "[[javascript:alert(1)]]",
            "<a class=\"missing\" href=\"/wiki/javascript-alert-1?title=javascript%3Aalert%281%29\" title=\"javascript:alert(1) (no such page yet)\">javascript:alert(1)</a>",
        ),
    ]);
}

#[test]
fn what_names_no_page_is_text() {
    check_paragraphs(&[
        ("[[]]", "[[]]"),
        ("[[???]]", "???"),
        ("\\[[Home]]", "[[Home]]"),
        ("[[Home", "[[Home"),
        ("[Home]]", "[Home]]"),
        ("![a [[Home]] b](c)", "![a <a href=\"/wiki/home\">Home</a> b](c)"),
    ]);
    let long = "x".repeat(MAX_TITLE + 1);
    assert_eq!(paragraph(&format!("[[{long}]]")), long);
}

#[test]
fn wiki_links_work_in_tables_if_the_bar_is_escaped() {
    assert!(html("| a |\n|---|\n| [[Home\\|start]] |").contains("<td><a href=\"/wiki/home\">start</a></td>"));
}

#[test]
fn links_are_each_page_once_in_the_order_of_the_page() {
    let markdown = "# [[T]]\n[[B]] [[a#x]] [[b|c]] [[#d]] `[[e]]` [[Größe]] ![[f]] [^1]\n\n[^1]: [[g]]\n[^2]: [[h]]";
    assert_eq!(links(markdown), ["t", "b", "a", "größe", "f", "g", "h"]);
    assert_eq!(links("no [link](x)"), [""; 0]);
    let many: String = (0..2 * MAX_LINKS).map(|n| format!("[[page {n}]] ")).collect();
    assert_eq!(links(&many).len(), MAX_LINKS);
    assert_eq!(render(&many, "", |_| false).html.matches("class=\"missing\"").count(), MAX_LINKS);
}

#[test]
fn links_and_images_are_marked_as_what_they_are() {
    check_paragraphs(&[
        ("[a](b \"c\")", "<a href=\"b\" title=\"c\">a</a>"),
        ("[a](https://x.example)", "<a href=\"https://x.example\" rel=\"nofollow ugc\">a</a>"),
        ("[a](//x.example)", "<a href=\"//x.example\" rel=\"nofollow ugc\">a</a>"),
        ("<me@x.example>", "<a href=\"mailto:me@x.example\">me@x.example</a>"),
        ("![a *b* [c](d)](e.png \"f\")", "<img src=\"e.png\" alt=\"a b c\" title=\"f\" loading=\"lazy\">"),
        ("[![a](b)](c)", "<a href=\"c\"><img src=\"b\" alt=\"a\" loading=\"lazy\"></a>"),
        ("![a\nb ![c](d)](e)", "<img src=\"e\" alt=\"a b c\" loading=\"lazy\">"),
    ]);
}

#[test]
fn refused_links_and_images_are_their_text() {
    check_paragraphs(&[
        ("[a *b*](javascript:alert(1))", "a <em>b</em>"),
        ("[a](&#106;avascript&colon;alert(1))", "a"),
        ("[a](java&Tab;script:alert(1))", "a"),
        ("[a][b]\n\n[b]: DATA:text/html,x", "a"),
        ("<javascript:alert(1)>", "javascript:alert(1)"),
        ("![a *b*](data:image/png;base64,x)", "a b"),
        ("![a](mailto:x@y.example)", "a"),
        ("[![a](data:x)](b)", "<a href=\"b\">a</a>"),
    ]);
}

#[test]
fn bare_urls_are_links_but_not_in_links_and_code() {
    check_paragraphs(&[
        (
            "see http://a.example/b_c?d=e&f=g.",
            "see <a href=\"http://a.example/b_c?d=e&amp;f=g\" rel=\"nofollow ugc\">http://a.example/b_c?d=e&amp;f=g</a>.",
        ),
        (
            "**www.a.example**",
            "<strong><a href=\"http://www.a.example\" rel=\"nofollow ugc\">www.a.example</a></strong>",
        ),
        ("me@a.example", "<a href=\"mailto:me@a.example\">me@a.example</a>"),
        ("[http://a.example](b)", "<a href=\"b\">http://a.example</a>"),
        ("![http://a.example](b)", "<img src=\"b\" alt=\"http://a.example\" loading=\"lazy\">"),
        ("http\\://a.example www\\.a.example me\\@a.example", "http://a.example www.a.example me@a.example"),
    ]);
}

#[test]
fn html_that_is_none_of_the_page_s_is_shown_not_used() {
    check(&[
        (
            "<table onclick=\"x\">\n*a*\n</table>",
            "<pre tabindex=\"0\"><code class=\"language-html\">&lt;table onclick=&quot;x&quot;&gt;\n*a*\n&lt;/table&gt;</code></pre>\n",
        ),
        (
            "<script>x</script>",
            "<pre tabindex=\"0\"><code class=\"language-html\">&lt;script&gt;x&lt;/script&gt;</code></pre>\n",
        ),
    ]);
    check_paragraphs(&[(
        "a <T>*c*</T> <http://>",
        "a &lt;T&gt;<em>c</em>&lt;/T&gt; <a href=\"http://\" rel=\"nofollow ugc\">http://</a>",
    )]);
}

#[test]
fn parts_of_a_line_may_be_html_without_attributes() {
    check_paragraphs(&[
        ("Press <kbd>Ctrl</kbd>+<KBD class=\"x\" onclick='y'>C</KBD>", "Press <kbd>Ctrl</kbd>+<kbd>C</kbd>"),
        (
            "H<sub>2</sub>O, m<sup>2</sup>, <mark>a</mark> <ins>b</ins>",
            "H<sub>2</sub>O, m<sup>2</sup>, <mark>a</mark> <ins>b</ins>",
        ),
        ("a<br>b<br/>c<wbr>d", "a<br>\nb<br>\nc<wbr>d"),
        ("a <span style=\"color:red\">*b*</span> <!-- c -->d", "a <em>b</em> d"),
        // Whatever is left open ends with what it is in.
        ("<kbd>a", "<kbd>a</kbd>"),
        ("*<kbd>a*</kbd>", "<em><kbd>a</kbd></em>"),
        ("<b><i>a</b></i>", "<b><i>a</i></b>"),
        ("a</kbd>", "a"),
        ("![<kbd>a</kbd>](b)", "<img src=\"b\" alt=\"a\" loading=\"lazy\">"),
        ("[<kbd>a](b)</kbd>", "<a href=\"b\"><kbd>a</kbd></a>"),
    ]);
    check(&[
        ("- <kbd>a\n  - b", "<ul>\n<li><kbd>a</kbd><ul>\n<li>b</li>\n</ul>\n</li>\n</ul>\n"),
        ("<kbd>a\n\nb</kbd>", "<p><kbd>a</kbd></p>\n<p>b</p>\n"),
    ]);
}

#[test]
fn blocks_of_html_are_their_content() {
    check(&[
        (
            "<details open class=x>\n<summary>A &amp; <b>B</b></summary>\n\n*c*\n\n</details>\n\nd",
            "<details open><summary>A &amp; <b>B</b></summary>\n<p><em>c</em></p>\n</details>\n<p>d</p>\n",
        ),
        ("<details>\n\na", "<details><p>a</p>\n</details>\n"),
        ("> <details>\n>\n> a\n\nb", "<blockquote>\n<details><p>a</p>\n</details>\n</blockquote>\n<p>b</p>\n"),
        ("<details><summary></summary>a</details>", "<details><p>a</p>\n</details>\n"),
        ("<summary>a</summary>", "<p>a</p>\n"),
        (
            "<p align=\"center\">\n  <b>a</b> &lt;&nope; <\n</p>\r\n<div>b</div>",
            "<p><b>a</b> &lt;&amp;nope; &lt;</p>\n<p>b</p>\n",
        ),
        ("<!-- a\n\nb -->\n\n# Title\n\nc", "<p>c</p>\n"),
        ("<hr>", "<hr>\n"),
    ]);
}

#[test]
fn alerts_say_what_they_are() {
    check(&[
        (
            "> [!WARNING]\n> a\n> > b",
            "<div class=\"alert warning\" role=\"note\">\n<p class=\"alert-kind\">Warning</p>\n<p>a</p>\n<blockquote>\n<p>b</p>\n\
             </blockquote>\n</div>\n",
        ),
        ("> [!OTHER]\n> a", "<blockquote>\n<p>[!OTHER]\na</p>\n</blockquote>\n"),
    ]);
}

#[test]
fn definitions_have_a_list() {
    check(&[(
        "Term\n: *one*\n: two\n\nOther\n: three",
        "<dl>\n<dt>Term</dt>\n<dd><em>one</em></dd>\n<dd>two</dd>\n<dt>Other</dt>\n<dd>three</dd>\n</dl>\n",
    )]);
}

#[test]
fn formulas_are_mathml_and_prices_are_text() {
    check_paragraphs(&[
        ("a $x$ b", "a <math><mi>x</mi></math> b"),
        ("$$x$$", "<math display=\"block\" tabindex=\"0\"><mi>x</mi></math>"),
        ("$\\nonsense<b>$", "<code>\\nonsense&lt;b&gt;</code>"),
        ("$5 and $10, US$5 *or* CA$8", "$5 and $10, US$5 <em>or</em> CA$8"),
        ("$HOME/bin:$PATH `$x$` \\$a$", "$HOME/bin:$PATH <code>$x$</code> $a$"),
        ("![$x$](a)", "<img src=\"a\" alt=\"$x$\" loading=\"lazy\">"),
    ]);
    check(&[("```math\nx\n```", "<p><math display=\"block\" tabindex=\"0\"><mi>x</mi></math></p>\n")]);
    assert_eq!(links("US$5 [[Home]] CA$8 $[[Not]]$"), ["home"]);
    assert_eq!(render("## About $x$", "", |_| true).headings[0].text, "About $x$");
    let many = "$x$ ".repeat(MAX_FORMULAS + 10);
    assert!(html(&many).ends_with("<code>x</code></p>\n"));
}

#[test]
fn a_page_has_a_direction_and_blocks_in_the_other_say_so() {
    let page = render(
        "שלום עולם, זה עמוד.\n\n- Docker זה כלי\n\n| שם | x |\n|---|---|\n| א | b |\n\n> A quotation\n",
        "",
        |_| true,
    );
    assert_eq!((page.direction, page.language), (Direction::Rtl, Some("he")));
    assert!(page.html.contains("<p>שלום") && page.html.contains("<ul>\n<li>Docker"), "{}", page.html);
    assert!(page.html.contains("<blockquote dir=\"ltr\">\n<p dir=\"ltr\">A quotation"), "{}", page.html);
    let page = render(
        "English, and more of it, so that it is most of the page by far.\n\n## כותרת\n\n1. אחד\n2. שניים\n\n> ציטוט ארוך\n",
        "",
        |_| true,
    );
    assert_eq!(page.direction, Direction::Ltr);
    assert!(page.html.contains("<div dir=\"rtl\" class=\"heading\">"), "{}", page.html);
    assert!(page.html.contains("<ol dir=\"rtl\">") && page.html.contains("<blockquote dir=\"rtl\">"), "{}", page.html);
}

#[test]
fn emoji_have_names() {
    check_paragraphs(&[(
        ":tada: `:tada:` [:+1:](a) http://a.example/:tada:x",
        "🎉 <code>:tada:</code> <a href=\"a\">👍</a> \
          <a href=\"http://a.example/:tada:x\" rel=\"nofollow ugc\">http://a.example/:tada:x</a>",
    )]);
    assert_eq!(render("# :tada: New\n\na", &title_of("# :tada: New"), |_| true).html, "<p>a</p>\n");
}

#[test]
fn a_contents_list_begins_at_the_highest_level() {
    let heading = |level| Heading { level, id: String::new(), text: String::new(), start: 0 };
    let depths = |levels: &[u8]| {
        let rendered =
            Rendered { headings: levels.iter().map(|level| heading(*level)).collect(), ..Rendered::default() };
        rendered.contents().iter().map(|(depth, _)| *depth).collect::<Vec<_>>()
    };
    assert_eq!(depths(&[2, 3, 2, 4, 5]), [0, 1, 0, 2]);
    assert_eq!(depths(&[1, 2]), [0; 0]);
}

#[test]
fn a_section_goes_to_the_next_heading_of_its_level() {
    let page = "# Page\n\nintro\n\n## One\n\na\n\n### Within\n\nb\n\nTwo\n---\nc\n\n```\n## no heading\n```\n\n## One\n\n> ## Quoted\n> d\n";
    let found = |id: &str| section(page, "Page", id).map(|range| &page[range]);
    for (id, expected) in [
        ("section-one", "## One\n\na\n\n### Within\n\nb"),
        ("section-within", "### Within\n\nb"),
        ("section-two", "Two\n---\nc\n\n```\n## no heading\n```"),
        ("section-one-1", "## One"),
        ("section-quoted", "> ## Quoted\n> d"),
    ] {
        assert_eq!(found(id), Some(expected), "{id}");
    }
    // The title is none, nor is what is not there.
    for id in ["section-page", "section-no-heading", "one", ""] {
        assert_eq!(found(id), None, "{id}");
    }
    let marked = format!("\u{feff}{page}");
    assert_eq!(&marked[section(&marked, "Page", "section-within").unwrap()], "### Within\n\nb");
}

#[test]
fn sections_are_edited_where_that_is_offered() {
    let boxes = Boxes { sections: Some("/wiki/a/edit".to_owned()), ..Boxes::default() };
    let html = render_with("## Größe & <b>", "", |_| None, &boxes, &Pictures::new()).html;
    let link = "<a class=\"edit-section\" href=\"/wiki/a/edit?section=section-gr%C3%B6%C3%9Fe\" rel=\"nofollow\" \
                aria-label=\"Edit section: Größe &amp;\">Edit</a></div>";
    assert!(html.contains(link), "{html}");
    assert!(!super::render("## Größe", "", |_| None).html.contains("edit-section"));
}

proptest! {
    #[test]
    fn every_heading_begins_its_section(markdown in "([#>=\\-*`\\[ \n\r]|a|b|- |1\\. |\n\n|\n## |```|\u{feff}){0,40}") {
        for heading in super::render(&markdown, "", |_| None).headings {
            if let Some(range) = section(&markdown, "", &heading.id) {
                prop_assert!(range.start == 0 || markdown[..range.start].ends_with('\n'));
                prop_assert!(range.end == markdown.len() || markdown[range.end..].starts_with(['\n', '\r']));
            }
        }
    }
}
