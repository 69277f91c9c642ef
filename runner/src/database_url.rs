//! `DATABASE_URL` taken apart into the application's database variables.

use std::collections::BTreeMap;
use std::str::FromStr;

use anyhow::{anyhow, bail, ensure};
use connection_string::{Parameters, VARIABLES};
use percent_encoding::percent_decode_str;
use url::Url;

/// A database's address: the variables `db_host`, `db_port`, `db_name`, `db_user`, `db_password` for its parts and
/// `db_options` for its query's further parameters, as libpq's `key='value'` pairs.
// No Debug: it holds a password.
pub struct DatabaseUrl(BTreeMap<&'static str, String>);

impl DatabaseUrl {
    /// The part for a variable, without percent-encoding, if the address has it.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The variables the address has parts for.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.0.keys().copied()
    }
}

impl FromStr for DatabaseUrl {
    type Err = anyhow::Error;

    /// Reads `postgres://user:password@host:port/name?parameter=value`, any part of which may be missing.
    ///
    /// Parameters may also give the parts, as libpq has it. Fails, without showing the address, when it is malformed,
    /// names several hosts, or a Unix socket.
    fn from_str(text: &str) -> anyhow::Result<Self> {
        let url = Url::parse(text).map_err(|error| anyhow!("{}", malformed(text, error)))?;
        ensure!(
            ["postgres", "postgresql"].contains(&url.scheme()),
            "must begin with postgres://, as in postgres://user:password@host:5432/name"
        );
        ensure!(text.contains("://"), "must begin with postgres://, as in postgres://user:password@host:5432/name");
        ensure!(url.fragment().is_none(), "has a bare #: write it as %23");
        // A bare slash in the password ends the host early and leaves the @ in the path.
        ensure!(
            !url.path().contains('@'),
            "has a bare / or @ in the user, password or name: write / as %2F and @ as %40"
        );

        let mut parts = Self(BTreeMap::new());
        let host = url.host_str().unwrap_or_default();
        parts.set("db_host", decode("host", host.trim_start_matches('[').trim_end_matches(']'))?);
        parts.set("db_port", url.port().map(|port| port.to_string()).unwrap_or_default());
        parts.set("db_name", decode("name", url.path().strip_prefix('/').unwrap_or_default())?);
        parts.set("db_user", decode("user", url.username())?);
        parts.set("db_password", decode("password", url.password().unwrap_or_default())?);
        let mut options = Parameters::default();
        for (key, value) in Parameters::from_query(url.query().unwrap_or_default())?.iter() {
            match VARIABLES.iter().find(|(parameter, _)| *parameter == key) {
                Some((_, variable)) => parts.set(variable, value.to_owned()),
                None => {
                    ensure!(
                        !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'),
                        "has a malformed parameter name: it may contain only letters, digits and underscores"
                    );
                    options.push(key, value);
                }
            }
        }
        parts.set("db_options", options.to_string());
        parts.check()?;
        Ok(parts)
    }
}

impl DatabaseUrl {
    /// Empty parts count as missing.
    fn set(&mut self, name: &'static str, value: String) {
        if !value.is_empty() {
            self.0.insert(name, value);
        }
    }

    fn check(&self) -> anyhow::Result<()> {
        if let Some(host) = self.variable("db_host") {
            ensure!(!host.starts_with('/'), "names a Unix socket, which is not supported: name the database's host");
            ensure!(!host.contains(','), "names several hosts: name one");
        }
        if let Some(port) = self.variable("db_port") {
            ensure!(
                port.parse::<u16>().is_ok_and(|port| port > 0),
                "has a malformed port: it must be a number from 1 to 65535"
            );
        }
        match self.0.values().any(|value| value.contains('\0')) {
            true => bail!("has a NUL character (%00), which PostgreSQL cannot take"),
            false => Ok(()),
        }
    }
}

fn decode(part: &str, text: &str) -> anyhow::Result<String> {
    let text = percent_decode_str(text).decode_utf8();
    Ok(text.map_err(|_| anyhow!("has a {part} that is not UTF-8 once percent-decoded"))?.into_owned())
}

