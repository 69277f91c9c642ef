//! Runs an application that several tests share: prints its address, and ends it when its own standard input ends.

use std::io::Read as _;

use blackbox::App;

#[tokio::main]
async fn main() {
    let application = match std::env::args().nth(1).as_deref() {
        Some("wiki") => App::wiki(),
        Some("bookshop") => App::bookshop(),
        other => panic!("expected wiki or bookshop, not {other:?}"),
    };
    let app = application.without_time_limit().start().await;
    println!("{}", app.url());
    _ = std::io::stdin().read_to_end(&mut Vec::new());
}
