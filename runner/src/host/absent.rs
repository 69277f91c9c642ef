//! Interfaces that Spin has and this runner does not.
//!
//! SDKs for some languages import everything Spin has, whether the guest uses it or not. So a component may import these
//! interfaces as long as its manifest grants nothing behind them. Spin then refuses every call, and so does this module: with
//! the error that Spin gives, if the function can return one, and otherwise by ending the guest.

use anyhow::{Context as _, bail};
use wasmtime::component::types::{self, ComponentItem, Type};
use wasmtime::component::{Component, Linker, LinkerInstance, ResourceType, Val};

use crate::config::application;

/// What gives a component access to an interface.
#[derive(PartialEq, Eq)]
enum Grant {
    /// A key of the manifest that this runner refuses: no component has access.
    Key,
    /// A host in `allowed_outbound_hosts` with one of these schemes. A host with any scheme (`*://`) does not count: it does
    /// not say which protocols it is for.
    Hosts(&'static [&'static str]),
    /// `[component.<id>.variables]`.
    Variables,
}

/// The interfaces, without versions: those of Spin 4.0 and earlier (`wit/` in its repository).
const ABSENT: &[(&str, Grant)] = &[
    ("fermyon:spin/key-value", Grant::Key),
    ("spin:key-value/key-value", Grant::Key),
    ("wasi:keyvalue/store", Grant::Key),
    ("wasi:keyvalue/batch", Grant::Key),
    ("wasi:keyvalue/atomics", Grant::Key),
    ("fermyon:spin/sqlite", Grant::Key),
    ("spin:sqlite/sqlite", Grant::Key),
    ("fermyon:spin/llm", Grant::Key),
    ("fermyon:spin/redis", REDIS),
    ("fermyon:spin/redis-types", REDIS),
    ("spin:redis/redis", REDIS),
    ("fermyon:spin/mqtt", MQTT),
    ("spin:mqtt/mqtt", MQTT),
    ("fermyon:spin/mysql", MYSQL),
    ("spin:mysql/mysql", MYSQL),
    ("fermyon:spin/postgres", POSTGRES),
    ("spin:postgres/postgres", POSTGRES),
    // Types of two databases. Whichever is granted, its own interface is imported as well.
    ("fermyon:spin/rdbms-types", Grant::Hosts(&[])),
    ("fermyon:spin/http", HTTP),
    ("fermyon:spin/http-types", HTTP),
    ("fermyon:spin/config", Grant::Variables),
    ("spin:variables/variables", Grant::Variables),
];

const REDIS: Grant = Grant::Hosts(&["redis", "rediss"]);
const MQTT: Grant = Grant::Hosts(&["mqtt", "mqtts"]);
const MYSQL: Grant = Grant::Hosts(&["mysql"]);
const POSTGRES: Grant = Grant::Hosts(&["postgres"]);
const HTTP: Grant = Grant::Hosts(&["http", "https"]);

/// The one of them that the runner has in a version.
const PRESENT: &str = "spin:postgres/postgres@4.0.0";

/// Cases of errors for a refused call, the most precise first, and whether they have a text. Each interface has one.
const REFUSALS: &[(&str, bool)] = &[
    ("access-denied", false),
    ("destination-not-allowed", false),
    ("connection-failed", true),
    ("invalid-address", false),
    ("undefined", true),
    ("invalid-input", true),
    ("other", true),
    ("error", false),
];

/// Adds every interface of this kind that `component` imports. Interfaces that Spin does not have either are left out.
///
/// Fails if the manifest grants `settings` access to one of them.
pub fn add_to_linker<T: 'static>(
    linker: &mut Linker<T>,
    component: &Component,
    settings: &application::Component,
) -> anyhow::Result<()> {
    let engine = component.engine().clone();
    let ty = component.component_type();
    let has_present = ty.imports(&engine).any(|(import, _)| import == PRESENT);
    for (import, item) in ty.imports(&engine) {
        let (ComponentItem::ComponentInstance(instance), Some(grant)) = (item.ty, grant(import)) else { continue };
        // With the version that the runner has, others are only what the SDK brings.
        let is_spare = *grant == POSTGRES && has_present;
        if let Some(place) = grant.place(settings).filter(|_| !is_spare) {
            let remedy = if *grant == POSTGRES {
                format!("build the component for {PRESENT}")
            } else {
                format!("remove {place}, or build the component without this import")
            };
            bail!("the component imports {import}, which this runner does not have, and {place} grant it: {remedy}");
        }
        let mut linker = linker.instance(import)?;
        for (name, item) in instance.exports(&engine) {
            match item.ty {
                ComponentItem::ComponentFunc(_) => refuse(&mut linker, import, name)?,
                // There is never one of it: whatever would return it fails.
                ComponentItem::Resource(_) => linker.resource(name, ResourceType::host::<()>(), |_, _| Ok(()))?,
                _ => {}
            }
        }
    }
    Ok(())
}

