//! The form that creates and edits pages, and what happens when two people edit at once.

use askama::Template;
use http::StatusCode;
use serde_json::{Map, Value};
use wiki_types::rules::{MAX_CONTENT, folded_title, normal_tags};
use wiki_types::slug::{self, is_of_title, is_slug, numbered, slugify};
use wiki_types::{FieldError, File, Post, PostSummary, RevisionEntry, Space, SpaceRole, Suggestion};

use crate::auth::{self, Context};
use crate::diff::{self, Difference};
use crate::errors;
use crate::input::idempotency::{self, Purpose};
use crate::input::{draft, files, revisions};
use crate::markdown::{Pictures, Rendered, fragment, section};
use crate::merge::{merge, merge_sets};
use crate::site::frame::Frame;
use crate::site::parts::{self, Linked, Reason};
use crate::site::{address, author, missing, preview, templates};
use crate::store::Db;
use crate::store::drafts::{self, EditDraft, Typed};
use crate::store::links::{self, Targets};
use crate::store::navigation::Location;
use crate::store::pages::{self, Created, Draft, Place, Saved, Unplaced};
use crate::store::spaces;
use crate::store::submissions::{self, Submission};
use crate::store::zones;
use crate::tasks;
use crate::web::body::SentFile;
use crate::web::forms::Form;
use crate::web::json::Body;
use crate::web::request::{positive, prefilled, query};
use crate::web::{Problem, Response, response};

/// The most bytes of a text that is rendered to find the section which an edit changed.
const MAX_PLACED: usize = 64 << 10;

/// What the field `template` says of a form that was filled from one.
pub const FROM_TEMPLATE: &str = "yes";

/// Times that an edit is merged with another and saved, before the person is asked: each further time, somebody else was
/// faster again.
const MAX_TRIES: usize = 5;

#[derive(Debug, Template)]
#[template(path = "edit.html")]
pub struct Edit {
    pub target: Target,
    /// What the fields contain.
    pub fields: Fields,
    pub errors: Vec<FieldError>,
    /// What the text looks like, if that was asked for.
    pub preview: Option<Rendered>,
    /// The edit that was saved while this form was open.
    pub conflict: Option<Conflict>,
    /// Another page that has the title.
    pub same_title: Option<Suggestion>,
    /// The file that was added, and is in the text now.
    pub added: Option<String>,
    /// Why what was sent could not be saved, if it is not for what is in the fields.
    pub reason: Option<Reason>,
    /// What the person typed before and did not save, besides what is in the fields.
    pub unsaved: Unsaved,
    /// Where the page is, or comes to be, where that was looked up.
    pub place: Place,
    /// The templates that a new page can begin as.
    pub templates: Vec<PostSummary>,
    /// The spaces that a new page can come into, if the wiki has several.
    pub spaces: Vec<Space>,
}

/// What a signed-in person typed before and did not save.
#[derive(Debug, Default)]
pub struct Unsaved {
    /// The draft of this page.
    pub draft: Option<EditDraft>,
    /// How many drafts of new pages there are.
    pub new_pages: i64,
    /// Who else is editing the page.
    pub others: Vec<String>,
}

/// What the form edits.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// A page whose slug follows from its title: `/wiki/-/new`.
    New,
    /// A page that does not exist yet, but whose slug is known: `/wiki/{slug}/edit`.
    Missing {
        /// That slug.
        slug: String,
    },
    /// A page, as it is now.
    Existing(Box<Post>),
    /// Whatever is at this address: it was not looked up.
    Unknown {
        /// Where the form goes.
        action: String,
    },
}

/// The fields of the form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields {
    pub title: String,
    /// Only for a page that exists.
    pub slug: String,
    pub content: String,
    /// Separated by commas.
    pub tags: String,
    pub comment: String,
    pub author: String,
    /// The page the edit started from. It stays the same when the page is renamed.
    pub page: Option<i64>,
    /// The version the edit started from.
    pub version: Option<i64>,
    /// The page that a new one comes below.
    pub parent: Option<i64>,
    /// The space that a new page comes into.
    pub space: Option<i64>,
    /// What stands before the section that is edited, if it is only one.
    pub before: String,
    /// What stands after it.
    pub after: String,
    /// The id of its heading, to come back to.
    pub section: String,
    /// Whether the text of a new page began as a template.
    pub from_template: bool,
    /// The key of this form: sent again, it saves nothing twice.
    pub key: String,
    /// The keys of the forms whose draft it started from.
    pub continues: Vec<String>,
}

/// An edit of the same places that was saved meanwhile. The fields hold the person's own text.
#[derive(Debug)]
pub struct Conflict {
    /// The page as it is now.
    pub current: Post,
    /// Who saved it, and when.
    pub latest: RevisionEntry,
    /// The differences from the current text to that in the form.
    pub difference: Difference,
}

