//! The wiki's settings.

use wiki_types::Settings;

use crate::auth::Context;
use crate::errors;
use crate::input::settings::settings_change;
use crate::store::settings;
use crate::web::json::Body;
use crate::web::{Problem, Response, etag, response};

/// Read the settings
///
/// How the wiki calls and shows itself.
#[cfg_attr(test, utoipa::path(
    get, path = "/settings", operation_id = "readSettings", tag = "Service",
    responses((status = 200, description = "The settings.", body = Settings, headers(("ETag")))),
))]
pub fn read(cx: &Context) -> Result<Response, Problem> {
    let settings = settings::find(cx.db)?;
    Ok(response::unless_known(cx.request, &tag(&settings), || response::json(&settings)))
}

/// Change the settings
///
/// For administrators.
#[cfg_attr(test, utoipa::path(
    patch, path = "/settings", operation_id = "changeSettings", tag = "Service", request_body = wiki_types::SettingsChange,
    responses((status = 200, description = "The settings as they are now.", body = Settings, headers(("ETag"))), (status = 412)),
))]
pub fn change(cx: &Context) -> Result<Response, Problem> {
    let seen = etag::seen(cx.request.headers())?;
    let change = settings_change(cx.db, Body::read(cx.request)?)?;
    let changed = settings::change(cx.db, seen, &change, &cx.identity.actor())?;
    let settings = changed.ok_or_else(|| errors::stale("settings"))?;
    Ok(response::tagged(response::json(&settings), &tag(&settings)))
}

fn tag(settings: &Settings) -> String {
    etag::etag(settings.version, "settings")
}
