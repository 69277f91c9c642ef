//! Every path the wiki answers, in one table.

use http::uri::PathAndQuery;
use http::{Method, StatusCode};
use percent_encoding::percent_decode_str;

use crate::access::{Need, Who};
use crate::browser::{account, delete, edit, history, lists, page, people, sign_in, statics};
use crate::db::Db;
use crate::limits::{self, CHANGES};
use crate::negotiate::preferred;
use crate::pages::address;
use crate::posts::protection;
use crate::problem::Problem;
use crate::reply::{self, Response};
use crate::request::{PathParams, Request};
use crate::{
    access, accounts, audit, feed, identity, links, openapi, origin, posts, revisions, search, service, sessions, tags,
    tokens, users,
};

/// Answers a request. What it needs to know of the world is in its arguments.
pub type Handler = fn(&Request, &Db) -> Result<Response, Problem>;

/// A path and what can be done there.
pub struct Route {
    /// Segments between slashes; `{name}` stands for any one segment.
    pub path: &'static str,
    /// The methods the path has. HEAD follows from GET, and every path has OPTIONS.
    pub methods: &'static [Entry],
}

/// What a method needs of whoever asks, and what answers it.
pub type Entry = (Method, Need, Handler);

/// The table. A path is also answered with a slash at its end.
pub const ROUTES: &[Route] = &[
    Route { path: "/", methods: &[(Method::GET, Need::Read, service::index)] },
    Route { path: "/health", methods: &[(Method::GET, Need::Nothing, service::health)] },
    Route { path: "/ready", methods: &[(Method::GET, Need::Nothing, service::ready)] },
    Route { path: "/metrics", methods: &[(Method::GET, Need::Read, service::metrics)] },
    Route {
        path: "/users",
        methods: &[(Method::GET, Need::Read, users::list), (Method::POST, Need::Register, users::create)],
    },
    Route { path: "/users/{id}", methods: USER },
    Route { path: "/user/{id}", methods: USER },
    Route {
        path: "/posts",
        methods: &[(Method::GET, Need::Read, posts::list), (Method::POST, Need::Write, posts::create)],
    },
    Route {
        path: "/posts/{id}",
        methods: &[
            (Method::GET, Need::Read, posts::read),
            (Method::PUT, Need::Write, posts::update),
            (Method::DELETE, Need::Write, posts::delete),
        ],
    },
    Route { path: "/posts/{id}/restore", methods: &[(Method::POST, Need::Write, posts::restore)] },
    Route { path: "/posts/{id}/revisions", methods: &[(Method::GET, Need::Read, revisions::list)] },
    Route { path: "/posts/{id}/revisions/{version}", methods: &[(Method::GET, Need::Read, revisions::read)] },
    Route { path: "/posts/{id}/compare", methods: &[(Method::GET, Need::Read, revisions::compare)] },
    Route { path: "/posts/{id}/revert", methods: &[(Method::POST, Need::Write, revisions::revert)] },
    Route { path: "/posts/{id}/backlinks", methods: &[(Method::GET, Need::Read, links::backlinks)] },
    Route {
        path: "/posts/{id}/protection",
        methods: &[
            (Method::PUT, Need::Administer, protection::protect),
            (Method::DELETE, Need::Administer, protection::unprotect),
        ],
    },
    Route { path: "/changes", methods: &[(Method::GET, Need::Read, revisions::changes)] },
    Route { path: "/search", methods: &[(Method::GET, Need::Read, search::search)] },
    Route { path: "/search/suggestions", methods: &[(Method::GET, Need::Read, search::suggestions)] },
    Route { path: "/tags", methods: &[(Method::GET, Need::Read, tags::list)] },
    Route { path: "/feed.atom", methods: &[(Method::GET, Need::Read, feed::read)] },
    Route { path: "/account", methods: &[(Method::GET, Need::Account, accounts::read)] },
    Route { path: "/account/password", methods: &[(Method::PUT, Need::Password, accounts::change_password)] },
    Route {
        path: "/sessions",
        methods: &[
            (Method::GET, Need::OwnAccount, sessions::list),
            (Method::DELETE, Need::OwnAccount, sessions::end_all),
        ],
    },
    Route { path: "/sessions/{id}", methods: &[(Method::DELETE, Need::OwnAccount, sessions::end)] },
    Route {
        path: "/tokens",
        methods: &[(Method::GET, Need::OwnAccount, tokens::list), (Method::POST, Need::OwnAccount, tokens::create)],
    },
    Route { path: "/tokens/{id}", methods: &[(Method::DELETE, Need::OwnAccount, tokens::delete)] },
    Route { path: "/audit", methods: &[(Method::GET, Need::Administer, audit::list)] },
    Route { path: "/openapi.json", methods: &[(Method::GET, Need::Read, openapi::document)] },
    Route { path: "/docs", methods: &[(Method::GET, Need::Read, openapi::docs)] },
    // What a person sees. A slug never is a hyphen alone.
    Route { path: "/wiki", methods: &[(Method::GET, Need::Read, page::front)] },
    Route {
        path: "/wiki/-/new",
        methods: &[(Method::GET, Need::Write, edit::new), (Method::POST, Need::Write, edit::create)],
    },
    Route { path: "/wiki/-/preview", methods: &[(Method::POST, Need::Write, edit::preview)] },
    Route { path: "/wiki/-/pages", methods: &[(Method::GET, Need::Read, lists::pages)] },
    Route { path: "/wiki/-/changes", methods: &[(Method::GET, Need::Read, lists::changes)] },
    Route { path: "/wiki/-/tags", methods: &[(Method::GET, Need::Read, lists::tags)] },
    Route { path: "/wiki/-/tags/{tag}", methods: &[(Method::GET, Need::Read, lists::tagged)] },
    Route { path: "/wiki/-/search", methods: &[(Method::GET, Need::Read, lists::search)] },
    Route { path: "/wiki/-/users", methods: &[(Method::GET, Need::Read, lists::users)] },
    Route {
        path: "/wiki/-/users/new",
        methods: &[(Method::GET, Need::Administer, people::new), (Method::POST, Need::Administer, people::create)],
    },
    Route { path: "/wiki/-/users/{id}", methods: &[(Method::GET, Need::Read, lists::user)] },
    Route {
        path: "/wiki/-/users/{id}/account",
        methods: &[(Method::GET, Need::Administer, people::edit), (Method::POST, Need::Administer, people::save)],
    },
    Route {
        path: "/wiki/-/sign-in",
        methods: &[(Method::GET, Need::Anybody, sign_in::ask), (Method::POST, Need::Anybody, sign_in::sign_in)],
    },
    Route { path: "/wiki/-/sign-out", methods: &[(Method::POST, Need::Anybody, sign_in::sign_out)] },
    Route { path: "/wiki/-/account", methods: &[(Method::GET, Need::Password, account::show)] },
    Route { path: "/wiki/-/account/password", methods: &[(Method::POST, Need::Password, account::change_password)] },
    Route { path: "/wiki/-/account/sessions", methods: &[(Method::POST, Need::OwnAccount, account::end_session)] },
    Route { path: "/wiki/-/account/tokens", methods: &[(Method::POST, Need::OwnAccount, account::make_token)] },
    Route {
        path: "/wiki/-/account/tokens/revoke",
        methods: &[(Method::POST, Need::OwnAccount, account::revoke_token)],
    },
    Route { path: "/wiki/-/audit", methods: &[(Method::GET, Need::Administer, lists::audit)] },
    Route { path: "/wiki/{slug}", methods: &[(Method::GET, Need::Read, page::show_page)] },
    Route {
        path: "/wiki/{slug}/edit",
        methods: &[(Method::GET, Need::Write, edit::edit), (Method::POST, Need::Write, edit::save)],
    },
    Route { path: "/wiki/{slug}/history", methods: &[(Method::GET, Need::Read, history::list)] },
    Route { path: "/wiki/{slug}/history/{version}", methods: &[(Method::GET, Need::Read, history::read)] },
    Route { path: "/wiki/{slug}/compare", methods: &[(Method::GET, Need::Read, history::compare)] },
    Route { path: "/wiki/{slug}/revert", methods: &[(Method::POST, Need::Write, history::revert)] },
    Route { path: "/wiki/{slug}/backlinks", methods: &[(Method::GET, Need::Read, page::backlinks)] },
    Route {
        path: "/wiki/{slug}/delete",
        methods: &[(Method::GET, Need::Write, delete::ask), (Method::POST, Need::Write, delete::delete)],
    },
    Route { path: "/wiki/{slug}/restore", methods: &[(Method::POST, Need::Write, delete::restore)] },
    Route { path: "/wiki/{slug}/protection", methods: &[(Method::POST, Need::Administer, page::protect)] },
    Route { path: "/static/{name}", methods: &[(Method::GET, Need::Nothing, statics::read)] },
];

