//! The peer `native`: the routes of the wiki that are asked most, as a plain hyper service with a pool of prepared
//! statements.
//!
//! It is what the wiki could cost at least, in this language: the same answers from the same work of the database, without
//! WebAssembly, and without what a host does for a guest.

pub mod sql;

use std::convert::Infallible;
use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context;
use bytes::Bytes;
use chrono::DateTime;
use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use postgres_types::{FromSql, ToSql, Type};
use pulldown_cmark::{Event, LinkType, Options, Parser, Tag};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_postgres::{NoTls, Row};
use wiki::store::search::Entry;
use wiki::web::etag;
use wiki::words::Index;
use wiki_types::slug::slugify;
use wiki_types::{Post, PostSummary, Time, User};

/// Connections to the database: as many as the runner's default.
const POOL_SIZE: usize = 16;

/// Pages in a list.
const LIMIT: usize = 50;

/// Microseconds from 1970 to 2000, from which PostgreSQL counts.
const POSTGRES_EPOCH: i64 = 946_684_800_000_000;

/// Where to listen and what to serve.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Port to listen on, on this machine only.
    #[arg(long)]
    port: u16,

    /// The database.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database: String,
}

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

type Answer = Response<Full<Bytes>>;

/// Serves until it is killed; returns only when it cannot.
pub async fn serve(args: &Args) -> anyhow::Result<()> {
    let database = args.database.parse().context("DATABASE_URL cannot be read")?;
    // As in the runner, a broken connection is found by its next statement, without a query of its own.
    let manager = Manager::from_config(database, NoTls, ManagerConfig { recycling_method: RecyclingMethod::Fast });
    let pool = Pool::builder(manager).max_size(POOL_SIZE).runtime(Runtime::Tokio1).build().context("no pool")?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, args.port));
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    loop {
        let (stream, _) = listener.accept().await.context("cannot accept a connection")?;
        // Nagle's algorithm would delay answers; the runner and uvicorn turn it off, too.
        _ = stream.set_nodelay(true);
        let pool = pool.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| answer(request, &pool));
            // It ends with an error when the client closes it, which is no failure.
            _ = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(request: Request<Incoming>, pool: &Pool) -> Result<Answer, Infallible> {
    Ok(route(request, pool).await.unwrap_or_else(|error| {
        let mut response = Response::new(Full::from(error.to_string()));
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    }))
}

/// `value` as JSON, with an entity tag for what may be kept.
fn json(status: StatusCode, value: &impl Serialize, tag: impl FnOnce(&[u8]) -> Option<String>) -> Outcome<Answer> {
    let body = serde_json::to_vec(value)?;
    let response = Response::builder().status(status).header("content-type", "application/json");
    let response = match tag(&body) {
        Some(tag) => response.header("etag", tag).header("cache-control", "no-cache"),
        None => response.header("cache-control", "no-store"),
    };
    Ok(response.body(Full::from(body))?)
}

async fn route(request: Request<Incoming>, pool: &Pool) -> Outcome<Answer> {
    let (head, body) = request.into_parts();
    let path = head.uri.path().trim_start_matches('/');
    let (noun, id) = path.split_once('/').unwrap_or((path, ""));
    let id = id.parse::<i64>();
    match (&head.method, noun, id) {
        (&Method::GET, "health", _) => {
            let health = json!({ "status": "healthy", "timestamp": Time::now() });
            json(StatusCode::OK, &health, |_| None)
        }
        (&Method::GET, "users", Ok(id)) => user(pool, id).await,
        (&Method::GET, "posts", Ok(id)) => {
            let rows = query(pool, sql::POST, &[&id]).await?;
            post(StatusCode::OK, rows.first(), |row| Ok(row.try_get(8)?))
        }
        (&Method::GET, "posts", _) => posts(pool).await,
        (&Method::POST, "posts", _) => {
            let draft: Draft = serde_json::from_slice(&body.collect().await?.to_bytes())?;
            let title = draft.content.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or("Untitled");
            let (slug, links) = (slugify(title), links(&draft.content));
            let Found { entry, pairs } = Found::of(Some(title), &draft.content);
            let Index { title: title_words, text, learnt, .. } = &entry.index;
            let page: [&(dyn ToSql + Sync); 5] = [&draft.user_id, &title, &slug, &draft.content, &links];
            let found: [&(dyn ToSql + Sync); 7] =
                [&entry.language, &entry.plain, title_words, &pairs[0], text, &pairs[1], learnt];
            let rows = query(pool, sql::INSERT, &[&page[..], &found].concat()).await?;
            post(StatusCode::CREATED, rows.first(), |_| Ok(draft.content))
        }
        (&Method::PUT, "posts", Ok(id)) => {
            let seen = head.headers.get("if-match").ok_or("If-Match is missing")?;
            let seen: i64 = seen.to_str()?.trim_matches('"').parse()?;
            let draft: Draft = serde_json::from_slice(&body.collect().await?.to_bytes())?;
            let links = links(&draft.content);
            let Found { entry, pairs } = Found::of(draft.title.as_deref(), &draft.content);
            let Index { title: title_words, text, learnt, .. } = &entry.index;
            let page: [&(dyn ToSql + Sync); 5] = [&id, &seen, &draft.title, &draft.content, &links];
            let found: [&(dyn ToSql + Sync); 7] =
                [&entry.language, &entry.plain, title_words, &pairs[0], text, &pairs[1], learnt];
            let rows = query(pool, sql::UPDATE, &[&page[..], &found].concat()).await?;
            // The wiki distinguishes a missing page from an outdated version.
            post(StatusCode::OK, rows.first(), |_| Ok(draft.content))
        }
        _ => not_found(),
    }
}