impl Edit {
    pub(super) fn new(target: Target, fields: Fields) -> Self {
        Self {
            target,
            fields,
            errors: Vec::new(),
            preview: None,
            conflict: None,
            same_title: None,
            added: None,
            reason: None,
            unsaved: Unsaved::default(),
            place: Place::default(),
            templates: Vec::new(),
            spaces: Vec::new(),
        }
    }

    fn action(&self) -> String {
        match &self.target {
            Target::New => address::NEW.to_owned(),
            Target::Missing { slug } => address::of_page(slug, "edit"),
            Target::Existing(page) => page.of("edit"),
            Target::Unknown { action } => action.clone(),
        }
    }

    /// The same form, begun as a template.
    fn begun_as(&self, template: &PostSummary) -> String {
        let mut address = format!("{}?template={}", self.action(), address::escaped(&template.slug));
        if !self.fields.title.is_empty() {
            address.push_str(&format!("&title={}", address::escaped(&self.fields.title)));
        }
        for (name, number) in [("parent", self.fields.parent), ("space", self.fields.space)] {
            if let Some(number) = number {
                address.push_str(&format!("&{name}={number}"));
            }
        }
        // What was typed here goes on there.
        address.push_str(&format!("&continues={}", self.fields.key));
        address
    }

    /// Where one is who leaves without saving.
    fn back(&self) -> String {
        match self.existing() {
            Some(page) if !self.fields.section.is_empty() => {
                format!("{}{}", page.address(), fragment(&self.fields.section))
            }
            Some(page) => page.address(),
            None => address::FRONT.to_owned(),
        }
    }

    /// Where the script sends drafts.
    fn drafts(&self) -> String {
        match &self.target {
            Target::Missing { slug } => format!("{}?slug={}", address::DRAFTS, address::escaped(slug)),
            Target::New | Target::Existing(_) | Target::Unknown { .. } => address::DRAFTS.to_owned(),
        }
    }

    /// With what the person typed before, and asked to have back, or with an offer of it.
    fn with_drafts(mut self, cx: &Context) -> Result<Self, Problem> {
        let user_id = cx.identity.user_id();
        let page = self.existing().map(|page| page.post_id);
        if let Some(page) = page {
            self.unsaved.others = drafts::editing(cx.db, page, user_id, cx.identity.administers())?;
        }
        let Some(user_id) = user_id else { return Ok(self) };
        let asked = query(cx.request, "draft").as_deref().and_then(positive);
        if let Some(draft) = asked.map(|id| drafts::find(cx.db, user_id, id)).transpose()?.flatten()
            && is_of(cx.db, &draft.typed, page)?
        {
            self.fields.restore(draft.typed);
            return Ok(self);
        }
        let wanted_slug = if let Target::Missing { slug } = &self.target { slug } else { "" };
        if page.is_some() || !wanted_slug.is_empty() {
            let draft = drafts::of_place(cx.db, user_id, drafts::place(page, wanted_slug, ""))?;
            self.unsaved.draft = draft.filter(|draft| !self.fields.are(&draft.typed));
        }
        if page.is_none() {
            self.unsaved.new_pages = drafts::count_new(cx.db, user_id)?;
        }
        Ok(self)
    }

    fn existing(&self) -> Option<&Post> {
        match &self.target {
            Target::Existing(page) => Some(page),
            Target::New | Target::Missing { .. } | Target::Unknown { .. } => None,
        }
    }

