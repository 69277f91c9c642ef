//! Users.

use http::Method;
use serde_json::{Value, json};
use wiki_types::rules::MAX_USERNAME;

use super::Operation;
use crate::openapi::examples;
use crate::openapi::parameters::query;

/// The operations of `/users` and of `/user/{id}`, the address that clients of the former service know.
pub fn operations() -> Vec<Operation> {
    let mut operations = vec![
        Operation::new(Method::GET, "/users", "listUsers", "List users")
            .about("Oldest first.")
            .takes(&["Limit", "Cursor"])
            .asks(username())
            .answers(200, "Users.", "Users", examples::list("users", examples::user()))
            .cached(),
        Operation::new(Method::POST, "/users", "createUser", "Create a user")
            .reads("NewUser", json!({ "username": "dockertest", "email": "docker@test.com" }))
            .answers(201, "The new user.", "User", examples::user())
            .with("Location", "Location")
            .tagged()
            .fails(&[409]),
    ];
    for (path, [read, update, delete], note) in [
        ("/users/{id}", ["readUser", "updateUser", "deleteUser"], ""),
        (
            "/user/{id}",
            ["readUserBySingular", "updateUserBySingular", "deleteUserBySingular"],
            "The same as `/users/{id}`, under the address that clients of the former service know.",
        ),
    ] {
        operations.extend([
            Operation::new(Method::GET, path, read, "Read a user")
                .about(note)
                .takes(&["UserId"])
                .answers(200, "The user.", "User", examples::user())
                .cached()
                .fails(&[404]),
            Operation::new(Method::PATCH, path, update, "Change a user")
                .about(note)
                .takes(&["UserId"])
                .conditional()
                .reads("UserChange", json!({ "name": "Docker Test", "email": null }))
                .answers(200, "The user as it is now.", "User", renamed())
                .tagged()
                .fails(&[404, 409]),
            Operation::new(Method::DELETE, path, delete, "Delete a user")
                .about("What they wrote stays; their name, username and email go. ")
                .about(note)
                .takes(&["UserId"])
                .conditional()
                .answers_text(204, "The user is deleted.", None)
                .fails(&[404]),
        ]);
    }
    operations
}

fn username() -> Value {
    let mut parameter = query(
        "username",
        "Only the user of this name, whatever its case.",
        json!({ "type": "string", "minLength": 1, "maxLength": MAX_USERNAME, "pattern": "^[A-Za-z0-9._-]+$" }),
    );
    parameter["example"] = json!("dockertest");
    parameter
}

fn renamed() -> Value {
    let mut user = examples::user();
    user["name"] = json!("Docker Test");
    user["email"] = Value::Null;
    user
}
