//! The values of the application's variables.
//!
//! The first of these sources that has a value wins:
//! 1. `SPIN_VARIABLE_<NAME>`, as Spin and SpinKube set it, even if empty;
//! 2. `DB_HOST`, `DB_PORT`, `DB_NAME`, `DB_USER` and `DB_PASSWORD`, for the variables of these names, unless empty;
//! 3. a part of `DATABASE_URL`, for these variables and `db_options`, unless empty;
//! 4. the default in the manifest.
//!
//! For secrets mounted as files, `<NAME>_FILE` names a file with the value of any of these environment variables. One line
//! break at the end of the file is dropped.

use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv6Addr;

use anyhow::{Context, bail, ensure};

use super::environment::Environment;
use super::manifest::{Manifest, suggestion};
use crate::database_url::DatabaseUrl;

/// The variables of one component and their values.
pub struct Variables(pub BTreeMap<String, String>);

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Variables {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(values: I) -> Self {
        Self(values.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl fmt::Debug for Variables {
    /// Shows only the names: a value may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Environment variables for the database, each with the application's variable it sets.
const DATABASE: [(&str, &str); 5] = [
    ("DB_HOST", "db_host"),
    ("DB_PORT", "db_port"),
    ("DB_NAME", "db_name"),
    ("DB_USER", "db_user"),
    ("DB_PASSWORD", "db_password"),
];

/// Whether the environment configures a database, in any of the ways this module reads.
pub fn database_configured(env: &Environment) -> bool {
    env.has("DATABASE_URL")
        || DATABASE.iter().any(|(name, _)| env.has(name) || env.has(&format!("SPIN_VARIABLE_{name}")))
}

/// The value of every variable that the manifest declares.
///
/// `embedded` is the address of the embedded database; it replaces `DATABASE_URL`.
///
/// Fails, without showing a value, if a required variable has none, a value cannot be read, or `DATABASE_URL` is malformed
/// or has a part without a variable for it: silently dropping an `sslmode` would be dangerous.
pub fn resolve(
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

/// The value of a variable in the environment, `DATABASE_URL` excepted.
fn configured(name: &str, manifest: &Manifest, env: &Environment) -> anyhow::Result<Option<String>> {
    let spin = format!("SPIN_VARIABLE_{}", name.to_ascii_uppercase());
    // If there is a variable `x_file`, SPIN_VARIABLE_X_FILE is its value and not the file with the value of `x`.
    let value = if manifest.variables.contains_key(&format!("{name}_file")) {
        env.get_directly(&spin)?
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
        "db_host" => {
            ensure!(
                !value.starts_with('/'),
                "{source} is a path: Unix sockets are not supported, name the database's host"
            );
            ensure!(!value.contains(','), "{source} names several hosts: name one");
            ensure!(is_host(&value), "{source} must be the name or the address of a host, without a port");
        }
        _ => {}
    }
    Ok(Some(value))
}

/// Whether `allowed_outbound_hosts` can name it: an IPv6 address may stand in brackets.
fn is_host(text: &str) -> bool {
    let address = text.strip_prefix('[').map_or(Some(text), |rest| rest.strip_suffix(']'));
    address.is_some_and(|address| address.parse::<Ipv6Addr>().is_ok())
        || (!text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_')))
}

/// Variables of the environment that would set a variable of the application if there was one of this name, each as a
/// warning. Spin ignores them.
pub fn undeclared(manifest: &Manifest, env: &Environment) -> Vec<String> {
    let declared = |name: &str| manifest.variables.contains_key(name);
    let set = env.names().filter_map(|name| Some((name, name.strip_prefix("SPIN_VARIABLE_")?.to_ascii_lowercase())));
    set.filter(|(_, variable)| !declared(variable) && !variable.strip_suffix("_file").is_some_and(declared))
        .map(|(name, variable)| {
            let alike = suggestion(&variable, manifest.variables.keys().map(String::as_str));
            format!("{name} has no effect: the application has no variable {variable:?}{alike}")
        })
        .collect()
}

fn database_url(manifest: &Manifest, env: &Environment, embedded: Option<&str>) -> anyhow::Result<Option<DatabaseUrl>> {
    // Without the variable db_host, the application does not take its database address from variables.
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

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

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
        let defaults = resolve(&manifest(DECLARED), &env(&[("DB_PASSWORD", "-")]), None).unwrap();
        let values = resolve(&manifest(DECLARED), &env(pairs), None).unwrap();
        values.into_iter().filter(|(name, value)| defaults[name] != *value).collect()
    }

    fn refusal(pairs: &[(&str, &str)]) -> String {
        format!("{:#}", resolve(&manifest(DECLARED), &env(pairs), None).unwrap_err())
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
            (&[("DB_PASSWORD", "-"), ("DB_HOST", "a,s3cret")], "DB_HOST names several hosts: name one"),
            (
                &[("DB_PASSWORD", "-"), ("DB_HOST", "s3cret:5432")],
                "DB_HOST must be the name or the address of a host, without a port",
            ),
            (&[("SPIN_VARIABLE_DB_HOST", "postgres://u:s3cret@h")], "SPIN_VARIABLE_DB_HOST must be the name"),
            (&[("SPIN_VARIABLE_DB_HOST", "")], "SPIN_VARIABLE_DB_HOST must be the name"),
            (&[("DB_HOST", "*")], "DB_HOST must be the name"),
            (&[("DB_HOST", "10.0.0.0/8")], "DB_HOST must be the name"),
            (&[("DB_HOST", "[::1")], "DB_HOST must be the name"),
            (&[("DB_HOST", "[db]")], "DB_HOST must be the name"),
            (&[("DATABASE_URL", "mysql://u:s3cret@h/n")], "DATABASE_URL: must begin with postgres://"),
        ] {
            let refusal = refusal(pairs);
            assert!(refusal.starts_with(reason), "{refusal}");
            assert!(!refusal.contains("s3cret") && !refusal.contains('\n'), "{refusal}");
        }
    }

    #[test]
    fn a_host_is_a_name_or_an_address() {
        for host in ["db", "db.example.", "my_db-1", "dätenbank", "10.0.0.1", "::1", "[::1]", "fe80::1"] {
            assert_eq!(values(&[("DB_PASSWORD", "-"), ("DB_HOST", host)])[0], ("db_host".into(), host.into()));
        }
    }

    #[test]
    fn variables_of_another_name_have_no_effect() {
        let warnings = |name: &str| undeclared(&manifest(DECLARED), &env(&[(name, "x")]));
        for name in ["SPIN_VARIABLE_GREETING", "SPIN_VARIABLE_GREETING_FILE", "SPIN_VARIABLE_THEME_FILE", "GREETNG"] {
            assert_eq!(warnings(name), [""; 0], "{name}");
        }
        assert_eq!(
            warnings("SPIN_VARIABLE_GREETNG"),
            [
                "SPIN_VARIABLE_GREETNG has no effect: the application has no variable \"greetng\": did you mean \"greeting\"?"
            ]
        );
        assert_eq!(
            warnings("SPIN_VARIABLE_X"),
            ["SPIN_VARIABLE_X has no effect: the application has no variable \"x\""]
        );
    }

    #[test]
    fn a_required_variable_names_what_to_set() {
        let manifest = manifest("api_key = { required = true }");
        let error = resolve(&manifest, &env(&[]), None).unwrap_err().to_string();
        assert_eq!(error, "the variable \"api_key\" has no value: set SPIN_VARIABLE_API_KEY");
    }

    #[cfg(unix)]
    #[test]
    fn a_value_that_is_no_text_is_refused() {
        use std::os::unix::ffi::OsStringExt;

        let env = Environment::from_iter([("DB_PASSWORD", OsString::from_vec(vec![b's', 0xff]))]);
        let error = resolve(&manifest(DECLARED), &env, None).unwrap_err().to_string();
        assert_eq!(error, "DB_PASSWORD is not UTF-8");
    }

    #[test]
    fn no_part_of_an_address_is_dropped_silently() {
        let manifest = manifest("db_host = { default = 'x' }");
        let env = env(&[("DATABASE_URL", "postgres://h?sslmode=verify-full")]);
        let error = format!("{:#}", resolve(&manifest, &env, None).unwrap_err());
        assert!(
            error.starts_with(
                "DATABASE_URL has a part for the variable \"db_options\", which spin.toml does not declare"
            )
        );
    }

    #[test]
    fn an_application_without_a_database_ignores_the_address() {
        let manifest = manifest("greeting = { default = 'x' }");
        let values = resolve(&manifest, &env(&[("DATABASE_URL", "not one"), ("DB_HOST", "h")]), None).unwrap();
        assert_eq!(values, [("greeting".to_owned(), "x".to_owned())].into());
    }

    #[test]
    fn the_embedded_database_takes_the_addresss_place() {
        let url = "postgres://postgres:pw@127.0.0.1:4000/postgres?sslmode=disable";
        let values = resolve(&manifest(DECLARED), &env(&[]), Some(url)).unwrap();
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
}
