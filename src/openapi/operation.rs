//! One method of one path: what it takes and what it answers.

use http::Method;
use serde_json::{Map, Value, json};

use super::{parameters, responses, schemas};
use crate::auth::Need;
use crate::routes::ROUTES;
use crate::web::response::JSON;

/// An operation. What follows from its method, its parameters and its body is added when it is written.
pub struct Operation {
    /// Its method.
    pub method: Method,
    /// Its path, as in [`ROUTES`](crate::routes::ROUTES).
    pub path: &'static str,
    id: &'static str,
    summary: &'static str,
    description: String,
    parameters: Vec<Value>,
    body: Option<Value>,
    responses: Vec<(u16, Value)>,
    database: bool,
}

impl Operation {
    /// An operation with a name for programs and one for people.
    pub fn new(method: Method, path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self {
            method,
            path,
            id,
            summary,
            description: String::new(),
            parameters: Vec::new(),
            body: None,
            responses: Vec::new(),
            database: true,
        }
    }

    /// Says more, in Markdown.
    pub fn about(mut self, description: &str) -> Self {
        self.description.push_str(description);
        self
    }

    /// Takes the shared parameters of these names.
    pub fn takes(mut self, names: &[&str]) -> Self {
        self.parameters.extend(names.iter().map(|name| parameters::reference(name)));
        self
    }

    /// Takes a parameter of its own.
    pub fn asks(mut self, parameter: Value) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// Takes a JSON body that looks like the schema of this name.
    pub fn reads(mut self, schema: &str, example: Value) -> Self {
        self.body = Some(json!({
            "required": true,
            "content": { JSON: { "schema": schemas::reference(schema), "example": example } },
        }));
        self
    }

    /// Answers with JSON that looks like the schema of this name.
    pub fn answers(mut self, status: u16, what: &str, schema: &str, example: Value) -> Self {
        let content = json!({ JSON: { "schema": schemas::reference(schema), "example": example } });
        self.responses.push((status, json!({ "description": what, "headers": {}, "content": content })));
        self
    }

    /// Answers with some JSON object.
    pub fn answers_any(mut self, status: u16, what: &str) -> Self {
        let content = json!({ JSON: { "schema": { "type": "object" } } });
        self.responses.push((status, json!({ "description": what, "headers": {}, "content": content })));
        self
    }

    /// Answers with text, or nothing, of a media type of its own.
    pub fn answers_text(mut self, status: u16, what: &str, media_type: Option<&str>) -> Self {
        let mut response = json!({ "description": what, "headers": {} });
        if let Some(media_type) = media_type {
            response["content"] = json!({ essence(media_type): { "schema": { "type": "string" } } });
        }
        self.responses.push((status, response));
        self
    }

    /// Its answer can be had in another form, by Accept.
    pub fn or_as(self, media_type: &str, what: &str) -> Self {
        let mut operation = self.with("Vary", "Vary");
        let (_, response) = operation.responses.last_mut().unwrap();
        response["content"][essence(media_type)] = json!({ "schema": { "type": "string", "description": what } });
        operation
    }

    /// Its answer has a header, as the shared description of that name tells.
    pub fn with(mut self, header: &str, name: &str) -> Self {
        let (_, response) = self.responses.last_mut().unwrap();
        response["headers"][header] = responses::header_reference(name);
        self
    }

    /// Its answer names the version it shows.
    pub fn tagged(self) -> Self {
        self.with("ETag", "ETag").with("Cache-Control", "Revalidated")
    }

    /// Its answer names the version it shows and is not sent again to who has it.
    pub fn cached(self) -> Self {
        let mut operation = self.tagged().takes(&["IfNoneMatch"]);
        operation.responses.push((304, responses::reference(304)));
        operation
    }

    /// Is done only if the thing is at the version If-Match names.
    pub fn conditional(self) -> Self {
        self.takes(&["IfMatch"]).fails(&[400, 412])
    }

    /// Can meet the problems with these statuses.
    pub fn fails(mut self, statuses: &[u16]) -> Self {
        self.responses.extend(statuses.iter().map(|status| (*status, responses::reference(*status))));
        self
    }

    /// Asks no database, so that none can be away.
    pub fn without_database(mut self) -> Self {
        self.database = false;
        self
    }

    /// The operation object of OpenAPI, in the group `tag`.
    pub fn write(mut self, tag: &str) -> Value {
        if self.parameters.iter().any(|parameter| !is_header_or_path(parameter)) {
            self = self.fails(&[422]);
        }
        if self.body.is_some() {
            self = self.fails(&[400, 413, 415, 422]);
        }
        let need = self.need();
        if need != Need::Nothing {
            self = self.fails(&[401]);
        }
        if need == Need::Administer || !self.method.is_safe() {
            self = self.fails(&[403]);
        }
        if !self.method.is_safe() {
            self = self.fails(&[429]);
        }
        if self.database {
            self = self.fails(&[500, 503]);
        }
        // Each once, in the order of their numbers.
        self.responses.sort_by_key(|(status, _)| *status);
        let responses: Map<String, Value> = self
            .responses
            .into_iter()
            .map(|(status, response)| (status.to_string(), without_empty(response)))
            .collect();

        let mut operation = Map::new();
        operation.insert("tags".into(), json!([tag]));
        operation.insert("summary".into(), self.summary.into());
        if !self.description.is_empty() {
            operation.insert("description".into(), self.description.into());
        }
        operation.insert("operationId".into(), self.id.into());
        if !self.parameters.is_empty() {
            operation.insert("parameters".into(), self.parameters.into());
        }
        if let Some(body) = self.body {
            operation.insert("requestBody".into(), body);
        }
        operation.insert("responses".into(), responses.into());
        operation.insert("security".into(), security(need));
        operation.into()
    }
}

impl Operation {
    /// What its route needs.
    fn need(&self) -> Need {
        let route = ROUTES.iter().find(|route| route.path == self.path);
        let entry = route.and_then(|route| route.methods.iter().find(|(method, ..)| *method == self.method));
        entry.map_or(Need::Nothing, |(_, need, _)| *need)
    }
}

/// How a client may show who it is, where it may have to.
fn security(need: Need) -> Value {
    let mut ways = vec![json!({ "token": [] }), json!({ "session": [] })];
    match need {
        Need::Nothing | Need::Anyone => return json!([]),
        // Depending on the wiki's mode, not at all.
        Need::Read | Need::Write | Need::Register | Need::Person => ways.push(json!({})),
        Need::Account | Need::OwnAccount | Need::Password | Need::Administer => {}
    }
    ways.into()
}

/// Whether a parameter is one that is never answered with 422: what is no id is not found, and headers are 400.
fn is_header_or_path(parameter: &Value) -> bool {
    let all = parameters::all();
    let shared = parameter["$ref"].as_str().and_then(|pointer| all.get(pointer.rsplit('/').next()?));
    matches!(shared.unwrap_or(parameter)["in"].as_str(), Some("header" | "path"))
}

/// A media type without its parameters.
fn essence(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or(media_type)
}

fn without_empty(mut response: Value) -> Value {
    if response["headers"].as_object().is_some_and(Map::is_empty) {
        response.as_object_mut().unwrap().remove("headers");
    }
    response
}
