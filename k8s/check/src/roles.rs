//! Whether the wiki connects to its database as a role that owns nothing, and only the server and Jobs know the owner's
//! password.

use anyhow::Context;

use crate::objects::{Fields, Pods, Set};
use crate::references;
use crate::settings;

/// The runner's settings of the user that it connects as, and of the role that a migration grants rights to.
const USER: &str = "DB_USER";
const GRANT_TO: &str = "RUNNER_GRANT_TO";

/// The variable of SpinApps with the user.
const VARIABLE: &str = "db_user";

/// How `given` of a set of SpinApps names the role of their database.
const GIVEN: &str = "Role/";

/// What the pods of one component know of the database.
struct Access {
    owner: String,
    user: String,
    granted: Option<String>,
}

/// The role of the database that the chart makes with some values, as an entry of `given`.
pub fn given(sets: &[Set], values: &str) -> anyhow::Result<String> {
    let set = sets.iter().find(|set| set.name == values).with_context(|| values.to_owned())?;
    let role = of("migration", set).into_iter().find_map(|access| access.granted);
    Ok(format!("{GIVEN}{}", role.with_context(|| format!("{values}: no migration grants anything to a role"))?))
}

/// What is wrong with who connects as whom in a set.
pub fn check(set: &Set) -> Vec<String> {
    let mut wrong = spin_apps(set);
    let migrations = of("migration", set);
    let wikis: Vec<_> = ["wiki", "notification", "audit", "webhooks"].iter().flat_map(|it| of(it, set)).collect();
    for migration in &migrations {
        let Access { owner, user, granted } = migration;
        match granted {
            Some(role) if role == user => {
                wrong.push(format!("{owner}: grants {role} the rights that it has as the owner"))
            }
            Some(_) => wrong.extend(knowing(set, owner)),
            None => {}
        }
        // Without a role, the wiki is the owner.
        let role = granted.as_ref().unwrap_or(user);
        let others = wikis.iter().filter(|wiki| wiki.user != *role);
        wrong.extend(others.map(|wiki| format!("{}: nothing grants rights to {}", wiki.owner, wiki.user)));
    }
    wrong
}

/// The pods of a component with their users.
fn of(component: &str, set: &Set) -> Vec<Access> {
    let mut found = Vec::new();
    for pods in set.pods().iter().filter(|pods| is(component, pods)) {
        for container in pods.containers() {
            let mut settings = settings::of(container, set);
            if let Some(user) = settings.remove(USER) {
                found.push(Access { owner: pods.owner.clone(), user, granted: settings.remove(GRANT_TO) });
            }
        }
    }
    found
}

fn is(component: &str, pods: &Pods) -> bool {
    pods.labels.get("app.kubernetes.io/component").is_some_and(|known| known == component)
}

/// Pods of the wiki that have the password which a migration connects with.
fn knowing(set: &Set, migration: &str) -> Vec<String> {
    let Some(pods) = set.pods().into_iter().find(|pods| pods.owner == migration) else { return vec![] };
    let mut secrets = Vec::new();
    for source in pods.spec.list("/volumes").iter().flat_map(|volume| volume.list("/projected/sources")) {
        let items = source.list("/secret/items").iter().filter(|item| item.text("/path") == "password");
        secrets.extend(items.map(|item| format!("Secret/{}/{}", source.text("/secret/name"), item.text("/key"))));
    }
    let mut wrong = Vec::new();
    for object in set.of("Deployment") {
        let wanted = references::wanted(object);
        let known = secrets.iter().filter(|secret| wanted.contains(*secret));
        wrong.extend(known.map(|secret| format!("{}: has the password of the owner, {secret}", object.title())));
    }
    wrong
}

/// SpinApps that connect as another than the role of their database.
fn spin_apps(set: &Set) -> Vec<String> {
    let Some(role) = set.given.iter().find_map(|given| given.strip_prefix(GIVEN)) else { return vec![] };
    let mut wrong = Vec::new();
    for app in set.of("SpinApp") {
        let variables = app.value.list("/spec/variables").iter().filter(|variable| variable.text("/name") == VARIABLE);
        for reference in variables.map(|variable| &variable["valueFrom"]["configMapKeyRef"]) {
            let map = set.of("ConfigMap").find(|map| map.name == reference.text("/name"));
            let user = map.and_then(|map| map.value.map("/data").remove(reference.text("/key"))).unwrap_or_default();
            if user != role {
                wrong.push(format!("{}: connects as {user:?}, but the role of its database is {role}", app.title()));
            }
        }
    }
    wrong
}
