//! Routes: every path, what it needs of the sender, and its handler, in one table; and what happens around a handler.

pub mod body_limit;
pub mod replica;

use http::uri::PathAndQuery;
use http::{Method, StatusCode};
use percent_encoding::{CONTROLS, percent_decode_str, utf8_percent_encode};
use serde::Serialize;
use serde_json::{Map, Value};
use wiki_types::Mode;

use crate::api::{
    account, audit, calendar, description, events, files, groups, inbox, links, posts, redirects, revisions, search,
    service, sessions, settings, spaces, stars, tags, tasks, tokens, tree, undelivered, users, watches, webhooks,
};
use crate::auth::rate_limit::{self, CHANGES};
use crate::auth::{self, Context, Identity, Need, Services, sign_in_within};
use crate::delivery;
use crate::routes::replica::Reads;
use crate::site;
use crate::site::address;
use crate::store::Db;
use crate::web::body::{self, DRAINED, Incoming, SentFile};
use crate::web::forms::Form;
use crate::web::headers::{self, Audience};
use crate::web::multipart::{self, Multipart};
use crate::web::negotiation::preferred;
use crate::web::request::{check, is_secure, positive};
use crate::web::{Problem, Request, Response, csrf, read_after, response};

/// A function that answers requests. The route's `{…}` segments are its arguments.
#[derive(Clone, Copy)]
pub enum Handler {
    /// Without arguments.
    Plain(fn(&Context) -> Result<Response, Problem>),
    /// With a number. Anything else in its place is answered 404: it names nothing.
    Id(fn(&Context, i64) -> Result<Response, Problem>),
    /// With a number and a text.
    IdText(fn(&Context, i64, &str) -> Result<Response, Problem>),
    /// With a text.
    Text(fn(&Context, &str) -> Result<Response, Problem>),
    /// With two texts.
    TextText(fn(&Context, &str, &str) -> Result<Response, Problem>),
}

use Handler::{Id, IdText, Plain, Text, TextText};

/// A path and its methods.
pub struct Route {
    /// Segments between slashes; `{name}` matches any one segment.
    pub path: &'static str,
    /// The methods of the path. HEAD follows from GET, and every path has OPTIONS.
    pub methods: &'static [Entry],
}

/// A method, what it needs of the sender, its handler, and what that reads.
pub type Entry = (Method, Need, Handler, Reads);

macro_rules! route {
    ($path:literal, $($method:ident $need:ident $handler:ident($function:path) $($reads:ident)?),+ $(,)?) => {
        Route { path: $path, methods: &[$((Method::$method, Need::$need, $handler($function), reads!($($reads)?))),+] }
    };
}

macro_rules! reads {
    () => {
        Reads::Now
    };
    (moment_ago) => {
        Reads::MomentAgo
    };
}

