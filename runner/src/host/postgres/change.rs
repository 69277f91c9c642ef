//! What a statement may change in its session, and how that is undone before the next guest.
//!
//! To clean after every statement would add a third to the processor time of a small query, so this looks for reasons
//! not to. It knows no SQL beyond words: whatever it cannot place counts as a change of anything. Whether a function
//! changes the session, PostgreSQL knows: only those that do not may be declared `PARALLEL SAFE`, and no function is
//! unless somebody declared it so (“Parallel Safety” in its manual). A function that writes may not be, so its comment can say
//! the same: see [`ARE_HARMLESS`]. What the owner of the database put into triggers, views, operators and casts is trusted.

/// What is different in a session after a statement. Later ones include earlier ones.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// Nothing.
    #[default]
    Nothing,
    /// `lastval()` and `currval()`, which belong to the session. Any write may set them, through a column's default. No
    /// statement can read them that counts as changing nothing, since they are not `PARALLEL SAFE`.
    Sequences,
    /// Whether a transaction is open.
    Transaction,
    /// Settings, locks, temporary tables, anything.
    Anything,
}

/// Given `$1`, the names in front of parentheses: whether none of them is that of a function that changes more than
/// sequences; and whether none is that of one that may write. Names of no function are keywords, or unknown. A function whose
/// comment (`COMMENT ON FUNCTION`) ends in “It leaves its session as it was.” is taken at its word, and may write.
pub const ARE_HARMLESS: &str = "SELECT
    NOT EXISTS (SELECT FROM pg_catalog.unnest($1) AS called (name) WHERE NOT coalesce(
        (SELECT pg_catalog.bool_and(proparallel = 's'
            OR coalesce(pg_catalog.obj_description(oid, 'pg_proc'), '') LIKE '%It leaves its session as it was.'
            OR proname IN ('nextval', 'setval') AND pronamespace = 'pg_catalog'::pg_catalog.regnamespace)
         FROM pg_catalog.pg_proc WHERE proname = name),
        name IN (SELECT word FROM pg_catalog.pg_get_keywords()))),
    NOT EXISTS (SELECT FROM pg_catalog.pg_proc WHERE proname = ANY ($1) AND proparallel <> 's')";

const QUERIES: &[&str] = &["select", "values", "table", "with", "insert", "update", "delete", "merge"];
const WRITES: &[&str] = &["insert", "update", "delete", "merge", "nextval", "setval"];
const TRANSACTIONS: &[&str] = &["begin", "start", "commit", "end", "rollback", "abort", "savepoint", "release", "lock"];
/// In front of a name, these make it a new one, with its columns in the parentheses behind it.
const NAMING: &[&str] = &["into", "as", "with", "recursive"];

impl Change {
    /// What the single statement `sql` may change, if none of the functions returned with it changes the session.
    pub fn of(sql: &str) -> (Self, Vec<String>) {
        let sql = sql.to_ascii_lowercase();
        let mut words = sql.split(|c| !is_name(c)).filter(|word| !word.is_empty());
        let verb = words.next();
        // SELECT INTO makes a table, and these words make it a temporary one.
        let is_temporary = |word: &str| word == "temp" || word == "temporary" || word.starts_with("pg_temp");
        // A comment may be between a name and its parenthesis; a name with escapes may be any.
        let is_hidden = || ["--", "/*", "u&\""].iter().any(|hidden| sql.contains(hidden));
        match verb {
            None | Some("show") => (Self::Nothing, Vec::new()),
            Some(verb) if TRANSACTIONS.contains(&verb) => (Self::Transaction, Vec::new()),
            Some(verb) if QUERIES.contains(&verb) && !is_hidden() && !words.clone().any(is_temporary) => {
                let writes = WRITES.contains(&verb) || words.any(|word| WRITES.contains(&word));
                let change = if writes { Self::Sequences } else { Self::Nothing };
                calls(&sql).map_or((Self::Anything, Vec::new()), |calls| (change, calls))
            }
            Some(_) => (Self::Anything, Vec::new()),
        }
    }

    /// The statements that undo the change, all in one message. A row they return means that they could not.
    ///
    /// `BEGIN; ROLLBACK` ends a transaction that was left open, and does nothing if none was; `ROLLBACK` alone would
    /// then write a warning to the server's log. In a transaction that failed, `BEGIN` fails too.
    ///
    /// The rest is `DISCARD ALL` but for the statements that the host prepared, which are worth keeping:
    ///
    /// - `CLOSE ALL`: cursors `WITH HOLD` outlive their transaction.
    /// - `SET SESSION AUTHORIZATION DEFAULT`: a role; `RESET ALL` leaves that alone.
    /// - `RESET ALL`: settings, among them `search_path`.
    /// - `UNLISTEN *`: notifications would be sent to the next guest's session.
    /// - `pg_advisory_unlock_all()`: locks of the session outlive transactions.
    /// - `DISCARD PLANS`: the meaning of constants in prepared statements depends on settings such as `DateStyle`.
    /// - `DISCARD TEMP`: temporary tables.
    /// - `DISCARD SEQUENCES`: `lastval()`, `currval()`, and numbers taken in advance.
    ///
    /// What a guest prepared in SQL cannot be told from the host's statements by `DEALLOCATE`, so it is only looked for.
    pub const fn cleaning(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::Sequences => "DISCARD SEQUENCES",
            Self::Transaction => "BEGIN; ROLLBACK; DISCARD SEQUENCES",
            Self::Anything => {
                "BEGIN; ROLLBACK; CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; UNLISTEN *;
                SELECT WHERE pg_catalog.pg_advisory_unlock_all() IS NULL; DISCARD PLANS; DISCARD TEMP; DISCARD SEQUENCES;
                SELECT name FROM pg_catalog.pg_prepared_statements WHERE from_sql LIMIT 1"
            }
        }
    }
}