const USER: &[Entry] = &[
    (Method::GET, Need::Read, users::read),
    (Method::PATCH, Need::Person, users::update),
    (Method::DELETE, Need::Person, users::delete),
];

/// The answer to `request`: a handler's, or the problem it met.
pub fn answer(mut request: Request, db: &Db) -> Response {
    let response = dispatch(&mut request, db).unwrap_or_else(|problem| {
        let wanted = preferred(request.headers(), &["application/problem+json", "text/html"]);
        match (wanted, request.uri().path()) {
            ("text/html", _) if problem.status == StatusCode::UNAUTHORIZED && request.method().is_safe() => {
                // Back to where they wanted to go, once they have signed in.
                let wanted = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
                reply::momentary(reply::found(&address::sign_in(wanted)))
            }
            ("text/html", path) if is_for_people(path) => reply::problem_page(&request, &problem),
            _ => reply::problem(&problem),
        }
    });
    reply::without_body(request.method(), reply::guarded(&request, response))
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
    let Some((_, need, handler)) = route.methods.iter().find(|(has, ..)| *has == method) else {
        return Err(Problem::method_not_allowed(request.method(), allowed(route)));
    };
    if !method.is_safe() {
        origin::check(request)?;
    }
    if !params.0.is_empty() {
        request.extensions_mut().insert(params);
    }
    if *need != Need::Nothing {
        // Nothing on the wire can say who asks but what `identity` reads; tests without a database can.
        let who = match request.extensions_mut().remove::<Who>() {
            Some(who) => who,
            None => identity::of(request, db)?,
        };
        let granted = who.check(*need);
        let changes = who.user_id().filter(|_| !method.is_safe() && !who.administers());
        // Kept whatever they may do: the page that tells them says who they are.
        request.extensions_mut().insert(who);
        granted.inspect_err(|_| tell(request, route.path))?;
        if let Some(user_id) = changes {
            limits::take(db, CHANGES, &user_id.to_string())?;
        }
    }
    handler(request, db)
}

/// Notes in the log that somebody known was denied something (ASVS 5.0, 16.3.2). Of others the host's log has the status.
fn tell(request: &Request, route: &str) {
    if let Some(user_id) = access::who(request).user_id() {
        eprintln!("denied: user {user_id}: {} {route}", request.method());
    }
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
    for (method, ..) in route.methods {
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