/// The table. A path is also found with a slash at its end. What is read `moment_ago`, a replica may answer: never what is changed on
/// the same page, what belongs to the sender alone, or what administrators see.
pub const ROUTES: &[Route] = &[
    route!("/", GET Read Plain(index) moment_ago),
    route!("/health", GET Nothing Plain(service::health)),
    route!("/ready", GET Nothing Plain(service::ready)),
    route!("/metrics", GET Read Plain(service::metrics)),
    route!("/users", GET Read Plain(users::list) moment_ago, POST Register Plain(users::create)),
    route!("/users/suggestions", GET Read Plain(users::suggestions) moment_ago),
    route!("/users/{id}", GET Read Id(users::read) moment_ago, PATCH Person Id(users::update), DELETE Person Id(users::delete)),
    route!("/user/{id}", GET Read Id(users::read) moment_ago, PATCH Person Id(users::update), DELETE Person Id(users::delete)),
    route!("/posts", GET Read Plain(posts::list) moment_ago, POST Write Plain(posts::create)),
    route!("/posts/deleted", GET Read Plain(posts::deleted) moment_ago),
    route!("/posts/{id}", GET Read Id(read_post) moment_ago, PUT Write Id(posts::update), DELETE Write Id(posts::delete)),
    route!("/posts/{id}/restore", POST Write Id(posts::restore)),
    route!("/posts/{id}/revisions", GET Read Id(revisions::list) moment_ago),
    route!("/posts/{id}/revisions/{version}", GET Read IdText(revisions::read) moment_ago),
    route!("/posts/{id}/compare", GET Read Id(revisions::compare) moment_ago),
    route!("/posts/{id}/revert", POST Write Id(revisions::revert)),
    route!("/posts/{id}/files", GET Read Id(files::list) moment_ago, POST Write Id(files::create)),
    route!("/posts/{id}/backlinks", GET Read Id(links::backlinks) moment_ago),
    route!("/posts/{id}/children", GET Read Id(tree::children) moment_ago),
    route!("/posts/{id}/move", POST Write Id(tree::relocate)),
    route!(
        "/posts/{id}/access",
        GET OwnAccount Id(tree::read_access),
        PUT OwnAccount Id(tree::set_access),
        DELETE OwnAccount Id(tree::delete_access),
    ),
    route!("/posts/{id}/protection", PUT Administer Id(posts::protect), DELETE Administer Id(posts::unprotect)),
    route!(
        "/posts/{id}/watch",
        GET Recipient Id(watches::read),
        PUT Follower Id(watches::watch),
        DELETE Follower Id(watches::unwatch),
    ),
    route!(
        "/posts/{id}/star",
        GET Recipient Id(stars::read),
        PUT Follower Id(stars::give),
        DELETE Follower Id(stars::take),
    ),
    route!("/stars", GET Recipient Plain(stars::list)),
    route!("/settings", GET Read Plain(settings::read), PATCH Administer Plain(settings::change)),
    route!("/spaces", GET Read Plain(spaces::list) moment_ago, POST Administer Plain(spaces::create)),
    route!(
        "/spaces/{id}",
        GET Read Id(spaces::read) moment_ago,
        PATCH OwnAccount Id(spaces::change),
        DELETE Administer Id(spaces::delete),
    ),
    route!("/spaces/{id}/children", GET Read Id(spaces::children) moment_ago),
    route!("/spaces/{id}/access", GET OwnAccount Id(spaces::access), PUT OwnAccount Id(spaces::set_access)),
    route!("/groups", GET Recipient Plain(groups::list), POST Administer Plain(groups::create)),
    route!(
        "/groups/{id}",
        GET Recipient Id(groups::read),
        PATCH Administer Id(groups::change),
        DELETE Administer Id(groups::delete),
    ),
    route!("/groups/{id}/members", GET Recipient Id(groups::members)),
    route!(
        "/groups/{id}/members/{user_id}",
        PUT Administer IdText(groups::add),
        DELETE Administer IdText(groups::remove),
    ),
    route!("/files", POST Write Plain(files::create_waiting)),
    route!("/files/{id}", DELETE Write Id(files::delete)),
    route!("/files/{id}/{name}", GET Read IdText(files::read) moment_ago),
    route!("/inbox", GET Recipient Plain(inbox::list)),
    route!("/inbox/read", POST Follower Plain(inbox::mark_read)),
    route!("/redirects", GET Read Plain(redirects::list) moment_ago),
    route!("/redirects/{slug}", PUT Write Text(redirects::set), DELETE Write Text(redirects::delete)),
    route!("/changes", GET Read Plain(revisions::changes) moment_ago),
    route!("/events", GET Read Plain(events::list)),
    route!("/events/undelivered", GET Administer Plain(undelivered::list)),
    route!("/events/undelivered/{id}", DELETE Administer Id(undelivered::delete)),
    route!("/events/undelivered/{id}/retry", POST Administer Id(undelivered::retry)),
    route!("/webhooks", GET Administer Plain(webhooks::list), POST Administer Plain(webhooks::create)),
    route!(
        "/webhooks/{id}",
        GET Administer Id(webhooks::read),
        PATCH Administer Id(webhooks::change),
        DELETE Administer Id(webhooks::delete),
    ),
    route!("/webhooks/{id}/rotate", POST Administer Id(webhooks::rotate)),
    route!("/webhooks/{id}/test", POST Administer Id(webhooks::test)),
    route!("/webhooks/{id}/deliveries", GET Administer Id(webhooks::deliveries)),
    route!("/webhooks/{id}/deliveries/{delivery_id}/resend", POST Administer IdText(webhooks::resend)),
    route!("/search", GET Read Plain(search::search) moment_ago),
    route!("/search/suggestions", GET Read Plain(search::suggestions) moment_ago),
    route!("/tags", GET Read Plain(tags::list) moment_ago),
    route!("/tasks.ics", GET Read Plain(calendar::read) moment_ago),
    route!("/tasks", GET Read Plain(tasks::list) moment_ago, POST Write Plain(tasks::create)),
    route!("/tasks/{id}", GET Read Id(tasks::read) moment_ago, PATCH Write Id(tasks::update)),
    route!("/feed.atom", GET Read Plain(site::feed::show) moment_ago),
    route!("/account", GET Account Plain(account::read)),
    route!("/account/password", PUT Password Plain(account::change_password)),
    route!("/account/mail", GET Recipient Plain(account::read_mail), PUT OwnAccount Plain(account::set_mail)),
    route!("/sessions", GET OwnAccount Plain(sessions::list), DELETE OwnAccount Plain(sessions::end_all)),
    route!("/sessions/{id}", DELETE OwnAccount Id(sessions::end)),
    route!("/tokens", GET OwnAccount Plain(tokens::list), POST OwnAccount Plain(tokens::create)),
    route!("/tokens/{id}", DELETE OwnAccount Id(tokens::delete)),
    route!("/audit", GET Administer Plain(audit::list)),
    route!("/audit/chain", GET Administer Plain(audit::chain)),
    route!("/openapi.json", GET Read Plain(description::read)),
    route!("/docs", GET Read Plain(site::docs::show)),
    // Events on their way, for the host and for Dapr. They check the token themselves.
    route!("/-/ready", GET Nothing Plain(service::ready)),
    route!("/-/relay", POST Nothing Plain(delivery::relay::run)),
    route!("/-/consumers/{name}", POST Nothing Text(delivery::receive::receive)),
    // The site. A slug is never a hyphen alone.
    route!("/wiki", GET Read Plain(site::front::show) moment_ago),
    route!("/wiki/-/new", GET Write Plain(site::edit::new), POST Write Plain(site::edit::create)),
    route!("/wiki/-/preview", POST Write Plain(site::preview::show)),
    route!("/wiki/-/drafts", GET Write Plain(site::drafts::show), POST Write Plain(site::drafts::keep)),
    route!("/wiki/-/drafts/discard", POST Write Plain(site::drafts::discard)),
    route!("/wiki/-/pages", GET Read Plain(site::pages::show) moment_ago),
    route!("/wiki/-/deleted", GET Read Plain(site::deleted::list) moment_ago),
    route!("/wiki/-/deleted/{id}", GET Read Id(site::deleted::show) moment_ago, POST Write Id(site::deleted::restore)),
    route!("/wiki/-/changes", GET Read Plain(site::changes::show) moment_ago),
    route!("/wiki/-/tags", GET Read Plain(site::tags::show) moment_ago),
    route!("/wiki/-/tags/{tag}", GET Read Text(site::tagged::show) moment_ago),
    route!("/wiki/-/tasks", GET Read Plain(site::tasks::show) moment_ago, POST Write Plain(site::tasks::tick)),
    route!("/wiki/-/inbox", GET Recipient Plain(site::inbox::show), POST Follower Plain(site::inbox::mark_read)),
    route!("/wiki/-/watched", GET Recipient Plain(site::watched::show)),
    route!("/wiki/-/starred", GET Recipient Plain(site::starred::show)),
    route!(
        "/wiki/-/settings",
        GET Administer Plain(site::settings::show),
        POST Administer Plain(site::settings::save),
    ),
    route!("/wiki/-/search", GET Read Plain(site::search::show) moment_ago),
    route!("/wiki/-/users", GET Read Plain(site::users::show) moment_ago),
    route!(
        "/wiki/-/users/new",
        GET Administer Plain(site::edit_user::new),
        POST Administer Plain(site::edit_user::create),
    ),
    route!("/wiki/-/users/{id}", GET Read Id(site::user::show) moment_ago),
    route!(
        "/wiki/-/users/{id}/account",
        GET Administer Id(site::edit_user::edit),
        POST Administer Id(site::edit_user::save),
    ),
    route!("/wiki/-/sign-in", GET Anyone Plain(site::sign_in::show), POST Anyone Plain(site::sign_in::sign_in)),
    route!("/wiki/-/sign-out", POST Anyone Plain(site::sign_in::sign_out)),
    route!("/wiki/-/account", GET Password Plain(site::account::show)),
    route!("/wiki/-/account/password", POST Password Plain(site::account::change_password)),
    route!("/wiki/-/account/mail", POST OwnAccount Plain(site::account::set_mail)),
    route!("/wiki/-/account/time-zone", POST OwnAccount Plain(site::account::set_zone)),
    route!("/wiki/-/account/sessions", POST OwnAccount Plain(site::account::end_session)),
    route!("/wiki/-/account/tokens", POST OwnAccount Plain(site::account::create_token)),
    route!("/wiki/-/account/tokens/revoke", POST OwnAccount Plain(site::account::revoke_token)),
    route!("/wiki/-/audit", GET Administer Plain(site::audit::show)),
    route!(
        "/wiki/-/webhooks",
        GET Administer Plain(site::webhooks::list),
        POST Administer Plain(site::webhooks::create),
    ),
    route!(
        "/wiki/-/webhooks/{id}",
        GET Administer Id(site::webhooks::show),
        POST Administer Id(site::webhooks::save),
    ),
    route!("/wiki/-/webhooks/{id}/rotate", POST Administer Id(site::webhooks::rotate)),
    route!("/wiki/-/webhooks/{id}/test", POST Administer Id(site::webhooks::test)),
    route!("/wiki/-/webhooks/{id}/resend", POST Administer Id(site::webhooks::resend)),
    route!("/wiki/-/webhooks/{id}/delete", POST Administer Id(site::webhooks::delete)),
    route!("/wiki/-/spaces", GET Read Plain(site::spaces::show) moment_ago, POST Administer Plain(site::spaces::create)),
    route!("/wiki/-/spaces/{slug}", GET Read Text(site::space::show) moment_ago),
    route!(
        "/wiki/-/spaces/{slug}/settings",
        GET OwnAccount Text(site::space_settings::show),
        POST OwnAccount Text(site::space_settings::save),
    ),
    route!("/wiki/-/spaces/{slug}/access", POST OwnAccount Text(site::space_settings::set_access)),
    route!(
        "/wiki/-/spaces/{slug}/delete",
        GET Administer Text(site::delete_space::ask),
        POST Administer Text(site::delete_space::delete),
    ),
    route!("/wiki/-/groups", GET Administer Plain(site::groups::list), POST Administer Plain(site::groups::create)),
    route!("/wiki/-/groups/{id}", GET Administer Id(site::groups::show), POST Administer Id(site::groups::save)),
    route!("/wiki/-/groups/{id}/members", POST Administer Id(site::groups::add)),
    route!("/wiki/-/groups/{id}/members/remove", POST Administer Id(site::groups::remove)),
    route!("/wiki/-/groups/{id}/delete", POST Administer Id(site::groups::delete)),
    route!("/wiki/{slug}", GET Read Text(site::page::show) moment_ago),
    route!("/wiki/{slug}/edit", GET Write Text(site::edit::edit), POST Write Text(site::edit::save)),
    route!("/wiki/{slug}/history", GET Read Text(site::history::show) moment_ago),
    route!("/wiki/{slug}/history/{version}", GET Read TextText(site::revision::show) moment_ago),
    route!("/wiki/{slug}/compare", GET Read Text(site::compare::show) moment_ago),
    route!("/wiki/{slug}/revert", POST Write Text(site::revision::revert)),
    route!("/wiki/{slug}/files", GET Read Text(site::files::show) moment_ago, POST Write Text(site::files::add)),
    route!("/wiki/{slug}/files/delete", POST Write Text(site::files::delete)),
    route!("/wiki/{slug}/backlinks", GET Read Text(site::backlinks::show) moment_ago),
    route!(
        "/wiki/{slug}/access",
        GET OwnAccount Text(site::page_access::show),
        POST OwnAccount Text(site::page_access::save),
    ),
    route!("/wiki/{slug}/delete", GET Write Text(site::delete::ask), POST Write Text(site::delete::delete)),
    route!("/wiki/{slug}/move", GET Write Text(site::relocate::ask), POST Write Text(site::relocate::relocate)),
    route!("/wiki/{slug}/restore", POST Write Text(site::delete::restore)),
    route!("/wiki/{slug}/tasks", POST Write Text(site::ticks::tick)),
    route!("/wiki/{slug}/star", POST Follower Text(site::starred::set)),
    route!("/wiki/{slug}/watch", POST Follower Text(site::page::watch)),
    route!("/wiki/{slug}/protection", POST Administer Text(site::page::protect)),
    route!("/wiki/-/diagram", GET Nothing Plain(site::diagram::show)),
    route!("/static/{name}", GET Nothing Plain(site::assets::read)),
];

