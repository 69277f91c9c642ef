//! Texts of pages as HTML. An instance keeps those that it made last: most readers read the same few pages.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use wiki_types::SeenDue;

use crate::markdown::{self, Boxes, Note, Pictures, Rendered};
use crate::site::parts::{Linked, TICKS};
use crate::site::tasks::exact;
use crate::store::links::Targets;
use crate::store::pages::PageView;
use crate::store::tasks::Ticked;

/// Bytes that an instance keeps, of texts and their HTML.
const MAX_KEPT: usize = 512 << 10;
/// The same of one page. A larger one would take the place of many.
const MAX_PAGE: usize = 128 << 10;

/// All that the HTML of a page is made from. Nothing else may go into it: what is kept is right as long as this is equal.
#[derive(Debug, PartialEq, Eq)]
struct Source {
    post_id: i64,
    title: String,
    content: String,
    targets: Targets,
    boxes: Boxes,
    pictures: Pictures,
}

struct Kept {
    source: Source,
    rendered: Rc<Rendered>,
}

thread_local! {
    /// What is kept, the latest last.
    static KEPT: RefCell<VecDeque<Kept>> = const { RefCell::new(VecDeque::new()) };
}

/// The text of a page, whose check boxes can be ticked and whose sections edited if the viewer `edits` it. `ticked` are those that
/// are, with who did it, and `elsewhere` those that are due at another time for the viewer than the page says.
pub fn rendered_page(
    view: &PageView,
    edits: bool,
    ticked: Vec<Ticked>,
    elsewhere: Vec<(usize, SeenDue)>,
    pictures: Pictures,
) -> Rc<Rendered> {
    let said = |ticked: Ticked| (ticked.place, Note { name: ticked.name, day: ticked.time.short_day() });
    let boxes = Boxes {
        form: edits.then_some(TICKS),
        notes: ticked.into_iter().map(said).collect(),
        times: elsewhere.into_iter().map(|(place, due)| (place, exact(&due))).collect(),
        sections: edits.then(|| view.post.of("edit")),
    };
    KEPT.with_borrow_mut(|kept| {
        let same = kept.iter().position(|kept| kept.source.is_of(view, &boxes, &pictures));
        if let Some(known) = same.and_then(|at| kept.remove(at)) {
            let rendered = known.rendered.clone();
            kept.push_back(known);
            return rendered;
        }
        let (post, targets) = (&view.post, &view.targets);
        let target = |name: &str| targets.get(name).cloned();
        let rendered: Rc<Rendered> =
            markdown::render_with(&post.content, &post.title, target, &boxes, &pictures).into();
        if size(&post.content, &rendered) <= MAX_PAGE {
            let (title, content) = (post.title.clone(), post.content.clone());
            let source = Source { post_id: post.post_id, title, content, targets: targets.clone(), boxes, pictures };
            kept.push_back(Kept { source, rendered: rendered.clone() });
            let mut all: usize = kept.iter().map(Kept::size).sum();
            while all > MAX_KEPT
                && let Some(oldest) = kept.pop_front()
            {
                all -= oldest.size();
            }
        }
        rendered
    })
}

/// What a text and its HTML take.
fn size(content: &str, rendered: &Rendered) -> usize {
    /// What the rest takes for a page of a few headings and links.
    const REST: usize = 1 << 10;
    content.len() + rendered.html.len() + REST
}

impl Source {
    fn is_of(&self, view: &PageView, boxes: &Boxes, pictures: &Pictures) -> bool {
        let post = &view.post;
        // The cheapest to compare first.
        (self.post_id, &self.title) == (post.post_id, &post.title)
            && (&self.content, &self.boxes, &self.pictures) == (&post.content, boxes, pictures)
            && self.targets == view.targets
    }
}

impl Kept {
    fn size(&self) -> usize {
        size(&self.source.content, &self.rendered)
    }
}
