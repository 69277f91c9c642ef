//! The component's configuration: Spin variables, read once per instance.

use std::net::Ipv6Addr;
use std::sync::OnceLock;

use connection_string::Parameters;
use http::Uri;
use http::uri::Scheme;
use wiki_types::Mode;

/// Where the database is, and who may use the wiki.
///
/// | variable | default in spin.toml | meaning |
/// |---|---|---|
/// | `db_host` | `localhost` | host name or address, IPv6 in brackets or without |
/// | `db_port` | `5432` | TCP port |
/// | `db_name` | `wikidb` | database |
/// | `db_user` | `postgres` | role |
/// | `db_password` | `postgres`, secret | its password |
/// | `db_options` | none | further [connection parameters], as `key=value` pairs |
/// | `db_read_host` | `replica.invalid`, which is none | host name or address of a replica of the database, for reads that may be a moment old |
/// | `db_read_port` | `5432` | its TCP port |
/// | `access` | `open` | who reads and writes without an account: `open`, `public-read` or `private` |
/// | `admin_username` | `admin` | username of the first administrator, whose account is made when they first sign in |
/// | `admin_password` | none, secret | their password until they change it; without one, there is no such account |
/// | `max_file_size` | `25MB` | the most bytes of a file: a number with kB, MB or GB |
/// | `space_file_quota` | `10GB` | the most bytes of the files of a space |
/// | `file_quota` | `10GB` | the most bytes of all files together |
///
/// [connection parameters]: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
#[derive(Clone, PartialEq, Eq)]
pub struct Config {
    /// The connection string of the database, as `key='value'` pairs.
    pub address: String,
    /// The same of its replica, if there is one.
    pub replica: Option<String>,
    /// What the wiki allows without an account.
    pub mode: Mode,
    /// The username of the first administrator.
    pub admin_username: String,
    /// Their first password. With an empty one there is no first administrator.
    pub admin_password: String,
    /// The most bytes of a file.
    pub max_file_size: u64,
    /// The most bytes of the files of a space.
    pub space_file_quota: u64,
    /// The most bytes of all files together.
    pub file_quota: u64,
}

/// Seconds to wait for the database before a request is answered 503. `db_options` may set another.
const CONNECT_TIMEOUT: u8 = 5;

/// The host that stands for no replica: a name that never leads anywhere (RFC 6761), since the hosts that the wiki may reach are made of
/// it.
const NO_REPLICA: &str = "replica.invalid";

/// What the connection to a replica has in addition, and `db_options` cannot change: a second at most to reach it, and three for it to
/// confirm what it was sent. It is near, and a request that waits for it could be answered by the primary.
const REPLICA_OPTIONS: &str = "connect_timeout=1 tcp_user_timeout=3 target_session_attrs=any";