/// The endpoints of the API.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(example = json!({
    "message": "Welcome to the wiki.", "endpoints": { "/users": ["GET", "POST"] },
})))]
struct Index {
    message: &'static str,
    /// The methods of every path.
    #[cfg_attr(test, schema(value_type = std::collections::BTreeMap<String, Vec<String>>))]
    endpoints: Map<String, Value>,
}

/// List the endpoints
///
/// By `Accept`, the front page of the wiki instead, for people, who also get problems as pages.
#[cfg_attr(test, utoipa::path(
    get, path = "/", operation_id = "readIndex", tag = "Service",
    responses((status = 304), (status = 200, description = "The endpoints.",
        content((Index = "application/json"), (String = "text/html")))),
))]
fn index(cx: &Context) -> Result<Response, Problem> {
    let response = match preferred(cx.request.headers(), &["application/json", "text/html"]) {
        "text/html" => site::front::show(cx)?,
        _ => {
            let endpoints: Map<String, Value> = ROUTES
                .iter()
                .map(|route| {
                    let methods: Vec<&str> = route.methods.iter().map(|(method, ..)| method.as_str()).collect();
                    (route.path.to_owned(), methods.into())
                })
                .collect();
            response::json(&Index { message: "Welcome to the wiki.", endpoints })
        }
    };
    Ok(response::negotiated(response))
}

