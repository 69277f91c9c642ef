//! What holds for every page: nothing a person wrote becomes markup, and the markup is whole.

use std::collections::HashSet;
use std::path::Path;

use scraper::{Html, Selector};

use super::assets;
use super::samples::Samples;

const HOSTILE: &str = "<script>x</script>\"'&<b";

fn plain() -> Samples<impl Fn(&str) -> String> {
    Samples { text: str::to_owned }
}

fn hostile() -> Samples<impl Fn(&str) -> String> {
    Samples { text: |text| format!("{text}{HOSTILE}") }
}

fn select(css: &str) -> Selector {
    Selector::parse(css).unwrap()
}

#[test]
fn nothing_a_person_wrote_becomes_markup() {
    // The script of the layout is the only one but in the editor, and all are the wiki's own.
    let script = |asset: &assets::Asset, how: &str| format!("<script src=\"{}\" {how}></script>", asset.path);
    let of_layout = script(&assets::SCRIPT, "defer");
    let of_editor = [
        script(&assets::TOOLBAR_SCRIPT, "type=\"module\""),
        script(&assets::WRITING_SCRIPT, "defer"),
        script(&assets::EDITOR_SCRIPT, "defer"),
    ];
    for (name, page) in hostile().pages() {
        assert_eq!(page.matches(&of_layout).count(), 1, "{name}");
        let mut page = page.replace(&of_layout, "");
        for script in &of_editor {
            assert_eq!(page.matches(script).count(), usize::from(name.starts_with("edit")), "{name}");
            page = page.replace(script, "");
        }
        for forbidden in ["<script", "</script", "\"'&<", "<b\"", "javascript:"] {
            assert!(!page.contains(forbidden), "{name} contains {forbidden}");
        }
    }
}

#[test]
fn hostile_text_changes_no_element_and_no_attribute_s_name() {
    let shape = |page: &str| {
        let document = Html::parse_document(page);
        let shape: Vec<_> = document
            .select(&select("*"))
            .map(|element| {
                let element = element.value();
                let mut attributes: Vec<_> = element.attrs().map(|(name, _)| name.to_owned()).collect();
                attributes.sort();
                (element.name().to_owned(), attributes)
            })
            // These follow from the texts: what changed between them, and that an empty one is left out.
            .filter(|(name, _)| {
                !["ins", "del", "tr", "td", "span", "p", "time", "section", "h2"].contains(&name.as_str())
            })
            .collect();
        shape
    };
    for ((name, plain), (_, hostile)) in plain().pages().into_iter().zip(hostile().pages()) {
        assert_eq!(shape(&plain), shape(&hostile), "{name}");
    }
}

#[test]
fn a_feed_is_xml_whatever_is_in_it() {
    let feed = Samples { text: |text| format!("{text}{HOSTILE}\0\u{1b}\u{ffff}") }.feed();
    assert!(!feed.contains("<script"));
    assert!(feed.contains("&lt;script&gt;x&lt;/script&gt;&quot;&#39;&amp;&lt;b"), "{feed}");
    assert!(feed.chars().all(|c| c == '\n' || (' '..'\u{fffe}').contains(&c) || c > '\u{ffff}'));
    balanced("feed", &feed);
}

#[test]
fn every_element_is_closed_where_it_was_opened() {
    for (name, page) in plain().pages() {
        balanced(&name, &page);
    }
    balanced("preview", &plain().preview());
}

/// Panics unless every tag of `document` but those of empty elements has its counterpart.
fn balanced(name: &str, document: &str) {
    const EMPTY: [&str; 8] = ["col", "meta", "link", "input", "br", "hr", "img", "wbr"];
    let mut open: Vec<&str> = Vec::new();
    let mut rest = document;
    while let Some((_, after)) = rest.split_once('<') {
        let (tag, after) = after.split_once('>').unwrap();
        rest = after;
        if tag.starts_with(['!', '?']) || tag.ends_with('/') {
            continue;
        }
        let element = tag.split_whitespace().next().unwrap();
        match element.strip_prefix('/') {
            Some(closed) => assert_eq!(open.pop(), Some(closed), "{name}: before {rest:.80}"),
            None if EMPTY.contains(&element) => {}
            None => open.push(element),
        }
    }
    assert_eq!(open, [""; 0], "{name}");
}

#[test]
fn pages_are_made_for_everybody() {
    for (name, page) in plain().pages() {
        let document = Html::parse_document(&page);
        let count = |css: &str| document.select(&select(css)).count();
        assert_eq!(count("html[lang]"), 1, "{name}");
        assert_eq!(count("main h1"), 1, "{name}: one title");
        assert_eq!(count("h1"), 1, "{name}: one title");
        assert_eq!(count("[style], style, script:not([src]), [onclick]"), 0, "{name}: the policy forbids inline code");
        assert_eq!(count("form.search"), 1, "{name}: one search form");

        let mut ids = HashSet::new();
        for element in document.select(&select("[id]")) {
            let id = element.value().attr("id").unwrap();
            assert!(ids.insert(id), "{name}: the id {id} is there twice");
            let of_text = element.ancestors().any(|node| {
                node.value().as_element().is_some_and(|above| above.classes().any(|class| class == "prose"))
            });
            assert!(of_text || id.starts_with('_'), "{name}: a heading could have the id {id}, too");
        }
        for attribute in ["for", "aria-describedby", "aria-labelledby"] {
            for element in document.select(&select(&format!("[{attribute}]"))) {
                for id in element.value().attr(attribute).unwrap().split(' ') {
                    assert!(ids.contains(id), "{name}: {attribute} names {id}, which is not there");
                }
            }
        }
        for control in document.select(&select("input:not([type=hidden], [disabled]), textarea")) {
            let control = control.value();
            let labelled = control.attr("id").is_some_and(|id| count(&format!("label[for=\"{id}\"]")) == 1)
                || count(&format!("label > input[name=\"{}\"]", control.attr("name").unwrap_or_default())) > 0;
            assert!(labelled, "{name}: {control:?} has no label");
        }
        let mut level = 1;
        for heading in document.select(&select("h1, h2, h3, h4, h5, h6")) {
            let next = heading.value().name()[1..].parse::<u8>().unwrap();
            assert!(next <= level + 1, "{name}: a heading of level {next} follows one of level {level}");
            level = next;
        }
    }
}

#[test]
fn a_textarea_keeps_its_text_byte_for_byte() {
    let (_, page) = hostile().pages().into_iter().find(|(name, _)| *name == "edit").unwrap();
    let document = Html::parse_document(&page);
    let text: String = document.select(&select("#_content")).next().unwrap().text().collect();
    assert!(text.starts_with("# Deploying\n") && text.ends_with(HOSTILE), "{text:?}");
}

/// For looking at: `cargo test -p wiki preview_all -- --ignored`, then open the files with a browser.
#[test]
#[ignore = "writes files for people to look at"]
fn preview_all_pages() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pages-preview");
    std::fs::create_dir_all(folder.join("static")).unwrap();
    for asset in assets::ALL {
        std::fs::write(folder.join(asset.path.trim_start_matches('/')), asset.content().unwrap()).unwrap();
    }
    for (name, page) in plain().pages() {
        let page = page.replace("\"/static/", "\"static/");
        std::fs::write(folder.join(name).with_extension("html"), page).unwrap();
    }
    std::fs::write(folder.join("feed.atom"), plain().feed()).unwrap();
}
