//! The routes of Spin's HTTP trigger: which component handles a path.
//!
//! A route consists of segments: literal text, `:name` for any one segment, and, at the end, `...` for any number of
//! segments, including none. Slashes at either end of a route or path are ignored: `/books/` matches `/books`, and
//! `/books/...` matches `/books`, `/books/` and everything below. If several routes match, their first differing segment
//! decides: text wins over `:name`, and `:name` over `...`. So an exact route wins over a wildcard, and a longer wildcard
//! over a shorter one. Paths are compared as sent, without percent-decoding.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use http::{HeaderName, HeaderValue};

const PATH_INFO: HeaderName = HeaderName::from_static("spin-path-info");
const BASE_PATH: HeaderName = HeaderName::from_static("spin-base-path");
const MATCHED_ROUTE: HeaderName = HeaderName::from_static("spin-matched-route");
const COMPONENT_ROUTE: HeaderName = HeaderName::from_static("spin-component-route");
const RAW_COMPONENT_ROUTE: HeaderName = HeaderName::from_static("spin-raw-component-route");

/// Spin reserves the paths below and refuses applications that claim them.
const RESERVED: &str = "/.well-known/spin/";

#[derive(Debug)]
pub struct Router {
    /// The most specific first.
    routes: Vec<Route>,
}

#[derive(Debug)]
struct Route {
    component: Arc<str>,
    raw: Arc<str>,
    segments: Vec<Segment>,
    // Headers that do not depend on the path. Cloning a `HeaderValue` copies no bytes.
    raw_header: HeaderValue,
    matched_header: HeaderValue,
    prefix_header: HeaderValue,
}

#[derive(Debug)]
enum Segment {
    Text(String),
    Name { header: HeaderName },
    Rest,
}

impl Router {
    /// A router for pairs of route and component id.
    ///
    /// Fails with the name of the route if one is malformed or below `/.well-known/spin/`, or if two match the same paths.
    pub fn new<R, C>(routes: impl IntoIterator<Item = (R, C)>) -> anyhow::Result<Self>
    where
        R: Into<String>,
        C: Into<String>,
    {
        let mut routes = routes
            .into_iter()
            .map(|(raw, component)| {
                let raw = raw.into();
                Route::new(&raw, &component.into()).with_context(|| format!("route {raw:?}"))
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        routes.sort_by(|a, b| a.precedence(b));
        if let Some([first, second]) = routes.array_windows().find(|[a, b]| a.precedence(b).is_eq()) {
            bail!(
                "route {:?} of component {:?} and route {:?} of component {:?} match the same paths: remove one",
                first.raw,
                first.component,
                second.raw,
                second.component
            );
        }
        Ok(Self { routes })
    }

    /// The route for `path`, without its query.
    pub fn find<'a>(&'a self, path: &'a str) -> Option<RouteMatch<'a>> {
        self.routes.iter().find_map(|route| route.matches(path))
    }
}

impl Route {
    fn new(raw: &str, component: &str) -> anyhow::Result<Self> {
        ensure!(raw.starts_with('/'), "a route begins with a slash: write {:?}", format!("/{raw}"));
        ensure!(
            raw.bytes().all(|byte| byte.is_ascii_graphic()),
            "a route is made of visible ASCII characters: write others percent-encoded, as clients send them"
        );
        ensure!(!raw.starts_with(RESERVED), "paths below {RESERVED} are reserved by Spin");
        let mut segments: Vec<Segment> = Vec::new();
        for text in split(raw) {
            ensure!(!matches!(segments.last(), Some(Segment::Rest)), "only the last segment of a route may be \"...\"");
            segments.push(Segment::new(text, &segments)?);
        }
        let header = |text: &str| HeaderValue::from_str(text);
        Ok(Self {
            raw_header: header(raw)?,
            // Spin drops one slash at the end here, so the route "/" gives an empty value.
            matched_header: header(raw.strip_suffix('/').unwrap_or(raw))?,
            prefix_header: header(raw.strip_suffix("/...").unwrap_or(raw))?,
            component: component.into(),
            raw: raw.into(),
            segments,
        })
    }

    /// The order in which routes are tried. Equal for routes that match the same paths.
    fn precedence(&self, other: &Self) -> Ordering {
        let by_segment = self.segments.iter().zip(&other.segments).map(|(a, b)| a.precedence(b));
        by_segment.fold(Ordering::Equal, Ordering::then).then(self.segments.len().cmp(&other.segments.len()))
    }

    fn matches<'a>(&'a self, path: &'a str) -> Option<RouteMatch<'a>> {
        let mut parts = split(path);
        for segment in &self.segments {
            match segment {
                Segment::Text(text) => {
                    if parts.next()? != text {
                        return None;
                    }
                }
                Segment::Name { .. } => {
                    parts.next()?;
                }
                Segment::Rest => return Some(RouteMatch { route: self, path, rest: Some(parts.rest(path)) }),
            }
        }
        parts.next().is_none().then_some(RouteMatch { route: self, path, rest: None })
    }
}

impl Segment {
    fn new(text: &str, before: &[Segment]) -> anyhow::Result<Self> {
        if text == "..." {
            return Ok(Self::Rest);
        }
        ensure!(text != "*", "write /... for a trailing wildcard");
        let Some(name) = text.strip_prefix(':') else { return Ok(Self::Text(text.to_owned())) };
        ensure!(
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-'),
            "the name in {text:?} must be made of letters, digits, \"_\" and \"-\""
        );
        let header = format!("spin-path-match-{}", name.replace('_', "-").to_ascii_lowercase());
        let header = HeaderName::try_from(header)?;
        if before.iter().any(|other| matches!(other, Self::Name { header: taken } if *taken == header)) {
            bail!("two segments would give the header {header}: rename one");
        }
        Ok(Self::Name { header })
    }

    fn precedence(&self, other: &Self) -> Ordering {
        let class = |segment: &Self| match segment {
            Self::Text(_) => 0,
            Self::Name { .. } => 1,
            Self::Rest => 2,
        };
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            _ => class(self).cmp(&class(other)),
        }
    }
}

/// A path and the route that matches it.
pub struct RouteMatch<'a> {
    route: &'a Route,
    path: &'a str,
    /// What the trailing `...` matched, from its slash on: for the route `/a/...`, it is `/b/` in `/a/b/` and empty in `/a`.
    /// `None` if the route has no wildcard.
    rest: Option<&'a str>,
}