impl Config {
    /// The configuration of this instance, read from the host at the first call.
    ///
    /// Fails with what is wrong with which variable. The next call tries again.
    pub fn load() -> Result<&'static Self, String> {
        static CONFIG: OnceLock<Config> = OnceLock::new();
        if let Some(config) = CONFIG.get() {
            return Ok(config);
        }
        let config = Self::from_variables(variable)?;
        Ok(CONFIG.get_or_init(|| config))
    }

    fn from_variables(get: impl Fn(&str) -> Result<String, String>) -> Result<Self, String> {
        let parameters = Self::parameters(&get, get("db_host")?, get("db_port")?)?;
        let options = get("db_options")?;
        let address = format!("{parameters} connect_timeout={CONNECT_TIMEOUT} {options}").trim().to_owned();
        // A typing error must not open a wiki that was meant to be closed: every request fails instead.
        let mode =
            get("access")?.parse().map_err(|()| "variable access: must be one of open, public-read and private")?;
        let size = |name: &str| {
            let text = get(name)?;
            Self::size(&text).ok_or_else(|| format!("variable {name}: {text:?} must be a size such as 25MB"))
        };
        Ok(Self {
            address,
            replica: Self::replica(&get, &options)?,
            mode,
            admin_username: get("admin_username")?,
            admin_password: get("admin_password")?,
            max_file_size: size("max_file_size")?,
            space_file_quota: size("space_file_quota")?,
            file_quota: size("file_quota")?,
        })
    }

    /// The connection parameters of the database at a host and port.
    fn parameters(
        get: impl Fn(&str) -> Result<String, String>,
        host: String,
        port: String,
    ) -> Result<Parameters, String> {
        let address = Self::ipv6(&host);
        let mut parameters = Parameters::from_variables(|name| match (name, address) {
            ("db_host", Some(address)) => Ok(format!("[{address}]")),
            ("db_host", None) => Ok(host.clone()),
            ("db_port", _) => Ok(port.clone()),
            _ => get(name),
        })?;
        if let Some(address) = address {
            parameters.push("hostaddr", address.to_string());
        }
        Ok(parameters)
    }

    /// The connection string of the replica. A wrong value is found here: nobody would notice a replica that is never reached.
    fn replica(get: impl Fn(&str) -> Result<String, String>, options: &str) -> Result<Option<String>, String> {
        let (host, port) = (get("db_read_host")?, get("db_read_port")?);
        if host.is_empty() || host == NO_REPLICA {
            return Ok(None);
        }
        let is_name = host.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'));
        if !is_name && Self::ipv6(&host).is_none() {
            let form = "must be the name or the address of a host, without a port";
            return Err(format!("variable db_read_host: {host:?} {form}"));
        }
        if !port.parse::<u16>().is_ok_and(|port| port > 0) {
            return Err(format!("variable db_read_port: {port:?} must be a port, a number from 1 to 65535"));
        }
        let parameters = Self::parameters(get, host, port)?;
        Ok(Some(format!("{parameters} {options} {REPLICA_OPTIONS}")))
    }

    /// The bytes that `text` names: a number, and a unit of a thousand bytes or more.
    fn size(text: &str) -> Option<u64> {
        let text = text.trim();
        let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
        let factor = match &*unit.trim().to_ascii_lowercase() {
            "" | "b" => 1,
            "kb" => 1000,
            "mb" => 1000_u64.pow(2),
            "gb" => 1000_u64.pow(3),
            "tb" => 1000_u64.pow(4),
            "kib" => 1 << 10,
            "mib" => 1 << 20,
            "gib" => 1 << 30,
            "tib" => 1 << 40,
            _ => return None,
        };
        // PostgreSQL counts in 63 bits.
        number.parse::<u64>().ok()?.checked_mul(factor).filter(|size| i64::try_from(*size).is_ok())
    }

    /// The IPv6 address that `host` is, in brackets or without.
    ///
    /// Spin compares a host as it stands in a URL, in brackets, and connects to it as it stands in no URL. So it gets both.
    fn ipv6(host: &str) -> Option<Ipv6Addr> {
        host.trim_start_matches('[').trim_end_matches(']').parse().ok()
    }
}

/// How events get to consumers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventsMode {
    /// The relay hands them to the consumers in the same process.
    Inline,
    /// The relay publishes them to a Dapr sidecar.
    Dapr,
    /// Something else reads them from the table `outbox`, such as Debezium. The relay hands nothing on.
    Cdc,
}

impl EventsMode {
    /// The value of the variable.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inline => "inline",
            Self::Dapr => "dapr",
            Self::Cdc => "cdc",
        }
    }
}

