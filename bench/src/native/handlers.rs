//! The routes, each as the wiki's handler of the same name does it.

use deadpool_postgres::{Object, Pool};
use http::Method;
use serde::Serialize;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use wiki::json::Body;
use wiki::list::{Cursor, Page, limit};
use wiki::markdown;
use wiki::posts::draft::title_of;
use wiki::posts::{Draft, Post, Summary};
use wiki::problem::Problem;
use wiki::reply::{self, Response};
use wiki::request::{self, Request};
use wiki_types::slug::slugify;

use wiki::time::Time;

use super::row::Timestamp;
use super::sql;

/// A user, as the wiki shows one.
#[derive(Serialize)]
struct User {
    id: i64,
    username: Option<String>,
    name: String,
    email: Option<String>,
    created_time: Time,
}

/// Answers a request.
pub async fn route(request: &mut Request, pool: &Pool) -> Result<Response, Problem> {
    let path = request.uri().path().to_owned();
    let (noun, id) = path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_start_matches('/'), ""));
    let number = request::positive(id).unwrap_or(0);
    match (request.method(), noun, id) {
        (&Method::GET, "health", "") => health(),
        (&Method::GET, "users", _) => user(request, pool, number).await,
        (&Method::GET, "posts", "") => list(request, pool).await,
        (&Method::POST, "posts", "") => create(request, pool).await,
        (&Method::GET, "posts", _) => read(request, pool, number).await,
        (&Method::PUT, "posts", _) => update(request, pool, number).await,
        _ => Err(Problem::not_found("There is no such page.")),
    }
}

fn health() -> Result<Response, Problem> {
    Ok(reply::momentary(reply::json(&serde_json::json!({ "status": "healthy", "timestamp": Time::now() }))))
}

async fn user(request: &Request, pool: &Pool, id: i64) -> Result<Response, Problem> {
    let row = query_one(&connection(pool).await?, sql::USER, &[&id]).await?;
    let row = row.ok_or_else(|| Problem::not_found("User not found"))?;
    let user = User {
        id: column(&row, 0)?,
        username: column(&row, 1)?,
        name: column(&row, 2)?,
        email: column(&row, 3)?,
        created_time: column::<Timestamp>(&row, 4)?.0,
    };
    let etag = reply::etag(column(&row, 7)?, "");
    Ok(reply::unless_known(request, &etag, || reply::json(&user)))
}

async fn read(request: &Request, pool: &Pool, id: i64) -> Result<Response, Problem> {
    let row = query_one(&connection(pool).await?, sql::POST, &[&id]).await?;
    let post = post(&row.ok_or_else(|| Problem::not_found("Post not found"))?)?;
    let etag = reply::etag(post.version, "");
    Ok(reply::negotiated(reply::unless_known(request, &etag, || reply::json(&post))))
}

async fn list(request: &Request, pool: &Pool) -> Result<Response, Problem> {
    let limit = limit(request)?;
    let count = i64::try_from(limit + 1).unwrap_or(i64::MAX);
    let rows = query(&connection(pool).await?, sql::POSTS, &[&count]).await?;
    let posts = rows.iter().map(summary).collect::<Result<Vec<_>, _>>()?;
    let page = Page::new(request, posts, limit, |last| Cursor(vec![last.post_id.into()]));
    Ok(page.reply(request, "posts"))
}

async fn create(request: &Request, pool: &Pool) -> Result<Response, Problem> {
    let draft = Draft::read(Body::read(request)?)?;
    let user_id = draft.user_id.ok_or_else(|| Problem::invalid_field("user_id", "is required"))?;
    let title = draft.title.unwrap_or_else(|| title_of(&draft.content));
    let chosen = draft.slug.is_some();
    let slug = draft.slug.unwrap_or_else(|| slugify(&title));
    let tags = draft.tags.unwrap_or_default();
    let links = markdown::links(&draft.content);
    let micros = draft.created_time.map(Time::micros);
    let row = query_one(
        &connection(pool).await?,
        sql::INSERT,
        &[&user_id, &title, &slug, &chosen, &draft.content, &tags, &draft.comment, &links, &micros],
    )
    .await?;
    let row = row.ok_or_else(|| Problem::not_found("User not found"))?;
    let post = Post {
        post_id: column(&row, 0)?,
        slug: column(&row, 1)?,
        version: column(&row, 2)?,
        created_time: column::<Timestamp>(&row, 3)?.0,
        updated_time: column::<Timestamp>(&row, 4)?.0,
        user_id,
        title,
        content: draft.content,
        tags,
        protected: false,
    };
    let response = reply::created(&format!("/posts/{}", post.post_id), &post);
    Ok(reply::tagged(response, &reply::etag(post.version, "")))
}

async fn update(request: &Request, pool: &Pool, id: i64) -> Result<Response, Problem> {
    let header = request::if_match(request.headers())?;
    let draft = Draft::read(Body::read(request)?)?;
    let seen = header.as_deref().and_then(request::versions);
    let links = markdown::links(&draft.content);
    let row = query_one(
        &connection(pool).await?,
        sql::UPDATE,
        &[
            &id,
            &seen,
            &draft.title,
            &draft.slug,
            &draft.content,
            &draft.tags,
            &draft.user_id,
            &draft.comment,
            &links,
            &true,
        ],
    )
    .await?;
    // The wiki tells a missing page from one that was edited meanwhile; here both are an error, and neither occurs.
    let post = post(&row.ok_or_else(|| Problem::not_found("Post not found at this version"))?)?;
    Ok(reply::tagged(reply::json(&post), &reply::etag(post.version, "")))
}

fn post(row: &Row) -> Result<Post, Problem> {
    Ok(Post {
        post_id: column(row, 0)?,
        user_id: column(row, 1)?,
        title: column(row, 2)?,
        slug: column(row, 3)?,
        content: column(row, 4)?,
        tags: column(row, 5)?,
        version: column(row, 6)?,
        created_time: column::<Timestamp>(row, 7)?.0,
        updated_time: column::<Timestamp>(row, 8)?.0,
        protected: column(row, 9)?,
    })
}

fn summary(row: &Row) -> Result<Summary, Problem> {
    Ok(Summary {
        post_id: column(row, 0)?,
        user_id: column(row, 1)?,
        title: column(row, 2)?,
        slug: column(row, 3)?,
        tags: column(row, 4)?,
        version: column(row, 5)?,
        created_time: column::<Timestamp>(row, 6)?.0,
        updated_time: column::<Timestamp>(row, 7)?.0,
        size: column(row, 8)?,
    })
}

fn column<'a, T: postgres_types::FromSql<'a>>(row: &'a Row, index: usize) -> Result<T, Problem> {
    row.try_get(index).map_err(Problem::internal)
}

async fn connection(pool: &Pool) -> Result<Object, Problem> {
    pool.get().await.map_err(Problem::internal)
}

async fn query(connection: &Object, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, Problem> {
    let statement = connection.prepare_cached(sql).await.map_err(Problem::internal)?;
    connection.query(&statement, params).await.map_err(Problem::internal)
}

async fn query_one(connection: &Object, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Option<Row>, Problem> {
    let statement = connection.prepare_cached(sql).await.map_err(Problem::internal)?;
    connection.query_opt(&statement, params).await.map_err(Problem::internal)
}
