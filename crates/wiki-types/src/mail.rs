//! Mail: how often people are mailed what is unread in their inboxes.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::access::words;
use crate::rules::Wrong;

/// How often somebody is mailed what is unread in their inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mail {
    /// Never.
    #[default]
    Never,
    /// Once an hour at most.
    Hourly,
    /// Once a day at most.
    Daily,
}

words!(Mail, Never = "none", Hourly = "hourly", Daily = "daily");

/// How often you are mailed what is unread in your inbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({ "mail": "daily" })))]
pub struct MailSetting {
    /// `none`, `hourly` or `daily`: at most once in that time, and only if something is unread.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub mail: Mail,
}
