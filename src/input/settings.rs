//! The wiki's settings, as requests change them.

use wiki_types::{Color, SettingsChange, settings};

use crate::store::Db;
use crate::store::zones::{self, Named};
use crate::web::Problem;
use crate::web::json::Body;

/// A change of the settings.
pub fn settings_change(db: &Db, mut body: Body) -> Result<SettingsChange, Problem> {
    let trimmed = |text: String| text.trim().to_owned();
    let change = SettingsChange {
        name: body.text("name", settings::name).map(trimmed),
        mark: body.text("mark", settings::mark).map(trimmed),
        color: body.text("color", Color::rule),
        footer: body.text("footer", settings::footer).map(trimmed),
        language: body.text("language", settings::language),
        time_zone: body.text("time_zone", settings::time_zone),
    };
    body.finish()?;
    let time_zone = change.time_zone.map(|name| zone(db, &name)).transpose()?;
    Ok(SettingsChange { time_zone, ..change })
}

/// The time zone called `name`, as it is spelled. 422 if there is none.
pub fn zone(db: &Db, name: &str) -> Result<String, Problem> {
    match zones::named(db, name)? {
        Named::Zone(name) => Ok(name),
        Named::Nothing(places) if places.is_empty() => Err(Problem::invalid_field("time_zone", settings::NO_TIME_ZONE)),
        Named::Nothing(places) => {
            let message = format!("must be the whole name of a time zone, such as {}", places.join(" or "));
            Err(Problem::invalid_field("time_zone", message))
        }
    }
}
