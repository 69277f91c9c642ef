//! The description of the API: the attributes of the handlers, and what follows from the routes.
//!
//! A test compares it with `openapi.json`, so that a change to the API shows in review and serving it costs nothing.
//! `cargo xtask openapi` renews the file.
//!
//! An attribute has what only its handler knows. The rest is added here, in the same way for every operation:
//!
//! - The parameters in the path, and 404 with them. A parameter without a schema is the shared one of its name.
//! - The headers of a response. `ETag` stands for it and revalidation, `Cache-Control` alone for `no-store`.
//! - The parameter `If-None-Match` with 304, and `If-Match` with 412.
//! - The parameter `Read-After` of what a replica may answer, and the header of responses to changes.
//! - The problems that follow from a body, a query, the need of the route, the method and the use of the database. A
//!   response without a description is the shared one of its status.
//! - The examples of bodies, which are those of their schemas. An example in an attribute has what differs.

mod components;
mod events;
mod tests;

use std::collections::BTreeSet;

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};
use utoipa::OpenApi;

use crate::auth::Need;
use crate::routes::replica::Reads;
use crate::routes::{Entry, ROUTES};
use crate::{api, routes, site};

/// What holds for every operation, in Markdown.
const DESCRIPTION: &str = "\
A wiki over HTTP: users, pages in Markdown, their history, and search.

JSON in and out, UTF-8. Times are RFC 3339, UTC. Unknown members of a request are ignored. Every path also works with \
a slash at its end; every path has `OPTIONS`, and `HEAD` wherever it has `GET`. A method that a path does not have gets \
405, with those it has in `Allow`.

**Errors** are `application/problem+json` (RFC 9457), whatever the client prefers. Only at `/`, under `/wiki` and for \
paths that do not exist, a client that prefers `text/html` gets a page instead.

**Lists** come in parts. `next` is the address of the next part; following it, nothing is skipped or repeated while \
others write.

**Access**: a wiki is open to everyone (`open`), open to readers (`public-read`) or `private`. Where that is not enough, \
a program sends a token (`Authorization: Bearer wasiki_…`). 401 means that the sender is unknown, 403 that the sender \
may not do this.

**Versions**: reads carry an `ETag`; with `If-None-Match`, a thing that has not changed gets 304. An edit says in \
`If-Match` or in `version` what it is based on, so that no edit is lost.

**Replicas**: where the wiki reads from a replica of its database, a response to a change has a number in `Read-After`. Sent \
with reads, it lets a replica answer them that has the change; without it, they are answered as of now.";

#[derive(OpenApi)]
#[openapi(
    info(title = "Wasiki", description = DESCRIPTION, license(name = "Apache-2.0", identifier = "Apache-2.0")),
    tags(
        (name = "Posts", description = "The wiki's pages: Markdown with a title, a name in URLs, and tags."),
        (name = "Spaces", description = "Where pages are, and who may read and write there."),
        (name = "History", description = "Every state a page has had, and the way back."),
        (name = "Finding", description = "Pages by their words, tags and links."),
        (name = "Events", description = "What happens, for programs that follow the wiki."),
        (name = "Tasks", description = "The items of checklists in pages."),
        (name = "Inbox", description = "What you are told: pages you watch, tasks of yours, and texts that mention you."),
        (name = "Stars", description = "The pages that you keep at hand."),
        (name = "Files", description = "Pictures and other files of pages."),
        (name = "Users", description = "The authors of pages."),
        (name = "Access", description = "Accounts, sessions, tokens, and the audit trail."),
        (name = "Service", description = "The service itself."),
    ),
    paths(
        routes::index, api::service::health, api::service::ready, api::service::metrics,
        api::users::list, api::users::suggestions, api::users::create, api::users::read, api::users::update, api::users::delete,
        api::posts::list, api::posts::deleted, api::posts::create, api::posts::read, api::posts::update, api::posts::delete,
        api::posts::restore, api::posts::protect, api::posts::unprotect,
        api::tree::children, api::tree::relocate, api::tree::read_access, api::tree::set_access, api::tree::delete_access,
        api::spaces::list, api::spaces::create, api::spaces::read, api::spaces::change, api::spaces::delete,
        api::spaces::children, api::spaces::access, api::spaces::set_access,
        api::groups::list, api::groups::create, api::groups::read, api::groups::change, api::groups::delete,
        api::groups::members, api::groups::add, api::groups::remove,
        api::files::list, api::files::create, api::files::create_waiting, api::files::read, api::files::delete,
        api::watches::read, api::watches::watch, api::watches::unwatch, api::inbox::list, api::inbox::mark_read,
        api::stars::list, api::stars::read, api::stars::give, api::stars::take, api::settings::read, api::settings::change,
        api::redirects::list, api::redirects::set, api::redirects::delete,
        api::revisions::list, api::revisions::read, api::revisions::compare, api::revisions::revert,
        api::revisions::changes, api::links::backlinks, api::search::search, api::search::suggestions, api::tags::list,
        api::calendar::read, api::tasks::list, api::tasks::create, api::tasks::read, api::tasks::update,
        site::feed::show, api::account::read, api::account::change_password,
        api::account::read_mail, api::account::set_mail,
        api::sessions::list, api::sessions::end, api::sessions::end_all,
        api::tokens::list, api::tokens::create, api::tokens::delete, api::audit::list, api::audit::chain, api::events::list,
        api::undelivered::list, api::undelivered::retry, api::undelivered::delete,
        api::webhooks::list, api::webhooks::create, api::webhooks::read, api::webhooks::change, api::webhooks::delete,
        api::webhooks::rotate, api::webhooks::test, api::webhooks::deliveries, api::webhooks::resend,
        api::description::read,
    ),
    components(schemas(wiki_types::FieldError)),
)]
struct Api;