/// How events are delivered: the variables of the component `events`. The component `wiki` has none of them.
///
/// | variable | default in spin.toml | meaning |
/// |---|---|---|
/// | `events` | `inline` | who moves events: `inline`, `dapr` or `cdc`, see [`EventsMode`] |
/// | `events_token` | none, secret | what callers of `/-/…` send; without one, nobody may call, except wiki-runner's timer |
/// | `dapr_url` | `http://127.0.0.1:3500` | the sidecar's HTTP port: Dapr's default |
/// | `dapr_api_token` | none, secret | what the sidecar wants to be sent, if anything |
/// | `dapr_pubsub` | `wasiki-pubsub` | the name of the Dapr component that events are published to |
/// | `mail_url`, `mail_from`, `mail_token`, `wiki_url` | none | how mail is sent, see [`Mailing`] |
#[derive(Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Who moves events.
    pub mode: EventsMode,
    /// What callers of the routes for events send.
    pub token: String,
    /// The address of the Dapr sidecar.
    pub dapr_url: String,
    /// The sidecar's token.
    pub dapr_api_token: String,
    /// Dapr's name of the broker.
    pub dapr_pubsub: String,
    /// How mail is sent, if it is.
    pub mailing: Option<Mailing>,
}

impl Delivery {
    /// The configuration of this instance, read from the host at the first call.
    ///
    /// Fails with what is wrong with which variable. The next call tries again.
    pub fn load() -> Result<&'static Self, String> {
        static DELIVERY: OnceLock<Delivery> = OnceLock::new();
        if let Some(delivery) = DELIVERY.get() {
            return Ok(delivery);
        }
        let delivery = Self::from_variables(variable)?;
        Ok(DELIVERY.get_or_init(|| delivery))
    }

    fn from_variables(get: impl Fn(&str) -> Result<String, String>) -> Result<Self, String> {
        let mode = match &*get("events")? {
            "inline" => EventsMode::Inline,
            "dapr" => EventsMode::Dapr,
            "cdc" => EventsMode::Cdc,
            other => return Err(format!("variable events: {other:?} must be one of inline, dapr and cdc")),
        };
        Ok(Self {
            mode,
            token: get("events_token")?,
            dapr_url: get("dapr_url")?,
            dapr_api_token: get("dapr_api_token")?,
            dapr_pubsub: get("dapr_pubsub")?,
            mailing: Mailing::from_variables(get)?,
        })
    }
}

/// How mail is sent.
///
/// | variable | default in spin.toml | meaning |
/// |---|---|---|
/// | `mail_url` | none | where a mail is sent: to a service that takes JSON, or to a binding of the Dapr sidecar; without one, no mail is sent |
/// | `mail_from` | none | the address that mail comes from, as in `wiki@example.org` or `Wiki <wiki@example.org>` |
/// | `mail_token` | none, secret | what the service wants to be sent as a Bearer token, if anything |
/// | `wiki_url` | none | where people find the wiki: links in mail begin so |
#[derive(Clone, PartialEq, Eq)]
pub struct Mailing {
    /// Where a mail is sent.
    pub url: String,
    /// The address that it comes from.
    pub from: String,
    /// The service's token.
    pub token: String,
    /// Scheme and host of the wiki.
    pub wiki_url: String,
}

impl Mailing {
    /// None without an address to send mail to.
    fn from_variables(get: impl Fn(&str) -> Result<String, String>) -> Result<Option<Self>, String> {
        let [url, from, token, wiki_url] = ["mail_url", "mail_from", "mail_token", "wiki_url"].map(get);
        let (url, from, token, wiki_url) = (url?, from?, token?, wiki_url?);
        if url.is_empty() {
            return Ok(None);
        }
        if web_address(&url).is_none() {
            let form = "must be the address of a mail service, as in https://api.example.com/emails, or empty";
            return Err(format!("variable mail_url: {url:?} {form}"));
        }
        if !from.contains('@') || from.chars().any(char::is_control) {
            return Err(
                "variable mail_from: must be the address that mail comes from, as in wiki@example.org".to_owned()
            );
        }
        // The links below it begin at the root.
        let root = web_address(&wiki_url)
            .filter(|uri| matches!(uri.path_and_query().map(|path| path.as_str()), None | Some("/")));
        if root.is_none() {
            let form = "must be the address of this wiki, as in https://wiki.example.org, for the links in mail";
            return Err(format!("variable wiki_url: {wiki_url:?} {form}"));
        }
        Ok(Some(Self { url, from, token, wiki_url: wiki_url.trim_end_matches('/').to_owned() }))
    }

