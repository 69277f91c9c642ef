//! Books, in a table of the shop's own: the ordinary part of the application.

use anyhow::anyhow;
use serde_json::{Value, json};
use spin_sdk::pg4::{Connection, DbValue, Decode, ParameterValue};

use crate::Answer;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS books (isbn text PRIMARY KEY, title text NOT NULL, price numeric)";

/// `PUT /books/:isbn` `{title, price}`: puts the book on sale, or changes it.
pub fn put(isbn: &str, book: &Value) -> Answer {
    let title = ParameterValue::Str(book["title"].as_str().unwrap_or_default().to_owned());
    let price =
        book["price"].as_str().map_or(ParameterValue::DbNull, |price| ParameterValue::Decimal(price.to_owned()));
    answer(|| {
        let db = open()?;
        db.execute(TABLE, &[])?;
        let sql = "INSERT INTO books VALUES ($1, $2, $3) \
                   ON CONFLICT (isbn) DO UPDATE SET title = excluded.title, price = excluded.price";
        let changed = db.execute(sql, &[ParameterValue::Str(isbn.to_owned()), title, price])?;
        Ok((200, json!({"isbn": isbn, "changed": changed})))
    })
}

/// `GET /books/:isbn`.
pub fn get(isbn: &str) -> Answer {
    answer(|| {
        let db = open()?;
        let found =
            db.query("SELECT title, price FROM books WHERE isbn = $1", &[ParameterValue::Str(isbn.to_owned())])?;
        let Some(row) = found.rows.first() else {
            return Ok((404, json!({"error": "no such book"})));
        };
        let price = match &row[1] {
            DbValue::Decimal(price) => json!(price),
            _ => Value::Null,
        };
        Ok((200, json!({"isbn": isbn, "title": String::decode(&row[0])?, "price": price})))
    })
}

fn open() -> anyhow::Result<Connection> {
    Ok(Connection::open(&crate::database().map_err(|e| anyhow!(e))?)?)
}

fn answer(work: impl FnOnce() -> anyhow::Result<Answer>) -> Answer {
    work().unwrap_or_else(|e| (502, json!({"error": format!("{e:?}")})))
}
