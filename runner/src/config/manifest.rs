//! `spin.toml`: the parts of a Spin manifest (version 2) that an HTTP application with PostgreSQL needs.
//!
//! Keys without effect at run time (`build`, `description`, settings of other tools) are ignored. Keys for features the
//! runner does not have (`files`, `key_value_stores` and so on) are refused, and so are keys that Spin does not know.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::{Table, Value};

use super::timer::Timer;

#[derive(Debug)]
pub struct Manifest {
    /// The file, as given.
    pub path: PathBuf,
    /// `[application] name`.
    pub name: String,
    /// `[variables]`, by name.
    pub variables: BTreeMap<String, Variable>,
    /// The routes of `[[trigger.http]]` in the manifest's order, each with the id of its component.
    pub routes: Vec<(String, String)>,
    /// All components, by id, with or without a route.
    pub components: BTreeMap<String, Component>,
    /// `[[application.tool.wiki-runner.exposed]]`.
    pub exposed: Vec<Exposed>,
    /// `[application.tool.wiki-runner] append_only`: tables whose rows the application only reads and adds.
    pub append_only: Vec<String>,
    /// `[[application.tool.wiki-runner.timer]]`.
    pub timers: Vec<Timer>,
}

/// A value of a variable that is risky on a network. Spin ignores it.
#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Exposed {
    pub variable: String,
    pub value: String,
    /// What to log if the variable has this value and the server listens on more than loopback.
    pub warning: String,
}

/// A variable of the application.
#[derive(Debug, Deserialize)]
pub struct Variable {
    pub default: Option<String>,
    /// Whether a value must be configured.
    #[serde(default)]
    pub required: bool,
    /// Whether the value must never be shown.
    #[serde(default)]
    pub secret: bool,
}

/// A component, with templates not yet expanded.
#[derive(Debug)]
pub struct Component {
    /// The file with the component. A relative path has been resolved against the manifest's folder.
    pub source: PathBuf,
    /// Environment variables of the guest.
    pub environment: BTreeMap<String, String>,
    pub variables: BTreeMap<String, String>,
    pub allowed_outbound_hosts: Vec<String>,
}

/// A place in the manifest, for messages, such as `[component.wiki]`.
type Place<'a> = &'a str;

#[derive(Deserialize)]
struct Application {
    name: String,
}

/// `[application.tool.wiki-runner]`, which Spin ignores.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tool {
    #[serde(default)]
    append_only: Vec<String>,
    #[serde(default)]
    exposed: Vec<Exposed>,
    #[serde(default)]
    timer: Vec<Timer>,
}

#[derive(Deserialize)]
struct RawComponent {
    source: Value,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    #[serde(default)]
    variables: BTreeMap<String, String>,
    #[serde(default)]
    allowed_outbound_hosts: Vec<String>,
}

