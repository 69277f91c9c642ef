//! What is asked of a server.

use std::fmt;

use clap::ValueEnum;

/// A kind of request, or a mixture of some.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Workload {
    /// `GET /health`: no database.
    Health,
    /// `GET /users/{id}`: one indexed row.
    GetUser,
    /// `GET /posts/{id}`: one indexed row with 2 KB of Markdown.
    GetPost,
    /// The same in the browser's form.
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
    /// All, in the order they are measured in: those that write come last.
    pub const ALL: [Self; 9] = [
        Self::Health,
        Self::GetUser,
        Self::GetPost,
        Self::PageHtml,
        Self::ListPosts,
        Self::Search,
        Self::EditPost,
        Self::CreatePost,
        Self::Mixed,
    ];

    /// As it is called in reports, on the command line and in `load.lua`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Health => "health",
            Self::GetUser => "get_user",
            Self::GetPost => "get_post",
            Self::PageHtml => "page_html",
            Self::ListPosts => "list_posts",
            Self::Search => "search",
            Self::EditPost => "edit_post",
            Self::CreatePost => "create_post",
            Self::Mixed => "mixed",
        }
    }

    /// Whether it changes the database.
    pub fn writes(self) -> bool {
        matches!(self, Self::EditPost | Self::CreatePost | Self::Mixed)
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_and_the_reports_use_the_same_names() {
        for workload in Workload::ALL {
            assert_eq!(Workload::from_str(workload.name(), false), Ok(workload));
        }
    }
}
