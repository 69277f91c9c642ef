//! Lists of pages: which, in what order.

use crate::db::{self, Db, Param};
use crate::json;
use crate::list::{self, Cursor, Page};
use crate::posts::{Order, Summary};
use crate::problem::Problem;
use crate::request::{Request, positive, query};
use wiki_types::rules;

/// What [`Summary::from_row`] reads.
const COLUMNS: &str = "id, user_id, title, slug, tags, version, created_time AT TIME ZONE 'UTC', \
                       updated_time AT TIME ZONE 'UTC', octet_length(content)::bigint";

/// Conditions on the table `posts`, and their parameters.
///
/// The conditions are this crate's own words; everything a client says is a parameter.
#[derive(Debug)]
pub struct Filter {
    conditions: Vec<String>,
    /// The parameters the conditions name, in order.
    pub params: Vec<Param>,
}

impl Filter {
    /// Every page that is not deleted.
    pub fn living() -> Self {
        Self { conditions: vec!["deleted_time IS NULL".to_owned()], params: Vec::new() }
    }

    /// The living pages that `?user_id=`, `?tag=` and `?slug=` leave over.
    pub fn read(request: &Request) -> Result<Self, Problem> {
        let mut filter = Self::living();
        if let Some(user_id) = query(request, "user_id") {
            // What is no number is nobody's.
            filter.add("user_id = $", positive(&user_id).unwrap_or(0));
        }
        if let Some(wanted) = query(request, "tag") {
            json::checked("tag", &wanted, rules::tag)?;
            filter.add("tags @> $", db::texts(Some(vec![rules::normal_tag(&wanted)])));
        }
        if let Some(slug) = query(request, "slug") {
            json::checked("slug", &slug, rules::line::<200>)?;
            filter.add("slug = $", slug);
        }
        Ok(filter)
    }

    /// Adds a condition that ends in its parameter, whose number is put behind it.
    pub fn add(&mut self, condition: &str, param: impl Into<Param>) {
        self.params.push(param.into());
        self.conditions.push(format!("{condition}{}", self.params.len()));
    }

    /// Adds a condition with a parameter anywhere in it: `{}` stands for its number.
    pub fn add_within(&mut self, condition: &str, param: impl Into<Param>) {
        self.params.push(param.into());
        self.conditions.push(condition.replace("{}", &self.params.len().to_string()));
    }

    /// What stands after WHERE.
    pub fn sql(&self) -> String {
        self.conditions.join(" AND ")
    }
}

/// The part of the pages that pass `filter` which `request` asks for by `?limit=` and `?cursor=`.
pub fn page(request: &Request, db: &Db, mut filter: Filter, order: Order) -> Result<Page<Summary>, Problem> {
    let limit = list::limit(request)?;
    if let Some(cursor) = Cursor::read(request, |keys| order.fits(keys))? {
        let condition = order.condition(&cursor, &mut filter.params);
        filter.conditions.push(condition);
    }
    let pages = first(db, filter, order, limit + 1)?;
    Ok(Page::new(request, pages, limit, |last| order.cursor(last)))
}

/// The first pages that pass `filter`, at most `count`.
pub fn first(db: &Db, mut filter: Filter, order: Order, count: usize) -> Result<Vec<Summary>, Problem> {
    filter.params.push(db::count(count));
    let sql = format!(
        "SELECT {COLUMNS} FROM posts WHERE {} ORDER BY {} LIMIT ${}",
        filter.sql(),
        order.sql(),
        filter.params.len()
    );
    db.query(&sql, &filter.params)?.into_iter().map(Summary::from_row).collect()
}
