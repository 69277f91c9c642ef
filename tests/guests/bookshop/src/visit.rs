//! A request, whichever way it came in.

use serde_json::Value;
use spin_sdk::http::{IncomingRequest, Scheme};

/// The head of a request.
pub struct Visit {
    /// The way: `streamed` or `buffered`.
    pub way: &'static str,
    pub method: String,
    pub scheme: Option<String>,
    pub authority: Option<String>,
    pub target: String,
    pub headers: Vec<(String, Vec<u8>)>,
}

impl Visit {
    /// The head of `request`, which comes part by part.
    pub fn streamed(request: &IncomingRequest) -> Self {
        Self {
            way: "streamed",
            method: request.method().to_string(),
            scheme: request.scheme().map(|scheme| match scheme {
                Scheme::Http => "http".to_owned(),
                Scheme::Https => "https".to_owned(),
                Scheme::Other(other) => other,
            }),
            authority: request.authority(),
            target: request.path_with_query().unwrap_or_default(),
            headers: request.headers().entries(),
        }
    }

    /// Path and query.
    pub fn parts(&self) -> (&str, &str) {
        self.target.split_once('?').unwrap_or((&self.target, ""))
    }

    /// The segments of the path.
    pub fn segments(&self) -> Vec<&str> {
        self.parts().0.split('/').filter(|segment| !segment.is_empty()).collect()
    }
}

/// The body of a request.
pub enum Body {
    Arriving(IncomingRequest),
    Whole(Vec<u8>),
}

impl Body {
    /// It, if it is JSON.
    pub async fn json(self) -> Value {
        let bytes = match self {
            Self::Arriving(request) => request.into_body().await.unwrap_or_default(),
            Self::Whole(bytes) => bytes,
        };
        serde_json::from_slice(&bytes).unwrap_or_default()
    }
}
