//! Outbound HTTP: only to allowed hosts.

use std::sync::Arc;

use http::uri::Scheme;
use http::{Request, Response, Uri};
use http_body_util::BodyExt;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks, default_send_request};

use super::allowed_hosts::AllowedHosts;

/// Sends a guest's requests, or refuses to.
pub struct Outbound {
    allowed: Arc<AllowedHosts>,
}

impl Outbound {
    /// An outbound client that may reach `allowed`.
    pub fn new(allowed: Arc<AllowedHosts>) -> Self {
        Self { allowed }
    }

    fn permits(&self, uri: &Uri) -> bool {
        let (Some(scheme), Some(host)) = (uri.scheme(), uri.host()) else { return false };
        let default_port = if *scheme == Scheme::HTTPS { 443 } else { 80 };
        self.allowed.permits(scheme.as_str(), host, uri.port_u16().unwrap_or(default_port))
    }
}

type Worker = Box<dyn Future<Output = Result<(), Error>> + Send>;

impl WasiHttpHooks for Outbound {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Worker,
    ) -> Box<dyn Future<Output = Result<(Response<WasiBody>, Worker), Error>> + Send> {
        if !self.permits(request.uri()) {
            let authority = request.uri().authority().map(ToString::to_string).unwrap_or_default();
            tracing::warn!(%authority, "refused an outbound request: add the host to allowed_outbound_hosts");
            return Box::new(std::future::ready(Err(Error::HttpRequestDenied)));
        }
        Box::new(async move {
            let (response, worker) = default_send_request(request, options).await?;
            Ok((response.map(BodyExt::boxed_unsync), Box::new(worker) as Worker))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outbound(allowed: &[&str]) -> Outbound {
        Outbound::new(Arc::new(AllowedHosts::parse(allowed).unwrap()))
    }

    #[test]
    fn only_allowed_hosts_are_reached() {
        let outbound = outbound(&["https://api.example", "http://127.0.0.1:8080"]);
        for uri in ["https://api.example/a", "https://api.example:443/", "http://127.0.0.1:8080/"] {
            assert!(outbound.permits(&uri.parse().unwrap()), "{uri}");
        }
        for uri in
            ["http://api.example/", "https://api.example:8443/", "https://example/", "http://127.0.0.1/", "/path"]
        {
            assert!(!outbound.permits(&uri.parse().unwrap()), "{uri}");
        }
    }

    #[test]
    fn without_allowed_hosts_nothing_is_reached() {
        assert!(!outbound(&[]).permits(&"https://example.org/".parse().unwrap()));
    }
}
