//! From the environment to the values of the application's variables.
//!
//! For each variable the first of these counts:
//! 1. `SPIN_VARIABLE_<NAME>`, as Spin and SpinKube set it, also when empty;
//! 2. for the variables `db_host`, `db_port`, `db_name`, `db_user` and `db_password`: `DB_HOST` and so on, unless empty;
//! 3. for these and `db_options`: the part of `DATABASE_URL`, unless empty;
//! 4. the manifest's default.
//!
//! Each of these environment variables may instead be written `<NAME>_FILE` and name a file that holds the value, for
//! secrets mounted as files; one line break at the file's end is dropped.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;

use anyhow::{Context, anyhow, bail, ensure};

use crate::database_url::DatabaseUrl;
use crate::manifest::Manifest;

/// The environment variables of the database and the application's variables they stand for.
const DATABASE: [(&str, &str); 5] = [
    ("DB_HOST", "db_host"),
    ("DB_PORT", "db_port"),
    ("DB_NAME", "db_name"),
    ("DB_USER", "db_user"),
    ("DB_PASSWORD", "db_password"),
];

/// A process's environment.
#[derive(Debug, Default)]
pub struct Environment(BTreeMap<OsString, OsString>);

impl Environment {
    /// That of this process.
    pub fn of_process() -> Self {
        Self(std::env::vars_os().collect())
    }

    /// The value of `name`, or the content of the file that `<name>_FILE` names. An empty file name counts as none.
    ///
    /// Fails, without showing the value, when both are set, when the file cannot be read, and when the value is not
    /// UTF-8.
    fn get(&self, name: &str) -> anyhow::Result<Option<String>> {
        let by_file = format!("{name}_FILE");
        let value = self.0.get(OsStr::new(name));
        let Some(file) = self.file(&by_file) else { return value.map(|value| utf8(name, value)).transpose() };
        ensure!(value.is_none(), "{name} and {by_file} are both set: remove one");
        let mut text =
            std::fs::read_to_string(file).with_context(|| format!("{by_file}: cannot read {}", file.display()))?;
        if text.ends_with('\n') {
            text.truncate(text.len() - if text.ends_with("\r\n") { 2 } else { 1 });
        }
        Ok(Some(text))
    }

    fn file(&self, by_file: &str) -> Option<&Path> {
        self.0.get(OsStr::new(by_file)).filter(|file| !file.is_empty()).map(Path::new)
    }

    fn has(&self, name: &str) -> bool {
        self.0.get(OsStr::new(name)).is_some_and(|value| !value.is_empty())
            || self.file(&format!("{name}_FILE")).is_some()
    }
}

impl<N: Into<OsString>, V: Into<OsString>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

fn utf8(name: &str, value: &OsStr) -> anyhow::Result<String> {
    value.to_str().map(str::to_owned).ok_or_else(|| anyhow!("{name} is not UTF-8"))
}

/// Whether the environment says which database to use, in any of the ways this module reads.
pub fn database_configured(env: &Environment) -> bool {
    env.has("DATABASE_URL")
        || DATABASE.iter().any(|(name, _)| env.has(name) || env.has(&format!("SPIN_VARIABLE_{name}")))
}

/// The value of every variable the manifest declares.
///
/// `embedded` is the address of a database this process runs; it takes the place of `DATABASE_URL`.
///
/// Fails, never showing a value, when a required variable has none, when a value cannot be read, and when
/// `DATABASE_URL` is malformed or has a part that the application declares no variable for: dropping an `sslmode`
/// silently would be a trap.
pub fn variables(
    manifest: &Manifest,
    env: &Environment,
    embedded: Option<&str>,
) -> anyhow::Result<BTreeMap<String, String>> {
    let url = database_url(manifest, env, embedded)?;
    let mut values = BTreeMap::new();
    for (name, declared) in &manifest.variables {
        let value = match configured(name, manifest, env)? {
            Some(value) => Some(value),
            None => url.as_ref().and_then(|url| url.variable(name)).map(str::to_owned).or(declared.default.clone()),
        };
        let Some(value) = value else {
            bail!(
                "the variable {name:?} has no value: set {}",
                DATABASE.iter().find(|(_, v)| v == name).map_or_else(
                    || format!("SPIN_VARIABLE_{}", name.to_ascii_uppercase()),
                    |(env, _)| (*env).to_owned(),
                )
            );
        };
        values.insert(name.clone(), value);
    }
    Ok(values)
}

