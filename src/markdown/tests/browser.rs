//! What a browser makes of HTML.

use scraper::{Html, Node};

/// An element as a browser sees it.
#[derive(Debug)]
pub struct Element {
    pub name: String,
    pub attributes: Vec<(String, String)>,
}

/// The elements of `html`, in the order they start. Fails if the HTML is not what it seems: if a browser has anything to
/// mend, or if an element is left open.
pub fn elements(html: &str) -> Vec<Element> {
    let document = parse(html);
    assert_eq!(document.errors, [""; 0], "{html}");
    let elements: Vec<_> = document
        .root_element()
        .descendants()
        .filter_map(|node| match node.value() {
            Node::Element(element) => Some(Element {
                name: element.name().to_owned(),
                attributes: element.attrs().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            }),
            Node::Comment(_) | Node::ProcessingInstruction(_) | Node::Doctype(_) => {
                panic!("only elements and text: {html}")
            }
            Node::Text(_) | Node::Document | Node::Fragment => None,
        })
        // The root that a fragment is put in.
        .skip(1)
        .collect();
    let names: Vec<_> = elements.iter().map(|element| element.name.as_str()).collect();
    assert_eq!(names, start_tags(html), "{html}");
    elements
}

/// `html` parsed as the inside of a page.
pub fn parse(html: &str) -> Html {
    Html::parse_fragment(html)
}

/// The names of the start tags of `html`, whose end tags must be there and in order.
fn start_tags(html: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut open = Vec::new();
    for tag in html.split('<').skip(1) {
        let name = &tag[..tag.find([' ', '>']).expect("a tag ends")];
        match name.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name), "{html}"),
            None => {
                names.push(name);
                if !matches!(name, "br" | "hr" | "img" | "input" | "wbr") {
                    open.push(name);
                }
            }
        }
    }
    assert_eq!(open, [""; 0], "{html}");
    names
}