/// `GET /posts/{id}`: JSON or, by Accept, the Markdown itself or the page for a person
fn read_post(cx: &Context, id: i64) -> Result<Response, Problem> {
    let response = match preferred(cx.request.headers(), &["application/json", "text/markdown", "text/html"]) {
        "text/markdown" => posts::read_markdown(cx, id)?,
        "text/html" => site::page::show_by_id(cx, id)?,
        _ => posts::read(cx, id)?,
    };
    Ok(response::negotiated(response))
}

/// The response to `request`, which comes without its `body`. A request that is refused for what its head says costs no memory
/// for its body.
pub fn respond(request: &mut Request, body: &dyn Incoming, services: &Services) -> Response {
    respond_to(request, body, services, auth::identify)
}

/// The response to `request` from the sender that `identify` names.
pub fn respond_to(
    request: &mut Request,
    body: &dyn Incoming,
    services: &Services,
    identify: impl Fn(&Request, &Services) -> Result<Identity, Problem>,
) -> Response {
    if request.method() == Method::OPTIONS && request.uri().path() == "*" {
        // About the server as a whole (RFC 9110, 9.3.7).
        return finish(request, &Identity::UNKNOWN, response::no_content());
    }
    let found = check(request).and_then(|()| read_after::check(request)).and_then(|()| Target::find(request));
    let mut is_by_somebody = false;
    let (identity, result) = match found {
        Ok(target) => {
            is_by_somebody = target.entry.is_some_and(|(_, need, ..)| *need != Need::Nothing);
            target.call(request, body, services, &identify)
        }
        Err(problem) => (None, Err(problem)),
    };
    let (identity, response) = match result {
        Ok(response) => (identity.unwrap_or(Identity::UNKNOWN), response),
        Err(problem) => {
            let identity = match identity {
                Some(identity) => identity,
                // A page says who is signed in.
                None if is_shown_as_page(request) => {
                    identify(request, services).unwrap_or_else(|_| anonymous(services))
                }
                None => Identity::UNKNOWN,
            };
            let response = refuse(&services.db, request, &identity, &problem);
            (identity, response)
        }
    };
    let response =
        if is_by_somebody { replica::announce(response, request, &identity, &services.db) } else { response };
    finish(request, &identity, response)
}