/// What a page is found by.
struct Found {
    entry: Entry,
    /// Those of the title, unless it stays, and those of the text.
    pairs: [Option<Vec<i32>>; 2],
}

impl Found {
    fn of(title: Option<&str>, content: &str) -> Self {
        let entry = Entry::of(title, content);
        let title_pairs = title.map(|_| entry.index.title_pairs.clone());
        let pairs = [title_pairs, Some(entry.index.pairs.clone())];
        Self { entry, pairs }
    }
}

fn not_found() -> Outcome<Answer> {
    json(StatusCode::NOT_FOUND, &json!({}), |_| None)
}

async fn query(pool: &Pool, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Outcome<Vec<Row>> {
    let connection = pool.get().await?;
    let statement = connection.prepare_cached(sql).await?;
    Ok(connection.query(&statement, params).await?)
}

async fn user(pool: &Pool, id: i64) -> Outcome<Answer> {
    let rows = query(pool, sql::USER, &[&id]).await?;
    let Some(row) = rows.first() else { return not_found() };
    let user = User {
        id: row.try_get(0)?,
        username: row.try_get(1)?,
        name: row.try_get(2)?,
        email: row.try_get(3)?,
        created_time: row.try_get::<_, Timestamp>(4)?.0,
        role: None,
        time_zone: None,
    };
    let version: i64 = row.try_get(5)?;
    json(StatusCode::OK, &user, |_| Some(etag::etag(version, "")))
}

/// A page of a list, or with no size.
fn summary(row: &Row, size: i64) -> Outcome<PostSummary> {
    Ok(PostSummary {
        post_id: row.try_get(0)?,
        user_id: row.try_get(1)?,
        title: row.try_get(2)?,
        slug: row.try_get(3)?,
        tags: row.try_get(4)?,
        version: row.try_get(5)?,
        created_time: row.try_get::<_, Timestamp>(6)?.0,
        updated_time: row.try_get::<_, Timestamp>(7)?.0,
        size,
        space_id: 1,
        parent_id: None,
    })
}

/// The page of the first row, or 404.
fn post(status: StatusCode, row: Option<&Row>, content: impl FnOnce(&Row) -> Outcome<String>) -> Outcome<Answer> {
    let Some(row) = row else { return not_found() };
    let PostSummary { post_id, user_id, title, slug, tags, version, created_time, updated_time, .. } = summary(row, 0)?;
    let content = content(row)?;
    let post = Post {
        post_id,
        user_id,
        title,
        slug,
        content,
        tags,
        version,
        created_time,
        updated_time,
        protected: false,
        space_id: 1,
        parent_id: None,
    };
    json(status, &post, |_| Some(etag::etag(version, "")))
}

#[derive(Serialize)]
struct Posts {
    posts: Vec<PostSummary>,
    next: Option<String>,
}

async fn posts(pool: &Pool) -> Outcome<Answer> {
    let rows = query(pool, sql::POSTS, &[&((LIMIT + 1) as i64)]).await?;
    let posts = rows.iter().take(LIMIT).map(|row| summary(row, row.try_get(8)?)).collect::<Outcome<Vec<_>>>()?;
    // The wiki's cursor: the hexadecimal digits of a JSON array.
    let digits = |id: i64| format!("[{id}]").bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    let last = posts.last().filter(|_| rows.len() > LIMIT);
    let next = last.map(|last| format!("/posts?cursor={}", digits(last.post_id)));
    json(StatusCode::OK, &Posts { posts, next }, |body| Some(etag::of_content(body)))
}

/// What a client sends.
#[derive(Deserialize)]
struct Draft {
    user_id: Option<i64>,
    title: Option<String>,
    content: String,
}

/// The slugs of the pages that Markdown links to, each once.
fn links(markdown: &str) -> Vec<String> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_WIKILINKS;
    let mut slugs = Vec::new();
    for event in Parser::new_ext(markdown, options) {
        if let Event::Start(Tag::Link { link_type: LinkType::WikiLink { .. }, dest_url, .. }) = event {
            let slug = slugify(&dest_url);
            if !slugs.contains(&slug) {
                slugs.push(slug);
            }
        }
    }
    slugs
}

/// A `timestamp` of PostgreSQL, which is UTC in all statements.
struct Timestamp(Time);

impl<'a> FromSql<'a> for Timestamp {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Outcome<Self> {
        let micros = i64::from_be_bytes(raw.try_into()?).checked_add(POSTGRES_EPOCH);
        let time = micros.and_then(DateTime::from_timestamp_micros).ok_or("a time that cannot be written")?;
        Ok(Self(time.naive_utc().into()))
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::TIMESTAMP
    }
}
