//! The Dockerfile and compose.yaml say what the rest of the repository says.

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
    text("docs/OPERATIONS.md").contains(&format!("`{}`", name.trim_end_matches("_FILE")))
}

#[test]
fn the_settings_of_the_wiki_are_settings_of_the_runner() {
    let compose = compose();
    for name in compose["services"]["wiki"]["environment"].as_object().unwrap().keys() {
        assert!(is_setting(name), "compose.yaml: {name}");
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
fn anonymous_visitors_read_and_only_the_wiki_has_the_admin_password() {
    let compose = compose();
    let mounts = |service: &str| {
        let volumes = compose["services"][service]["volumes"].as_array().cloned().unwrap_or_default();
        volumes.iter().filter_map(|volume| volume.as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    let environment = &compose["services"]["wiki"]["environment"];
    assert_eq!(environment["SPIN_VARIABLE_ACCESS"], "${WASIKI_ACCESS:-public-read}");
    for (file, volume) in [("DB_PASSWORD_FILE", "password"), ("SPIN_VARIABLE_ADMIN_PASSWORD_FILE", "admin")] {
        let folder = environment[file].as_str().unwrap().strip_suffix("/password").unwrap();
        assert!(mounts("wiki").contains(&format!("{volume}:{folder}:ro")), "{file}");
        // Where it is made.
        assert!(mounts("password").contains(&format!("{volume}:{folder}")), "{file}");
        let script = compose["services"]["password"]["command"][0].as_str().unwrap();
        assert!(script.contains(folder), "{file}");
    }
    for service in compose["services"].as_object().unwrap().keys().filter(|name| *name != "wiki" && *name != "password")
    {
        assert!(!mounts(service).iter().any(|mount| mount.starts_with("admin:")), "{service}");
    }
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