    fn address_hint(&self) -> &'static str {
        match self.existing() {
            Some(page) if follows_title(&page.slug, &page.title, page.post_id) => {
                "The end of this page’s address: letters, digits and hyphens. It changes with the title unless you change it \
                 here. Links to the old address will still lead here."
            }
            _ => {
                "The end of this page’s address: letters, digits and hyphens. Links to the old address will still lead here."
            }
        }
    }

    fn heading(&self) -> &'static str {
        if self.fields.page.is_some() { "Edit" } else { "New page" }
    }

    fn error(&self, field: &str) -> Option<&str> {
        parts::error(&self.errors, field)
    }

    /// With where the page is, or comes to be.
    fn placed(mut self, db: &Db) -> Result<Self, Problem> {
        if let Some(page) = self.existing() {
            self.place = pages::place_of(db, page.post_id)?;
        } else if let Some(parent) = self.fields.parent
            && let Some(parent) = pages::find(db, parent)?
        {
            self.place = pages::place_of(db, parent.post_id)?;
            self.place.above.push(Suggestion { title: parent.title, slug: parent.slug });
        }
        Ok(self)
    }

    // A form is never kept: it holds the version it started from, and an old copy would only make conflicts.
    fn show(mut self, cx: &Context, status: StatusCode) -> Result<Response, Problem> {
        let location = match (self.existing(), self.fields.parent, self.fields.space) {
            (Some(page), ..) => Location::Page(page.post_id),
            (None, Some(parent), _) => Location::Page(parent),
            (None, None, Some(space)) => Location::Space(space),
            (None, None, None) => Location::Elsewhere,
        };
        let frame = Frame::at(cx, location)?;
        let is_placed = self.existing().is_some() || self.fields.parent.is_some();
        if !is_placed && frame.sidebar.spaces.len() > 1 {
            self.spaces = spaces::all(cx.db)?.into_iter().filter(|space| space.role >= SpaceRole::Write).collect();
        }
        frame.show_once(status, &self)
    }

    /// Offers to edit the other page that has the title.
    fn refuse_title(mut self, cx: &Context, other: Suggestion) -> Result<Response, Problem> {
        self.same_title = Some(other);
        self.refuse(cx, StatusCode::CONFLICT, FieldError::new("title", "is already taken"))
    }

    fn refuse(mut self, cx: &Context, status: StatusCode, error: FieldError) -> Result<Response, Problem> {
        self.errors.push(error);
        self.show(cx, status)
    }
}

impl Fields {
    /// The whole text: the section that is edited, between what is around it.
    fn whole(&self) -> String {
        [&*self.before, &self.content, &self.after].concat()
    }

    /// The text as it is saved. Of a new page that began as a template, what was not known before is filled in.
    fn saved(&self, person: &str) -> String {
        match self.from_template && self.page.is_none() {
            true => templates::completed(&self.whole(), &self.title, person),
            false => self.whole(),
        }
    }

    /// Makes the form one of the whole text.
    fn take_whole(&mut self, content: String) {
        self.content = content;
        self.before.clear();
        self.after.clear();
    }

    /// Leaves the section of that id in the form, if there is one, and keeps what is around it: whoever has no script edits that, and
    /// with one the form is made whole again, with the cursor there. So the form has all of the text in any case, and what becomes
    /// of a save does not depend on where the section is by then.
    fn narrow(&mut self, id: String) {
        let Some(range) = section(&self.content, &self.title, &id) else { return };
        self.after = self.content.split_off(range.end);
        self.before = self.content.drain(..range.start).collect();
        self.section = id;
    }

    /// The tags, as people separate them.
    fn tags(&self) -> impl Iterator<Item = &str> {
        self.tags.split(',').map(str::trim).filter(|tag| !tag.is_empty())
    }

    /// Adds what `theirs` changed about the tags in `base`. Tags never conflict.
    fn merge_tags(&mut self, base: &[String], theirs: &[String]) {
        let ours: Vec<String> = self.tags().map(str::to_owned).collect();
        self.tags = merge_sets(base, theirs, &normal_tags(&ours)).join(", ");
    }

    /// Takes what a draft has. The form keeps its own key: the same draft may be continued elsewhere, and saved first.
    fn restore(&mut self, typed: Typed) {
        let Typed { post_id, title, content, tags, comment, version, key, slug, .. } = typed;
        if self.page.is_none() {
            (self.parent, self.space, self.from_template) = (typed.parent_id, typed.space_id, typed.from_template);
        }
        (self.title, self.tags, self.comment) = (title, tags, comment);
        self.take_whole(content);
        // Of a page that was created, or deleted, since the draft was written, no version was seen.
        self.version = version.filter(|_| post_id == self.page);
        self.continues = vec![key];
        if !slug.is_empty() {
            self.slug = slug;
        }
    }

    /// Whether a draft says the same.
    fn are(&self, typed: &Typed) -> bool {
        let is_same_slug = typed.slug.is_empty() || typed.slug == self.slug;
        is_same_slug
            && typed.content == self.whole()
            && (&typed.title, &typed.tags, &typed.comment) == (&self.title, &self.tags, &self.comment)
    }
}

/// Whether a draft can be restored in the form for page `page`, or for a new one.
fn is_of(db: &Db, typed: &Typed, page: Option<i64>) -> Result<bool, Problem> {
    Ok(match typed.post_id {
        None => true,
        Some(id) if Some(id) == page => true,
        // What was typed outlives its page.
        Some(id) => page.is_none() && pages::find(db, id)?.is_none(),
    })
}

/// `GET /wiki/-/new`
pub fn new(cx: &Context) -> Result<Response, Problem> {
    blank(cx, Target::New, prefilled(cx.request, "title").unwrap_or_default(), place(cx)?)
}