/// What gives access to the interface `import`. `None` if the runner has it, or Spin does not.
fn grant(import: &str) -> Option<&'static Grant> {
    if import == PRESENT {
        return None;
    }
    let interface = import.split_once('@').map_or(import, |(interface, _)| interface);
    ABSENT.iter().find(|(absent, _)| *absent == interface).map(|(_, grant)| grant)
}

impl Grant {
    /// Where the manifest grants it, if it does.
    fn place(&self, settings: &application::Component) -> Option<String> {
        match self {
            Self::Key => None,
            Self::Hosts(schemes) => {
                let scheme = schemes.iter().find(|scheme| settings.allowed_hosts.has_scheme(scheme))?;
                Some(format!("the {scheme}:// hosts in allowed_outbound_hosts"))
            }
            Self::Variables if settings.variables.0.is_empty() => None,
            Self::Variables => Some("its variables".to_owned()),
        }
    }
}

/// Defines the function `name` of `import`: every call is refused.
fn refuse<T: 'static>(linker: &mut LinkerInstance<'_, T>, import: &str, name: &str) -> anyhow::Result<()> {
    let import = import.to_owned();
    let function = name.to_owned();
    let refused =
        move |_: wasmtime::StoreContextMut<'_, T>, ty: types::ComponentFunc, params: &[Val], results: &mut [Val]| {
            tracing::warn!(interface = import, function, "refused a call: this runner does not have the interface");
            let text = match ty.params().zip(params).find(|((name, _), _)| *name == "address") {
                // The words of Spin. An address with a password would end up where the guest logs its errors.
                Some((_, Val::String(address))) if !address.contains(['@', ' ']) && !address.contains("password") => {
                    format!("address {address} is not permitted")
                }
                _ => format!("the component has no access to {import}"),
            };
            match (refusal(&ty, text), results) {
                (Some(error), [result]) => {
                    *result = error;
                    Ok(())
                }
                _ => wasmtime::bail!("the guest called {function} of {import}, which this runner does not have"),
            }
        };
    linker.func_new(name, refused).map_err(anyhow::Error::from).with_context(|| name.to_owned())
}

/// The error that a function of this type returns when its call is refused, if it can.
fn refusal(ty: &types::ComponentFunc, text: String) -> Option<Val> {
    let Some(Type::Result(result)) = ty.results().next() else { return None };
    let error = match result.err()? {
        Type::Variant(variant) => {
            let cases: Vec<_> = variant.cases().map(|case| (case.name.to_owned(), case.ty)).collect();
            REFUSALS.iter().find_map(|(name, has_text)| {
                let (_, payload) = cases.iter().find(|(case, _)| case == name)?;
                match (payload, has_text) {
                    (None, false) => Some(Val::Variant((*name).to_owned(), None)),
                    (Some(Type::String), true) => {
                        Some(Val::Variant((*name).to_owned(), Some(Box::new(Val::String(text.clone())))))
                    }
                    _ => None,
                }
            })?
        }
        Type::Enum(names) => {
            let known: Vec<_> = names.names().collect();
            let (name, _) = REFUSALS.iter().find(|(name, has_text)| !has_text && known.contains(name))?;
            Val::Enum((*name).to_owned())
        }
        Type::String => Val::String(text),
        _ => return None,
    };
    Some(Val::Result(Err(Some(Box::new(error)))))
}

#[cfg(all(test, feature = "compiler"))]
mod tests {
    use std::sync::Arc;

    use wasmtime::{Engine, Store};

    use super::*;
    use crate::config::allowed_hosts::AllowedHosts;

    fn settings(hosts: &[&str], variables: &[(&str, &str)]) -> application::Component {
        application::Component {
            id: "c".into(),
            source: "c.wasm".into(),
            environment: Vec::new(),
            variables: Arc::new(variables.iter().copied().collect()),
            allowed_hosts: Arc::new(AllowedHosts::parse(hosts).unwrap()),
        }
    }

