//! The application to run: its manifest with every template expanded.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, bail};

use super::allowed_hosts::AllowedHosts;
use super::environment::Environment;
use super::manifest::{self, Manifest};
use super::template::expand;
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
        let values = variables::resolve(&manifest, env, embedded)?;
        for warning in variables::undeclared(&manifest, env) {
            tracing::warn!("{warning}");
        }
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
        Ok(Self { name: manifest.name, manifest: manifest.path, routes: manifest.routes, components, warnings })
    }
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
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("spin.toml");
        let text = format!(
            "spin_manifest_version = 2\n[application]\nname = 'shop'\n\
             [variables]\ndb_host = {{ default = 'localhost' }}\ntoken = {{ default = 's3cret', secret = true }}\n\
             [[trigger.http]]\nroute = '/...'\ncomponent = 'c'\n[component.unused]\nsource = 'u.wasm'\n\
             [component.c]\nsource = 'c.wasm'\n{component}"
        );
        std::fs::write(&file, text).unwrap();
        let mut manifest = Manifest::load(&file).unwrap();
        manifest.path = "spin.toml".into();
        let env = [("DB_HOST", "db.example")].into_iter().collect();
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
}