/// Where a new page is to come: `?parent=` and `?space=`.
fn place(cx: &Context) -> Result<Fields, Problem> {
    let number = |name: &str| query(cx.request, name).as_deref().and_then(positive);
    let place = Fields { parent: number("parent"), space: number("space"), ..Fields::default() };
    if let Some(parent) = place.parent {
        pages::find(cx.db, parent)?.ok_or_else(errors::page_not_found)?;
    }
    Ok(place)
}

/// `GET /wiki/{slug}/edit`
pub fn edit(cx: &Context, slug: &str) -> Result<Response, Problem> {
    let Some(post) = pages::find_by_slug(cx.db, slug)? else {
        if !is_slug(slug) || links::target(cx.db, slug)?.is_some() {
            return missing::show(cx, slug);
        }
        return blank(cx, Target::Missing { slug: slug.to_owned() }, missing::title(cx, slug), place(cx)?);
    };
    let mut fields = Fields {
        title: post.title.clone(),
        slug: post.slug.clone(),
        content: post.content.clone(),
        tags: post.tags.join(", "),
        author: author::remembered(cx.request),
        page: Some(post.post_id),
        version: Some(post.version),
        key: auth::unique()?,
        ..Fields::default()
    };
    if let Some(id) = query(cx.request, "section") {
        fields.narrow(id);
    }
    Edit::new(Target::Existing(Box::new(post)), fields).with_drafts(cx)?.placed(cx.db)?.show(cx, StatusCode::OK)
}

/// The form for a new page: empty, or begun as a template.
fn blank(cx: &Context, target: Target, title: String, place: Fields) -> Result<Response, Problem> {
    // Of the form in which a template was chosen.
    let continues = idempotency::keys(&query(cx.request, "continues").unwrap_or_default());
    let mut fields = Fields { title, author: author::remembered(cx.request), key: auth::unique()?, continues, ..place };
    let wanted = query(cx.request, "template");
    if let Some(template) = wanted.map(|slug| templates::find(cx.db, &slug)).transpose()?.flatten() {
        let tags: Vec<&str> = template.tags.iter().map(String::as_str).filter(|tag| *tag != templates::TAG).collect();
        fields.tags = tags.join(", ");
        fields.content = templates::begun(&template.content, person(cx, &fields.author));
        fields.from_template = true;
    }
    let mut view = Edit::new(target, fields).with_drafts(cx)?.placed(cx.db)?;
    if view.fields.content.is_empty() {
        view.templates = templates::all(cx.db)?;
    }
    view.show(cx, StatusCode::OK)
}

/// Who writes: by their account or, without one, as they say.
fn person<'a>(cx: &'a Context, author: &'a str) -> &'a str {
    cx.identity.account.as_ref().map_or(author, |account| &account.name)
}

/// `POST /wiki/-/new`
pub fn create(cx: &Context) -> Result<Response, Problem> {
    let form = Form::read(cx.request)?;
    submit(cx, &form, Edit::new(Target::New, fields(&form, None)))
}

/// `POST /wiki/{slug}/edit`
pub fn save(cx: &Context, slug: &str) -> Result<Response, Problem> {
    let form = Form::read(cx.request)?;
    match edited(cx.db, &form, slug)? {
        Some(post) => {
            let mut fields = fields(&form, Some(&post));
            if fields.slug == slug {
                // The address the form was opened under. If the page was renamed since, it keeps its new one.
                fields.slug.clone_from(&post.slug);
            }
            submit(cx, &form, Edit::new(Target::Existing(Box::new(post)), fields))
        }
        None if is_slug(slug) => {
            submit(cx, &form, Edit::new(Target::Missing { slug: slug.to_owned() }, fields(&form, None)))
        }
        None => missing::show(cx, slug),
    }
}

/// The page a form edits: the one it was opened for or, if that is gone or the form names none, the one at its address.
fn edited(db: &Db, form: &Form, slug: &str) -> Result<Option<Post>, Problem> {
    if let Some(id) = form.number("page")
        && let Some(post) = pages::find(db, id)?
    {
        return Ok(Some(post));
    }
    Ok(pages::find_by_name(db, slug)?)
}

/// The form that was sent to `path`, if it is this one, with everything that was typed. Nothing is looked up.
pub fn again(path: &str, form: &Form, reason: Reason) -> Option<Edit> {
    let is_editor = path == address::NEW || (path.starts_with(address::FRONT) && path.ends_with("/edit"));
    let target = if path == address::NEW { Target::New } else { Target::Unknown { action: path.to_owned() } };
    is_editor.then(|| Edit { reason: Some(reason), ..Edit::new(target, fields(form, None)) })
}

