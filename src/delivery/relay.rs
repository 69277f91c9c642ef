//! The relay: hands the events of the log on, in order for each key. Before, the clock adds those whose time has come, and the
//! heartbeat tells replicas what time it is.
//!
//! An event that fails while others pass is put aside, and the later ones of its key with it. If nothing passes, what is on the
//! other side is away: nothing is put aside, and the same events are tried again after a pause.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use http::StatusCode;

use crate::auth::{Context, unique};
use crate::config::{Delivery, EventsMode};
use crate::delivery::cloud_event::Event;
use crate::delivery::consumers::CONSUMERS;
use crate::delivery::{clock, dapr, mail, returned, token, webhooks};
use crate::store::relay::{self, Attempt, BATCH, Pending};
use crate::store::{self, Db, heartbeat};
use crate::web::outbound::Send;
use crate::web::{Problem, Response, response};

/// How long one request goes on. The next comes soon, and a host may end one that takes longer.
const WORK: Duration = Duration::from_secs(5);
/// Failures in a row, before anything has passed, after which no more is tried.
const ENOUGH: usize = 5;
/// Why an event is put aside that did not fail itself.
const HAS_TO_WAIT: &str = "an earlier event of its key comes first";

/// `POST /-/relay`: hands on what there is
pub fn run(cx: &Context) -> Result<Response, Problem> {
    let settings = Delivery::load().map_err(Problem::internal)?;
    token::check(cx.request.headers(), &settings.token)?;
    let began = Instant::now();
    if cx.db.has_replica() {
        heartbeat::beat(cx.db)?;
    }
    let (mode, sends_mail) = (settings.mode.as_str(), settings.mailing.is_some());
    if !relay::has_work(cx.db, mode, sends_mail)? {
        return Ok(response::no_content());
    }
    clock::run(cx.db)?;
    relay::note_mode(cx.db, mode, sends_mail)?;
    let handed_on = if settings.mode == EventsMode::Cdc {
        Ok(())
    } else {
        let way = Way { db: cx.db, send: cx.services.send, settings };
        way.work(&unique()?, began)
    };
    // What was handed on before goes out, whether more could be or not.
    returned::retry(cx.db)?;
    webhooks::send_due(cx, began + WORK)?;
    mail::send_due(cx, settings)?;
    handed_on.map(|()| response::no_content())
}

/// Where events are handed on to.
struct Way<'a> {
    db: &'a Db,
    send: Send,
    settings: &'static Delivery,
}