/// What the environment says about one variable, `DATABASE_URL` aside.
fn configured(name: &str, manifest: &Manifest, env: &Environment) -> anyhow::Result<Option<String>> {
    let spin = format!("SPIN_VARIABLE_{}", name.to_ascii_uppercase());
    // The variable `x_file`, where there is one, owns the name that would otherwise give `x` from a file.
    let value = if manifest.variables.contains_key(&format!("{name}_file")) {
        env.0.get(OsStr::new(&spin)).map(|value| utf8(&spin, value)).transpose()?
    } else {
        env.get(&spin)?
    };
    let (source, value) = match (value, DATABASE.iter().find(|(_, variable)| *variable == name)) {
        (Some(value), _) => (spin.as_str(), value),
        (None, Some((source, _))) => match env.get(source)?.filter(|value| !value.is_empty()) {
            Some(value) => (*source, value),
            None => return Ok(None),
        },
        (None, None) => return Ok(None),
    };
    match name {
        "db_port" => ensure!(
            value.parse::<u16>().is_ok_and(|port| port > 0),
            "{source} must be a port, a number from 1 to 65535"
        ),
        "db_host" => ensure!(
            !value.starts_with('/'),
            "{source} is a path: Unix sockets are not supported, name the database's host"
        ),
        _ => {}
    }
    Ok(Some(value))
}

fn database_url(manifest: &Manifest, env: &Environment, embedded: Option<&str>) -> anyhow::Result<Option<DatabaseUrl>> {
    // An application that does not declare db_host does not take its database from here.
    if !manifest.variables.contains_key("db_host") {
        return Ok(None);
    }
    let text = match embedded {
        Some(url) => Some(url.to_owned()),
        None => env.get("DATABASE_URL")?.filter(|url| !url.is_empty()),
    };
    let Some(text) = text else { return Ok(None) };
    let url: DatabaseUrl = text.parse().context("DATABASE_URL")?;
    for name in url.variables() {
        if !manifest.variables.contains_key(name) {
            bail!(
                "DATABASE_URL has a part for the variable {name:?}, which {} does not declare: \
                 declare it under [variables] or leave that part out",
                manifest.path.display()
            );
        }
    }
    Ok(Some(url))
}