impl Manifest {
    /// Reads the file `path`. Fails with one line that names the file, the table and the key.
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the manifest {} (--from, RUNNER_MANIFEST)", path.display()))?;
        Self::parse(&text, path)
    }

    fn parse(text: &str, path: &Path) -> anyhow::Result<Self> {
        let document: Table =
            text.parse().map_err(|error| anyhow!(syntax(text, &error))).with_context(|| path.display().to_string())?;
        Self::read(document, path).with_context(|| path.display().to_string())
    }

    fn read(mut document: Table, path: &Path) -> anyhow::Result<Self> {
        const KEYS: &[&str] = &["spin_manifest_version", "application", "variables", "trigger", "component"];
        match document.get("spin_manifest_version") {
            Some(Value::Integer(2)) => {}
            Some(other) => bail!("spin_manifest_version is {other}: this runner reads version 2"),
            None => bail!("spin_manifest_version is missing: write spin_manifest_version = 2"),
        }
        check_keys("the manifest", &document, KEYS, &[])?;
        let mut part = |key: &str| match document.remove(key) {
            None => Ok(Table::new()),
            Some(Value::Table(table)) => Ok(table),
            Some(_) => Err(anyhow!("{key} must be a table")),
        };

        let (name, Tool { append_only, exposed, timer: timers }) = application(part("application")?)?;
        let variables = entries("variables", part("variables")?, variable)?;
        if let Some(unknown) = exposed.iter().find(|exposed| !variables.contains_key(&exposed.variable)) {
            bail!("{EXPOSED} variable: there is no variable {:?}", unknown.variable);
        }
        check_timers(&timers, &variables)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut components = entries("component", part("component")?, |place, table| component(place, table, folder))?;
        let routes = triggers(part("trigger")?, &mut components, folder)?;
        Ok(Self { path: path.to_owned(), name, variables, routes, components, exposed, append_only, timers })
    }

    /// The component `id`. Fails with the ids that there are.
    pub fn component(&self, id: &str) -> anyhow::Result<&Component> {
        self.components
            .get(id)
            .with_context(|| format!("{} has no component {id:?}: it has {}", self.path.display(), self.ids()))
    }

    /// The ids of all components, for messages.
    pub fn ids(&self) -> String {
        self.components.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
    }

    /// Leaves out all components but `id`, with their routes. Fails if there is no such component, or no route leads to it.
    pub fn select(&mut self, id: &str) -> anyhow::Result<()> {
        self.component(id)?;
        self.components.retain(|other, _| other == id);
        self.routes.retain(|(_, component)| component == id);
        ensure!(!self.routes.is_empty(), "{}: no route leads to the component {id:?}", self.path.display());
        Ok(())
    }
}

/// The place of [`Manifest::exposed`].
const EXPOSED: &str = "[[application.tool.wiki-runner.exposed]]";
/// The place of [`Manifest::timers`].
pub const TIMER: &str = "[[application.tool.wiki-runner.timer]]";

/// Checks what can be known of the timers without the routes.
fn check_timers(timers: &[Timer], variables: &BTreeMap<String, Variable>) -> anyhow::Result<()> {
    for (index, timer) in timers.iter().enumerate() {
        timer.check().map_err(|reason| anyhow!("{TIMER} {reason}"))?;
        let is_taken = timers[..index].iter().any(|other| other.path == timer.path);
        ensure!(!is_taken, "{TIMER} path {:?} has two timers: remove one", timer.path);
        let Some(token) = &timer.token else { continue };
        let Some(variable) = variables.get(token) else {
            let alike = suggestion(token, variables.keys().map(String::as_str));
            bail!("{TIMER} token: there is no variable {token:?}{alike}");
        };
        ensure!(variable.secret, "{TIMER} token: anybody may see the variable {token:?}: write secret = true");
    }
    Ok(())
}

/// The name of the application, and what the manifest says to this runner alone.
fn application(mut table: Table) -> anyhow::Result<(String, Tool)> {
    const KEYS: &[&str] = &["name", "version", "description", "authors", "trigger", "tool", "targets"];
    check_keys("[application]", &table, KEYS, &[])?;
    let global = table.remove("trigger").and_then(|triggers| triggers.get("http").cloned());
    if let Some(Value::Table(http)) = &global {
        check_keys("[application.trigger.http]", http, &["base"], &[])?;
    }
    let base = global.and_then(|http| http.get("base").cloned());
    if let Some(base) = base.filter(|base| base.as_str() != Some("/")) {
        bail!("[application.trigger.http] base = {base} is not supported: put the prefix into the routes");
    }
    let ours = table.remove("tool").and_then(|tool| tool.get("wiki-runner").cloned());
    let ours = match ours {
        Some(Value::Table(ours)) => typed("[application.tool.wiki-runner]", ours)?,
        Some(_) => bail!("[application.tool.wiki-runner] must be a table"),
        None => Tool::default(),
    };
    let Application { name } = typed("[application]", table)?;
    ensure!(!name.is_empty(), "[application] name is empty");
    Ok((name, ours))
}

fn variable(place: Place, table: Table) -> anyhow::Result<Variable> {
    check_keys(place, &table, &["default", "required", "secret", "description"], &[])?;
    let variable: Variable = typed(place, table)?;
    match (variable.required, &variable.default) {
        (false, None) => bail!("{place} has no value: give it a default or write required = true"),
        (true, Some(_)) => bail!("{place} is required and has a default: remove one"),
        _ => Ok(variable),
    }
}

