//! Outbound HTTP: only to allowed hosts, and in private networks only to hosts that are allowed by name.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use http::uri::Scheme;
use http::{Request, Response, Uri};
use http_body_util::BodyExt;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks, default_send_request};

use crate::config::allowed_hosts::AllowedHosts;

/// How long a guest waits for a connection, for the head of a response, and for each further part of it, unless it says itself how
/// long it wants to. As for a database: people wait for whatever it does. Meanwhile it takes up an instance and a place of others.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(10);

/// Sends the requests of a guest to allowed hosts.
pub struct Outbound {
    allowed: Arc<AllowedHosts>,
}

impl Outbound {
    pub fn new(allowed: Arc<AllowedHosts>) -> Self {
        Self { allowed }
    }

    fn permits(&self, uri: &Uri) -> bool {
        target(uri).is_some_and(|(scheme, host, port)| self.allowed.permits(scheme.as_str(), host, port))
    }

    fn names(&self, uri: &Uri) -> bool {
        target(uri).is_some_and(|(scheme, host, port)| self.allowed.names(scheme.as_str(), host, port))
    }
}

fn target(uri: &Uri) -> Option<(&Scheme, &str, u16)> {
    let (scheme, host) = (uri.scheme()?, uri.host()?);
    let default_port = if *scheme == Scheme::HTTPS { 443 } else { 80 };
    Some((scheme, host, uri.port_u16().unwrap_or(default_port)))
}

/// Resolves the name in `uri` to an address. Fails unless every address of the name is public.
///
/// With a wildcard, a guest or its users can choose any name, and a name can resolve to this machine, its neighbours, or the
/// metadata service of a cloud. With TLS the name is kept, because the server's certificate is verified against it.
async fn public(uri: Uri) -> Result<Uri, Error> {
    let (scheme, host, port) = target(&uri).ok_or(Error::HttpRequestUriInvalid)?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let found = tokio::net::lookup_host((host, port)).await.map_err(Error::Connect)?;
    let addresses: Vec<_> = found.collect();
    if let Some(private) = addresses.iter().find(|address| !is_public(address.ip())) {
        tracing::warn!(%host, address = %private.ip(), "refused an outbound request into a private network: name the host in allowed_outbound_hosts");
        return Err(Error::HttpRequestDenied);
    }
    let Some(first) = addresses.first().filter(|_| *scheme == Scheme::HTTP) else { return Ok(uri) };
    let mut parts = uri.into_parts();
    parts.authority = first.to_string().parse().ok();
    Uri::from_parts(parts).map_err(|_| Error::HttpRequestUriInvalid)
}

/// Whether an address is on the public internet (IANA's special-purpose address registries, RFC 6890).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(address) => is_public_v4(address),
            None => is_public_v6(address),
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, ..] = address.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let testing = a == 198 && (18..20).contains(&b);
    // Protocol assignments, with a cloud's metadata service; deprecated 6to4 relays; and Azure's platform address, which only
    // looks public.
    let special = matches!(address.octets(), [192, 0, 0, _] | [192, 88, 99, _] | [168, 63, 129, 16]);
    !(a == 0
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast()
        || a >= 240
        || shared
        || testing
        || special)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let first = address.segments()[0];
    // 64:ff9b::/96, 2002::/16 and 2001::/32 contain IPv4 addresses, public or not.
    let translated = first == 0x64 || first == 0x2002 || (first == 0x2001 && address.segments()[1] == 0);
    (first & 0xe000) == 0x2000 && !translated
}

/// `options` with the runner's limits for those that the guest left out, and the time for all of it until the head of the response: the
/// library does not limit finding the host's address and the TLS handshake.
fn with_limits(options: Option<RequestOptions>) -> (RequestOptions, Duration) {
    let mut options = options.unwrap_or_default();
    let connect = *options.connect_timeout.get_or_insert(CONNECT_TIMEOUT);
    let response = *options.first_byte_timeout.get_or_insert(RESPONSE_TIMEOUT);
    options.between_bytes_timeout.get_or_insert(RESPONSE_TIMEOUT);
    (options, connect.saturating_add(response))
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
            // Not the authority, which may contain a password.
            let (host, port) = (request.uri().host().unwrap_or_default(), request.uri().port_u16());
            tracing::warn!(host, port, "refused an outbound request: add the host to allowed_outbound_hosts");
            return Box::new(std::future::ready(Err(Error::HttpRequestDenied)));
        }
        let is_named = self.names(request.uri());
        Box::new(async move {
            let mut request = request;
            let (options, limit) = with_limits(options);
            let send = async {
                if !is_named {
                    *request.uri_mut() = public(request.uri().clone()).await?;
                }
                let (response, worker) = default_send_request(request, Some(options)).await?;
                Ok((response.map(BodyExt::boxed_unsync), Box::new(worker) as Worker))
            };
            tokio::time::timeout(limit, send).await.unwrap_or(Err(Error::HttpResponseTimeout))
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

    #[tokio::test]
    async fn a_wildcard_does_not_lead_into_private_networks() {
        for uri in [
            "http://localhost/",
            "http://127.0.0.1/",
            "http://[::1]/",
            "http://10.1.2.3/",
            "http://169.254.169.254/latest/meta-data",
            "http://[::ffff:192.168.0.1]/",
            "http://[fd00::1]/",
            "http://0.0.0.0/",
            "https://100.64.0.1/",
            "http://192.0.0.192/opc/v1/",
            "http://168.63.129.16/",
            "http://[64:ff9b::a00:1]/",
        ] {
            assert!(matches!(public(uri.parse().unwrap()).await, Err(Error::HttpRequestDenied)), "{uri}");
        }
        for uri in ["http://93.184.215.14/a?b", "https://93.184.215.14/", "http://[2606:2800:21f:cb07::1]:81/"] {
            let kept = public(uri.parse().unwrap()).await.unwrap();
            assert_eq!(kept.path_and_query(), uri.parse::<Uri>().unwrap().path_and_query());
        }
        let wildcard = outbound(&["http://*:*", "http://db.internal:81"]);
        assert!(!wildcard.names(&"http://db.internal:82/".parse().unwrap()));
        assert!(wildcard.names(&"http://db.internal:81/".parse().unwrap()));
    }

    #[test]
    fn a_guest_that_says_nothing_waits_for_a_while() {
        let (options, limit) = with_limits(None);
        assert_eq!((options.connect_timeout, limit), (Some(CONNECT_TIMEOUT), Duration::from_secs(15)));
        assert_eq!(
            (options.first_byte_timeout, options.between_bytes_timeout),
            (Some(RESPONSE_TIMEOUT), Some(RESPONSE_TIMEOUT))
        );
        let of_the_guest = RequestOptions { first_byte_timeout: Some(Duration::MAX), ..RequestOptions::default() };
        let (options, limit) = with_limits(Some(of_the_guest));
        assert_eq!((options.connect_timeout, options.first_byte_timeout), (Some(CONNECT_TIMEOUT), Some(Duration::MAX)));
        assert_eq!(limit, Duration::MAX);
    }

    #[test]
    fn without_allowed_hosts_nothing_is_reached() {
        assert!(!outbound(&[]).permits(&"https://example.org/".parse().unwrap()));
    }
}