/// Operations that work without the database.
const WITHOUT_DATABASE: [&str; 2] = ["/health", "/openapi.json"];

/// The whole document.
fn document() -> Value {
    let mut document = serde_json::to_value(Api::openapi()).unwrap();
    document["openapi"] = json!("3.1.1");
    document["info"]["summary"] = json!("A wiki: users, pages with history, over HTTP.");
    components::add(&mut document["components"]);
    // What an event says fits several of them: a page's revision has all that its protection has.
    let data = object(&mut document["components"]["schemas"]["EventData"]);
    let kinds = data.shift_remove("oneOf").unwrap();
    data.insert("anyOf".to_owned(), kinds);
    let examples = components::take_examples(&mut document["components"]["schemas"]);
    let mut described = std::mem::take(object(&mut document["paths"]));
    for (path, item) in &mut described {
        for (method, operation) in object(item) {
            complete(path, &method.to_uppercase().parse().unwrap(), operation, &examples);
        }
    }
    described.insert("/user/{id}".to_owned(), by_singular(described["/users/{id}"].clone()));
    // In the order of the routes. A test finds a path that is no route's.
    for path in ROUTES.iter().map(|route| route.path) {
        object(&mut document["paths"]).extend(described.shift_remove_entry(path));
    }
    object(&mut document["paths"]).extend(described);
    document
}

/// The operations of `/users/{id}` under their other address.
fn by_singular(mut item: Value) -> Value {
    for operation in object(&mut item).values_mut() {
        let about = operation["description"].as_str().unwrap_or_default();
        let note = "The same as `/users/{id}`, under the address that clients of the former service know.";
        operation["description"] = format!("{about}\n\n{note}").trim_start().into();
        operation["operationId"] = format!("{}BySingular", operation["operationId"].as_str().unwrap()).into();
    }
    item
}

/// Adds to an operation what follows from its route, its parameters, its body and its responses.
fn complete(path: &str, method: &Method, operation: &mut Value, examples: &Map<String, Value>) {
    let need = entry(path, method).map_or(Need::Nothing, |(_, need, ..)| *need);
    let segments = path.split('/').filter(|segment| segment.starts_with('{'));
    let mut parameters: Vec<Value> = segments.map(|segment| components::in_path(path, segment)).collect();
    let mut statuses = BTreeSet::new();
    if !parameters.is_empty() {
        statuses.insert(404);
    }
    if let Some(Value::Array(query)) = operation.get_mut("parameters").map(Value::take) {
        parameters.extend(query.into_iter().map(components::query_parameter));
        statuses.insert(422);
    }
    if let Some(body) = operation.get_mut("requestBody") {
        may_be_left_out(body);
        add_examples(body, examples);
        statuses.extend([400, 413, 415, 422]);
    }
    let mut responses = object(&mut operation["responses"]).clone();
    responses.retain(|status, response| {
        let status = status.parse().unwrap();
        let is_own = response.get("description").is_some();
        if is_own {
            set_headers(status, response);
            if !method.is_safe() && need != Need::Nothing {
                response["headers"]["Read-After"] = components::header("ReadAfter");
            }
            add_examples(response, examples);
        } else {
            statuses.insert(status);
        }
        is_own
    });
    if *method == Method::GET && responses.values().any(|response| !response["headers"]["ETag"].is_null()) {
        statuses.insert(304);
    }
    if statuses.contains(&304) {
        parameters.push(components::parameter("IfNoneMatch"));
    }
    if entry(path, method).is_some_and(|(.., reads)| *reads == Reads::MomentAgo) {
        parameters.push(components::parameter("ReadAfter"));
        statuses.insert(400);
    }
    if statuses.contains(&412) {
        parameters.push(components::parameter("IfMatch"));
        statuses.insert(400);
    }
    if need != Need::Nothing {
        statuses.insert(401);
    }
    if need == Need::Administer || !method.is_safe() {
        statuses.insert(403);
    }
    if !method.is_safe() {
        statuses.insert(429);
    }
    if !WITHOUT_DATABASE.contains(&path) {
        statuses.extend([500, 503]);
    }
    responses.extend(statuses.into_iter().map(|status| (status.to_string(), components::response(status))));
    responses.values_mut().for_each(without_schema);
    if let Some(body) = operation.get_mut("requestBody") {
        without_schema(body);
    }
    operation["responses"] = responses.into();
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    operation["security"] = security(need);
}

