//! What is asked of a server.

use std::fmt;

use clap::ValueEnum;

/// A kind of request, or a mixture of some. `load.lua` has the requests, by the same names. Workloads that write come
/// last, because they leave tables less tidy than they found them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Workload {
    /// `GET /health`: no database.
    Health,
    /// `GET /users/{id}`: one indexed row.
    GetUser,
    /// `GET /posts/{id}`: one indexed row with 2 KB of Markdown.
    GetPost,
    /// `GET /posts/{id}` with `Accept: text/html`.
    PageHtml,
    /// `GET /posts`: the newest 50.
    ListPosts,
    /// `GET /search?q=`: a word.
    Search,
    /// `PUT /posts/{id}` with `If-Match`.
    EditPost,
    /// `POST /posts`.
    CreatePost,
    /// Half get_post, a quarter get_user, 15 % list_posts, 5 % create_post, 5 % edit_post.
    Mixed,
}

impl Workload {
    /// Whether it changes the database.
    pub fn writes(self) -> bool {
        matches!(self, Self::EditPost | Self::CreatePost | Self::Mixed)
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.to_possible_value().as_ref().map_or("", |value| value.get_name()))
    }
}
