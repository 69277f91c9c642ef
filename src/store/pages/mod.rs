//! Pages: their current state, and lists of them.

mod deleted;
mod filter;
mod order;
mod place;
pub mod tree;

use wiki_types::slug::slugify;
use wiki_types::{ChangeKind, Post, PostSummary, Suggestion, Watch, rules};

use crate::store::db::{self, Db, Param, Row};
use crate::store::error::Error;
use crate::store::links::{self, Targets};
use crate::store::snapshot::{Snapshot, snapshot};
use crate::store::watches::{read_watch, watch_columns};
pub use delete_tree::delete_tree;
pub use deleted::{deleted, deleted_fits, deleted_keys, find_deleted, last_deleted};
pub use filter::Filter;
pub use order::Order;
pub(super) use place::NAMES;
pub use place::{MAX_LISTED, Place, place_of};
pub use tree::MAX_DEPTH;
pub use write::{
    Blocked, Created, Deleted, Draft, Note, Refusal, Restored, Saved, Unplaced, create, delete, restore, save,
    save_as_it_is, set_protection,
};

record! {
    post_columns, read_post -> Post {
        post_id: "id",
        user_id: "user_id",
        title: "title",
        slug: "slug",
        content: "content",
        tags: "tags",
        version: "version",
        created_time: "created_time AT TIME ZONE 'UTC'",
        updated_time: "updated_time AT TIME ZONE 'UTC'",
        protected: "protected",
        space_id: "space_id",
        parent_id: "parent_id",
    }
}
record! {
    summary_columns, read_summary -> PostSummary {
        post_id: "id",
        user_id: "user_id",
        title: "title",
        slug: "slug",
        tags: "tags",
        version: "version",
        created_time: "created_time AT TIME ZONE 'UTC'",
        updated_time: "updated_time AT TIME ZONE 'UTC'",
        size: "octet_length(content)::bigint",
        space_id: "space_id",
        parent_id: "parent_id",
    }
}

mod delete_tree;
mod write;

/// Page `id`, unless it is deleted.
pub fn find(db: &Db, id: i64) -> Result<Option<Post>, Error> {
    let sql = concat!(
        "SELECT ",
        post_columns!(),
        " FROM posts WHERE id = $1 AND deleted_time IS NULL AND ",
        is_readable!("posts")
    );
    db.query_one(sql, &[id.into()])?.as_mut().map(read_post).transpose()
}

/// The page with this slug, unless it is deleted.
pub fn find_by_slug(db: &Db, slug: &str) -> Result<Option<Post>, Error> {
    let sql = concat!(
        "SELECT ",
        post_columns!(),
        " FROM posts WHERE slug = $1 AND deleted_time IS NULL AND ",
        is_readable!("posts")
    );
    db.query_one(sql, &[slug.to_owned().into()])?.as_mut().map(read_post).transpose()
}

/// The page with this slug or, if there is none, the one that the slug leads to as a name.
pub fn find_by_name(db: &Db, slug: &str) -> Result<Option<Post>, Error> {
    if let Some(post) = find_by_slug(db, slug)? {
        return Ok(Some(post));
    }
    match links::target(db, slug)? {
        Some(slug) => find_by_slug(db, &slug),
        None => Ok(None),
    }
}

/// A page other than `except` that has this title, as people compare titles.
pub fn titled(db: &Db, title: &str, except: Option<i64>) -> Result<Option<Suggestion>, Error> {
    // Titles that people take for the same have the same slug; some others have it, too.
    let sql = concat!(
        "SELECT title, slug FROM posts
          WHERE deleted_time IS NULL AND ",
        is_readable!("posts"),
        " AND id IS DISTINCT FROM $2::bigint AND id IN (
            SELECT id FROM posts WHERE deleted_time IS NULL AND slug = $1 AND title_slug IS NULL
            UNION ALL (SELECT id FROM posts WHERE deleted_time IS NULL AND title_slug = $1 ORDER BY id LIMIT 1000))
          ORDER BY id"
    );
    let read = |row: &mut Row| Ok(Suggestion { title: row.column()?, slug: row.column()? });
    let pages = db.query_all(sql, &[slugify(title).into(), except.into()], read)?;
    let wanted = rules::folded_title(title);
    Ok(pages.into_iter().find(|page| rules::folded_title(&page.title) == wanted))
}

