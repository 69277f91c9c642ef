//! The application to run: its manifest with every template expanded.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, anyhow, bail, ensure};
use http::HeaderValue;

use super::allowed_hosts::AllowedHosts;
use super::environment::Environment;
use super::manifest::{self, Manifest};
use super::template::expand;
use super::timer;
use super::variables::{self, Variables};

#[derive(Debug)]
pub struct Application {
    pub name: String,
    /// The file of its manifest.
    pub manifest: PathBuf,
    /// Routes, each with the id of its component.
    pub routes: Vec<(String, String)>,
    /// The components with a route, by id.
    pub components: BTreeMap<String, Component>,
    /// Warnings to log if the server listens on more than loopback.
    pub warnings: Vec<String>,
    /// Those of all components, whether they have been selected or not.
    pub timers: Vec<Timer>,
}

/// A timer and how its requests show that they are the runner's.
#[derive(Debug)]
pub struct Timer {
    pub timer: timer::Timer,
    pub authorization: Option<HeaderValue>,
}

/// One component and what it may use.
#[derive(Debug)]
pub struct Component {
    pub id: Arc<str>,
    /// The file with the component's WebAssembly.
    pub source: PathBuf,
    /// Environment variables of the guest.
    pub environment: Vec<(String, String)>,
    pub variables: Arc<Variables>,
    pub allowed_hosts: Arc<AllowedHosts>,
}

impl Application {
    /// The application of `manifest`, with the values of its variables from `env` and, for an embedded database, from its
    /// address `embedded`.
    ///
    /// Fails with one line that names what is missing or malformed. The line never shows a variable's value, except in a
    /// malformed entry of `allowed_outbound_hosts`, which may not contain secrets.
    pub fn resolve(manifest: Manifest, env: &Environment, embedded: Option<&str>) -> anyhow::Result<Self> {
        let file = manifest.path.display().to_string();
        let mut values = variables::resolve(&manifest, env, embedded)?;
        for warning in variables::undeclared(&manifest, env) {
            tracing::warn!("{warning}");
        }
        let timers = timers(manifest.timers, &mut values).with_context(|| format!("{file}: {}", manifest::TIMER))?;
        let secrets: BTreeSet<&str> =
            manifest.variables.iter().filter(|(_, variable)| variable.secret).map(|(name, _)| name.as_str()).collect();
        let reached: BTreeSet<&str> = manifest.routes.iter().map(|(_, component)| component.as_str()).collect();
        let mut components = BTreeMap::new();
        for (id, component) in manifest.components {
            if reached.contains(id.as_str()) {
                let component = Component::resolve(&id, component, &values, &secrets)
                    .with_context(|| format!("{file}: [component.{id}]"))?;
                components.insert(id, component);
            } else {
                tracing::warn!(component = id, "no route leads to the component: it is not loaded");
            }
        }
        let applies = |exposed: &manifest::Exposed| values.get(&exposed.variable) == Some(&exposed.value);
        let warnings = manifest.exposed.into_iter().filter(applies).map(|exposed| exposed.warning).collect();
        Ok(Self { name: manifest.name, manifest: manifest.path, routes: manifest.routes, components, warnings, timers })
    }
}

/// The timers with the values of their tokens. A token that has none is made up, for the application as well: it is then known to
/// this process alone.
///
/// Fails, without showing a value, if one cannot be sent.
fn timers(timers: Vec<timer::Timer>, values: &mut BTreeMap<String, String>) -> anyhow::Result<Vec<Timer>> {
    let with_token = |timer: timer::Timer| {
        let Some(name) = &timer.token else { return Ok(Timer { timer, authorization: None }) };
        let value = values.entry(name.clone()).or_default();
        if value.is_empty() {
            *value = made_up_token()?;
        }
        // Spaces around it would be lost on the way.
        let is_token = value.bytes().all(|byte| byte.is_ascii_graphic());
        ensure!(is_token, "token: the value of the variable {name:?} must be made of visible ASCII characters");
        let mut authorization = HeaderValue::try_from(format!("Bearer {value}"))?;
        authorization.set_sensitive(true);
        Ok(Timer { timer, authorization: Some(authorization) })
    };
    timers.into_iter().map(with_token).collect()
}

