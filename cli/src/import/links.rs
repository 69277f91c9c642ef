//! Links between files become links between pages.

use std::ops::Range;
use std::sync::LazyLock;

use percent_encoding::percent_decode_str;
use pulldown_cmark::{Event, LinkType, Tag, TagEnd};
use regex::{Captures, Regex};
use wiki_types::slug::slugify;

use super::index::Index;
use super::left_out::LeftOut;
use super::markdown::{code, parser};
use super::name::Name;

/// The text of the file `from`, with links to the pages that the files of `index` become. What cannot be a link to a page
/// stays as it is, and is counted in `left_out`.
///
/// `is_there` is whether a destination is a file that comes with the page; such links are not counted.
pub fn rewrite(
    content: &str,
    from: &Name,
    index: &Index,
    is_there: &dyn Fn(&str) -> bool,
    left_out: &mut LeftOut,
) -> String {
    let content = without_shortcodes(content, from, index);
    let mut edits = Edits { content: &content, from, index, is_there, in_table: false, edits: Vec::new() };
    let parser = parser(&content);
    for (_, definition) in parser.reference_definitions().iter() {
        edits.definition(&definition.dest, definition.span.clone(), left_out);
    }
    for (event, range) in parser.into_offset_iter() {
        match event {
            Event::Start(Tag::Table(_)) => edits.in_table = true,
            Event::End(TagEnd::Table) => edits.in_table = false,
            Event::Start(Tag::Link { link_type: LinkType::WikiLink { .. }, dest_url, .. }) => {
                edits.wiki_link(&dest_url, range, false, left_out);
            }
            Event::Start(Tag::Image { link_type: LinkType::WikiLink { .. }, dest_url, .. }) => {
                edits.wiki_link(&dest_url, range, true, left_out);
            }
            Event::Start(Tag::Link { link_type: LinkType::Inline, dest_url, title, .. }) => {
                edits.link(&dest_url, &title, range, left_out);
            }
            Event::Start(Tag::Image { dest_url, .. }) if !has_scheme(&dest_url) && !is_there(&dest_url) => {
                left_out.attachments += 1;
            }
            _ => {}
        }
    }
    edits.apply()
}

struct Edits<'a> {
    content: &'a str,
    from: &'a Name,
    index: &'a Index,
    is_there: &'a dyn Fn(&str) -> bool,
    /// Where `|` is written `\|`.
    in_table: bool,
    edits: Vec<(Range<usize>, String)>,
}

