//! Settings: how the wiki calls and shows itself.

use wiki_types::{Settings, SettingsChange};

use crate::store::audit::Actor;
use crate::store::db::{self, Db, Row};
use crate::store::error::Error;

record! {
    settings_columns, read_record -> Settings {
        name: "settings.name",
        mark: "settings.mark",
        color: "settings.color",
        footer: "settings.footer",
        language: "settings.language",
        time_zone: "settings.time_zone",
        version: "settings.version",
    }
}
pub(super) use settings_columns;

/// Reads the columns of the settings.
pub(super) fn read_settings(row: &mut Row) -> Result<Settings, Error> {
    read_record(row)
}

/// The settings.
pub fn find(db: &Db) -> Result<Settings, Error> {
    read_settings(&mut db.read_row(concat!("SELECT ", settings_columns!(), " FROM settings"), &[])?)
}

/// Changes the settings, if they are at one of the versions `seen`. Returns them as they are then; none if they are at another.
pub fn change(
    db: &Db,
    seen: Option<Vec<i64>>,
    change: &SettingsChange,
    actor: &Actor,
) -> Result<Option<Settings>, Error> {
    let [actor_id, address] = actor.params();
    let params = [
        change.name.clone().into(),
        change.mark.clone().into(),
        change.color.clone().into(),
        change.footer.clone().into(),
        change.language.clone().into(),
        change.time_zone.clone().into(),
        db::numbers(seen),
        actor_id,
        address,
    ];
    let sql = concat!(
        "WITH after AS (
           UPDATE settings SET name = coalesce($1::text, name), mark = coalesce($2::text, mark),
             color = coalesce($3::text, color), footer = coalesce($4::text, footer),
             language = coalesce($5::text, language), time_zone = coalesce($6::text, time_zone),
             version = version + 1
           WHERE version = ANY (coalesce($7::bigint[], ARRAY[version])) RETURNING *
         ), noted AS (
           INSERT INTO audit (event, actor_id, address, details) SELECT 'settings_changed', $8::bigint, $9::text, name FROM after
         )
         ",
        row_or_nulls!("SELECT true, ", settings_columns!(), " FROM after AS settings")
    );
    let mut row = db.query_row(sql, &params)?;
    let is_changed: Option<bool> = row.column()?;
    is_changed.map(|_| read_settings(&mut row)).transpose()
}
