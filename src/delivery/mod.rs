//! What becomes of events: the relay hands them to consumers, in this process or by way of Dapr, and sends what these put up.

pub mod audit;
pub mod clock;
pub mod cloud_event;
pub mod consumers;
pub mod dapr;
pub mod mail;
pub mod notification;
pub mod receive;
pub mod relay;
pub mod returned;
pub mod token;
pub mod webhooks;
