//! The peer `native`: the wiki's most used routes as a plain hyper service with a pool of prepared statements.
//!
//! It is what the wiki could cost at least, in this language: the same SQL ([`sql`]), and requests are read and answers
//! written by the wiki's own library. What it leaves out is WebAssembly, and everything a host does for a guest.

mod handlers;
mod row;
pub mod sql;

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context;
use bytes::Bytes;
use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio_postgres::NoTls;
use wiki::problem::Problem;
use wiki::reply;
use wiki::request::Request;

/// Connections to the database: as many as the runner keeps unless it is told otherwise.
const POOL_SIZE: usize = 16;

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

/// Serves until it is killed; returns only when it cannot.
pub async fn serve(args: &Args) -> anyhow::Result<()> {
    let database = args.database.parse().context("DATABASE_URL cannot be read")?;
    // As the runner does: a connection that broke is found out by its next statement, not by a question of its own.
    let manager = Manager::from_config(database, NoTls, ManagerConfig { recycling_method: RecyclingMethod::Fast });
    let pool = Pool::builder(manager).max_size(POOL_SIZE).runtime(Runtime::Tokio1).build().context("no pool")?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, args.port));
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    loop {
        let (stream, _) = listener.accept().await.context("cannot accept a connection")?;
        // Nagle's algorithm would hold answers back; the runner and uvicorn switch it off, too. A client that is gone already
        // does not mind.
        _ = stream.set_nodelay(true);
        let pool = pool.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(request, pool.clone()));
            let connection =
                http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
            // A client that goes away is no news.
            _ = connection.await;
        });
    }
}

async fn answer(request: http::Request<Incoming>, pool: Pool) -> Result<http::Response<Full<Bytes>>, Infallible> {
    let answered = async {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(|error| Problem::bad_request(error.to_string()))?;
        handlers::route(&mut Request::from_parts(head, body.to_bytes().into()), &pool).await
    };
    let response = answered.await.unwrap_or_else(|problem| reply::problem(&problem));
    Ok(response.map(|body| Full::new(body.into())))
}
