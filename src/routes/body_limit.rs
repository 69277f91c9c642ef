//! How much of a request's body is read: decided by its head and its sender, before any of it is.
//!
//! The memory that a body takes is the first thing that anybody can use up, signed in or not. Reading it takes as much again.

use http::Method;

use crate::site::{address, retry};
use crate::web::Request;
use crate::web::forms::is_form;

/// A page of a mebibyte in which JSON escapes every character (`\u00e9`, six bytes), with room for the other members.
pub const PAGE: usize = 8 << 20;

/// A page of a mebibyte as a browser sends it, in which every character is escaped (`%C3%A9`, three bytes for each of UTF-8),
/// and a quarter of it more for line ends and the other fields.
///
/// This is what people may send who are not signed in, or not any more: their session may have ended while they typed, and the
/// form comes back with everything, to be sent again with a password. Nothing in the request can prove that there was such a
/// session: a browser forgets its cookie when somebody signs out in another tab, and anybody can invent one. So it is read from
/// everyone, within a limit that fits each page that people write, and the memory of all requests together is the host's to limit.
const FORM_OF_A_PAGE: usize = 4 << 20;

/// Everything else: some lines of text, however they are escaped.
const SMALL: usize = 64 << 10;

/// A name, a password and an address of this wiki.
const SIGN_IN: usize = 8 << 10;

/// An event, of 64 KiB at most, with what brokers add.
const EVENT: usize = 128 << 10;

/// Routes whose handlers read the body themselves: files are stored as they arrive.
const STREAMED: [&str; 2] = ["/files", "/posts/{id}/files"];

/// Routes whose forms may have a file.
const WITH_FILE: [&str; 3] = [address::NEW, "/wiki/{slug}/edit", "/wiki/{slug}/files"];

/// Routes whose requests contain a page.
const WITH_PAGE: [&str; 6] =
    ["/posts", "/posts/{id}", address::NEW, address::PREVIEW, address::DRAFTS, "/wiki/{slug}/edit"];

/// The most bytes of a body to read for `route`, a path of the table; none if the answer is the same without.
/// `is_permitted` is whether the sender may do what the request asks for.
pub fn of(route: &str, request: &Request, is_permitted: bool) -> Option<usize> {
    if !matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH | Method::DELETE) {
        return None;
    }
    if is_streamed(route) {
        return None;
    }
    let limit = match route {
        address::SIGN_IN => SIGN_IN,
        "/-/consumers/{name}" => EVENT,
        _ if WITH_PAGE.contains(&route) => PAGE,
        _ => SMALL,
    };
    if is_permitted {
        Some(limit)
    } else {
        // A program learns the reason, and has its text still.
        (retry::keeps(request) && is_form(request)).then_some(limit.min(FORM_OF_A_PAGE))
    }
}

/// Whether the handler of `route` reads the body itself.
pub fn is_streamed(route: &str) -> bool {
    STREAMED.contains(&route)
}

/// The most bytes of the fields to read of a form with a file, for `route`; none if it takes no such forms, or if nothing of it
/// is kept.
pub fn of_fields(route: &str, request: &Request, is_permitted: bool) -> Option<usize> {
    let is_read = WITH_FILE.contains(&route) && (is_permitted || retry::keeps(request));
    is_read.then_some(FORM_OF_A_PAGE)
}

#[cfg(test)]
mod tests {
    use http::header::CONTENT_TYPE;

    use super::*;
    use crate::routes::ROUTES;

    fn request(method: &str, path: &str, content_type: &str) -> Request {
        let request = http::Request::builder().method(method).uri(path).header(CONTENT_TYPE, content_type);
        request.body(Vec::new()).unwrap()
    }

    const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";
    const JSON: &str = "application/json";

    #[test]
    fn who_may_do_it_may_send_as_much_as_it_takes() {
        for (method, route, limit) in [
            ("POST", "/posts", Some(PAGE)),
            ("PUT", "/posts/{id}", Some(PAGE)),
            ("DELETE", "/posts/{id}", Some(PAGE)),
            ("POST", "/posts/{id}/revert", Some(SMALL)),
            ("POST", "/users", Some(SMALL)),
            ("POST", "/wiki/-/sign-in", Some(SIGN_IN)),
            ("POST", "/wiki/-/preview", Some(PAGE)),
            ("GET", "/posts", None),
            ("OPTIONS", "/posts", None),
        ] {
            assert_eq!(of(route, &request(method, "/", JSON), true), limit, "{method} {route}");
        }
    }

    #[test]
    fn of_others_only_forms_are_read_that_people_fill_in() {
        for (route, path, content_type, limit) in [
            ("/posts", "/posts", JSON, None),
            ("/posts", "/posts", FORM, None),
            ("/users", "/users", JSON, None),
            ("/wiki/-/preview", "/wiki/-/preview", FORM, None),
            ("/wiki/-/new", "/wiki/-/new", "multipart/form-data", None),
            ("/wiki/-/new", "/wiki/-/new", FORM, Some(FORM_OF_A_PAGE)),
            ("/wiki/{slug}/edit", "/wiki/a/edit", FORM, Some(FORM_OF_A_PAGE)),
            ("/wiki/{slug}/delete", "/wiki/a/delete", FORM, Some(SMALL)),
        ] {
            assert_eq!(of(route, &request("POST", path, content_type), false), limit, "{path}");
        }
    }

    #[test]
    fn routes_with_a_page_are_in_the_table() {
        for path in WITH_PAGE.into_iter().chain(STREAMED).chain(WITH_FILE) {
            assert!(ROUTES.iter().any(|route| route.path == path), "{path}");
        }
    }
}