/// Saves what was typed, or shows the form again with all of it and why it was not saved.
fn submit(cx: &Context, form: &Form, mut view: Edit) -> Result<Response, Problem> {
    if form.text("action") == "preview" {
        view.preview = Some(preview::of(cx.db, &view.fields.content, &view.fields.title)?);
        return view.show(cx, StatusCode::OK);
    }
    if let Some(file) = &cx.file {
        return add_file(cx, view, file);
    }
    let chosen = form.text("file");
    if !chosen.is_empty() {
        // Saved without it, it would be lost unseen.
        let message = format!(
            "“{}” is not added yet. Choose it again and press “Add file”, or save without it.",
            parts::typed(chosen)
        );
        view.errors.push(FieldError::new("file", message));
    }
    if let Err(message) = author::check(cx, &view.fields.author) {
        view.errors.push(FieldError::new("author", message));
    }
    let person = person(cx, &view.fields.author);
    let mut draft = match draft(&view, person) {
        Ok(draft) if view.errors.is_empty() => draft,
        Ok(_) => return view.show(cx, StatusCode::UNPROCESSABLE_ENTITY),
        Err(errors) => {
            view.errors.extend(errors);
            return view.show(cx, StatusCode::UNPROCESSABLE_ENTITY);
        }
    };
    let user_id = author::user_id(cx, &view.fields.author)?;
    draft.user_id = Some(user_id);
    draft.owner = cx.identity.user_id();
    draft.key = Purpose::Page.field(form, Some(user_id));
    match view.existing().map(|post| post.post_id) {
        Some(id) => update(cx, view, id, draft),
        None if view.fields.version.is_some() => gone(cx, view),
        None => make(cx, view, user_id, draft),
    }
}

/// Adds a file to the page, and shows the form again with the file in the text, or with the reason why it was not added.
fn add_file(cx: &Context, mut view: Edit, file: &SentFile) -> Result<Response, Problem> {
    let refuse =
        |view: Edit, status, message: &str| view.refuse(cx, status, FieldError::new("file", message.to_owned()));
    let (post_id, user_id) = (view.existing().map(|post| post.post_id), cx.identity.user_id());
    if post_id.is_none() && user_id.is_none() {
        return refuse(view, StatusCode::UNPROCESSABLE_ENTITY, "Save the page first. Then you can add files to it.");
    }
    if file.name.is_empty() {
        return refuse(view, StatusCode::UNPROCESSABLE_ENTITY, "Choose a file first.");
    }
    let is_changeable = post_id.map_or(Ok(()), |id| files::changeable(cx, id).map(drop));
    match is_changeable.and_then(|()| files::keep(cx, post_id, user_id, file)) {
        Ok(kept) => {
            let text = &mut view.fields.content;
            text.truncate(text.trim_end().len());
            text.push_str(if text.is_empty() { "" } else { "\n\n" });
            text.push_str(&markdown_of(&kept.file));
            text.push('\n');
            view.added = Some(kept.file.name);
            view.show(cx, StatusCode::OK)
        }
        Err(problem) if problem.status.is_client_error() => refuse(view, problem.status, &files::sentence(&problem)),
        Err(problem) => {
            view.reason = Some(Reason::of(problem.for_people()));
            view.show(cx, problem.status)
        }
    }
}

/// The Markdown that shows a file: a picture itself, of others a link.
pub fn markdown_of(file: &File) -> String {
    // Brackets and what ends them would end the text of the link.
    let escaped = |text: &str| text.replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]");
    match file.is_picture() {
        true => {
            let stem = file.name.rsplit_once('.').map_or(&*file.name, |(stem, _)| stem);
            format!("![{}]({})", escaped(if stem.is_empty() { &file.name } else { stem }), file.url)
        }
        false => format!("[{}]({})", escaped(&file.name), file.url),
    }
}

