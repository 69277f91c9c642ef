//! The SQL statement that gives a role the rights an application needs, and no others.

use crate::{LEDGER, LOCK_KEY, quote};

/// What a role shall be granted.
#[derive(Debug, Clone, Copy)]
pub struct Grants<'a> {
    /// The role's name.
    pub role: &'a str,
    /// The role's password, or a verifier of it as PostgreSQL keeps them. With one, the role is created if there is none,
    /// may log in, and gets this password. Without one, the role must exist.
    pub password: Option<&'a str>,
    /// Tables whose rows the role may read and add, and neither change nor remove.
    pub append_only: &'a [String],
}

/// The statement that grants `grants.role` its rights on everything in the current schema, as its owner.
///
/// Tables: SELECT, INSERT, UPDATE, DELETE; those of `append_only`: SELECT, INSERT; the ledger and views: SELECT;
/// sequences: USAGE; functions: EXECUTE. Other rights that the role was given on tables and sequences before are revoked.
/// What belongs to an extension is left as it is.
///
/// PostgreSQL refuses the statement, and changes nothing, if the role could still do more: as a superuser, as the owner
/// or a member of it, by creating objects in the schema or the database, or by rights on append-only tables that come
/// from others.
///
/// It takes no parameters and returns no rows. Any number of senders may race, and race with [`crate::statement`].
pub fn grant(grants: Grants<'_>) -> String {
    let (role, ledger) = (quote(grants.role), quote(LEDGER));
    let password = grants.password.map_or_else(|| "NULL".to_owned(), quote);
    let tables: Vec<_> = grants.append_only.iter().map(|table| quote(table)).collect();
    let append_only = tables.join(", ");
    let body = format!(
        "DECLARE
  wanted CONSTANT text := {role};
  secret CONSTANT text := {password};
  ledger CONSTANT text := {ledger};
  append_only CONSTANT text[] := ARRAY[{append_only}]::text[];
  home CONSTANT oid := (SELECT oid FROM pg_namespace WHERE nspname = current_schema());
  home_name CONSTANT text := current_schema();
  object record;
BEGIN
  PERFORM pg_advisory_xact_lock({LOCK_KEY});
  IF home IS NULL THEN
    RAISE EXCEPTION 'there is no schema to create tables in' USING HINT = 'Set a search_path that exists.';
  END IF;

  -- All of this before the role gets a password: it may be somebody's own.
  SELECT relname INTO object FROM pg_class JOIN pg_roles ON pg_roles.oid = relowner
  WHERE relnamespace = home AND relkind IN ('r', 'p') AND rolname = wanted LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'role % owns the table %', quote_ident(wanted), quote_ident(object.relname)
      USING HINT = 'Name another role: the owner of a table may do anything with it.';
  END IF;
  SELECT rolsuper OR rolcreaterole OR rolreplication OR rolbypassrls AS is_mighty INTO object
  FROM pg_roles WHERE rolname = wanted;
  IF NOT FOUND AND secret IS NULL THEN
    RAISE EXCEPTION 'role % does not exist', quote_ident(wanted)
      USING HINT = format('Create it with CREATE ROLE %I LOGIN PASSWORD ''…''.', wanted);
  ELSIF object.is_mighty THEN
    RAISE EXCEPTION 'role % has more rights than an application may have', quote_ident(wanted)
      USING HINT = format('As a superuser, run ALTER ROLE %I NOSUPERUSER NOCREATEROLE NOREPLICATION NOBYPASSRLS.',
        wanted);
  END IF;
  SELECT relname INTO object FROM pg_class
  WHERE relnamespace = home AND relkind IN ('r', 'p')
    AND EXISTS (SELECT FROM pg_roles WHERE rolname = wanted AND pg_has_role(pg_roles.oid, relowner, 'MEMBER')) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'role % is a member of the owner of the table %', quote_ident(wanted), quote_ident(object.relname)
      USING HINT = 'Name another role: the owner of a table may do anything with it.';
  END IF;
  IF secret IS NOT NULL THEN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
      EXECUTE format('CREATE ROLE %I', wanted);
    END IF;
    EXECUTE format('ALTER ROLE %I LOGIN PASSWORD %L', wanted, secret);
  END IF;

  -- Nothing beyond its tables. Before PostgreSQL 15, everyone could create objects in the schema public.
  IF pg_has_role((SELECT datdba FROM pg_database WHERE datname = current_database()), 'USAGE') THEN
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), wanted);
    EXECUTE format('REVOKE CREATE ON DATABASE %I FROM %I', current_database(), wanted);
  END IF;
  IF pg_has_role((SELECT nspowner FROM pg_namespace WHERE oid = home), 'USAGE') THEN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', home_name, wanted);
    EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM %I', home_name, wanted);
    IF has_schema_privilege(wanted, home, 'CREATE') THEN
      EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC', home_name);
    END IF;
  END IF;
  IF NOT has_schema_privilege(wanted, home, 'USAGE') THEN
    RAISE EXCEPTION 'role % cannot use the schema %', quote_ident(wanted), quote_ident(home_name)
      USING HINT = format('As the owner of the schema, run GRANT USAGE ON SCHEMA %I TO %I.', home_name, wanted);
  ELSIF has_schema_privilege(wanted, home, 'CREATE') THEN
    RAISE EXCEPTION 'role % could still create objects in the schema %', quote_ident(wanted), quote_ident(home_name)
      USING HINT = format('As the owner of the schema, run REVOKE CREATE ON SCHEMA %I FROM PUBLIC, %I.',
        home_name, wanted);
  ELSIF has_database_privilege(wanted, current_database(), 'CREATE') THEN
    RAISE EXCEPTION 'role % could still create schemas in the database', quote_ident(wanted)
      USING HINT = format('As the owner of the database, run REVOKE CREATE ON DATABASE %I FROM PUBLIC, %I.',
        current_database(), wanted);
  END IF;

  SELECT name INTO object FROM unnest(append_only) AS name
  WHERE NOT EXISTS (SELECT FROM pg_class WHERE relnamespace = home AND relname = name AND relkind IN ('r', 'p'))
  LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'there is no table % to add to', quote_ident(object.name);
  END IF;
  FOR object IN
    SELECT pg_class.oid, relkind = 'S' AS is_sequence,
      relkind IN ('r', 'p') AND relname = ANY(append_only || ledger) AS is_kept,
      CASE
        WHEN relkind = 'S' THEN 'USAGE'
        WHEN relkind IN ('v', 'm') OR relname = ledger THEN 'SELECT'
        WHEN relname = ANY(append_only) THEN 'SELECT, INSERT'
        ELSE 'SELECT, INSERT, UPDATE, DELETE'
      END AS rights
    FROM pg_class
    WHERE relnamespace = home AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND NOT EXISTS (
      SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e')
    ORDER BY relname
  LOOP
    EXECUTE format('REVOKE ALL ON %s %s FROM %I',
      CASE WHEN object.is_sequence THEN 'SEQUENCE' ELSE 'TABLE' END, object.oid::regclass, wanted);
    EXECUTE format('GRANT %s ON %s %s TO %I', object.rights,
      CASE WHEN object.is_sequence THEN 'SEQUENCE' ELSE 'TABLE' END, object.oid::regclass, wanted);
    IF object.is_kept AND (has_table_privilege(wanted, object.oid, 'UPDATE, DELETE, TRUNCATE, TRIGGER')
        OR has_any_column_privilege(wanted, object.oid, 'UPDATE')) THEN
      RAISE EXCEPTION 'role % could still change rows of %', quote_ident(wanted), object.oid::regclass
        USING HINT = 'It has that right from PUBLIC, or from a role that it is a member of.';
    END IF;
  END LOOP;
  FOR object IN
    SELECT pg_proc.oid FROM pg_proc
    WHERE pronamespace = home AND NOT has_function_privilege(wanted, pg_proc.oid, 'EXECUTE') AND NOT EXISTS (
      SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid AND deptype = 'e')
  LOOP
    EXECUTE format('GRANT EXECUTE ON ROUTINE %s TO %I', object.oid::regprocedure, wanted);
  END LOOP;
END"
    );
    format!("DO {}", quote(&body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_passwords_are_quoted() {
        let tables = ["a$m0$b".to_owned(), "c".to_owned()];
        let sql = grant(Grants { role: "it's", password: Some("p'w"), append_only: &tables });
        assert!(sql.contains("wanted CONSTANT text := $m0$it's$m0$;"), "{sql}");
        assert!(sql.contains("secret CONSTANT text := $m0$p'w$m0$;"), "{sql}");
        assert!(sql.contains("ARRAY[$m1$a$m0$b$m1$, $m0$c$m0$]::text[]"), "{sql}");
        assert!(sql.starts_with("DO $m2$") && sql.ends_with("$m2$"), "{sql}");
    }

    #[test]
    fn without_a_password_and_tables_nothing_is_left_open() {
        let sql = grant(Grants { role: "r", password: None, append_only: &[] });
        assert!(sql.contains("secret CONSTANT text := NULL;") && sql.contains("ARRAY[]::text[]"), "{sql}");
        assert!(!sql.contains('{') && !sql.contains('}'), "{sql}");
    }

    #[test]
    fn text_that_looks_like_a_place_to_fill_in_stays() {
        let sql = grant(Grants { role: "{password}", password: Some("{role}"), append_only: &["{lock}".to_owned()] });
        for text in ["$m0${password}$m0$", "$m0${role}$m0$", "$m0${lock}$m0$"] {
            assert!(sql.contains(text), "{text} in {sql}");
        }
    }
}
