//! Every path the wiki answers, in one table.

use http::Method;
use percent_encoding::percent_decode_str;

use crate::browser::{delete, edit, history, lists, page, statics};
use crate::db::Db;
use crate::negotiate::preferred;
use crate::pages::address;
use crate::problem::Problem;
use crate::reply::{self, Response};
use crate::request::{PathParams, Request};
use crate::{feed, links, openapi, origin, posts, revisions, search, service, tags, users};

/// Answers a request. What it needs to know of the world is in its arguments.
pub type Handler = fn(&Request, &Db) -> Result<Response, Problem>;

/// A path and what can be done there.
pub struct Route {
    /// Segments between slashes; `{name}` stands for any one segment.
    pub path: &'static str,
    /// The methods the path has. HEAD follows from GET, and every path has OPTIONS.
    pub methods: &'static [(Method, Handler)],
}

/// The table. A path is also answered with a slash at its end.
pub const ROUTES: &[Route] = &[
    Route { path: "/", methods: &[(Method::GET, service::index)] },
    Route { path: "/health", methods: &[(Method::GET, service::health)] },
    Route { path: "/ready", methods: &[(Method::GET, service::ready)] },
    Route { path: "/metrics", methods: &[(Method::GET, service::metrics)] },
    Route { path: "/users", methods: &[(Method::GET, users::list), (Method::POST, users::create)] },
    Route { path: "/users/{id}", methods: USER },
    Route { path: "/user/{id}", methods: USER },
    Route { path: "/posts", methods: &[(Method::GET, posts::list), (Method::POST, posts::create)] },
    Route {
        path: "/posts/{id}",
        methods: &[(Method::GET, posts::read), (Method::PUT, posts::update), (Method::DELETE, posts::delete)],
    },
    Route { path: "/posts/{id}/restore", methods: &[(Method::POST, posts::restore)] },
    Route { path: "/posts/{id}/revisions", methods: &[(Method::GET, revisions::list)] },
    Route { path: "/posts/{id}/revisions/{version}", methods: &[(Method::GET, revisions::read)] },
    Route { path: "/posts/{id}/compare", methods: &[(Method::GET, revisions::compare)] },
    Route { path: "/posts/{id}/revert", methods: &[(Method::POST, revisions::revert)] },
    Route { path: "/posts/{id}/backlinks", methods: &[(Method::GET, links::backlinks)] },
    Route { path: "/changes", methods: &[(Method::GET, revisions::changes)] },
    Route { path: "/search", methods: &[(Method::GET, search::search)] },
    Route { path: "/search/suggestions", methods: &[(Method::GET, search::suggestions)] },
    Route { path: "/tags", methods: &[(Method::GET, tags::list)] },
    Route { path: "/feed.atom", methods: &[(Method::GET, feed::read)] },
    Route { path: "/openapi.json", methods: &[(Method::GET, openapi::document)] },
    Route { path: "/docs", methods: &[(Method::GET, openapi::docs)] },
    // What a person sees. A slug never is a hyphen alone.
    Route { path: "/wiki", methods: &[(Method::GET, page::front)] },
    Route { path: "/wiki/-/new", methods: &[(Method::GET, edit::new), (Method::POST, edit::create)] },
    Route { path: "/wiki/-/preview", methods: &[(Method::POST, edit::preview)] },
    Route { path: "/wiki/-/pages", methods: &[(Method::GET, lists::pages)] },
    Route { path: "/wiki/-/changes", methods: &[(Method::GET, lists::changes)] },
    Route { path: "/wiki/-/tags", methods: &[(Method::GET, lists::tags)] },
    Route { path: "/wiki/-/tags/{tag}", methods: &[(Method::GET, lists::tagged)] },
    Route { path: "/wiki/-/search", methods: &[(Method::GET, lists::search)] },
    Route { path: "/wiki/-/users", methods: &[(Method::GET, lists::users)] },
    Route { path: "/wiki/-/users/{id}", methods: &[(Method::GET, lists::user)] },
    Route { path: "/wiki/{slug}", methods: &[(Method::GET, page::show_page)] },
    Route { path: "/wiki/{slug}/edit", methods: &[(Method::GET, edit::edit), (Method::POST, edit::save)] },
    Route { path: "/wiki/{slug}/history", methods: &[(Method::GET, history::list)] },
    Route { path: "/wiki/{slug}/history/{version}", methods: &[(Method::GET, history::read)] },
    Route { path: "/wiki/{slug}/compare", methods: &[(Method::GET, history::compare)] },
    Route { path: "/wiki/{slug}/revert", methods: &[(Method::POST, history::revert)] },
    Route { path: "/wiki/{slug}/backlinks", methods: &[(Method::GET, page::backlinks)] },
    Route { path: "/wiki/{slug}/delete", methods: &[(Method::GET, delete::ask), (Method::POST, delete::delete)] },
    Route { path: "/wiki/{slug}/restore", methods: &[(Method::POST, delete::restore)] },
    Route { path: "/static/{name}", methods: &[(Method::GET, statics::read)] },
];