impl<'a> RouteMatch<'a> {
    pub fn component_id(&self) -> &'a Arc<str> {
        &self.route.component
    }

    /// The route as in the manifest.
    pub fn route(&self) -> &'a Arc<str> {
        &self.route.raw
    }

    /// The request headers that describe the route to a Spin application.
    ///
    /// - `spin-path-info`: what the trailing wildcard matched, empty without one
    /// - `spin-base-path`: always `/`
    /// - `spin-matched-route`: the route without a slash at its end
    /// - `spin-raw-component-route`: the route as in the manifest
    /// - `spin-component-route`: the route without its trailing `/...`
    /// - `spin-path-match-<name>`: what `:name` matched, with the name in lower case and `-` for `_`
    ///
    /// A part of the path with a byte that headers may not contain (DEL) yields no header.
    pub fn headers(&self) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
        let route = self.route;
        let path_info = HeaderValue::from_bytes(self.rest.unwrap_or_default().as_bytes()).ok();
        let names = self.named().filter_map(|(header, value)| {
            HeaderValue::from_bytes(value.as_bytes()).ok().map(|value| (header.clone(), value))
        });
        path_info.map(|value| (PATH_INFO, value)).into_iter().chain(names).chain([
            (BASE_PATH, HeaderValue::from_static("/")),
            (MATCHED_ROUTE, route.matched_header.clone()),
            (RAW_COMPONENT_ROUTE, route.raw_header.clone()),
            (COMPONENT_ROUTE, route.prefix_header.clone()),
        ])
    }

    fn named(&self) -> impl Iterator<Item = (&'a HeaderName, &'a str)> + use<'a> {
        self.route.segments.iter().zip(split(self.path)).filter_map(|(segment, value)| match segment {
            Segment::Name { header } => Some((header, value)),
            Segment::Text(_) | Segment::Rest => None,
        })
    }
}

impl fmt::Debug for RouteMatch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RouteMatch")
            .field("component", &self.route.component)
            .field("route", &self.route.raw)
            .field("path", &self.path)
            .finish()
    }
}

/// The segments of a path.
struct Split<'a> {
    left: Option<&'a str>,
}

fn split(path: &str) -> Split<'_> {
    let inner = path.trim_matches('/');
    Split { left: (!inner.is_empty()).then_some(inner) }
}

