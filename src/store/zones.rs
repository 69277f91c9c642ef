//! Time zones: which there are, and what their clocks say. PostgreSQL knows; the component has no database of them.

use std::collections::HashMap;

use chrono::NaiveDate;
use wiki_types::{Due, Time};

use crate::store::db::{self, Db, Row};
use crate::store::error::Error;
use crate::tasks::{self, Days};

/// SQL for the name of the reader's time zone: their own, or that of the wiki. PostgreSQL looks it up once in a statement.
macro_rules! zone {
    () => {
        "(SELECT coalesce($zone, time_zone) FROM settings)"
    };
}
pub(super) use zone;

/// What a name of a time zone leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// The zone, as it is spelled.
    Zone(String),
    /// Nothing. These are the zones of a place with that name, if there are any.
    Nothing(Vec<String>),
}

/// The time zone called `name`, in any case.
pub fn named(db: &Db, name: &str) -> Result<Named, Error> {
    // Some systems list their zones several times over, with leap seconds, and files that name no place.
    let sql = "WITH zones AS MATERIALIZED (
           SELECT name, lower(name) AS key, lower($1) AS wanted FROM pg_timezone_names
           WHERE name !~ '^(posix|right)/' AND name NOT IN ('localtime', 'posixrules', 'Factory')
         )
         SELECT (SELECT min(name) FROM zones WHERE key = wanted),
           (SELECT coalesce(array_agg(name), '{}') FROM (
             SELECT name FROM zones WHERE right(key, length(wanted) + 1) = '/' || wanted ORDER BY name LIMIT 3) AS places)";
    let mut row = db.read_row(sql, &[name.to_owned().into()])?;
    let (name, places): (Option<String>, Vec<String>) = (row.column()?, row.column()?);
    Ok(name.map_or(Named::Nothing(places), Named::Zone))
}

/// The minute that clocks in the wiki's time zone show at an instant.
pub fn minute_of_wiki(db: &Db, instant: Due) -> Result<Due, Error> {
    let time = Time::from(instant.begins().naive_utc());
    let sql = format!("SELECT ({}) AT TIME ZONE time_zone FROM settings", db::instant(1));
    let minute: Time = db.read_row(&sql, &[time.micros().into()])?.column()?;
    Ok(minute.due(false))
}

/// The days from which the tasks in `content` recur that are counted from when they are done, and those of `others`: usernames in
/// lower case.
pub fn days(db: &Db, content: &str, others: &[&str]) -> Result<Days, Error> {
    let mut names = tasks::recurring(content);
    if names.is_empty() && others.is_empty() {
        return Ok(Days::default());
    }
    names.extend(others.iter().map(|name| Some((*name).to_owned())));
    let names = names.into_iter().flatten().collect();
    let sql = "SELECT name, now() AT TIME ZONE time_zone
         FROM (
           SELECT NULL::text AS name, time_zone FROM settings
           UNION ALL
           SELECT lower(username COLLATE \"C\"), time_zone FROM users
           WHERE lower(username COLLATE \"C\") = ANY ($1) AND password IS NOT NULL AND time_zone IS NOT NULL
         ) AS known";
    let read = |row: &mut Row| Ok((row.column()?, row.column::<Time>()?.date()));
    let known: Vec<(Option<String>, NaiveDate)> = db.query_all(sql, &[db::texts(Some(names))], read)?;
    let of_wiki = known.iter().find(|(name, _)| name.is_none()).map_or_else(|| Time::now().date(), |(_, day)| *day);
    let of_people: HashMap<String, NaiveDate> =
        known.into_iter().filter_map(|(name, day)| Some((name?, day))).collect();
    Ok(Days { of_wiki, of_people })
}