const USER: &[(Method, Handler)] =
    &[(Method::GET, users::read), (Method::PATCH, users::update), (Method::DELETE, users::delete)];

/// The answer to `request`: a handler's, or the problem it met.
pub fn answer(mut request: Request, db: &Db) -> Response {
    let response = dispatch(&mut request, db).unwrap_or_else(|problem| {
        match preferred(request.headers(), &["application/problem+json", "text/html"]) {
            "text/html" if is_for_people(request.uri().path()) => reply::problem_page(&problem),
            _ => reply::problem(&problem),
        }
    });
    reply::without_body(request.method(), response)
}

/// Whether a browser that asks for `path` is a person's: the wiki's pages, and addresses that never were any. The API
/// reports its problems in one form, whoever asks.
fn is_for_people(path: &str) -> bool {
    path.starts_with(address::FRONT) || find(path).is_none_or(|(route, _)| route.path == "/")
}

fn dispatch(request: &mut Request, db: &Db) -> Result<Response, Problem> {
    let path = request.uri().path();
    let Some((route, params)) = find(path) else {
        return Err(Problem::not_found(format!("There is nothing at {path}. GET / lists what there is.")));
    };
    let method = match *request.method() {
        Method::HEAD => Method::GET,
        Method::OPTIONS => return Ok(reply::allow(&allowed(route))),
        ref method => method.clone(),
    };
    let Some((_, handler)) = route.methods.iter().find(|(has, _)| *has == method) else {
        return Err(Problem::method_not_allowed(request.method(), allowed(route)));
    };
    if !method.is_safe() {
        origin::check(request)?;
    }
    if !params.0.is_empty() {
        request.extensions_mut().insert(params);
    }
    handler(request, db)
}

fn find(path: &str) -> Option<(&'static Route, PathParams)> {
    let path = path.strip_suffix('/').unwrap_or(path);
    ROUTES.iter().find_map(|route| Some((route, matches(route.path.trim_end_matches('/'), path)?)))
}

/// What the `{…}` segments of `pattern` stand for in `path`, if it fits.
fn matches(pattern: &str, path: &str) -> Option<PathParams> {
    let mut params = PathParams::default();
    let mut segments = path.split('/');
    for wanted in pattern.split('/') {
        let segment = segments.next()?;
        if wanted.starts_with('{') && !segment.is_empty() {
            // A segment that is not UTF-8 names nothing, and neither does one with U+0000, which PostgreSQL cannot store.
            let segment = percent_decode_str(segment).decode_utf8().ok().filter(|segment| !segment.contains('\0'))?;
            params.0.push(segment.into_owned());
        } else if wanted != segment {
            return None;
        }
    }
    segments.next().is_none().then_some(params)
}

fn allowed(route: &Route) -> String {
    let mut methods = vec!["OPTIONS"];
    for (method, _) in route.methods {
        if method == Method::GET {
            methods.push("HEAD");
        }
        methods.push(method.as_str());
    }
    methods.sort_unstable();
    methods.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(path: &str) -> Option<(&'static str, Vec<String>)> {
        find(path).map(|(route, params)| (route.path, params.0))
    }

    #[test]
    fn paths_are_found_with_and_without_a_slash() {
        assert_eq!(found("/"), Some(("/", vec![])));
        assert_eq!(found("/users"), Some(("/users", vec![])));
        assert_eq!(found("/users/"), Some(("/users", vec![])));
        assert_eq!(found("/users/7"), Some(("/users/{id}", vec!["7".into()])));
        assert_eq!(found("/user/7/"), Some(("/user/{id}", vec!["7".into()])));
        assert_eq!(found("/posts/a%20b"), Some(("/posts/{id}", vec!["a b".into()])));
    }

    #[test]
    fn other_paths_are_not_found() {
        for path in
            ["/user", "/users//", "//users", "/users/1/2", "/Users", "/nothing", "/posts/%ff", "/wiki/a%00b", "users"]
        {
            assert_eq!(found(path), None, "{path}");
        }
    }

    #[test]
    fn every_route_names_its_methods() {
        assert_eq!(allowed(find("/posts/1").unwrap().0), "DELETE, GET, HEAD, OPTIONS, PUT");
    }

    proptest! {
        #[test]
        fn finding_never_panics(path in "/[ -~]{0,60}") {
            _ = find(&path);
        }
    }
}
