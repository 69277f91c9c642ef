//! Events on their way: what a test does in place of a timer.

use crate::app::{App, Builder};
use crate::{Client, Request, Response, Value, eventually};

/// What the routes for events are called with, in a wiki that was started [`with_events`](Builder::with_events).
pub const EVENTS_TOKEN: &str = "shared-with-whoever-calls";

impl Builder {
    /// With a token for the routes that move events.
    pub fn with_events(self) -> Self {
        self.env("SPIN_VARIABLE_EVENTS_TOKEN", EVENTS_TOKEN)
    }
}

impl App {
    /// Calls the relay until it has handed on every event of the log.
    ///
    /// Events are handed on once all older transactions of the server have ended, those of other tests among them.
    ///
    /// # Panics
    /// When it refuses, or does not get there.
    pub async fn relay(&self) {
        const LEFT: &str = "SELECT count(*) FROM outbox JOIN relay
            ON (outbox.era, outbox.transaction, outbox.number) > (relay.era, relay.transaction, relay.number)";
        eventually("every event is handed on", || async {
            self.call_relay().await.expect(204);
            self.database().column(LEFT).await == ["0"]
        })
        .await;
    }
}

impl Client {
    /// A call of the relay, as a timer makes it.
    pub fn call_relay(&self) -> Request {
        self.post("/-/relay").token(EVENTS_TOKEN)
    }

    /// Hands an event to a consumer, as Dapr does.
    pub async fn deliver(&self, consumer: &str, event: &Value) -> Response {
        let request: Request = self.post(&format!("/-/consumers/{consumer}")).token(EVENTS_TOKEN);
        request.body("application/cloudevents+json", event.to_string()).await
    }
}