/// Makes a page, if no other has its title.
fn make(cx: &Context, view: Edit, user_id: i64, draft: Draft) -> Result<Response, Problem> {
    let title = &view.fields.title;
    // The title's own address is tried first. Only one page gets it: of two people who make a page of one title at once, the
    // second is told of the first. If a page of another title has the address, this one gets a number behind it.
    for slug in [Some(draft.slug.clone().unwrap_or_else(|| slugify(title))), draft.slug.clone()] {
        if let Some(other) = pages::titled(cx.db, title, None)? {
            // The page may be this form's own, sent before.
            return match submitted(cx.db, &draft)? {
                Some(before) => again_on_top(cx, view, before, draft),
                None => view.refuse_title(cx, other),
            };
        }
        match pages::create(cx.db, user_id, Draft { slug, ..draft.clone() })? {
            Created::Created(post) => return Ok(saved(cx, &view, &post, None)),
            Created::Repeated(before) => return again_on_top(cx, view, before, draft),
            Created::NoSuchUser => return Err(errors::user_not_found()),
            Created::Unplaced(why) => {
                let message = match why {
                    Unplaced::ReadOnly => {
                        "You cannot write pages in this place. Your text will be saved at the top of the wiki."
                    }
                    Unplaced::TooDeep => {
                        "There are too many pages above this one. Your text will be saved at the top of the wiki."
                    }
                    Unplaced::NoSuchSpace | Unplaced::NoSuchParent => {
                        "The page above it is gone. Your text will be saved at the top of the wiki."
                    }
                };
                // Sent again, it is.
                let mut view = view;
                (view.fields.parent, view.fields.space) = (None, None);
                return view.refuse(cx, StatusCode::CONFLICT, FieldError::new("title", message));
            }
            Created::SlugTaken => {}
        }
    }
    view.refuse(cx, StatusCode::CONFLICT, slug_taken())
}

/// What the form saved when it was sent before.
fn submitted(db: &Db, draft: &Draft) -> Result<Option<Submission>, Problem> {
    Ok(match &draft.key {
        Some(key) => submissions::find(db, key)?,
        None => None,
    })
}

/// Handles a form that made a page before: what it says now, if that is something else, is an edit of that page.
fn again_on_top(cx: &Context, mut view: Edit, before: Submission, draft: Draft) -> Result<Response, Problem> {
    let Some(post) = pages::find(cx.db, before.post_id)? else { return gone(cx, view) };
    (view.fields.page, view.fields.version) = (Some(post.post_id), Some(before.version));
    view.fields.take_whole(draft.content.clone());
    view.target = Target::Existing(Box::new(post));
    update(cx, view, before.post_id, Draft { slug: None, ..draft })
}

/// Whether page `id` has the address of its title, which changes with the title. The front page stays where it is.
fn follows_title(slug: &str, title: &str, id: i64) -> bool {
    slug != address::HOME && is_of_title(slug, title, id)
}

/// The address that a page gets with its new title, if it had that of its old `title` and the person left it alone.
fn address_of_new_title(fields: &Fields, title: &str, slug: &str, id: i64) -> Option<String> {
    let follows = fields.slug == slug && follows_title(slug, title, id) && !is_of_title(slug, &fields.title, id);
    follows.then(|| slugify(&fields.title))
}

/// Saves an edit of page `id`. If the page was edited meanwhile, in other places, the new version has both edits.
fn update(cx: &Context, mut view: Edit, id: i64, mut draft: Draft) -> Result<Response, Problem> {
    let is_same_page = view.fields.page.is_none_or(|page| page == id);
    add_next_tasks(cx.db, &mut view, id, &mut draft)?;
    let seen = match view.fields.version.filter(|_| is_same_page) {
        Some(version) => Some(version),
        None => saved_before(cx.db, &draft, id, 0)?,
    };
    let Some(mut seen) = seen else {
        // The page was created while this one was written: no version of it was seen.
        if let Some(current) = view.existing().map(|post| post.tags.clone()) {
            view.fields.merge_tags(&[], &current);
        }
        return conflict_with(cx, view, id);
    };
    // What the page is called and where it is, as far as is known.
    let (mut title, mut slug) = match view.existing() {
        Some(post) => (post.title.clone(), post.slug.clone()),
        None => (view.fields.title.clone(), view.fields.slug.clone()),
    };
    let (mut merged, mut number) = (None, 0);
    for _ in 0..MAX_TRIES {
        if folded_title(&view.fields.title) != folded_title(&title)
            && let Some(other) = pages::titled(cx.db, &view.fields.title, Some(id))?
        {
            return view.refuse_title(cx, other);
        }
        let address = address_of_new_title(&view.fields, &title, &slug, id);
        if let Some(address) = &address {
            draft.slug = Some(numbered(address, id, number));
        }
        match pages::save(cx.db, id, Some(vec![seen]), &draft, cx.identity.administers(), &cx.identity.actor())? {
            Saved::Saved(post) | Saved::Unchanged(post) => return Ok(saved(cx, &view, &post, merged)),
            Saved::Stale(current) => {
                if let Some(own) = saved_before(cx.db, &draft, id, seen)? {
                    // The form was sent before: that version is the person's own.
                    seen = own;
                } else if merge_with(cx.db, &mut view.fields, &current, seen)? {
                    draft = match self::draft(&view, "") {
                        Ok(both) => Draft { user_id: draft.user_id, key: draft.key, ..both },
                        Err(_) => return conflict(cx, view, *current),
                    };
                    (merged, seen) = (Some(current.version), current.version);
                    (title, slug, number) = (current.title, current.slug, 0);
                } else {
                    return conflict(cx, view, *current);
                }
            }
            Saved::Gone => return gone(cx, view),
            // The next number may be free; and if the other page has this title by now, the person is told so.
            Saved::SlugTaken if address.is_some() => number += 1,
            Saved::SlugTaken => return view.refuse(cx, StatusCode::CONFLICT, slug_taken()),
            Saved::Refused(refusal) => return Err(errors::page_refused(refusal)),
            Saved::NoSuchUser => return Err(errors::user_not_found()),
        }
    }
    conflict_with(cx, view, id)
}