    /// Whether mail goes to a binding of a Dapr sidecar: <https://docs.dapr.io/reference/api/bindings_api/>.
    pub fn is_binding(&self) -> bool {
        self.url.contains("/v1.0/bindings/")
    }
}

/// `text`, if it is the address of something on the web.
fn web_address(text: &str) -> Option<Uri> {
    let uri: Uri = text.parse().ok()?;
    let is_web = uri.scheme().is_some_and(|scheme| *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS);
    let is_complete = is_web && uri.host().is_some_and(|host| !host.is_empty()) && !text.contains('#');
    Some(uri).filter(|_| is_complete)
}

fn variable(name: &str) -> Result<String, String> {
    spin_sdk::variables::get(name).map_err(|error| format!("variable {name}: {error}"))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// How events are delivered with these variables, and all others empty.
    pub(crate) fn delivery(variables: &[(&str, &str)]) -> Result<Delivery, String> {
        Delivery::from_variables(|name| {
            let given = variables.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
            Ok(given.unwrap_or(if name == "events" { "inline" } else { "" }).to_owned())
        })
    }

    fn config(password: &str, options: &str) -> String {
        config_at("db.example", password, options)
    }

    fn config_at(host: &str, password: &str, options: &str) -> String {
        let get = |name: &str| {
            Ok(match name {
                "db_host" => host,
                "db_port" => "5432",
                "db_name" => "wiki db",
                "db_user" => "o'neil",
                "db_password" => password,
                "db_read_host" => "replica.invalid",
                "db_read_port" => "",
                "access" => "private",
                "admin_username" | "admin_password" => "",
                "max_file_size" | "space_file_quota" | "file_quota" => "25MB",
                _ => options,
            }
            .to_owned())
        };
        Config::from_variables(get).unwrap().address
    }

    #[test]
    fn values_are_quoted() {
        assert_eq!(
            config(r"a b@/%\", "sslmode=require"),
            r"host='db.example' port='5432' dbname='wiki db' user='o\'neil' password='a b@/%\\' connect_timeout=5 sslmode=require"
        );
    }

    #[test]
    fn an_ipv6_address_is_given_in_both_forms() {
        for host in ["2001:db8::1", "[2001:db8::1]"] {
            assert_eq!(
                config_at(host, "", ""),
                r"host='[2001:db8::1]' port='5432' dbname='wiki db' user='o\'neil' hostaddr='2001:db8::1' connect_timeout=5"
            );
        }
    }

    #[test]
    fn a_replica_has_a_host_and_a_port_of_its_own() {
        let replica = |host: &str, port: &str| {
            let get = |name: &str| {
                Ok(match name {
                    "db_read_host" => host,
                    "db_read_port" => port,
                    "db_host" => "db.example",
                    "db_port" => "5432",
                    "db_user" => "wiki",
                    "db_options" => "sslmode=require connect_timeout=9",
                    "access" => "open",
                    "max_file_size" | "space_file_quota" | "file_quota" => "1",
                    _ => "",
                }
                .to_owned())
            };
            Config::from_variables(get).map(|config| config.replica)
        };
        for host in ["replica.invalid", ""] {
            assert!(replica(host, "").is_ok_and(|replica| replica.is_none()), "{host}");
        }
        let options = "sslmode=require connect_timeout=9 connect_timeout=1 tcp_user_timeout=3 target_session_attrs=any";
        assert_eq!(
            replica("ro.example", "5433").ok().flatten(),
            Some(format!("host='ro.example' port='5433' user='wiki' {options}"))
        );
        let address = replica("2001:db8::1", "5432").ok().flatten().unwrap();
        assert!(
            address.starts_with("host='[2001:db8::1]' port='5432' user='wiki' hostaddr='2001:db8::1' "),
            "{address}"
        );
        for (host, port, name) in [
            ("ro.example:5432", "5432", "db_read_host"),
            ("a,b", "5432", "db_read_host"),
            ("/run/postgresql", "5432", "db_read_host"),
            ("ro.example", "", "db_read_port"),
            ("ro.example", "0", "db_read_port"),
            ("ro.example", "65536", "db_read_port"),
            ("ro.example", "5432,5433", "db_read_port"),
        ] {
            let error = replica(host, port).err().unwrap_or_default();
            assert!(error.starts_with(&format!("variable {name}: ")), "{host}:{port}: {error}");
        }
    }

    #[test]
    fn an_empty_password_is_left_out() {
        assert!(!config("", "").contains("password"));
    }

    #[test]
    fn a_mode_that_does_not_exist_opens_nothing() {
        for (access, mode) in
            [("open", Some(Mode::Open)), ("public-read", Some(Mode::PublicRead)), ("Open", None), ("", None)]
        {
            let get = |name: &str| {
                Ok(match name {
                    "access" => access,
                    "max_file_size" | "space_file_quota" | "file_quota" => "1",
                    _ => "",
                }
                .to_owned())
            };
            assert_eq!(Config::from_variables(get).ok().map(|config| config.mode), mode, "{access}");
        }
    }

    #[test]
    fn sizes_are_numbers_with_units() {
        for (text, size) in [
            ("25MB", Some(25_000_000)),
            ("25 mb", Some(25_000_000)),
            ("16MiB", Some(16 << 20)),
            ("300", Some(300)),
            ("0", Some(0)),
            ("10GB", Some(10_000_000_000)),
            ("", None),
            ("MB", None),
            ("-1MB", None),
            ("1.5MB", None),
            ("25XB", None),
            ("9999999999TB", None),
        ] {
            assert_eq!(Config::size(text), size, "{text}");
        }
    }

    #[test]
    fn a_mode_of_events_that_does_not_exist_is_refused() {
        let load = |events| delivery(&[("events", events)]);
        assert_eq!(load("cdc").ok().map(|delivery| delivery.mode), Some(EventsMode::Cdc));
        let refused = load("kafka").err();
        assert_eq!(refused.as_deref(), Some("variable events: \"kafka\" must be one of inline, dapr and cdc"));
    }

    #[test]
    fn mail_is_sent_if_all_of_it_is_there() {
        let load = |changed: (&'static str, &'static str)| {
            let all = [
                ("mail_url", "https://api.example.com/emails"),
                ("mail_from", "Wiki <wiki@example.org>"),
                ("wiki_url", "https://wiki.example.org/"),
            ];
            let variables = all.map(|(name, value)| if name == changed.0 { changed } else { (name, value) });
            delivery(&variables).map(|delivery| delivery.mailing)
        };
        let mailing = load(("", "")).ok().flatten().unwrap();
        assert_eq!((&*mailing.wiki_url, mailing.is_binding()), ("https://wiki.example.org", false));
        assert!(load(("mail_url", "http://127.0.0.1:3500/v1.0/bindings/mail")).ok().flatten().unwrap().is_binding());
        assert!(load(("mail_url", "")).is_ok_and(|mailing| mailing.is_none()));
        for (name, value) in [
            ("mail_url", "api.example.com"),
            ("mail_url", "/emails"),
            ("mail_url", "smtp://mail.example.com"),
            ("mail_url", "https://"),
            ("mail_from", ""),
            ("mail_from", "wiki"),
            ("mail_from", "wiki@example.org\r\nBcc: eve@example.org"),
            ("wiki_url", ""),
            ("wiki_url", "wiki.example.org"),
            ("wiki_url", "https://example.org/wiki"),
            ("wiki_url", "https://wiki.example.org/?a"),
        ] {
            let error = load((name, value)).err().unwrap_or_default();
            assert!(error.starts_with(&format!("variable {name}: ")), "{name} = {value:?}: {error}");
        }
    }

    #[test]
    fn a_missing_variable_is_named() {
        let config = Config::from_variables(|name| Err(format!("variable {name}: undefined")));
        assert_eq!(config.err().as_deref(), Some("variable db_host: undefined"));
    }
}