/// What is wrong with an address that is no URL, in words that help; `error` alone says little.
fn malformed(text: &str, error: url::ParseError) -> String {
    let advice = match error {
        url::ParseError::RelativeUrlWithoutBase => "it must begin with postgres://",
        url::ParseError::InvalidPort if text.contains(',') => "only one host can be named",
        url::ParseError::InvalidPort => "a password with / ? # @ or : in it must have them written %2F %3F %23 %40 %3A",
        url::ParseError::EmptyHost => "after a user it must name a host",
        _ => "it must look like postgres://user:password@host:5432/name",
    };
    format!("is malformed ({error}): {advice}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parts(url: &str) -> Vec<(&'static str, String)> {
        url.parse::<DatabaseUrl>().unwrap().0.into_iter().collect()
    }

    fn refusal(url: &str) -> String {
        match url.parse::<DatabaseUrl>() {
            Ok(_) => panic!("{url} was taken"),
            Err(error) => format!("{error:#}"),
        }
    }

    #[test]
    fn every_part_is_read() {
        let url =
            "postgresql://us%40er:p%2F%25%20'@db.example:6432/my%20wiki?sslmode=require&options=-c%20x%3D%27a%5C%27";
        let expected = [
            ("db_host", "db.example"),
            ("db_name", "my wiki"),
            ("db_options", r"sslmode='require' options='-c x=\'a\\\''"),
            ("db_password", "p/% '"),
            ("db_port", "6432"),
            ("db_user", "us@er"),
        ];
        assert_eq!(parts(url), expected.map(|(n, v)| (n, v.to_owned())));
    }

    #[test]
    fn missing_parts_stay_missing() {
        assert_eq!(parts("postgres://"), []);
        assert_eq!(parts("postgres:///wiki"), [("db_name", "wiki".to_owned())]);
        assert_eq!(parts("postgres://host"), [("db_host", "host".to_owned())]);
        assert_eq!(parts("postgres://u@h/?&"), [("db_host", "h".to_owned()), ("db_user", "u".to_owned())]);
    }

    #[test]
    fn parameters_may_give_the_parts() {
        let expected = [("db_host", "h"), ("db_name", "n"), ("db_password", "p"), ("db_port", "1"), ("db_user", "u")];
        let url = "postgres:///?host=h&port=1&dbname=n&user=u&password=p";
        assert_eq!(parts(url), expected.map(|(n, v)| (n, v.to_owned())));
    }

    #[test]
    fn an_ipv6_host_loses_its_brackets() {
        assert_eq!(parts("postgres://[::1]:5433")[0], ("db_host", "::1".to_owned()));
        assert_eq!(parts("postgres://[fe80::1]")[0], ("db_host", "fe80::1".to_owned()));
    }

    #[test]
    fn malformed_addresses_are_refused_without_showing_them() {
        for (url, reason) in [
            ("host=secret", "is malformed (relative URL without a base): it must begin with postgres://"),
            ("postgres://secret@/n", "is malformed (empty host): after a user it must name a host"),
            ("postgres:secret", "must begin with postgres://"),
            ("mysql://secret@h", "must begin with postgres://"),
            ("postgres://u:1#secret@h", "has a bare #"),
            ("postgres://u:secret#1@h", "is malformed (invalid port number): a password with"),
            ("postgres://u:secret/1@h/n", "is malformed (invalid port number): a password with"),
            ("postgres://u:1/secret@h/n", "has a bare / or @"),
            ("postgres://secret:p@h:port", "is malformed (invalid port number)"),
            ("postgres://secret:p@h:0/n", "has a malformed port"),
            ("postgres://secret:p@h:99999/n", "is malformed (invalid port number)"),
            ("postgres://secret:p@h1:1,h2:2/n", "is malformed (invalid port number): only one host"),
            ("postgres://secret:p@h1,h2/n", "names several hosts"),
            ("postgres://secret:p@%2Fvar%2Frun/n", "names a Unix socket"),
            ("postgres:///n?password=secret&host=/var/run", "names a Unix socket"),
            ("postgres://secret:p@[::1/n", "is malformed (invalid IPv6 address)"),
            ("postgres://u:%FFsecret@h", "has a password that is not UTF-8"),
            ("postgres://u:secret%00@h", "has a NUL character"),
            ("postgres://u:secret@h?sslmode", "has a parameter without a value"),
            ("postgres://u:secret@h?a%20b=c", "has a malformed parameter name"),
        ] {
            let refusal = refusal(url);
            assert!(refusal.starts_with(reason), "{url}: {refusal}");
            assert!(!refusal.contains("secret"), "{refusal}");
        }
    }

    proptest! {
        #[test]
        fn encoded_parts_come_back(user in "[^\\x00]+", password in "[^\\x00]+", name in "[^\\x00]+", value in "[^\\x00]*") {
            // Segments of these names mean folders, encoded or not (URL Standard, "double-dot URL path segment").
            prop_assume!(!matches!(name.as_str(), "." | ".."));
            let encode = |text: &str| {
                percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
            };
            let (u, p, n, v) = (encode(&user), encode(&password), encode(&name), encode(&value));
            let url: DatabaseUrl = format!("postgres://{u}:{p}@h:1/{n}?application_name={v}").parse().unwrap();
            prop_assert_eq!(url.variable("db_user"), Some(user.as_str()));
            prop_assert_eq!(url.variable("db_password"), Some(password.as_str()));
            prop_assert_eq!(url.variable("db_name"), Some(name.as_str()));
            let config: tokio_postgres::Config = url.variable("db_options").unwrap().parse().unwrap();
            prop_assert_eq!(config.get_application_name().unwrap_or_default(), value.as_str());
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*|postgres://[a-z:@/?#%&=\\[\\]0-9,.]*") {
            let _ = text.parse::<DatabaseUrl>();
        }
    }
}