/// A sender of whom nothing is known, where the wiki's mode still says what they may do.
fn anonymous(services: &Services) -> Identity {
    let mode = services.config().map_or(Mode::Private, |config| config.mode);
    Identity { mode, ..Identity::UNKNOWN }
}

/// The response to a request that could not be read.
pub fn respond_unread(problem: &Problem) -> Response {
    finish(&Request::default(), &Identity::UNKNOWN, response::problem(problem))
}

/// `response` with what every response has.
fn finish(request: &Request, identity: &Identity, response: Response) -> Response {
    let audience = Audience {
        secure: is_secure(request),
        personal: identity.account.is_some(),
        confidential: identity.mode == Mode::Private,
    };
    response::for_method(request.method(), headers::secured(response, audience))
}

/// What a request that was refused gets: a page or a sign-in form for a person, problem details for a program.
fn refuse(db: &Db, request: &Request, identity: &Identity, problem: &Problem) -> Response {
    if wants_page(request) && problem.status == StatusCode::UNAUTHORIZED && request.method().is_safe() {
        // Back to this address after signing in.
        let wanted = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
        // What was sent as it is, and should not have been, would not be an address of this wiki.
        let wanted = utf8_percent_encode(wanted, CONTROLS).to_string();
        response::no_store(response::found(&address::sign_in(&wanted)))
    } else if is_shown_as_page(request) && chooses_password(request, identity, problem) {
        response::no_store(response::found(address::ACCOUNT))
    } else if is_shown_as_page(request) {
        site::problem::show(db, request, identity, problem)
    } else {
        response::problem(problem)
    }
}

