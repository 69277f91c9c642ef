//! The address a guest connects to, in either of libpq's forms, read and checked before anything is connected.
//!
//! The driver knows fewer parameters than libpq, and its messages quote what it does not know, which may be part of a
//! password. So the parameters are sorted here first: some are for the driver, some for [`super::tls`], some refused.

use std::net::Ipv6Addr;
use std::time::Duration;

use connection_string::Parameters;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, SslNegotiation};

use super::tls::Verify;
use crate::config::allowed_hosts::AllowedHosts;

/// A database to connect to.
#[derive(Debug, Clone)]
pub struct Address {
    /// For the driver; complete but for limits the settings impose.
    pub config: Config,
    /// What TLS verifies, if it is used.
    pub verify: Verify,
    /// `sslrootcert=system`.
    pub system_authorities: bool,
    /// What is really connected to, in the order it is tried.
    endpoints: Vec<(String, u16)>,
}

/// Why an address cannot be used; the message never has a part of the password.
pub type Refusal = String;

/// Further than this apart, a firewall on the way may have forgotten the connection.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(60);

impl Address {
    /// The address that `text` describes, `postgres://…` or `host=… user=…`. Fails on what cannot be parsed, on Unix
    /// sockets and on parameters that would read files of this machine.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let mut own = Own::default();
        let malformed = |malformed| format!("it {malformed}");
        let rest = if ["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme)) {
            let (base, query) = split_url(text)?;
            let parameters = Parameters::from_query(query).map_err(malformed)?;
            format!("{base}?{}", own.take_from(&parameters)?.to_query())
        } else {
            own.take_from(&Parameters::from_pairs(text).map_err(malformed)?)?.to_string()
        };
        // Every parameter's name is known by now, and the driver's messages quote nothing else.
        let mut config: Config = rest.parse().map_err(|error| refusal(&error))?;
        let verify = own.verify(&mut config)?;
        if !own.keepalives_idle {
            config.keepalives_idle(KEEPALIVE_IDLE);
        }
        let endpoints = endpoints(&config)?;
        if config.get_hosts().is_empty() {
            // TLS needs a name to ask for.
            let addresses = config.get_hostaddrs().to_vec();
            addresses.iter().for_each(|address| {
                config.host(address.to_string());
            });
        }
        if config.get_ssl_negotiation() == SslNegotiation::Direct && config.get_ssl_mode() != SslMode::Require {
            return Err("sslnegotiation=direct needs sslmode=require, verify-ca or verify-full".into());
        }
        Ok(Self { config, verify, system_authorities: own.system_authorities, endpoints })
    }

    /// Fails unless `allowed` permits every host the connection may go to.
    pub fn check(&self, allowed: &AllowedHosts) -> Result<(), Refusal> {
        match self.endpoints.iter().find(|(host, port)| !allowed.permits("postgres", host, *port)) {
            None => Ok(()),
            Some((host, port)) => {
                let at = at(host, *port);
                Err(format!("{at} is not permitted: add \"postgres://{at}\" to allowed_outbound_hosts in the manifest"))
            }
        }
    }

    /// Where the connection goes, as `host:port` with commas between: for messages.
    pub fn endpoints(&self) -> String {
        self.endpoints.iter().map(|(host, port)| at(host, *port)).collect::<Vec<_>>().join(",")
    }

    /// Has the server stop statements after `limit`, unless the address says something about that itself.
    pub fn limit_statements(&mut self, limit: Duration) {
        let options = self.config.get_options().unwrap_or_default();
        if !options.replace('-', "_").to_ascii_lowercase().contains("statement_timeout") {
            let options = format!("-c statement_timeout={} {options}", limit.as_millis());
            self.config.options(options.trim_end());
        }
    }
}