impl<'a> Split<'a> {
    /// The rest of `path` from the slash before the next segment, with at most one slash at its end.
    fn rest(&self, path: &'a str) -> &'a str {
        let end = path.trim_end_matches('/').len();
        let slash = usize::from(end < path.len());
        match self.left {
            // The remaining segments end where the slashes at the end of the path start. A path may lack its first slash.
            Some(left) => &path[(end - left.len()).saturating_sub(1)..end + slash],
            None => &path[end..end + slash],
        }
    }
}

impl<'a> Iterator for Split<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let left = self.left?;
        let (segment, rest) = match left.split_once('/') {
            Some((segment, rest)) => (segment, Some(rest)),
            None => (left, None),
        };
        self.left = rest;
        Some(segment)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn router(routes: &[&str]) -> Router {
        Router::new(routes.iter().map(|route| (*route, *route))).unwrap()
    }

    fn found<'a>(router: &'a Router, path: &'a str) -> Option<&'a str> {
        router.find(path).map(|found| &**found.component_id())
    }

    fn refusal(routes: &[&str]) -> String {
        format!("{:#}", Router::new(routes.iter().map(|route| (*route, *route))).unwrap_err())
    }

    fn headers(router: &Router, path: &str) -> Vec<(String, String)> {
        let headers = router.find(path).unwrap();
        let text = |(name, value): (HeaderName, HeaderValue)| (name.to_string(), value.to_str().unwrap().to_owned());
        let mut headers: Vec<_> = headers.headers().map(text).collect();
        headers.sort();
        headers
    }

    #[test]
    fn the_most_specific_route_answers() {
        let router = router(&["/...", "/one/two/...", "/one", "/:a/two", "/one/:b", "/one/...", "/"]);
        for (path, route) in [
            ("/", "/"),
            ("/one", "/one"),
            ("/one/", "/one"),
            ("/one/x", "/one/:b"),
            ("/one/two", "/one/two/..."),
            ("/one/two/x", "/one/two/..."),
            ("/one/x/y", "/one/..."),
            ("/x/two", "/:a/two"),
            ("/x/y", "/..."),
            ("/x", "/..."),
        ] {
            assert_eq!(found(&router, path), Some(route), "{path}");
        }
    }

    #[test]
    fn a_path_without_a_route_is_not_found() {
        let router = router(&["/books/:isbn", "/shelf/..."]);
        for path in ["/", "/books", "/books/1/2", "/shelfs", "/Books/1"] {
            assert_eq!(found(&router, path), None, "{path}");
        }
    }

    #[test]
    fn the_rest_keeps_its_slashes() {
        let test = router(&["/test/..."]);
        for (path, rest) in [
            ("/test", ""),
            ("/test/", "/"),
            ("/test/hello", "/hello"),
            ("/test/hello/", "/hello/"),
            ("/test/a/b", "/a/b"),
            ("/test/a//b", "/a//b"),
            ("/test//b", "//b"),
            ("/test/b//", "/b/"),
        ] {
            assert_eq!(test.find(path).unwrap().rest, Some(rest), "{path}");
        }
        let all = router(&["/..."]);
        for (path, rest) in [("/", "/"), ("", ""), ("/1/2/3", "/1/2/3"), ("//x", "/x"), ("x", "x")] {
            assert_eq!(all.find(path).unwrap().rest, Some(rest), "{path}");
        }
        assert_eq!(router(&["/test"]).find("/test/").unwrap().rest, None);
    }

    #[test]
    fn headers_are_those_of_spin() {
        let with_all = router(&["/foo/:User_Id/..."]);
        let expected = [
            ("spin-base-path", "/"),
            ("spin-component-route", "/foo/:User_Id"),
            ("spin-matched-route", "/foo/:User_Id/..."),
            ("spin-path-info", "/bar"),
            ("spin-path-match-user-id", "42"),
            ("spin-raw-component-route", "/foo/:User_Id/..."),
        ];
        assert_eq!(headers(&with_all, "/foo/42/bar"), expected.map(|(n, v)| (n.to_owned(), v.to_owned())));
        let expected = [
            ("spin-base-path", "/"),
            ("spin-component-route", "/"),
            ("spin-matched-route", ""),
            ("spin-path-info", ""),
            ("spin-raw-component-route", "/"),
        ];
        assert_eq!(headers(&router(&["/"]), "/"), expected.map(|(n, v)| (n.to_owned(), v.to_owned())));
        let root = headers(&router(&["/..."]), "/a");
        assert!(root.contains(&("spin-component-route".to_owned(), String::new())));
    }