/// Whether the sender rather sees a page than problem details.
fn wants_page(request: &Request) -> bool {
    preferred(request.headers(), &["application/problem+json", "text/html"]) == "text/html"
}

/// Whether the account page helps, where a person who was given a password chooses their own.
fn chooses_password(request: &Request, identity: &Identity, problem: &Problem) -> bool {
    let is_given = identity.account.as_ref().is_some_and(|account| account.password_is_given);
    is_given && problem.status == StatusCode::FORBIDDEN && request.method().is_safe()
}

/// Whether a problem of this request is shown as a page.
fn is_shown_as_page(request: &Request) -> bool {
    wants_page(request) && is_for_people(request.uri().path())
}

/// Whether a browser that asks for `path` is a person's: the site, and paths that do not exist. The API reports its
/// problems in one form to every client.
fn is_for_people(path: &str) -> bool {
    path.starts_with(address::FRONT) || find(path).is_none_or(|(route, _)| route.path == "/")
}

/// The route that a request is for.
struct Target {
    route: &'static Route,
    params: Vec<String>,
    /// None for OPTIONS.
    entry: Option<&'static Entry>,
}

impl Target {
    /// 404 for a path that does not exist, 405 for a method it does not have.
    fn find(request: &Request) -> Result<Self, Problem> {
        let path = request.uri().path();
        let Some((route, params)) = find(path) else {
            let detail = format!("There is nothing at {path}. GET / lists all endpoints.");
            return Err(Problem::not_found(detail).on_page("No page at this address."));
        };
        let method = match request.method() {
            &Method::OPTIONS => return Ok(Self { route, params, entry: None }),
            &Method::HEAD => &Method::GET,
            method => method,
        };
        let entry = route.methods.iter().find(|(has, ..)| has == method);
        let entry = entry.ok_or_else(|| Problem::method_not_allowed(request.method(), allowed(route)))?;
        Ok(Self { route, params, entry: Some(entry) })
    }