/// A body that may be left out has the form that it has otherwise: it is not null, as is derived from its type.
fn may_be_left_out(body: &mut Value) {
    if let Some(form) = body.pointer_mut("/content/application~1json/schema/oneOf/0").map(Value::take) {
        body["content"]["application/json"]["schema"] = form;
        body["required"] = false.into();
    }
}

/// Bytes have no schema (OpenAPI 3.1.1, 4.8.14.4). Where they are sent, a form may bring them as well.
fn without_schema(body: &mut Value) {
    const BYTES: &str = "*/*";
    let is_request = body.get("required").is_some();
    let content = body.get_mut("content").and_then(Value::as_object_mut);
    if let Some(content) = content.filter(|content| content.contains_key(BYTES)) {
        content[BYTES] = json!({});
        if is_request {
            let file = json!({ "type": "string", "contentMediaType": "application/octet-stream" });
            let form = json!({ "type": "object", "required": ["file"], "properties": { "file": file } });
            content.insert("multipart/form-data".to_owned(), json!({ "schema": form }));
        }
    }
}

/// The method in the table of routes.
fn entry(path: &str, method: &Method) -> Option<&'static Entry> {
    let mut methods = ROUTES.iter().filter(|route| route.path == path).flat_map(|route| route.methods);
    methods.find(|(has, ..)| has == method)
}

/// How a client may show who it is, where it may have to.
fn security(need: Need) -> Value {
    match need {
        Need::Nothing | Need::Anyone => json!([]),
        // Depending on the mode of the wiki, not at all.
        Need::Read | Need::Write | Need::Register | Need::Person => json!([{ "token": [] }, { "session": [] }, {}]),
        Need::Account | Need::Recipient | Need::Follower | Need::OwnAccount | Need::Password | Need::Administer => {
            json!([{ "token": [] }, { "session": [] }])
        }
    }
}

/// Replaces the headers of a response by the shared ones.
fn set_headers(status: u16, response: &mut Value) {
    let named = object(response).remove("headers").unwrap_or_default();
    let mut headers = Vec::new();
    if named.get("ETag").is_some() {
        headers.extend([("ETag", "ETag"), ("Cache-Control", "Revalidated")]);
    } else if named.get("Cache-Control").is_some() {
        headers.push(("Cache-Control", "NotStored"));
    }
    if status == StatusCode::CREATED {
        headers.push(("Location", "Location"));
    }
    if response["content"].as_object().is_some_and(|content| content.len() > 1) {
        headers.push(("Vary", "Vary"));
    }
    for (header, name) in headers {
        response["headers"][header] = components::header(name);
    }
}

/// Adds the example of its schema to a body, in each of its forms. An example that is there already goes on top.
fn add_examples(body: &mut Value, examples: &Map<String, Value>) {
    for form in body.get_mut("content").and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut) {
        if let Some(example) = components::referenced(&form["schema"]).and_then(|schema| examples.get(schema)) {
            let mut example = example.clone();
            merge(&mut example, form.get_mut("example").map_or(json!({}), Value::take));
            form["example"] = example;
        }
    }
}

/// Puts the members of `more` into `value`, and so on into those that both have.
fn merge(value: &mut Value, more: Value) {
    match (value, more) {
        (Value::Object(members), Value::Object(more)) => {
            for (name, more) in more {
                merge(members.entry(name).or_insert(Value::Null), more);
            }
        }
        (value, more) => *value = more,
    }
}

fn object(value: &mut Value) -> &mut Map<String, Value> {
    value.as_object_mut().unwrap()
}
