//! Interfaces that Spin has and another host may not have: what becomes of calling them.

use std::fmt::Debug;

use serde_json::json;
use spin_sdk::llm::InferencingModel;
use spin_sdk::{key_value, llm, mqtt, mysql, pg, pg3, redis, sqlite, sqlite3};

use crate::Answer;

/// `GET /elsewhere/:interface`: the error of the first call that a user of the interface makes.
pub fn call(interface: &str) -> Answer {
    let outcome = match interface {
        "key-value" => outcome(key_value::Store::open("default")),
        "sqlite" => outcome(sqlite::Connection::open("default")),
        "sqlite3" => outcome(sqlite3::Connection::open("default")),
        "redis" => outcome(redis::Connection::open("redis://127.0.0.1:6379")),
        "mqtt" => outcome(mqtt::Connection::open("mqtt://127.0.0.1:1883", "shop", "hunter2", 30)),
        "mysql" => outcome(mysql::Connection::open("mysql://shop:hunter2@127.0.0.1:3306/shop")),
        "postgres2" => outcome(pg::Connection::open("host=127.0.0.1 user=shop password=hunter2")),
        "postgres3" => outcome(pg3::Connection::open("host=127.0.0.1 user=shop password=hunter2")),
        "llm" => outcome(llm::infer(InferencingModel::Llama2Chat, "What should I read?")),
        _ => return (404, json!({"error": "no such interface"})),
    };
    (200, json!({"outcome": outcome}))
}

fn outcome<T, E: Debug>(result: Result<T, E>) -> String {
    result.map_or_else(|error| format!("{error:?}"), |_| "done".to_owned())
}