fn component(place: Place, table: Table, folder: &Path) -> anyhow::Result<Component> {
    const KEYS: &[&str] = &[
        "source",
        "description",
        "environment",
        "variables",
        "allowed_outbound_hosts",
        "build",
        "tool",
        "targets",
        "profile",
        "exclude_files",
        "dependencies_inherit_configuration",
    ];
    const REFUSED: &[(&str, &str)] = &[
        ("files", "this runner gives components no file system: build the files into the component"),
        ("key_value_stores", "this runner does not have fermyon:spin/key-value: use PostgreSQL"),
        ("sqlite_databases", "this runner does not have fermyon:spin/sqlite: use PostgreSQL"),
        ("ai_models", "this runner does not have fermyon:spin/llm: call a service over HTTP"),
        ("allowed_http_hosts", "write allowed_outbound_hosts = [\"https://…\"]"),
        ("dependencies", "this runner does not compose components: compose them beforehand, for example with wac"),
    ];
    check_keys(place, &table, KEYS, REFUSED)?;
    if let Some(Value::Table(build)) = table.get("build") {
        check_keys(&format!("{place} build"), build, &["command", "workdir", "watch"], &[])?;
    }
    ensure!(table.contains_key("source"), "{place} has no source: name the component's .wasm file");
    let raw: RawComponent = typed(place, table)?;
    let source = match raw.source {
        Value::String(file) if !file.is_empty() => folder.join(file),
        Value::Table(_) => bail!("{place} source: this runner loads local files: download it and write its path"),
        _ => bail!("{place} source must be the path of a file"),
    };
    for name in raw.variables.keys() {
        check_name(name).map_err(|reason| anyhow!("{place} variables: {name:?} {reason}"))?;
    }
    for name in raw.environment.keys() {
        ensure!(
            !name.is_empty() && !name.contains(['=', '\0']),
            "{place} environment: {name:?} cannot be the name of an environment variable"
        );
    }
    Ok(Component {
        source,
        environment: raw.environment,
        variables: raw.variables,
        allowed_outbound_hosts: raw.allowed_outbound_hosts,
    })
}

/// The routes of `[[trigger.http]]`. Components written inside a trigger are added to `components` under an id of their own.
fn triggers(
    mut table: Table,
    components: &mut BTreeMap<String, Component>,
    folder: &Path,
) -> anyhow::Result<Vec<(String, String)>> {
    let http = table.remove("http");
    if let Some(other) = table.keys().next() {
        bail!("[[trigger.{other}]] is not supported: this runner serves HTTP");
    }
    let Some(http) = http else { bail!("there is no [[trigger.http]]: an application needs a route") };
    let Value::Array(list) = http else { bail!("trigger.http must be written [[trigger.http]]") };
    let mut routes = Vec::new();
    for (index, trigger) in list.into_iter().enumerate() {
        let place = format!("[[trigger.http]] number {}", index + 1);
        let Value::Table(mut trigger) = trigger else { bail!("{place} must be a table") };
        check_keys(
            &place,
            &trigger,
            &["id", "route", "component", "executor"],
            &[("components", "name one component"), ("static_response", "have a component answer")],
        )?;
        match trigger.get("executor").map(|executor| executor.get("type").and_then(Value::as_str)) {
            None | Some(Some("spin" | "http" | "wasi")) => {}
            Some(kind) => {
                bail!("{place} executor: type {:?} is not supported: remove the executor", kind.unwrap_or_default())
            }
        }
        let id = match trigger.remove("component") {
            Some(Value::String(id)) => {
                ensure!(
                    components.contains_key(&id),
                    "{place} component: there is no [component.{id}]{}",
                    suggestion(&id, components.keys().map(String::as_str))
                );
                id
            }
            Some(Value::Table(inline)) => {
                let id = format!("trigger-{}", index + 1);
                ensure!(!components.contains_key(&id), "{place} component: name it, {id:?} is taken");
                components.insert(id.clone(), component(&format!("{place} component"), inline, folder)?);
                id
            }
            Some(_) => bail!("{place} component must be a component's id or a table"),
            None => bail!("{place} has no component: name one"),
        };
        match trigger.remove("route") {
            Some(Value::String(route)) => routes.push((route, id)),
            // Only other components could call a private route, and this runner does not chain components.
            Some(Value::Table(table)) if table.get("private") == Some(&Value::Boolean(true)) => {}
            Some(_) => bail!("{place} route must be a path or {{ private = true }}"),
            None => bail!("{place} has no route: write route = \"/...\" for every path"),
        }
    }
    Ok(routes)
}

