//! The wiki's settings, as requests change them.

use wiki_types::{Color, SettingsChange, settings};

use crate::web::Problem;
use crate::web::json::Body;

/// A change of the settings.
pub fn settings_change(mut body: Body) -> Result<SettingsChange, Problem> {
    let trimmed = |text: String| text.trim().to_owned();
    let change = SettingsChange {
        name: body.text("name", settings::name).map(trimmed),
        mark: body.text("mark", settings::mark).map(trimmed),
        color: body.text("color", Color::rule),
        footer: body.text("footer", settings::footer).map(trimmed),
        language: body.text("language", settings::language),
    };
    body.finish()?;
    Ok(change)
}
