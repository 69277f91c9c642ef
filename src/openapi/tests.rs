//! That the document is up to date, complete and sound.

use std::collections::BTreeSet;
use std::path::Path;

use http::header::CONTENT_TYPE;
use serde_json::{Map, Value, json};

use wiki_types::{Account, Mode, Role};

use super::document;
use crate::api::description::DOCUMENT;
use crate::auth::{Identity, Services};
use crate::config::Config;
use crate::routes::{ROUTES, respond_to};
use crate::store;
use crate::web::body::tests::Parts;
use crate::web::{Problem, Request, response};

/// Where the paths begin that people open in a browser, and that are no part of the API.
const FOR_PEOPLE: [&str; 4] = ["/wiki", "/static/", "/docs", "/-/"];

/// Set by `cargo xtask openapi`.
pub const RENEW: &str = "WASIKI_RENEW_OPENAPI";

#[test]
fn the_document_that_is_served_is_up_to_date() {
    let text = format!("{:#}\n", document());
    if std::env::var_os(RENEW).is_some() {
        std::fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json"), text).unwrap();
    } else {
        assert!(text == DOCUMENT, "openapi.json is not what the routes are: run `cargo xtask openapi`");
    }
}

#[test]
fn every_route_is_described_and_nothing_else() {
    let routes: BTreeSet<String> = ROUTES
        .iter()
        .filter(|route| !FOR_PEOPLE.iter().any(|prefix| route.path.starts_with(prefix)))
        .flat_map(|route| route.methods.iter().map(|(method, ..)| format!("{method} {}", route.path)))
        .collect();
    let described: BTreeSet<String> = operations().map(|(method, path, _)| format!("{method} {path}")).collect();
    let missing: Vec<_> = routes.difference(&described).collect();
    assert!(missing.is_empty(), "describe these at their handlers, and list them in src/openapi/mod.rs: {missing:?}");
    let gone: Vec<_> = described.difference(&routes).collect();
    assert!(gone.is_empty(), "these are no routes: {gone:?}");
}

#[test]
fn every_segment_of_a_path_is_a_parameter() {
    let document = document();
    for (method, path, operation) in operations() {
        let given: BTreeSet<String> = operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|parameter| resolved(&document, parameter))
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| format!("{{{}}}", parameter["name"].as_str().unwrap()))
            .collect();
        let wanted: BTreeSet<String> =
            path.split('/').filter(|segment| segment.starts_with('{')).map(str::to_owned).collect();
        assert_eq!(given, wanted, "{method} {path}");
    }
}

#[test]
fn operations_have_names_of_their_own() {
    let mut names = BTreeSet::new();
    for (_, _, operation) in operations() {
        assert!(names.insert(operation["operationId"].to_string()), "{}", operation["operationId"]);
    }
}

#[test]
fn every_pointer_leads_somewhere_and_everything_shared_is_used() {
    let document = document();
    let mut pointers = BTreeSet::new();
    collect_pointers(&document, &mut pointers);
    for pointer in &pointers {
        assert!(document.pointer(&pointer[1..]).is_some(), "{pointer}");
    }
    for (kind, things) in document["components"].as_object().unwrap() {
        for name in things.as_object().unwrap().keys() {
            // Security schemes are named, not pointed to.
            let used = kind == "securitySchemes" || pointers.contains(&format!("#/components/{kind}/{name}"));
            assert!(used, "{kind}/{name} is not used");
        }
    }
}

/// Every described member of a body is sent with a wrong type: the reader must complain of exactly these.
#[test]
fn bodies_are_described_as_they_are_read() {
    let document = document();
    for (method, path, operation) in operations() {
        let Some(content) = operation["requestBody"]["content"].get("application/json") else { continue };
        let schema = resolved(&document, &content["schema"]);
        let members = schema["properties"].as_object().unwrap();
        let wrong: Map<String, Value> = members.keys().map(|name| (name.clone(), json!({}))).collect();
        let problem = send(&method, &path, &wrong.into(), Some(administrator()));
        let complained: BTreeSet<&str> =
            problem["errors"].as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap()).collect();
        assert_eq!(complained, members.keys().map(String::as_str).collect(), "{method} {path}: {problem}");

        for name in schema["required"].as_array().into_iter().flatten() {
            let mut body = content["example"].clone();
            body.as_object_mut().unwrap().remove(name.as_str().unwrap());
            // Only of somebody who is not known it is asked who they are.
            let account = Some(administrator()).filter(|_| name != "user_id");
            let problem = send(&method, &path, &body, account);
            assert_eq!(problem["errors"][0], json!({ "field": name, "message": "is required" }), "{method} {path}");
        }
        // What the reader takes gets as far as the database, which there is none of here.
        let problem = send(&method, &path, &content["example"], Some(administrator()));
        assert_eq!(problem["status"], 503, "{method} {path}: {problem}");
    }
}

#[test]
fn a_problem_has_the_members_that_are_described() {
    let schema = &document()["components"]["schemas"]["Problem"]["properties"];
    let problems = [
        Problem::internal("a test"),
        Problem::taken("slug", "hello"),
        Problem::not_found("Post not found").with("version", 3).with("current", json!({})),
    ];
    for problem in problems {
        let body: Value = serde_json::from_slice(response::problem(&problem).body()).unwrap();
        for member in body.as_object().unwrap().keys() {
            assert!(schema.get(member).is_some(), "{member}");
        }
    }
}

/// The operations of the document: method, path, description.
fn operations() -> impl Iterator<Item = (String, String, Value)> {
    let Value::Object(paths) = document()["paths"].take() else { panic!("paths are an object") };
    paths.into_iter().flat_map(|(path, item)| {
        let Value::Object(item) = item else { panic!("a path is an object") };
        item.into_iter().map(move |(method, operation)| (method.to_ascii_uppercase(), path.clone(), operation))
    })
}

fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    value["$ref"].as_str().map_or(value, |pointer| document.pointer(&pointer[1..]).unwrap())
}

fn collect_pointers(value: &Value, pointers: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            pointers.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|member| collect_pointers(member, pointers));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_pointers(item, pointers)),
        _ => {}
    }
}

/// Somebody who may do everything.
fn administrator() -> Account {
    Account {
        user_id: 1,
        username: "ada".into(),
        name: "Ada".into(),
        role: Role::Administrator,
        scope: None,
        password_is_given: false,
        time_zone: None,
    }
}

static CONFIG: Config = Config {
    address: String::new(),
    replica: None,
    mode: Mode::Open,
    admin_username: String::new(),
    admin_password: String::new(),
    max_file_size: 1,
    space_file_quota: 1,
    file_quota: 1,
};

/// What an open wiki without a database answers.
fn send(method: &str, path: &str, body: &Value, account: Option<Account>) -> Value {
    let mut request = Request::default();
    *request.method_mut() = method.parse().unwrap();
    *request.uri_mut() = path.replace("{id}", "1").replace("{slug}", "a-page").parse().unwrap();
    request.headers_mut().insert(CONTENT_TYPE, "application/json".parse().unwrap());
    let db = store::open(|| Err(store::Error::Unavailable("there is no database here".to_owned())), || None);
    let services = Services { db, config: || Ok(&CONFIG), send: |_| Vec::new() };
    let identity = Identity { mode: Mode::Open, account, ..Identity::UNKNOWN };
    let body = body.to_string().into_bytes();
    let identify = |_: &_, _: &_| Ok(identity.clone());
    serde_json::from_slice(respond_to(&mut request, &Parts::new(&body, &[1 << 20]), &services, identify).body())
        .unwrap()
}