    /// Who sent the request, unless nobody needs to know, and what came of it.
    fn call(
        &self,
        request: &mut Request,
        body: &dyn Incoming,
        services: &Services,
        identify: impl Fn(&Request, &Services) -> Result<Identity, Problem>,
    ) -> (Option<Identity>, Result<Response, Problem>) {
        let Some(entry) = self.entry else {
            return (None, Ok(response::allow(&allowed(self.route))));
        };
        let (_, need, ..) = entry;
        let checked = if request.method().is_safe() {
            Ok(())
        } else {
            csrf::check(request, auth::sessions::credential(request).is_some())
        };
        if let Err(problem) = checked {
            return (None, Err(problem));
        }
        let identified = match need {
            Need::Nothing => Ok(Identity::UNKNOWN),
            _ => identify(request, services),
        };
        let is_permitted = identified.as_ref().is_ok_and(|identity| identity.check(*need).is_ok());
        let form = multipart::boundary(request.headers()).map(|boundary| Multipart::new(body, &boundary));
        let file = match self.receive(request, body, form.as_ref(), is_permitted) {
            Ok(file) => file,
            Err(problem) => return (Some(identified.unwrap_or_else(|_| anonymous(services))), Err(problem)),
        };
        let file_is_sent = file.is_some() || (is_permitted && body_limit::is_streamed(self.route.path));
        // From here on the form was sent by the person themselves: what they typed comes back to them, whatever happens.
        let (identity, cookie, result) = match identified {
            Ok(identity) => self.answer(request, body, file, services, identity, entry),
            Err(problem) => (anonymous(services), None, Err(problem)),
        };
        let result = match result {
            Err(problem) if wants_page(request) => {
                site::retry::show(&services.db, request, &identity, &problem).ok_or(problem)
            }
            result => result,
        };
        if file_is_sent {
            body::drain(body, DRAINED);
        }
        let result = match cookie {
            Some(cookie) => result.map(|response| response::with_cookie(response, &cookie)),
            None => result,
        };
        (Some(identity), result)
    }