/// Adds the next ones of tasks that recur and that the edit completes. Not when it is saved: then a form that is sent again would
/// say something else than it has saved.
fn add_next_tasks(db: &Db, view: &mut Edit, id: i64, draft: &mut Draft) -> Result<(), Problem> {
    let Some(version) = view.fields.version.filter(|_| tasks::may_complete(&draft.content)) else { return Ok(()) };
    let base = crate::store::revisions::find(db, id, version)?;
    let today = zones::days(db, &draft.content, &[])?;
    let completed = base.and_then(|base| tasks::completed(&base.content, &draft.content, &today));
    if let Some(content) = completed {
        draft.content.clone_from(&content);
        view.fields.take_whole(content);
    }
    Ok(())
}

/// [`conflict`] with page `id`, or [`gone`] if there is none.
fn conflict_with(cx: &Context, view: Edit, id: i64) -> Result<Response, Problem> {
    match pages::find(cx.db, id)? {
        Some(current) => conflict(cx, view, current),
        None => gone(cx, view),
    }
}

/// The version that page `id` got when this form was sent before, if that is later than `seen`.
fn saved_before(db: &Db, draft: &Draft, id: i64, seen: i64) -> Result<Option<i64>, Problem> {
    Ok(submitted(db, draft)?
        .filter(|before| before.post_id == id && before.version > seen)
        .map(|before| before.version))
}

/// Makes `fields`, an edit of version `seen`, one of `current`: with both edits, if they are in different places. If
/// not, returns false, and what the person typed stays, but for tags.
fn merge_with(db: &Db, fields: &mut Fields, current: &Post, seen: i64) -> Result<bool, Problem> {
    // None if another page, with fewer versions, has the address by now.
    let Some(base) = crate::store::revisions::find(db, current.post_id, seen)? else { return Ok(false) };
    // Others need not wait for a merge.
    db.release();
    fields.merge_tags(&base.tags, &current.tags);
    let both = || {
        Some(Fields {
            content: merge(&base.content, &current.content, &fields.whole())?,
            before: String::new(),
            after: String::new(),
            title: one_of(&base.entry.title, &current.title, &fields.title)?,
            slug: one_of(&base.slug, &current.slug, &fields.slug)?,
            ..fields.clone()
        })
    };
    let Some(both) = both() else { return Ok(false) };
    *fields = both;
    Ok(true)
}

/// The one that was changed, if not both were, to different texts.
fn one_of(base: &str, theirs: &str, ours: &str) -> Option<String> {
    match () {
        () if ours == base || ours == theirs => Some(theirs.to_owned()),
        () if theirs == base => Some(ours.to_owned()),
        () => None,
    }
}

/// To the page, where it was edited. `merged` is the version of somebody else which the new one contains as well.
fn saved(cx: &Context, view: &Edit, post: &Post, merged: Option<i64>) -> Response {
    let before = view.existing().map_or("", |before| before.content.as_str());
    let place = match &*view.fields.section {
        section if !section.is_empty() && before == post.content => Some(section.to_owned()),
        section => {
            place_of_edit(before, &post.content).or_else(|| Some(section.to_owned()).filter(|id| !id.is_empty()))
        }
    };
    let place = place.map(|id| fragment(&id)).unwrap_or_default();
    let mut target = format!("{}?saved={}", address::page(&post.slug), post.version);
    if let Some(merged) = merged {
        target.push_str(&format!("&merged={merged}"));
    }
    discard_draft(cx, &view.fields);
    author::remembering(cx, response::see_other(&format!("{target}{place}")), &view.fields.author)
}

/// Discards the draft of what was saved. If that fails, it is offered once more, and nothing is lost.
fn discard_draft(cx: &Context, fields: &Fields) {
    let Some(user_id) = cx.identity.user_id() else { return };
    let keys = fields.continues.iter().chain([&fields.key]).cloned().collect();
    if let Err(error) = drafts::discard_of_forms(cx.db, user_id, keys) {
        eprintln!("a draft was not discarded: {error:?}");
    }
}