/// The tables in `table`, each read by `read`.
fn entries<T>(
    name: &str,
    table: Table,
    read: impl Fn(Place, Table) -> anyhow::Result<T>,
) -> anyhow::Result<BTreeMap<String, T>> {
    let mut entries = BTreeMap::new();
    for (key, value) in table {
        let place = format!("[{name}.{key}]");
        let Value::Table(value) = value else { bail!("{place} must be a table") };
        if name == "variables" {
            check_name(&key).map_err(|reason| anyhow!("[variables] {key:?} {reason}"))?;
        }
        entries.insert(key, read(&place, value)?);
    }
    Ok(entries)
}

/// Checks a variable's name by Spin's rule. The error is written to follow the name in a message.
pub fn check_name(name: &str) -> Result<(), &'static str> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if name.is_empty() {
        Err("is not a valid variable name: it is empty")
    } else if !name.chars().all(allowed) {
        Err("is not a valid variable name: use lower-case letters, digits and underscores")
    } else if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        Err("is not a valid variable name: it must begin with a letter")
    } else if name.ends_with('_') {
        Err("is not a valid variable name: it must end with a letter or digit")
    } else if name.contains("__") {
        Err("is not a valid variable name: it has two underscores in a row")
    } else {
        Ok(())
    }
}

/// Refuses unknown keys, and those in `refused` unless they are empty.
fn check_keys(place: Place, table: &Table, known: &[&str], refused: &[(&str, &str)]) -> anyhow::Result<()> {
    let empty =
        |value: &Value| value.as_array().is_some_and(Vec::is_empty) || value.as_table().is_some_and(Table::is_empty);
    for (key, value) in table {
        if known.contains(&key.as_str()) {
            continue;
        }
        match refused.iter().find(|(name, _)| name == key) {
            Some(_) if empty(value) => {}
            Some((_, advice)) => bail!("{place} {key} is not supported: {advice}"),
            None => {
                bail!("{place} has an unknown key {key:?}{}", suggestion(key, known.iter().copied()))
            }
        }
    }
    Ok(())
}

/// `: did you mean "…"?` when one of `names` is close to `wrong`.
pub fn suggestion<'a>(wrong: &str, names: impl Iterator<Item = &'a str>) -> String {
    closest(wrong, names).map_or(String::new(), |name| format!(": did you mean {name:?}?"))
}