/// What could be handed on.
enum Outcome<'a> {
    /// All but these, with the reasons.
    AllBut(Vec<(&'a Pending, String)>),
    /// Nothing, for this reason.
    Nothing(String),
}

impl Way<'_> {
    fn work(&self, lease: &str, began: Instant) -> Result<(), Problem> {
        let mut has_lease = false;
        while began.elapsed() < WORK {
            let events = relay::claim(self.db, lease)?;
            let Some(last) = events.last() else { break };
            has_lease = true;
            match self.hand_on(&events)? {
                Outcome::AllBut(failed) => {
                    for (event, reason) in &failed {
                        eprintln!("an event of {} {} was put aside: {reason}", event.topic, event.key);
                    }
                    relay::advance(self.db, lease, last, &failed)?;
                }
                Outcome::Nothing(reason) => {
                    relay::back_off(self.db, lease)?;
                    let detail = "Events cannot be handed on at the moment. They stay in the log, and are tried again.";
                    eprintln!("no event can be handed on: {reason}");
                    return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail));
                }
            }
            if events.len() < BATCH {
                break;
            }
        }
        // Those that were put aside. If nothing passes at the moment, this is not reached.
        let events = relay::due(self.db)?;
        if !events.is_empty() {
            let results = self.results(&events.iter().collect::<Vec<_>>())?;
            let attempts = events.iter().zip(results);
            let attempts: Vec<_> =
                attempts.map(|(event, result)| Attempt { aside: event.aside, error: result.err() }).collect();
            relay::settle(self.db, &attempts)?;
        }
        if has_lease {
            relay::release(self.db, lease)?;
        }
        Ok(())
    }

    /// Hands on one event of each key after the other.
    fn hand_on<'a>(&self, events: &'a [Pending]) -> Result<Outcome<'a>, store::Error> {
        let mut failed: Vec<(&Pending, String)> = Vec::new();
        let mut waiting: HashSet<(&str, &str)> = HashSet::new();
        let mut left: Vec<&Pending> = events.iter().collect();
        let (mut has_passed, mut failures, mut first_reason) = (false, 0, None);
        while !left.is_empty() {
            let (wave, later) = self.wave(&left);
            left = later;
            let (stopped, free): (Vec<_>, Vec<_>) = wave
                .into_iter()
                .partition(|event| event.has_to_wait || waiting.contains(&(&*event.topic, &*event.key)));
            failed.extend(stopped.into_iter().map(|event| (event, HAS_TO_WAIT.to_owned())));
            for (event, result) in free.iter().zip(self.results(&free)?) {
                match result {
                    Ok(()) => has_passed = true,
                    Err(reason) => {
                        failures += 1;
                        first_reason.get_or_insert_with(|| reason.clone());
                        waiting.insert((&event.topic, &event.key));
                        failed.push((event, reason));
                    }
                }
            }
            if !has_passed && failures >= ENOUGH {
                break;
            }
        }
        match first_reason {
            Some(reason) if !has_passed => Ok(Outcome::Nothing(reason)),
            _ => {
                failed.sort_by_key(|(event, _)| event.sequence());
                Ok(Outcome::AllBut(failed))
            }
        }
    }

    /// Those of the events that can be handed on at once, and the others. In this process, all can: consumers take them in
    /// their order.
    fn wave<'a>(&self, events: &[&'a Pending]) -> (Vec<&'a Pending>, Vec<&'a Pending>) {
        if self.settings.mode == EventsMode::Inline {
            return (events.to_vec(), Vec::new());
        }
        let mut keys = HashSet::new();
        events.iter().partition(|event| keys.insert((&*event.topic, &*event.key)))
    }

    /// Hands on events that need not wait for each other.
    fn results(&self, events: &[&Pending]) -> Result<Vec<Result<(), String>>, store::Error> {
        match self.settings.mode {
            EventsMode::Dapr => Ok(dapr::publish(self.settings, self.send, events)),
            EventsMode::Inline | EventsMode::Cdc => consume(self.db, events),
        }
    }
}

/// Has every consumer take the events: together, or, if that fails, one by one.
fn consume(db: &Db, pending: &[&Pending]) -> Result<Vec<Result<(), String>>, store::Error> {
    let read: Vec<_> = pending.iter().map(|event| Event::from_json(event.payload.as_bytes())).collect();
    let all: Vec<Event> = read.iter().flatten().cloned().collect();
    for consumer in CONSUMERS.iter().filter(|_| !all.is_empty()) {
        if consumer.take(db, &all)?.is_err() {
            return one_by_one(db, pending, &read);
        }
    }
    Ok(read.into_iter().map(|event| event.map(drop)).collect())
}

fn one_by_one(
    db: &Db,
    pending: &[&Pending],
    read: &[Result<Event, String>],
) -> Result<Vec<Result<(), String>>, store::Error> {
    let mut failed_keys = HashSet::new();
    let mut results = Vec::new();
    for (place, event) in pending.iter().zip(read) {
        let key = (&*place.topic, &*place.key);
        let result = match event {
            _ if failed_keys.contains(&key) => Err(HAS_TO_WAIT.to_owned()),
            Err(reason) => Err(reason.clone()),
            Ok(event) => {
                let mut result = Ok(());
                for consumer in CONSUMERS {
                    // Each gets its turn, whether another failed or not.
                    result = consumer.take(db, std::slice::from_ref(event))?.and(result);
                }
                result
            }
        };
        if result.is_err() {
            failed_keys.insert(key);
        }
        results.push(result);
    }
    Ok(results)
}
