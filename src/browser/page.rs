//! Reading: the front page, a page, who links to it, and what is shown where there is none.

use http::StatusCode;
use wiki_types::slug::{is_slug, slugify};

use crate::browser::form::Form;
use crate::browser::{person, rendered, show};
use crate::db::{Db, Param};
use crate::links;
use crate::pages::parts::{Name, Person, Rendered, Viewer};
use crate::pages::{self, address, read};
use crate::posts::{self, Post, protection};
use crate::problem::Problem;
use crate::reply::{self, Response};
use crate::request::{Request, path_text, prefilled};
use crate::time::Time;
use crate::{access, revisions, search, tags};

/// The page that stands on the front page, if there is one.
const HOME: &str = "home";
/// Changes on the front page.
const CHANGES: usize = 20;
/// Tags on the front page.
const TAGS: usize = 30;

/// A page with what its view needs.
pub struct Shown {
    /// The page.
    pub post: Post,
    /// Who edited it last.
    pub author: Person,
    /// The slugs of its links that lead somewhere.
    pub leading: Vec<String>,
}

impl Shown {
    fn load(db: &Db, condition: &str, param: Param) -> Result<Option<Self>, Problem> {
        let sql = format!(
            "SELECT {}, editor, editor_name, {}
             FROM posts CROSS JOIN LATERAL (
               SELECT users.id AS editor, users.name AS editor_name
               FROM revisions r JOIN users ON users.id = r.user_id WHERE r.post_id = posts.id AND r.version = posts.version
             ) AS edit
             WHERE {condition} AND deleted_time IS NULL",
            posts::COLUMNS,
            links::leading("links")
        );
        let Some(mut row) = db.query_one(&sql, &[param])? else { return Ok(None) };
        Ok(Some(Self {
            post: Post::read_row(&mut row)?,
            author: person(row.column()?, row.column()?),
            leading: row.column()?,
        }))
    }

    /// The living page with this slug.
    pub fn by_slug(db: &Db, slug: &str) -> Result<Option<Self>, Problem> {
        Self::load(db, "slug = $1", slug.to_owned().into())
    }

    /// Its name.
    pub fn name(&self) -> Name {
        Name { slug: self.post.slug.clone(), title: self.post.title.clone() }
    }

    fn text(&self) -> Rendered {
        rendered(&self.post.content, &self.post.title, &self.leading)
    }
}

/// `GET /wiki`, and `GET /` for browsers
pub fn front(request: &Request, db: &Db) -> Result<Response, Problem> {
    let home = Shown::by_slug(db, HOME)?;
    let changes = revisions::latest(db, CHANGES, None)?;
    let tags = tags::most_used(db, TAGS)?;
    let view = read::Front {
        home: home.map(|home| read::Home { page: home.name(), text: home.text() }),
        changes: changes.into_iter().map(Into::into).collect(),
        tags: tags.into_iter().map(Into::into).collect(),
    };
    show(request, &view)
}

/// `GET /wiki/{slug}`
pub fn show_page(request: &Request, db: &Db) -> Result<Response, Problem> {
    match Shown::by_slug(db, path_text(request, 0))? {
        Some(shown) => show_shown(request, shown),
        None => absent(request, db),
    }
}

/// Page `id` as a browser shows it.
pub fn of_post(request: &Request, db: &Db, id: i64) -> Result<Response, Problem> {
    let shown = Shown::load(db, "id = $1", id.into())?;
    show_shown(request, shown.ok_or_else(posts::not_found)?)
}

fn show_shown(request: &Request, shown: Shown) -> Result<Response, Problem> {
    let view = read::Page {
        page: shown.name(),
        text: shown.text(),
        tags: shown.post.tags,
        version: shown.post.version,
        author: shown.author,
        updated: shown.post.updated_time,
        protected: shown.post.protected,
    };
    show(request, &view)
}

/// `POST /wiki/{slug}/protection`: protects the page, or no longer
pub fn protect(request: &Request, db: &Db) -> Result<Response, Problem> {
    let form = Form::read(request)?;
    let Some(post) = living(request, db)? else { return absent(request, db) };
    protection::set(db, access::who(request), post.post_id, form.text("protected") == "yes")?;
    Ok(reply::see_other(&address::page(&post.slug)))
}