/// The id of the heading above the first line that an edit changed.
fn place_of_edit(before: &str, after: &str) -> Option<String> {
    if before.is_empty() || after.len() > MAX_PLACED {
        return None;
    }
    let same: usize = before
        .split_inclusive('\n')
        .zip(after.split_inclusive('\n'))
        .take_while(|(a, b)| a == b)
        .map(|(a, _)| a.len())
        .sum();
    let line = after[same..].find('\n').map_or(after.len(), |end| same + end + 1);
    parts::rendered(&after[..line], "", &Targets::new(), &Pictures::new()).headings.pop().map(|heading| heading.id)
}

fn slug_taken() -> FieldError {
    FieldError::new("slug", "is already taken")
}

/// The page was deleted meanwhile: the next save creates a new one.
fn gone(cx: &Context, mut view: Edit) -> Result<Response, Problem> {
    (view.fields.page, view.fields.version) = (None, None);
    view.reason = Some(Reason::of("The page was deleted while you were editing it. Saving creates a new one."));
    view.show(cx, StatusCode::CONFLICT)
}

/// What the form's fields contain.
fn fields(form: &Form, current: Option<&Post>) -> Fields {
    // Browsers end every line of a text with CR LF. A page keeps the line ends it has.
    let keeps = current.is_some_and(|post| post.content.contains("\r\n"));
    let text = |name: &str| match keeps {
        true => form.text(name).to_owned(),
        false => form.text(name).replace("\r\n", "\n"),
    };
    Fields {
        title: form.text("title").trim().to_owned(),
        slug: form.text("slug").trim().to_owned(),
        content: text("content"),
        before: text("before"),
        after: text("after"),
        section: form.text("section").to_owned(),
        from_template: form.text("template") == FROM_TEMPLATE,
        tags: form.text("tags").to_owned(),
        comment: form.text("comment").trim().to_owned(),
        author: form.text("author").trim().to_owned(),
        page: form.number("page"),
        version: form.number("version"),
        parent: form.number("parent"),
        space: form.number("space"),
        key: idempotency::field(form),
        continues: idempotency::continued(form),
    }
}

/// The fields as a draft by the rules of the API, or what is wrong with them.
fn draft(view: &Edit, person: &str) -> Result<Draft, Vec<FieldError>> {
    let fields = &view.fields;
    let content = fields.saved(person);
    let mut members = Map::new();
    let mut add = |name: &str, value: Value| members.insert(name.to_owned(), value);
    add("title", fields.title.as_str().into());
    add("content", content.as_str().into());
    add("comment", fields.comment.as_str().into());
    add("tags", fields.tags().map(Value::from).collect());
    match &view.target {
        Target::Missing { slug } => {
            add("slug", slug.as_str().into());
        }
        Target::Existing(post) if !fields.slug.is_empty() => {
            // People write an address as they would write a title.
            let is_kept = fields.slug == post.slug || slug::is_accepted(&fields.slug) || !has_word(&fields.slug);
            let slug = if is_kept { fields.slug.clone() } else { slug::slugify(&fields.slug) };
            add("slug", slug.into());
        }
        Target::New | Target::Existing(_) | Target::Unknown { .. } => {}
    }
    if let Some(parent) = fields.parent {
        add("parent_id", parent.into());
    }
    if let Some(space) = fields.space {
        add("space_id", space.into());
    }
    draft::read(Body::from_members(members)).map_err(|problem| {
        if problem.errors.is_empty() { vec![FieldError::new("content", too_long(&content))] } else { problem.errors }
    })
}

/// Whether a slug can be made of `text`.
fn has_word(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}

/// What is wrong with a text that is too long.
fn too_long(content: &str) -> String {
    let mebibytes = content.len() as f64 / f64::from(1 << 20);
    // Rounded up: it is never shown as the length it may have.
    format!(
        "This page is too long: {:.2} MB, at most {} MB. Split it",
        (mebibytes * 100.0).ceil() / 100.0,
        MAX_CONTENT >> 20
    )
}

/// Shows both texts, and what the person typed ready to be saved on top of the other.
fn conflict(cx: &Context, mut view: Edit, current: Post) -> Result<Response, Problem> {
    let latest = revisions::find(cx.db, current.post_id, current.version)?.entry;
    (view.fields.page, view.fields.version) = (Some(current.post_id), Some(current.version));
    if view.fields.slug.is_empty() {
        view.fields.slug.clone_from(&current.slug);
    }
    view.target = Target::Existing(Box::new(current.clone()));
    cx.db.release();
    let whole = view.fields.whole();
    view.fields.take_whole(whole);
    let difference = diff::difference(&current.content, &view.fields.content);
    view.conflict = Some(Conflict { current, latest, difference });
    view.show(cx, StatusCode::CONFLICT)
}