/// The names in front of parentheses, which may be those of functions. None if there is one that cannot be looked up.
fn calls(sql: &str) -> Option<Vec<String>> {
    let mut calls = Vec::new();
    for (at, _) in sql.match_indices('(') {
        let (before, name) = cut_name(&sql[..at]);
        let is_qualified = before.ends_with('.') && !name.is_empty();
        let is_quoted = before.ends_with('"') && name.is_empty();
        if is_qualified || is_quoted {
            return None;
        }
        if !name.is_empty() && !NAMING.contains(&cut_name(before).1) {
            calls.push(name.to_owned());
        }
    }
    Some(calls)
}

/// The name that `text` ends in, which may be empty, and what is before it.
fn cut_name(text: &str) -> (&str, &str) {
    // What is a space to PostgreSQL (scan.l), and nothing that is only so in Unicode.
    let spaces = [' ', '\t', '\n', '\r', '\x0b', '\x0c'];
    let text = text.trim_end_matches(spaces);
    let before = text.trim_end_matches(is_name);
    (before.trim_end_matches(spaces), &text[before.len()..])
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$' || !c.is_ascii()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The change, and the functions it depends on with spaces between.
    fn of(sql: &str) -> (Change, String) {
        let (change, calls) = Change::of(sql);
        (change, calls.join(" "))
    }

    #[test]
    fn queries_change_nothing_unless_their_functions_do() {
        for (sql, calls) in [
            ("SELECT 1", ""),
            ("((SELECT 1) UNION (SELECT 2));", "union"),
            ("select id, name from users where id = $1 and name in ('a', 'it''s')", "in"),
            ("WITH RECURSIVE tree(id) AS (SELECT 1 UNION ALL SELECT f (id) FROM tree) TABLE tree", "as f"),
            ("SELECT \"count\", LOWER\n(x) FROM unnest($1) AS t(x)", "lower unnest"),
            ("SELECT updated_time FROM deletes", ""),
            ("VALUES (1), (2)", "values"),
            ("SHOW search_path", ""),
            ("SELECT '-', 'set_config(' AS \"insert into\"", "set_config"),
            ("SELECT lastval()", "lastval"),
            ("SELECT $tag$ f( $tag$, 1a$$, g( 'x')", "f g"),
            ("SELECT 1 AS \u{a0}$$, h\u{a0}() AS \u{a0}$$", "h\u{a0}"),
            ("", ""),
        ] {
            let expected = if sql.contains("insert") { Change::Sequences } else { Change::Nothing };
            assert_eq!(of(sql), (expected, calls.to_owned()), "{sql}");
        }
    }

    #[test]
    fn writes_may_change_sequences() {
        for (sql, calls) in [
            ("INSERT INTO users (name) VALUES (lower($1)) ON CONFLICT (name) DO NOTHING", "values lower conflict"),
            ("UPDATE posts SET title = $1 WHERE id = $2", ""),
            ("WITH a AS (DELETE FROM t RETURNING *) SELECT * FROM a", "as"),
            ("MERGE INTO a USING b ON (a.id = b.id) WHEN MATCHED THEN DO NOTHING", "on"),
            ("SELECT * FROM t FOR UPDATE", ""),
            ("SELECT nextval('numbers')", "nextval"),
        ] {
            assert_eq!(of(sql), (Change::Sequences, calls.to_owned()), "{sql}");
        }
    }

    #[test]
    fn transactions_are_noticed() {
        for sql in ["BEGIN", "/ start transaction", "COMMIT AND CHAIN", "END", "rollback to a", "SAVEPOINT a"] {
            assert_eq!(of(sql), (Change::Transaction, String::new()), "{sql}");
        }
    }

    #[test]
    fn whatever_is_not_known_may_change_anything() {
        for sql in [
            "SET search_path = x",
            "RESET ALL",
            "LISTEN news",
            "DO $$ BEGIN PERFORM set_config('a', 'b', false); END $$",
            "CALL anything()",
            "CREATE TEMP TABLE t (x int)",
            "SELECT 1 INTO TEMP t",
            "SELECT 1 insert INTO temporary t",
            "SELECT 1 INTO pg_temp_1.t",
            "SELECT 1 INTO \"pg_temp\".t",
            "SELECT 1 INTO U&\"pg\\005ftemp\".t",
            "SELECT lastval/**/()",
            "SELECT lastval -- x\n ()",
            "SELECT \"set_config\"('a', 'b', false)",
            "SELECT U&\"\\0073et_config\"('a', 'b', false)",
            "SELECT pg_catalog . set_config('a', 'b', false)",
            "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
            "PREPARE p AS SELECT 1",
            "EXPLAIN ANALYZE SELECT set_config('a', 'b', false)",
            "DEALLOCATE ALL",
            "DISCARD ALL",
            "COPY t FROM STDIN",
            "1",
        ] {
            assert_eq!(of(sql), (Change::Anything, String::new()), "{sql}");
        }
    }

    proptest! {
        #[test]
        fn a_call_is_found_wherever_it_is(
            before in "[a-z ,=+0-9$'\"()\u{e9}]{0,20}", space in "[ \n\t]{0,2}", after in "\\PC{0,20}",
        ) {
            let (change, calls) = Change::of(&format!("SELECT {before} , set_config{space}('a', 'b', false) {after}"));
            prop_assert!(change == Change::Anything || calls.contains(&"set_config".to_owned()));
        }

        #[test]
        fn no_text_makes_it_panic(sql in "(select|with|SET)?\\PC{0,60}") {
            _ = Change::of(&sql);
        }
    }
}