impl Edits<'_> {
    /// `[[target|text]]`, or `![[target]]`, which shows the page in its place elsewhere.
    fn wiki_link(&mut self, target: &str, range: Range<usize>, is_embedded: bool, left_out: &mut LeftOut) {
        let target = target.strip_suffix('\\').unwrap_or(target);
        let (path, section) = match target.split_once('#') {
            Some((path, section)) if section.contains(char::is_alphanumeric) => (path.trim(), Some(section)),
            _ => (target.trim(), None),
        };
        if path.is_empty() {
            return;
        }
        let Some(slug) = self.index.by_name(self.from, path) else {
            left_out.attachments += usize::from(is_attachment(path) && !(self.is_there)(path));
            return;
        };
        left_out.embedded += usize::from(is_embedded);
        // A section in a section is named by the last. A block has no name here.
        let shown = section.and_then(|it| it.rsplit('#').next()).filter(|it| !it.starts_with('^'));
        if !is_embedded && shown == section && slugify(path) == slug {
            return;
        }
        let source = &self.content[range.clone()];
        let text = match source.trim_end_matches(']').split_once('|') {
            Some((_, text)) => text.to_owned(),
            None => {
                let name = path.rsplit('/').next().unwrap_or(path);
                let name = name.strip_suffix(".md").unwrap_or(name);
                shown.map_or(name.to_owned(), |section| format!("{name} > {section}"))
            }
        };
        let link = wiki_link(slug, shown, &text, self.in_table);
        self.edits.push((range, link));
    }

    /// `[text](destination "title")`
    fn link(&mut self, destination: &str, title: &str, range: Range<usize>, left_out: &mut LeftOut) {
        // What pandoc makes of the links of MediaWiki.
        let is_wiki_link = title == "wikilink";
        let source = &self.content[range.clone()];
        let Some(middle) = source.rfind("](").filter(|_| source.starts_with('[')) else { return };
        // A text may go over several lines.
        let text = source[1..middle].split_whitespace().collect::<Vec<_>>().join(" ");
        let Some(target) = Target::of(destination, is_wiki_link) else { return };
        let slug = match &target.path {
            None => None,
            Some(path) => match self.index.by_path(self.from, path) {
                Some(slug) => Some(slug.to_owned()),
                None if is_wiki_link && !text.contains(['[', ']', '|']) => {
                    let page = percent_decode_str(path).decode_utf8_lossy().replace('_', " ");
                    let shown = if page == text { String::new() } else { format!("{}{text}", self.bar()) };
                    self.edits.push((range, format!("[[{page}{shown}]]")));
                    return;
                }
                None => {
                    left_out.missing_links += usize::from(is_page(path));
                    left_out.attachments += usize::from(is_attachment(path) && !(self.is_there)(path));
                    return;
                }
            },
        };
        let is_plain = !text.trim().is_empty() && !text.contains(|c: char| "[]|\\<>*_~`&".contains(c));
        let section = target.section.as_deref();
        if is_plain && (title.is_empty() || is_wiki_link) {
            let link = wiki_link(slug.as_deref().unwrap_or_default(), section, &text, self.in_table);
            self.edits.push((range, link));
        } else {
            let title = match title {
                "" | "wikilink" => String::new(),
                title => format!(" \"{}\"", title.replace('\\', "\\\\").replace('"', "\\\"")),
            };
            let start = range.start + middle + 2;
            self.edits.push((start..range.end, format!("{}{title})", href(slug.as_deref(), section))));
        }
    }

    /// `[label]: destination`
    fn definition(&mut self, destination: &str, range: Range<usize>, left_out: &mut LeftOut) {
        let Some(target) = Target::of(destination, false) else { return };
        let Some(path) = target.path else { return };
        let Some(slug) = self.index.by_path(self.from, &path) else {
            left_out.missing_links += usize::from(is_page(&path));
            return;
        };
        let source = &self.content[range.clone()];
        let Some(at) = source.find("]:").and_then(|at| Some(at + source[at..].find(destination)?)) else { return };
        let mut part = range.start + at..range.start + at + destination.len();
        // A destination in pointed brackets may have spaces, which this one has not.
        if source[..at].ends_with('<') && source[at + destination.len()..].starts_with('>') {
            part = part.start - 1..part.end + 1;
        }
        self.edits.push((part, href(Some(slug), target.section.as_deref())));
    }

    fn bar(&self) -> &'static str {
        if self.in_table { "\\|" } else { "|" }
    }

    /// The text with all edits. One inside of another, as of an image in a link, is left out.
    fn apply(mut self) -> String {
        self.edits.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
        let mut text = String::with_capacity(self.content.len());
        let mut at = 0;
        for (range, edit) in self.edits {
            if range.start >= at {
                text.push_str(&self.content[at..range.start]);
                text.push_str(&edit);
                at = range.end;
            }
        }
        text.push_str(&self.content[at..]);
        text
    }
}

/// Where a link leads, if that may be a page of the import.
struct Target {
    /// `None` for a section of the same page.
    path: Option<String>,
    section: Option<String>,
}

impl Target {
    fn of(destination: &str, is_wiki_link: bool) -> Option<Self> {
        let (path, section) = destination.split_once('#').unwrap_or((destination, ""));
        let path = path.split('?').next().unwrap_or_default();
        let path = match has_scheme(path) && !is_wiki_link {
            false => path,
            // Exports of BookStack and Outline have whole addresses. Those of other sites are no pages.
            true => {
                let (_, rest) = path.split_once("://")?;
                let path = &rest[rest.find('/')?..];
                Some(path)
                    .filter(|path| path.contains("/books/") && path.contains("/page/") || path.starts_with("/doc/"))?
            }
        };
        let section = percent_decode_str(section).decode_utf8().ok()?;
        let section = section.contains(char::is_alphanumeric).then(|| section.replace(['[', ']', '|'], ""));
        let path = (!path.is_empty()).then(|| path.to_owned());
        (path.is_some() || section.is_some()).then_some(Self { path, section })
    }
}

fn wiki_link(slug: &str, section: Option<&str>, text: &str, in_table: bool) -> String {
    let text = text.trim().trim_end_matches('\\');
    let section = section.map(|it| format!("#{it}")).unwrap_or_default();
    match section.is_empty() && slugify(text) == slug && !text.contains('#') {
        true => format!("[[{text}]]"),
        false => format!("[[{slug}{section}{}{text}]]", if in_table { "\\|" } else { "|" }),
    }
}