/// Spin's rule for the names of variables; fails with what is wrong, to be put behind the name.
pub fn check_name(name: &str) -> Result<(), &'static str> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if name.is_empty() {
        Err("is not a variable's name: it may not be empty")
    } else if !name.chars().all(allowed) {
        Err("is not a variable's name: it may contain only lower-case letters, digits and underscores")
    } else if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        Err("is not a variable's name: it must begin with a letter")
    } else if name.ends_with('_') {
        Err("is not a variable's name: it must end with a letter or digit")
    } else if name.contains("__") {
        Err("is not a variable's name: it may not contain two underscores in a row")
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DECLARED: &str = r#"
        db_host = { default = "localhost" }
        db_port = { default = "5432" }
        db_name = { default = "wiki" }
        db_user = { default = "postgres" }
        db_password = { required = true, secret = true }
        db_options = { default = "" }
        greeting = { default = "hello" }
        theme = { default = "plain" }
        theme_file = { default = "none" }
    "#;

    fn manifest(variables: &str) -> Manifest {
        let text = format!(
            "spin_manifest_version = 2\n[application]\nname = 'a'\n[[trigger.http]]\nroute = '/'\ncomponent = 'c'\n\
             [component.c]\nsource = 'c.wasm'\n[variables]\n{variables}"
        );
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("spin.toml");
        std::fs::write(&file, text).unwrap();
        let mut manifest = Manifest::load(&file).unwrap();
        manifest.path = "spin.toml".into();
        manifest
    }

    fn env(pairs: &[(&str, &str)]) -> Environment {
        pairs.iter().copied().collect()
    }

    /// The values under `pairs` that are not the manifest's defaults.
    fn values(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let defaults = variables(&manifest(DECLARED), &env(&[("DB_PASSWORD", "-")]), None).unwrap();
        let values = variables(&manifest(DECLARED), &env(pairs), None).unwrap();
        values.into_iter().filter(|(name, value)| defaults[name] != *value).collect()
    }

    fn refusal(pairs: &[(&str, &str)]) -> String {
        format!("{:#}", variables(&manifest(DECLARED), &env(pairs), None).unwrap_err())
    }

    fn owned<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    #[test]
    fn the_first_source_counts() {
        let url = ("DATABASE_URL", "postgres://u:p@h:1/n?sslmode=require");
        let all = [("db_host", "h"), ("db_name", "n"), ("db_options", "sslmode='require'"), ("db_password", "p")];
        let mut expected = owned(all);
        expected.extend(owned([("db_port", "1"), ("db_user", "u")]));
        assert_eq!(values(&[url]), expected);
        let mixed =
            values(&[url, ("DB_HOST", "other"), ("DB_NAME", ""), ("SPIN_VARIABLE_DB_PORT", "2"), ("DB_PORT", "3")]);
        let options = ("db_options", "sslmode='require'");
        assert_eq!(
            mixed,
            owned([
                ("db_host", "other"),
                ("db_name", "n"),
                options,
                ("db_password", "p"),
                ("db_port", "2"),
                ("db_user", "u")
            ])
        );
        assert_eq!(
            values(&[("DB_PASSWORD", "-"), ("SPIN_VARIABLE_GREETING", "")]),
            owned([("greeting", "")]),
            "an empty value is a value to Spin"
        );
    }

    #[test]
    fn a_part_the_address_lacks_keeps_its_default() {
        assert_eq!(values(&[("DATABASE_URL", "postgres://:p@h")]), owned([("db_host", "h"), ("db_password", "p")]));
    }

    #[test]
    fn a_value_may_come_from_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let (one, two, url) = (file("1", "p w\n"), file("2", "hi\r\n\r\n"), file("3", "postgres://:p@h"));
        assert_eq!(
            values(&[("DB_PASSWORD_FILE", &one), ("SPIN_VARIABLE_GREETING_FILE", &two)]),
            owned([("db_password", "p w"), ("greeting", "hi\r\n")])
        );
        assert_eq!(values(&[("DATABASE_URL_FILE", &url)]), owned([("db_host", "h"), ("db_password", "p")]));
        assert_eq!(
            values(&[("DB_PASSWORD", "-"), ("DB_HOST_FILE", ""), ("SPIN_VARIABLE_THEME_FILE", "dark")]),
            owned([("theme_file", "dark")]),
            "the name belongs to the variable theme_file"
        );
    }

    #[test]
    fn what_cannot_be_read_is_refused_by_name() {
        for (pairs, reason) in [
            (&[][..], "the variable \"db_password\" has no value: set DB_PASSWORD"),
            (&[("DB_PASSWORD", "")], "the variable \"db_password\" has no value: set DB_PASSWORD"),
            (
                &[("DB_PASSWORD", "s3cret"), ("DB_PASSWORD_FILE", "/x")],
                "DB_PASSWORD and DB_PASSWORD_FILE are both set: remove one",
            ),
            (&[("DB_PASSWORD_FILE", "/nowhere/x")], "DB_PASSWORD_FILE: cannot read /nowhere/x: No such file"),
            (&[("DB_PASSWORD", "-"), ("DB_PORT", "s3cret")], "DB_PORT must be a port, a number from 1 to 65535"),
            (&[("DB_PASSWORD", "-"), ("SPIN_VARIABLE_DB_PORT", "0")], "SPIN_VARIABLE_DB_PORT must be a port"),
            (&[("DB_HOST", "/var/run/postgresql")], "DB_HOST is a path: Unix sockets are not supported"),
            (&[("DATABASE_URL", "mysql://u:s3cret@h/n")], "DATABASE_URL: must begin with postgres://"),
        ] {
            let refusal = refusal(pairs);
            assert!(refusal.starts_with(reason), "{refusal}");
            assert!(!refusal.contains("s3cret") && !refusal.contains('\n'), "{refusal}");
        }
    }

    #[test]
    fn a_required_variable_names_what_to_set() {
        let manifest = manifest("api_key = { required = true }");
        let error = variables(&manifest, &env(&[]), None).unwrap_err().to_string();
        assert_eq!(error, "the variable \"api_key\" has no value: set SPIN_VARIABLE_API_KEY");
    }

    #[cfg(unix)]
    #[test]
    fn a_value_that_is_no_text_is_refused() {
        use std::os::unix::ffi::OsStringExt;

        let env = Environment::from_iter([("DB_PASSWORD", OsString::from_vec(vec![b's', 0xff]))]);
        let error = variables(&manifest(DECLARED), &env, None).unwrap_err().to_string();
        assert_eq!(error, "DB_PASSWORD is not UTF-8");
    }

    #[test]
    fn no_part_of_an_address_is_dropped_silently() {
        let manifest = manifest("db_host = { default = 'x' }");
        let env = env(&[("DATABASE_URL", "postgres://h?sslmode=verify-full")]);
        let error = format!("{:#}", variables(&manifest, &env, None).unwrap_err());
        assert!(
            error.starts_with(
                "DATABASE_URL has a part for the variable \"db_options\", which spin.toml does not declare"
            )
        );
    }

    #[test]
    fn an_application_without_a_database_ignores_the_address() {
        let manifest = manifest("greeting = { default = 'x' }");
        let values = variables(&manifest, &env(&[("DATABASE_URL", "not one"), ("DB_HOST", "h")]), None).unwrap();
        assert_eq!(values, [("greeting".to_owned(), "x".to_owned())].into());
    }

    #[test]
    fn the_embedded_database_takes_the_addresss_place() {
        let url = "postgres://postgres:pw@127.0.0.1:4000/postgres?sslmode=disable";
        let values = variables(&manifest(DECLARED), &env(&[]), Some(url)).unwrap();
        assert_eq!((values["db_host"].as_str(), values["db_port"].as_str()), ("127.0.0.1", "4000"));
        assert_eq!((values["db_password"].as_str(), values["db_options"].as_str()), ("pw", "sslmode='disable'"));
    }

    #[test]
    fn any_part_of_a_database_counts_as_configured() {
        for name in
            ["DATABASE_URL", "DB_HOST", "DB_PASSWORD", "DB_USER_FILE", "SPIN_VARIABLE_DB_HOST", "DATABASE_URL_FILE"]
        {
            assert!(database_configured(&env(&[(name, "x")])), "{name}");
            assert!(!database_configured(&env(&[(name, "")])), "{name}");
        }
        assert!(!database_configured(&env(&[("SPIN_VARIABLE_GREETING", "x"), ("PORT", "1")])));
    }

    #[test]
    fn names_follow_spins_rule() {
        for name in ["a", "abc", "a1b2c3", "a_1", "a_1_b_3"] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        for name in ["", "aX", "1bc", "_x", "x.y", "x_", "a__b", "x-y", "é"] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
