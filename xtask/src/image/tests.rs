//! The Dockerfile and compose.yaml say what the rest of the repository says.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

fn text(file: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    fs::read_to_string(root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn compose() -> Value {
    serde_saphyr::from_str(&text("compose.yaml")).unwrap()
}

/// Whether the handbook knows a setting, which may come from a file.
fn is_setting(name: &str) -> bool {
    let handbook = text("docs/OPERATIONS.md");
    [name, name.trim_end_matches("_FILE")].iter().any(|name| handbook.contains(&format!("`{name}`")))
}

/// The volumes of a service, as in `password:/run/password:ro`.
fn mounts(compose: &Value, service: &str) -> Vec<String> {
    let volumes = compose["services"][service]["volumes"].as_array().cloned().unwrap_or_default();
    volumes.iter().filter_map(|volume| volume.as_str().map(str::to_owned)).collect()
}

/// The services that mount a volume.
fn services_with(compose: &Value, volume: &str) -> Vec<String> {
    let services = compose["services"].as_object().unwrap().keys();
    let has = |service: &&String| mounts(compose, service).iter().any(|mount| mount.starts_with(&format!("{volume}:")));
    services.filter(has).cloned().collect()
}

#[test]
fn the_settings_of_the_wiki_are_settings_of_the_runner() {
    let compose = compose();
    for service in ["wiki", "migration", "notification", "audit", "webhooks"] {
        for name in compose["services"][service]["environment"].as_object().unwrap().keys() {
            assert!(is_setting(name), "compose.yaml: {service}: {name}");
        }
    }
    let dockerfile = text("Dockerfile");
    let image = dockerfile.rsplit("\nFROM ").next().unwrap();
    let names: Vec<_> = image
        .lines()
        .map(|line| line.trim_start_matches("ENV ").trim_start())
        .filter_map(|line| line.split_once('='))
        .map(|(name, _)| name)
        .filter(|name| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
        .collect();
    assert!(names.contains(&"RUNNER_PRECOMPILED"), "{names:?}");
    for name in names {
        assert!(is_setting(name), "Dockerfile: {name}");
    }
}

#[test]
fn the_version_is_that_of_the_packages() {
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(compose()["services"]["wiki"]["image"], format!("${{WASIKI_IMAGE:-wasiki:{version}}}"));
    assert!(text("Dockerfile").contains(&format!("\nARG VERSION={version}\n")));
}

#[test]
fn no_service_has_more_rights_than_it_needs() {
    let compose = compose();
    for (name, service) in compose["services"].as_object().unwrap() {
        assert_eq!(service["read_only"], true, "{name}");
        assert_eq!(service["cap_drop"], serde_json::json!(["ALL"]), "{name}");
        assert_eq!(service["security_opt"], serde_json::json!(["no-new-privileges:true"]), "{name}");
        let image = service["image"].as_str().unwrap();
        assert!(image.contains(':') && !image.ends_with(":latest"), "{name}: {image}");
        for port in service["ports"].as_array().into_iter().flatten() {
            assert!(port.as_str().unwrap().contains("127.0.0.1:"), "{name}: {port}");
        }
    }
}

#[test]
fn no_service_can_use_up_the_machine() {
    let compose = compose();
    for (name, service) in compose["services"].as_object().unwrap() {
        for limit in ["mem_limit", "pids_limit", "cpus"] {
            assert!(!service[limit].is_null(), "{name} has no {limit}");
        }
        // Docker refuses more processors than the machine has.
        let cpus = service["cpus"].as_f64();
        assert!(cpus.is_none_or(|cpus| cpus <= 1.0), "{name}: {cpus:?}");
        assert!(cpus.is_some() || service["cpus"] == "${WASIKI_CPUS:-1}", "{name}: {}", service["cpus"]);
    }
}

#[test]
fn services_meet_only_where_one_has_to_reach_the_other() {
    let compose = compose();
    let mut networks = BTreeMap::<String, Vec<&str>>::new();
    for (name, service) in compose["services"].as_object().unwrap() {
        // A sidecar has the network of its service.
        if service["network_mode"].as_str().is_some_and(|mode| mode == "none" || mode.starts_with("service:")) {
            continue;
        }
        for network in service["networks"].as_array().unwrap_or_else(|| panic!("{name} is on the default network")) {
            networks.entry(network.as_str().unwrap().to_owned()).or_default().push(name);
        }
    }
    let expected: [(&str, &[&str]); 6] = [
        ("broker", &["audit", "kafka", "notification", "topics", "webhooks", "wiki"]),
        ("dashboards", &["grafana", "prometheus"]),
        ("database", &["audit", "migration", "notification", "postgresql", "webhooks", "wiki"]),
        ("grafana", &["grafana"]),
        ("metrics", &["prometheus", "wiki"]),
        ("wiki", &["wiki"]),
    ];
    let sorted = networks.into_iter().map(|(network, mut services)| {
        services.sort_unstable();
        (network, services)
    });
    let expected = expected.map(|(network, services)| (network.to_owned(), services.to_vec()));
    assert_eq!(sorted.collect::<Vec<_>>(), expected);
    for (name, services) in expected {
        // A port is published only of a service with a network that leads outside, which nobody else has to be on.
        let is_internal = compose["networks"][&name]["internal"] == true;
        assert_eq!(is_internal, services.len() > 1, "{name}");
    }
}

#[test]
fn the_wiki_owns_nothing_in_the_database() {
    let compose = compose();
    let (wiki, owner) = (&compose["services"]["wiki"], &compose["services"]["migration"]);
    let (settings, of_owner) = (&wiki["environment"], &owner["environment"]);
    assert_ne!(settings["DB_USER"], of_owner["DB_USER"]);
    assert_eq!(settings["DB_USER"], of_owner["RUNNER_GRANT_TO"]);
    assert_eq!(settings["DB_PASSWORD_FILE"], of_owner["RUNNER_GRANT_PASSWORD_FILE"]);
    assert_eq!(wiki["image"], owner["image"], "the schema is the one that the wiki needs");
    assert_eq!(wiki["depends_on"]["migration"]["condition"], "service_completed_successfully");
    // Who has which password.
    for (volume, services) in [
        ("password", ["migration", "password", "postgresql"].as_slice()),
        ("role", &["audit", "migration", "notification", "password", "webhooks", "wiki"]),
        ("admin", &["password", "wiki"]),
    ] {
        let mut known = services_with(&compose, volume);
        known.sort_unstable();
        assert_eq!(known, services, "{volume}");
    }
}

#[test]
fn anonymous_visitors_read_and_every_password_is_made() {
    let compose = compose();
    let of = |service: &str, name: &str| compose["services"][service]["environment"][name].clone();
    assert_eq!(of("wiki", "SPIN_VARIABLE_ACCESS"), "${WASIKI_ACCESS:-public-read}");
    for (service, file, volume) in [
        ("migration", "DB_PASSWORD_FILE", "password"),
        ("wiki", "DB_PASSWORD_FILE", "role"),
        ("wiki", "SPIN_VARIABLE_ADMIN_PASSWORD_FILE", "admin"),
    ] {
        let path = of(service, file);
        let folder = path.as_str().unwrap().strip_suffix("/password").unwrap();
        assert!(mounts(&compose, service).contains(&format!("{volume}:{folder}:ro")), "{service}: {file}");
        // Where it is made.
        assert!(mounts(&compose, "password").contains(&format!("{volume}:{folder}")), "{file}");
        let script = compose["services"]["password"]["command"][0].as_str().unwrap();
        assert!(script.contains(folder), "{file}");
    }
}

#[test]
fn each_service_that_consumes_events_is_called_by_its_own_sidecar_alone() {
    let compose = compose();
    for service in ["notification", "audit", "webhooks"] {
        let (consumer, sidecar) = (&compose["services"][service], &compose["services"][format!("dapr-{service}")]);
        assert_eq!(consumer["command"], serde_json::json!(["serve", "--component", "events"]), "{service}");
        assert_eq!(consumer["environment"]["LISTEN_ADDR"], "127.0.0.1", "{service}");
        assert_eq!(consumer["environment"]["RUNNER_TIMERS"], "off", "{service}: the wiki runs the relay");
        assert_eq!(sidecar["network_mode"], format!("service:{service}"));
        let token = &consumer["environment"]["SPIN_VARIABLE_EVENTS_TOKEN"];
        assert!(token.is_string() && *token == sidecar["environment"]["APP_API_TOKEN"], "{service}");
        let arguments: Vec<_> = sidecar["command"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert!(arguments.contains(&&*format!("--app-id={service}")), "{arguments:?}");
        // The runner's own port of probes is the sidecar's default for metrics.
        assert!(arguments.contains(&"--metrics-port=9091"), "{arguments:?}");
        for other in [consumer, sidecar] {
            assert_eq!(other["profiles"], serde_json::json!(["events"]), "{service}");
        }
    }
    // Without the profile, nothing tells the wiki to publish.
    let script = compose["services"]["password"]["command"][0].as_str().unwrap();
    assert!(script.contains("echo inline >/run/events/mode"), "{script}");
    assert_eq!(compose["services"]["wiki"]["environment"]["SPIN_VARIABLE_EVENTS_FILE"], "/run/events/mode");
    assert_eq!(compose["services"]["wiki"]["depends_on"]["events"]["required"], false);
}

#[test]
fn the_build_context_is_an_allowlist() {
    let ignored = text(".dockerignore");
    let mut rules = ignored.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    assert_eq!(rules.next(), Some("*"));
    for package in ["bench", "cli", "k8s/check", "tests"] {
        assert!(ignored.contains(&format!("\n!{package}/Cargo.toml\n")), "{package}");
    }
}

#[test]
fn whatever_is_copied_into_an_image_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let dockerfile = text("Dockerfile");
    let copied =
        dockerfile.lines().filter_map(|line| line.strip_prefix("COPY ")).filter(|rest| !rest.starts_with("--from"));
    let copied = copied.flat_map(|rest| rest.split(' ').rev().skip(1).map(str::to_owned).collect::<Vec<_>>());
    let ignored = text(".dockerignore");
    let allowed = ignored.lines().filter_map(|line| line.strip_prefix('!')).map(str::to_owned);
    let names: Vec<String> = copied.chain(allowed).collect();
    assert!(names.iter().any(|name| name == "src") && names.iter().any(|name| name == "wit"), "{names:?}");
    for name in names {
        assert!(root.join(&name).exists(), "{name}");
    }
}