/// 256 bits from the operating system, in hexadecimal digits.
fn made_up_token() -> anyhow::Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| anyhow!("token: the system has no random numbers: {error}"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

impl Component {
    fn resolve(
        id: &str,
        component: manifest::Component,
        values: &BTreeMap<String, String>,
        secrets: &BTreeSet<&str>,
    ) -> anyhow::Result<Self> {
        let value = |name: &str| values.get(name).map(String::as_str);
        let mut variables = Vec::new();
        for (name, template) in component.variables {
            let text = expand(&template, value).with_context(|| format!("variables: {name}"))?;
            variables.push((name, text));
        }
        let mut hosts = Vec::new();
        for template in component.allowed_outbound_hosts {
            let place = || format!("allowed_outbound_hosts: {template:?}");
            let mut secret = None;
            let open = |name: &str| {
                if secrets.contains(name) {
                    secret = Some(name.to_owned());
                }
                value(name)
            };
            let host = expand(&template, open).with_context(place)?;
            if let Some(name) = secret {
                // The error for a refused connection lists the allowed hosts.
                bail!("{} uses the secret variable {name:?}, which messages would then show", place());
            }
            // Spin would refuse every connection of the component, to its database as well, and say so when it makes one.
            ensure!(
                !host.trim().is_empty(),
                "{}: its value is empty: to allow no host, name one that there is not, such as https://none.invalid",
                place()
            );
            hosts.push(host);
        }
        Ok(Self {
            id: id.into(),
            source: component.source,
            environment: component.environment.into_iter().collect(),
            variables: Arc::new(variables.into_iter().collect()),
            allowed_hosts: Arc::new(AllowedHosts::parse(&hosts).context("allowed_outbound_hosts")?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(component: &str) -> anyhow::Result<Application> {
        resolve_with(component, &[("DB_HOST", "db.example")])
    }

    fn resolve_with(component: &str, env: &[(&str, &str)]) -> anyhow::Result<Application> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("spin.toml");
        let text = format!(
            "spin_manifest_version = 2\n[application]\nname = 'shop'\n\
             [variables]\ndb_host = {{ default = 'localhost' }}\ntoken = {{ default = 's3cret', secret = true }}\n\
             empty = {{ default = '', secret = true }}\nhosts = {{ default = '' }}\n\
             [[trigger.http]]\nroute = '/...'\ncomponent = 'c'\n[component.unused]\nsource = 'u.wasm'\n\
             [component.c]\nsource = 'c.wasm'\n{component}"
        );
        std::fs::write(&file, text).unwrap();
        let mut manifest = Manifest::load(&file).unwrap();
        manifest.path = "spin.toml".into();
        let env = env.iter().copied().collect();
        Application::resolve(manifest, &env, None)
    }

    #[test]
    fn templates_are_expanded() {
        let application = resolve(
            "allowed_outbound_hosts = ['postgres://{{ db_host }}:5432']\n\
             environment = { RAW = '{{ db_host }}' }\nvariables = { key = 'Bearer {{ token }}' }",
        )
        .unwrap();
        assert_eq!(application.name, "shop");
        let component = &application.components["c"];
        assert!(component.allowed_hosts.permits("postgres", "db.example", 5432));
        assert!(!component.allowed_hosts.permits("postgres", "localhost", 5432));
        assert_eq!(component.environment, [("RAW".to_owned(), "{{ db_host }}".to_owned())], "as in Spin");
        assert_eq!(format!("{:?}", component.variables), "{\"key\"}");
        assert_eq!(application.routes, [("/...".to_owned(), "c".to_owned())]);
    }

    #[test]
    fn a_component_without_a_route_is_left_out() {
        assert_eq!(resolve("").unwrap().components.keys().collect::<Vec<_>>(), ["c"]);
    }

    #[test]
    fn malformed_templates_are_refused_by_place() {
        for (component, reason) in [
            (
                "variables = { key = 'a {{ nope }}' }",
                "variables: key: character 3 uses the variable \"nope\", which [variables] does not declare",
            ),
            (
                "allowed_outbound_hosts = ['postgres://{{ db_host']",
                "allowed_outbound_hosts: \"postgres://{{ db_host\": character 12 opens {{ that no }} closes",
            ),
            (
                "allowed_outbound_hosts = ['https://{{ token }}']",
                "allowed_outbound_hosts: \"https://{{ token }}\" uses the secret variable \"token\", which messages would then show",
            ),
        ] {
            let error = format!("{:#}", resolve(component).unwrap_err());
            assert_eq!(error, format!("spin.toml: [component.c]: {reason}"));
        }
        let error = format!("{:#}", resolve("allowed_outbound_hosts = ['{{ db_host }}']").unwrap_err());
        assert!(error.contains("db.example"), "{error}");
    }

    #[test]
    fn an_empty_value_is_no_host() {
        for hosts in ["{{ hosts }}", " {{ hosts }} ", ""] {
            let error = resolve(&format!("allowed_outbound_hosts = ['postgres://h', '{hosts}']")).unwrap_err();
            let reason = format!("spin.toml: [component.c]: allowed_outbound_hosts: {hosts:?}: its value is empty: ");
            let error = format!("{error:#}");
            assert!(error.starts_with(&reason) && error.ends_with("such as https://none.invalid"), "{error}");
        }
        let none = resolve("allowed_outbound_hosts = ['https://none.invalid']").unwrap();
        assert!(!none.components["c"].allowed_hosts.permits("https", "example.org", 443));
    }

    /// What a timer with the token `token` sends, and what the component sees of its variable `mine`.
    fn token(token: &str, value: &str) -> anyhow::Result<(String, String)> {
        let text = format!(
            "[component.c.variables]\nmine = '{{{{ {token} }}}}'\n\
             [[application.tool.wiki-runner.timer]]\npath = '/tick'\nseconds = 1\ntoken = '{token}'"
        );
        let application = resolve_with(&text, &[("SPIN_VARIABLE_EMPTY", value)])?;
        let sent = application.timers[0].authorization.as_ref().unwrap();
        assert!(sent.is_sensitive());
        let seen = application.components["c"].variables.0["mine"].clone();
        Ok((sent.to_str()?.to_owned(), seen))
    }

    #[test]
    fn a_token_has_its_value_or_one_that_is_made_up() {
        assert_eq!(token("token", "").unwrap(), ("Bearer s3cret".to_owned(), "s3cret".to_owned()));
        assert_eq!(token("empty", "given").unwrap(), ("Bearer given".to_owned(), "given".to_owned()));
        let (sent, seen) = token("empty", "").unwrap();
        assert_eq!(sent, format!("Bearer {seen}"));
        assert_eq!((seen.len(), seen.bytes().all(|byte| byte.is_ascii_hexdigit())), (64, true));
        assert_ne!(token("empty", "").unwrap(), (sent, seen), "another one in each process");
    }

    #[test]
    fn a_token_that_cannot_be_sent_is_refused_and_not_shown() {
        for value in ["hunter2\n", "hunter 2", "h\u{fc}nter2", " hunter2"] {
            let error = format!("{:#}", token("empty", value).unwrap_err());
            assert_eq!(
                error,
                "spin.toml: [[application.tool.wiki-runner.timer]]: token: the value of the variable \"empty\" \
                 must be made of visible ASCII characters"
            );
        }
    }
}
