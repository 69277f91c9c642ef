//! Which requests may share an instance, and which instances are never used again.

use std::collections::{HashMap, HashSet};

use blackbox::{App, Client, at_once, eventually, metric};

/// The name of the instance that serves `target`.
async fn instance(shop: &Client, target: &str) -> String {
    let answer = shop.get(target).await.expect(200).json();
    answer["instance"].as_str().unwrap().to_owned()
}

/// The instances that serve some requests, one after another and at once.
async fn instances(shop: &Client) -> HashSet<String> {
    let mut found = HashSet::new();
    for _ in 0..10 {
        found.insert(instance(shop, "/misbehave/behave").await);
    }
    let clients = (0..10).map(|_| {
        let shop = shop.clone();
        async move { instance(&shop, "/misbehave/behave").await }
    });
    found.extend(at_once(clients).await);
    found
}

/// The instance in which a guest last said that it was about to do something.
fn last_about_to(log: &str, what: &str) -> String {
    let (_, name) = log.rsplit_once(&format!("about to {what} in ")).expect("the guest said so");
    name[..16].to_owned()
}

#[tokio::test]
async fn an_instance_serves_up_to_its_reuse_limit() {
    let shop = App::bookshop().env("RUNNER_INSTANCE_REUSE", "3").start().await;
    let mut served = HashMap::new();
    for _ in 0..30 {
        *served.entry(instance(&shop, "/misbehave/behave").await).or_insert(0) += 1;
    }
    assert!(served.values().all(|requests| *requests <= 3), "{served:?}");
    assert!(served.values().any(|requests| *requests > 1), "{served:?}");
}

#[tokio::test]
async fn a_reuse_of_1_gives_every_request_its_own_instance() {
    let shop = App::bookshop().env("RUNNER_INSTANCE_REUSE", "1").start().await;
    assert_eq!(instances(&shop).await.len(), 20);
}

#[tokio::test]
async fn a_failed_instance_is_not_reused() {
    let shop = App::bookshop().env("RUNNER_REQUEST_TIMEOUT", "1s").env("RUNNER_MAX_MEMORY", "64MiB").start().await;
    for (how, status) in [("trap", 500), ("panic", 500), ("allocate", 500), ("recurse", 500), ("loop", 504)] {
        // One that has served others before.
        let mut known = HashSet::new();
        let mut failed = String::new();
        for attempt in 1..=10 {
            known.extend(instances(&shop).await);
            shop.get(&format!("/misbehave/{how}")).await.problem(status);
            shop.runner().logged(&format!("about to {how} in "), attempt).await;
            failed = last_about_to(&shop.runner().stderr(), how);
            if known.contains(&failed) {
                break;
            }
        }
        assert!(known.contains(&failed), "no instance was used twice: {known:?}");
        assert!(!instances(&shop).await.contains(&failed), "after {how}, the instance is used again");
    }
}

#[tokio::test]
async fn an_instance_that_keeps_memory_is_not_reused() {
    let shop = App::bookshop().env("RUNNER_KEPT_MEMORY", "16MiB").start().await;
    for (target, reason) in [("/misbehave/keep", "holding"), ("/misbehave/grow?20", "large")] {
        let keeper = instance(&shop, target).await;
        assert!(!instances(&shop).await.contains(&keeper), "after {target}, the instance is used again");
        let discarded = format!("wiki_runner_instances_discarded_total{{component=\"shop\",reason=\"{reason}\"}}");
        eventually("the reason is counted", || async {
            let metrics = shop.admin().get("/metrics").await.expect(200).text().to_owned();
            metric(&metrics, &discarded) == Some(1)
        })
        .await;
    }
}

#[tokio::test]
async fn an_idle_instance_expires() {
    let shop = App::bookshop().env("RUNNER_INSTANCE_IDLE_TIMEOUT", "50ms").start().await;
    let first = instance(&shop, "/misbehave/behave").await;
    eventually("every instance has expired", || async {
        let metrics = shop.admin().get("/metrics").await.expect(200).text().to_owned();
        let created = metric(&metrics, "wiki_runner_instances_created_total{component=\"shop\"}");
        let expired = metric(&metrics, "wiki_runner_instances_discarded_total{component=\"shop\",reason=\"idle\"}");
        created.is_some() && created == expired
    })
    .await;
    assert_ne!(instance(&shop, "/misbehave/behave").await, first);
}
