//! What a guest has around it: environment, files, variables, and the hosts it may call.

use serde_json::{Value, json};
use spin_sdk::http::{Request, Response};
use wasi::sockets::instance_network::instance_network;
use wasi::sockets::network::{ErrorCode, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress};
use wasi::sockets::tcp_create_socket::create_tcp_socket;

use crate::Answer;

/// `GET /room`: the environment, the arguments, and what becomes of touching a file.
pub fn describe() -> Answer {
    let environment: serde_json::Map<_, _> =
        std::env::vars().map(|(name, value)| (name, Value::String(value))).collect();
    let outcome = |result: std::io::Result<()>| result.map_or_else(|e| e.to_string(), |()| "done".to_owned());
    let room = json!({
        "environment": environment,
        "arguments": std::env::args().collect::<Vec<_>>(),
        "read": outcome(std::fs::read("/etc/passwd").map(drop)),
        "list": outcome(std::fs::read_dir("/").map(drop)),
        "write": outcome(std::fs::write("loot.txt", "x")),
    });
    (200, room)
}

/// `GET /socket?port`: what becomes of a plain TCP connection to that port of this machine.
pub fn connect(port: &str) -> Answer {
    let address = Ipv4SocketAddress { port: port.parse().unwrap_or(1), address: (127, 0, 0, 1) };
    let connect = || {
        let socket = create_tcp_socket(IpAddressFamily::Ipv4)?;
        socket.start_connect(&instance_network(), IpSocketAddress::Ipv4(address))?;
        socket.subscribe().block();
        socket.finish_connect()
    };
    let outcome: Result<_, ErrorCode> = connect();
    (200, json!({"outcome": outcome.map_or_else(|e| format!("{e:?}"), |_| "connected".to_owned())}))
}

/// `GET /variables/:name`: the variable's value, or the error.
pub fn variable(name: &str) -> Answer {
    use spin_sdk::variables::{Error, get};
    match get(name) {
        Ok(value) => (200, json!({"value": value})),
        Err(Error::Undefined(_)) => (200, json!({"error": "undefined"})),
        Err(Error::InvalidName(_)) => (200, json!({"error": "invalid-name"})),
        Err(e) => (200, json!({"error": format!("{e:?}")})),
    }
}

/// `GET /catalogue?url`: what the URL, given as the whole query, answers.
pub async fn fetch(url: &str) -> Answer {
    let request = Request::post(url, "a question").header("x-shop", "bookshop").build();
    match spin_sdk::http::send::<_, Response>(request).await {
        Ok(response) => {
            let body = String::from_utf8_lossy(response.body()).into_owned();
            (200, json!({"status": response.status(), "body": body}))
        }
        Err(e) => (200, json!({"error": format!("{e:?}")})),
    }
}
