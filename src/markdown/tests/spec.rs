//! The examples of the CommonMark and GitHub specifications, but for those `docs/MARKDOWN.md` lists as different.

use std::collections::BTreeMap;

use scraper::{ElementRef, Node};

use super::browser::parse;
use super::html;

const DOCUMENT: &str = include_str!("../../../docs/MARKDOWN.md");

#[derive(serde::Deserialize)]
struct Example {
    example: usize,
    markdown: String,
    html: String,
}

#[test]
fn commonmark_examples_but_those_listed() {
    compare(include_str!("../../../tests/fixtures/commonmark-0.31.2.json"), 652, "CommonMark example");
}

#[test]
fn github_examples_but_those_listed() {
    compare(include_str!("../../../tests/fixtures/gfm-extensions.json"), 14, "GitHub example");
}

fn compare(examples: &str, count: usize, column: &str) {
    let examples: Vec<Example> = serde_json::from_str(examples).expect("the fixture is JSON");
    assert_eq!(examples.len(), count);
    let listed = listed(column);
    let mut wrong = Vec::new();
    for Example { example, markdown, html: expected } in &examples {
        let (ours, theirs) = (normal(&html(markdown)), normal(expected));
        match (ours == theirs, listed.get(example)) {
            (true, Some(reason)) => wrong.push(format!("{example} is listed ({reason}), but is the same")),
            (false, None) => {
                wrong.push(format!("{example} is not listed\n{markdown}\n  ours: {ours}\ntheirs: {theirs}"))
            }
            _ => {}
        }
    }
    for example in listed.keys().filter(|example| !(1..=count).contains(*example)) {
        wrong.push(format!("{example} is listed, but there is no such example"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// The rows of the table whose first column is `column`: numbers, as in `1, 3–5`, and the reason. Where nothing differs,
/// there is no such table.
fn listed(column: &str) -> BTreeMap<usize, &'static str> {
    let lines = DOCUMENT.lines().skip_while(|line| !line.starts_with(&format!("| {column}")));
    let mut listed = BTreeMap::new();
    for line in lines.skip(2).take_while(|line| line.starts_with('|')) {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        let (Some(numbers), Some(reason)) = (cells.next(), cells.next()) else { panic!("{line}") };
        for range in numbers.split(',').map(str::trim) {
            let (first, last) = range.split_once('–').unwrap_or((range, range));
            for number in first.parse().expect(line)..=last.parse().expect(line) {
                assert_eq!(listed.insert(number, reason), None, "{number} is listed twice");
            }
        }
    }
    listed
}

/// `html` without what the wiki adds on purpose, and without white space that makes no difference.
fn normal(html: &str) -> String {
    let mut out = String::new();
    write(parse(html).root_element(), false, &mut out);
    out.trim().to_owned()
}

fn write(parent: ElementRef<'_>, in_pre: bool, out: &mut String) {
    for child in parent.children() {
        match child.value() {
            Node::Text(text) => {
                for c in text.chars() {
                    match c {
                        '\n' | ' ' if !in_pre && (out.is_empty() || out.ends_with([' ', '\u{1}'])) => {}
                        '\n' if !in_pre => out.push(' '),
                        '<' => out.push_str("&lt;"),
                        c => out.push(c),
                    }
                }
            }
            Node::Element(element) => {
                let Some(child) = ElementRef::wrap(child) else { continue };
                let name = element.name();
                let inline = matches!(name, "a" | "em" | "strong" | "del" | "code" | "img" | "input" | "sup");
                let classes: Vec<_> = element.classes().collect();
                match (name, classes.as_slice()) {
                    ("div", ["heading" | "table" | "code"]) | ("span", _) => {
                        write(child, in_pre, out);
                        continue;
                    }
                    ("a", ["anchor"]) | ("div", ["language"]) => continue,
                    _ => {}
                }
                let mark = if inline { "" } else { "\u{1}" };
                let trim = |out: &mut String| {
                    if !inline && !in_pre {
                        out.truncate(out.trim_end_matches([' ', '\n']).len());
                    }
                };
                trim(out);
                let mut attributes: Vec<_> =
                    element.attrs().filter_map(|(key, value)| attribute(name, key, value)).collect();
                attributes.sort();
                out.push_str(&format!("{mark}<{name}{}>{mark}", attributes.concat()));
                write(child, in_pre || name == "pre", out);
                if name != "pre" {
                    trim(out);
                }
                out.push_str(&format!("{mark}</{name}>{mark}"));
            }
            _ => out.push('?'),
        }
    }
}

fn attribute(element: &str, key: &str, value: &str) -> Option<String> {
    let (key, value) = match (element, key) {
        (_, "rel" | "loading" | "tabindex" | "aria-label" | "role")
        | ("h1" | "h2" | "h3" | "h4" | "h5" | "h6", "id") => {
            return None;
        }
        (_, "style") => ("class", value.trim_start_matches("text-align: ")),
        _ => (key, value),
    };
    Some(format!(" {key}={value:?}"))
}
