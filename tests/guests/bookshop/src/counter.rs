//! A counter of those who come in: what a timer of the host calls.

use std::time::Duration;

use anyhow::anyhow;
use serde_json::{Value, json};
use spin_sdk::pg4::{Connection, DbValue, Decode, ParameterValue};

use crate::Answer;
use crate::visit::Visit;

/// In one statement with a lock: those who create a table at the same time could both find that it is not there.
const TABLES: &str = "DO $$ BEGIN \
    PERFORM pg_advisory_xact_lock(4711); \
    CREATE TABLE IF NOT EXISTS counted (number bigint GENERATED ALWAYS AS IDENTITY, counter text NOT NULL, \
        authorized boolean NOT NULL, headers text NOT NULL, began timestamptz NOT NULL DEFAULT clock_timestamp(), \
        ended timestamptz); \
    CREATE TABLE IF NOT EXISTS orders (counter text PRIMARY KEY, status int NOT NULL, sleep_ms int NOT NULL, \
        trap boolean NOT NULL); \
    END $$";

/// `POST /counter/:name`: counts one more, and then does what it has been ordered to.
pub fn count(name: &str, visit: &Visit) -> Answer {
    let headers: serde_json::Map<String, Value> =
        visit.headers.iter().map(|(name, value)| (name.clone(), json!(String::from_utf8_lossy(value)))).collect();
    answer(|| {
        let code = spin_sdk::variables::get("till_code")?;
        let authorized = headers.get("authorization") == Some(&json!(format!("Bearer {code}")));
        let db = open()?;
        let counter = || ParameterValue::Str(name.to_owned());
        let headers = ParameterValue::Str(Value::Object(headers).to_string());
        let counted = db.query(
            "INSERT INTO counted (counter, authorized, headers) VALUES ($1, $2, $3) RETURNING number",
            &[counter(), ParameterValue::Boolean(authorized), headers],
        )?;
        let number = counted.rows.first().map_or(Ok(0), |row| i64::decode(&row[0]))?;
        let ordered = db.query("SELECT status, sleep_ms, trap FROM orders WHERE counter = $1", &[counter()])?;
        let status = match ordered.rows.first() {
            Some(order) => {
                std::thread::sleep(Duration::from_millis(u64::try_from(i32::decode(&order[1])?)?));
                if bool::decode(&order[2])? {
                    std::process::abort();
                }
                u16::try_from(i32::decode(&order[0])?)?
            }
            None => 200,
        };
        db.execute("UPDATE counted SET ended = clock_timestamp() WHERE number = $1", &[ParameterValue::Int64(number)])?;
        Ok((status, json!({"number": number})))
    })
}

/// `PUT /counter/:name` `{status, sleep_ms, trap}`: how those who are counted from now on are answered.
pub fn order(name: &str, order: &Value) -> Answer {
    let number = |member: &str, default: i32| {
        let given = order[member].as_i64().and_then(|number| i32::try_from(number).ok());
        ParameterValue::Int32(given.unwrap_or(default))
    };
    let trap = ParameterValue::Boolean(order["trap"] == true);
    let order = [ParameterValue::Str(name.to_owned()), number("status", 200), number("sleep_ms", 0), trap];
    answer(|| {
        let sql = "INSERT INTO orders VALUES ($1, $2, $3, $4) ON CONFLICT (counter) \
                   DO UPDATE SET status = excluded.status, sleep_ms = excluded.sleep_ms, trap = excluded.trap";
        open()?.execute(sql, &order)?;
        Ok((200, json!({})))
    })
}

/// `GET /counter/:name`: all who have been counted, with the times in milliseconds.
pub fn list(name: &str) -> Answer {
    answer(|| {
        let sql = "SELECT authorized, headers, (extract(epoch FROM began) * 1000)::bigint, \
                   (extract(epoch FROM ended) * 1000)::bigint FROM counted WHERE counter = $1 ORDER BY number";
        let found = open()?.query(sql, &[ParameterValue::Str(name.to_owned())])?;
        let mut counted = Vec::new();
        for row in &found.rows {
            let headers: Value = serde_json::from_str(&String::decode(&row[1])?)?;
            let ended = match &row[3] {
                DbValue::DbNull => None,
                ended => Some(i64::decode(ended)?),
            };
            let authorized = bool::decode(&row[0])?;
            counted.push(json!({
                "authorized": authorized, "headers": headers, "began": i64::decode(&row[2])?, "ended": ended,
            }));
        }
        Ok((200, json!({"counted": counted})))
    })
}

fn open() -> anyhow::Result<Connection> {
    let db = Connection::open(&crate::database().map_err(|e| anyhow!(e))?)?;
    db.execute(TABLES, &[])?;
    Ok(db)
}

fn answer(work: impl FnOnce() -> anyhow::Result<Answer>) -> Answer {
    work().unwrap_or_else(|e| (502, json!({"error": format!("{e:?}")})))
}
