//! What a statement may leave behind in a session, told from its text.
//!
//! A session that another request gets next must be as new. Cleaning costs a round trip, so it is done only where this
//! reading says it may be needed. The reading is cautious: what it does not know counts as leaving something. It cannot
//! see what triggers, views and operators do that the owner of the database made; those are trusted.

use super::harmless::HARMLESS;

/// What running a statement does to its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing that outlives the statement, or the transaction it runs in.
    Nothing,
    /// A transaction is open afterwards.
    Begins,
    /// No transaction is open afterwards.
    Ends,
    /// Perhaps settings, locks, temporary tables and the like.
    Unknown,
    /// The statements the host prepared may be gone.
    Ruins,
}

impl Effect {
    /// The effect of the single statement `sql`.
    pub fn of(sql: &str) -> Self {
        let mut tokens = Tokens { rest: sql };
        let verb = loop {
            match tokens.next() {
                Some(Token::Open) => {}
                Some(Token::Word(verb)) => break verb.to_ascii_lowercase(),
                // No statement at all does nothing.
                None => return Self::Nothing,
                Some(_) => return Self::Unknown,
            }
        };
        match verb.as_str() {
            "select" | "values" | "table" | "insert" | "update" | "delete" | "merge" | "with" => {
                of_query(&verb, tokens)
            }
            // These work inside a transaction only, and end with it.
            "show" | "savepoint" | "release" | "lock" => Self::Nothing,
            "begin" | "start" => Self::Begins,
            "commit" | "end" | "rollback" | "abort" => of_end(tokens),
            "deallocate" | "discard" => Self::Ruins,
            _ => Self::Unknown,
        }
    }
}

fn of_end(tokens: Tokens<'_>) -> Effect {
    for token in tokens {
        let Token::Word(word) = token else { continue };
        if word.eq_ignore_ascii_case("to") {
            // A savepoint.
            return Effect::Nothing;
        }
        if word.eq_ignore_ascii_case("chain") || word.eq_ignore_ascii_case("prepared") {
            return Effect::Unknown;
        }
    }
    Effect::Ends
}

/// Queries leave nothing if they make no table with INTO and call only functions known to leave nothing.
fn of_query(verb: &str, tokens: Tokens<'_>) -> Effect {
    // The three tokens before the current one, the latest last.
    let mut before = [Token::Other, Token::Other, Token::Word(verb)];
    let mut naming = Naming::behind(verb);
    let mut writing = Writing::begin(verb);
    for token in tokens {
        match token {
            Token::Broken | Token::Semicolon => return Effect::Unknown,
            Token::Open if naming != Naming::Named && !may_precede_parenthesis(before) => return Effect::Unknown,
            Token::Word(word) if word.eq_ignore_ascii_case("into") && !writing.expects_into => return Effect::Unknown,
            _ => {}
        }
        writing.follow(before[2], token);
        naming = match token {
            Token::Word(word) if word.eq_ignore_ascii_case("recursive") => Naming::Expected,
            Token::Word(_) | Token::Quoted if naming == Naming::Expected => Naming::Named,
            Token::Word(word) => Naming::behind(word),
            Token::Dot if naming == Naming::Named => Naming::Expected,
            _ => Naming::No,
        };
        before = [before[1], before[2], token];
    }
    Effect::Nothing
}

/// Whether INSERT and MERGE are verbs, whose INTO makes no table, or columns that are called so.
struct Writing {
    expects_into: bool,
    /// Parentheses that are open.
    depth: i32,
    /// Whether the verb behind a WITH is still to come.
    awaits_verb: bool,
}

impl Writing {
    fn begin(verb: &str) -> Self {
        let verb = Token::Word(verb);
        Self { expects_into: verb.is_any(&["insert", "merge"]), depth: 0, awaits_verb: verb.is_any(&["with"]) }
    }

    fn follow(&mut self, before: Token<'_>, token: Token<'_>) {
        let is_main = self.awaits_verb
            && self.depth == 0
            && token.is_any(&["select", "values", "table", "insert", "update", "delete", "merge"]);
        self.expects_into = token.is_any(&["insert", "merge"]) && (is_main || before == Token::Open);
        self.awaits_verb &= !is_main;
        match token {
            Token::Open => self.depth += 1,
            Token::Close => self.depth -= 1,
            _ => {}
        }
    }
}

