//! API tokens: what programs send to act for a user.

use wiki_types::{Account, Scope, Time, Token};

use crate::store::audit::Actor;
use crate::store::db::{self, Db, Param, Row};
use crate::store::error::Error;
use crate::store::submissions::{self, swept};
use crate::store::users::{account_columns, read_account};

/// The most tokens of one user.
pub const MAX_TOKENS: usize = 100;

/// How often a token is made with a key, while the same request is sent again and again.
const TRIES: usize = 10;

record! {
    token_columns, read_token -> Token {
        id: "id",
        name: "name",
        scope: "scope",
        created_time: "created_time AT TIME ZONE 'UTC'",
        expires_time: "expires_time AT TIME ZONE 'UTC'",
        used_time: "used_time AT TIME ZONE 'UTC'",
    }
}

/// A token with the account it acts for.
#[derive(Debug)]
pub struct Opened {
    /// The hash of the token's secret.
    pub hash: Vec<u8>,
    /// Whether it is time to note that the token is in use.
    pub is_stale: bool,
    /// When the token expires.
    pub expires_time: Time,
    /// The account, with the token's scope.
    pub account: Account,
}

/// Token `id`, unless it has expired.
pub fn open(db: &Db, id: i64) -> Result<Option<Opened>, Error> {
    let sql = concat!(
        "SELECT t.hash, coalesce(t.used_time < now() - interval '1 minute', true), t.scope, t.expires_time AT TIME ZONE 'UTC', ",
        account_columns!(),
        " FROM tokens t JOIN users ON users.id = t.user_id AND users.password IS NOT NULL
         WHERE t.id = $1 AND t.expires_time > now()"
    );
    let read = |row: &mut Row| {
        let (hash, is_stale, scope): (_, _, Scope) = (row.column()?, row.column()?, row.column()?);
        Ok(Opened { hash, is_stale, expires_time: row.column()?, account: read_account(row, Some(scope))? })
    };
    db.query_one(sql, &[id.into()])?.as_mut().map(read).transpose()
}

/// Notes that token `id` is in use.
pub fn touch(db: &Db, id: i64) -> Result<(), Error> {
    db.execute("UPDATE tokens SET used_time = now() WHERE id = $1", &[id.into()])
}

/// The tokens of a user, newest first.
pub fn of_user(db: &Db, user_id: i64) -> Result<Vec<Token>, Error> {
    let sql = concat!("SELECT ", token_columns!(), " FROM tokens WHERE user_id = $1 ORDER BY id DESC");
    db.query_all(sql, &[user_id.into()], read_token)
}

/// A token to be made.
#[derive(Debug)]
pub struct NewToken {
    /// The name its owner gives it.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// When it expires.
    pub expires_time: Time,
}

/// Creates a token of the actor. None if they have [`MAX_TOKENS`] already.
///
/// With a `key`, it takes the place of the token which the same key made before: the secret of that one is gone.
pub fn create(
    db: &Db,
    token: &NewToken,
    hash: Vec<u8>,
    key: Option<String>,
    actor: &Actor,
) -> Result<Option<Token>, Error> {
    let [actor_id, address] = actor.params();
    let sql = format!(
        concat!(
            "WITH before AS (
               SELECT token_id FROM submissions WHERE key = $8::text
             ), claimed AS (
               UPDATE submissions SET token_id = nextval(pg_get_serial_sequence('tokens', 'id')) FROM before
               WHERE key = $8 AND submissions.token_id = before.token_id
               RETURNING submissions.token_id, before.token_id AS replaced_id
             ), replaced AS (
               DELETE FROM tokens WHERE id IN (SELECT replaced_id FROM claimed) AND user_id = $1 RETURNING name
             ), made AS (
               INSERT INTO tokens (id, user_id, name, scope, hash, expires_time) OVERRIDING SYSTEM VALUE
               SELECT coalesce((SELECT token_id FROM claimed), nextval(pg_get_serial_sequence('tokens', 'id'))),
                 $1, $3, $4, $5, {}
               WHERE (SELECT count(*) FROM tokens WHERE user_id = $1) - (SELECT count(*) FROM replaced) < $7
                 AND (EXISTS (SELECT FROM claimed) OR NOT EXISTS (SELECT FROM before))
               RETURNING *
             ), submitted AS (
               INSERT INTO submissions (key, token_id)
               SELECT $8, id FROM made WHERE $8 IS NOT NULL AND NOT EXISTS (SELECT FROM before)
             ), ",
            swept!("$8"),
            ", noted AS (
               INSERT INTO audit (event, actor_id, address, user_id, details)
               SELECT 'token_revoked', $1, $2, $1, name FROM replaced
               UNION ALL
               SELECT 'token_created', $1, $2, $1, name || ' (' || scope || ')' FROM made
             )
             ",
            row_or_nulls!("SELECT true, ", token_columns!(), " FROM made")
        ),
        db::instant(6),
    );
    let params = [
        actor_id,
        address,
        token.name.clone().into(),
        token.scope.to_string().into(),
        hash.into(),
        token.expires_time.micros().into(),
        db::count(MAX_TOKENS),
        key.into(),
    ];
    let tries = if matches!(params[7], Param::DbNull) { 1 } else { TRIES };
    for _ in 0..tries {
        let mut row = match db.query_row(&sql, &params) {
            // The same request made its token at the same time. It is there now, to be replaced.
            Err(Error::Duplicate(index)) if index == submissions::INDEX => continue,
            row => row?,
        };
        if row.column::<Option<bool>>()?.is_some() {
            return read_token(&mut row).map(Some);
        }
        // There are too many tokens, or the same request replaced its token at the same time.
    }
    Ok(None)
}

/// Revokes token `id` of the actor, or of anyone with `of_anyone`. Returns whether there was such a token.
pub fn revoke(db: &Db, id: i64, of_anyone: bool, actor: &Actor) -> Result<bool, Error> {
    let [actor_id, address] = actor.params();
    let mut row = db.query_row(
        "WITH revoked AS (
           DELETE FROM tokens WHERE id = $1 AND (user_id = $2 OR $4) RETURNING user_id, name
         ), noted AS (
           INSERT INTO audit (event, actor_id, address, user_id, details)
           SELECT 'token_revoked', $2, $3, user_id, name FROM revoked
         )
         SELECT EXISTS (SELECT FROM revoked)",
        &[id.into(), actor_id, address, of_anyone.into()],
    )?;
    row.column()
}
