//! Requests to other servers, several at once.

use std::time::Duration;

use http::StatusCode;
use http::uri::Scheme as UriScheme;
use wasi::http::outgoing_handler::handle;
use wasi::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingResponse, Method, OutgoingBody, OutgoingRequest, RequestOptions,
    Scheme,
};

use crate::wasi::stream;
use crate::web::outbound::{self, Answer, Outgoing};

/// How long a server may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a server may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long it may take to send the beginning of its answer's body.
const BODY_TIMEOUT: Duration = Duration::from_secs(2);
/// The most bytes of that which are read: enough for a line of the log.
const BODY_READ: u64 = 1024;

/// Sends all `requests` at once, and waits for the answers. They are in the order of the requests.
pub fn send(requests: Vec<Outgoing>) -> Vec<Result<Answer, String>> {
    let begun: Vec<_> = requests.iter().map(begin).collect();
    begun.into_iter().map(|begun| begun.and_then(wait)).collect()
}

fn begin(outgoing: &Outgoing) -> Result<FutureIncomingResponse, String> {
    let (parts, body) = (outgoing.uri(), outgoing.body());
    let mut headers: Vec<_> =
        outgoing.headers().iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
    // So that the host need not send it in chunks, which not every server takes.
    headers.push(("content-length".to_owned(), body.len().to_string().into_bytes()));
    let headers = Fields::from_list(&headers).map_err(|error| format!("its headers are not accepted: {error:?}"))?;
    let request = OutgoingRequest::new(headers);
    let scheme = if parts.scheme() == Some(&UriScheme::HTTP) { Scheme::Http } else { Scheme::Https };
    let is_set = request.set_method(&Method::Post).is_ok()
        && request.set_scheme(Some(&scheme)).is_ok()
        && request.set_authority(parts.authority().map(|authority| authority.as_str())).is_ok()
        && request.set_path_with_query(parts.path_and_query().map(|path| path.as_str())).is_ok();
    if !is_set {
        return Err("its address is not accepted".to_owned());
    }
    let options = RequestOptions::new();
    for (set, timeout) in [
        (options.set_connect_timeout(Some(nanoseconds(CONNECT_TIMEOUT))), CONNECT_TIMEOUT),
        (options.set_first_byte_timeout(Some(nanoseconds(ANSWER_TIMEOUT))), ANSWER_TIMEOUT),
        (options.set_between_bytes_timeout(Some(nanoseconds(BODY_TIMEOUT))), BODY_TIMEOUT),
    ] {
        set.map_err(|()| format!("the host has no time limit of {timeout:?}"))?;
    }
    let outgoing = request.body().map_err(|()| "it cannot have a body".to_owned())?;
    let response = handle(request, Some(options)).map_err(|error| reason(&error))?;
    // A server that does not read to the end answers all the same.
    _ = outgoing.write().map(|output| stream::send(&output, body));
    _ = OutgoingBody::finish(outgoing, None);
    Ok(response)
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn wait(response: FutureIncomingResponse) -> Result<Answer, String> {
    response.subscribe().block();
    match response.get() {
        Some(Ok(Ok(response))) => read(&response),
        Some(Ok(Err(error))) => Err(reason(&error)),
        None | Some(Err(())) => Err("the host gave no answer".to_owned()),
    }
}

fn read(response: &IncomingResponse) -> Result<Answer, String> {
    let status = StatusCode::from_u16(response.status()).map_err(|_| "the status is not one of HTTP".to_owned())?;
    let retry_after = response.headers().get(&"retry-after".to_owned()).into_iter().next();
    let retry_after = retry_after
        .and_then(|value| outbound::retry_after(&String::from_utf8(value).ok()?, chrono::Utc::now().timestamp()));
    let begin = || {
        let body = response.consume().ok()?;
        let stream = body.stream().ok()?;
        stream.blocking_read(BODY_READ).ok()
    };
    let beginning = String::from_utf8_lossy(&begin().unwrap_or_default()).into_owned();
    Ok(Answer { status, beginning, retry_after })
}

/// Why there is no answer, in a few words.
fn reason(error: &ErrorCode) -> String {
    match error {
        ErrorCode::HttpRequestDenied => {
            "the host of the address is not among those that the wiki may reach (webhook_hosts, mail_hosts)".to_owned()
        }
        ErrorCode::DnsError(_) | ErrorCode::DnsTimeout => "the name of the server is not known".to_owned(),
        ErrorCode::ConnectionRefused => "the connection was refused".to_owned(),
        ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionReadTimeout
        | ErrorCode::HttpResponseTimeout
        | ErrorCode::ConnectionWriteTimeout => "the server took too long".to_owned(),
        ErrorCode::TlsCertificateError | ErrorCode::TlsProtocolError | ErrorCode::TlsAlertReceived(_) => {
            "the server's certificate was not accepted".to_owned()
        }
        other => format!("no answer: {other:?}"),
    }
}