/// `GET /wiki/{slug}/backlinks`
pub fn backlinks(request: &Request, db: &Db) -> Result<Response, Problem> {
    let Some(post) = living(request, db)? else { return absent(request, db) };
    let page = links::page(request, db, post.post_id)?;
    let view = read::Backlinks {
        page: Name { slug: post.slug, title: post.title },
        pages: page.items.into_iter().map(Into::into).collect(),
        next: page.next,
    };
    show(request, &view)
}

/// The living page whose slug the path names.
pub fn living(request: &Request, db: &Db) -> Result<Option<Post>, Problem> {
    by_slug(db, path_text(request, 0))
}

/// The living page with this slug.
pub fn by_slug(db: &Db, slug: &str) -> Result<Option<Post>, Problem> {
    let sql = format!("SELECT {} FROM posts WHERE slug = $1 AND deleted_time IS NULL", posts::COLUMNS);
    db.query_one(&sql, &[slug.to_owned().into()])?.map(|mut row| Post::read_row(&mut row)).transpose()
}

/// The living page that a form sent to the address of this slug is about: the one with the slug, or the one that had it
/// when the form was opened.
pub fn meant(db: &Db, slug: &str) -> Result<Option<Post>, Problem> {
    if let Some(post) = by_slug(db, slug)? {
        return Ok(Some(post));
    }
    match renamed(db, slug)? {
        Some(slug) => by_slug(db, &slug),
        None => Ok(None),
    }
}

/// What to say when no living page has the slug in the path: where it is now, that it was deleted, or that it could be
/// written.
pub fn absent(request: &Request, db: &Db) -> Result<Response, Problem> {
    let asked = path_text(request, 0);
    if !is_slug(asked) {
        // What somebody types as an address is a title.
        let slug = slugify(asked);
        return if asked.chars().any(char::is_alphanumeric) {
            Ok(reply::found(&moved(request, &slug)))
        } else {
            Err(Problem::not_found(format!("There is nothing at {}.", request.uri().path())))
        };
    }
    if let Some(slug) = renamed(db, asked)? {
        return Ok(reply::found(&moved(request, &slug)));
    }
    if let Some((_, deleted)) = deleted(db, asked)? {
        return Ok(reply::html_with(StatusCode::NOT_FOUND, pages::render(&deleted, &Viewer::of(request))?));
    }
    let title =
        prefilled(request, "title").filter(|title| slugify(title) == asked).unwrap_or_else(|| title_from(asked));
    let similar = search::similar(db, &title)?;
    let view = read::Missing { page: Name { slug: asked.to_owned(), title }, similar };
    Ok(reply::html_with(StatusCode::NOT_FOUND, pages::render(&view, &Viewer::of(request))?))
}

/// The address asked for, with `slug` in place of the one in it.
fn moved(request: &Request, slug: &str) -> String {
    let mut segments = request.uri().path().trim_start_matches("/wiki/").splitn(2, '/').skip(1);
    let mut url = match segments.next().filter(|rest| !rest.is_empty()) {
        Some(rest) => format!("{}/{rest}", address::page(slug)),
        None => address::page(slug),
    };
    if let Some(query) = request.uri().query() {
        url.push('?');
        url.push_str(query);
    }
    url
}

/// The slug of the living page that used to have this one.
pub fn renamed(db: &Db, slug: &str) -> Result<Option<String>, Problem> {
    let row = db.query_one(
        "SELECT posts.slug FROM former_slugs JOIN posts ON posts.id = former_slugs.post_id AND posts.deleted_time IS NULL
         WHERE former_slugs.slug = $1",
        &[slug.to_owned().into()],
    )?;
    row.map(|mut row| row.column()).transpose()
}

/// The number and the view of the page of this slug that was deleted last.
pub fn deleted(db: &Db, slug: &str) -> Result<Option<(i64, read::Deleted)>, Problem> {
    let row = db.query_one(
        "SELECT id, title, deleted_time AT TIME ZONE 'UTC' FROM posts WHERE slug = $1 AND deleted_time IS NOT NULL
         ORDER BY deleted_time DESC LIMIT 1",
        &[slug.to_owned().into()],
    )?;
    let Some(mut row) = row else { return Ok(None) };
    let (id, title, time): (i64, String, Time) = (row.column()?, row.column()?, row.column()?);
    Ok(Some((id, read::Deleted { page: Name { slug: slug.to_owned(), title }, time })))
}

/// The title a page of this slug probably would have.
pub fn title_from(slug: &str) -> String {
    let words = slug.replace('-', " ");
    let mut characters = words.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}