    /// Reads as much of the body as it takes. Of a form with a file, the fields are read, as if there were no file; the handler
    /// reads that.
    fn receive<'a>(
        &self,
        request: &mut Request,
        body: &dyn Incoming,
        form: Option<&'a Multipart<'a>>,
        is_permitted: bool,
    ) -> Result<Option<SentFile<'a>>, Problem> {
        if let Some(form) = form
            && let Some(limit) = body_limit::of_fields(self.route.path, request, is_permitted)
        {
            let (fields, part) = multipart::fields(form, limit)?;
            Form::write(request, &fields);
            let sent = |part: multipart::Part| SentFile {
                name: part.file_name.unwrap_or_default(),
                content_type: part.content_type,
                bytes: form,
            };
            return Ok(part.map(sent));
        }
        if let Some(limit) = body_limit::of(self.route.path, request, is_permitted) {
            *request.body_mut() = body::whole(body, limit)?;
        }
        Ok(None)
    }

    /// Calls the handler if the sender has what the route needs. The cookie is that of a session which the request has opened.
    fn answer(
        &self,
        request: &Request,
        body: &dyn Incoming,
        file: Option<SentFile<'_>>,
        services: &Services,
        mut identity: Identity,
        (_, need, handler, reads): &Entry,
    ) -> (Identity, Option<String>, Result<Response, Problem>) {
        let mut cookie = None;
        match sign_in_within::identify(request, services, &identity) {
            Ok(Some((signed_in, new))) => (identity, cookie) = (signed_in, Some(new)),
            Ok(None) => {}
            Err(problem) => return (identity, None, Err(problem)),
        }
        services.db.read_as(identity.reader(), identity.zone());
        let cx = Context { request, body, file, identity: &identity, db: &services.db, services };
        let result = self.authorize(&cx, *need).and_then(|()| {
            if *reads == Reads::MomentAgo {
                replica::allow(request, &identity, services);
            }
            self.run(*handler, &cx)
        });
        (identity, cookie, result)
    }

    /// 401 or 403 unless the sender has what the route needs; 429 if they change too much.
    fn authorize(&self, cx: &Context, need: Need) -> Result<(), Problem> {
        cx.identity.check(need).inspect_err(|_| self.log_denial(cx))?;
        match cx.identity.user_id() {
            Some(user_id) if !cx.request.method().is_safe() && !cx.identity.is_administrator() => {
                rate_limit::take(cx.db, CHANGES, &user_id.to_string())
            }
            _ => Ok(()),
        }
    }

    /// Logs that a known user was denied something (ASVS 5.0, 16.3.2). For others, the host's log has the status.
    fn log_denial(&self, cx: &Context) {
        if let Some(user_id) = cx.identity.user_id() {
            eprintln!("denied: user {user_id}: {} {}", cx.request.method(), self.route.path);
        }
    }

    fn run(&self, handler: Handler, cx: &Context) -> Result<Response, Problem> {
        let text = |index: usize| self.params.get(index).map_or("", String::as_str);
        let id = || positive(text(0)).ok_or_else(|| self.names_nothing());
        match handler {
            Plain(handler) => handler(cx),
            Id(handler) => handler(cx, id()?),
            IdText(handler) => handler(cx, id()?, text(1)),
            Text(handler) => handler(cx, text(0)),
            TextText(handler) => handler(cx, text(0), text(1)),
        }
    }

    /// 404 for what cannot be an id: "Post not found" below `/posts`.
    fn names_nothing(&self) -> Problem {
        let resource = self.route.path.split("/{").next().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
        let (first, rest) = resource.trim_end_matches('s').split_at_checked(1).unwrap_or_default();
        Problem::not_found(format!("{}{rest} not found", first.to_uppercase())).on_page("No page at this address.")
    }
}

fn find(path: &str) -> Option<(&'static Route, Vec<String>)> {
    let path = path.strip_suffix('/').unwrap_or(path);
    ROUTES.iter().find_map(|route| Some((route, matches(route.path.trim_end_matches('/'), path)?)))
}

/// What the `{…}` segments of `pattern` match in `path`, percent-decoded; none if the path does not fit.
fn matches(pattern: &str, path: &str) -> Option<Vec<String>> {
    let mut params = Vec::new();
    let mut segments = path.split('/');
    for wanted in pattern.split('/') {
        let segment = segments.next()?;
        if wanted.starts_with('{') && !segment.is_empty() {
            // A segment that is not UTF-8 names nothing, and neither does one with U+0000, which PostgreSQL cannot store.
            let segment = percent_decode_str(segment).decode_utf8().ok().filter(|segment| !segment.contains('\0'))?;
            params.push(segment.into_owned());
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
        find(path).map(|(route, params)| (route.path, params))
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
    fn handlers_take_as_many_arguments_as_their_paths_have() {
        for route in ROUTES {
            let segments = route.path.matches('{').count();
            for (method, _, handler, _) in route.methods {
                let arguments = match handler {
                    Plain(_) => 0,
                    Id(_) | Text(_) => 1,
                    IdText(_) | TextText(_) => 2,
                };
                // A handler may also read the path itself, as that of static files does.
                assert!(arguments == segments || arguments == 0, "{method} {}", route.path);
                let has_id = route.path.contains("{id}");
                assert_eq!(matches!(handler, Id(_) | IdText(_)), has_id, "{method} {}", route.path);
            }
        }
    }

    #[test]
    fn only_what_anybody_may_read_is_read_a_moment_ago() {
        for route in ROUTES {
            for (method, need, _, reads) in route.methods {
                let is_fit = *method == Method::GET && *need == Need::Read;
                assert!(*reads == Reads::Now || is_fit, "{method} {}", route.path);
            }
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