    #[test]
    fn names_give_what_they_matched() {
        let router = router(&["/1/:two/3/:four"]);
        let headers = headers(&router, "/1/2/3/4%2F5/");
        assert!(headers.contains(&("spin-path-match-two".to_owned(), "2".to_owned())));
        assert!(headers.contains(&("spin-path-match-four".to_owned(), "4%2F5".to_owned())));
    }

    #[test]
    fn routes_that_match_the_same_paths_are_refused() {
        for pair in [["/a", "/a"], ["/a", "/a/"], ["/:a/...", "/:b/..."], ["/", "//"]] {
            assert!(refusal(&pair).ends_with("match the same paths: remove one"), "{pair:?}");
        }
        router(&["/a", "/a/..."]);
    }

    #[test]
    fn malformed_routes_are_refused() {
        for (route, reason) in [
            ("", "route \"\": a route begins with a slash: write \"/\""),
            ("a", "route \"a\": a route begins with a slash: write \"/a\""),
            ("/.../a", "route \"/.../a\": only the last segment of a route may be \"...\""),
            ("/a/*", "route \"/a/*\": write /... for a trailing wildcard"),
            ("/:", "route \"/:\": the name in \":\" must be made of letters, digits, \"_\" and \"-\""),
            ("/:a.b", "route \"/:a.b\": the name in \":a.b\" must be made of letters, digits, \"_\" and \"-\""),
            ("/:a/:A", "route \"/:a/:A\": two segments would give the header spin-path-match-a: rename one"),
            (
                "/é",
                "route \"/é\": a route is made of visible ASCII characters: write others percent-encoded, as clients send them",
            ),
            (
                "/.well-known/spin/x",
                "route \"/.well-known/spin/x\": paths below /.well-known/spin/ are reserved by Spin",
            ),
        ] {
            assert_eq!(refusal(&[route]), reason);
        }
    }

    /// What the module's documentation says, in the plainest form.
    fn reference<'r>(routes: &'r [String], path: &str) -> Option<&'r str> {
        let split = |text: &str| -> Vec<String> {
            let text = text.trim_matches('/');
            if text.is_empty() { vec![] } else { text.split('/').map(String::from).collect() }
        };
        let classes = |route: &str| -> Vec<u8> {
            split(route).iter().map(|s| if s == "..." { 2 } else { u8::from(s.starts_with(':')) }).collect()
        };
        let matches = |route: &str| {
            let (mut route, mut path) = (split(route), split(path));
            if route.last().is_some_and(|s| s == "...") {
                route.pop();
                path.truncate(route.len());
            }
            route.len() == path.len() && route.iter().zip(&path).all(|(r, p)| r.starts_with(':') || r == p)
        };
        routes.iter().filter(|route| matches(route)).min_by_key(|route| classes(route)).map(String::as_str)
    }

    fn path() -> impl Strategy<Value = String> {
        prop::collection::vec(prop::sample::select(vec!["", "a", "b", "c"]), 0..6)
            .prop_map(|segments| format!("/{}", segments.join("/")))
    }

    fn route() -> impl Strategy<Value = String> {
        let segments = prop::collection::vec(prop::sample::select(vec!["a", "b", ":n"]), 0..4);
        (segments, any::<bool>()).prop_map(|(mut segments, wildcard)| {
            for (index, segment) in segments.iter_mut().enumerate() {
                if *segment == ":n" {
                    *segment = [":n0", ":n1", ":n2", ":n3"][index];
                }
            }
            segments.extend(wildcard.then_some("..."));
            format!("/{}", segments.join("/"))
        })
    }

    proptest! {
        #[test]
        fn the_answer_is_the_references(routes in prop::collection::btree_set(route(), 0..8), path in path()) {
            let routes: Vec<String> = routes.into_iter().collect();
            let router = Router::new(routes.iter().map(|route| (route, route))).unwrap();
            prop_assert_eq!(found(&router, &path), reference(&routes, &path));
            if let Some(found) = router.find(&path) {
                prop_assert!(found.rest.is_none_or(|rest| path.contains(rest)));
                prop_assert!(found.headers().count() >= 5);
            }
        }

        #[test]
        fn any_route_is_taken_or_refused(route in "\\PC*|[/:.a*]*", path in "\\PC*|[/a]*") {
            if let Ok(router) = Router::new([(route, "c")])
                && let Some(found) = router.find(&path)
            {
                prop_assert!(found.headers().count() >= 4);
            }
        }
    }
}