fn at(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

fn refusal(error: &dyn std::error::Error) -> Refusal {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// The parameters this module acts on itself.
#[derive(Default)]
struct Own {
    sslmode: Option<String>,
    system_authorities: bool,
    keepalives_idle: bool,
}

impl Own {
    /// Takes the parameters that are not the driver's out of `given`.
    fn take_from(&mut self, given: &Parameters) -> Result<Parameters, Refusal> {
        let mut rest = Parameters::default();
        for (index, (name, value)) in given.iter().enumerate() {
            match name {
                "sslmode" => self.sslmode = Some(value.to_owned()),
                "sslrootcert" if value == "system" => self.system_authorities = true,
                "host" => rest.push(name, without_brackets(value)),
                "user"
                | "password"
                | "dbname"
                | "options"
                | "application_name"
                | "hostaddr"
                | "port"
                | "connect_timeout"
                | "tcp_user_timeout"
                | "keepalives"
                | "keepalives_idle"
                | "keepalives_interval"
                | "keepalives_retries"
                | "target_session_attrs"
                | "channel_binding"
                | "load_balance_hosts"
                | "sslnegotiation" => {
                    self.keepalives_idle |= name == "keepalives_idle";
                    rest.push(name, value);
                }
                "sslrootcert" | "sslcert" | "sslkey" | "sslcrl" | "sslcrldir" | "sslkeylogfile" | "passfile"
                | "service" | "servicefile" => {
                    return Err(format!(
                        "the parameter {name} names a file of the host, which a component may not read; \
                         certificate authorities are set with RUNNER_PG_CA_FILE or sslrootcert=system"
                    ));
                }
                _ => {
                    // Not by name: it may be a piece of a password.
                    return Err(format!(
                        "parameter {} is unknown; in key=value form, put values with spaces into single quotes, \
                         in a URL write reserved characters with %",
                        index + 1
                    ));
                }
            }
        }
        Ok(rest)
    }

    /// Sets whether the driver encrypts, and returns what is left to verify then.
    fn verify(&self, config: &mut Config) -> Result<Verify, Refusal> {
        // libpq: "weak sslmode" is refused with the system's authorities, because anyone can get a certificate from them.
        let sslmode = match self.sslmode.as_deref() {
            None if self.system_authorities => "verify-full",
            None => "prefer",
            Some(weak) if self.system_authorities && weak != "verify-full" => {
                return Err("sslrootcert=system needs sslmode=verify-full".into());
            }
            Some(mode) => mode,
        };
        let (mode, verify) = match sslmode {
            "disable" => (SslMode::Disable, Verify::Nothing),
            "allow" | "prefer" => (SslMode::Prefer, Verify::Nothing),
            "require" => (SslMode::Require, Verify::Nothing),
            "verify-ca" => (SslMode::Require, Verify::Chain),
            "verify-full" => (SslMode::Require, Verify::ChainAndName),
            _ => return Err("sslmode must be disable, allow, prefer, require, verify-ca or verify-full".into()),
        };
        config.ssl_mode(mode);
        Ok(verify)
    }
}

/// `hosts` with IPv6 addresses as the driver and libpq want them here. With brackets, as in a URL, they work in
/// `allowed_outbound_hosts`, and so in the variables that both are made of.
fn without_brackets(hosts: &str) -> String {
    let bare = |host: &str| {
        let inner = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        inner.filter(|inner| inner.parse::<Ipv6Addr>().is_ok()).unwrap_or(host).to_owned()
    };
    hosts.split(',').map(bare).collect::<Vec<_>>().join(",")
}

/// `url` up to its query, and the query.
fn split_url(url: &str) -> Result<(&str, &str), Refusal> {
    // The driver looks for the user's end first, then for the query; so must this.
    let credentials = url.find('@').map_or(0, |at| at + 1);
    let (base, query) = match url[credentials..].find('?') {
        Some(at) => (&url[..credentials + at], &url[credentials + at + 1..]),
        None => (url, ""),
    };
    if base[credentials..].contains('@') {
        return Err("there are two @ in the URL: write the one in the user name or password as %40".into());
    }
    Ok((base, query))
}

/// What the driver will connect to: its own rules of matching hosts, addresses and ports.
fn endpoints(config: &Config) -> Result<Vec<(String, u16)>, Refusal> {
    let (hosts, addresses, ports) = (config.get_hosts(), config.get_hostaddrs(), config.get_ports());
    let count = hosts.len().max(addresses.len());
    if count == 0 {
        return Err("it names no host".into());
    }
    if !hosts.is_empty() && !addresses.is_empty() && hosts.len() != addresses.len() {
        return Err(format!("it has {} hosts but {} hostaddr", hosts.len(), addresses.len()));
    }
    if ports.len() > 1 && ports.len() != count {
        return Err(format!("it has {count} hosts but {} ports", ports.len()));
    }
    if hosts.iter().any(|host| matches!(host, Host::Unix(_))) {
        return Err("a Unix socket cannot be reached from a component; name a host".into());
    }
    (0..count)
        .map(|index| {
            let host = match (addresses.get(index), hosts.get(index)) {
                (Some(address), _) => address.to_string(),
                (None, Some(Host::Tcp(host))) => host.clone(),
                _ => return Err("it names no host".into()),
            };
            let valid = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
            if host.is_empty() || !host.chars().all(valid) {
                // Not quoted: where a password has a reserved character, its end is taken for the host.
                return Err("the host is not a valid name; in a URL write reserved characters with %".into());
            }
            let port = ports.get(index).or(ports.first()).copied().unwrap_or(5432);
            Ok((host, port))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn endpoints_of(text: &str) -> String {
        Address::parse(text).unwrap().endpoints()
    }

    fn check(text: &str, allowed: &[&str]) -> Result<(), Refusal> {
        Address::parse(text)?.check(&AllowedHosts::parse(allowed).unwrap())
    }

    #[test]
    fn both_forms_are_understood() {
        assert_eq!(endpoints_of("postgres://u:p@db.example/wiki"), "db.example:5432");
        assert_eq!(endpoints_of("postgresql://u@db.example:5433"), "db.example:5433");
        assert_eq!(endpoints_of("postgres://u@[::1]:5433/x"), "[::1]:5433");
        assert_eq!(endpoints_of("host=db.example user=u"), "db.example:5432");
        assert_eq!(endpoints_of("host = 'db.example'  port=1 user=u"), "db.example:1");
        assert_eq!(endpoints_of("host=a,b port=1,2 user=u"), "a:1,b:2");
        assert_eq!(endpoints_of("host=::1 user=u"), "[::1]:5432");
        assert_eq!(endpoints_of("host='[::1]' user=u"), "[::1]:5432");
        assert_eq!(endpoints_of("host=a,[fd00::2] port=1,2 user=u"), "a:1,[fd00::2]:2");
        assert_eq!(endpoints_of("postgres://u@/x?host=[::1]"), "[::1]:5432");
        assert_eq!(endpoints_of("postgres://u@a:1,b:2/x"), "a:1,b:2");
    }

    #[test]
    fn passwords_come_through_whole() {
        for (text, password) in [
            (r"host=h user=u password='it\'s a \\ secret' dbname=d", r"it's a \ secret"),
            (r"host=h user=u password=a\ b", "a b"),
            ("host=h user=u password=''", ""),
            ("postgres://u:a%40b%2Fc%3Fd%25@h/d?sslmode=disable", "a@b/c?d%"),
            ("postgres://u:a/b?c@h/d", "a/b?c"),
        ] {
            let address = Address::parse(text).unwrap();
            assert_eq!(address.config.get_password(), Some(password.as_bytes()), "{text}");
            assert_eq!(address.endpoints(), "h:5432");
        }
    }

    #[test]
    fn no_message_has_a_part_of_the_password() {
        for text in [
            "host=h password=se cret user=u",
            "host=h password=se cret=1 user=u",
            "host=h password='secret",
            "host=h user=u password=x secret",
            "postgres://u:se@cret@h/d",
            "postgres://u:pw/se@cret@h/d",
            "postgres://u:se@cret:x/d",
            "postgres://u:secret@h/d?secret",
            "postgres://u:secret@h/d?secret=1",
            "postgres://u:secret@h:port/d",
            "postgres://u@/d?password=secret",
            "host=h hostaddr=secret",
            "host=h port=secret",
            "host=h sslmode=secret",
        ] {
            let message = match Address::parse(text) {
                Err(message) => message,
                Ok(address) => address.check(&AllowedHosts::default()).unwrap_err(),
            };
            assert!(!message.contains("cret"), "{text}: {message}");
            assert!(!format!("{:?}", Address::parse(text)).contains("\"secret\""), "{text}");
        }
    }

    #[test]
    fn sslmode_decides_what_is_verified() {
        for (parameters, mode, verify) in [
            ("", SslMode::Prefer, Verify::Nothing),
            ("sslmode=disable", SslMode::Disable, Verify::Nothing),
            ("sslmode=allow", SslMode::Prefer, Verify::Nothing),
            ("sslmode=prefer", SslMode::Prefer, Verify::Nothing),
            ("sslmode=require", SslMode::Require, Verify::Nothing),
            ("sslmode=verify-ca", SslMode::Require, Verify::Chain),
            ("sslmode=verify-full", SslMode::Require, Verify::ChainAndName),
            ("sslrootcert=system", SslMode::Require, Verify::ChainAndName),
        ] {
            for text in [format!("host=h user=u {parameters}"), format!("postgres://u@h/d?{parameters}")] {
                let address = Address::parse(&text).unwrap();
                assert_eq!((address.config.get_ssl_mode(), address.verify), (mode, verify), "{text}");
            }
        }
        for parameters in
            ["sslmode=VERIFY-FULL", "sslmode=no", "sslmode=require&sslrootcert=system", "sslnegotiation=direct"]
        {
            assert!(Address::parse(&format!("postgres://u@h/d?{parameters}")).is_err(), "{parameters}");
        }
    }

    #[test]
    fn what_reads_files_of_the_host_is_refused_by_name() {
        for name in ["sslrootcert", "sslcert", "sslkey", "sslcrl", "passfile", "service", "servicefile"] {
            for text in [format!("host=h user=u {name}=/etc/passwd"), format!("postgres://u@h/d?{name}=/etc/passwd")] {
                assert!(Address::parse(&text).unwrap_err().contains(name), "{text}");
            }
        }
        // Spelled with escapes, the driver would still understand it.
        assert!(Address::parse("postgres://u@h/d?pass%66ile=/etc/passwd").unwrap_err().contains("passfile"));
    }

    #[test]
    fn unix_sockets_are_refused() {
        for text in [
            "host=/var/run/postgresql user=u",
            "postgres://u@%2Fvar%2Frun/d",
            "postgres:///d?host=/var/run",
            "user=u",
            "host=h,/run",
            "",
        ] {
            assert!(Address::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_host_that_may_be_connected_to_must_be_allowed() {
        let allowed = ["postgres://good:5432", "postgres://10.0.0.1:5432"];
        for text in [
            "host=good user=u",
            "postgres://u@GOOD/d",
            "host=good hostaddr=10.0.0.1 user=u",
            "hostaddr=10.0.0.1 user=u",
        ] {
            assert_eq!(check(text, &allowed), Ok(()), "{text}");
        }
        for text in [
            "host=bad user=u",
            "host=good port=5433 user=u",
            "host=good,bad user=u",
            "host=bad,good user=u",
            "host=good,good port=5432,1 user=u",
            "host=good hostaddr=10.0.0.2 user=u",
            "hostaddr=10.0.0.2 user=u",
            "postgres://u@good/d?hostaddr=10.0.0.2",
            "postgres://u@good/d?hosta%64dr=10.0.0.2",
            "postgres://u@good/d?port=1",
            "postgres://u@good/d?host=bad",
            "postgres://good@bad/d",
        ] {
            assert!(check(text, &allowed).is_err(), "{text}");
        }
        assert_eq!(
            check("host=bad port=1 user=u", &allowed).unwrap_err(),
            "bad:1 is not permitted: add \"postgres://bad:1\" to allowed_outbound_hosts in the manifest"
        );
    }

    #[test]
    fn the_servers_limit_is_set_unless_the_address_has_one() {
        for (options, expected) in [
            (None, "-c statement_timeout=1500"),
            (Some("-c search_path=x"), "-c statement_timeout=1500 -c search_path=x"),
            (Some("-c statement_timeout=7"), "-c statement_timeout=7"),
            (Some("--statement-timeout=7"), "--statement-timeout=7"),
        ] {
            let mut address = Address::parse("host=h user=u").unwrap();
            if let Some(options) = options {
                address.config.options(options);
            }
            address.limit_statements(Duration::from_millis(1500));
            assert_eq!(address.config.get_options(), Some(expected));
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(postgres://|host=)?[ -~\u{e9}]{0,60}") {
            let _ = Address::parse(&text);
        }

        #[test]
        fn quoted_values_come_through_whole(value in "[ -~\u{e9}\u{1f600}]{0,30}") {
            let mut parameters = Parameters::from_pairs("host=h user=u").unwrap();
            parameters.push("password", value.as_str());
            let address = Address::parse(&parameters.to_string()).unwrap();
            prop_assert_eq!(address.config.get_password(), Some(value.as_bytes()));
        }
    }
}