/// A page with everything its view shows.
#[derive(Debug)]
pub struct PageView {
    /// The page.
    pub post: Post,
    /// What its latest version did.
    pub latest: ChangeKind,
    /// The number of the user who made that version; none if that is not known.
    pub editor_id: Option<i64>,
    /// Their name; none if they were deleted.
    pub editor: Option<String>,
    /// Where its links lead.
    pub targets: Targets,
    /// How whoever reads it watches it.
    pub watch: Watch,
    /// Whether there are pages below it that the reader may read.
    pub has_children: bool,
    /// Whether whoever reads it says who may read and write it, as far as lists say.
    pub is_administered: bool,
    /// The state of the database that it was read in.
    pub snapshot: Snapshot,
}

/// Page `id` with everything its view shows to user `reader`.
pub fn view(db: &Db, id: i64, reader: Option<i64>) -> Result<Option<PageView>, Error> {
    view_where(db, "id = $1", id.into(), reader)
}

/// The page with this slug, with everything its view shows to user `reader`.
pub fn view_by_slug(db: &Db, slug: &str, reader: Option<i64>) -> Result<Option<PageView>, Error> {
    view_where(db, "slug = $1", slug.to_owned().into(), reader)
}

fn view_where(db: &Db, condition: &'static str, param: Param, reader: Option<i64>) -> Result<Option<PageView>, Error> {
    // Most readers have no account. They watch nothing, and administer nothing.
    let of_reader = match reader {
        Some(_) => concat!(watch_columns!(), ", ", is_administered!("posts")),
        None => "false, false, false",
    };
    let sql = format!(
        concat!(
            "SELECT ",
            post_columns!(),
            ", kind, editor, editor_name, links, {}, {}, EXISTS (
               SELECT FROM posts child WHERE child.parent_id = posts.id AND child.deleted_time IS NULL AND ",
            is_readable!("child"),
            "), ",
            snapshot!(),
            "
             FROM posts CROSS JOIN LATERAL (
               SELECT r.kind, r.user_id AS editor, users.name AS editor_name
               FROM revisions r LEFT JOIN users ON users.id = r.user_id
               WHERE r.post_id = posts.id AND r.version = posts.version
             ) AS edit
             WHERE {} AND deleted_time IS NULL AND ",
            is_readable!("posts")
        ),
        links::targets_sql("links"),
        of_reader,
        condition,
    );
    let read = |row: &mut Row| {
        Ok(PageView {
            post: read_post(row)?,
            latest: row.column()?,
            editor_id: row.column()?,
            editor: row.column()?,
            targets: links::pair(row.column()?, row.column()?),
            watch: read_watch(row)?,
            is_administered: row.column()?,
            has_children: row.column()?,
            snapshot: Snapshot(row.column()?),
        })
    };
    let params: Vec<Param> = [param].into_iter().chain(reader.map(Param::from)).collect();
    db.query_one(&sql, &params)?.as_mut().map(read).transpose()
}

/// The first `count` pages that pass `filter`, in that order.
pub fn list(db: &Db, mut filter: Filter, order: Order, count: usize) -> Result<Vec<PostSummary>, Error> {
    filter.params.push(db::count(count));
    let source = filter.source();
    let sql = format!(
        concat!("SELECT ", summary_columns!(), " FROM {} WHERE {} ORDER BY {} LIMIT ${}"),
        source.tables(),
        filter.sql_of(source),
        order.sql_of(source),
        filter.params.len()
    );
    db.query_all(&sql, &filter.params, read_summary)
}