/// The one of `names` that `wrong` was probably meant to be.
pub fn closest<'a>(wrong: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // The bound that clap uses for its suggestions.
    const ALIKE: f64 = 0.7;
    names
        .map(|name| (strsim::jaro(wrong, name), name))
        .filter(|(alike, _)| *alike > ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

fn typed<T: DeserializeOwned>(place: Place, table: Table) -> anyhow::Result<T> {
    // The error spans two lines: the second names the key.
    table
        .try_into()
        .map_err(|error: toml::de::Error| anyhow!("{place} {}", error.to_string().trim().replace('\n', " ")))
}

/// A syntax error as one line of text, with the line number.
fn syntax(text: &str, error: &toml::de::Error) -> String {
    let line = error.span().map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1);
    let message = error.message().replace('\n', ", ");
    line.map_or_else(|| message.clone(), |line| format!("line {line}: {message}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "spin_manifest_version = 2\n[application]\nname = \"a\"\n";
    const TAIL: &str = "[[trigger.http]]\nroute = \"/...\"\ncomponent = \"c\"\n[component.c]\nsource = \"c.wasm\"\n";

    fn refusal(text: &str) -> String {
        format!("{:#}", Manifest::parse(text, Path::new("dir/spin.toml")).unwrap_err())
    }

    #[test]
    fn a_whole_manifest_is_read() {
        let text = r#"
            spin_manifest_version = 2
            [application]
            name = "shop"
            version = "1.0.0"
            authors = ["a"]
            [application.tool.lint]
            level = 1
            [application.tool.wiki-runner]
            append_only = ["sales"]
            [[application.tool.wiki-runner.exposed]]
            variable = "db_host"
            value = "everywhere"
            warning = "w"
            [[application.tool.wiki-runner.timer]]
            path = "/shop/count"
            seconds = 60
            token = "db_password"
            [variables]
            db_host = { default = "localhost", description = "where" }
            db_password = { required = true, secret = true }
            [[trigger.http]]
            id = "t"
            route = "/shop/..."
            component = "shop"
            executor = { type = "http" }
            [[trigger.http]]
            route = { private = true }
            component = "inner"
            [[trigger.http]]
            route = "/inline"
            component = { source = "inline.wasm" }
            [component.shop]
            source = "target/shop.wasm"
            description = "x"
            files = []
            allowed_outbound_hosts = ["postgres://{{ db_host }}"]
            environment = { MODE = "fast" }
            variables = { host = "{{ db_host }}" }
            [component.shop.build]
            command = "cargo build"
            watch = ["src"]
            [component.inner]
            source = "/opt/inner.wasm"
        "#;
        let manifest = Manifest::parse(text, Path::new("dir/spin.toml")).unwrap();
        assert_eq!(manifest.name, "shop");
        let routes: Vec<_> = manifest.routes.iter().map(|(r, c)| (r.as_str(), c.as_str())).collect();
        assert_eq!(routes, [("/shop/...", "shop"), ("/inline", "trigger-3")]);
        assert_eq!((&manifest.append_only[..], manifest.exposed.len()), (&["sales".to_owned()][..], 1));
        let [timer] = &manifest.timers[..] else { panic!("{:?}", manifest.timers) };
        assert_eq!((timer.path.as_str(), timer.interval().as_secs()), ("/shop/count", 60));
        assert_eq!(timer.token.as_deref(), Some("db_password"));
        let shop = &manifest.components["shop"];
        assert_eq!(shop.source, Path::new("dir/target/shop.wasm"));
        assert_eq!(shop.environment["MODE"], "fast");
        assert_eq!(shop.variables["host"], "{{ db_host }}");
        assert_eq!(shop.allowed_outbound_hosts, ["postgres://{{ db_host }}"]);
        assert_eq!(manifest.components["inner"].source, Path::new("/opt/inner.wasm"));
        assert_eq!(manifest.components["trigger-3"].source, Path::new("dir/inline.wasm"));
        assert!(manifest.variables["db_password"].secret && manifest.variables["db_password"].required);
        assert_eq!(manifest.variables["db_host"].default.as_deref(), Some("localhost"));
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = format!("{:#}", Manifest::load(Path::new("/nowhere/spin.toml")).unwrap_err());
        assert!(error.starts_with("cannot read the manifest /nowhere/spin.toml (--from, RUNNER_MANIFEST): "));
    }

    #[test]
    fn the_document_is_checked() {
        for (text, reason) in [
            ("a = ", "line 1: "),
            ("\n\n[x\n", "line 3: "),
            ("", "spin_manifest_version is missing: write spin_manifest_version = 2"),
            ("spin_manifest_version = 1", "spin_manifest_version is 1: this runner reads version 2"),
            ("spin_manifest_version = 2\napplication = 3", "application must be a table"),
            (
                "spin_manifest_version = 2\n[aplication]",
                "the manifest has an unknown key \"aplication\": did you mean \"application\"?",
            ),
            ("spin_manifest_version = 2\n[application]", "[application] missing field `name`"),
            (
                "spin_manifest_version = 2\n[application]\nname = 'a'\n[application.trigger.http]\nbsae = '/'",
                "[application.trigger.http] has an unknown key \"bsae\": did you mean \"base\"?",
            ),
            (
                "spin_manifest_version = 2\n[application]\nname = 3",
                "[application] invalid type: integer `3`, expected a string in `name`",
            ),
        ] {
            let refusal = refusal(text);
            assert!(refusal.starts_with(&format!("dir/spin.toml: {reason}")), "{refusal}");
            assert!(!refusal.contains('\n'), "{refusal:?}");
        }
    }

    #[test]
    fn variables_are_checked() {
        for (variable, reason) in [
            ("x = {}", "[variables.x] has no value: give it a default or write required = true"),
            ("x = 'a'", "[variables.x] must be a table"),
            ("x = { default = 1 }", "[variables.x] invalid type: integer `1`, expected a string in `default`"),
            ("x = { required = true, default = '' }", "[variables.x] is required and has a default: remove one"),
            (
                "x = { default = '', secert = true }",
                "[variables.x] has an unknown key \"secert\": did you mean \"secret\"?",
            ),
            (
                "X = { default = '' }",
                "[variables] \"X\" is not a valid variable name: use lower-case letters, digits and underscores",
            ),
        ] {
            assert_eq!(refusal(&format!("{HEAD}[variables]\n{variable}\n{TAIL}")), format!("dir/spin.toml: {reason}"));
        }
    }

    #[test]
    fn timers_are_checked() {
        let variables = "[variables]\nkey = { default = '', secret = true }\nmotto = { default = '' }\n";
        for (timers, reason) in [
            (&["seconds = 1"][..], "[application.tool.wiki-runner] missing field `path`"),
            (&["path = '/'"], "[application.tool.wiki-runner] missing field `seconds`"),
            (
                &["path = '/'\nseconds = 1\ncron = 'x'"],
                "[application.tool.wiki-runner] unknown field `cron`, expected one of `path`, `seconds`, `token`",
            ),
            (&["path = '/'\nseconds = -1"], "[application.tool.wiki-runner] invalid value: integer `-1`, expected u32"),
            (&["path = '/'\nseconds = 0"], "[[application.tool.wiki-runner.timer]] seconds = 0 must be 1 to 86400"),
            (
                &["path = 'a'\nseconds = 1"],
                "[[application.tool.wiki-runner.timer]] path \"a\" must be a path that begins with /, without a query",
            ),
            (
                &["path = '/a'\nseconds = 1", "path = '/a'\nseconds = 2"],
                "[[application.tool.wiki-runner.timer]] path \"/a\" has two timers: remove one",
            ),
            (
                &["path = '/a'\nseconds = 1\ntoken = 'kez'"],
                "[[application.tool.wiki-runner.timer]] token: there is no variable \"kez\": did you mean \"key\"?",
            ),
            (
                &["path = '/a'\nseconds = 1\ntoken = 'motto'"],
                "[[application.tool.wiki-runner.timer]] token: anybody may see the variable \"motto\": write secret = true",
            ),
        ] {
            let timers: String = timers.iter().map(|timer| format!("{TIMER}\n{timer}\n")).collect();
            let refusal = refusal(&format!("{HEAD}{timers}{variables}{TAIL}"));
            assert!(refusal.starts_with(&format!("dir/spin.toml: {reason}")), "{refusal}");
        }
    }

    #[test]
    fn one_component_is_selected_with_its_routes() {
        let two = "[[trigger.http]]\nroute = '/d'\ncomponent = 'd'\n[component.d]\nsource = 'd.wasm'\n\
                   [component.unreached]\nsource = 'u.wasm'\n";
        let manifest = || Manifest::parse(&format!("{HEAD}{TAIL}{two}"), Path::new("dir/spin.toml")).unwrap();
        let mut selected = manifest();
        selected.select("d").unwrap();
        assert_eq!(selected.routes, [("/d".to_owned(), "d".to_owned())]);
        assert_eq!(selected.components.keys().collect::<Vec<_>>(), ["d"]);
        for (id, reason) in [
            ("e", "dir/spin.toml has no component \"e\": it has c, d, unreached"),
            ("unreached", "dir/spin.toml: no route leads to the component \"unreached\""),
        ] {
            assert_eq!(manifest().select(id).unwrap_err().to_string(), reason);
        }
    }

    #[test]
    fn triggers_are_checked() {
        let component = "[component.shop]\nsource = 'a'\n";
        for (trigger, reason) in [
            ("", "there is no [[trigger.http]]: an application needs a route"),
            ("[[trigger.redis]]\nchannel = 'x'", "[[trigger.redis]] is not supported: this runner serves HTTP"),
            ("[trigger.http]", "trigger.http must be written [[trigger.http]]"),
            ("[[trigger.http]]\nroute = '/'", "[[trigger.http]] number 1 has no component: name one"),
            (
                "[[trigger.http]]\nroute = '/'\ncomponent = 'shp'",
                "[[trigger.http]] number 1 component: there is no [component.shp]: did you mean \"shop\"?",
            ),
            (
                "[[trigger.http]]\ncomponent = 'shop'",
                "[[trigger.http]] number 1 has no route: write route = \"/...\" for every path",
            ),
            (
                "[[trigger.http]]\ncomponent = 'shop'\nroute = { private = false }",
                "[[trigger.http]] number 1 route must be a path or { private = true }",
            ),
            (
                "[[trigger.http]]\nroute = '/'\nstatic_response = { status_code = 404 }",
                "[[trigger.http]] number 1 static_response is not supported: have a component answer",
            ),
            (
                "[[trigger.http]]\ncomponent = 'shop'\nroute = '/'\nexecutor = { type = 'wagi' }",
                "[[trigger.http]] number 1 executor: type \"wagi\" is not supported: remove the executor",
            ),
        ] {
            assert_eq!(refusal(&format!("{HEAD}{trigger}\n{component}")), format!("dir/spin.toml: {reason}"));
        }
    }

    #[test]
    fn what_a_component_would_miss_is_refused() {
        for (key, reason) in [
            ("files", "this runner gives components no file system"),
            ("key_value_stores", "this runner does not have fermyon:spin/key-value: use PostgreSQL"),
            ("sqlite_databases", "this runner does not have fermyon:spin/sqlite: use PostgreSQL"),
            ("ai_models", "this runner does not have fermyon:spin/llm"),
            ("allowed_http_hosts", "write allowed_outbound_hosts"),
        ] {
            let refusal = refusal(&format!("{HEAD}{TAIL}{key} = ['x']"));
            assert!(
                refusal.starts_with(&format!("dir/spin.toml: [component.c] {key} is not supported: {reason}")),
                "{refusal}"
            );
        }
        let refusal = refusal(&format!("{HEAD}{TAIL}[component.c.dependencies]\n\"a:b\" = '1'"));
        assert!(refusal.contains("compose them beforehand"), "{refusal}");
    }

    #[test]
    fn components_are_checked() {
        let component =
            |text: &str| format!("{HEAD}[[trigger.http]]\nroute = '/'\ncomponent = 'c'\n[component.c]\n{text}");
        for (text, reason) in [
            ("", "[component.c] has no source: name the component's .wasm file"),
            (
                "source = { url = 'https://x', digest = 'sha256:0' }",
                "[component.c] source: this runner loads local files: download it and write its path",
            ),
            ("source = 3", "[component.c] source must be the path of a file"),
            (
                "source = 'a'\nalowed_outbound_hosts = []",
                "[component.c] has an unknown key \"alowed_outbound_hosts\": did you mean \"allowed_outbound_hosts\"?",
            ),
            (
                "source = 'a'\n[component.c.build]\ncomand = 'make'",
                "[component.c] build has an unknown key \"comand\": did you mean \"command\"?",
            ),
            (
                "source = 'a'\nenvironment = { A = 1 }",
                "[component.c] invalid type: integer `1`, expected a string in `environment.A`",
            ),
            (
                "source = 'a'\nenvironment = { 'A=B' = '1' }",
                "[component.c] environment: \"A=B\" cannot be the name of an environment variable",
            ),
            (
                "source = 'a'\nvariables = { a__b = '1' }",
                "[component.c] variables: \"a__b\" is not a valid variable name: it has two underscores in a row",
            ),
        ] {
            assert_eq!(refusal(&component(text)), format!("dir/spin.toml: {reason}"));
        }
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