fn href(slug: Option<&str>, section: Option<&str>) -> String {
    let page = slug.map(|slug| format!("/wiki/{slug}")).unwrap_or_default();
    let section = section.map(|section| format!("#section-{}", slugify(section))).unwrap_or_default();
    format!("{page}{section}")
}

pub fn has_scheme(url: &str) -> bool {
    let scheme = |scheme: &str| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '.' | '-'))
    };
    url.starts_with("//") || url.split_once(':').is_some_and(|(first, _)| scheme(first))
}

fn is_page(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    path.ends_with(".md") || path.ends_with(".markdown")
}

/// Whether a path names a file that is no page: its name has an ending.
fn is_attachment(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    (2..=5).contains(&ending.len())
        && ending.chars().all(|c| c.is_ascii_alphanumeric())
        && !matches!(&*ending.to_ascii_lowercase(), "html" | "htm" | "markdown" | "md")
}

/// Where Hugo and Jekyll name a page of theirs: `{{< ref "a.md" >}}`, `{% link a.md %}`, `{% post_url 2024-05-01-a %}`.
fn without_shortcodes(content: &str, from: &Name, index: &Index) -> String {
    static SHORTCODE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r#"\]\((?:\{\{[^{}]*baseurl[^{}]*\}\})?(?:\{\{[<%]\s*(?:rel)?ref\s+"?([^"\s<>%]+)"?\s*[>%]\}\}|\{%-?\s*(link|post_url)\s+([^\s%]+)\s*-?%\})(#[^\s()]*)?\)"#,
        )
        .ok()
    });
    let Some(shortcode) = SHORTCODE.as_ref().filter(|_| content.contains("]({")) else { return content.to_owned() };
    let code = code(content);
    let replaced = |found: &Captures<'_>| {
        let whole = found.get(0).map(|it| it.range()).unwrap_or_default();
        let as_it_is = content[whole.clone()].to_owned();
        let path = match (found.get(1), found.get(2), found.get(3)) {
            (Some(path), ..) => path.as_str().to_owned(),
            (None, Some(kind), Some(path)) if kind.as_str() == "post_url" => format!("/_posts/{}.md", path.as_str()),
            (None, _, Some(path)) => format!("/{}", path.as_str()),
            _ => return as_it_is,
        };
        let (file, section) = path.split_once('#').unwrap_or((&path, ""));
        if code.iter().any(|range| range.contains(&whole.start)) || index.by_path(from, file).is_none() {
            return as_it_is;
        }
        let section = if section.is_empty() {
            found.get(4).map_or("", |it| it.as_str()).trim_start_matches('#')
        } else {
            section
        };
        format!("](<{file}{}{section}>)", if section.is_empty() { "" } else { "#" })
    };
    shortcode.replace_all(content, replaced).into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::index::Entry;
    use super::*;
    use proptest::prelude::*;
    use std::path::Path;

    fn name(path: &str) -> Name {
        Name::of(Path::new(path)).unwrap()
    }

    fn index() -> Index {
        let files = [
            ("other.md", "other"),
            ("guide/Getting started.md", "guide-getting-started"),
            ("Projects/Alpha.md", "projects-alpha"),
            ("_posts/2024-05-01-hello.md", "hello"),
            ("a.md", "a"),
        ];
        let names = files.map(|(path, _)| name(path));
        Index::new(names.iter().zip(files).map(|(name, (_, slug))| Entry { name, slug, permalink: None }))
    }

    /// The text after the rewriting of a file in `guide/`, and what was left out.
    fn counted(text: &str) -> (String, LeftOut) {
        let mut left_out = LeftOut::default();
        let text = rewrite(text, &name("guide/x.md"), &index(), &|path| path == "there.pdf", &mut left_out);
        (text, left_out)
    }

    #[test]
    fn links_to_files_become_links_to_pages() {
        for (text, expected) in [
            ("[x](../other.md)", "[[other|x]]"),
            ("[Other](../other.md)", "[[Other]]"),
            ("[x](../other.md#part-two)", "[[other#part-two|x]]"),
            ("[x](Getting%20started.md)", "[[guide-getting-started|x]]"),
            ("[x](<Getting started.md>)", "[[guide-getting-started|x]]"),
            ("[x](/other)", "[[other|x]]"),
            ("[x](#part-two)", "[[#part-two|x]]"),
            ("[*x*](../other.md#a)", "[*x*](/wiki/other#section-a)"),
            ("[x](../other.md \"A \\\"title\\\"\")", "[x](/wiki/other \"A \\\"title\\\"\")"),
            ("[![x](a.png)](../other.md)", "[![x](a.png)](/wiki/other)"),
            ("[x][y] and [y]\n\n[y]: ../other.md#a \"t\"\n", "[x][y] and [y]\n\n[y]: /wiki/other#section-a \"t\"\n"),
            ("[y]\n\n[y]: <../other.md>\n", "[y]\n\n[y]: /wiki/other\n"),
            ("| a |\n|---|\n| [x](../other.md) |\n", "| a |\n|---|\n| [[other\\|x]] |\n"),
            ("[x](Main_Page \"wikilink\")", "[[Main Page|x]]"),
            ("[Main Page](Main_Page \"wikilink\")", "[[Main Page]]"),
            ("[x](other \"wikilink\")", "[[other|x]]"),
            ("[Category:A](Category:A \"wikilink\")", "[[Category:A]]"),
            ("[x](https://wiki.example/books/b/page/alpha)", "[[projects-alpha|x]]"),
            ("[x]({{< ref \"../other.md\" >}})", "[[other|x]]"),
            ("[x]({{% relref \"other.md#a\" %}})", "[[other#a|x]]"),
            ("[x]({% post_url 2024-05-01-hello %}) [y]({% link other.md %}#a)", "[[hello|x]] [[other#a|y]]"),
            ("[x]({{ site.baseurl }}{% link other.md %})", "[[other|x]]"),
        ] {
            assert_eq!(counted(text).0, expected, "{text}");
        }
    }

    #[test]
    fn names_in_brackets_find_their_files() {
        for (text, expected) in [
            ("[[Alpha]]", "[[projects-alpha|Alpha]]"),
            ("[[Alpha|text]]", "[[projects-alpha|text]]"),
            ("[[Alpha#Part two]]", "[[projects-alpha#Part two|Alpha > Part two]]"),
            ("[[Projects/Alpha]]", "[[Projects/Alpha]]"),
            ("[[Alpha.md|x]]", "[[projects-alpha|x]]"),
            ("[[Alpha#^block]]", "[[projects-alpha|Alpha]]"),
            ("[[Other]] [[#Part]] [[Missing]] [[C#]]", "[[Other]] [[#Part]] [[Missing]] [[C#]]"),
            ("![[Alpha]]", "[[projects-alpha|Alpha]]"),
            (
                "| a |\n|---|\n| [[Alpha\\|x]] [[Alpha]] |\n",
                "| a |\n|---|\n| [[projects-alpha\\|x]] [[projects-alpha\\|Alpha]] |\n",
            ),
        ] {
            assert_eq!(counted(text).0, expected, "{text}");
        }
    }

    #[test]
    fn all_else_stays() {
        for text in [
            "[x](https://example.org/other.md) <https://example.org> [x](mailto:a@example.org)",
            "[x](//example.org/other.md)",
            "`[x](../other.md)`",
            "```\n[x](../other.md) [[Alpha]]\n```\n",
            "```\n[x]({{< ref \"../other.md\" >}})\n```\n",
            "[x](missing.md) [x]({{< ref \"missing.md\" >}})",
            "\\[x](../other.md)",
            "a\r\nb  \r\n\tc",
            "",
        ] {
            assert_eq!(counted(text).0, text, "{text}");
        }
    }

    #[test]
    fn what_is_left_out_is_counted() {
        let text = "![a](a.png) ![b](https://example.org/b.png) [c](files/c.pdf) ![[d.png]] ![[Alpha]] [e](missing.md) ![g](there.pdf) [g](there.pdf)\n\n\
                    [f]\n\n[f]: gone.md\n";
        let left_out = counted(text).1;
        assert_eq!((left_out.attachments, left_out.embedded, left_out.missing_links), (3, 1, 2));
    }

    proptest! {
        #[test]
        fn any_text_can_be_rewritten_and_then_stays(text in "(\\[|\\]|\\(|\\)|!|#|\\||\\\\|\"|<|>| |\n|x|Alpha|other\\.md|\\.\\./|`|\\{\\{< ref ){0,30}") {
            let once = counted(&text).0;
            prop_assert_eq!(&counted(&once).0, &once);
        }
    }
}