    fn component(engine: &Engine, text: &str) -> Component {
        Component::new(engine, wat::parse_str(format!("(component {text})")).unwrap()).unwrap()
    }

    /// What a refused call of a function returns whose result has this type of error.
    fn error(ty: &str) -> Option<Val> {
        let engine = Engine::default();
        let text = format!(
            r#"(import "fermyon:spin/x" (instance
                 (type $own {ty}) (export "error" (type $error (eq $own)))
                 (export "f" (func (result (result (error $error)))))))"#
        );
        let component = component(&engine, &text);
        let ty = component.component_type();
        let Some((_, item)) = ty.imports(&engine).next() else { panic!("no import") };
        let ComponentItem::ComponentInstance(instance) = item.ty else { panic!("no instance") };
        match instance.get_export(&engine, "f").unwrap().ty {
            ComponentItem::ComponentFunc(function) => refusal(&function, "no".into()),
            _ => panic!("no function"),
        }
    }

    #[test]
    fn a_refusal_is_an_error_of_the_interface() {
        let result = |error| Some(Val::Result(Err(Some(Box::new(error)))));
        let case = |name: &str, text: Option<&str>| {
            result(Val::Variant(name.into(), text.map(|text| Box::new(Val::String(text.into())))))
        };
        assert_eq!(error(r#"(variant (case "other" string) (case "access-denied"))"#), case("access-denied", None));
        assert_eq!(
            error(r#"(variant (case "success") (case "connection-failed" string))"#),
            case("connection-failed", Some("no"))
        );
        assert_eq!(error(r#"(enum "success" "error")"#), result(Val::Enum("error".into())));
        assert_eq!(error("string"), result(Val::String("no".into())));
        for unknown in [r#"(variant (case "busy") (case "other" u8))"#, r#"(enum "busy")"#, "u32"] {
            assert_eq!(error(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn a_call_that_cannot_return_an_error_ends_the_guest() {
        let engine = Engine::default();
        let component = component(
            &engine,
            r#"(import "spin:redis/redis@3.0.0" (instance $redis (export "count" (func (result u32)))))
               (core func $count (canon lower (func $redis "count")))
               (core module $guest
                 (import "redis" "count" (func $count (result i32)))
                 (func (export "run") (result i32) call $count))
               (core instance $guest (instantiate $guest (with "redis" (instance (export "count" (func $count))))))
               (func (export "run") (result u32) (canon lift (core func $guest "run")))"#,
        );
        let mut linker = Linker::new(&engine);
        add_to_linker(&mut linker, &component, &settings(&[], &[])).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = linker.instantiate(&mut store, &component).unwrap();
        let run = instance.get_typed_func::<(), (u32,)>(&mut store, "run").unwrap();
        let error = format!("{:#}", run.call(&mut store, ()).unwrap_err());
        assert!(error.contains("called count of spin:redis/redis@3.0.0, which this runner does not have"), "{error}");
    }

    #[test]
    fn what_the_manifest_grants_stops_the_start() {
        let engine = Engine::default();
        let refusal = |import: &str, hosts: &[&str], variables: &[(&str, &str)]| {
            let component = component(&engine, &format!(r#"(import "{import}" (instance (export "f" (func))))"#));
            let linked = add_to_linker(&mut Linker::<()>::new(&engine), &component, &settings(hosts, variables));
            linked.err().map(|error| error.to_string())
        };
        for (import, host, place) in [
            ("fermyon:spin/redis", "redis://h", "the redis:// hosts"),
            ("spin:redis/redis@3.0.0", "rediss://h:6380", "the rediss:// hosts"),
            ("fermyon:spin/http", "https://h", "the https:// hosts"),
            ("spin:postgres/postgres@4.2.0", "postgres://h", "the postgres:// hosts"),
        ] {
            let reason = refusal(import, &[host], &[]).unwrap();
            assert!(
                reason.starts_with(&format!("the component imports {import}, ")) && reason.contains(place),
                "{reason}"
            );
            assert_eq!(refusal(import, &["*://h:1", "gopher://h:1"], &[("a", "b")]), None, "{import}");
        }
        assert!(refusal("spin:variables/variables@3.0.0", &[], &[("a", "b")]).unwrap().contains("its variables"));
        assert_eq!(refusal("spin:variables/variables@3.0.0", &["redis://h"], &[]), None);
        assert_eq!(refusal("wasi:keyvalue/store@0.2.0-draft2", &["*://*:*"], &[]), None);
    }
}
