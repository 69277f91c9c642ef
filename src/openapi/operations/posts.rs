//! Pages.

use http::Method;
use serde_json::json;

use super::Operation;
use crate::openapi::examples;
use crate::openapi::parameters::search;
use crate::web::response::MARKDOWN;

/// The operations of `/posts` that are about a page as it is now.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::new(Method::GET, "/posts", "listPosts", "List pages")
            .about(
                "Newest first unless `sort` says otherwise. Items have their `size` in bytes in place of the content. A page \
                 that was renamed is found by its slug of now only.",
            )
            .takes(&["Limit", "Cursor", "Sort", "Author", "Tag", "Slug"])
            .asks(search("Only pages with these words, as search engines take them.", false))
            .answers(200, "Pages.", "Posts", examples::list("posts", examples::summary()))
            .cached(),
        Operation::new(Method::POST, "/posts", "createPost", "Create a page")
            .about("404 means that there is no such user.")
            .reads("NewPost", json!({ "user_id": 1, "content": "# Hello\n\nFirst page." }))
            .answers(201, "The new page.", "Post", examples::post())
            .with("Location", "Location")
            .tagged()
            .fails(&[404, 409]),
        Operation::new(Method::GET, "/posts/{id}", "readPost", "Read a page")
            .about("As JSON or, by `Accept`, as Markdown or as the page for a person.")
            .takes(&["PostId"])
            .answers(200, "The page.", "Post", examples::post())
            .or_as(MARKDOWN, "The content itself.")
            .or_as("text/html", "The page for a person.")
            .cached()
            .fails(&[404]),
        Operation::new(Method::PUT, "/posts/{id}", "editPost", "Edit a page")
            .about(
                "Replaces the content, and the title, slug and tags that are given. Needs the version you saw, in \
                 `If-Match` or in the body: of any number of writers that saw the same version exactly one wins. The \
                 others get 412, or 409 if they named it in the body, with the page as it is now, so that they can \
                 show the difference and merge. An edit that changes nothing makes no version.",
            )
            .takes(&["PostId"])
            .conditional()
            .reads("Edit", json!({ "content": "# Hello\n\nSecond thoughts.", "comment": "say more", "version": 1 }))
            .answers(200, "The page as it is now.", "Post", examples::edited_post())
            .tagged()
            .fails(&[404, 409, 428]),
        Operation::new(Method::DELETE, "/posts/{id}", "deletePost", "Delete a page")
            .about("The page and its history are kept, but can no longer be read.")
            .takes(&["PostId"])
            .conditional()
            .answers_text(204, "The page is deleted.", None)
            .fails(&[404]),
        Operation::new(Method::POST, "/posts/{id}/restore", "restorePost", "Restore a deleted page")
            .about("As it was; under another slug if its own is in use by now. One that is not deleted stays as it is.")
            .takes(&["PostId"])
            .answers(200, "The page.", "Post", examples::post())
            .tagged()
            .fails(&[404]),
        Operation::new(Method::PUT, "/posts/{id}/protection", "protectPost", "Protect a page")
            .about("From then on, only administrators change it. For administrators.")
            .takes(&["PostId"])
            .answers(200, "The page.", "Post", examples::protected_post())
            .tagged()
            .fails(&[404]),
        Operation::new(Method::DELETE, "/posts/{id}/protection", "unprotectPost", "Stop protecting a page")
            .about("Whoever writes may change it again. For administrators.")
            .takes(&["PostId"])
            .answers(200, "The page.", "Post", examples::post())
            .tagged()
            .fails(&[404]),
    ]
}
