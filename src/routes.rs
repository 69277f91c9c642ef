//! Every path the wiki answers, in one table.

use http::Method;
use percent_encoding::percent_decode_str;

use crate::db::Db;
use crate::problem::Problem;
use crate::reply::{self, Response};
use crate::request::{PathParams, Request};
use crate::{posts, revisions, service, users};

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
    Route { path: "/changes", methods: &[(Method::GET, revisions::changes)] },
];

const USER: &[(Method, Handler)] =
    &[(Method::GET, users::read), (Method::PATCH, users::update), (Method::DELETE, users::delete)];

/// The answer to `request`: a handler's, or the problem it met.
pub fn answer(mut request: Request, db: &Db) -> Response {
    let response = dispatch(&mut request, db).unwrap_or_else(|problem| reply::problem(&problem));
    reply::without_body(request.method(), response)
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
            // A segment that is not UTF-8 names nothing.
            params.0.push(percent_decode_str(segment).decode_utf8().ok()?.into_owned());
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
        for path in ["/user", "/users//", "//users", "/users/1/2", "/Users", "/nothing", "/posts/%ff", "users"] {
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