/// Whether what stands before a parenthesis is a harmless function, a keyword or no name at all.
fn may_precede_parenthesis([qualifier, dot, name]: [Token<'_>; 3]) -> bool {
    match name {
        // Only functions of PostgreSQL's own schema are known.
        Token::Word(_) if dot == Token::Dot && !qualifier.is_any(&["pg_catalog"]) => false,
        Token::Word(name) => HARMLESS.binary_search(&name.to_ascii_lowercase().as_str()).is_ok(),
        Token::Quoted => false,
        _ => true,
    }
}

/// Whether a name stands where no call can: behind INTO, AS, WITH and RECURSIVE. The parenthesis behind it has columns.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Naming {
    No,
    Expected,
    Named,
}

impl Naming {
    fn behind(word: &str) -> Self {
        if Token::Word(word).is_any(&["into", "as", "with"]) { Self::Expected } else { Self::No }
    }
}

/// As much of SQL's syntax as it takes to find the names in front of parentheses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    /// A keyword or a name without quotes.
    Word(&'a str),
    /// A name in quotes.
    Quoted,
    Open,
    Close,
    Dot,
    /// A semicolon with something behind it.
    Semicolon,
    /// Text that is not closed or that settings decide how to read.
    Broken,
    /// Anything else: numbers, strings, operators.
    Other,
}

impl Token<'_> {
    fn is_any(self, names: &[&str]) -> bool {
        matches!(self, Token::Word(word) if names.iter().any(|name| word.eq_ignore_ascii_case(name)))
    }
}

struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    /// Cuts `length` bytes off, which must end between characters.
    fn cut(&mut self, length: usize) -> &'a str {
        let (cut, rest) = self.rest.split_at(length);
        self.rest = rest;
        cut
    }

    /// Cuts off everything up to and with the first `end` behind `start` bytes; all of it if there is none.
    fn cut_past(&mut self, start: usize, end: &str) -> bool {
        match self.rest[start..].find(end) {
            Some(at) => {
                self.cut(start + at + end.len());
                true
            }
            None => {
                self.cut(self.rest.len());
                false
            }
        }
    }

    fn skip_spaces_and_comments(&mut self) {
        loop {
            // What is a space, and what ends a comment, to PostgreSQL (scan.l), and nothing that is only so in Unicode.
            self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
            if self.rest.starts_with("--") {
                let end = self.rest.find(['\n', '\r']).unwrap_or(self.rest.len());
                self.cut(end);
            } else if self.rest.starts_with("/*") {
                self.cut_comment();
            } else {
                return;
            }
        }
    }

    /// Comments nest.
    fn cut_comment(&mut self) {
        let mut depth = 0;
        let mut at = 0;
        let bytes = self.rest.as_bytes();
        while at < bytes.len() {
            match &bytes[at..] {
                [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
                [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
                _ => at += 1,
            }
            if depth == 0 {
                break;
            }
        }
        self.cut(at);
    }

    /// A string; backslashes mean something with `escapes` only. Without it they are refused, because a setting can
    /// change that.
    fn string(&mut self, escapes: bool) -> Token<'a> {
        let bytes = self.rest.as_bytes();
        let mut at = 1;
        while at < bytes.len() {
            match &bytes[at..] {
                [b'\\', ..] if !escapes => return Token::Broken,
                [b'\\', _, ..] | [b'\'', b'\'', ..] => at += 2,
                [b'\'', ..] => {
                    self.rest = &self.rest[at + 1..];
                    return Token::Other;
                }
                _ => at += 1,
            }
        }
        Token::Broken
    }

    fn quoted_name(&mut self) -> Token<'a> {
        // A doubled quote begins another quoted name here, which makes no difference.
        if self.cut_past(1, "\"") { Token::Quoted } else { Token::Broken }
    }

    /// `$1`, or a string between two `$tag$`.
    fn dollar(&mut self) -> Token<'a> {
        let tag = self.rest[1..].find(|c: char| !is_name(c)).map_or(self.rest.len(), |end| end + 1);
        if !self.rest[tag..].starts_with('$') || self.rest[1..].starts_with(|c: char| c.is_ascii_digit()) {
            self.cut(tag.max(1));
            return self.unless_a_name_follows();
        }
        let delimiter = &self.rest[..=tag];
        if self.cut_past(delimiter.len(), delimiter) { Token::Other } else { Token::Broken }
    }

    /// A number or parameter. With letters and a `$` right behind, versions of PostgreSQL differ about where it ends.
    fn unless_a_name_follows(&self) -> Token<'a> {
        if self.rest.starts_with('$') { Token::Broken } else { Token::Other }
    }

    fn word(&mut self) -> Token<'a> {
        let end = self.rest.find(|c: char| !is_name(c) && c != '$').unwrap_or(self.rest.len());
        let word = self.cut(end);
        match self.rest.as_bytes() {
            [b'\'', ..] => self.string(word.eq_ignore_ascii_case("e")),
            // A name spelled with escapes.
            [b'&', b'"', ..] if word.eq_ignore_ascii_case("u") => Token::Broken,
            _ => Token::Word(word),
        }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        self.skip_spaces_and_comments();
        let token = match self.rest.chars().next()? {
            '\'' => return Some(self.string(false)),
            '"' => return Some(self.quoted_name()),
            '$' => return Some(self.dollar()),
            c if c.is_ascii_digit() => {
                let end = self.rest.find(|c: char| !is_name(c)).unwrap_or(self.rest.len());
                self.cut(end);
                return Some(self.unless_a_name_follows());
            }
            c if is_name(c) => return Some(self.word()),
            ';' => {
                self.cut(1);
                self.skip_spaces_and_comments();
                return (!self.rest.is_empty()).then_some(Token::Semicolon);
            }
            '(' => Token::Open,
            ')' => Token::Close,
            '.' => Token::Dot,
            c => {
                self.cut(c.len_utf8());
                return Some(Token::Other);
            }
        };
        self.cut(1);
        Some(token)
    }
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_names_are_in_order() {
        assert!(HARMLESS.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn queries_leave_nothing() {
        for sql in [
            "SELECT 1",
            "  -- note\n /* a /* nested */ note */ ((SELECT 1) UNION (SELECT 2));",
            "select id, name from users where id = $1 and name in ('a', 'it''s') for update",
            "INSERT INTO users (name, email) VALUES ($1, lower($2)) ON CONFLICT (name) DO NOTHING RETURNING id",
            "INSERT INTO \"Users\" (\"name\") SELECT x FROM unnest($1::text[]) AS t(x)",
            "INSERT INTO public.users (name) VALUES ($1)",
            "WITH kept(x) AS MATERIALIZED (SELECT 1), gone AS (DELETE FROM a WHERE id = $1 RETURNING *) SELECT * FROM gone",
            "WITH RECURSIVE tree(id, depth) AS (SELECT 1, 0 UNION ALL SELECT id, depth + 1 FROM tree) TABLE tree",
            "UPDATE posts SET title = $1, tags = array_remove(tags, E'it\\'s') WHERE id = $2",
            "WITH a AS (INSERT INTO t VALUES (1) RETURNING x), b AS (SELECT 2) INSERT INTO u SELECT x FROM a",
            "MERGE INTO a USING b ON (a.id = b.id) WHEN MATCHED THEN UPDATE SET x = b.x",
            "SELECT CAST(x AS numeric(10, 2)), count(*) FILTER (WHERE y) OVER (PARTITION BY z) FROM t",
            "SELECT pg_catalog.lower('X'), pg_advisory_xact_lock(1), now()",
            "SELECT $tag$ select set_config('a', 'b', false) $tag$, $$ ' $$, 'set_config(', \"set_config\"",
            "SELECT extract(epoch FROM t), (t).x, a[1], b->>'c', $1::varchar(3) FROM t WHERE NOT EXISTS (SELECT 1)",
            "WITH a AS NOT MATERIALIZED (SELECT 1) SELECT * FROM a",
            "VALUES (1), (2)",
            "SHOW search_path",
            "SAVEPOINT a",
            "ROLLBACK TO SAVEPOINT a",
            "",
            "-- nothing",
        ] {
            assert_eq!(Effect::of(sql), Effect::Nothing, "{sql}");
        }
    }

    #[test]
    fn transactions_are_followed() {
        for sql in ["BEGIN", "begin isolation level serializable", "/* x */ START TRANSACTION READ ONLY"] {
            assert_eq!(Effect::of(sql), Effect::Begins, "{sql}");
        }
        for sql in ["COMMIT", "END WORK", "rollback;", "ABORT", "COMMIT -- and chain"] {
            assert_eq!(Effect::of(sql), Effect::Ends, "{sql}");
        }
        for sql in [
            "COMMIT AND CHAIN",
            "COMMIT --x\r AND CHAIN",
            "ROLLBACK AND CHAIN",
            "COMMIT PREPARED 'x'",
            "PREPARE TRANSACTION 'x'",
        ] {
            assert_eq!(Effect::of(sql), Effect::Unknown, "{sql}");
        }
    }

    #[test]
    fn whatever_may_leave_something_is_unknown() {
        for sql in [
            "SET search_path = x",
            "SET LOCAL x.y = 1",
            "RESET ALL",
            "LISTEN news",
            "DO $$ BEGIN PERFORM set_config('a', 'b', false); END $$",
            "CALL anything()",
            "CREATE TEMP TABLE t (x int)",
            "SELECT 1 INTO TEMP t",
            "SELECT 1 insert INTO TEMP t",
            "SELECT (1) merge INTO TEMP t",
            "SELECT insert INTO TEMP t FROM u",
            "WITH a AS (SELECT 1) SELECT (1) insert INTO TEMP t",
            "SELECT 1 --x\r, set_config('a', 'b', false)",
            "SELECT 1 AS \u{a0}$$, set_config('a', 'b', false) AS \u{a0}$$",
            "SELECT 1a$$, set_config('a', 'b', false) AS b$$",
            "SELECT $1a$$, set_config('a', 'b', false) AS b$$",
            "SELECT lastval()",
            "WITH a AS (SELECT 1) SELECT * INTO TEMPORARY t FROM a",
            "INSERT INTO t SELECT set_config('a', 'b', false)",
            "SELECT set_config('a', 'b', false)",
            "SELECT SET_CONFIG('a', 'b', false)",
            "SELECT set_config /* here */ ('a', 'b', false)",
            "SELECT \"set_config\"('a', 'b', false)",
            "SELECT pg_catalog.\"set_config\"('a', 'b', false)",
            "SELECT pg_catalog.set_config('a', 'b', false)",
            "SELECT U&\"set\\005fconfig\"('a', 'b', false)",
            "SELECT 'x\\', set_config('a', 'b', false) --'",
            "SELECT pg_advisory_lock(1)",
            "SELECT pg_try_advisory_lock(1)",
            "SELECT mine(1)",
            "SELECT public.lower('x')",
            "SELECT \"pg_catalog\".lower('x')",
            "SELECT * FROM mine(1) AS t(x)",
            "SELECT query_to_xml('select set_config(''a'', ''b'', false)', true, true, '')",
            "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
            "PREPARE p AS SELECT 1",
            "EXPLAIN ANALYZE SELECT set_config('a', 'b', false)",
            "SELECT 1; SET x.y = 1",
            "SELECT 'open",
            "SELECT $$open",
            "SELECT \"open",
            "( ; SET x.y = 1",
            "COPY t FROM STDIN",
            "1",
        ] {
            assert_eq!(Effect::of(sql), Effect::Unknown, "{sql}");
        }
    }

    #[test]
    fn what_drops_prepared_statements_ruins_the_session() {
        for sql in ["DEALLOCATE ALL", "deallocate prepare s1", "DISCARD ALL"] {
            assert_eq!(Effect::of(sql), Effect::Ruins, "{sql}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(sql in "(select|with|SET)?[ -~\\n\\r\u{a0}\u{e9}\u{1f600}$'\"/*;()]{0,60}") {
            let _ = Effect::of(&sql);
        }

        #[test]
        fn a_setting_is_found_wherever_it_stands(before in "[a-z ,=+0-9]{0,20}", after in "[a-z ,=+0-9()]{0,20}") {
            let sql = format!("SELECT {before} , set_config('a', 'b', false) {after}");
            prop_assert_ne!(Effect::of(&sql), Effect::Nothing);
        }
    }
}
