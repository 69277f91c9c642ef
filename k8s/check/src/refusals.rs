//! Values files with a mistake: Helm must refuse each and say where the mistake is.

use std::fs;
use std::path::Path;

use anyhow::Context;

use crate::cases::Case;
use crate::helm::Helm;

/// What is refused by `helm lint`, through the schema of the values: the values, and what Helm must name.
const LINT: [(&str, &str); 46] = [
    // Keys that do not exist, at the top and below.
    ("replicaCount: 3", "'replicaCount'"),
    ("image: {pulPolicy: Always}", "'pulPolicy'"),
    ("wiki: {shutdown: {graceSeconds: 3}}", "'graceSeconds'"),
    ("wiki: {resources: {request: {}}}", "'request'"),
    ("wiki: {access: {password: x}}", "'password'"),
    ("monitoring: {serviceMonitor: {wikiToken: {token: x}}}", "'token'"),
    ("service: {ports: 80}", "'ports'"),
    ("ingress: {host: wiki.example}", "'host'"),
    ("ingress: {tls: {secret: x}}", "'secret'"),
    ("autoscaling: {cpu: 70}", "'cpu'"),
    ("networkPolicy: {enable: true}", "'enable'"),
    ("postgresql: {auth: {password: x}}", "'password'"),
    ("postgresql: {storage: {class: fast}}", "'class'"),
    ("cnpg: {pooler: {mode: session}}", "'mode'"),
    ("externalDatabase: {user: me}", "'user'"),
    ("externalDatabase: {ca: {file: x}}", "'file'"),
    ("migration: {comand: [x]}", "'comand'"),
    ("backup: {image: {repo: x}}", "'repo'"),
    ("monitoring: {serviceMonitor: {path: /x}}", "'path'"),
    ("tests: {enable: true}", "'enable'"),
    // Values of another type or outside of what is possible.
    ("replicas: many", "/replicas"),
    ("replicas: -1", "/replicas"),
    ("image: {tag: 1.2}", "/image/tag"),
    ("image: {digest: abc}", "/image/digest"),
    ("image: {pullPolicy: Sometimes}", "/image/pullPolicy"),
    ("service: {type: Public}", "/service/type"),
    ("service: {nodePort: 80}", "/service/nodePort"),
    ("service: {port: '80'}", "/service/port"),
    ("ingress: {hosts: wiki.example}", "/ingress/hosts"),
    ("wiki: {resources: {limits: {memory: lots}}}", "/wiki/resources/limits/memory"),
    ("wiki: {variables: {db_host: elsewhere}}", "db_host"),
    ("wiki: {variables: {Site-Name: x}}", "Site-Name"),
    // What wiki.access says.
    ("wiki: {variables: {access: open}}", "'access'"),
    ("wiki: {variables: {admin_username: ada}}", "admin_username"),
    ("wiki: {secretVariables: {admin_password: {name: a, key: b}}}", "admin_password"),
    ("wiki: {settings: {RUNNER_TRUSTED_PROXIES: '::1'}}", "RUNNER_TRUSTED_PROXIES"),
    ("wiki: {access: {mode: public}}", "/wiki/access/mode"),
    ("wiki: {access: {adminUsername: ''}}", "/wiki/access/adminUsername"),
    ("wiki: {trustedProxies: 10.244.0.0/16}", "/wiki/trustedProxies"),
    ("wiki: {trustedProxies: [proxy.example]}", "/wiki/trustedProxies/0"),
    // Which Helm would write as 5e+06.
    ("wiki: {variables: {most: 5000000}}", "/wiki/variables/most"),
    ("postgresql: {parameters: {jit: false}}", "/postgresql/parameters/jit"),
    ("wiki: {settings: {RUNNER_ADMIN: '1'}}", "RUNNER_ADMIN"),
    ("externalDatabase: {sslmode: maybe}", "/externalDatabase/sslmode"),
    ("cnpg: {instances: 0}", "/cnpg/instances"),
    ("postgresql: {enabled: 'yes'}", "/postgresql/enabled"),
];

/// What is refused when it is rendered, since it takes two values to see it.
const TEMPLATE: [(&str, &str); 7] = [
    ("cnpg: {enabled: true}", "postgresql.enabled and cnpg.enabled are both true"),
    ("externalDatabase: {host: db}", "set postgresql.enabled=false"),
    ("postgresql: {enabled: false}", "there is no database"),
    ("{postgresql: {enabled: false}, externalDatabase: {host: db}}", "externalDatabase has no password"),
    ("httpRoute: {enabled: true}", "httpRoute.parentRefs"),
    ("autoscaling: {enabled: true, cpuPercent: null}", "autoscaling.cpuPercent or autoscaling.requestsPerSecond"),
    ("replicas: 20", "postgresql.maxConnections is 120"),
];

/// Tries each, and returns how many there are and what is wrong.
pub fn check(helm: &Helm, work: &Path) -> anyhow::Result<(usize, Vec<String>)> {
    let file = work.join("mistake.yaml");
    let mut wrong = Vec::new();
    let verbs = LINT.iter().map(|case| ("lint", case)).chain(TEMPLATE.iter().map(|case| ("template", case)));
    for (verb, (values, named)) in verbs {
        fs::write(&file, format!("{values}\n")).with_context(|| format!("cannot write {}", file.display()))?;
        let case = Case { name: (*values).to_owned(), files: vec![file.clone()], options: vec![], given: vec![] };
        let result = if verb == "lint" { helm.lint(&case) } else { helm.template(&case).map(drop) };
        match result {
            Ok(()) => wrong.push(format!("helm {verb} accepts {values:?}")),
            Err(error) if !format!("{error:#}").lines().skip(1).any(|line| line.contains(named)) => {
                wrong.push(format!("helm {verb} refuses {values:?} without naming {named}: {error:#}"));
            }
            Err(_) => {}
        }
    }
    Ok((LINT.len() + TEMPLATE.len(), wrong))
}
